"""Being asked to end: SIGINT or SIGTERM ends a command cleanly, a second one at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether somebody asked to end."""

    def __init__(self) -> None:
        self.asked = False
        # Unlike an Event, it may be used within a signal's handler.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._then: Callable[[], object] | None = None

    def ask(self) -> None:
        """Ask to end; for a signal's handler."""
        self.asked = True
        self._bell.put(None)
        if self._then is not None:
            self._then()

    def then(self, call: Callable[[], object] | None) -> None:
        """What else to call when asked, within the signal's handler; at once where that has happened."""
        self._then = call
        if self.asked and call is not None:
            call()

    def wait(self, seconds: float) -> bool:
        """Sleep until somebody asks to end; whether somebody did."""
        if not self.asked:
            with suppress(Empty):
                self._bell.get(timeout=max(0.0, seconds))
        return self.asked


@contextmanager
def stopping() -> Iterator[Stop]:
    """Hear SIGINT and SIGTERM, as long as this lasts. Outside the main thread nobody can be heard."""
    stop = Stop()
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in NUMBERS}

    def heard(_number: int, _frame: FrameType | None) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.ask()

    with suppress(ValueError):
        for number in NUMBERS:
            signal.signal(number, heard)
    try:
        yield stop
    finally:
        with suppress(ValueError):
            for number, handler in before.items():
                signal.signal(number, handler)
