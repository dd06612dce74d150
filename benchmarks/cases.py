"""The clients of `benchmarks/scan.py`: what each case does with its keys. Run as a script, it measures one job."""

import asyncio
import base64
import gc
import hashlib
import hmac
import json
import resource
import ssl
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from server import SITES, Identity, identity


def _mexc(key: str, who: Identity) -> Iterator[tuple[str, dict[str, str]]]:
    for path, first in (("/api/v3/apiKeyInfo", {"accessKey": key}), ("/api/v3/uid", {})):
        query = urlencode({**first, "timestamp": _now(), "recvWindow": 5000})
        headers = {"X-MEXC-APIKEY": key, "source": "CCXT"}
        yield f"{path}?{query}&signature={_digest(who.secret, query).hex()}", headers


def _kucoin(key: str, who: Identity) -> Iterator[tuple[str, dict[str, str]]]:
    path, stamp = "/api/v1/user/api-key", str(_now())
    yield (
        path,
        {
            "KC-API-KEY-VERSION": "2",
            "KC-API-KEY": key,
            "KC-API-TIMESTAMP": stamp,
            "KC-API-PASSPHRASE": _base64(_digest(who.secret, who.passphrase)),
            "KC-API-SIGN": _base64(_digest(who.secret, f"{stamp}GET{path}")),
        },
    )


def _binance(key: str, who: Identity) -> Iterator[tuple[str, dict[str, str]]]:
    query = urlencode({"timestamp": _now(), "recvWindow": 10000})
    path = "/sapi/v1/account/apiRestrictions"
    yield f"{path}?{query}&signature={_digest(who.secret, query).hex()}", {"X-MBX-APIKEY": key}


def _okx(key: str, who: Identity) -> Iterator[tuple[str, dict[str, str]]]:
    path = "/api/v5/account/config"
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    yield (
        path,
        {
            "OK-ACCESS-KEY": key,
            "OK-ACCESS-PASSPHRASE": who.passphrase,
            "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-SIGN": _base64(_digest(who.secret, f"{stamp}GET{path}")),
        },
    )


def _bybit(key: str, who: Identity) -> Iterator[tuple[str, dict[str, str]]]:
    stamp = str(_now())
    yield (
        "/v5/user/query-api",
        {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": _digest(who.secret, f"{stamp}{key}5000").hex(),
        },
    )


def _now() -> int:
    return time.time_ns() // 1_000_000


def _digest(secret: str, message: str) -> bytes:
    return hmac.digest(secret.encode(), message.encode(), "sha256")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One exchange as the clients see it. A new one is one more of these, and a `Site` of the server."""

    key_length: int
    roles: tuple[str, ...] = ("key", "secret")
    call: str
    """ccxt's introspection call."""
    params: Callable[[str], dict[str, Any]] = lambda _key: {}
    signed: Callable[[str, Identity], Iterator[tuple[str, dict[str, str]]]]
    """The requests that bfaudit sends for a key, signed by hand."""
    own: Callable[[Any, Identity], bool]
    """Whether an answer is this key's."""
    tells: tuple[str, ...]
    """The facts by which a scan is known to be this key's."""


ALL_TOLD = ("key.label", "key.created_at", "account_facts.uid")
THREE = ("key", "secret", "passphrase")

