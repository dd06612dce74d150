"""Cases of rules: small facts, and what a rule must say of them. Their format, and what it comes to when they run.

    rule: no-withdraw
    cases:
      - name: a key that may withdraw
        connection: {requires: [read, trade]}       # fields of a manifest; name and exchange unless given
        facts: {permissions.withdraw: granted}      # what is not given is unknown
        outcome: fail
        message: may withdraw                       # a part of it

A case may also give `status`, `reason`, `unknown` (reasons by fact), `key` (texts that stand for keys; null for none),
`schemes`, `inventory` (the keys that it lists), `history` (what earlier snapshots tell), `others` (more connections of the
fleet), `client` and `asked` (what signed the requests, and where they went), `params` (other values for some), `severity`
and `now`. Instead of `connection` and `facts` it may give a whole
`manifest`, `snapshot` (what the scan left of each connection, by name) and `on` (the connection that is meant).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from msgspec import Struct, convert, field
from msgspec.structs import replace

from bfaudit import documents
from bfaudit.documents import Document, Path
from bfaudit.errors import InvalidInput, Problem
from bfaudit.evaluate import evaluate
from bfaudit.model import (
    ClientUsed,
    ExchangeScanned,
    Outcome,
    Place,
    Result,
    Snapshot,
)
from bfaudit.policy import cel
from bfaudit.policy.cel import CompileError
from bfaudit.policy.given import (
    Given,
    GivenAsked,
    GivenClient,
    fleet_of,
    read_as,
    scanned_of,
)
from bfaudit.policy.rules import CompiledRule, Policy
from bfaudit.words import did_you_mean

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""The time of the audit unless a case gives another."""


class Case(Given, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a rule must say of one connection."""

    name: str
    outcome: Outcome
    message: str = ""
    severity: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    """Other values for parameters of the rule."""
    others: tuple[Given, ...] = ()
    manifest: dict[str, Any] | None = None
    """A whole manifest instead of one connection; what the scan left of each stands in `snapshot`, by name."""
    snapshot: dict[str, Given] = field(default_factory=dict)
    client: GivenClient | None = None
    """What signed the requests of the scan; not recorded unless given."""
    asked: tuple[GivenAsked, ...] = ()
    """Where the requests of each exchange went; not recorded unless given."""
    on: str | None = None
    """The connection that is meant; the first unless given. No other one of a manifest may fail."""
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
    result: Result
    prepared: "Prepared"


class Prepared(NamedTuple):
    """One case, ready to be judged by any version of its rule."""

    document: Document
    path: Path
    rule: str
    case: Case
    fleet: Snapshot
    about: str
    """The connection that the outcome is expected of."""

    def ask(self, rule: CompiledRule) -> Ran:
        """What a rule makes of the case."""
        rule = with_params(rule, self.case.params)
        policy = Policy(id="case", title="", file=self.document.file, rules=(rule,))
        results = evaluate(self.fleet, [policy], self.case.now).results
        (result,) = (each for each in results if each.connection == self.about)
        wrong = _wrong(self.case, result)
        if self.case.manifest is not None and wrong is None:
            failed = (r.connection for r in results if r.outcome is Outcome.FAIL)
            more = [name for name in failed if name != self.about]
            wrong = f"unexpected findings: {', '.join(more)}" if more else None
        return Ran(self.rule, self.case.name, self.document.place(self.path), wrong, result, self)


def run(
    texts: Iterable[tuple[str, str | bytes]], policies: Sequence[Policy], only: str = ""
) -> list[Ran]:
    """Run the cases of all files, given as name and text; raises `InvalidInput` for files that are not cases.

    `only` is a regular expression that rule or case must hold.
    """
    rules = {rule.rule.id: rule for policy in policies for rule in policy.rules}
    wanted = re.compile(only)
    return [
        case.ask(rules[case.rule])
        for case in prepare(texts, rules)
        if wanted.search(case.rule) or wanted.search(case.case.name)
    ]


def prepare(
    texts: Iterable[tuple[str, str | bytes]], rules: Mapping[str, CompiledRule]
) -> list[Prepared]:
    """The cases of all files; raises `InvalidInput` with every mistake in them."""
    found: list[Prepared] = []
    problems: list[Problem] = []
    for file, text in texts:
        document, wrong = documents.read(text, file)
        try:
            found += [] if wrong else _prepare(document, rules)
        except InvalidInput as error:
            wrong = error.problems
        problems += wrong
    if problems:
        raise InvalidInput(problems)
    return found


def _prepare(document: Document, rules: Mapping[str, CompiledRule]) -> Iterator[Prepared]:
    content = read_as(document, (), document.data, CaseFile)
    if content.rule not in rules:
        hint = did_you_mean(content.rule, list(rules))
        message = f"no loaded policy has a rule `{content.rule}`"
        raise InvalidInput([document.problem(message, ("rule",), hint=hint)])
    if not content.cases:
        raise InvalidInput([document.problem("there is no case: nothing is tested", ("cases",))])
    for number, case in enumerate(content.cases):
        path = ("cases", number)
        if case.manifest is not None:
            fleet = fleet_of(document, path, case.manifest, case.snapshot, case.now)
        else:
            others = [
                scanned_of(document, (*path, "others", i), other, f"Other {i}", case.now)
                for i, other in enumerate(case.others)
            ]
            fleet = [scanned_of(document, path, case, "Case", case.now), *others]
        names = [one.connection.name for one in fleet]
        about = case.on or names[0]
        if about not in names:
            hint = did_you_mean(about, names)
            message = f"the case has no connection `{about}`"
            raise InvalidInput([document.problem(message, (*path, "on"), hint=hint)])
        for name in case.params:
            if name not in rules[content.rule].rule.params:
                hint = did_you_mean(name, rules[content.rule].rule.params)
                at = (*path, "params", name)
                raise InvalidInput([document.problem("no such parameter", at, key=True, hint=hint)])
        try:
            with_params(rules[content.rule], case.params)
        except CompileError:
            what = "a value of another type than the parameter's"
            raise InvalidInput([document.problem(what, (*path, "params"))]) from None
        whole = Snapshot(
            generated_at=case.now,
            connections=tuple(fleet),
            client=case.client and convert(case.client, ClientUsed, from_attributes=True),
            exchanges=tuple(
                convert(one, ExchangeScanned, from_attributes=True) for one in case.asked
            ),
        )
        yield Prepared(document, path, content.rule, case, whole, about)


def with_params(rule: CompiledRule, params: Mapping[str, Any]) -> CompiledRule:
    """A rule with other values for some parameters; raises `CompileError` where one does not fit."""
    values = {**rule.rule.params, **params}
    if not params:
        return rule
    kinds = {bool: "bool", int: "int", str: "string"}
    types = {name: kinds.get(type(value), "list") for name, value in values.items()}
    return replace(
        rule,
        rule=replace(rule.rule, params=values),
        applies=cel.compile(rule.applies.source, values, types),
        require=cel.compile(rule.require.source, values, types),
    )


def _wrong(case: Case, result: Result) -> str | None:
    said, severity = result.judgement.message, result.rule.severity.word
    if case.severity not in (None, severity):
        return f"expected severity {case.severity}; got {severity}"
    if result.outcome is case.outcome and case.message in said:
        return None
    expected = f"{case.outcome}: ...{case.message}..." if case.message else f"{case.outcome}"
    return f"expected {expected}; got {result.outcome}: {said}"
