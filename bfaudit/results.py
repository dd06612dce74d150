"""The results of an audit, by rule: what it judged, and for each connection which judgement is its own.

Half a million of them are so many numbers. A `Result` is made when somebody looks at it, and counting makes none.
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, compress, count, groupby, repeat
from typing import overload

from bfaudit.model import Judgement, Outcome, Place, Result, Rule


class _Made(Sequence[Result]):
    """Results that are made when they are looked at."""

    @abstractmethod
    def at(self, position: int) -> Result:
        """The result at a position, counted from 0."""

    @overload
    def __getitem__(self, at: int) -> Result: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Result]: ...
    def __getitem__(self, at: int | slice) -> Result | Sequence[Result]:
        where = range(len(self))[at]
        return self.at(where) if isinstance(where, int) else tuple(map(self.at, where))


@dataclass(frozen=True)
class Run(_Made):
    """The results of one rule. Many runs share their lists: what is made for one of them is good for all."""

    rule: Rule
    names: Sequence[str]
    """The connections, in order."""
    judgements: Sequence[Judgement]
    """What it said, each once."""
    numbers: Sequence[int]
    """For each connection, which judgement is its own."""
    places: Sequence[Place]
    exceptions: Mapping[int, str] = field(default_factory=dict)
    """The exceptions, by the position of the result that is under one."""
    identities: Mapping[int, str] = field(default_factory=dict)
    """Fingerprints of results that have one of their own, by position."""

    @cached_property
    def outcomes(self) -> Counter[Outcome]:
        """How many results ended how."""
        found: Counter[Outcome] = Counter()
        for number, times in Counter(self.numbers).items():
            found[self.judgements[number].outcome] += times
        return found

    @property
    def excepted(self) -> int:
        """How many findings are under an exception."""
        return sum(self.outcome(at) is Outcome.FAIL for at in self.exceptions)

    def outcome(self, at: int) -> Outcome:
        """The outcome at a position."""
        return self.judgements[self.numbers[at]].outcome

    def having(self, outcomes: Container[Outcome]) -> Iterator[Result]:
        """The results with some outcomes."""
        wanted = [judgement.outcome in outcomes for judgement in self.judgements]
        return compress(self, map(wanted.__getitem__, self.numbers)) if any(wanted) else iter(())

    def only(self, names: Container[str]) -> "Run":
        """The results of some connections."""
        kept = [at for at, name in enumerate(self.names) if name in names]
        return Run(
            self.rule,
            [self.names[at] for at in kept],
            self.judgements,
            [self.numbers[at] for at in kept],
            [self.places[at] for at in kept],
            _moved(self.exceptions, kept),
            _moved(self.identities, kept),
        )

    def under(self, exceptions: Mapping[int, str]) -> "Run":
        """The same results under exceptions, by position."""
        return replace(self, exceptions=exceptions)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Result]:
        judged = map(self.judgements.__getitem__, self.numbers)
        told = (repeat(self.rule), self.names, judged, self.places)
        if not (self.exceptions or self.identities):
            return map(Result, *told)
        return map(Result, *told, map(self.exceptions.get, count()), map(self.identities.get, count()))  # fmt: skip

    def at(self, position: int) -> Result:
        """The result at a position, counted from 0."""
        return Result(
            self.rule,
            self.names[position],
            self.judgements[self.numbers[position]],
            self.places[position],
            self.exceptions.get(position),
            self.identities.get(position),
        )


class Results(_Made):  # noqa: PLW1641 - like a list: rules hold mappings
    """All results of an audit: runs, one after the other."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self.runs = tuple(runs)

    @classmethod
    def of(cls, results: Iterable[Result]) -> "Results":
        """Any results; the same object where they are runs already."""
        if isinstance(results, Results):
            return results
        return cls(_run(list(some)) for _, some in groupby(results, key=lambda one: id(one.rule)))

    @classmethod
    def sorted(cls, runs: Iterable[Run]) -> "Results":
        """Runs in the order of an audit, each of a rule of its own."""
        return cls(sorted(runs, key=lambda run: (-run.rule.severity, run.rule.id)))

    def having(self, outcomes: Container[Outcome]) -> Iterator[Result]:
        """The results with some outcomes."""
        return chain.from_iterable(run.having(outcomes) for run in self.runs)

    def __len__(self) -> int:
        return sum(map(len, self.runs))

    def __iter__(self) -> Iterator[Result]:
        return chain.from_iterable(self.runs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def at(self, position: int) -> Result:
        """The result at a position, counted from 0."""
        for run in self.runs:
            if position < len(run):
                return run.at(position)
            position -= len(run)
        raise IndexError(position)


def _moved(marks: Mapping[int, str], kept: Sequence[int]) -> Mapping[int, str]:
    return {new: marks[old] for new, old in enumerate(kept) if old in marks} if marks else marks


def _run(results: Sequence[Result]) -> Run:
    """The run of some results of one rule."""
    known = {id(one.judgement): one.judgement for one in results}
    numbers = {identity: number for number, identity in enumerate(known)}
    return Run(
        results[0].rule,
        [one.connection for one in results],
        list(known.values()),
        [numbers[id(one.judgement)] for one in results],
        [one.place for one in results],
        {at: one.exception for at, one in enumerate(results) if one.exception is not None},
        {at: one.identity for at, one in enumerate(results) if one.identity is not None},
    )
