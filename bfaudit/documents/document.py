"""One YAML file: its data, and where each part of it stands."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from bfaudit import literals
from bfaudit.documents import scalars
from bfaudit.documents.limits import MAX_EXCERPT, MAX_PROBLEMS
from bfaudit.errors import Problem
from bfaudit.model import Json, Place

Path = Sequence[str | int]
_LARGE = 64


class Part(NamedTuple):
    """Where one part of a document starts, and the path of that part; parts end where the next one starts."""

    offset: int
    path: tuple[str | int, ...]


class Document:
    """One YAML file: its data, and where each part of it stands."""

    def __init__(self, text: str, file: str) -> None:
        self.data: Json = None
        self.file = file
        self.text = text
        self.marks: dict[int, list[int]] = {}
        """By id of each list and dict: its own offset, then of each item, or of each key and value in turn."""
        self.hidden: set[int] = set()
        """The lines that are never shown: a secret stands there that a mask does not see."""
        self._starts: list[int] | None = None
        self._parts: list[Part] | None = None
        self._ordered: tuple[Json, dict[Any, int]] = None, {}

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value at `path` stands, or its key; the nearest part around it where there is none."""
        return self.at(self.offset(path, key=key))

    def inside(self, path: Path, offset: int) -> Place:
        """Where character `offset` of the text at `path` stands, whatever style it is written in."""
        start = self.offset(path)
        value = self.value(path)
        if not isinstance(value, str):
            return self.at(start)
        return self.at(scalars.source_offset(self.text, start, value, offset))

    def value(self, path: Path) -> Json:
        """The value at `path`; None where there is none."""
        node = self.data
        for step in path:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return None
        return node

    def offset(self, path: Path, *, key: bool = False) -> int:
        """The offset of the value at `path` (or of its key) in the text."""
        node, found = self.data, self.marks.get(id(self.data), [0])[0]
        for step in path:
            marks = self.marks.get(id(node))
            if marks is None:
                break
            if isinstance(node, dict) and step in node:
                index = 1 + 2 * self._number(node, step)
                found = marks[index if key else index + 1]
            elif isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
                found = marks[1 + step]
            else:
                return marks[0]
            node = node[step]
        return found

    def keys_of(self, node: dict[str, Json]) -> dict[str, int]:
        """The offset of each key of a mapping of the document; empty where it is none of it."""
        return dict(zip(node, self.marks.get(id(node), [])[1::2], strict=False))

    def _number(self, node: dict[Any, Json], name: str | int) -> int:
        """The place of a field among the others; of the last large mapping all are remembered."""
        if len(node) < _LARGE:
            return list(node).index(name)
        if self._ordered[0] is not node:
            self._ordered = node, {each: number for number, each in enumerate(node)}
        return self._ordered[1][name]

    def at(self, offset: int) -> Place:
        """The place of a character of the text."""
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return Place(self.file, line, offset - starts[line - 1] + 1)

    def excerpt(self, line: int) -> str:
        """A line of the source, counted from 1, with `***` in place of anything that looks like a secret."""
        return literals.mask(self._line(line))

    def problem(
        self,
        message: str,
        path: Path,
        *,
        key: bool = False,
        expected: str | None = None,
        hint: str | None = None,
        show: bool = True,
    ) -> Problem:
        """A mistake at the value at `path`, or at its key; `show=False` leaves out the source line."""
        offset = self.offset(path, key=key)
        return self.problem_at(message, offset, expected=expected, hint=hint, show=show)

    def problem_at(
        self,
        message: str,
        offset: int,
        *,
        expected: str | None = None,
        hint: str | None = None,
        show: bool = True,
    ) -> Problem:
        """A mistake at an offset of the text."""
        place = self.at(offset)
        line, column = self._line(place.line), place.column - 1
        show = show and len(line) <= MAX_EXCERPT and place.line not in self.hidden
        if show and any(start < column for start, _ in literals.spans(line)):
            show = False  # a mask before the caret would move it
        line = literals.mask(line) if show else ""
        width = scalars.width(line, column) if show else 1
        return Problem(
            message, place=place, excerpt=line, expected=expected, hint=hint, width=width
        )

    def too_many(self) -> Problem:
        """What stands for the mistakes that are not told: it concerns the whole file, so that nothing of it passes."""
        message = f"more than {MAX_PROBLEMS:,} mistakes: the rest is not told"
        hint = "mend the first ones, then look again"
        return Problem(message, place=Place(self.file, 1, 1), hint=hint)

    def part_at(self, place: Place | None) -> tuple[str | int, ...]:
        """The top-level field, or the item of one, that a place belongs to; empty where there is none."""
        if place is None:
            return ()
        parts, starts = self._all_parts(), self._line_starts()
        if place.line > len(starts):  # of a file that could not be read as text
            return ()
        offset = starts[place.line - 1] + place.column - 1
        index = bisect_right(parts, offset, key=lambda part: part.offset)
        return parts[index - 1].path if index else ()

    def _all_parts(self) -> list[Part]:
        if self._parts is None:
            found: list[Part] = []
            for name in self.data if isinstance(self.data, dict) else ():
                found.append(Part(self.offset((name,), key=True), (name,)))
                if isinstance(value := self.data[name], list):
                    items = self.marks[id(value)][1:]
                    found += [Part(offset, (name, item)) for item, offset in enumerate(items)]
            self._parts = sorted(found, key=lambda part: part.offset)
        return self._parts

    def _line(self, line: int) -> str:
        starts = self._line_starts()
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r\n")

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            # Lines end as in YAML 1.2; the separators of Unicode were refused before.
            lines = self.text.split("\n")
            self._starts = [0, *accumulate(len(line) + 1 for line in lines[:-1])]
            if "\r" in self.text:
                self._starts = scalars.line_starts(self.text)
        return self._starts
