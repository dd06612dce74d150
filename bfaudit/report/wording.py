"""Values and counts as people read them, and text from strangers made harmless to look at."""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from bfaudit.sealed import utc


def visible(text: str) -> str:
    r"""The text with every invisible character spelt out as `\u{...}`: control, ANSI, bidi, zero width, surrogates.

    Names and labels come from exchanges and manifests, so they may try to rewrite what a reader sees.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or unicodedata.category(char) == "Zs"
        else f"\\u{{{ord(char):x}}}"
        for char in text
    )


def show(value: Any) -> str:
    """A value of a fact, as text."""
    match value:
        case None:
            return "none"
        case "":
            return '""'
        case bool():
            return "true" if value else "false"
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Mapping():
            return ", ".join(f"{name}: {show(item)}" for name, item in value.items()) or "none"
        case list() | tuple() | set() | frozenset():
            return ", ".join(map(show, value)) or "none"
        case _:
            return str(value)


def moment(value: datetime) -> str:
    """A time, to the minute, in UTC."""
    return f"{utc(value).isoformat(' ', 'minutes')[:16]} UTC"


def percent(share: float) -> str:
    """A share as whole percent, never rounded up to all and never down to none."""
    whole = round(share * 100)
    if share < 1 and whole == 100:
        whole = 99
    if share > 0 and whole == 0:
        whole = 1
    return f"{whole} %"


def listed(items: list[str], last: str = "and") -> str:
    """Items as a phrase: `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def paragraph(text: str) -> str:
    """Text of a YAML block as one paragraph."""
    return " ".join(text.split())
