"""OCSF Compliance Findings (class 2003) as JSON Lines, for a SIEM. https://schema.ocsf.io/1.5.0/classes/compliance_finding."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import repeat
from typing import NamedTuple

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.columns import MARK, excepted, fingerprints, fixes, frame, inside, line
from bfaudit.formats.rows import ASKING, NOT_AUDITED, Rows, Words, headline, told
from bfaudit.model import Audit, Json, Judgement, Outcome, Place, Rejected, Rule, Severity
from bfaudit.pieces import Column, PerJudgement, Piece, Shared, blocks, whole
from bfaudit.report.wording import visible
from bfaudit.results import Results, Run
from bfaudit.sealed import utc

VERSION = "1.5.0"

SEVERITIES: Mapping[Severity, tuple[int, str]] = {
    Severity.CRITICAL: (5, "Critical"),
    Severity.HIGH: (4, "High"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.LOW: (2, "Low"),
    Severity.INFO: (1, "Informational"),
}

NEW, SUPPRESSED, RESOLVED = (1, "New"), (3, "Suppressed"), (4, "Resolved")


class Said(NamedTuple):
    """How an outcome is spelt: as the status of the finding, and of compliance."""

    status: tuple[int, str]
    compliance: tuple[int, str]


OUTCOMES: Mapping[Outcome, Said] = {
    Outcome.PASS: Said(RESOLVED, (1, "Pass")),
    Outcome.FAIL: Said(NEW, (3, "Fail")),
    # "The compliance check did not yield a result due to missing information", says the schema of `Warning`.
    Outcome.UNKNOWN: Said(NEW, (2, "Warning")),
    Outcome.ERROR: Said(NEW, (2, "Warning")),
    Outcome.NOT_APPLICABLE: Said((99, "Not applicable"), (99, "Not applicable")),
}


def render(audit: Audit, options: Options) -> bytes:
    """A finding per result, then one per connection that was left out."""
    return whole(written(audit, options))


def written(audit: Audit, options: Options) -> Iterator[Piece]:
    """The same in pieces."""
    maker = _Maker(audit, options)
    for run in filter(len, Results.of(audit.results).runs):
        yield from blocks(maker.findings(run), run.numbers)
    for rejected in audit.snapshot.rejected:
        yield msgspec.json.encode(maker.left_out(rejected)) + b"\n"


def milliseconds(moment: datetime) -> int:
    """A time as OCSF has it: milliseconds since 1970, not seconds."""
    return int(utc(moment).timestamp() * 1000)


class _Maker:
    """What is the same in every finding of an audit."""

    def __init__(self, audit: Audit, options: Options) -> None:
        self._time = milliseconds(audit.generated_at)
        product = {"name": "bfaudit", "vendor_name": "bfaudit", "version": bfaudit.__version__}
        self._metadata = {"version": VERSION, "product": product}
        self._rows = Rows(audit, options)
        self._elsewhere = self._rows.elsewhere()
        self._snapshot = visible(options.digest_of(audit.snapshot))
        self._unselected = audit.snapshot.unselected
        self._shared = Shared()

    def findings(self, run: Run) -> Iterator[Column]:
        """The results of a rule."""
        rows, shared, names = self._rows, self._shared, run.names
        words = list(map(rows.words, run.judgements))
        name = shared(names, "name", _begins)
        at: list[Column] = [shared(run.places, "at", self._at), b'"']
        desc: list[Column] = [
            PerJudgement(map(_desc, run.judgements, words, repeat(run.rule))),
            shared(names, "status", self._status),
            fixes(run, rows, shared, partial(line, "fix")),
            excepted(run, rows, partial(line, "exception")),
        ]
        values: list[Iterable[Column]] = [
            [name, PerJudgement(map(_headline, run.judgements, words, repeat(run.rule))), b'"'],
            fingerprints(run, shared),
            [name, *desc, b"\\nat: ", *at],
            [shared(names, "created", self._created)],
            [shared(names, "exchange", self._exchange)],
            [PerJudgement(msgspec.json.encode(one.message) for one in words)],
            [shared(names, "resource", self._resource)],
            [PerJudgement(msgspec.json.encode(one.expected) for one in words)],
            [PerJudgement(msgspec.json.encode(one.seen) for one in words)],
            [b'"', *at],
        ]
        first, *others = self._frames(run)
        yield first
        for value, after in zip(values, others, strict=True):
            yield from value
            yield after
        yield fixes(run, rows, shared, partial(self._remediation, run.rule))

    def _frames(self, run: Run) -> Sequence[Column]:
        """What is around the values, but for the end of each finding."""
        rule, outcomes = run.rule, [judgement.outcome for judgement in run.judgements]
        plain = {outcome: self._frame(rule, outcome, None) for outcome in {*outcomes}}
        if not run.exceptions:
            parts = zip(*(plain[outcome] for outcome in outcomes), strict=True)
            return [PerJudgement(each) for each in parts]
        under = {
            (name, outcome): self._frame(rule, outcome, self._rows.exception(name))
            for name in {*run.exceptions.values()}
            for outcome in {*outcomes}
        }
        each = [
            under[run.exceptions[at], outcomes[number]] if at in run.exceptions else plain[outcomes[number]]
            for at, number in enumerate(run.numbers)
        ]  # fmt: skip
        return list(zip(*each, strict=True))

    def _frame(self, rule: Rule, outcome: Outcome, exception: str | None) -> list[bytes]:
        excepted = exception is not None and outcome is Outcome.FAIL
        said, severity = (
            OUTCOMES[outcome],
            SEVERITIES[rule.severity if outcome in ASKING else Severity.INFO],
        )
        detail = f"Exception: {exception}" if excepted else outcome.value
        made = self._base(SUPPRESSED if excepted else said.status, severity, detail)
        made |= {
            "message": MARK,
            "finding_info": {
                "uid": MARK,
                "title": told(rule.title),
                "desc": MARK,
                "created_time": MARK,
                "types": ["API key"],
                "data_sources": [MARK],
            },
            "compliance": _compliance(rule, outcome, said.compliance),
            "resources": [MARK],
            "unmapped": self._unmapped(rule, outcome, exception),
        }
        *parts, last = frame(made)
        return [*parts, last[:-1]]

    def _at(self, place: Place) -> bytes:
        return inside(f"{self._rows.file(place)}:{max(1, place.line)}:{max(1, place.column)}")

    def _status(self, name: str) -> bytes:
        return line("status", self._rows.status(name))

    def _created(self, name: str) -> bytes:
        return b"%d" % milliseconds(self._rows.scanned(name).scanned_at)

    def _exchange(self, name: str) -> bytes:
        return msgspec.json.encode(visible(self._rows.scanned(name).connection.exchange))

    def _remediation(self, rule: Rule, fix: str) -> bytes:
        if not fix:
            return b"}\n"
        made: dict[str, Json] = {"desc": fix}
        if rule.references:
            made["references"] = list(map(visible, rule.references))
        return b',"remediation":' + msgspec.json.encode(made) + b"}\n"

    def left_out(self, rejected: Rejected) -> dict[str, Json]:
        """A connection that was not audited."""
        name, error = visible(rejected.name), visible(rejected.error)
        place = f"{visible(rejected.place.file)}:{rejected.place.line}"
        return self._base(NEW, SEVERITIES[Severity.HIGH], NOT_AUDITED) | {
            "message": f"{name} was not audited: {error}",
            "finding_info": {"uid": f"{NOT_AUDITED}:{place}:{name}", "title": "Not audited"},
            "compliance": {"control": NOT_AUDITED, "status_id": 2, "status": "Warning"},
            "resources": [{"name": name, "type": "API key"}],
            "unmapped": {"outcome": NOT_AUDITED, "location": place},
        }

    def _base(
        self, status: tuple[int, str], severity: tuple[int, str], detail: str
    ) -> dict[str, Json]:
        return {
            "activity_id": 1,
            "activity_name": "Create",
            "category_uid": 2,
            "category_name": "Findings",
            "class_uid": 2003,
            "class_name": "Compliance Finding",
            "type_uid": 200301,
            "time": self._time,
            "severity_id": severity[0],
            "severity": severity[1],
            "status_id": status[0],
            "status": status[1],
            "status_detail": detail,
            "metadata": self._metadata,
        }

    def _resource(self, name: str) -> bytes:
        scanned = self._rows.scanned(name)
        connection = scanned.connection
        labels = {
            "exchange": connection.exchange,
            "account": connection.account,
            "strategy": connection.strategy,
        }
        resource: dict[str, Json] = {
            "name": visible(name),
            "type": "API key",
            "labels": [visible(f"{name}: {value}") for name, value in labels.items() if value],
        }
        if scanned.fingerprint:
            resource["uid"] = visible(scanned.fingerprint)
        if connection.owner:
            resource["owner"] = {"name": visible(connection.owner)}
        return msgspec.json.encode(resource)

    def _unmapped(self, rule: Rule, outcome: Outcome, exception: str | None) -> dict[str, Json]:
        more: dict[str, Json] = {
            "rule": visible(rule.id),
            "policy": visible(rule.policy),
            "rule_severity": rule.severity.word,
            "outcome": outcome.value,
            "expected": MARK,
            "actual": MARK,
            "location": MARK,
            "snapshot": self._snapshot,
        }
        if self._unselected:
            more["unselected"] = self._unselected
        if exception is not None:
            more["exception"] = exception
        if self._elsewhere:
            more["caveat"] = self._elsewhere
        return more


def _compliance(rule: Rule, outcome: Outcome, status: tuple[int, str]) -> dict[str, Json]:
    requirements = [
        visible(f"{name} {each}") for name, ids in rule.controls.items() for each in ids
    ]
    return {
        "control": visible(rule.id),
        "standards": list(map(visible, rule.controls)) or [visible(rule.policy)],
        "requirements": requirements,
        "status_id": status[0],
        "status": status[1],
        "status_code": outcome.value,
        "status_detail": MARK,
    }


def _begins(name: str) -> bytes:
    return b'"' + inside(visible(name))


def _headline(judgement: Judgement, words: Words, rule: Rule) -> bytes:
    """What it comes to, behind the name of the connection."""
    return inside(headline("", judgement.outcome, words, rule))


def _desc(judgement: Judgement, words: Words, rule: Rule) -> bytes:
    """All that a judgement says, behind the name of the connection."""
    seen = (line("actual", each) for each in words.seen)
    return b"".join([_headline(judgement, words, rule), line("expected", words.expected), *seen])


FORMAT = Format(
    id="ocsf",
    suffix="jsonl",
    title="OCSF Compliance Findings",
    render=render,
    written=written,
)
