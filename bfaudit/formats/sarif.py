"""SARIF 2.1.0 for code scanning: one run, every result on the line of its manifest.

A check without an answer is a result of kind `open` and level `none`, of a rule of its own without a severity: GitHub
takes the severity from the rule, and would show "nobody knows" as "critical". Specification:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import Rows, asking, sum_of, told
from bfaudit.formats.sarif_results import (
    UNANSWERED,
    ResultWriter,
    formatted,
    harmless,
    rule_id,
    uri,
)
from bfaudit.formats.sarif_rules import described, unanswered
from bfaudit.model import Audit, Json, Outcome, Result
from bfaudit.pieces import Piece, whole
from bfaudit.report.counts import tally
from bfaudit.report.wording import visible
from bfaudit.sealed import plain
from bfaudit.words import count

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

LIMIT = 25_000
"""How many results of one run GitHub takes."""

_RESULTS = b'\n   "results": ['


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
    head, tail = formatted(log).split(_RESULTS)
    yield head + _RESULTS
    yield from ResultWriter(rows, index, options).blocks(kept)
    yield (b"\n   " if kept else b"") + tail + b"\n"


def _rules(audit: Audit, kept: Sequence[Result]) -> Iterator[dict[str, Json]]:
    """Every rule that judged, and a second one for those without an answer somewhere."""
    used = set(map(rule_id, kept))
    for rule in audit.rules:
        yield described(rule)
        if (without := f"{rule.id}{UNANSWERED}") in used:
            yield unanswered(rule, without)


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
    return {"level": level, "message": {"text": harmless(text)}}


FORMAT = Format(
    id="sarif",
    suffix="sarif",
    title="SARIF 2.1.0 for code scanning",
    render=render,
    written=written,
)
