"""The access review for spreadsheets: one row per key, with empty columns for the decision."""

import csv
from collections.abc import Iterator
from io import StringIO

from bfaudit.collector import paused
from bfaudit.formats.base import Format, Options
from bfaudit.formats.csv import cell
from bfaudit.model import Audit
from bfaudit.report.review import Entry, review
from bfaudit.report.wording import moment

COLUMNS = (
    "connection", "exchange", "account", "strategy", "owner", "purpose", "environment", "lifecycle", "status", "reason",
    "key", "label", "requires", "granted", "beyond", "unknown", "works_from", "a_thief_could", "created", "last_use", "ends",
    "worst_finding", "last_review", "reviewed_by", "review_ends", "review_state", "declared_at", "scanned", "redirected",
    "asked_at", "decision", "reviewer", "decided_on", "remark",
)  # fmt: skip

EMPTY = ("", "", "", "")
"""What the reviewer fills in."""


def render(audit: Audit, options: Options) -> str:
    """A header, every key, then the connections that were left out."""
    with paused():
        view = review(audit)
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    scanned = moment(view.report.scanned)
    writer.writerows(map(cell, (*_cells(each, scanned), *EMPTY)) for each in view.entries)
    for one in view.report.rejected:
        told = {
            "connection": one.name,
            "status": "not audited",
            "reason": one.error,
            "declared_at": str(one.place),
        }
        writer.writerow([cell(told.get(column)) for column in COLUMNS])
    return out.getvalue()


def _cells(each: Entry, scanned: str) -> Iterator[str | None]:
    key, last = each.key, each.review
    yield from (key.name, key.exchange, key.account, key.strategy, key.owner, key.purpose)
    yield from (each.environment, each.lifecycle, key.status, key.reason)
    yield from (key.fingerprint, key.label, each.requires, each.granted, each.excess, each.unknown)
    yield from (key.addresses, key.thief.sentence, key.created, key.used, key.ends, key.worst)
    yield from (last.on, last.by, last.expires, last.state, str(key.place), scanned)
    yield from ("redirected" if each.asked_at else "no", each.asked_at)


FORMAT = Format(id="access-review-csv", suffix="csv", title="Access review for spreadsheets", render=render)  # fmt: skip
