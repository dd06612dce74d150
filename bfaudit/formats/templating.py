"""Jinja over the report templates: strict, and safe by default for the target of each template.

A user may replace single templates by their names. Theirs run in Jinja's sandbox: a template is for showing values.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateNotFound,
    select_autoescape,
)
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from bfaudit import resources
from bfaudit.report.wording import count, moment, visible

OWN = "template of the user: "
"""What the file name of a user's template starts with in a stack of calls; its name follows."""

NONE: Mapping[str, str] = {}


class _Loader(BaseLoader):
    """The user's template of a name, else ours."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = templates

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 - as Jinja calls it
        template: str,
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """The text of a template; its file name only where it is the user's."""
        if template in self._templates:
            return self._templates[template], f"{OWN}{template}", lambda: True
        try:
            return source(template), None, lambda: True
        except (OSError, ValueError):
            raise TemplateNotFound(template) from None


_MADE: dict[Callable[[str], str], Environment] = {}


def environment(
    harmless: Callable[[str], str] = visible, templates: Mapping[str, str] = NONE
) -> Environment:
    """The environment of a target. Every text that a template prints goes through `harmless`, then autoescape."""
    if templates:
        return _environment(SandboxedEnvironment, harmless, templates)
    if harmless not in _MADE:
        _MADE[harmless] = _environment(Environment, harmless, NONE)
    return _MADE[harmless]


def _environment(
    kind: type[Environment], harmless: Callable[[str], str], templates: Mapping[str, str]
) -> Environment:
    def finalize(value: Any) -> Any:
        return value if isinstance(value, Markup | int) else harmless(str(value))

    made = kind(
        loader=_Loader(templates),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )
    made.filters.update(count=count, moment=moment)
    return made


def fill(template: Template, context: Any) -> str:
    """A template with the fields of its context, by their names."""
    return template.render({each.name: getattr(context, each.name) for each in fields(context)})


def source(name: str, templates: Mapping[str, str] = NONE) -> str:
    """The text of a template, or of the style or script that it inlines; the user's, where there is one."""
    if name in templates:
        return templates[name]
    return (resources.templates() / name).read_text("utf-8")
