"""GitHub annotations: workflow commands on the lines of the manifests.

GitHub shows ten of each level per step, so the worst come first, and a notice counts the rest. Escapes:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Iterator, Mapping

from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import Row, Rows, sum_of
from bfaudit.model import Audit, Outcome, Severity
from bfaudit.report.counts import tally, verdict
from bfaudit.report.wording import visible

SHOWN = 10
"""How many annotations of one level GitHub shows of one step."""

LEVELS: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "warning",
    Severity.INFO: "notice",
}

UNANSWERED = "warning"
"""The level of what is not known."""

ROOM = {"error": SHOWN, "warning": SHOWN, "notice": SHOWN - 1}
"""How many of each level are written; the last notice is the sum."""

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(audit: Audit, options: Options) -> str:
    """The commands, one a line; the last is a notice with the counts."""
    rows = Rows(audit, options)
    counts = tally(audit)
    lines: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    for rejected in audit.snapshot.rejected:
        place = {"file": rows.file(rejected.place), "line": str(max(1, rejected.place.line))}
        text = f"{visible(rejected.name)} was not audited: {visible(rejected.error)}"
        lines["error"].append(_command("error", text, **place, title="bfaudit: not audited"))
    lines["warning"] += [_command("warning", text, title="bfaudit") for text in rows.caveats()]
    hidden = {level: len(made) - ROOM[level] for level, made in lines.items()}
    for row in rows.asking():
        level = level_of(row)
        hidden[level] += 1
        if hidden[level] <= 0:
            lines[level].append(_annotation(level, row))
    shown = [line for level, made in lines.items() for line in made[: ROOM[level]]]
    shown.append(
        _command(
            "notice",
            "\n".join(_sum(audit, hidden)),
            title=f"bfaudit: {verdict(audit, counts).headline}",
        )
    )
    return "".join(f"{line}\n" for line in shown)


def level_of(row: Row) -> str:
    """The level of a result that asks for a reader."""
    return LEVELS[row.rule.severity] if row.outcome is Outcome.FAIL else UNANSWERED


def _annotation(level: str, row: Row) -> str:
    failed = row.outcome is Outcome.FAIL
    word = row.rule.severity.word if failed else row.outcome.value
    title = row.title if failed else f"No answer: {row.title}"
    return _command(
        level,
        "\n".join(row.lines()),
        file=row.file,
        line=str(row.line),
        col=str(row.column),
        title=f"{word}[{visible(row.rule.id)}] {title}",
    )


def _sum(audit: Audit, hidden: Mapping[str, int]) -> Iterator[str]:
    yield sum_of(tally(audit))
    more = [f"{number:,} more of level {level}" for level, number in hidden.items() if number > 0]
    if more:
        yield f"{', '.join(more)}: GitHub shows {SHOWN} of each; the other formats name all"


def _command(level: str, message: str, **properties: str) -> str:
    said = ",".join(f"{name}={text.translate(_PROPERTY)}" for name, text in properties.items())
    return f"::{level} {said}::{message.translate(_DATA)}"


FORMAT = Format(id="github", suffix="txt", title="GitHub annotations", render=render)
