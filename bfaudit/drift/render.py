"""The changes between two snapshots as text, JSON (`schemas/diff.schema.json`) and Markdown."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bfaudit.drift import paired
from bfaudit.drift.facts import still_unknown
from bfaudit.formats.markdown import cell
from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Change, Direction, Json, Snapshot
from bfaudit.pieces import whole
from bfaudit.report.wording import moment, visible
from bfaudit.sealed import listing, plain, sealing

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


def to_text(told: Diff, lang: Language = ENGLISH) -> str:
    """For a terminal: one change to a line, worst first."""
    lines = [f"{moment(told.old)} -> {moment(told.new)}", ""]
    for change in told.changes:
        head = f"{lang.say(change.severity.word)}[{change.kind}]"
        lines.append(visible(f"{head} {change.connection}: {lang.sentence(change.text)}"))
    lines += [""] if told.changes else []
    return "\n".join([*lines, *_sums(told, lang), ""])


def to_markdown(told: Diff, lang: Language = ENGLISH) -> str:
    """A table for a pull request."""
    say = lang.say
    times = say("{old} to {new}", old=moment(told.old), new=moment(told.new))
    lines = [f"# {say('What changed')}", "", times, ""]
    if told.changes:
        titles = (say("Severity"), say("Direction"), say("Connection"), say("Change"))
        lines += [f"| {' | '.join(titles)} |", "|---|---|---|---|"]
        lines += [
            f"| {say(change.severity.word)} | {say(change.direction)} | {cell(change.connection)} "
            f"| {cell(lang.sentence(change.text))} |"
            for change in told.changes
        ]
        lines.append("")
    return "\n".join([*lines, *_sums(told, lang), ""])


def to_json(told: Diff) -> bytes:
    """A sealed document; the same bytes for the same snapshots."""
    directions = Counter(change.direction for change in told.changes)
    pieces = sealing(
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
        },
        {"changes": listing(list(map(_row, told.changes)))},
    )
    return whole(pieces)


def _row(change: Change) -> Json:
    return {
        "kind": change.kind,
        "connection": change.connection,
        "severity": change.severity.word,
        "direction": change.direction.value,
        "text": change.text,
        "path": change.path,
        "before": plain(change.before),
        "after": plain(change.after),
    }


def _sums(told: Diff, lang: Language) -> list[str]:
    found, say, plural = Counter(change.direction for change in told.changes), lang.say, lang.plural
    parts = [
        part
        for direction, part in (
            (Direction.WIDENED, say("{n} widened", n=str(found[Direction.WIDENED]))),
            (Direction.NARROWED, say("{n} narrowed", n=str(found[Direction.NARROWED]))),
            (
                Direction.UNKNOWN,
                say("{n} may be wider, for all that is known", n=str(found[Direction.UNKNOWN])),
            ),
            (Direction.OTHER, say("{number} other", number=str(found[Direction.OTHER]))),
        )
        if found[direction]
    ]
    sums = plural("{n} change", "{n} changes", len(told.changes))
    compared = plural("{n} connection compared.", "{n} connections compared.", told.connections)
    lines = [f"{sums}{': ' if parts else ''}{', '.join(parts)}. {compared}"]
    if told.still_unknown:
        facts = plural(
            "Unknown both times, and so not compared: {n} permission or restriction.",
            "Unknown both times, and so not compared: {n} permissions and restrictions.",
            told.still_unknown,
        )
        lines.append(facts)
    return lines
