"""Jinja over the report templates: strict, and safe by default for the target of each template."""

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bfaudit import resources
from bfaudit.report.wording import count, moment, visible


@cache
def environment(harmless: Callable[[str], str] = visible) -> Environment:
    """The environment of a target. Every text that a template prints goes through `harmless`, then autoescape."""

    def finalize(value: Any) -> Any:
        return value if isinstance(value, Markup | int) else harmless(str(value))

    made = Environment(
        loader=FunctionLoader(source),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )
    made.filters.update(count=count, moment=moment)
    return made


def source(name: str) -> str:
    """The text of a template, or of the style or script that it inlines."""
    return (resources.templates() / name).read_text("utf-8")
