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
_PEM = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_VARIABLE = re.compile(r"env:[A-Z_][A-Z0-9_]*")
_PLACES = ("file:", "keyring:", "vault:", "exec:", "/", "./", "../", "~/")
_BARE = re.compile(r"(?:file|keyring|vault|exec):[0-9A-Za-z]+")
"""A reference without a path: who pastes a secret behind `file:` has named no place."""
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


def _runs(text: str, classes: bytes) -> Iterator[Span]:
    at = classes.find(_RUN)
    while at >= 0:
        found = _ALNUM.match(text, at)
        end = found.end() if found else at + 1
        if _is_random(text[at:end]) and not _is_reference(text, at, end):
            yield Span(at, end, "a key or secret")
        at = classes.find(_RUN, end)


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


def _is_reference(text: str, start: int, end: int) -> bool:
    """Whether the word around it is a URL, a path, a variable's name or another place, not a value."""
    while start and text[start - 1] not in _BREAKS:
        start -= 1
    while end < len(text) and text[end] not in _BREAKS:
        end += 1
    word = text[start:end]
    if _BARE.fullmatch(word):
        return False
    return "://" in word or word.startswith(_PLACES) or _VARIABLE.fullmatch(word) is not None
