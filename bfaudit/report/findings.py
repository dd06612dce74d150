"""The results that ask for a reader, with everything a format shows of them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct

from bfaudit.exceptions import subjects
from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Audit, Json, Observation, Outcome, Place, Result, Rule, Status
from bfaudit.report.counts import SEVERITIES
from bfaudit.report.wording import moment, paragraph, show
from bfaudit.sealed import plain

FIRST = 5
"""How many things to do first a report names."""

ORDINARY: tuple[Json, ...] = ("active", "", None, False, (), [])
"""Values that say nothing where a rule only asks whether it applies, such as `connection.lifecycle = active`."""

_NAME = re.compile(r"[a-z_]\w*(?:\.\w+)+")


class Overridden(NamedTuple):
    """What a policy changed of a rule."""

    field: str
    """`severity`, `params.<name>`, ...; `enabled` where it is switched off."""
    now: str
    """The value in force; empty where the rule is switched off."""
    why: str
    """The value before, where there is one; the policy that changed it, and its reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule, and what became of it over all connections."""

    id: str
    policy: str
    title: str
    severity: str
    rationale: str
    references: tuple[str, ...]
    controls: tuple[tuple[str, str], ...]
    """Framework, and its controls in one text."""
    outcomes: Mapping[str, int]
    passed: tuple[str, ...]
    """The connections that passed."""
    place: Place
    """Where the rule is declared."""
    overridden: tuple[Overridden, ...] = ()
    """What policies changed of it."""


class Observed(NamedTuple):
    """A field that a rule read, as text."""

    field: str
    value: str
    """`unknown` where `unknown` says why; of a list not known in full, what is certain."""
    unknown: str | None
    source: str
    """Source and request, such as `introspection, GET /api/v3/account`; empty where neither is known."""
    limitation: str | None


KNOWN = "Known: the baseline has it."
"""What stands behind a finding that does not count, because a baseline file names it."""


class Finding(Struct, frozen=True, kw_only=True):
    """One result that asks for a reader: failed, unknown, or an error."""

    rule: RuleView
    outcome: str
    connection: str
    exchange: str
    strategy: str | None
    message: str
    """What is wrong; where the connection test is to blame, with the exchange's own words."""
    expected: str
    observed: tuple[Observed, ...]
    fix: str
    """What to do about it on this exchange, or as the connection test advises; empty where neither says."""
    place: Place
    fingerprint: str
    exception: str | None
    scanned: str
    """When the evidence was gathered."""

    @property
    def remark(self) -> str:
        """What the message says beyond the rule's title; empty where it says the same."""
        return "" if self.message.rstrip(".") == self.rule.title.rstrip(".") else self.message

    @property
    def missing(self) -> tuple[Observed, ...]:
        """The evidence that is not known."""
        return tuple(seen for seen in self.observed if seen.unknown is not None)


class Group(NamedTuple):
    """The findings of one rule."""

    rule: RuleView
    findings: tuple[Finding, ...]


def actual(observations: Iterable[Observation]) -> dict[str, Json]:
    """What a rule saw, by field; null where there is none, or where `unknown` says why it is not known."""
    return {seen.field: None if seen.unknown else plain(seen.value) for seen in observations}


def unknown(observations: Iterable[Observation]) -> dict[str, str]:
    """Why a field that a rule reads is not known, by field."""
    return {seen.field: seen.unknown for seen in observations if seen.unknown is not None}


def fix(rule: Rule, exchange: str) -> str:
    """What a rule says to do on an exchange."""
    return paragraph(rule.remediation.get(exchange) or rule.remediation.get("text", ""))


def alike(findings: Sequence[Finding]) -> Iterator[tuple[Finding, ...]]:
    """The findings that differ by connection only, together; in the order of their first."""
    together: dict[object, list[Finding]] = {}
    for each in findings:
        look = (each.rule.id, each.outcome, each.message, each.expected, each.fix, each.exception)
        together.setdefault((*look, each.observed), []).append(each)
    return map(tuple, together.values())


