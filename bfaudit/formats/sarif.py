"""SARIF 2.1.0 for code scanning: one run, every result on the line of its manifest.

A check without an answer is a result of kind `open` and level `none`, of a rule of its own without a severity: GitHub
takes the severity from the rule, and would show "nobody knows" as "critical". Specification:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from urllib.parse import quote

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import Row, Rows, asking, sum_of, told
from bfaudit.formats.sarif_rules import LEVELS, described, unanswered
from bfaudit.model import Audit, Json, Outcome, Result
from bfaudit.pieces import Piece, whole
from bfaudit.report.counts import tally
from bfaudit.report.wording import count, visible
from bfaudit.sealed import plain

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

LIMIT = 25_000
"""How many results of one run GitHub takes."""

_AT_ONCE = 256
"""Results in one piece."""

Ends = Mapping[str, Sequence[int]]
"""How long each line of a manifest is, by file."""

_RESULTS = b'\n   "results": ['

UNANSWERED = "/unknown"
"""What the id of a rule ends with where it stands for "no answer"."""


def render(audit: Audit, options: Options) -> bytes:
    """The log file, with findings and unknowns; what passed is only counted."""
    return whole(written(audit, options))


def written(audit: Audit, options: Options) -> Iterator[Piece]:
    """The same in pieces."""
    rows, counts = Rows(audit, options), tally(audit)
    wanted = options.sarif_include_suppressed
    kept = list(islice(asking(audit, excepted=wanted), LIMIT))
    every = counts.outcomes[Outcome.FAIL] + counts.unanswered - (0 if wanted else counts.excepted)
    rules = [*_rules(audit, kept)]
    index = {rule["id"]: at for at, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "bfaudit",
                "version": bfaudit.__version__,
                "semanticVersion": bfaudit.__version__,
                "rules": rules,
            }
        },
        "automationDetails": {"id": f"{options.sarif_category}/{plain(audit.generated_at)}"},
        "invocations": [_invocation(audit, options, rows, every - len(kept))],
        "columnKind": "unicodeCodePoints",
        "results": [],
        "properties": {
            "summary": {
                "connections": counts.connections,
                "outcomes": counts.outcomes,
                "failed_by_severity": counts.failed_by_severity,
                "excepted": counts.excepted,
                "coverage": counts.coverage,
            },
            "snapshot": options.digest_of(audit.snapshot),
        },
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    # No other line is this one: the strings of JSON hold no ends of lines.
    head, tail = _formatted(log).split(_RESULTS)
    yield head + _RESULTS
    ends = {
        file: array("I", (len(line.rstrip()) for line in text.split("\n")))
        for file, text in options.sources.items()
    }
    for start in range(0, len(kept), _AT_ONCE):
        made = (
            _formatted(_result(rows.row(one), index, ends, options)).replace(b"\n", b"\n    ")
            for one in kept[start : start + _AT_ONCE]
        )
        yield (b",\n    " if start else b"\n    ") + b",\n    ".join(made)
    yield (b"\n   " if kept else b"") + tail + b"\n"


def _formatted(value: Json) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def rule_id(result: Result) -> str:
    """The id that a result has here."""
    return result.rule.id if result.outcome is Outcome.FAIL else f"{result.rule.id}{UNANSWERED}"


def _rules(audit: Audit, kept: Sequence[Result]) -> Iterator[dict[str, Json]]:
    """Every rule that judged, and a second one for those without an answer somewhere."""
    used = set(map(rule_id, kept))
    for rule in audit.rules:
        yield described(rule)
        if (without := f"{rule.id}{UNANSWERED}") in used:
            yield unanswered(rule, without)


def _result(row: Row, index: Mapping[str, int], ends: Ends, options: Options) -> dict[str, Json]:
    failed = row.outcome is Outcome.FAIL
    name = visible(rule_id(row.result))
    connection = row.scanned.connection
    result: dict[str, Json] = {
        "ruleId": name,
        "ruleIndex": index[name],
        "kind": "fail" if failed else "open",
        "level": LEVELS[row.rule.severity] if failed else "none",
        # `](` would make a link of brackets before it.
        "message": {"text": "\n".join(row.lines()).replace("](", "] (")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(row.file)},
                    "region": _region(row, ends),
                },
                "logicalLocations": [
                    {
                        "name": row.connection,
                        "fullyQualifiedName": f"{visible(connection.exchange)}/{row.connection}",
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"bfauditFinding/v1": visible(row.result.fingerprint)},
        "properties": {
            "rule": visible(row.rule.id),
            "severity": row.rule.severity.word,
            "outcome": row.outcome.value,
            "connection": row.connection,
            "exchange": visible(connection.exchange),
        },
    }
    if row.known is not None:
        result["baselineState"] = "unchanged" if row.known else "new"
    if options.sarif_include_suppressed:
        # The specification wants them on all results of a run, or on none.
        result["suppressions"] = [_suppression(row)] if row.excepted else []
    return result


def _suppression(row: Row) -> dict[str, str]:
    justification = row.exception
    return {"kind": "external", "status": "accepted", "justification": justification}


def _region(row: Row, ends: Ends) -> dict[str, int]:
    """The marked part of the line: to its end, where the manifest is at hand."""
    region = {"startLine": row.line, "startColumn": row.column}
    lines = ends.get(row.result.place.file, ())
    length = lines[row.line - 1] if row.line <= len(lines) else 0
    if length >= row.column:
        region |= {"endLine": row.line, "endColumn": length + 1}
    return region


def uri(file: str) -> str:
    """The name of a file as a URI: relative to the root of the repository, or absolute."""
    quoted = quote(file, safe="/")
    return f"file://{quoted}" if quoted.startswith("/") else quoted


def _invocation(audit: Audit, options: Options, rows: Rows, left_out: int) -> dict[str, Json]:
    """How the run went; what no result can say stands here."""
    snapshot, counts = audit.snapshot, tally(audit)
    notes = [_note("warning", text) for text in rows.caveats()]
    for rejected in snapshot.rejected:
        text = f"{visible(rejected.name)} was not audited: {visible(rejected.error)}"
        region = {"startLine": max(1, rejected.place.line)}
        place = {"artifactLocation": {"uri": uri(rows.file(rejected.place))}, "region": region}
        notes.append(_note("error", text) | {"locations": [{"physicalLocation": place}]})
    for rule in audit.left_out:
        why = told(rule.overridden.get("enabled", ""))
        notes.append(_note("note", f"Rule {visible(rule.id)} is switched off: {why}"))
    if left_out:
        text = f"{count(left_out, 'result')} left out, the least severe: GitHub takes {LIMIT:,} per run"
        notes.append(_note("warning", text))
    if counts.excepted and not options.sarif_include_suppressed:
        text = f"{count(counts.excepted, 'finding')} under an exception left out"
        notes.append(_note("note", text))
    notes.append(_note("note", sum_of(counts)))
    invocation: dict[str, Json] = {
        "executionSuccessful": not (snapshot.interrupted or snapshot.rejected),
        "startTimeUtc": plain(snapshot.generated_at),
        "endTimeUtc": plain(audit.generated_at),
        "toolExecutionNotifications": notes,
    }
    if options.exit_code is not None:
        invocation["exitCode"] = options.exit_code
    return invocation


def _note(level: str, text: str) -> dict[str, Json]:
    return {"level": level, "message": {"text": text.replace("](", "] (")}}


FORMAT = Format(
    id="sarif",
    suffix="sarif",
    title="SARIF 2.1.0 for code scanning",
    render=render,
    written=written,
)
