"""Exceptions: whether one is in force is decided here, for a given time, and nowhere else.

A finding under an exception stays a finding and carries the exception's id. An exception that is not in force, or that
no finding needs, is a finding of its own.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from bfaudit.egress import RULE as EGRESS
from bfaudit.manifest.fields import mixes_scripts, normal_name
from bfaudit.model import (
    ApprovedException,
    Audit,
    Connection,
    Judgement,
    Observation,
    Outcome,
    Place,
    Result,
    Rule,
    Scanned,
    Severity,
    Status,
    fingerprint,
)
from bfaudit.policy import cel
from bfaudit.policy.cel import Failure, speakable
from bfaudit.results import Results
from bfaudit.words import did_you_mean

Test = Callable[[str], bool]

_MATCHES = "connection.name.matches(params.pattern)"


class Limits(NamedTuple):
    """What an exception needs, by the severity of its worst rule."""

    approvers: Mapping[Severity, int]
    days: Mapping[Severity, int]


APPROVERS = {severity: 2 if severity is Severity.CRITICAL else 1 for severity in Severity}
DAYS = {
    Severity.CRITICAL: 30, Severity.HIGH: 90, Severity.MEDIUM: 180, Severity.LOW: 365, Severity.INFO: 365,
}  # fmt: skip


class Asked(NamedTuple):
    """An exception of a file, and what its file asks of it."""

    exception: ApprovedException
    limits: Limits = Limits(APPROVERS, DAYS)


def decide(audit: Audit, asked: Sequence[Asked], now: datetime) -> Audit:
    """The audit with every exception that is in force at `now` applied, and findings for those that are not."""
    rules = (*audit.rules, *audit.left_out)
    severities = {rule.id: rule.severity for rule in (EGRESS, *rules)}
    connections = {one.connection.name: one.connection for one in audit.snapshot.connections}
    runs = {run.rule.id: run for run in Results.of(audit.results).runs}
    wanted = {rule for each in asked for rule in each.exception.rules} & runs.keys()
    positions = {rule: {name: at for at, name in enumerate(runs[rule].names)} for rule in wanted}
    marks: dict[str, dict[int, str]] = {rule: {**runs[rule].exceptions} for rule in wanted}
    in_force: list[ApprovedException] = []
    findings: list[Result] = []
    for exception, limits in asked:
        names = selected(exception, connections)
        wrong = list(_not_in_force(exception, limits, severities, now.date()))
        mine = [
            (rule, positions[rule][name])
            for rule in exception.rules
            if rule in wanted
            for name in names
            if name in positions[rule]
        ]
        if not wrong:
            in_force.append(exception)
            outcomes = set()
            for rule, at in mine:
                outcomes.add(outcome := runs[rule].outcome(at))
                if outcome is Outcome.FAIL:
                    marks[rule].setdefault(at, exception.id)
            if not _judged_elsewhere(exception, audit, {rule.id for rule in rules}):
                wrong += _not_needed(exception, outcomes, connections)
        on = names[0] if len(names) == 1 else exception.id
        findings += [_finding(rule, exception, message, on) for rule, message in wrong]
    marked = [run.under(marks[rule]) if rule in marks else run for rule, run in runs.items()]
    findings.sort(key=lambda one: (one.rule.id, one.connection))
    results = Results.sorted([*marked, *Results.of(findings).runs])
    shown = {rule.id: rule for rule in (*audit.rules, *(finding.rule for finding in findings))}
    return replace(
        audit,
        results=results,
        rules=tuple(sorted(shown.values(), key=lambda rule: (-rule.severity, rule.id))),
        exceptions=tuple(in_force),
    )


def _not_in_force(
    exception: ApprovedException, limits: Limits, severities: Mapping[str, Severity], today: date
) -> Iterator[tuple[str, str]]:
    """Why an exception does not hold today: rule and message, each."""
    worst = max((severities.get(rule, Severity.INFO) for rule in exception.rules), default=Severity.CRITICAL)  # fmt: skip
    lacks = [name for name in REQUIRED if not getattr(exception, name)]
    if lacks:
        yield INCOMPLETE, f"It lacks {', '.join(f'`{name}`' for name in lacks)}."
    asker = normal_name(exception.requested_by)
    approvers = {normal_name(name) for name in exception.approved_by} - {asker, ""}
    needed = limits.approvers[worst]
    if exception.approved_by and len(approvers) < needed:
        others = "somebody else" if needed == 1 else f"{needed} others"
        yield INCOMPLETE, f"It is not approved yet: a {worst.word} rule needs the approval of {others} than who asks."  # fmt: skip
    for who in filter(mixes_scripts, (exception.requested_by, *exception.approved_by)):
        yield INCOMPLETE, f"The name {who} mixes scripts in a word: it looks like another, and nobody knows whose it is."  # fmt: skip
    if worst is Severity.CRITICAL and is_pattern(exception):
        yield INCOMPLETE, "It selects by a pattern, which a critical rule does not allow."
    elif worst is Severity.CRITICAL and "connection" not in exception.select:
        yield INCOMPLETE, "It names no connection, which a critical rule asks for."
    created, expires = exception.created, exception.expires
    if created is not None and created > today:
        yield INCOMPLETE, f"It holds from {created} only."
    if expires is not None and expires < today:
        yield EXPIRED, f"It held until {expires}, the end of that day in UTC."
    if (
        created is not None
        and expires is not None
        and (expires - created).days > limits.days[worst]
    ):
        days, most = (expires - created).days, limits.days[worst]
        yield TOO_LONG, f"It lasts {days} days; for a {worst.word} rule {most} are allowed."


def _judged_elsewhere(exception: ApprovedException, audit: Audit, rules: set[str]) -> bool:
    """Whether something that this run does not judge may need an exception: a rule, or what a selection left out."""
    rest = {one.connection.name: one.connection for one in audit.snapshot.rest}
    part = audit.snapshot.unselected > len(rest) or bool(selected(exception, rest))
    return part or rules.isdisjoint(exception.rules)


def _not_needed(
    exception: ApprovedException, outcomes: set[Outcome], names: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Why nothing needs an exception that holds, or a name in it."""
    asked = dict.fromkeys(exception.select.get("connection", ()))
    strange = [name for name in asked if name not in names and not _patterned(name)]
    if not outcomes:
        hints = (did_you_mean(name, names) for name in strange)
        hint = next(filter(None, hints), None)
        yield UNMATCHED, f"No audited connection matches it{f': {hint}' if hint else '.'}"
        return
    for name in strange:
        hint = did_you_mean(name, names)
        yield UNMATCHED, f"No audited connection is called {name}{f': {hint}' if hint else '.'}"
    if outcomes <= {Outcome.PASS, Outcome.NOT_APPLICABLE}:
        yield INEFFECTIVE, "None of its rules fails for any connection that it selects."


