"""The words that problems are told in."""

from collections.abc import Iterable
from itertools import islice

from bfaudit.literals import shown
from bfaudit.model import Json

_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
_WANTED = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping of fields",
    "null": "nothing",
}


MOST_CHOICES = 500
"""How many words of a user's own are told, or looked through for one that is near."""


def one_of(words: Iterable[str]) -> str:
    """What was expected, as a choice."""
    known = list(words)
    if len(known) == 1:
        return known[0]
    more = ["..."] if len(known) > MOST_CHOICES else []
    return f"one of: {', '.join([*known[:MOST_CHOICES], *more])}"


def did_you_mean(word: Json, words: Iterable[str]) -> str | None:
    """A hint at the known word that is nearest; None where none is near."""
    if not isinstance(word, str) or len(word) > 100:
        return None
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

    by_fold = {known.casefold(): known for known in islice(words, MOST_CHOICES)}
    near = get_close_matches(word.casefold(), by_fold, 1, 0.6)
    return f'did you mean "{by_fold[near[0]]}"?' if near else None


def quoted(value: Json) -> str:
    """A value of the user's in a message, unless it looks like a secret or is long."""
    if isinstance(value, str):
        return f'"{shown(value)}"'
    return kind_of(value)


def kind_of(value: Json) -> str:
    """What a value is, for people."""
    if value is None:
        return "nothing"
    return _KINDS.get(type(value), "a mapping of fields")


def wanted(kinds: str | list[str]) -> str:
    """What a JSON Schema `type` asks for, for people."""
    return " or ".join(_WANTED[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 finding`, `2,000 findings`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
