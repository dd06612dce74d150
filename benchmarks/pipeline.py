"""The whole pipeline beside the requests alone: manifest -> scan -> 50 rules -> JSON and SARIF, over TLS at 50 ms.

`floor` sends the same requests by plain aiohttp, and does nothing else. Both are processes of their own and take turns;
whole-process wall and CPU time and peak memory, Python's start and imports included. Rate limits are off: no exchange would
allow such a rate. A run is void if a signature was wrong, or a key not Online.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cases import PLAYS, Job
from scan import Server
from server import SITES, identity

WORKERS = 32


def keys_of(exchange: str, count: int) -> list[str]:
    return Job("", exchange, count, 0, "", "").made_keys()


def manifest(keys: Mapping[str, list[str]]) -> str:
    lines = [
        "apiVersion: bfaudit/v1",
        "kind: Manifest",
        "servers: {one: [203.0.113.7]}",
        "connections:",
    ]
    for exchange, mine in keys.items():
        for number in range(len(mine)):
            lines += [
                f"  - name: {exchange} Spot {number}",
                f"    exchange: {exchange}",
                f"    account: {exchange}-{number}",
                f"    strategy: {exchange}-grid-{number}",
                "    requires: [read, trade]",
                "    servers: [one]",
                "    credentials:",
                *(
                    f"      {role}: env:{exchange.upper()}_{role.upper()}_{number}"
                    for role in PLAYS[exchange].roles
                ),
            ]
    return "\n".join(lines) + "\n"


def environment(keys: Mapping[str, list[str]]) -> dict[str, str]:
    found = {}
    for exchange, mine in keys.items():
        for number, key in enumerate(mine):
            who = identity(key)
            values = {"key": key, "secret": who.secret, "passphrase": who.passphrase}
            for role in PLAYS[exchange].roles:
                found[f"{exchange.upper()}_{role.upper()}_{number}"] = values[role]
    return found


def whole(job: dict[str, Any]) -> dict[str, float]:
    """The stages as `bfaudit audit` puts them together, and how long each takes."""
    from report import policies

    from bfaudit.scan import lean

    lean.install()
    from bfaudit import exchanges, redact
    from bfaudit.cli.reporting import report, sources_of
    from bfaudit.evaluate import evaluate
    from bfaudit.manifest import load
    from bfaudit.model import Status
    from bfaudit.scan.options import Options
    from bfaudit.scan.runner import scan

    keys = {exchange: keys_of(exchange, job["each"]) for exchange in job["urls"]}
    environ = environment(keys)
    at, took = time.perf_counter(), {}

    def lap(name: str) -> None:
        nonlocal at
        now = time.perf_counter()
        took[name], at = now - at, now

    loaded = load([job["manifest"]], exchanges.credentials_of())
    lap("load")
    options = Options(
        urls=job["urls"], environ=environ, workers=WORKERS, ca_file=job["ca"], rate_limits=False
    )
    with redact.run():  # the secrets that it resolves are looked for in what is written
        snapshots = []

        async def scanned() -> None:
            # Not as the task's result: asyncio.run takes its repr, unless somebody else listens to SIGINT.
            snapshots.append(await scan(loaded.connections, exchanges.known(), options))

        asyncio.run(scanned())
        (snapshot,) = snapshots
        lap("scan")
        took["scan_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        audit = evaluate(snapshot, policies(50), snapshot.generated_at)
        lap("rules")
        wanted = [(name, str(Path(job["manifest"]).with_name(f"report.{name}"))) for name in ("json", "sarif")]  # fmt: skip
        report(audit, wanted, sources_of(snapshot), 0)
        lap("reports")
    assert {Status.ONLINE} == {one.status for one in snapshot.connections}
    return took


def floor(job: dict[str, Any]) -> dict[str, float]:
    """The same requests by plain aiohttp."""
    import ssl

    import aiohttp
    import orjson
    import uvloop
    import yarl

    async def all_keys() -> None:
        context = ssl.create_default_context(cafile=job["ca"])
        connector = aiohttp.TCPConnector(limit=WORKERS * len(job["urls"]), ssl=context)
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:

            async def worker(exchange: str, url: str, queue: Any) -> None:
                for key in queue:
                    for target, headers in PLAYS[exchange].signed(key, identity(key)):
                        async with session.get(
                            yarl.URL(url + target, encoded=True), headers=headers
                        ) as response:
                            orjson.loads(await response.read())

            queues = {exchange: iter(keys_of(exchange, job["each"])) for exchange in job["urls"]}
            await asyncio.gather(
                *[
                    worker(name, url, queues[name])
                    for name, url in job["urls"].items()
                    for _ in range(WORKERS)
                ]
            )

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(all_keys())
    return {}


CASES = {"bfaudit": whole, "floor": floor}


def run(case: str, job: dict[str, Any]) -> dict[str, float]:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--case", case], input=json.dumps(job), capture_output=True, text=True, timeout=job["patience"], check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return {"wall": time.perf_counter() - started, **json.loads(done.stdout)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=10_000, help="1,000 to 100,000")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        took = CASES[args.case](json.load(sys.stdin))
        took["cpu"] = time.process_time()
        took["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(took))
        return 0
    each = args.keys // len(PLAYS)
    runs: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
    with Server(0.05) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.yaml"
        path.write_text(manifest({name: keys_of(name, each) for name in PLAYS}), "utf-8")
        job = {
            "urls": {name: server.urls[name] for name in PLAYS},
            "ca": server.ca,
            "each": each,
            "patience": 300 + args.keys // 20,  # seconds: for 100,000 keys an hour and a half
            "manifest": str(path),
        }
        for number in range(args.repetitions):
            for case in list(CASES)[:: -1 if number % 2 else 1]:
                for name in PLAYS:
                    server.counted(name)
                runs[case].append(run(case, job))
                for name in PLAYS:
                    seen = server.counted(name)
                    expected = each * len(SITES[name].answers)
                    if seen["bad"] or seen["signed"] != expected:
                        raise SystemExit(f"VOID: {name} saw {seen}, not {expected} signed requests")
    medians = {
        case: {name: statistics.median(run[name] for run in some) for name in some[0]}
        for case, some in runs.items()
    }
    for case, found in medians.items():
        print(f"{case:8} " + ", ".join(f"{name} {value:,.2f}" for name, value in found.items()))
    print(
        f"bfaudit takes {medians['bfaudit']['wall'] / medians['floor']['wall']:.2f} times the floor's wall"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
