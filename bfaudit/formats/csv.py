"""CSV for spreadsheets: one row per result, after RFC 4180; no cell is a formula."""

import csv
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import StringIO

from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import NOT_AUDITED, Row, Rows
from bfaudit.model import Audit, ExchangeScanned
from bfaudit.report.wording import moment, visible

COLUMNS = (
    "outcome", "severity", "rule", "title", "connection", "exchange", "account", "strategy", "owner", "status", "reason",
    "message", "expected", "actual", "fix", "exception", "file", "line", "column", "policy", "controls", "fingerprint",
    "scanned", "asked_at", "redirected",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # as OWASP lists them


@lru_cache(1 << 16)
def cell(text: str | None) -> str:
    """Text that a spreadsheet takes for text: what it would calculate starts with an apostrophe."""
    raw = text or ""
    safe = visible(raw)
    return f"'{safe}" if raw.lstrip(" ").startswith(_FORMULA) else safe


def render(audit: Audit, options: Options) -> str:
    """A header, every result, then the connections that were left out."""
    out = StringIO()
    # Every cell is quoted: a `;` may not start a new one where a spreadsheet splits at it.
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    rows = Rows(audit, options)
    controls = {
        rule.id: "; ".join(f"{name} {', '.join(ids)}" for name, ids in rule.controls.items())
        for rule in audit.rules
    }
    asked = {one.id: one for one in audit.snapshot.exchanges}
    writer.writerows(map(cell, _cells(row, asked, controls)) for row in rows)
    for one in audit.snapshot.rejected:
        told = {
            "outcome": NOT_AUDITED,
            "connection": one.name,
            "message": one.error,
            "file": rows.file(one.place),
            "line": str(one.place.line),
            "column": str(one.place.column),
        }
        writer.writerow([cell(told.get(column)) for column in COLUMNS])
    return out.getvalue()


def _cells(
    row: Row, asked: Mapping[str, ExchangeScanned], controls: Mapping[str, str]
) -> Iterator[str | None]:
    scanned, rule = row.scanned, row.rule
    connection = scanned.connection
    exchange = asked.get(connection.exchange)
    yield row.outcome.value
    yield rule.severity.word
    yield rule.id
    yield row.title
    yield row.result.connection
    yield connection.exchange
    yield connection.account
    yield connection.strategy
    yield connection.owner
    yield scanned.status.value
    yield scanned.reason and scanned.reason.value
    yield row.words.message
    yield row.words.expected
    yield "; ".join(row.words.seen)
    yield row.fix
    yield row.exception
    yield row.file
    yield str(row.line)
    yield str(row.column)
    yield rule.policy
    yield controls[rule.id]
    yield row.result.fingerprint
    yield moment(scanned.scanned_at)
    yield exchange.url if exchange else None
    yield "" if exchange is None else "redirected" if exchange.redirected else "no"


FORMAT = Format(id="csv", suffix="csv", title="CSV for spreadsheets", render=render)
