"""The rules of a SARIF log: what GitHub shows of each, and how it ranks them."""

import re
from collections.abc import Mapping

from bfaudit.formats.markdown import cell
from bfaudit.formats.rows import told
from bfaudit.model import Json, Rule, Severity
from bfaudit.report.wording import visible

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


def described(rule: Rule) -> dict[str, Json]:
    """A rule."""
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


def unanswered(rule: Rule, name: str) -> dict[str, Json]:
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


def _short(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"
