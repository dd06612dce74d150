"""The changes between two snapshots as text, JSON (`schemas/diff.schema.json`) and Markdown."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bfaudit.drift import paired
from bfaudit.drift.facts import still_unknown
from bfaudit.formats.markdown import cell
from bfaudit.model import Change, Direction, Snapshot
from bfaudit.report.wording import count, moment, visible
from bfaudit.sealed import plain, seal

SCHEMA = "bfaudit-diff/1"


class Diff(NamedTuple):
    """Two snapshots, by their digests and times, and what changed between them."""

    changes: tuple[Change, ...]
    old: datetime
    new: datetime
    old_digest: str
    new_digest: str
    connections: int
    """How many connections are in both."""
    still_unknown: int
    """How many permissions and restrictions neither scan could tell."""
    version: str


def diff(
    old: Snapshot, new: Snapshot, changes: Sequence[Change], digests: tuple[str, str], version: str
) -> Diff:
    """What there is to show of two snapshots."""
    both = paired(old, new).both
    return Diff(
        changes=tuple(changes),
        old=old.generated_at,
        new=new.generated_at,
        old_digest=digests[0],
        new_digest=digests[1],
        connections=len(both),
        still_unknown=sum(still_unknown(pair.old.facts, pair.new.facts) for pair in both),
        version=version,
    )


def code(changes: Sequence[Change], *, fail_on_widened: bool) -> int:
    """How the command ends: 1 where a key may do more than before, 4 where that cannot be told."""
    directions = {change.direction for change in changes}
    if not fail_on_widened:
        return 0
    if Direction.WIDENED in directions:
        return 1
    return 4 if Direction.UNKNOWN in directions else 0


def to_text(told: Diff) -> str:
    """For a terminal: one change to a line, worst first."""
    lines = [f"{moment(told.old)} -> {moment(told.new)}", ""]
    for change in told.changes:
        head = f"{change.severity.word}[{change.kind}]"
        lines.append(visible(f"{head} {change.connection}: {change.text}"))
    lines += [""] if told.changes else []
    return "\n".join([*lines, *_sums(told), ""])


def to_markdown(told: Diff) -> str:
    """A table for a pull request."""
    lines = ["# What changed", "", f"{moment(told.old)} to {moment(told.new)}", ""]
    if told.changes:
        lines += ["| Severity | Direction | Connection | Change |", "|---|---|---|---|"]
        lines += [
            f"| {change.severity.word} | {change.direction} | {cell(change.connection)} | {cell(change.text)} |"
            for change in told.changes
        ]
        lines.append("")
    return "\n".join([*lines, *_sums(told), ""])


def to_json(told: Diff) -> bytes:
    """A sealed document; the same bytes for the same snapshots."""
    directions = Counter(change.direction for change in told.changes)
    return seal(
        SCHEMA,
        {
            "tool": {"name": "bfaudit", "version": told.version},
            "old": {"generated_at": plain(told.old), "digest": told.old_digest},
            "new": {"generated_at": plain(told.new), "digest": told.new_digest},
            "summary": {
                "connections": told.connections,
                "changes": {each.value: directions[each] for each in Direction},
                "still_unknown": told.still_unknown,
            },
            "changes": [
                {
                    "kind": change.kind,
                    "connection": change.connection,
                    "severity": change.severity.word,
                    "direction": change.direction.value,
                    "text": change.text,
                    "path": change.path,
                    "before": plain(change.before),
                    "after": plain(change.after),
                }
                for change in told.changes
            ],
        },
        {"changes"},
    )


def _sums(told: Diff) -> list[str]:
    found = Counter(change.direction for change in told.changes)
    parts = [
        f"{found[direction]} {word}"
        for direction, word in (
            (Direction.WIDENED, "widened"),
            (Direction.NARROWED, "narrowed"),
            (Direction.UNKNOWN, "may be wider, for all that is known"),
            (Direction.OTHER, "other"),
        )
        if found[direction]
    ]
    sums = f"{count(len(told.changes), 'change')}{': ' if parts else ''}{', '.join(parts)}."
    lines = [f"{sums} {count(told.connections, 'connection')} compared."]
    if told.still_unknown:
        facts = count(
            told.still_unknown, "permission or restriction", "permissions and restrictions"
        )
        lines.append(f"Unknown both times, and so not compared: {facts}.")
    return lines
