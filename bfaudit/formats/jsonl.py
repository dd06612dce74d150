"""JSON Lines for logs and pipelines: a line with the counts, then one per result, each complete in itself."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.columns import excepted, fixes
from bfaudit.formats.json_rows import Columns
from bfaudit.formats.rows import Rows, told
from bfaudit.model import Audit, Json, Scanned
from bfaudit.pieces import Column, Piece, blocks, whole
from bfaudit.report.counts import tally
from bfaudit.report.findings import actual, unknown
from bfaudit.results import Results, Run
from bfaudit.sealed import encoded, plain, utc
from bfaudit.snapshot import exchange_row, rejected_row

SCHEMA = "bfaudit-lines/1"

_INVISIBLE = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]")


def render(audit: Audit, options: Options) -> bytes:
    """The lines; `type` says what each is: `audit`, `not-audited` or `result`."""
    return whole(written(audit, options))


def written(audit: Audit, options: Options) -> Iterator[Piece]:
    """The same in pieces."""
    for line in _before(audit, options):
        yield _encoded(line) + b"\n"
    texts = Rows(audit, options)
    made = Columns(audit, _encoded)
    at = made.field("generated_at", plain(audit.generated_at))
    for run in Results.of(audit.results).runs:
        fields = _fields(run, made, texts)
        columns = chain.from_iterable(fields.values())
        yield from blocks([b'{"type":"result"', at, *columns, b"}\n"], run.numbers)


def _encoded(value: Json) -> bytes:
    data = encoded(value)
    if not data.isascii():
        # Readers that split at every end of a line that Unicode knows would see more lines than there are.
        data = _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", data.decode()).encode()
    return data


def _before(audit: Audit, options: Options) -> Iterator[dict[str, Json]]:
    """What stands before the results."""
    counts = tally(audit)
    yield {
        "type": "audit",
        "schema": SCHEMA,
        "version": bfaudit.__version__,
        "generated_at": plain(audit.generated_at),
        "scanned_at": plain(audit.snapshot.generated_at),
        "snapshot": options.digest_of(audit.snapshot),
        "interrupted": audit.snapshot.interrupted,
        **({"unselected": counts.unselected} if counts.unselected else {}),
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


def _fields(run: Run, made: Columns, texts: Rows) -> dict[str, Iterable[Column]]:
    rule, judged = run.rule, run.judgements
    known = [made.field("known", value=held) for held in made.known(run)]

    def of(name: str, get: Callable[[Scanned], Json]) -> Sequence[bytes]:
        return made.each(name, run.names, lambda connection: get(texts.scanned(connection)))

    return {
        "rule": [made.field("rule", rule.id)],
        "policy": [made.field("policy", rule.policy)],
        "severity": [made.field("severity", rule.severity.word)],
        "title": [made.field("title", told(rule.title))],
        "outcome": [made.told("outcome", judged, lambda one: one.outcome.value)],
        "exception": [excepted(run, texts, lambda one: made.field("exception", one or None))],
        "known": [known or made.field("known", None)],
        "connection": [made.each("connection", run.names, str)],
        "exchange": [of("exchange", lambda one: one.connection.exchange)],
        "account": [of("account", lambda one: one.connection.account)],
        "strategy": [of("strategy", lambda one: one.connection.strategy)],
        "owner": [of("owner", lambda one: one.connection.owner)],
        "status": [of("status", lambda one: one.status)],
        "message": [made.told("message", judged, lambda one: one.message)],
        "expected": [made.told("expected", judged, lambda one: one.expected)],
        "actual": [made.told("actual", judged, lambda one: actual(one.observations))],
        "unknown": [made.told("unknown", judged, lambda one: unknown(one.observations))],
        "fix": [fixes(run, texts, made.shared, lambda fix: made.field("fix", fix or None))],
        "controls": [made.field("controls", rule.controls)],
        "location": [made.location(run)],
        "fingerprint": made.fingerprint(run),
        "scanned_at": [of("scanned_at", lambda one: utc(one.scanned_at))],
    }


FORMAT = Format(
    id="jsonl", suffix="jsonl", title="JSON Lines for pipelines", render=render, written=written
)