def selected(exception: ApprovedException, connections: Mapping[str, Connection]) -> Sequence[str]:
    """The names of the connections, given by name, that an exception selects."""
    tests = [
        (field, [test_of(text) for text in texts]) for field, texts in exception.select.items()
    ]
    names = exception.select.get("connection", ())
    exact = names and not any(map(_patterned, names))
    some = [connections[name] for name in dict.fromkeys(names) if name in connections]
    return [
        one.name
        for one in (some if exact else connections.values())
        if tests
        and all(
            any(test(value) for value in _values(one, field) for test in wanted)
            for field, wanted in tests
        )
    ]


def _values(connection: Connection, field: str) -> Sequence[str]:
    if field == "tag":
        return connection.tags
    value = getattr(connection, "name" if field == "connection" else field)
    return () if value is None else (str(value),)


def is_pattern(exception: ApprovedException) -> bool:
    """Whether it selects by anything but exact texts."""
    return any(_patterned(text) for texts in exception.select.values() for text in texts)


def _patterned(text: str) -> bool:
    return text.startswith(("glob:", "re:"))


def test_of(text: str) -> Test:
    """The test that a text of a selector spells; raises `ValueError` for a pattern that is none."""
    kind, colon, pattern = text.partition(":")
    if colon and kind == "glob":
        return lambda value: fnmatchcase(value, pattern)
    if colon and kind == "re":
        # The expression engine has RE2: no pattern takes more than linear time.
        for text_of in (pattern, f"^(?:{pattern})$"):
            asks = cel.compile(_MATCHES, {"pattern": text_of}, {"pattern": "string"})
            if isinstance(wrong := asks.evaluate({"connection.name": ""}), Failure):
                raise ValueError(wrong.text)  # noqa: TRY004 - of value, not of type
        return lambda value: asks.evaluate({"connection.name": speakable(value)}) is True
    return lambda value: value == text


