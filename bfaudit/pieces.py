"""A document in pieces, for one that is too long to be held whole: bytes, or rows that are joined when they are written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")
Made = TypeVar("Made")

AT_ONCE = 2048
"""Rows in one piece: about a megabyte."""


class Block(NamedTuple):
    """Rows that have most of their text in common: each is joined of one text of every column.

    A column begins and ends between two words, so that what is looked for in a document is looked for in each text once.
    """

    columns: tuple[Sequence[bytes], ...]

    def __bytes__(self) -> bytes:
        return b"".join(chain.from_iterable(zip(*self.columns, strict=True)))


Piece = bytes | Block


class PerJudgement(list[bytes]):
    """A text for each judgement of a run, by its number."""


Column = bytes | PerJudgement | Sequence[bytes]
"""A part of every row: the same in all, one for each judgement, or one for each row."""


class Shared:
    """What is made of each item of a list, once for all runs that share it."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], Sequence[Any]] = {}

    def __call__(self, given: Sequence[T], what: str, of: Callable[[T], Made]) -> Sequence[Made]:
        """What `of` makes of each; `what` names it. The list must live as long as this."""
        key = (id(given), what)
        if key not in self._made:
            self._made[key] = list(map(of, given))
        return self._made[key]


def blocks(columns: Iterable[Column], numbers: Sequence[int]) -> Iterator[Block]:
    """The rows of a run of results, of which `numbers` are the judgements."""
    merged = list(_merged(columns))
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        yield Block(tuple(_part(each, some, start) for each in merged))


def _merged(columns: Iterable[Column]) -> Iterator[Column]:
    """The same rows in fewer columns: what is the same in all joins what each judgement has."""
    last: bytes | PerJudgement = b""
    for column in columns:
        if isinstance(column, bytes | PerJudgement):
            last = _joined(last, column)
        else:
            yield last
            yield column
            last = b""
    yield last


def _joined(one: bytes | PerJudgement, two: bytes | PerJudgement) -> bytes | PerJudgement:
    if isinstance(one, bytes) and isinstance(two, bytes):
        return one + two
    first, second = (repeat(each) if isinstance(each, bytes) else each for each in (one, two))
    return PerJudgement(head + tail for head, tail in zip(first, second, strict=False))


def _part(column: Column, numbers: Sequence[int], start: int) -> Sequence[bytes]:
    if isinstance(column, bytes):
        return [column] * len(numbers)
    if isinstance(column, PerJudgement):
        return list(map(column.__getitem__, numbers))
    return column[start : start + len(numbers)]


def bracketed(pieces: Iterable[Piece], ends: bytes = b"]") -> Iterator[Piece]:
    """A list of JSON, of items that have a comma before each."""
    begins, end = b"[", b"[]"
    for piece in pieces:
        yield begins + bytes(piece)[1:] if begins else piece
        begins, end = b"", ends
    yield end


def picked(column: Column, rows: Sequence[int]) -> Column:
    """A column for some of the rows."""
    if isinstance(column, bytes | PerJudgement):
        return column
    return [column[at] for at in rows]


def whole(pieces: Iterable[Piece]) -> bytes:
    """The document in one."""
    return b"".join(map(bytes, pieces))
