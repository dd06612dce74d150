"""The one way out for what a command makes: files are written whole or not at all, and never with a secret in them."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import IO

from bfaudit import errors, redact
from bfaudit.pieces import Piece

_STDOUT = frozenset({"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})
_STREAMS = ("/dev/stderr", "/dev/fd/", "/proc/")

IN_MEMORY = 16 * 1024 * 1024
"""How much of what goes to the standard output is held in memory until it is known to be free of secrets; a temporary file holds more."""


def write(place: str, data: bytes | Iterable[Piece]) -> None:
    """Write a file whole or not at all: a run that fails leaves the old one. `-` is the standard output.

    It may come in pieces. A device, a pipe or a stream by its name in /dev is written to, never replaced; a file that
    is replaced keeps its mode. Raises LeakRefused where it would hold a secret of this run, UsageError where it cannot
    be written.
    """
    place = "-" if str(Path(place).absolute()) in _STDOUT else place
    told = "the standard output" if place == "-" else place
    pieces = redact.cleared(told, [data] if isinstance(data, bytes) else data)
    if place == "-":
        _print(pieces)
        return
    path = Path(place)
    try:
        mode = _mode(path)
        if mode is not None and (
            str(Path(place).absolute()).startswith(_STREAMS) or not S_ISREG(mode)
        ):
            with _looked_through(pieces) as file, path.open("wb") as stream:
                shutil.copyfileobj(file, stream)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(_fresh() if mode is None else S_IMODE(mode) & 0o777)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise errors.UsageError(f"cannot write {place}: {error.strerror}") from None


def _print(pieces: Iterable[bytes]) -> None:
    """Write to the standard output; a reader that has seen enough of it is no reason to end otherwise."""
    if sys.stdout is None:
        raise errors.UsageError("cannot write the standard output: it is closed")
    try:
        with _looked_through(pieces) as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        discard()
    except OSError as error:
        discard()
        raise errors.UsageError(f"cannot write the standard output: {error.strerror}") from None


@contextmanager
def _looked_through(pieces: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """Nothing is shown before all of it was looked at: the secret may be in the last piece."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        file.writelines(pieces)
        file.seek(0)
        yield file


def discard() -> None:
    """Let what the standard output did not take go nowhere, so that the interpreter's end does not fail by it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _fresh() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
