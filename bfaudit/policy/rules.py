"""A rule ready to judge: its conditions compiled, its texts with the places where values go."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from bfaudit.model import Rule
from bfaudit.policy.cel import Expression

_SLOT = re.compile(r"\{([^{}]*)\}")


class Text(Struct, frozen=True):
    """A text with fields in braces: `The key may {key.excess}`."""

    parts: tuple[str, ...]
    """Plain text and names of fields in turn."""

    @classmethod
    def of(cls, text: str) -> "Text":
        """The text that a rule spells."""
        return cls(tuple(_SLOT.split(text)))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names in braces."""
        return self.parts[1::2]

    def fill(self, shown: Callable[[str], str]) -> str:
        """The text with every name replaced."""
        if len(self.parts) == 1:
            return self.parts[0]
        return "".join(
            shown(part) if number % 2 else part for number, part in enumerate(self.parts)
        )


class CompiledRule(Struct, frozen=True, kw_only=True):
    """A rule of a loaded policy."""

    rule: Rule
    applies: Expression
    require: Expression
    message: Text
    expected: Text
    blames: str | None
    """The field of the manifest that promised otherwise."""
    reads: tuple[str, ...]
    """Every field that its conditions or its texts use, in the order of the catalogue."""


class Policy(Struct, frozen=True, kw_only=True):
    """A loaded policy."""

    id: str
    title: str
    file: str
    rules: tuple[CompiledRule, ...]
    left_out: tuple[Rule, ...] = ()
    """Its rules that an override switched off."""
    extends: tuple[str, ...] = ()
    description: str = ""


def shown(value: Any) -> str:
    """A value within a sentence."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d}"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value) or "none"
