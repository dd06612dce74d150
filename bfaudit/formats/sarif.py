"""SARIF 2.1.0 for code scanning: one run, every result on the line of its manifest.

A check without an answer is a result of kind `open` and level `none`, of a rule of its own without a severity: GitHub
takes the severity from the rule, and would show "nobody knows" as "critical". Specification:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import msgspec

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.markdown import cell
from bfaudit.formats.rows import ASKING, Row, Rows, sum_of, told, worst_first
from bfaudit.model import Audit, Json, Outcome, Rule, Severity
from bfaudit.report.counts import tally
from bfaudit.report.wording import count, visible
from bfaudit.sealed import plain

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

LIMIT = 25_000
"""How many results of one run GitHub takes."""

TEXT = 1024
"""How long a description of a rule may be at GitHub."""

TAGS = 10
"""How many tags of a rule GitHub keeps."""

LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}

SCORES: Mapping[Severity, str] = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
"""`security-severity`, by which GitHub ranks; none for what is only to be known."""

_ADDRESS = re.compile(r"https://[\w.-]+(/[\w./?=&%#~+-]*)?", re.ASCII)

UNANSWERED = "/unknown"
"""What the id of a rule ends with where it stands for "no answer"."""


def render(audit: Audit, options: Options) -> bytes:
    """The log file, with findings and unknowns; what passed is only counted."""
    rows = Rows(audit, options)
    asking = rows.asking()
    if options.sarif_include_suppressed:
        every = (row for row in rows if row.outcome in ASKING)
        asking = sorted(every, key=worst_first)
    kept = asking[:LIMIT]
    rules = [*_rules(audit, kept)]
    index = {rule["id"]: at for at, rule in enumerate(rules)}
    counts = tally(audit)
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
        "invocations": [_invocation(audit, options, rows, len(asking) - len(kept))],
        "columnKind": "unicodeCodePoints",
        "results": [_result(row, index, options) for row in kept],
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
    return msgspec.json.format(msgspec.json.encode(log), indent=1) + b"\n"


def rule_id(row: Row) -> str:
    """The id that a result has here."""
    return row.rule.id if row.outcome is Outcome.FAIL else f"{row.rule.id}{UNANSWERED}"


def _rules(audit: Audit, kept: Sequence[Row]) -> Iterator[dict[str, Json]]:
    """Every rule that judged, and a second one for those without an answer somewhere."""
    used = {rule_id(row) for row in kept}
    for rule in audit.rules:
        yield _rule(rule)
        if (unanswered := f"{rule.id}{UNANSWERED}") in used:
            yield _unanswered(rule, unanswered)


def _rule(rule: Rule) -> dict[str, Json]:
    title, level, score = (
        told(rule.title) or rule.id,
        LEVELS[rule.severity],
        SCORES.get(rule.severity),
    )
    controls = [f"{name}/{each}" for name, ids in rule.controls.items() for each in ids]
    tags = [*(["security"] if score else []), rule.policy, *controls]
    properties: dict[str, Json] = {
        "tags": list(dict.fromkeys(map(visible, tags)))[:TAGS],
        "precision": "very-high",
        "problem.severity": "recommendation" if level == "note" else level,
        "severity": rule.severity.word,
        "policy": visible(rule.policy),
        "controls": {visible(name): list(map(visible, ids)) for name, ids in rule.controls.items()},
    }
    if rule.overridden:
        properties["overridden"] = {
            visible(name): visible(why) for name, why in rule.overridden.items()
        }
    if score is not None:
        properties["security-severity"] = score
    return {
        "id": visible(rule.id),
        "name": visible(rule.id)[:255],
        "shortDescription": {"text": _short(title)},
        "fullDescription": {"text": _short(told(rule.rationale) or title)},
        "help": _help(rule, title),
        "defaultConfiguration": {"level": level},
        "properties": properties,
    }


def _unanswered(rule: Rule, name: str) -> dict[str, Json]:
    title = f"No answer: {told(rule.title) or rule.id}"
    return {
        "id": visible(name),
        "name": visible(name)[:255],
        "shortDescription": {"text": _short(title)},
        "fullDescription": {
            "text": "Whether this holds could not be found out. Unknown is never a pass."
        },
        "help": _help(rule, title),
        "defaultConfiguration": {"level": "note"},
        "properties": {
            "tags": ["unknown", visible(rule.policy)],
            "precision": "very-high",
            "problem.severity": "recommendation",
            "severity": rule.severity.word,
        },
    }


def _help(rule: Rule, title: str) -> dict[str, str]:
    """All that the policy says of a rule, twice: as text and as Markdown."""
    remediation = {name: told(text) for name, text in rule.remediation.items()}
    general = remediation.pop("text", "")
    parts = [
        ("", [title, told(rule.rationale)]),
        ("Fix", [general, *(f"{name}: {text}" for name, text in remediation.items())]),
        ("Controls", [f"{name}: {', '.join(ids)}" for name, ids in rule.controls.items()]),
        ("References", list(rule.references)),
    ]
    text, markdown = [], []
    for heading, lines in parts:
        said = [visible(line) for line in lines if line]
        if said:
            text += [*([f"{heading}:"] if heading else []), *said]
            written = [f"- {_linked(line)}" if heading else f"{cell(line)}\n" for line in said]
            markdown += [*([f"\n**{heading}**\n"] if heading else []), *written]
    return {"text": "\n".join(text), "markdown": "\n".join(markdown)}


def _linked(line: str) -> str:
    """A line of Markdown: an address as a link, anything else as text."""
    return f"<{line}>" if _ADDRESS.fullmatch(line) else cell(line)


def _result(row: Row, index: Mapping[str, int], options: Options) -> dict[str, Json]:
    failed = row.outcome is Outcome.FAIL
    name = visible(rule_id(row))
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
                    "region": _region(row, options),
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


def _region(row: Row, options: Options) -> dict[str, int]:
    """The marked part of the line: to its end, where the manifest is at hand."""
    region = {"startLine": row.line, "startColumn": row.column}
    lines = options.sources.get(row.result.place.file, "").split("\n")
    length = len(lines[row.line - 1].rstrip()) if row.line <= len(lines) else 0
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


def _short(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"


FORMAT = Format(id="sarif", suffix="sarif", title="SARIF 2.1.0 for code scanning", render=render)
