"""The one way out for what a command makes: files are written whole or not at all, and never with a secret in them."""

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bfaudit import errors, redact
from bfaudit.pieces import Piece


def write(place: str, data: bytes | Iterable[Piece]) -> None:
    """Write a file whole or not at all: a run that fails leaves the old one. `-` is the standard output.

    It may come in pieces. Raises LeakRefused where it would hold a secret of this run,
    UsageError where it cannot be written.
    """
    told = "the standard output" if place == "-" else place
    pieces = redact.cleared(told, [data] if isinstance(data, bytes) else data)
    if place == "-":
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    path = Path(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(0o666 & ~mask)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise errors.UsageError(f"cannot write {place}: {error.strerror}") from None