class Reader:
    """Turns results into findings; what connections share is made once."""

    def __init__(self, audit: Audit, rules: Sequence[RuleView], lang: Language = ENGLISH) -> None:
        self._lang = lang
        self._rules = {rule.id: rule for rule in rules}
        self._scans = subjects(audit)
        self._times: dict[datetime, str] = {}
        self._deciding = {rule.id: _deciding(rule) for rule in audit.rules}
        self._judged: dict[int, _Judged] = {}
        self._fixes: dict[tuple[str, str], str] = {}
        self._known = audit.baselined

    def finding(self, result: Result) -> Finding:
        """A result with everything that a format shows of it."""
        scanned = self._scans[result.connection]
        exchange = scanned.connection.exchange
        judged = self._judged.get(id(result.judgement))
        if judged is None:
            judged = self._judged[id(result.judgement)] = self._judge(result)
        where = (result.rule.id, exchange)
        advice = self._fixes.get(where)
        if advice is None:
            advice = self._fixes[where] = self._lang.sentence(fix(result.rule, exchange))
        message = judged.message
        if judged.tested and scanned.status is not Status.ONLINE:
            # The rule's own words fit every status; the scan knows this one.
            message = sentences(message, self._lang.sentence(scanned.detail))
            advice = self._lang.sentence(paragraph(scanned.advice)) or advice
        if self._known and result.fingerprint in self._known:
            message = sentences(message, self._lang.say(KNOWN))
        return Finding(
            rule=self._rules[result.rule.id],
            outcome=judged.outcome,
            connection=result.connection,
            exchange=exchange,
            strategy=scanned.connection.strategy,
            message=message,
            expected=judged.expected,
            observed=judged.observed,
            fix=advice,
            place=result.place,
            fingerprint=result.fingerprint,
            exception=result.exception,
            scanned=self._time(scanned.scanned_at),
        )

    def _time(self, at: datetime) -> str:
        if at not in self._times:
            self._times[at] = moment(at)
        return self._times[at]

    def _judge(self, result: Result) -> "_Judged":
        judged = result.judgement
        deciding = self._deciding[result.rule.id]
        return _Judged(
            outcome=judged.outcome.value,
            message=self._lang.sentence(paragraph(judged.message)),
            expected=self._lang.sentence(paragraph(judged.expected)),
            observed=tuple(
                _observed(seen, self._lang)
                for seen in judged.observations
                if seen.unknown or seen.field not in deciding or seen.value not in ORDINARY
            ),
            tested=judged.outcome is Outcome.FAIL
            and any("status" in seen.field for seen in judged.observations),
        )


def _observed(seen: Observation, lang: Language) -> Observed:
    value = show(seen.value)
    if seen.unknown is not None and not seen.value:
        value = lang.say("unknown")
    elif value == "none" and not seen.value:
        value = lang.say("none")
    return Observed(
        field=seen.field,
        value=value,
        unknown=seen.unknown and lang.sentence(seen.unknown),
        source=", ".join(filter(None, (seen.source and lang.say(seen.source), seen.request))),
        limitation=seen.limitation and lang.sentence(seen.limitation),
    )


class _Judged(NamedTuple):
    """What a judgement says."""

    outcome: str
    message: str
    expected: str
    observed: tuple[Observed, ...]
    tested: bool
    """Whether it fails a connection for how its test ended."""


def sentences(*texts: str) -> str:
    """Texts as sentences, one after the other."""
    said = [paragraph(text) for text in texts if text]
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in said)


def _deciding(rule: Rule) -> frozenset[str]:
    """The fields that a rule reads only to know whether it applies."""
    judged = f"{rule.require} {rule.message}"
    return frozenset(_NAME.findall(rule.applies)).difference(_NAME.findall(judged))


def grouped(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """The findings by rule, in their order."""
    return tuple(
        Group(run[0].rule, run)
        for _, same_rule in groupby(findings, key=lambda finding: finding.rule.id)
        if (run := tuple(same_rule))
    )


def first_things(findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """What to do first: alike findings, the worst and then the most frequent first."""

    def rank(run: tuple[Finding, ...]) -> tuple[int, int]:
        return (SEVERITIES.index(run[0].rule.severity), -len(run))

    return tuple(sorted(alike(findings), key=rank)[:FIRST])
