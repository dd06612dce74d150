"""Rate limits, by (exchange, scope): exact sliding windows, so that a documented limit is reached and never broken.

A request reaches the exchange at some moment between its leaving and its answer. So it takes its place when it leaves
and gives it back one window after its answer: whatever the network does, the exchange never sees more than the limit.
The price is one round trip per window.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence

from bfaudit.exchanges.base import Limit, Read, Scope

TICK = 0.02
"""Seconds by which a window is longer than documented: clocks tick, and exchanges round."""


class Window:
    """At most `units` of weight in any `seconds`; callers wait their turn in order."""

    def __init__(self, units: float, seconds: float) -> None:
        self._units = max(1.0, units)
        self._seconds = seconds + TICK
        self._used = 0.0
        self._leaving: deque[tuple[float, float]] = deque()
        """When answered requests leave the window, and their weight."""
        self._turn = asyncio.Lock()
        self._answered = asyncio.Event()

    async def take(self, weight: float) -> None:
        """Wait until `weight` fits, then count it. A weight above the whole window waits for an empty one."""
        async with self._turn:
            loop = asyncio.get_running_loop()
            while self._expire(loop.time()) and self._used + weight > self._units:
                if self._leaving:
                    await asyncio.sleep(max(0.001, self._leaving[0][0] - loop.time()))
                else:
                    self._answered.clear()
                    await self._answered.wait()
            self._used += weight

    def answered(self, weight: float) -> None:
        """The request that took `weight` has its answer, or will have none."""
        at = asyncio.get_running_loop().time() + self._seconds
        self._leaving.append((at, weight))
        self._answered.set()

    def _expire(self, now: float) -> bool:
        """Forget what left the window; whether anything is left in it."""
        leaving = self._leaving
        while leaving and leaving[0][0] <= now:
            self._used = round(self._used - leaving.popleft()[1], 6)
        return self._used > 0

    def idle(self, now: float) -> bool:
        """Whether the window is empty, so that forgetting it changes nothing."""
        return not self._expire(now) and not self._turn.locked()


Taken = Sequence[tuple[Window, float]]
"""The places that one request takes, with its weight in each."""


class Limiter:
    """All windows of one exchange, and its pause after an answer that says to wait."""

    PRUNE_AT = 4096

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._limits = tuple(limits)
        self._windows: dict[tuple[Limit, str], Window] = {}
        self._paused_until = 0.0

    async def take(self, read: Read, account: str, key: str) -> Taken:
        """Wait until `read` may be sent for a key of an account. What it took is to be given to `answered`."""
        taken: list[tuple[Window, float]] = []
        try:
            for limit in self._limits:
                if weight := limit.takes(read):
                    who = {Scope.IP: "", Scope.UID: account, Scope.KEY: key}[limit.scope]
                    window = self._window(limit, who)
                    await window.take(weight)
                    taken.append((window, weight))
            while (wait := self._paused_until - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(wait)
        except BaseException:
            self.answered(taken)
            raise
        return taken

    @staticmethod
    def answered(taken: Taken) -> None:
        """The request has its answer, or will have none."""
        for window, weight in taken:
            window.answered(weight)

    def pause(self, seconds: float) -> None:
        """Let nothing out for so long."""
        until = asyncio.get_running_loop().time() + seconds
        self._paused_until = max(self._paused_until, until)

    def _window(self, limit: Limit, who: str) -> Window:
        window = self._windows.get((limit, who))
        if window is None:
            if len(self._windows) >= self.PRUNE_AT:
                now = asyncio.get_running_loop().time()
                self._windows = {at: one for at, one in self._windows.items() if not one.idle(now)}
            window = self._windows[limit, who] = Window(limit.units, limit.seconds)
        return window
