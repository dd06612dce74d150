"""Every adapter beside plain aiohttp: all calls that a key of each exchange really needs, over TLS at 50 ms.

The embedded sandbox plays the exchanges in a process of its own, verifies every signature, and answers with the key's own
label, uid and creation time. An untimed scan records the calls of each key. Then two cases take turns, in the opposite
order every other time, each in a new process:

    f  the floor: plain aiohttp on uvloop sends those calls, one session, one SSL context, and decodes the answers
    r  bfaudit: references resolved, signed, sent, facts parsed, statuses judged, rate limits off

The floor's requests are signed by ccxt before its clock starts: it pays for no signature, bfaudit for each. So they
have to be sent within the narrowest receive window (5 s), which bounds them: an exchange of four calls a key has a
quarter of the keys. Late ones are refused, and void the run. Both pay for the SSL context and for connecting, and both
ask for the exchange's time once.

A run is void (exit code 1) if the sandbox did not see of each case, call by call, what it saw of the recording, every
signature right and every key as often as any other; or if one answer was another key's, or one key not Online.

Figures are medians; the overall one is the geometric mean. Client and sandbox share the machine, and the sandbox does
more than a server of a benchmark needs: where it has no time left (`busy` near 100 %), keys/s are its own, and `CPU f/r`
(the floor's CPU time a key over bfaudit's) tells more.
"""

import argparse
import asyncio
import gc
import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from scan import RESULTS, Setting, goals, machine, medians, void
from server import certificate

LATENCY = 0.05
SETTING = Setting("50 ms", LATENCY, 128, {"f": 0, "r": 0}, {"f": 0.90})

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "binance": ("enableReading", "enableSpotAndMarginTrading"),
    "bingx": ("1", "2"),
    "bitfinex": ("account:read", "orders:read", "wallets:read", "orders:write"),
    "bitget": ("uta_mgt", "uta_trade"),
    "blofin": ("READ", "TRADE"),
    "bybit": ("Spot.SpotTrade",),
    "coinbase": ("view", "trade"),
    "deribit": ("account:read", "trade:read_write"),
    "gate": ("account:r", "spot"),
    "htx": ("readOnly", "trade"),
    "kraken": ("query-funds", "query-open-trades", "modify-trades"),
    "kucoin": ("General", "Spot"),
    "mexc": ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"),
    "okx": ("read_only", "trade"),
}
"""A key that reads and trades, in each exchange's own words."""
UNIFIED = ("bitget",)

Job = dict[str, Any]
"""What a process is told: case, exchange, keys, workers, born, and what the server or the recording says."""


class Own:
    """What is a key's own: nothing of it is another key's."""

    def __init__(self, job: Job, exchange: str, number: int) -> None:
        self.name = f"{exchange}-{number:06}"
        self.label = f"label-{number:06}"
        self.uid = str(700_000_000 + number)
        self.created = datetime.fromtimestamp(job["born"], UTC) + timedelta(seconds=number)
        self.env = f"{exchange.upper()}_{number}"

    def marks(self) -> tuple[bytes, ...]:
        """One of these is in the answers to a key, and in no other's."""
        created = int(self.created.timestamp() * 1000)
        return self.label.encode(), self.uid.encode(), str(created).encode()


def owns(job: Job, exchange: str) -> list[Own]:
    return [Own(job, exchange, number) for number in range(job["keys"])]


def scenario(job: Job, exchanges: Iterable[str]) -> Any:
    """One key on an account of its own, as often as there are keys."""
    from bfaudit.sandbox import Account, Key, Scenario

    def account(exchange: str, own: Own) -> Account:
        key = Key(
            name=own.name,
            label=own.label,
            created=own.created,
            permissions=PERMISSIONS[exchange],
            env=own.env,
        )
        flags = {"unified": True} if exchange in UNIFIED else {}
        return Account(exchange=exchange, name=own.name, uid=own.uid, flags=flags, keys=(key,))

    return Scenario(
        accounts=tuple(account(each, own) for each in exchanges for own in owns(job, each))
    )


def credentials(job: Job) -> Mapping[str, str]:
    """What the owners of the keys hold, by environment name."""
    from bfaudit.sandbox import Sandbox

    return Sandbox(scenario(job, [job["exchange"]])).environment


