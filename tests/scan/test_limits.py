"""Rate limits: exact windows, in order, paused together."""

import asyncio
import os
import time

import pytest
from msgspec.structs import replace

from bfaudit.exchanges.base import Limit, Read, Scope
from bfaudit.sandbox import Account, Fault, Key, Limits, Scenario
from bfaudit.scan.limits import TICK, Limiter, Window
from tests.scan.fleet import connection, scan_fleet
from tests.scan.fourteen import (
    FLAGS,
    FOURTEEN,
    fourteen_connections,
    fourteen_scenario,
    key_of,
)

READ = Read(label="a", path="GET /a", call="a", weight=10)


def _moments(limits, takes, answer=lambda: 0.0, read=READ):
    """When each of some takes was let through, in seconds from the start; `answer` says how long its answer takes."""

    async def run():
        limiter = Limiter(limits)
        loop = asyncio.get_running_loop()
        start = loop.time()

        async def one(account):
            taken = await limiter.take(read, account, "key")
            moment = loop.time() - start
            await asyncio.sleep(answer())
            limiter.answered(taken)
            return moment

        return await asyncio.gather(*[one(account) for account in takes])

    return asyncio.run(run())


def test_a_window_lets_through_what_fits_and_then_waits():
    """Five of weight 10 fit into 52 units; the sixth waits for the window to pass."""
    limit = Limit(52, 0.4, Scope.IP)
    moments = _moments([limit], ["a"] * 6)

    assert max(moments[:5]) < 0.2
    assert moments[5] >= 0.4 + TICK - 0.01


def test_no_window_of_the_documented_length_ever_holds_more():
    """Whatever the order, no span of the documented length has more than the documented weight."""
    limit = Limit(50, 0.2, Scope.IP)
    moments = sorted(_moments([limit], ["a"] * 15))

    for start in moments:
        assert sum(10 for moment in moments if start <= moment < start + 0.2) <= 50


def test_accounts_have_windows_of_their_own():
    """A limit per account does not slow another account."""
    limit = Limit(10, 5, Scope.UID)
    moments = _moments([limit], ["a", "b", "c"])

    assert max(moments) < 1


def test_a_pool_within_a_pool_counts_for_both():
    """A read with a limit of its own also uses up the limit of the pool that it is in."""
    within = replace(READ, pool="default/own")
    own, whole = Limit(10, 0.3, Scope.IP, pool="default/own"), Limit(10, 0.3, Scope.IP)

    assert max(_moments([own], ["a", "b"])) < 0.2
    assert max(_moments([own], ["a", "b"], read=within)) >= 0.3
    assert max(_moments([whole], ["a", "b"], read=within)) >= 0.3


def test_a_limit_without_pool_counts_requests():
    """A limit on all requests counts each as one, whatever its weight."""
    limit = Limit(3, 5, Scope.IP, pool=None)
    moments = _moments([limit], ["a", "b", "c"])

    assert max(moments) < 1


def test_a_pause_holds_everything_back():
    """After `pause` nothing leaves until it is over."""

    async def run():
        limiter = Limiter(())
        limiter.pause(0.2)
        start = time.monotonic()
        await limiter.take(READ, "a", "key")
        return time.monotonic() - start

    assert asyncio.run(run()) >= 0.19


def test_windows_of_accounts_long_gone_are_forgotten():
    """Memory does not grow with the number of accounts."""

    async def run():
        limiter = Limiter([Limit(1000, 0.001, Scope.UID)])
        for number in range(3 * Limiter.PRUNE_AT):
            limiter.answered(await limiter.take(READ, str(number), "key"))
            if number % Limiter.PRUNE_AT == 0:
                await asyncio.sleep(TICK + 0.01)
        return len(limiter._windows)

    assert asyncio.run(run()) <= 2 * Limiter.PRUNE_AT


def test_a_weight_above_the_window_is_let_through_alone():
    """One read heavier than its whole window waits for an empty window, not for ever."""

    async def run():
        window = Window(5, 0.01)
        await asyncio.wait_for(window.take(50), 1)

    asyncio.run(run())


@pytest.mark.parametrize("count", [120])
def test_an_exact_limit_is_never_broken(count):
    """The sandbox enforces MEXC's documented window; not one request is refused."""
    keys = tuple(
        Key(
            name=f"k{number}",
            env=f"K{number}",
            permissions=("SPOT_ACCOUNT_READ", "SPOT_DEAL_WRITE"),
        )
        for number in range(count)
    )
    played = Scenario(accounts=(Account(exchange="mexc", keys=keys),), limits=Limits(enforce=True))
    fleet = [connection("mexc", f"K{number}", account="main") for number in range(count)]
    seen = scan_fleet(played, fleet)

    assert {200} == {one.status for one in seen.requests}
    assert {"Online"} == {one.status for one in seen.snapshot.connections}


LONG = bool(os.environ.get("BFAUDIT_TEST_LONG"))
REACHED = {"bingx": 8, "okx": 14, "bitget": 14, "bybit": 24, "htx": 24, "coinbase": 70, "deribit": 45}  # fmt: skip
"""Keys of one account that reach the documented limit of their exchange within seconds."""
REACHED_LATE = {"bitfinex": 95, "gate": 90, "blofin": 520, "kucoin": 520, "mexc": 520, "binance": 320}  # fmt: skip
"""Keys that reach limits of a minute; Kraken's is counted by key, and a scan never reaches it."""


def test_no_exchange_ever_has_to_refuse():
    """Every exchange enforces its documented windows at once; none answers 429 or 418, and every key is Online."""
    counts = {**dict.fromkeys(FOURTEEN, 5), **REACHED, **(REACHED_LATE if LONG else {})}
    accounts, fleet = [], []
    for exchange, count in counts.items():
        names = [f"{exchange.upper()}{number}" for number in range(count)]
        held = tuple(replace(key_of(exchange), name=name, env=name) for name in names)
        accounts.append(Account(exchange=exchange, keys=held, flags=FLAGS.get(exchange, {})))
        fleet += [connection(exchange, name, account="main", requires=("read",)) for name in names]
    seen = scan_fleet(Scenario(accounts=tuple(accounts), limits=Limits(enforce=True)), fleet)

    outcomes = {made.outcome for one in seen.snapshot.connections for made in one.requests}

    assert not {429, 418} & {one.status for one in seen.requests}
    assert not {"rate-limited", "banned"} & outcomes
    assert {"Online"} == {one.status for one in seen.snapshot.connections}


@pytest.mark.parametrize("banned", ["okx", "kraken"])
def test_a_ban_is_one_exchanges_affair(banned):
    """The exchange that bans is asked nothing more and says so; the thirteen others are scanned."""
    fault = Fault(kind="ban", exchange=banned, path="*[!e]")
    fleet = fourteen_connections()
    fleet += [replace(one, name=f"{one.name} again") for one in fleet if one.exchange == banned]
    seen = scan_fleet(fourteen_scenario(faults=(fault,)), fleet, workers=1)
    statuses = {one.connection.exchange: one.status for one in seen.snapshot.connections}
    reasons = {one.reason for one in seen.snapshot.connections if one.connection.exchange == banned}
    private = [one for one in seen.requests if one.exchange == banned and one.key]

    assert {"Exchange unavailable"} == {statuses.pop(banned)}
    assert {"Online"} == set(statuses.values())
    assert {"banned"} == reasons
    assert 1 == len(private)
