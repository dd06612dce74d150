"""How fast a scan is: bfaudit beside naive ccxt, careful ccxt and plain aiohttp, over TLS on loopback.

Every case runs in a process of its own, cases take turns, a figure is the median of its repetitions. A run is void
if one signature was wrong, one answer was another key's, or one key was not Online. See README.md in this folder.
"""

import argparse
import json
import os
import platform
import ssl
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from cases import Job
from server import SITES, STATS

import bfaudit

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"

CASES: Mapping[str, str] = {
    "a": "naive sync ccxt: a new instance per key",
    "b": "naive async ccxt: a new instance and session per key, gathered",
    "c": "careful sync ccxt: one instance, credentials swapped, one after the other",
    "f": "the floor: plain aiohttp on uvloop, signed by hand, one session, one SSL context, W workers",
    "r": "bfaudit, on asyncio's own loop",
}
NAIVE = ("a", "b", "c")


class Server:
    """The server in its process; ends with the block, and with this process whatever happens."""

    def __init__(self, latency: float) -> None:
        command = [sys.executable, str(HERE / "server.py"), "--latency", str(latency)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        told = json.loads(self.process.stdout.readline())
        self.urls: dict[str, str] = told["urls"]
        self.ca: str = told["ca"]
        self._trust = ssl.create_default_context(cafile=self.ca)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def counted(self, exchange: str) -> dict[str, Any]:
        """What it saw since it was last asked."""
        url = self.urls[exchange] + STATS
        with urllib.request.urlopen(url, context=self._trust, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@dataclass(frozen=True, slots=True)
class Setting:
    """One table: a latency, a concurrency, and how many keys each case gets."""

    name: str
    latency: float
    workers: int
    sizes: Mapping[str, int]
    goals: Mapping[str, float]
    """The least ratio of bfaudit's keys/s to that case's."""


FULL = (
    Setting("0 ms, 64 at once", 0.0, 64, {"a": 40, "b": 40, "c": 1000, "f": 10_000, "r": 10_000},
            {"a": 100, "b": 100, "f": 0.70}),
    Setting("50 ms, 256 at once", 0.05, 256, {"a": 15, "b": 40, "c": 15, "f": 10_000, "r": 10_000},
            {"a": 100, "f": 0.97}),
)  # fmt: skip
QUICK = (
    Setting("0 ms, 64 at once", 0.0, 64, {"a": 12, "b": 16, "c": 120, "f": 4000, "r": 4000},
            {"a": 100, "b": 100, "f": 0.70}),
    Setting("50 ms, 256 at once", 0.05, 256, {"f": 4000, "r": 4000}, {"f": 0.97}),
)  # fmt: skip


def run_case(server: Server, setting: Setting, exchange: str, case: str) -> dict[str, Any]:
    """Measure one case in a fresh process, and let the server say what it saw of it."""
    job = Job(case, exchange, setting.sizes[case], setting.workers, server.urls[exchange], server.ca)  # fmt: skip
    server.counted(exchange)
    done = subprocess.run(
        [sys.executable, str(HERE / "cases.py"), json.dumps(asdict(job))],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    seen = server.counted(exchange)
    found = {"case": case, "exchange": exchange, "setting": setting.name, "keys": job.keys, "server": seen}  # fmt: skip
    if done.returncode:
        return {**found, "void": [f"ended with {done.returncode}: {done.stderr.strip()[-400:]}"]}
    found |= json.loads(done.stdout)
    per_key = 1 if case in NAIVE else len(SITES[exchange].answers)
    expected = {"bad": 0, "unknown": 0, "keys": job.keys, "signed": job.keys * per_key}
    void = [f"{name} {seen[name]} instead of {value}" for name, value in expected.items() if seen[name] != value]  # fmt: skip
    if found["wrong"]:
        void.append(f"{found['wrong']} keys with another key's answer, or not Online")
    return {**found, "void": void}


def run_setting(
    setting: Setting, exchanges: Iterable[str], repetitions: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """All cases of one setting, taking turns; every other repetition in the opposite order."""
    found = []
    with Server(setting.latency) as server:
        for number in range(repetitions):
            cases = list(setting.sizes)[:: -1 if number % 2 else 1]
            for exchange in exchanges:
                for case in cases:
                    one = {**run_case(server, setting, exchange, case), "repetition": number}
                    found.append(one)
                    rate = f"{one['per_second']:,.0f} keys/s" if "per_second" in one else "failed"
                    say(f"{setting.name}  {number + 1}/{repetitions}  {exchange} {case}: {rate}")
    return found


def medians(runs: Iterable[dict[str, Any]], what: str) -> dict[tuple[str, str], float]:
    """The median of a figure over repetitions, by exchange and case."""
    grouped: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        if what in run:
            grouped.setdefault((run["exchange"], run["case"]), []).append(run[what])
    return {at: statistics.median(values) for at, values in grouped.items()}


def table(setting: Setting, runs: list[dict[str, Any]], exchanges: list[str]) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """The figures of one setting as text, and its ratios by exchange and overall (geometric mean)."""
    cases = list(setting.sizes)
    rate, cpu = medians(runs, "per_second"), medians(runs, "cpu_us")
    others = [case for case in cases if case != "r"]
    ratios: dict[str, dict[str, float]] = {}
    for exchange in exchanges:
        mine = rate.get((exchange, "r"))
        ratios[exchange] = {
            f"r/{case}": mine / rate[exchange, case]
            for case in others if mine and (exchange, case) in rate
        }  # fmt: skip
        if (exchange, "f") in cpu and (exchange, "r") in cpu:
            ratios[exchange]["cpu"] = cpu[exchange, "f"] / cpu[exchange, "r"]
    names = [*(f"r/{case}" for case in others), "cpu"]
    ratios["overall"] = {
        name: statistics.geometric_mean([ratios[each][name] for each in exchanges])
        for name in names if all(name in ratios[each] for each in exchanges)
    }  # fmt: skip
    head = f"{setting.name:20}" + "".join(f"{case:>9}" for case in cases)
    head += "  |" + "".join(f"{case:>8}" for case in cases)
    head += "  |" + "".join(f"{name if name != 'cpu' else 'CPU f/r':>8}" for name in names)
    width = f"{'':20}{'keys/s':>{9 * len(cases)}}  |{'CPU us/key':>{8 * len(cases)}}  |"
    lines = [width, head]
    for name in (*exchanges, "overall"):
        line = f"{name:20}"
        line += "".join(f"{_number(rate.get((name, case))):>9}" for case in cases) + "  |"
        line += "".join(f"{_number(cpu.get((name, case))):>8}" for case in cases) + "  |"
        lines.append(line + "".join(f"{_number(ratios[name].get(each)):>8}" for each in names))
    return "\n".join(lines), ratios


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def goals(setting: Setting, ratios: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Each goal with what was reached: overall, and by the exchange that is farthest from it."""
    lines = []
    for case, least in setting.goals.items():
        reached = {name: found[f"r/{case}"] for name, found in ratios.items() if f"r/{case}" in found}  # fmt: skip
        if not reached:
            continue
        worst = min(reached, key=lambda name: reached[name])
        verdict = "reached" if reached[worst] >= least else "reached overall" if reached.get("overall", 0) >= least else "MISSED"  # fmt: skip
        lines.append(
            f"{setting.name}: r/{case} >= {least:g}: {verdict} "
            f"(overall {_number(reached.get('overall'))}, lowest {worst} {_number(reached[worst])})"
        )
    return lines


def capacity(runs: Iterable[dict[str, Any]]) -> str:
    """What the server could answer, by its CPU time in the runs that used it most."""
    costs = [
        run["server"]["cpu"] / run["server"]["signed"]
        for run in runs if run["case"] in ("f", "r") and run["server"]["signed"]
    ]  # fmt: skip
    cost = statistics.median(costs) if costs else 0.0
    return f"server: {cost * 1e6:.0f} us CPU a request, so {1 / cost:,.0f} requests/s on a core of its own" if cost else ""  # fmt: skip


def machine() -> dict[str, Any]:
    packages = ("ccxt", "aiohttp", "pycurl", "uvloop", "orjson", "msgspec", "requests")
    return {
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "bfaudit": str(Path(bfaudit.__file__).parent),
        **{name: version(name) for name in packages},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three exchanges, once, few keys")
    parser.add_argument("--exchanges", help="comma-separated; all that bfaudit and the server know")
    parser.add_argument("--repetitions", type=int)
    args = parser.parse_args()
    chosen = args.exchanges.split(",") if args.exchanges else supported()
    if args.quick and not args.exchanges:
        chosen = chosen[:3]
    repetitions = args.repetitions or (1 if args.quick else 3)
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print("\n".join(f"  {case}  {says}" for case, says in CASES.items()), flush=True)
    if about["load_before"] > 1:
        print(
            f"NOTE: other work is running here (load {about['load_before']:.1f}): look at CPU ratios, not at keys/s"
        )
    started, runs, said, reached = time.monotonic(), [], [], []
    for setting in QUICK if args.quick else FULL:
        found = run_setting(setting, chosen, repetitions, _progress)
        text, ratios = table(setting, found, chosen)
        said.append(text)
        reached += goals(setting, ratios)
        runs += found
    _progress("")
    print("\n" + "\n\n".join(said) + "\n\n" + "\n".join(reached))
    print(f"{capacity(runs)}; {time.monotonic() - started:.0f} s in all")
    print(f"raw figures: {keep(about, runs)}")
    return void(runs)


def supported() -> list[str]:
    from bfaudit.exchanges import known

    return [exchange for exchange in SITES if exchange in known()]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:<70}", end="", file=sys.stderr, flush=True)


def keep(about: Mapping[str, Any], runs: list[dict[str, Any]]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"scan-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps({"at": now.isoformat(), "machine": about, "runs": runs}, indent=1))
    return path


def void(runs: Iterable[dict[str, Any]]) -> int:
    """Say loudly what makes the run worthless; the exit code."""
    wrong = [
        f"  {run['setting']}, {run['exchange']} {run['case']}: {why}"
        for run in runs for why in run["void"]
    ]  # fmt: skip
    if wrong:
        print("\n*** THIS RUN IS VOID ***\n" + "\n".join(wrong), file=sys.stderr)
        return 1
    print("valid: every signature right, every answer its own key's, every key Online")
    return 0


if __name__ == "__main__":
    sys.exit(main())