PLAYS: Mapping[str, Play] = {
    "mexc": Play(
        key_length=18,
        call="spotPrivateGetApiKeyInfo",
        params=lambda key: {"accessKey": key},
        signed=_mexc,
        own=lambda body, who: (
            body.get("note", who.label) == who.label and body.get("uid", who.uid) == who.uid
        ),
        tells=ALL_TOLD,
    ),
    "kucoin": Play(
        key_length=24,
        roles=THREE,
        call="privateGetUserApiKey",
        signed=_kucoin,
        own=lambda body, who: body["data"]["remark"] == who.label,
        tells=ALL_TOLD,
    ),
    "binance": Play(
        key_length=64,
        call="sapiGetAccountApiRestrictions",
        signed=_binance,
        own=lambda body, who: body["createTime"] == who.created_ms,
        tells=("key.created_at",),
    ),
    "okx": Play(
        key_length=36,
        roles=THREE,
        call="privateGetAccountConfig",
        signed=_okx,
        own=lambda body, who: body["data"][0]["label"] == who.label,
        tells=("key.label", "account_facts.uid"),
    ),
    "bybit": Play(
        key_length=18,
        call="privateGetV5UserQueryApi",
        signed=_bybit,
        own=lambda body, who: body["result"]["note"] == who.label,
        tells=ALL_TOLD,
    ),
}


@dataclass(frozen=True, slots=True)
class Job:
    """What one process is to do."""

    case: str
    exchange: str
    keys: int
    workers: int
    url: str
    ca: str

    def made_keys(self) -> list[str]:
        length = PLAYS[self.exchange].key_length
        texts = (f"{self.exchange} {number}".encode() for number in range(self.keys))
        return [hashlib.sha256(text).hexdigest()[:length] for text in texts]


Measured = Callable[[], int]
"""The part of a case that is timed; says how many keys were answered wrongly."""


def naive_sync(job: Job) -> Measured:
    import ccxt

    cls, naive = getattr(ccxt, job.exchange), Naive(job, ccxt)
    keys = job.made_keys()

    def run() -> int:
        return sum(naive.ask(cls(naive.config(key, validateServerSsl=job.ca)), key) for key in keys)  # fmt: skip

    return run


def careful_sync(job: Job) -> Measured:
    import ccxt

    cls, naive = getattr(ccxt, job.exchange), Naive(job, ccxt)
    keys = job.made_keys()

    def run() -> int:
        client, wrong = cls(naive.config(keys[0], validateServerSsl=job.ca)), 0
        for key in keys:
            who = identity(key)
            client.apiKey, client.secret, client.password = key, who.secret, who.passphrase
            wrong += naive.ask(client, key)
        return wrong

    return run


def naive_async(job: Job) -> Measured:
    import ccxt.async_support as ccxt

    cls, naive = getattr(ccxt, job.exchange), Naive(job, ccxt)
    play, keys = PLAYS[job.exchange], job.made_keys()

    async def one(key: str) -> bool:
        client = cls(naive.config(key, cafile=job.ca))
        client.urls["api"] = naive.api
        try:
            body = await getattr(client, play.call)(play.params(key))
        finally:
            await client.close()
        return not play.own(body, identity(key))

    async def all_keys() -> int:
        return sum(await asyncio.gather(*[one(key) for key in keys]))

    return lambda: asyncio.run(all_keys())


@dataclass(frozen=True, slots=True)
class Naive:
    """What the ccxt cases share: its URLs, redirected once, and how an instance is made and asked."""

    job: Job
    ccxt: Any
    api: Any = None

    def __post_init__(self) -> None:
        from bfaudit.scan.urls import redirect

        made = getattr(self.ccxt, self.job.exchange)()
        object.__setattr__(self, "api", redirect(made.urls["api"], self.job.url))

    def config(self, key: str, **trust: str) -> dict[str, Any]:
        who = identity(key)
        given = {"apiKey": key, "secret": who.secret, "password": who.passphrase}
        return {**given, "enableRateLimit": False, **trust}

    def ask(self, client: Any, key: str) -> bool:
        play = PLAYS[self.job.exchange]
        client.urls["api"] = self.api
        body = getattr(client, play.call)(play.params(key))
        return not play.own(body, identity(key))


