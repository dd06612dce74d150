"""What libraries say beside our own messages: log records and the failures of threads, on stderr, redacted."""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any, TextIO

from bfaudit.redact import redact


class _Redacted(logging.Formatter):
    """A record on one line without secrets; of an exception its type and its frames, never its message."""

    def format(self, record: logging.LogRecord) -> str:
        own = copy(record)
        own.exc_text = None  # another handler leaves its own text of the exception there
        return redact(super().format(own))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return "\n".join([ei[0].__name__ if ei[0] else "", *frames(ei[2])])


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the time."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """As `sys` has it."""


def frames(trace: TracebackType | None) -> list[str]:
    """Where something was raised, without the source lines: they may hold a literal."""
    return [f"  {Path(one.filename).name}:{one.lineno} in {one.name}" for one in extract_tb(trace)]


@contextmanager
def redacted() -> Iterator[None]:
    """Let nothing be logged or reported by a thread but through the redaction.

    The root logger stays at WARNING however loud the run: at DEBUG libraries log signed requests.
    """
    handler = _Stderr()
    handler.setFormatter(_Redacted("%(levelname)s: %(name)s: %(message)s"))
    handler.setLevel(logging.WARNING)
    hooks = threading.excepthook, sys.unraisablehook
    threading.excepthook = sys.unraisablehook = _failed
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        threading.excepthook, sys.unraisablehook = hooks


def _failed(unraisable: Any) -> None:
    """A failure that nobody can catch: of a thread, or of an object that is cleaned up."""
    kind = unraisable.exc_type.__name__ if unraisable.exc_type else "exception"
    print("\n".join([f"warning: {kind}", *frames(unraisable.exc_traceback)]), file=sys.stderr)
