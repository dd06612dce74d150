"""GitLab Code Quality: an array of issues. https://docs.gitlab.com/ci/testing/code_quality/."""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec

from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import NOT_AUDITED, Row, Rows
from bfaudit.model import Audit, Json, Outcome, Severity
from bfaudit.report.wording import visible

SEVERITIES: Mapping[Severity, str] = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}

UNANSWERED = "minor"
"""The severity of what is not known: it claims no problem, and is still above what is only to be known."""


def render(audit: Audit, options: Options) -> bytes:
    """Findings and unknowns, the worst first; those under an exception are left out, as GitLab knows no such mark."""
    rows = Rows(audit, options)
    issues = [*_notes(audit, rows), *map(_issue, rows.asking())]
    return msgspec.json.format(msgspec.json.encode(issues), indent=1) + b"\n"


def _issue(row: Row) -> dict[str, Json]:
    failed = row.outcome is Outcome.FAIL
    fix = f" Fix: {row.fix}" if row.fix else ""
    return {
        "description": f"{row.headline}{fix}",
        "check_name": visible(row.rule.id),
        "fingerprint": visible(row.result.fingerprint),
        "severity": SEVERITIES[row.rule.severity] if failed else UNANSWERED,
        "location": {"path": row.file, "lines": {"begin": row.line}},
        "categories": ["Security"],
    }


def _notes(audit: Audit, rows: Rows) -> Iterator[dict[str, Json]]:
    """What no result says: connections that were left out, and where the rest was really asked."""
    said = [
        (
            NOT_AUDITED,
            "critical",
            f"{visible(one.name)} was not audited: {visible(one.error)}",
            one.place,
        )
        for one in audit.snapshot.rejected
    ]
    if audit.snapshot.connections:
        first = audit.snapshot.connections[0].connection.place
        said += [("caveat", "critical", text, first) for text in rows.caveats()]
    for check, severity, text, place in said:
        file, line = rows.file(place), max(1, place.line)
        identity = f"{check}\0{text}\0{file}".encode()
        yield {
            "description": text,
            "check_name": check,
            "fingerprint": hashlib.sha256(identity).hexdigest()[:32],
            "severity": severity,
            "location": {"path": file, "lines": {"begin": line}},
            "categories": ["Security"],
        }


FORMAT = Format(id="gitlab", suffix="json", title="GitLab Code Quality", render=render)
