"""Keeps the known secrets of a run out of every log, error and file, without keeping the secrets.

Of each secret one keyed mark is remembered, of a part of it that every way of writing leaves as it is (JSON, HTML, URLs):

* where it has 12 letters and digits in a row: of the last 12 of the longest such row, which are then found anywhere, in
  hexadecimal and in base64 too;
* else of its longest word of 6 characters or more, which is found where it stands as a word of its own.

Not looked for: what has no such part (secrets shorter than 6 characters are among it), and a short plain word or number,
which would be found in any text.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from os import urandom
from urllib.parse import unquote_to_bytes

from bfaudit.errors import LeakRefused
from bfaudit.pieces import Block, Piece

HIDDEN = "***"
WINDOW = 12
"""Characters of a secret that tell it: 71 bits of letters and digits."""
SHORTEST = 6
_CHUNK = 1024 * 1024
_REMEMBERED = 100_000
_KEPT = 16 * _CHUNK
_WHOLE = b"="

_ROW = re.compile(rb"[A-Za-z0-9]{%d,}" % WINDOW)
_WORD = re.compile(rb"[A-Za-z0-9_-]{%d,}" % SHORTEST)
_BETWEEN = re.compile(rb"[^A-Za-z0-9_-]")
_TEXT = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST},}}")
_ROWS = bytes(c if chr(c).isalnum() and c < 128 else ord(" ") for c in range(256))
_WORDS = bytes(c if c in b"_-" else _ROWS[c] for c in range(256))
"""Tables that leave rows, or words, between spaces."""
_LONG = re.compile(rb" ([^ ]{%d,})" % WINDOW)
_SHORT = re.compile(rb" ([^ ]{%d,})" % SHORTEST)
"""What is long enough, behind its space: a search for one byte skips what is not."""
_OF_WORDS = bytes(c for c in range(256) if _WORDS[c] == c and c != ord(" "))
_DIGITS = b"0123456789abcdefABCDEF"
_HEX = re.compile(rb"[0-9A-Fa-f]{%d,}" % (2 * WINDOW))
_BASE64 = 16
"""The length of 12 characters in base64."""
_NAMED = r"""(?ix) ( [\w.-]{0,40}? (?: sig(?:n|nature)?\b | secret | pass(?:phrase|word|wd) | token | cookie | \bkey\b
              | (?:api|access)[_-]?key(?:id)?\b ) ["']? \s* [:=] \s* ["']? ) (?!\*\*\*) [^\s"'&;,<>})\]]+"""
_AUTHORIZATION = r"""(?i)(authorization["']?\s*[:=]\s*["']?)[^"'\r\n]+"""
"""Of these two `re` makes patterns when something is logged, which is seldom."""


class Known:
    """The secrets that a run has resolved, by their marks: some hundred bytes each, and none of their text."""

    def __init__(self) -> None:
        self._salt = urandom(8)
        self._marks: dict[int, str] = {}
        self._words = False

    def note(self, role: str, text: str) -> None:
        """Look for a secret from now on; `role` is what a refusal may say of it."""
        part = _part(text.encode("utf-8", "surrogateescape"))
        if part:
            self._marks.setdefault(self._mark(part), role)
            self._words = self._words or part.startswith(_WHOLE)

    def __bool__(self) -> bool:
        return bool(self._marks)

    def found_in(self, data: bytes, seen: set[bytes] | None = None) -> str | None:
        """The role of a known secret that some output holds; None where it holds none.

        `seen` are words that were looked at, for an output that comes in pieces.
        """
        if not self._marks:
            return None
        seen = set() if seen is None else seen
        for chunk in _chunks(data):
            pieces = self._pieces(chunk) - seen
            for piece in pieces:
                if (role := self._role(piece)) is not None:
                    return role
            if len(seen) > _REMEMBERED:
                seen.clear()
            seen |= pieces
        return None

    def hide(self, text: str) -> str:
        """A text with `***` in place of every known secret."""
        if not self._marks:
            return text
        return _TEXT.sub(
            lambda found: HIDDEN if self.found_in(found[0].encode()) else found[0], text
        )

    def _pieces(self, chunk: bytes) -> set[bytes]:
        """All that may be a secret or hold one, each once."""
        if not self._words:
            return set(_LONG.findall(b" " + chunk.translate(_ROWS)))
        words = set(_SHORT.findall(b" " + chunk.translate(_WORDS)))
        if b"%" in chunk:
            words.update(_SHORT.findall(b" " + unquote_to_bytes(chunk).translate(_WORDS)))
        return words.union(_SHORT.findall(b" " + b" ".join(words).translate(_ROWS)))

    def _role(self, piece: bytes) -> str | None:
        if len(piece) < WINDOW or not piece.isalnum():
            return self._marks.get(self._mark(_WHOLE + piece))
        return self._in_row(piece) or next(filter(None, map(self._in_row, _decoded(piece))), None)

    def _in_row(self, row: bytes) -> str | None:
        marks, salt = self._marks, self._salt
        windows = [salt + row[end - WINDOW : end] for end in range(WINDOW, len(row) + 1)]
        if marks.keys().isdisjoint(map(hash, windows)):
            return None
        return next(filter(None, map(marks.get, map(hash, windows))))

    def _mark(self, part: bytes) -> int:
        return hash(self._salt + part)  # SipHash under the process's own key


def _part(secret: bytes) -> bytes | None:
    """What is marked of a secret; of a whole word with a mark of its own."""
    if len(secret) >= WINDOW and secret.isalnum():
        return secret[-WINDOW:]
    rows: list[bytes] = _ROW.findall(secret)
    # A row of letters may be a word of a PEM's frame or of a key's path; the last one is the key's own.
    if rows := [row for row in rows if not row.isalpha()] or rows:
        return max(reversed(rows), key=len)[-WINDOW:]
    word: bytes = max(_WORD.findall(secret), key=len, default=b"")
    bare = word.translate(None, b"_-")
    return None if not bare or bare.isalpha() or bare.isdigit() else _WHOLE + word


def _chunks(data: bytes) -> Iterator[bytes]:
    """A large output in parts, cut between words."""
    start = 0
    while start < len(data):
        cut = _BETWEEN.search(data, start + _CHUNK)
        end = cut.start() if cut else len(data)
        yield data[start:end]
        start = end


def _decoded(row: bytes) -> Iterator[bytes]:
    """The rows that a row holds in hexadecimal or base64, wherever in it they begin.

    What is all hexadecimal digits, as a fingerprint is, is not base64.
    """
    for found in _HEX.finditer(row):
        digits = found[0]
        for start in (0, 1):
            some = digits[start : start + (len(digits) - start) // 2 * 2]
            yield from _ROW.findall(bytes.fromhex(some.decode()))
    if len(row) >= _BASE64 and row.translate(None, _DIGITS):
        for start in range(4):
            some = row[start:] + b"A" * (-(len(row) - start) % 4)
            yield from _ROW.findall(b64decode(some))


_KNOWN: ContextVar[Known] = ContextVar("known")
_ELSEWHERE = Known()


def known() -> Known:
    """The secrets of the run under way."""
    return _KNOWN.get(_ELSEWHERE)


@contextmanager
def run() -> Iterator[Known]:
    """A run of its own: what it resolves is looked for until it ends."""
    of_run = Known()
    token = _KNOWN.set(of_run)
    try:
        yield of_run
    finally:
        _KNOWN.reset(token)


def refuse(place: str, data: bytes, seen: set[bytes] | None = None) -> None:
    """Raises LeakRefused where some output holds a secret of this run; `place` is where it would go."""
    role = known().found_in(data, seen)
    if role is not None:
        raise LeakRefused(
            f"{place} is not written: it would hold the {role} of a connection",
            hint="this must not happen: report it, without the secret. A file that was there is as it was",
        )


def cleared(place: str, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """An output, as far as it was looked through. Raises LeakRefused before any of a secret, be it in two pieces."""
    if not known():
        yield from map(bytes, pieces)
        return
    words: set[bytes] = set()
    texts: set[bytes] = set()
    size = 0
    held = b""
    for piece in pieces:
        if isinstance(piece, Block):
            new = set().union(*piece.columns) - texts
            refuse(place, b"\n".join([held, *new]), words)
            yield held
            data, held = bytes(piece), b""
            size += sum(map(len, new))
            if size > _KEPT:
                texts.clear()
                size = 0
            texts |= new
        else:
            data = held + piece
        # What may go on in the next piece waits for it: the last word, and the escape that it may begin with.
        end = max(0, len(data.rstrip(_OF_WORDS)) - 1)
        if not isinstance(piece, Block):
            refuse(place, data[:end], words)
        yield data[:end]
        held = data[end:]
    refuse(place, held, words)
    yield held


def redact(text: str) -> str:
    """A text for a log: without known secrets, and without the values of headers and parameters that carry any."""
    text = re.sub(_AUTHORIZATION, rf"\1{HIDDEN}", text)
    return known().hide(re.sub(_NAMED, rf"\1{HIDDEN}", text))
