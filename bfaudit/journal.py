"""What a scan has finished, on disk: one line per connection. Its memory stays flat, and a killed scan can go on.

Each has what was recorded of its exchange by then: where that was asked at another address than now, the line is of no use.

A line is written at once, so that a killed process loses nothing; a journal that has a name is on the disk within a
second, so that a power cut loses a second. A line that was cut in the middle is no record: its connection is asked again.
"""

import hashlib
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec.structs import replace

from bfaudit import merge, redact, snapshot
from bfaudit.errors import UsageError
from bfaudit.inventory import by_fingerprint, enriched
from bfaudit.model import Connection, ExchangeScanned, Json, ListedKey, Reason, Scanned, Status
from bfaudit.sealed import encoded

SCHEMA = "bfaudit-journal/1"
_HEADER = msgspec.json.encode({"schema": SCHEMA}) + b"\n"
_ROW = b',"row":'
Address = Callable[[str], tuple[str, bool] | None]
"""Where an exchange is asked now, and whether that is a redirection."""

SYNC_EVERY = 1.0
"""Seconds after which what was written must be on the disk."""


def identity(connection: Connection) -> str:
    """What a record is good for: the connection as declared, wherever it stands."""
    bare = replace(connection, places={}, place=replace(connection.place, line=1, column=1))
    return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()


class Journal:
    """An append-only file of records by number, readable by its owner only; one without a name is gone with the scan."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.ended: Counter[tuple[Status, Reason | None]] = Counter()
        """How many connections ended how."""
        self._file = -1
        self._end = 0
        self._synced = 0.0
        self._at: dict[int, int] = {}
        """Where the line of a connection begins."""
        self._anew: dict[int, Connection] = {}
        """What an earlier scan finished, as it is declared now."""
        self._listed: dict[str, ListedKey] = {}
        self._asked: dict[str, ExchangeScanned] = {}
        """What is recorded of each exchange, the scans that this one continues included."""
        self._before: dict[str, ExchangeScanned] = {}
        """What those have recorded of the exchanges that something is kept of."""

    def __enter__(self) -> Self:
        """Open it; an old journal is continued. Raises UsageError where it cannot be written, or is none."""
        try:
            self._file = self._opened()
            start = os.pread(self._file, len(_HEADER) + 1, 0)
            if _blank(start):
                os.ftruncate(self._file, 0)
                self._write(_HEADER[:-1])
                return self
            if start[: len(_HEADER)] != _HEADER:
                os.close(self._file)
                raise UsageError(f"{self.path} is not a journal of this version of bfaudit")
            self._end = os.fstat(self._file).st_size
            self._write(b"")  # ends a line that was cut in the middle
        except OSError as error:
            raise UsageError(f"cannot write {self}: {error.strerror}") from None
        return self

    def _opened(self) -> int:
        if self.path is not None:
            return os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        handle, name = tempfile.mkstemp(prefix="bfaudit-")
        Path(name).unlink()
        return handle

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self.path:
                os.fsync(self._file)
        finally:
            os.close(self._file)

    def __str__(self) -> str:
        return f"the journal {self.path}" if self.path else "the snapshot's temporary file"

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, number: object) -> bool:
        return number in self._at

    def __setitem__(self, number: int, scanned: Scanned) -> None:
        """Record a finished connection. Raises UsageError where the disk is full, LeakRefused for a secret."""
        line = self._record(scanned) + _ROW + encoded(snapshot.recorded(scanned)) + b"}"
        redact.refuse(str(self), line)
        try:
            self._keep(number, self._write(line), scanned)
        except OSError as error:
            kept = "what it holds is kept: make room, and go on with --resume"
            raise UsageError(
                f"cannot write {self}: {error.strerror}", hint=kept if self.path else None
            ) from None

    def _record(self, scanned: Scanned) -> bytes:
        """What stands before the row: what it is good for."""
        if not self.path:
            return b'{"declared":""'
        asked = encoded(msgspec.to_builtins(self._asked.get(scanned.connection.exchange)))
        return b'{"declared":"%b","asked":%b' % (identity(scanned.connection).encode(), asked)

    def asked(self, exchange: ExchangeScanned) -> None:
        """Hear what this scan has recorded of an exchange, before one of its connections is kept."""
        if self.path:
            before = self._before.get(exchange.id)
            (self._asked[exchange.id],) = merge.exchanges(filter(None, (before, exchange)))

    def exchanges(self, now: Iterable[ExchangeScanned]) -> tuple[ExchangeScanned, ...]:
        """What this scan has recorded of exchanges, and before it those that it continues."""
        return merge.exchanges([*self._before.values(), *now])

    def _keep(self, number: int, begins: int, scanned: Scanned) -> None:
        self._at[number] = begins
        self.ended[scanned.status, scanned.reason] += 1
        self._listed |= by_fingerprint([scanned])

    def resume(self, connections: Sequence[Connection], address: Address) -> None:
        """Find what it holds of a fleet, each by its place there.

        Nothing of what was declared anew since, or asked at another address than this scan asks.
        """
        lines: dict[object, int] = {}
        before: dict[str, ExchangeScanned] = {}
        with os.fdopen(os.dup(self._file), "rb") as file:
            begins = file.seek(len(_HEADER))
            for line in file:
                record = _decoded(line)
                one = _exchange(record)
                if one is not None and address(one.id) == (one.url, one.redirected):
                    lines[record.get("declared")] = begins
                    before[one.id] = one
                begins += len(line)
        for number, connection in enumerate(connections):
            found = lines.get(identity(connection))
            scanned = None if found is None else self._read(found)
            if found is not None and scanned is not None:
                self._keep(number, found, scanned)
                self._anew[number] = connection
                if (one := before.get(connection.exchange)) is not None:
                    self._before[one.id] = one

    def rows(self) -> Iterator[bytes]:
        """The rows of a snapshot in the order of the fleet, each with what other keys listed of it."""
        for number, begins in sorted(self._at.items()):
            if not self._listed and number not in self._anew:
                yield self._line(begins).partition(_ROW)[2][:-1]
            elif (scanned := self._read(begins)) is not None:
                declared = self._anew.get(number, scanned.connection)
                one = enriched(replace(scanned, connection=declared), self._listed)
                yield encoded(snapshot.recorded(one))

    def _read(self, begins: int) -> Scanned | None:
        row = _decoded(self._line(begins)).get("row")
        try:
            return snapshot.rescanned(row) if isinstance(row, dict) else None
        except msgspec.ValidationError:
            return None

    def _line(self, begins: int) -> bytes:
        read = b""
        while b"\n" not in read and (more := os.pread(self._file, 16384, begins + len(read))):
            read += more
        return read.partition(b"\n")[0]

    def _write(self, line: bytes) -> int:
        """Append a line; where it begins."""
        begins = self._end
        data = line + b"\n"
        while data:
            written = os.pwrite(self._file, data, self._end)
            self._end += written
            data = data[written:]
        now = time.monotonic()
        if self.path and now - self._synced >= SYNC_EVERY:
            os.fsync(self._file)
            self._synced = now
        return begins


def _exchange(record: dict[str, Json]) -> ExchangeScanned | None:
    try:
        return msgspec.convert(record.get("asked"), ExchangeScanned)
    except msgspec.ValidationError:
        return None


def _blank(data: bytes) -> bool:
    """Whether a journal was lost before its first line was on the disk: nothing of it, a part, or zeros in its place."""
    start = data.rstrip(b"\0")
    return len(start) < len(_HEADER) and _HEADER.startswith(start)


def _decoded(line: bytes) -> dict[str, Json]:
    try:
        record = msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
