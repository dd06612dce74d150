"""The evidence of a fleet by columns: for each field, a number per connection for the evidence it has."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple, TypeVar

from bfaudit.model import Observation, Scanned, Unselected
from bfaudit.policy.bases import Basis
from bfaudit.policy.evidence import Evidence, Subject
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.fleet import Fleet
from bfaudit.policy.ran import NOT_TOLD, ScanRun
from bfaudit.policy.rules import shown

T = TypeVar("T")

NOTHING = object()
"""Stands for the value of what cannot be judged."""


class Partition(NamedTuple):
    """Connections by what some fields rest on."""

    numbers: Sequence[int]
    """For each connection, which distinct basis it has."""
    examples: list[Subject]
    """For each distinct basis, one connection that has it."""


class Column:
    """The distinct evidence of one field. What is worked out of it is, when the first rule asks."""

    def __init__(self, name: str, numbers: Sequence[int], evidence: list[Evidence]) -> None:
        self.name = name
        self.numbers = numbers
        """For each connection, which evidence it has; fields that rest on the same share one list."""
        self.evidence = evidence

    @cached_property
    def observations(self) -> list[Observation]:
        """The evidence, as results show it."""
        return [one.observed(self.name) for one in self.evidence]

    @cached_property
    def keys(self) -> list[Any]:
        """What tells one value from another, whatever its evidence; what cannot be judged is one value."""
        return [one.value if one.judged else NOTHING for one in self.evidence]

    def shown(self, number: int) -> str:
        """A value within a text; of a list that is not known in full, what is certain."""
        one = self.evidence[number]
        if one.unknown is not None and not one.value:
            return "unknown"
        return shown(one.value)


class Combined(NamedTuple):
    """Connections by their evidence for several fields."""

    numbers: Sequence[int]
    """For each connection, which combination it has."""
    entries: Sequence[Sequence[int]]
    """For each column, the number of its evidence in each combination."""


class Table:
    """The evidence of a fleet by field; a column is made when the first rule reads it."""

    def __init__(
        self,
        scanned: Sequence[Scanned],
        now: datetime,
        rest: Sequence[Unselected] = (),
        untold: int = 0,
        ran: ScanRun = NOT_TOLD,
    ) -> None:
        fleet = Fleet(scanned, rest, untold, ran)
        self.subjects = [Subject(one, at, fleet, now) for at, one in enumerate(scanned)]
        self._partitions: dict[Basis, Partition] = {}
        self._columns: dict[str, Column] = {}
        self._combined: dict[tuple[int, ...], Combined] = {}
        """By the lists of numbers that are combined."""

    def column(self, name: str) -> Column:
        """The evidence of one field for every connection."""
        column = self._columns.get(name)
        if column is None:
            field = FIELDS[name]
            if field.basis is None:
                numbers, evidence = _distinct(map(field.get, self.subjects))
            else:
                partition = self._partition(field.basis)
                numbers, evidence = partition.numbers, list(map(field.get, partition.examples))
            column = self._columns[name] = Column(name, numbers, evidence)
        return column

    def combined(self, columns: Sequence[Column]) -> Combined:
        """The distinct combinations of evidence in some columns."""
        lists = {id(column.numbers): column.numbers for column in columns}
        key = tuple(lists)
        found = self._combined.get(key)
        if found is None:
            everyone = range(len(self.subjects))
            if any(len(column.evidence) == len(everyone) for column in columns):
                found = Combined(everyone, list(lists.values()))  # that column tells all apart
            else:
                numbers, combinations = _distinct(zip(*lists.values(), strict=True))
                found = Combined(numbers, list(zip(*combinations, strict=True)))
            self._combined[key] = found
        return Combined(found.numbers, [found.entries[key.index(id(c.numbers))] for c in columns])

    def _partition(self, basis: Basis) -> Partition:
        partition = self._partitions.get(basis)
        if partition is None:
            numbers, distinct = _distinct(map(basis, self.subjects))
            examples = dict(zip(reversed(numbers), reversed(self.subjects), strict=True))
            partition = Partition(numbers, [examples[number] for number in range(len(distinct))])
            self._partitions[basis] = partition
        return partition


def _distinct(values: Iterable[T]) -> tuple[Sequence[int], list[T]]:
    """A number for each value, equal ones the same, and the values by their numbers."""
    known: defaultdict[T, int] = defaultdict(count().__next__)
    return array("I", map(known.__getitem__, values)), list(known)
