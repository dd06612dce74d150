"""Cases of rules: small facts, and what a rule must say of them. Their format, and what it comes to when they run.

    rule: no-withdraw
    cases:
      - name: a key that may withdraw
        connection: {requires: [read, trade]}       # fields of a manifest; name and exchange unless given
        facts: {permissions.withdraw: granted}      # what is not given is unknown
        outcome: fail
        message: may withdraw                       # a part of it

A case may also give `status`, `reason`, `unknown` (reasons by fact), `key` (texts that stand for keys; null for none),
`schemes`, `others` (more connections of the fleet) and `now`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from bfaudit import documents
from bfaudit.documents import Document, Path
from bfaudit.errors import InvalidInput, Problem
from bfaudit.evaluate import evaluate
from bfaudit.facts import FACTS, Kind, spec_of
from bfaudit.manifest.words import did_you_mean
from bfaudit.model import (
    Connection,
    Fact,
    Facts,
    Grant,
    Outcome,
    Place,
    Reason,
    Result,
    Scanned,
    Snapshot,
    Status,
)
from bfaudit.policy.rules import CompiledRule, Policy

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""The time of the audit unless a case gives another."""

_TYPES: Mapping[Kind, Any] = {
    Kind.GRANT: Grant, Kind.BOOL: bool | None, Kind.TEXT: str | None, Kind.TIME: datetime | None,
    Kind.TEXTS: tuple[str, ...] | None,
}  # fmt: skip
_AT = re.compile(r"(.*) - at `\$(.*)`", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Given(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One connection of a case, as its scan left it."""

    connection: dict[str, Any] = field(default_factory=dict)
    status: Status = Status.ONLINE
    reason: Reason | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    key: str | None = ""
    schemes: dict[str, str] = field(default_factory=lambda: {"key": "env", "secret": "env"})


class Case(Given, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a rule must say of one connection."""

    name: str
    outcome: Outcome
    message: str = ""
    others: tuple[Given, ...] = ()
    now: datetime = NOW


class CaseFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The cases of one rule."""

    rule: str
    cases: tuple[Case, ...]


class Ran(NamedTuple):
    """What became of one case."""

    rule: str
    case: str
    place: Place
    wrong: str | None
    """How the rule's answer differs from what the case expects; None where it does not."""


def run(texts: Iterable[tuple[str, str | bytes]], policies: Sequence[Policy]) -> list[Ran]:
    """Run the cases of all files, given as name and text; raises `InvalidInput` for files that are not cases."""
    rules = {rule.rule.id: rule for policy in policies for rule in policy.rules}
    ran: list[Ran] = []
    problems: list[Problem] = []
    for file, text in texts:
        document, wrong = documents.read(text, file)
        try:
            ran += [] if wrong else _run(document, rules)
        except InvalidInput as error:
            wrong = error.problems
        problems += wrong
    if problems:
        raise InvalidInput(problems)
    return ran


def _run(document: Document, rules: Mapping[str, CompiledRule]) -> Iterator[Ran]:
    content = _read(document, (), document.data, CaseFile)
    rule = rules.get(content.rule)
    if rule is None:
        hint = did_you_mean(content.rule, list(rules))
        message = f"no loaded policy has a rule `{content.rule}`"
        raise InvalidInput([document.problem(message, ("rule",), hint=hint)])
    policy = Policy(id="case", title="", file=document.file, rules=(rule,))
    for number, case in enumerate(content.cases):
        path = ("cases", number)
        others = [
            _scanned(document, (*path, "others", i), other, f"Other {i}", case.now)
            for i, other in enumerate(case.others)
        ]
        scanned = _scanned(document, path, case, "Case", case.now)
        fleet = Snapshot(generated_at=case.now, connections=(scanned, *others))
        (result,) = (
            result
            for result in evaluate(fleet, [policy], case.now).results
            if result.connection == scanned.connection.name
        )
        yield Ran(content.rule, case.name, document.place(path), _wrong(case, result))


def _wrong(case: Case, result: Result) -> str | None:
    said = result.judgement.message
    if result.outcome is case.outcome and case.message in said:
        return None
    expected = f"{case.outcome}: ...{case.message}..." if case.message else f"{case.outcome}"
    return f"expected {expected}; got {result.outcome}: {said}"


def _scanned(document: Document, path: Path, given: Given, name: str, now: datetime) -> Scanned:
    for each in given.connection:
        if each not in Connection.__struct_fields__:
            hint = did_you_mean(each, Connection.__struct_fields__)
            at = (*path, "connection", each)
            raise InvalidInput([document.problem("no such field", at, key=True, hint=hint)])
    place = msgspec.to_builtins(document.place(path))
    declared = {"name": name, "exchange": "anywhere", "place": place, **given.connection}
    connection = _read(document, (*path, "connection"), declared, Connection)
    return Scanned(
        connection=connection,
        status=given.status,
        reason=given.reason,
        scanned_at=now,
        fingerprint=f"key of {connection.name}" if given.key == "" else given.key,
        schemes=given.schemes,
        facts=Facts(
            {
                name: Fact(_value(document, (*path, "facts", name), name, value))
                for name, value in given.facts.items()
            },
            given.unknown,
        ),
    )


def _value(document: Document, path: Path, name: str, value: Any) -> Any:
    spec = spec_of(name)
    if spec is None:
        hint = did_you_mean(name, list(FACTS))
        raise InvalidInput([document.problem("no such fact", path, key=True, hint=hint)])
    if spec.kind is Kind.TIME and isinstance(value, str) and _DAY.fullmatch(value):
        value += "T00:00:00Z"
    return _read(document, path, value, _TYPES[spec.kind])


def _read(document: Document, path: Path, value: Any, kind: Any) -> Any:
    """The value as what it should be; what msgspec finds wrong is told at its place."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = _AT.fullmatch(str(error))
        steps = re.findall(r"\[(\d+)\]|\.([^.\[]+)", found[2]) if found else []
        at = (*path, *(int(number) if number else name for number, name in steps))
        raise InvalidInput([document.problem(found[1] if found else str(error), at)]) from error
