"""OCSF Compliance Findings (class 2003) as JSON Lines, for a SIEM. https://schema.ocsf.io/1.5.0/classes/compliance_finding."""

from collections.abc import Mapping
from datetime import datetime
from itertools import chain
from typing import NamedTuple

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import ASKING, NOT_AUDITED, Row, Rows
from bfaudit.model import Audit, Json, Outcome, Rejected, Severity
from bfaudit.report.wording import visible
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
    rows = Rows(audit, options)
    maker = _Maker(audit, options, rows.elsewhere())
    lines = chain(map(maker.finding, rows), map(maker.left_out, audit.snapshot.rejected))
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def milliseconds(moment: datetime) -> int:
    """A time as OCSF has it: milliseconds since 1970, not seconds."""
    return int(utc(moment).timestamp() * 1000)


class _Maker:
    """What is the same in every finding of an audit."""

    def __init__(self, audit: Audit, options: Options, elsewhere: str) -> None:
        self._time = milliseconds(audit.generated_at)
        product = {"name": "bfaudit", "vendor_name": "bfaudit", "version": bfaudit.__version__}
        self._metadata = {"version": VERSION, "product": product}
        self._elsewhere = elsewhere
        self._snapshot = options.digest_of(audit.snapshot)

    def finding(self, row: Row) -> dict[str, Json]:
        """One result."""
        asking = row.outcome in ASKING
        said, severity = (
            OUTCOMES[row.outcome],
            SEVERITIES[row.rule.severity if asking else Severity.INFO],
        )
        detail = f"Exception: {row.exception}" if row.excepted else row.outcome.value
        made = self._base(SUPPRESSED if row.excepted else said.status, severity, detail)
        made |= {
            "message": row.headline,
            "finding_info": {
                "uid": visible(row.result.fingerprint),
                "title": row.title,
                "desc": "\n".join(row.lines()),
                "created_time": milliseconds(row.scanned.scanned_at),
                "types": ["API key"],
                "data_sources": [visible(row.scanned.connection.exchange)],
            },
            "compliance": self._compliance(row, said.compliance),
            "resources": [self._resource(row)],
            "unmapped": self._unmapped(row),
        }
        if row.fix:
            made["remediation"] = {"desc": row.fix}
            if row.rule.references:
                made["remediation"]["references"] = list(map(visible, row.rule.references))
        return made

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

    def _compliance(self, row: Row, status: tuple[int, str]) -> dict[str, Json]:
        rule = row.rule
        standards = list(map(visible, rule.controls)) or [visible(rule.policy)]
        requirements = [
            visible(f"{name} {each}") for name, ids in rule.controls.items() for each in ids
        ]
        return {
            "control": visible(rule.id),
            "standards": standards,
            "requirements": requirements,
            "status_id": status[0],
            "status": status[1],
            "status_code": row.outcome.value,
            "status_detail": row.words.message,
        }

    def _resource(self, row: Row) -> dict[str, Json]:
        connection = row.scanned.connection
        labels = {
            "exchange": connection.exchange,
            "account": connection.account,
            "strategy": connection.strategy,
        }
        resource: dict[str, Json] = {
            "name": row.connection,
            "type": "API key",
            "labels": [visible(f"{name}: {value}") for name, value in labels.items() if value],
        }
        if row.scanned.fingerprint:
            resource["uid"] = visible(row.scanned.fingerprint)
        if connection.owner:
            resource["owner"] = {"name": visible(connection.owner)}
        return resource

    def _unmapped(self, row: Row) -> dict[str, Json]:
        more: dict[str, Json] = {
            "rule": visible(row.rule.id),
            "policy": visible(row.rule.policy),
            "rule_severity": row.rule.severity.word,
            "outcome": row.outcome.value,
            "expected": row.words.expected,
            "actual": list(row.words.seen),
            "location": f"{row.file}:{row.line}:{row.column}",
            "snapshot": self._snapshot,
        }
        if row.result.exception is not None:
            more["exception"] = row.exception
        if self._elsewhere:
            more["caveat"] = self._elsewhere
        return more


FORMAT = Format(id="ocsf", suffix="jsonl", title="OCSF Compliance Findings", render=render)
