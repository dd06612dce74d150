"""Jinja over the report templates: strict, and safe by default for the target of each template.

A user may replace single templates by their names. Theirs run in Jinja's sandbox: a template is for showing values.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateNotFound,
    pass_eval_context,
    select_autoescape,
)
from jinja2.nodes import EvalContext
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from bfaudit import resources
from bfaudit.lang import ENGLISH, Language
from bfaudit.report.wording import moment, visible

OWN = "template of the user: "
"""What the file name of a user's template starts with in a stack of calls; its name follows."""

_NAME = re.compile(r"(?:partials/)?[a-z][a-z0-9-]*(?:\.[a-z0-9]+)+")
"""What our templates are called."""

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


_MADE: dict[tuple[Callable[[str], str], Language], Environment] = {}


def environment(
    harmless: Callable[[str], str] = visible,
    templates: Mapping[str, str] = NONE,
    lang: Language = ENGLISH,
) -> Environment:
    """The environment of a target and a language. Every text that a template prints goes through `harmless`, then autoescape."""
    if templates:
        return _environment(SandboxedEnvironment, harmless, templates, lang)
    if (harmless, lang) not in _MADE:
        _MADE[harmless, lang] = _environment(Environment, harmless, NONE, lang)
    return _MADE[harmless, lang]


def _environment(
    kind: type[Environment],
    harmless: Callable[[str], str],
    templates: Mapping[str, str],
    lang: Language,
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
    made.filters.update(count=partial(_count, lang), moment=moment, word=partial(_word, lang))
    made.globals.update(lang=lang.code, **_messages(harmless, lang))
    return made


def _messages(harmless: Callable[[str], str], lang: Language) -> Mapping[str, Any]:
    """`_` and `ngettext`: messages of ours, which are markup, with values that are made as harmless as printed ones."""

    def quoted(context: EvalContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        def quote(value: Any) -> Any:
            if isinstance(value, Markup | int):
                return value
            text = harmless(str(value))
            return escape(text) if context.autoescape else Markup(text)  # noqa: S704 - harmless

        return {name: quote(value) for name, value in values.items()}

    @pass_eval_context
    def say(context: EvalContext, message: str, **values: Any) -> Markup:
        return Markup(lang.say(message, **quoted(context, values)))  # noqa: S704 - a message of ours

    @pass_eval_context
    def plural(context: EvalContext, one: str, other: str, number: int, **values: Any) -> Markup:
        told = lang.plural(one, other, number, **quoted(context, values))
        return Markup(told)  # noqa: S704 - a message of ours

    return {"_": say, "ngettext": plural}


def _count(lang: Language, number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, for templates of the user: `3 findings`."""
    return lang.plural(f"{{n}} {noun}", f"{{n}} {plural or noun + 's'}", number)


def _word(lang: Language, text: str) -> str:
    """A word of ours as people read it, such as a severity or a status."""
    return lang.say(text)


def fill(template: Template, context: Any) -> str:
    """A template with the fields of its context, by their names."""
    return template.render({each.name: getattr(context, each.name) for each in fields(context)})


def source(name: str, templates: Mapping[str, str] = NONE) -> str:
    """The text of a template, or of the style or script that it inlines; the user's, where there is one."""
    if name in templates:
        return templates[name]
    if not _NAME.fullmatch(
        name
    ):  # a user's template may include by any name: none leads out of our folder
        raise FileNotFoundError(name)
    return (resources.templates() / name).read_text("utf-8")
