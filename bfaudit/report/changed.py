"""What changed since an earlier snapshot, as a JSON report holds it, and back."""

from typing import Any

from msgspec import Struct

from bfaudit.model import Change, Direction, Severity
from bfaudit.sealed import plain


class ChangeRow(Struct, frozen=True, kw_only=True):
    """One thing that is not as it was."""

    kind: str
    connection: str
    severity: str
    direction: Direction
    text: str
    path: str | None
    before: Any
    after: Any


def change_row(change: Change) -> ChangeRow:
    """The row of a change."""
    return ChangeRow(
        kind=change.kind,
        connection=change.connection,
        severity=change.severity.word,
        direction=change.direction,
        text=change.text,
        path=change.path,
        before=plain(change.before),
        after=plain(change.after),
    )


def change_of(row: ChangeRow) -> Change:
    """The change of a row."""
    return Change(
        kind=row.kind,
        connection=row.connection,
        severity=Severity.of(row.severity),
        direction=row.direction,
        text=row.text,
        path=row.path,
        before=row.before,
        after=row.after,
    )