def serve(job: Job) -> None:
    """The sandbox, until input ends; each line of input asks what it saw since the last."""
    import uvloop

    from bfaudit.sandbox import Sandbox

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="bfaudit-benchmark-") as folder:
        chain, bundle = certificate(Path(folder))
        context.load_cert_chain(chain)
        with Sandbox(scenario(job, job["exchanges"]), ssl_context=context, latency=LATENCY) as box:
            print(json.dumps({"urls": box.urls, "ca": str(bundle)}), flush=True)
            before = time.process_time()
            for _ in sys.stdin:
                records = box.requests[:]
                del box.requests[: len(records)]
                cpu = time.process_time() - before
                print(json.dumps({**told(records), "cpu": cpu}), flush=True)
                before = time.process_time()


def told(records: Sequence[Any]) -> dict[str, Any]:
    """What came in: requests by path and outcome, and by how many keys how many of them."""

    def outcome(record: Any) -> str:
        how = "signed" if record.verified else "BAD" if record.key else "public"
        return f"{record.method} {record.path} {record.status} {how}"

    by_key = Counter(record.key for record in records if record.key)
    times = Counter(by_key.values())
    return {
        "requests": dict(sorted(Counter(map(outcome, records)).items())),
        "keys": {str(count): keys for count, keys in times.items()},
    }


