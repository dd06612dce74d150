"""Translates sentences that are already made: what a rule, a scan or an exchange's adapter said in English.

A snapshot and a judgement hold finished English sentences. The catalogue has them as they stand in the source, with
`{names}` where values go; a sentence that was made from one of these is taken apart and made anew. Values stay as they
are, but for those that are words of ours. What fits nothing stays as it is: what users and exchanges write is theirs.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from bfaudit.model import PERMISSIONS

CONTEXT = "sentence"
"""The context of these messages in a catalogue: nothing that a user writes is looked up among a report's own words."""

LONGEST = 5_000
"""Characters beyond which a text is no sentence of ours."""

DEEPEST = 5
"""How deep sentences are looked for within sentences."""

PHRASES = frozenset({
    "after", "before", "detail", "ended", "get", "incomplete", "others", "reason", "say", "says", "status", "status_text", "text",
    "unknown", "value", "via", "what", "why",
})  # fmt: skip
"""The names of values that are sentences of ours too."""

WORDS = frozenset({"shown", "word"})
"""The names of values that may be one of our words."""

LISTS = frozenset({"scan.client_differs"})
"""The names of values that list sentences of ours."""

NAMES = frozenset({"field", "key", "mount", "name"})
"""The names of values that are names, in one word."""

_TITLE = re.compile(r"[\w.][\w. -]{0,38}")
_SLOT = re.compile(r"\{([\w.]+)\}")
_HEAD = 5
"""How many characters of its beginning a pattern is looked up by."""

_WORD = rf"(?:{'|'.join(PERMISSIONS)}|other:[^,:]+)"
_ABOUT = re.compile(rf"({_WORD}(?:, {_WORD})*): (.+)", re.DOTALL)
_SOURCED = re.compile(r"(.+) (\[https?://[^\s\]]+\])", re.DOTALL)
_FIELD = re.compile(r"([a-z_]\w*(?:\.\w+)+) \((.+)\)", re.DOTALL)
_BETWEEN = re.compile(r"; (?=[a-z_]\w*(?:\.\w+)+ \()")
_CODED = re.compile(r"([^:]{1,100}): (.+?)(\.?)", re.DOTALL)
_MORE = re.compile(r"(.+), and (\d+) more", re.DOTALL)


class Pattern(NamedTuple):
    """A sentence of the source with the places of its values."""

    literals: tuple[str, ...]
    """What stands before, between and after the values; one more than there are names."""
    names: tuple[str, ...]
    told: str
    """The sentence in another language, with the same names."""

    @classmethod
    def of(cls, message: str, told: str) -> "Pattern":
        """The pattern of a message."""
        parts = _SLOT.split(message)
        return cls(tuple(parts[0::2]), tuple(parts[1::2]), told)

    @property
    def weight(self) -> int:
        """How much of it is fixed: the more, the surer is a match."""
        return sum(map(len, self.literals))

    def values(self, text: str) -> dict[str, str] | None:
        """The values of a sentence that was made from it, in linear time; None where it was not."""
        first, last = self.literals[0], self.literals[-1]
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return None
        found: dict[str, str] = {}
        for name, literal in zip(self.names, (*self.literals[1:-1], None), strict=True):
            to = end if literal is None else text.find(literal, at, end)
            value = text[at:to] if to >= 0 else ""
            if not _fits(name, value) or found.setdefault(name, value) != value:
                return None
            at = to + len(literal or "")
        return found

    def fill(self, values: Mapping[str, str]) -> str:
        """The sentence with its values, in the other language."""
        return _SLOT.sub(lambda slot: values[slot[1]], self.told)


def _fits(name: str, value: str) -> bool:
    """Whether a text can be a value of that name: the title of an exchange is short, and part of no other sentence."""
    if name.startswith("exchange"):
        return bool(_TITLE.fullmatch(value))
    if name.rstrip("0123456789") in NAMES and " " in value:
        return False
    return bool(value)


class Sentences:
    """The sentences of one catalogue."""

    def __init__(self, told: Mapping[str, str], word: Callable[[str], str]) -> None:
        self._told = told
        self._word = word
        made = (
            Pattern.of(message, each) for message, each in told.items() if _SLOT.search(message)
        )
        self._patterns: dict[str, list[Pattern]] = {}
        for pattern in sorted(made, key=lambda each: -each.weight):
            head = pattern.literals[0][:_HEAD]
            self._patterns.setdefault(head if len(head) == _HEAD else "", []).append(pattern)

    def __call__(self, text: str, depth: int = 0) -> str:
        """The sentence in the language of the catalogue; the text itself where it is none of ours."""
        if len(text) > LONGEST or depth > DEEPEST:
            return text
        told = self._told.get(text)
        return next(self._made(text, depth + 1), text) if told is None else told

    def _made(self, text: str, depth: int) -> Iterator[str]:
        """What a sentence can be: made from a pattern, or joined from others by `; `, `: ` or a pair of brackets."""
        if found := _ABOUT.fullmatch(text):
            yield f"{found[1]}: {self(found[2], depth)}"
        for pattern in (*self._patterns.get(text[:_HEAD], ()), *self._patterns.get("", ())):
            if (values := pattern.values(text)) is not None:
                yield pattern.fill({each: self._value(each, of, depth) for each, of in values.items()})  # fmt: skip
        if found := _SOURCED.fullmatch(text):
            yield f"{self(found[1], depth)} {found[2]}"
        if len(parts := _BETWEEN.split(text)) > 1:
            yield "; ".join([self(part, depth) for part in parts])
        if found := _FIELD.fullmatch(text):
            yield f"{found[1]} ({self(found[2], depth)})"
        if "; " in text:
            yield "; ".join([self(part, depth) for part in text.split("; ")])
        if found := _CODED.fullmatch(text):
            whole = f"{found[2]}{found[3]}"
            told = self(whole, depth)
            yield f"{found[1]}: {f'{self(found[2], depth)}{found[3]}' if told == whole else told}"

    def _value(self, name: str, text: str, depth: int) -> str:
        kind = name.rstrip("0123456789")
        if kind in PHRASES:
            return self(text, depth)
        if kind == "listed":
            return text.replace(" and ", f" {self._word('and')} ")
        if "." in kind and (more := _MORE.fullmatch(text)):
            told = self._word("{names}, and {n} more")
            names = self._listed(more[1], depth) if kind in LISTS else more[1]
            return told.replace("{n}", more[2]).replace("{names}", names)
        if kind in LISTS:
            return self._listed(text, depth)
        return self._word(text) if "." in kind or kind in WORDS else text

    def _listed(self, text: str, depth: int) -> str:
        return ", ".join([self._word(self(each, depth)) for each in text.split(", ")])
