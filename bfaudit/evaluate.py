"""Rules x connections -> results. Each rule judges each distinct input once; connections with that input share it.

Work goes by columns: for each field that some rule reads, a number per connection for the evidence it has. A rule is
judged once for each combination of numbers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from bfaudit.collector import paused
from bfaudit.drift.history import remembered
from bfaudit.model import (
    Audit,
    Judgement,
    Outcome,
    Place,
    Reason,
    Scanned,
    Severity,
    Snapshot,
    Status,
)
from bfaudit.policy.columns import Table
from bfaudit.policy.judge import Judge
from bfaudit.policy.ran import ScanRun
from bfaudit.policy.rules import CompiledRule, Policy
from bfaudit.results import Results, Run


def evaluate(
    snapshot: Snapshot, policies: Sequence[Policy], now: datetime, previous: Snapshot | None = None
) -> Audit:
    """Judge every connection of a snapshot by every rule, as of `now`; an earlier snapshot tells `history.*`."""
    if previous is not None:
        snapshot = remembered(snapshot, previous)
    with paused():
        return _evaluate(snapshot, policies, now)


def _evaluate(snapshot: Snapshot, policies: Sequence[Policy], now: datetime) -> Audit:
    rules = sorted(
        (rule for policy in policies for rule in policy.rules),
        key=lambda compiled: (-compiled.rule.severity, compiled.rule.id),
    )
    scanned = sorted(snapshot.connections, key=attrgetter("connection.name"))
    # What was rejected, or not reached before an interruption, may share a key or an account with any of the others.
    uncounted = max(0, snapshot.unselected - len(snapshot.rest))
    untold = uncounted + len(snapshot.rejected) + snapshot.interrupted
    table = Table(scanned, now, snapshot.rest, untold, ScanRun.of(snapshot))
    connections = [one.connection for one in scanned]
    declared = [(one.place, one.places) for one in connections]
    places = {blamed: _places(blamed, declared) for blamed in {rule.blames for rule in rules}}
    names = [one.name for one in connections]
    runs = [
        Run(compiled.rule, names, *_judge(compiled, table), places[compiled.blames])
        for compiled in rules
    ]
    return Audit(
        snapshot=snapshot,
        generated_at=now,
        results=Results(runs),
        rules=tuple(compiled.rule for compiled in rules),
        policies=tuple(policy.id for policy in policies),
        left_out=tuple(rule for policy in policies for rule in policy.left_out),
    )


def _judge(compiled: CompiledRule, table: Table) -> tuple[list[Judgement], Sequence[int]]:
    """The judgements of a rule, and for each connection which of them is its own."""
    columns = [table.column(name) for name in compiled.reads]
    judge = Judge(compiled, columns)
    if not columns:
        return judge((), 1), [0] * len(table.subjects)
    numbers, entries = table.combined(columns)
    return judge(entries, len(entries[0])), numbers


def _places(
    blamed: str | None, declared: Sequence[tuple[Place, Mapping[str, Place]]]
) -> list[Place]:
    """The line of each connection that promised otherwise."""
    if blamed is None:
        return [place for place, _ in declared]
    return [places.get(blamed, place) for place, places in declared]


class Summary(NamedTuple):
    """What an audit adds up to."""

    outcomes: Mapping[Outcome, int]
    """All five. Findings under exception count as `fail`."""
    failed_by_severity: Mapping[Severity, int]
    """Findings without an exception, worst first, all five."""
    excepted: int
    coverage: float
    """The share of results with an answer, among those that ask for one; 0 where none does."""
    unseen: int
    """Connections whose key could not be looked at: the exchange unavailable, the credential unresolved."""


def summary(audit: Audit) -> Summary:
    """The counts of an audit."""
    outcomes: Counter[Outcome] = Counter()
    failed: Counter[Severity] = Counter()
    for run in Results.of(audit.results).runs:
        outcomes.update(run.outcomes)
        failed[run.rule.severity] += run.outcomes[Outcome.FAIL] - run.excepted
    answered = outcomes[Outcome.PASS] + outcomes[Outcome.FAIL]
    asked = answered + outcomes[Outcome.UNKNOWN] + outcomes[Outcome.ERROR]
    return Summary(
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
        failed_by_severity={each: failed[each] for each in sorted(Severity, reverse=True)},
        excepted=outcomes[Outcome.FAIL] - failed.total(),
        coverage=answered / asked if asked else 0.0,
        unseen=sum(map(_unseen, audit.snapshot.connections)),
    )


def _unseen(scanned: Scanned) -> bool:
    return (
        scanned.status is Status.EXCHANGE_UNAVAILABLE
        or scanned.reason is Reason.UNRESOLVED_CREDENTIAL
    )