def floor(job: Job) -> Measured:
    import aiohttp
    import orjson
    import uvloop
    import yarl

    play, keys = PLAYS[job.exchange], job.made_keys()
    whos = [identity(key) for key in keys]

    async def all_keys() -> int:
        context = ssl.create_default_context(cafile=job.ca)
        connector = aiohttp.TCPConnector(limit=job.workers, ssl=context)
        queue, wrong = iter(zip(keys, whos, strict=True)), 0
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            async with session.get(job.url + SITES[job.exchange].time[0]) as response:
                await response.read()

            async def worker() -> None:
                nonlocal wrong
                for key, who in queue:
                    own = True
                    for target, headers in play.signed(key, who):
                        url = yarl.URL(job.url + target, encoded=True)
                        async with session.get(url, headers=headers) as response:
                            body = orjson.loads(await response.read())
                        own = own and response.status == 200 and play.own(body, who)
                    wrong += not own

            await asyncio.gather(*[worker() for _ in range(job.workers)])
        return wrong

    return lambda: _on(uvloop.new_event_loop, all_keys())


def bfaudit(job: Job) -> Measured:
    from bfaudit.scan import lean

    lean.install()  # as the command line does
    from bfaudit.exchanges import known
    from bfaudit.model import Connection, Place, Scanned, Status
    from bfaudit.scan.options import Options
    from bfaudit.scan.runner import scan

    play, keys = PLAYS[job.exchange], job.made_keys()
    whos = [identity(key) for key in keys]
    environ: dict[str, str] = {}
    fleet = []
    for number, (key, who) in enumerate(zip(keys, whos, strict=True)):
        values = {"key": key, "secret": who.secret, "passphrase": who.passphrase}
        environ |= {f"K{number}_{role.upper()}": values[role] for role in play.roles}
        fleet.append(
            Connection(
                name=f"{job.exchange} spot {number}",
                exchange=job.exchange,
                account=f"account {number}",
                requires=("read", "trade"),
                credentials={role: f"env:K{number}_{role.upper()}" for role in play.roles},
                place=Place("fleet.yaml", number * 9 + 1, 5),
            )
        )
    options = Options(
        urls={job.exchange: job.url},
        environ=environ,
        workers=job.workers,
        ca_file=job.ca,
        rate_limits=False,
    )
    adapters = known()

    def own(scanned: Scanned, who: Identity) -> bool:
        told = {"key.label": who.label, "key.created_at": who.created, "account_facts.uid": who.uid}
        facts = [scanned.facts.get(path) for path in play.tells]
        same = [f and f.value == told[path] for f, path in zip(facts, play.tells, strict=True)]
        return scanned.status is Status.ONLINE and scanned.reason is None and all(same)

    async def work() -> None:
        # Not as the task's result: asyncio.Runner takes the repr of its finished task, result and all.
        snapshots.append(await scan(fleet, adapters, options))

    def run() -> int:
        _on(asyncio.new_event_loop, work())
        return 0

    def check() -> int:
        (snapshot,) = snapshots
        pairs = zip(snapshot.connections, whos, strict=True)
        return sum(not own(scanned, who) for scanned, who in pairs)

    snapshots: list[Any] = []
    checks[run] = check
    return run


checks: dict[Measured, Callable[[], int]] = {}
"""What is looked at after the clock has stopped, where a case keeps its answers."""


def _on(loop: Callable[[], asyncio.AbstractEventLoop], work: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(work)


CLIENTS: Mapping[str, Callable[[Job], Measured]] = {
    "a": naive_sync,
    "b": naive_async,
    "c": careful_sync,
    "f": floor,
    "r": bfaudit,
}


def measure(job: Job) -> dict[str, Any]:
    """Run a case in this process."""
    run = CLIENTS[job.case](job)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    wrong = run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong += checks[run]() if run in checks else 0
    return {
        "seconds": wall,
        "cpu": cpu,
        "per_second": job.keys / wall,
        "cpu_us": cpu / job.keys * 1e6,
        "wrong": wrong,
        "rss_mb": after / 1024,
        "rss_more_mb": (after - before) / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(measure(Job(**json.loads(sys.argv[1])))))
