"""Exact sliding windows: how much weight an address, account or key spent in the last seconds."""

from collections import deque
from collections.abc import Callable
from time import monotonic

from bfaudit.sandbox.call import Call, Refused
from bfaudit.sandbox.site import Quota, Site, trouble


class Window:
    """What was spent of one quota by one spender."""

    __slots__ = ("_quota", "_spent", "_total")

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._spent: deque[tuple[float, float]] = deque()
        self._total = 0.0

    def wait(self, weight: float, now: float) -> float | None:
        """None where `weight` fits, or the seconds until it would."""
        horizon = now - self._quota.seconds
        while self._spent and self._spent[0][0] <= horizon:
            self._total -= self._spent.popleft()[1]
        excess = self._total + weight - self._quota.units
        if excess <= 0:
            return None
        for at, spent in self._spent:
            excess -= spent
            if excess <= 0:
                return at - horizon
        return self._quota.seconds

    def add(self, weight: float, now: float) -> None:
        """Count a request that fits."""
        self._spent.append((now, weight))
        self._total += weight


class Limiter:
    """Enforces the quotas of one exchange. A refused request is not counted."""

    def __init__(self, site: Site, clock: Callable[[], float] = monotonic) -> None:
        self._site = site
        self._clock = clock
        self._windows: dict[tuple[Quota, str], Window] = {}

    def spend(self, call: Call, pool: str, weight: float) -> None:
        """Count a request; raises `Refused` with the exchange's own 429 where it does not fit."""
        now = self._clock()
        windows = [
            self._windows.setdefault((quota, who), Window(quota))
            for quota in self._site.quotas
            if quota.pool == pool and (who := _spender(quota, call)) is not None
        ]
        waits = [wait for each in windows if (wait := each.wait(weight, now)) is not None]
        if waits:
            raise Refused(trouble(self._site, "rate-limit", retry_after=max(waits)))
        for each in windows:
            each.add(weight, now)


def _spender(quota: Quota, call: Call) -> str | None:
    match quota.scope:
        case "ip":
            return call.address
        case "uid":
            return call.book.uid(call.account) if call.key else None
        case "key":
            return call.key.name if call.key else None
