"""Rules x connections -> results. Each rule judges each distinct input once; connections with that input share it.

Work goes by columns: for each field that some rule reads, a number per connection for the evidence it has. A rule is
judged once for each combination of numbers.
"""

import gc
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import NamedTuple

from bfaudit.model import (
    Audit,
    Judgement,
    Outcome,
    Place,
    Reason,
    Result,
    Scanned,
    Severity,
    Snapshot,
    Status,
)
from bfaudit.policy.cel import Answer, Expression, Failure, Unknown
from bfaudit.policy.columns import Entry, Table
from bfaudit.policy.rules import CompiledRule, Policy, shown


def evaluate(snapshot: Snapshot, policies: Sequence[Policy], now: datetime) -> Audit:
    """Judge every connection of a snapshot by every rule, as of `now`."""
    collecting = gc.isenabled()
    gc.disable()  # nothing made here can be garbage: collections would double the time
    try:
        return _evaluate(snapshot, policies, now)
    finally:
        if collecting:
            gc.enable()


def _evaluate(snapshot: Snapshot, policies: Sequence[Policy], now: datetime) -> Audit:
    rules = sorted(
        (rule for policy in policies for rule in policy.rules),
        key=lambda compiled: (-compiled.rule.severity, compiled.rule.id),
    )
    scanned = sorted(snapshot.connections, key=lambda one: one.connection.name)
    table = Table(scanned, now)
    names = [one.connection.name for one in scanned]
    endings = [_half(name) for name in names]
    places = {blamed: _places(blamed, scanned) for blamed in {rule.blames for rule in rules}}
    results: list[Result] = []
    for compiled in rules:
        start = _half(compiled.rule.id)
        results.extend(
            map(
                Result,
                repeat(compiled.rule),
                names,
                _judge(compiled, table),
                places[compiled.blames],
                [start + ending for ending in endings],
            )
        )
    return Audit(
        snapshot=snapshot,
        generated_at=now,
        results=tuple(results),
        rules=tuple(compiled.rule for compiled in rules),
        policies=tuple(policy.id for policy in policies),
    )


def _judge(compiled: CompiledRule, table: Table) -> Iterable[Judgement]:
    """The judgement of each connection in turn."""
    columns = [table.column(name) for name in compiled.reads]
    if not columns:
        return repeat(judge(compiled, ()), len(table.subjects))
    keys = {id(column.numbers): column.numbers for column in columns}
    at = [list(keys).index(id(column.numbers)) for column in columns]
    # To whom a rule applies hangs on few of its fields: that answer is remembered on its own.
    deciding = [
        i for i, name in zip(at, compiled.reads, strict=True) if name in compiled.applies.reads
    ]
    applies: dict[tuple[int, ...], Answer] = {}
    judged: dict[tuple[int, ...], Judgement] = {}
    found = []
    for numbers in zip(*keys.values(), strict=True):
        judgement = judged.get(numbers)
        if judgement is None:
            entries = [column.entries[numbers[i]] for column, i in zip(columns, at, strict=True)]
            part = tuple(numbers[i] for i in deciding)
            if part not in applies:
                applies[part] = _answer(compiled.applies, compiled.reads, entries)
            judgement = judged[numbers] = judge(compiled, entries, applies[part])
        found.append(judgement)
    return found


def _answer(asked: Expression, reads: Sequence[str], entries: Sequence[Entry]) -> Answer:
    pairs = zip(reads, entries, strict=True)
    return asked.evaluate({name: entry.value for name, entry in pairs if entry.evidence.judged})


def judge(
    compiled: CompiledRule, entries: Sequence[Entry], applies: Answer | None = None
) -> Judgement:
    """How a rule judges one input: an entry for each field it reads."""
    if applies is None:
        applies = _answer(compiled.applies, compiled.reads, entries)
    require = applies is not False and _answer(compiled.require, compiled.reads, entries)

    def say(name: str) -> str:
        return _say(compiled, entries, name)

    match applies, require:
        case False, _:
            outcome, message = Outcome.NOT_APPLICABLE, "The rule does not apply."
        case Failure(text), _:
            outcome, message = Outcome.ERROR, f"The rule cannot be evaluated: {text}."
        case _, True:  # whether or not it applies
            outcome, message = Outcome.PASS, "As expected."
        case (Unknown(names), _) | (_, Unknown(names)):
            why = "; ".join(f"{name} ({_why(compiled, entries, name)})" for name in names)
            outcome, message = compiled.rule.on_unknown, f"Not known: {why}."
        case _, Failure(text):
            outcome, message = Outcome.ERROR, f"The rule cannot be evaluated: {text}."
        case _, False:
            outcome, message = Outcome.FAIL, compiled.message.fill(say)
    observations = tuple([entry.observation for entry in entries])
    return Judgement(outcome, message, compiled.expected.fill(say), observations)


def _why(compiled: CompiledRule, entries: Sequence[Entry], name: str) -> str:
    return entries[compiled.reads.index(name)].evidence.unknown or "there is none"


def _say(compiled: CompiledRule, entries: Sequence[Entry], name: str) -> str:
    """A field or parameter within a text; of a list that is not known in full, what is certain."""
    if name.startswith("params."):
        return shown(compiled.rule.params[name.removeprefix("params.")])
    evidence = entries[compiled.reads.index(name)].evidence
    if evidence.unknown is not None and not evidence.value:
        return "unknown"
    return shown(evidence.value)


def _places(blamed: str | None, scanned: Sequence[Scanned]) -> list[Place]:
    if blamed is None:
        return [one.connection.place for one in scanned]
    return [one.connection.places.get(blamed, one.connection.place) for one in scanned]


def _half(identity: str) -> str:
    """Half of a fingerprint; surrogates, which a name may hold, are kept apart."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


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
    outcomes = Counter(result.outcome for result in audit.results)
    failed = Counter(
        result.rule.severity
        for result in audit.results
        if result.outcome is Outcome.FAIL and result.exception is None
    )
    answered = outcomes[Outcome.PASS] + outcomes[Outcome.FAIL]
    asked = answered + outcomes[Outcome.UNKNOWN] + outcomes[Outcome.ERROR]
    return Summary(
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
        failed_by_severity={each: failed[each] for each in sorted(Severity, reverse=True)},
        excepted=outcomes[Outcome.FAIL] - failed.total(),
        coverage=answered / asked if asked else 0.0,
        unseen=sum(map(_unseen, audit.snapshot.connections)),
    )


def exit_code(
    audit: Audit, *, fail_on: Severity, max_unknown: float | None, exit_zero: bool
) -> int:
    """How the command ends.

    `max_unknown` is a number of results (`int`), or a percentage of those that ask for an answer (`float`); None
    allows none. A connection that could not be looked at counts as one more.
    """
    if audit.snapshot.interrupted:
        return 130
    if audit.snapshot.rejected:
        return 2
    counts = summary(audit)
    unanswered = counts.outcomes[Outcome.UNKNOWN] + counts.outcomes[Outcome.ERROR]
    asked = unanswered + counts.outcomes[Outcome.PASS] + counts.outcomes[Outcome.FAIL]
    if not asked:
        return 3
    if exit_zero:
        return 0
    if any(number for each, number in counts.failed_by_severity.items() if each >= fail_on):
        return 1
    allowed = max_unknown or 0
    if isinstance(allowed, float):
        allowed = asked * allowed / 100
    return 4 if unanswered + counts.unseen > allowed else 0


def _unseen(scanned: Scanned) -> bool:
    return (
        scanned.status is Status.EXCHANGE_UNAVAILABLE
        or scanned.reason is Reason.UNRESOLVED_CREDENTIAL
    )
