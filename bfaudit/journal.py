"""The journal of a scan that is under way: one line per finished connection, so that a killed scan can go on.

A line is written at once, so that a killed process loses nothing, and is on the disk within a second, so that a power
cut loses a second. A line that was cut in the middle is no record: its connection is asked again.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec.structs import replace

from bfaudit import snapshot
from bfaudit.errors import UsageError
from bfaudit.model import Connection, Json, Scanned

SCHEMA = "bfaudit-journal/1"
SYNC_EVERY = 1.0
"""Seconds after which what was written must be on the disk."""


def identity(connection: Connection) -> str:
    """What a record is good for: the connection as declared, wherever it stands."""
    bare = replace(connection, places={}, place=replace(connection.place, line=1, column=1))
    return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()


class Journal:
    """An append-only file of records, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._synced = 0.0

    def __enter__(self) -> Self:
        """Open it; an old journal is continued. Raises UsageError where it cannot be written."""
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            if os.fstat(self._file).st_size == 0:
                self._write(msgspec.json.encode({"schema": SCHEMA}))
            else:
                self._write(b"")  # ends a line that was cut in the middle
        except OSError as error:
            raise UsageError(f"cannot write the journal {self.path}: {error.strerror}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)

    def add(self, scanned: Scanned) -> None:
        """Record a finished connection. Raises UsageError where the disk is full."""
        record = {"declared": identity(scanned.connection), "row": snapshot.recorded(scanned)}
        try:
            self._write(msgspec.json.encode(record))
        except OSError as error:
            raise UsageError(
                f"cannot write the journal {self.path}: {error.strerror}",
                hint="what it holds is kept: make room, and go on with --resume",
            ) from None

    def _write(self, line: bytes) -> None:
        data = line + b"\n"
        while data:
            data = data[os.write(self._file, data) :]
        now = time.monotonic()
        if now - self._synced >= SYNC_EVERY:
            os.fsync(self._file)
            self._synced = now


def finished(path: Path, connections: Iterable[Connection]) -> Mapping[int, Scanned]:
    """What a journal holds of these connections, by their number; none of one that was declared anew since.

    Raises UsageError for a file that is no journal.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot read the journal {path}: {error.strerror}") from None
    if not lines or _decoded(lines[0]).get("schema") != SCHEMA:
        raise UsageError(f"{path} is not a journal of this version of bfaudit")
    rows: dict[object, dict[str, Json]] = {}
    for line in lines[1:]:
        record = _decoded(line)
        row = record.get("row")
        if isinstance(row, dict):
            rows[record.get("declared")] = row
    found: dict[int, Scanned] = {}
    for number, connection in enumerate(connections):
        kept = rows.get(identity(connection))
        if kept is not None:
            with suppress(msgspec.ValidationError):
                found[number] = replace(snapshot.rescanned(kept), connection=connection)
    return found


def _decoded(line: bytes) -> dict[str, object]:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
