"""What a literal secret looks like in text that a user wrote, so that it is refused and never shown."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

SHORTEST = 18
"""The length of the shortest key that an exchange hands out (Bybit, MEXC)."""


class Span(NamedTuple):
    """A literal secret in a text: `text[start:end]`, never to be shown."""

    start: int
    end: int
    what: str


# Every letter and digit becomes `a`: runs of them are then found at the speed of memory.
_CLASSES = bytes(ord("a") if chr(c).isalnum() and c < 128 else c for c in range(256))
_RUN = b"a" * SHORTEST
_DASHED = b"-aaaaaaaa-aaaaaaaa-"
_DASHED_KEY = re.compile(r"[0-9a-z]{6,12}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-z]{4,6}(?![0-9A-Za-z-])")
_ALNUM = re.compile(r"[0-9A-Za-z]+")
_BASE64 = frozenset(b"a+/-_")
"""What a text in base64 is made of, as `_CLASSES` has it."""
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_VARIABLE = re.compile(r"env:[A-Z_][A-Z0-9_]*")
_PLACES = ("file:", "keyring:", "vault:", "exec:", "/", "./", "../", "~/")
_BARE = re.compile(r"(?:file|keyring|vault|exec):[0-9A-Za-z]+")
"""A reference without a path: who pastes a secret behind `file:` has named no place."""
_IN_URL = r"""(?ix) [?&\#;] [\w.-]* (?: key|secret|token|sig|pass ) [\w.-]* = [^&\#;\s]* $"""
"""What stands before the value of a parameter that carries a secret."""
_NEAR = 200
"""How far from a part of a URL its name is sought."""
_BREAKS = frozenset(" \t\r\n\"'`,;()[]{}<>|")

# A text, of which `re` makes a pattern for who has made a mistake.
_NAMED = r"""(?ix) (?:^|[\s{,"']) [\w-]{0,40}(?:key|secr\w*|pass\w*|token|pwd) ["']? \s*[:=]\s+
        (?! ["']? (?:env|file|keyring|vault|exec): )
        ( "(?:[^"\\]|\\.)*"? | '[^']*'? | [^\s,}\]\#][^,}\#]* )"""


def find(text: str) -> Iterator[Span]:
    """Every literal secret of a text: key shapes, private keys, long random words; comments included."""
    classes = text.encode("latin-1", "replace").translate(_CLASSES)
    yield from _runs(text, classes)
    yield from _dashed(text, classes)
    if "PRIVATE KEY-----" in text:
        for found in _PEM.finditer(text):
            yield Span(*found.span(), "a private key")


def is_secret(text: str) -> bool:
    """Whether a text holds something that looks like a secret."""
    return next(find(text), None) is not None


def shown(text: str, limit: int = 80) -> str:
    """A user's text for a message: `***` where it looks like a secret, cut where it is very long."""
    if is_secret(text):
        return "***"
    return text if len(text) <= limit else f"{text[:limit]}…"


def spans(line: str) -> list[tuple[int, int]]:
    """What must not be shown of a source line: secrets, and values of fields named like one; in order, disjoint."""
    hidden = [(span.start, span.end) for span in find(line)]
    hidden += [(m.start(1), m.start(1) + len(m[1].rstrip())) for m in re.finditer(_NAMED, line)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(hidden):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def mask(line: str) -> str:
    """A source line with `***` in place of what must not be shown."""
    for start, end in reversed(spans(line)):
        line = f"{line[:start]}***{line[end:]}"
    return line


class _Word(NamedTuple):
    """What stands between two breaks: whether it is a URL, or a path, a variable's name or another place."""

    end: int
    url: bool
    place: bool


def _runs(text: str, classes: bytes) -> Iterator[Span]:
    at = classes.find(_RUN)
    word = _Word(0, url=False, place=False)
    while at >= 0:
        found = _ALNUM.match(text, at)
        end = found.end() if found else at + 1
        if _is_random(text[at:end]):
            if at >= word.end:  # a word may hold many runs
                word = _word_at(text, at)
            if not (_is_named(text, at, end, word) if word.url else word.place):
                start, end = _whole(text, classes, at, end)
                yield Span(start, end, "a key or secret")
        at = classes.find(_RUN, end)


def _whole(text: str, classes: bytes, start: int, end: int) -> tuple[int, int]:
    """All of a secret in base64: its `+` and `/` part it into rows, of which the short ones look like nothing."""
    while start and classes[start - 1] in _BASE64:
        start -= 1
    while end < len(classes) and classes[end] in _BASE64:
        end += 1
    return start, end + len(text[end : end + 2]) - len(text[end : end + 2].lstrip("="))


def _dashed(text: str, classes: bytes) -> Iterator[Span]:
    # HTX access keys: four dashed groups, other than a UUID's five.
    at = classes.find(_DASHED)
    while at >= 0:
        start = at
        while start and classes[start - 1] == ord("a"):
            start -= 1
        found = _DASHED_KEY.match(text, start)
        if found and any(c.isdigit() for c in found[0]):
            yield Span(*found.span(), "an API key")
        at = classes.find(_DASHED, at + 1)


def _is_random(word: str) -> bool:
    """Letters and digits well mixed: a name has few changes between them, a random text many."""
    if word.isdigit() or word.isalpha() or _ADDRESS.fullmatch(word):
        return False
    digits = [c.isdigit() for c in word]
    changes = sum(a != b for a, b in pairwise(digits))
    return changes >= 3 and _entropy(word[:200]) >= 3.0


def _entropy(word: str) -> float:
    """Shannon entropy in bits per character."""
    total = len(word)
    return -sum(n / total * math.log2(n / total) for n in Counter(word).values())


def _word_at(text: str, at: int) -> _Word:
    """The word around a character."""
    start = end = at
    while start and text[start - 1] not in _BREAKS:
        start -= 1
    while end < len(text) and text[end] not in _BREAKS:
        end += 1
    # Base64 may begin like a path, and no path ends so.
    if text[end - 1] == "=" or _BARE.fullmatch(text, start, end):
        return _Word(end, url=False, place=False)
    named = text.startswith(_PLACES, start) or _VARIABLE.fullmatch(text, start, end) is not None
    return _Word(end, url=text.find("://", start, end) >= 0, place=named)


def _is_named(text: str, start: int, end: int, word: _Word) -> bool:
    """Whether a part of a URL is a name, and neither a password nor a parameter that is named like a secret."""
    before = text[max(0, start - _NEAR) : start]
    if re.search(r"://[^/?#\s]*$", before):
        return re.match(r"[^/?#]*@", text[end : min(word.end, end + _NEAR)]) is None
    return re.search(_IN_URL, before) is None
