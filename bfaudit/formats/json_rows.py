"""The results of the JSON report, as rows that are joined: what rule, judgement and connection say is written once each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from msgspec import Struct

from bfaudit.formats.rows import ASKING
from bfaudit.model import Audit, Json, Judgement, Place, half
from bfaudit.pieces import Block, Column, PerJudgement, Shared, blocks
from bfaudit.report.findings import actual, unknown
from bfaudit.results import Results, Run
from bfaudit.sealed import NEXT, encoded, plain

T = TypeVar("T")


class EvidenceRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the value of a field comes from, and what that does not prove."""

    source: str | None = None
    request: str | None = None
    limitation: str | None = None
    certain: Any = None
    """What is certain of a list that is not known in full."""


class Columns:
    """Fields of rows, each with a comma before it; those that hang on connections alone are made once for all rules."""

    def __init__(
        self, audit: Audit, encode: Callable[[Json], bytes], *, ordered: bool = False
    ) -> None:
        self._encode = encode
        self._ordered = ordered
        self._baselined = audit.baselined
        self._files: dict[str, bytes] = {}
        self.shared = Shared()

    def field(self, name: str, value: Json) -> bytes:
        """One field."""
        return b',"%b":%b' % (name.encode(), self._encode(value))

    def told(
        self, name: str, judgements: Iterable[Judgement], of: Callable[[Judgement], Json]
    ) -> PerJudgement:
        """What each judgement says; nothing of a field where that is None."""
        head, encode = b',"%b":' % name.encode(), self._encode
        return PerJudgement(
            b"" if value is None else head + encode(value) for value in map(of, judgements)
        )

    def each(self, name: str, given: Sequence[T], of: Callable[[T], Json]) -> Sequence[bytes]:
        """What each connection says, of a list that runs share."""
        return self.shared(given, name, lambda one: self.field(name, of(one)))

    def location(self, run: Run) -> Sequence[bytes]:
        """Where each result points to."""
        return self.shared(run.places, "location", self._location)

    def _location(self, place: Place) -> bytes:
        file = self._files.get(place.file)
        if file is None:
            file = self._files[place.file] = self._encode(place.file)
        if self._ordered:
            return b',"location":{"column":%d,"file":%b,"line":%d}' % (
                place.column,
                file,
                place.line,
            )
        return b',"location":{"file":%b,"line":%d,"column":%d}' % (file, place.line, place.column)

    def fingerprint(self, run: Run) -> Iterable[Column]:
        """The fingerprints: of the rule one half, of the connection the other."""
        head = b',"fingerprint":"' + half(run.rule.id).encode()
        mine = self.shared(run.names, "half", lambda name: half(name).encode() + b'"')
        if not run.identities:
            return head, mine
        own = {at: self.field("fingerprint", told) for at, told in run.identities.items()}
        return ([own.get(at, head + tail) for at, tail in enumerate(mine)],)

    def known(self, run: Run) -> Sequence[bool]:
        """Whether the baseline holds each result; empty where there is no baseline."""
        if not self._baselined:
            return ()
        mine = self.shared(run.names, "known", half)
        first = half(run.rule.id)
        return [
            run.identities.get(at, first + second) in self._baselined
            for at, second in enumerate(mine)
        ]


def rows(audit: Audit, *, ordered: bool) -> Iterator[Block]:
    """Every result, a comma before each; for a digest with ordered keys, else each on its line."""
    made = Columns(audit, partial(encoded, ordered=ordered), ordered=ordered)
    begins = b",{" if ordered else b"," + NEXT + b"{"
    for run in Results.of(audit.results).runs:
        fields = _fields(run, made)
        first, *others = sorted(fields) if ordered else fields
        columns = chain.from_iterable(fields[name] for name in others)
        yield from blocks([begins, *map(_bare, fields[first]), *columns, b"}"], run.numbers)


def _fields(run: Run, made: Columns) -> dict[str, Iterable[Column]]:
    exception: Column = made.field("exception", None)
    if run.exceptions:
        exception = [made.field("exception", run.exceptions.get(at)) for at in range(len(run))]
    told = run.judgements
    return {
        "rule": [made.field("rule", run.rule.id)],
        "severity": [made.field("severity", run.rule.severity.word)],
        "connection": [made.each("connection", run.names, str)],
        "outcome": [made.told("outcome", told, lambda one: one.outcome.value)],
        "message": [made.told("message", told, lambda one: one.message)],
        "expected": [made.told("expected", told, lambda one: one.expected)],
        "actual": [made.told("actual", told, lambda one: actual(one.observations))],
        "unknown": [made.told("unknown", told, lambda one: unknown(one.observations) or None)],
        "evidence": [made.told("evidence", told, lambda one: evidence(one) or None)],
        "location": [made.location(run)],
        "fingerprint": made.fingerprint(run),
        "exception": [exception],
        "known": [[made.field("known", value=True) if known else b"" for known in made.known(run)] or b""],
    }  # fmt: skip


def _bare(column: Column) -> Column:
    """The first field of a row, without its comma."""
    return column[1:] if isinstance(column, bytes) else PerJudgement(text[1:] for text in column)


def evidence(judged: Judgement) -> dict[str, EvidenceRow]:
    """Where what a rule read comes from, by field; only where the outcome asks for a reader."""
    if judged.outcome not in ASKING:
        return {}
    found = {
        seen.field: EvidenceRow(
            source=seen.source,
            request=seen.request,
            limitation=seen.limitation,
            certain=plain(seen.value) if seen.unknown is not None else None,
        )
        for seen in judged.observations
    }
    return {field: row for field, row in found.items() if row != EvidenceRow()}