class Server:
    """The server in its process; ends with the block, and with this process whatever happens."""

    def __init__(self, job: Job) -> None:
        self.process = process("server", stdin=subprocess.PIPE)
        self._say(job)
        self.found: dict[str, Any] = self._hear()

    def _say(self, what: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def _hear(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def seen(self) -> dict[str, Any]:
        """What it saw since it was last asked."""
        self._say("seen?")
        seen: dict[str, Any] = self._hear()
        return seen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


def process(part: str, **pipes: Any) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--part", part]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **pipes)


def bfaudit(job: Job) -> dict[str, Any]:
    """Scan the keys of one exchange; with `record`, say the calls of each key too."""
    from bfaudit.scan import lean

    lean.install()  # as the command line does
    from msgspec.structs import replace

    from bfaudit.exchanges import known
    from bfaudit.model import Connection, Place, Status
    from bfaudit.scan.options import Options
    from bfaudit.scan.runner import scan

    exchange, mine = job["exchange"], owns(job, job["exchange"])
    adapter, calls = known()[exchange], {}

    async def recorded(ask: Any) -> None:
        calls[ask.key] = recording = Recording(ask)
        await adapter.fetch(recording)

    fleet = [
        Connection(
            name=own.name,
            exchange=exchange,
            account=own.name,
            requires=("read",),  # BloFin tells no more of a key than whether it may write
            credentials={role: f"env:{own.env}_{role.upper()}" for role in adapter.credentials},
            place=Place("fleet.yaml", number * 9 + 1, 5),
        )
        for number, own in enumerate(mine)
    ]
    environ = credentials(job)
    options = Options(
        urls={exchange: job["url"]},
        environ=environ,
        workers=job["workers"],
        ca_file=job["ca"],
        rate_limits=False,
    )
    adapters = {exchange: replace(adapter, fetch=recorded) if job["record"] else adapter}
    snapshots = []

    async def work() -> None:
        # Not as the task's result: asyncio.Runner takes the repr of its finished task, result and all.
        snapshots.append(await scan(fleet, adapters, options))

    took = timed(asyncio.new_event_loop, work)
    pairs = zip(snapshots[0].connections, mine, strict=True)
    wrong = sum(
        scanned.status is not Status.ONLINE or scanned.reason is not None or not same(scanned, own)
        for scanned, own in pairs
    )
    made = [calls[environ[f"{own.env}_KEY"]].calls for own in mine] if job["record"] else []
    return {**took, "wrong": wrong, "calls": made}


def same(scanned: Any, own: Own) -> bool:
    """Whether all that a scan tells of whose key it is, is this key's; no exchange tells nothing."""
    expected = {
        "key.label": own.label,
        "account_facts.uid": own.uid,  # Kraken's is an IBAN with the uid at its end
        "key.created_at": own.created,
    }
    facts = {path: scanned.facts.get(path) for path in expected}
    known = {path: fact.value for path, fact in facts.items() if fact and fact.value is not None}
    return bool(known) and all(
        str(value).endswith(str(expected[path])) for path, value in known.items()
    )


class Recording:
    """An `Ask` that notes what goes through it."""

    def __init__(self, ask: Any) -> None:
        self.ask, self.calls = ask, []
        self.key, self.wants_uid = ask.key, ask.wants_uid

    async def __call__(self, read: Any, params: Mapping[str, Any] = {}, **more: Any) -> Any:
        self.calls.append((read.call, read.method, {**read.params, **params}))
        return await self.ask(read, params, **more)


def floor(job: Job) -> dict[str, Any]:
    """Send what was recorded, by plain aiohttp."""
    import aiohttp
    import orjson
    import uvloop
    import yarl

    mine = owns(job, job["exchange"])
    paths = [line.split(" ")[1] for line in job["public"]]
    requests = asyncio.run(signed(job, mine))
    keys = [
        [(method, yarl.URL(url, encoded=True), headers, body) for url, method, headers, body in key]
        for key in requests
    ]
    answers: list[list[bytes]] = [[] for _ in mine]

    async def work() -> None:
        context = ssl.create_default_context(cafile=job["ca"])
        connector = aiohttp.TCPConnector(limit=job["workers"], ssl=context)
        queue = zip(keys, answers, strict=True)
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            for path in paths:
                async with session.get(job["url"] + path) as response:
                    await response.read()

            async def worker() -> None:
                for requests, answer in queue:
                    for method, url, headers, body in requests:
                        async with session.request(
                            method, url, headers=headers, data=body
                        ) as response:
                            data = await response.read()
                        orjson.loads(data)
                        answer.append(data)

            await asyncio.gather(*[worker() for _ in range(job["workers"])])

    took = timed(uvloop.new_event_loop, work)
    pairs = zip(answers, mine, strict=True)
    wrong = sum(not any(mark in b"".join(got) for mark in own.marks()) for got, own in pairs)
    return {**took, "wrong": wrong}


async def signed(job: Job, mine: Iterable[Own]) -> list[list[tuple[Any, ...]]]:
    """The requests of each key, as ccxt would send them."""
    import ccxt.async_support as ccxt

    from bfaudit.scan.urls import redirect

    class Signer(getattr(ccxt, job["exchange"])):
        async def fetch(self, *request: Any) -> Any:
            return request

    client, environ = Signer(), credentials(job)
    client.enableRateLimit = False
    client.urls["api"] = redirect(client.urls["api"], job["url"])
    requests = []
    for own, calls in zip(mine, job["calls"], strict=True):
        client.apiKey = environ[f"{own.env}_KEY"]
        client.secret = environ[f"{own.env}_SECRET"]
        client.password = environ.get(f"{own.env}_PASSPHRASE")
        client.options["lastNonce"] = 0  # each key has its own
        requests.append([await asked(client, *call) for call in calls])
    return requests


def asked(client: Any, call: Any, method: str, params: dict[str, Any]) -> Any:
    if isinstance(call, str):
        return getattr(client, call)(params)
    path, sections = call
    return client.request(path, sections, method, params)


def timed(loop: Any, work: Any) -> dict[str, float]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work())
    return {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


PARTS = {"server": serve, "f": floor, "r": bfaudit}


def run(job: Job, server: Server, **more: Any) -> dict[str, Any]:
    """One case in a new process, and what the server saw of it."""
    server.seen()
    child = process(job["case"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        said, complaint = child.communicate(json.dumps({**job, **more}) + "\n", timeout=180)
    finally:
        child.kill()
    seen = server.seen()
    found = {"exchange": job["exchange"], "case": job["case"], "setting": SETTING.name, "keys": job["keys"], "server": seen, "void": []}  # fmt: skip
    if child.returncode:
        return {**found, "void": [f"ended with {child.returncode}: {complaint.strip()[-400:]}"]}
    found |= json.loads(said)
    found |= {
        "per_second": job["keys"] / found["seconds"],
        "cpu_us": found["cpu"] / job["keys"] * 1e6,
        "busy": seen["cpu"] / found["seconds"],
    }
    if found["wrong"]:
        found["void"].append(f"{found['wrong']} keys with another key's answer, or not Online")
    return found


def run_exchange(job: Job, server: Server, repetitions: int) -> Iterator[dict[str, Any]]:
    """The cases in turn, each held against the recording; as many keys as there are requests for."""
    job = {**job, "case": "r"}
    one = run({**job, "keys": 1}, server, record=True)
    job["keys"] //= max([1, *map(len, one.get("calls", ()))])
    first = run(job, server, record=True)
    seen, calls = first["server"], first.pop("calls", [])
    right = list(seen["keys"].values()) == [job["keys"]] and "BAD" not in str(seen["requests"])
    if first["void"] or not right:
        yield {**first, "case": "recording", "void": [*first["void"], f"recorded {seen}"]}
        return
    public = [line for line in seen["requests"] if line.endswith("public")]
    for number in range(repetitions):
        for case in "rf" if number % 2 else "fr":
            one = run({**job, "case": case}, server, record=False, calls=calls, public=public)
            one.pop("calls", None)
            one["void"] += differences(one["server"], seen)
            yield {**one, "repetition": number, "calls_per_key": len(calls[0])}


def differences(seen: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[str]:
    """What the server saw of a case otherwise than of the recording."""
    return [
        f"{what} {seen[what]} instead of {recorded[what]}"
        for what in ("requests", "keys")
        if seen[what] != recorded[what]
    ]


def table(runs: Sequence[dict[str, Any]]) -> tuple[str, dict[str, dict[str, float]]]:
    """The figures as text, and bfaudit's share of the floor by exchange and overall."""
    rate, cpu, busy = (medians(runs, what) for what in ("per_second", "cpu_us", "busy"))
    calls = {run["exchange"]: run["calls_per_key"] for run in runs if "calls_per_key" in run}
    done = [each for each in calls if (each, "f") in rate and (each, "r") in rate]
    lines = [f"{'':12}{'calls':>6}{'keys/s f':>10}{'r':>7}{'r/f':>7}{'CPU us/key f':>14}{'r':>7}{'CPU f/r':>9}{'busy f':>8}{'r':>6}"]  # fmt: skip
    ratios: dict[str, dict[str, float]] = {}
    for each in done:
        f, r = (each, "f"), (each, "r")
        ratios[each] = {"r/f": rate[r] / rate[f], "cpu": cpu[f] / cpu[r]}
        lines.append(
            f"{each:12}{calls[each]:6}{rate[f]:10,.0f}{rate[r]:7,.0f}{ratios[each]['r/f']:7.2f}"
            f"{cpu[f]:14,.0f}{cpu[r]:7,.0f}{ratios[each]['cpu']:9.2f}{busy[f]:8.0%}{busy[r]:6.0%}"
        )
    if done:
        ratios["overall"] = {
            name: statistics.geometric_mean([ratios[each][name] for each in done])
            for name in ("r/f", "cpu")
        }
        lines.append(f"{'overall':35}{ratios['overall']['r/f']:7.2f}{ratios['overall']['cpu']:30.2f}")  # fmt: skip
    return "\n".join(lines), ratios


def cost(runs: Iterable[dict[str, Any]]) -> float:
    """The sandbox's CPU time of a request, in microseconds."""
    servers = [run["server"] for run in runs]
    return sum(one["cpu"] for one in servers) / max(1, sum(sum(one["requests"].values()) for one in servers)) * 1e6  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="four exchanges, once, few keys")
    parser.add_argument("--keys", type=int, help="of an exchange of one call a key")
    parser.add_argument("--workers", type=int, default=SETTING.workers, help="keys asked at once")
    parser.add_argument("--exchanges", help="comma-separated; all")
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part](json.loads(sys.stdin.readline()))))
        return 0
    quick = ("binance", "coinbase", "htx", "kraken")
    chosen = args.exchanges.split(",") if args.exchanges else quick if args.quick else PERMISSIONS
    repetitions = args.repetitions or (1 if args.quick else 3)
    job: Job = {
        "keys": args.keys or (1000 if args.quick else 3000),
        "workers": args.workers,
        "born": int(time.time()) - 30 * 86_400,
    }
    about, started, runs = machine(), time.monotonic(), []
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print(f"{job['keys']} calls at each exchange, {job['workers']} at once", flush=True)
    for exchange in chosen:
        with Server({**job, "exchanges": [exchange]}) as server:
            found = server.found
            mine = {**job, "exchange": exchange, "url": found["urls"][exchange], "ca": found["ca"]}
            runs += run_exchange(mine, server, repetitions)
    text, ratios = table(runs)
    print(f"\n{text}\n\n" + "\n".join(goals(SETTING, ratios)))
    print(f"sandbox: {cost(runs):.0f} us CPU a request; {time.monotonic() - started:.0f} s in all")
    print(f"raw figures: {keep(about, runs)}")
    return void(runs)


def keep(about: Mapping[str, Any], runs: list[dict[str, Any]]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"adapters-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps({"at": now.isoformat(), "machine": about, "runs": runs}, indent=1))
    return path


if __name__ == "__main__":
    sys.exit(main())
