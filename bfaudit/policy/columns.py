"""The evidence of a fleet by columns: for each field, a number per connection for the evidence it has."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from bfaudit.model import Observation, Scanned
from bfaudit.policy.bases import Basis
from bfaudit.policy.cel import speakable
from bfaudit.policy.evidence import Evidence, Fleet, Subject
from bfaudit.policy.fields import FIELDS

T = TypeVar("T")


class Entry(NamedTuple):
    """One distinct evidence of a field."""

    evidence: Evidence
    observation: Observation
    value: Any
    """As the rule language takes it."""


class Partition(NamedTuple):
    """Connections by what some fields rest on."""

    numbers: list[int]
    """For each connection, which distinct basis it has."""
    examples: list[Subject]
    """For each distinct basis, one connection that has it."""


class Column(NamedTuple):
    """The evidence of one field."""

    numbers: list[int]
    """For each connection, which entry it has; fields that rest on the same share one list."""
    entries: list[Entry]


class Table:
    """The evidence of a fleet by field; a column is made when the first rule reads it."""

    def __init__(self, scanned: Sequence[Scanned], now: datetime) -> None:
        fleet = Fleet(scanned)
        self.subjects = [Subject(one, at, fleet, now) for at, one in enumerate(scanned)]
        self._partitions: dict[Basis, Partition] = {}
        self._columns: dict[str, Column] = {}

    def column(self, name: str) -> Column:
        """The evidence of one field for every connection."""
        column = self._columns.get(name)
        if column is None:
            field = FIELDS[name]
            evidence: Iterable[Evidence]
            if field.basis is None:
                numbers, evidence = _distinct(map(field.get, self.subjects))
            else:
                partition = self._partition(field.basis)
                numbers, evidence = partition.numbers, map(field.get, partition.examples)
            entries = [
                Entry(one, Observation(name, *one), speakable(one.value)) for one in evidence
            ]
            column = self._columns[name] = Column(numbers, entries)
        return column

    def _partition(self, basis: Basis) -> Partition:
        partition = self._partitions.get(basis)
        if partition is None:
            numbers, distinct = _distinct(map(basis, self.subjects))
            examples = dict(zip(reversed(numbers), reversed(self.subjects), strict=True))
            partition = Partition(numbers, [examples[number] for number in range(len(distinct))])
            self._partitions[basis] = partition
        return partition


def _distinct(values: Iterable[T]) -> tuple[list[int], list[T]]:
    """A number for each value, equal ones the same, and the values by their numbers."""
    known: dict[T, int] = {}
    return [known.setdefault(value, len(known)) for value in values], list(known)
