"""How long a scan must take: a cost model of each exchange's limits, and a simulation in virtual time to check it by.

`python benchmarks/scale.py` prints the table of docs/scale.md; `--simulate N` runs every exchange with N keys through
the real limiter, against windows that are enforced at arrival, on a clock that jumps from event to event.
"""

import argparse
import asyncio
import math
import random
import selectors
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bfaudit.exchanges import known
from bfaudit.exchanges.base import Adapter, Limit, Read, Scope
from bfaudit.exchanges.rehearsal import rehearse
from bfaudit.sandbox.limits import Window as Enforced
from bfaudit.sandbox.site import Quota
from bfaudit.scan.limits import TICK, Limiter

RTT = 0.08
"""Seconds between a request's leaving and its answer, in the table."""
WORKERS = 32
"""Requests under way at once to one exchange: `--workers`."""
HOST = 1_500
"""Requests a second of one slow core (README.md in this folder)."""
SIZES = (1_000, 10_000, 100_000, 1_000_000)
BEGIN, END = "<!-- made by benchmarks/scale.py -->", "<!-- end -->"


@dataclass(frozen=True)
class Wall:
    """The limit that a scan of one exchange from one address meets, every key in an account of its own."""

    limit: Limit | None
    per_key: float
    """What one key takes of it."""

    @property
    def rate(self) -> float:
        """Keys per second; infinite where no limit of the address is documented."""
        if self.limit is None:
            return math.inf
        return self.limit.units / self.limit.seconds / self.per_key

    def seconds(self, keys: int, reads: int, host: float = HOST) -> float:
        """From the first request to the last answer: the slowest of limit, round trips and this host."""
        own = max(keys * reads * RTT / WORKERS, keys * reads / host)
        if self.limit is None:
            return own
        windows = math.ceil(keys * self.per_key / self.limit.units) - 1
        left = keys - windows * self.limit.units / self.per_key
        return max(own, windows * (self.limit.seconds + TICK + RTT) + left * reads * RTT / WORKERS)


def reads_of(adapter: Adapter) -> list[Read]:
    """What one good key costs."""
    return asyncio.run(rehearse(adapter, wants_uid=False))


def walls(adapter: Adapter, reads: Iterable[Read]) -> list[Wall]:
    """The limits by address, the slowest first; in the end none but this host's own."""
    found = [Wall(None, 0.0)]
    for limit in adapter.limits:
        takes = sum(limit.takes(read) for read in reads)
        if limit.scope is Scope.IP and takes:
            found.append(Wall(limit, takes))
    return sorted(found, key=lambda one: one.rate)


def modelled(adapter: Adapter, keys: int, host: float = HOST) -> float:
    """Seconds that a scan of so many keys of one exchange takes from one address."""
    reads = reads_of(adapter)
    return max(one.seconds(keys, len(reads), host) for one in walls(adapter, reads))


class Jumping(selectors.SelectSelector):
    """A selector that does not wait: the time until the next event has passed."""

    moment = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.moment += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next event instead of waiting for it."""

    def __init__(self) -> None:
        self._clock = Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.moment


@dataclass
class Simulated:
    """What a simulated scan came to."""

    seconds: float
    sent: int
    rejected: int


def simulate(adapter: Adapter, keys: int, workers: int = WORKERS, accounts: int | None = None) -> Simulated:  # fmt: skip
    """Scan `keys` of one exchange in virtual time; answers take half to one and a half `RTT`."""
    reads, rng = reads_of(adapter), random.Random(1)
    enforced: dict[tuple[Limit, str], Enforced] = {}
    seen = Simulated(0.0, 0, 0)

    def arrives(read: Read, account: str, key: str, now: float) -> None:
        seen.sent += 1
        for limit in adapter.limits:
            weight = limit.takes(read)
            if not weight:
                continue
            who = {Scope.IP: "", Scope.UID: account, Scope.KEY: key}[limit.scope]
            quota = Quota(limit.units, limit.seconds, limit.scope.value)
            window = enforced.setdefault((limit, who), Enforced(quota))
            if window.wait(weight, now) is None:
                window.add(weight, now)
            else:
                seen.rejected += 1

    async def worker(limiter: Limiter, queue: Iterator[int]) -> None:
        loop = asyncio.get_running_loop()
        for number in queue:
            account = str(number % accounts if accounts else number)
            for read in reads:
                taken = await limiter.take(read, account, str(number))
                whole, there = RTT * rng.uniform(0.5, 1.5), rng.uniform(0.1, 0.9)
                await asyncio.sleep(whole * there)
                arrives(read, account, str(number), loop.time())
                await asyncio.sleep(whole * (1 - there))
                limiter.answered(taken)

    async def all_keys() -> None:
        limiter, queue = Limiter(adapter.limits), iter(range(keys))
        await asyncio.gather(*[worker(limiter, queue) for _ in range(workers)])
        seen.seconds = asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(all_keys())
    return seen


def rows() -> Iterator[str]:
    """The table of docs/scale.md."""
    sizes = " | ".join(f"{size:,} keys" for size in SIZES)
    yield f"| exchange | requests a key | the wall, by address | keys/s | connections | {sizes} |"
    yield "|---|---|---|---|---|" + "---|" * len(SIZES)
    for adapter in adapters():
        reads = reads_of(adapter)
        slowest = walls(adapter, reads)[0]
        times = (_time(modelled(adapter, size)) for size in SIZES)
        cells = [adapter.title, str(len(reads)), *_said(slowest, len(reads)), *times]
        yield f"| {' | '.join(cells)} |"


def adapters() -> list[Adapter]:
    """Every exchange that describes its keys."""
    found = {one.id: one for one in known().values() if one.support == "full"}
    return sorted(found.values(), key=lambda one: one.title.lower())


def _said(found: Wall, reads: int) -> tuple[str, str, str]:
    if found.limit is None:
        return "none by address", f"{min(WORKERS / RTT, HOST) / reads:,.0f}", str(WORKERS)
    limit = found.limit
    what = "requests" if limit.pool is None else f"weight in `{limit.pool}`"
    says = f"{limit.units:,g} {what} in {limit.seconds:g} s; a key takes {found.per_key:g}"
    return says, f"{found.rate:,.1f}", str(min(WORKERS, math.ceil(found.rate * reads * RTT)))


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", metavar="FILE", type=Path, help="put the table into a page")
    parser.add_argument(
        "--simulate", type=int, metavar="N", help="scan N keys of each in virtual time"
    )
    args = parser.parse_args()
    table = "\n".join(rows())
    if args.write:
        page = args.write.read_text("utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        args.write.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")
        return 0
    if not args.simulate:
        print(table)
        return 0
    refused = 0
    for adapter in adapters():
        seen = simulate(adapter, args.simulate)
        model = modelled(adapter, args.simulate, math.inf)
        refused += seen.rejected
        print(
            f"{adapter.id:10} {seen.seconds:10.1f} s, by the model {model:10.1f} s, "
            f"{seen.sent:,} requests, {seen.rejected} refused"
        )
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
