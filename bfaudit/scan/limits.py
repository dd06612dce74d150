"""Rate limits, by (exchange, scope): exact sliding windows, so that a documented limit is reached and never broken."""

import asyncio
from collections import deque
from collections.abc import Iterable

from bfaudit.exchanges.base import Limit, Read, Scope

SHARE = 0.97
"""How much of a documented limit is used."""
MARGIN = 0.15
"""Seconds by which a window is longer than documented: requests may arrive closer than they left."""


class Window:
    """At most `units` of weight in any `seconds`; callers wait their turn in order."""

    def __init__(self, units: float, seconds: float) -> None:
        self._units = max(1.0, units * SHARE)
        self._seconds = seconds + MARGIN
        self._spent: deque[tuple[float, float]] = deque()
        self._sum = 0.0
        self._turn = asyncio.Lock()

    async def take(self, weight: float) -> None:
        """Wait until `weight` fits, then count it. A weight above the whole window waits for an empty one."""
        async with self._turn:
            loop = asyncio.get_running_loop()
            while self._expire(loop.time()) and self._sum + weight > self._units:
                await asyncio.sleep(max(0.001, self._spent[0][0] + self._seconds - loop.time()))
            self._spent.append((loop.time(), weight))
            self._sum += weight

    def _expire(self, now: float) -> bool:
        """Forget what left the window; whether anything is left in it."""
        spent = self._spent
        while spent and spent[0][0] <= now - self._seconds:
            self._sum -= spent.popleft()[1]
        if not spent:
            self._sum = 0.0
        return bool(spent)

    def idle(self, now: float) -> bool:
        """Whether the window is empty, so that forgetting it changes nothing."""
        return not self._expire(now) and not self._turn.locked()


class Limiter:
    """All windows of one exchange, and its pause after an answer that says to wait."""

    PRUNE_AT = 4096

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._limits = tuple(limits)
        self._windows: dict[tuple[Limit, str], Window] = {}
        self._paused_until = 0.0

    async def take(self, read: Read, account: str, key: str) -> None:
        """Wait until `read` may be sent for a key of an account."""
        loop = asyncio.get_running_loop()
        for limit in self._limits:
            if limit.pool is None or limit.pool == read.pool:
                who = {Scope.IP: "", Scope.UID: account, Scope.KEY: key}[limit.scope]
                await self._window(limit, who).take(1.0 if limit.pool is None else read.weight)
        while (wait := self._paused_until - loop.time()) > 0:
            await asyncio.sleep(wait)

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
