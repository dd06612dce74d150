"""JSON Lines for logs and pipelines: a line with the counts, then one per result, each complete in itself."""

import re
from collections.abc import Iterator

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import Row, Rows
from bfaudit.model import Audit, Json
from bfaudit.report.counts import tally
from bfaudit.report.findings import actual, unknown
from bfaudit.sealed import plain, speakable, utc
from bfaudit.snapshot import exchange_row, rejected_row

SCHEMA = "bfaudit-lines/1"

_INVISIBLE = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")


def render(audit: Audit, options: Options) -> bytes:
    """The lines; `type` says what each is: `audit`, `not-audited` or `result`."""
    return b"".join(map(_line, _lines(audit, options)))


def _line(line: dict[str, Json]) -> bytes:
    try:
        data = msgspec.json.encode(line)
    except UnicodeEncodeError:
        data = msgspec.json.encode(speakable(msgspec.to_builtins(line)))
    if not data.isascii():
        # Readers that split at every end of a line that Unicode knows would see more lines than there are.
        data = _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", data.decode()).encode()
    return data + b"\n"


def _lines(audit: Audit, options: Options) -> Iterator[dict[str, Json]]:
    counts = tally(audit)
    yield {
        "type": "audit",
        "schema": SCHEMA,
        "version": bfaudit.__version__,
        "generated_at": plain(audit.generated_at),
        "scanned_at": plain(audit.snapshot.generated_at),
        "snapshot": options.digest_of(audit.snapshot),
        "interrupted": audit.snapshot.interrupted,
        "connections": counts.connections,
        "outcomes": counts.outcomes,
        "failed_by_severity": counts.failed_by_severity,
        "excepted": counts.excepted,
        "coverage": counts.coverage,
        "policies": audit.policies,
        "exchanges": [exchange_row(one) for one in audit.snapshot.exchanges],
    }
    for rejected in audit.snapshot.rejected:
        yield {"type": "not-audited", **msgspec.to_builtins(rejected_row(rejected))}
    at = plain(audit.generated_at)
    said: dict[int, tuple[dict[str, Json], dict[str, str]]] = {}
    for row in Rows(audit, options):
        judged = row.result.judgement
        if id(judged) not in said:
            said[id(judged)] = actual(judged.observations), unknown(judged.observations)
        yield _result(row, at, *said[id(judged)])


def _result(row: Row, at: str, seen: Json, missing: Json) -> dict[str, Json]:
    result, scanned, rule = row.result, row.scanned, row.rule
    judged, connection = result.judgement, scanned.connection
    return {
        "type": "result",
        "generated_at": at,
        "rule": rule.id,
        "policy": rule.policy,
        "severity": rule.severity.word,
        "title": rule.title,
        "outcome": result.outcome,
        "exception": row.exception or None,
        "known": row.known,
        "connection": result.connection,
        "exchange": connection.exchange,
        "account": connection.account,
        "strategy": connection.strategy,
        "owner": connection.owner,
        "status": scanned.status,
        "message": judged.message,
        "expected": judged.expected,
        "actual": seen,
        "unknown": missing,
        "fix": row.fix or None,
        "controls": rule.controls,
        "location": {
            "file": result.place.file,
            "line": result.place.line,
            "column": result.place.column,
        },
        "fingerprint": result.fingerprint,
        "scanned_at": utc(scanned.scanned_at),
    }


FORMAT = Format(id="jsonl", suffix="jsonl", title="JSON Lines for pipelines", render=render)