REQUIRED = ("type", "reason", "ticket", "requested_by", "approved_by", "created", "expires")
EXPIRED, TOO_LONG, INCOMPLETE = "exception-expired", "exception-too-long", "exception-incomplete"
UNMATCHED, INEFFECTIVE = "exception-unmatched", "exception-ineffective"


def _rule(
    name: str, severity: Severity, title: str, rationale: str, remediation: str, demand: str
) -> Rule:
    return Rule(
        id=name,
        policy="exceptions",
        title=title,
        severity=severity,
        require=demand,
        message=title,
        rationale=rationale,
        remediation={"text": remediation},
        controls=_COMPLETE if name == INCOMPLETE else _VALID,
        place=Place("built-in", 1, 1),
    )


_VALID: Mapping[str, tuple[str, ...]] = {
    "nist-800-53-r5": ("CA-5", "RA-7"), "iso-27001-2022": ("A.5.36",), "soc2": ("CC3.2", "CC4.2"),
}  # fmt: skip
_COMPLETE: Mapping[str, tuple[str, ...]] = {
    "nist-800-53-r5": ("AC-5", "CA-5"), "iso-27001-2022": ("A.5.3",), "soc2": ("CC3.2",),
}  # fmt: skip

RULES = {
    rule.id: rule
    for rule in (
        _rule(EXPIRED, Severity.HIGH, "Exception has expired",
              "What was accepted for a time is accepted no longer: the finding counts again.",
              "Fix the finding, or have the exception approved anew with a new date.",
              "the last day of the exception has not passed"),
        _rule(TOO_LONG, Severity.HIGH, "Exception lasts longer than allowed",
              "An exception without a near end is a change of policy that nobody decided.",
              "Give it an earlier end, or raise `limits.days` for everybody to see.",
              "the exception lasts no longer than its severity allows"),
        _rule(UNMATCHED, Severity.HIGH, "Exception matches nothing",
              "An exception for a connection that is not there waits for the next one of that name.",
              "Correct `select` and `rules`, or remove the exception.",
              "the exception selects results of this audit"),
        _rule(INCOMPLETE, Severity.MEDIUM, "Exception is incomplete or not approved",
              "An exception is worth what stands behind it: a reason, a ticket, and somebody else who agreed.",
              "Complete the exception, and have it approved by somebody else than who asks.",
              "the exception is complete, approved by others and in its time"),
        _rule(INEFFECTIVE, Severity.MEDIUM, "Exception is not needed",
              "What is fixed needs no exception; left in place it hides the next failure.",
              "Remove the exception.",
              "a finding needs the exception"),
    )
}  # fmt: skip
"""The rules on exceptions, by id. What breaks one is a finding in the exceptions file."""


def _finding(rule: str, exception: ApprovedException, message: str, on: str) -> Result:
    seen = tuple(
        Observation(f"exception.{name}", value, None, "exceptions file")
        for name, value in (
            ("id", exception.id),
            ("rules", list(exception.rules)),
            ("approved_by", list(exception.approved_by)),
            ("created", str(exception.created or "")),
            ("expires", str(exception.expires or "")),
        )
    )
    said = f"Exception {exception.id}: {message}"
    return Result(
        rule=RULES[rule],
        connection=on,
        judgement=Judgement(Outcome.FAIL, said, RULES[rule].require, seen),
        place=exception.place,
        identity=fingerprint(rule, f"{exception.id}\n{message}"),
    )


def subjects(audit: Audit) -> dict[str, Scanned]:
    """What every result of an audit is about, by name; an exception of several connections stands for itself."""
    found = {scanned.connection.name: scanned for scanned in audit.snapshot.connections}
    about = [run for run in Results.of(audit.results).runs if run.rule.id in RULES]
    for result in chain.from_iterable(about):
        if result.connection not in found:
            declared = Connection(name=result.connection, exchange="", place=result.place)
            found[result.connection] = Scanned(
                connection=declared, status=Status.ONLINE, scanned_at=audit.generated_at
            )
    return found
