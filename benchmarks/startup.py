"""How long a command takes above a bare Python: `--version`, `validate` of 20 connections, `audit` of one key at 50 ms."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from load import fleet

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

BARE = "bare Python"
GOALS = {"--version": 60, "validate": 100, "audit": 400}
"""Milliseconds above the bare Python."""


class Took(NamedTuple):
    """Milliseconds of a command: by the clock, and of a processor, which other work on the machine disturbs less."""

    wall: float
    cpu: float


def timed(command: Sequence[str], environ: dict[str, str]) -> Took:
    before, started = _spent(), time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    wall, cpu = time.perf_counter() - started, _spent() - before
    return Took(wall * 1000, cpu * 1000)


def _spent() -> float:
    """Seconds of a processor that all commands so far took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9)
    args = parser.parse_args()
    key = Key(name="one", env="ONE", permissions=("General", "Spot"), ips=("127.0.0.1",))
    played = Scenario(accounts=(Account(exchange="kucoin", keys=(key,)),))
    with tempfile.TemporaryDirectory() as folder, Sandbox(played, latency=0.05) as box:
        twenty, one = Path(folder) / "twenty.yaml", Path(folder) / "one.yaml"
        twenty.write_text(fleet(20), "utf-8")
        one.write_text(ONE, "utf-8")
        me = [sys.executable, "-m", "bfaudit"]
        commands = {
            BARE: [sys.executable, "-c", "pass"],
            "--version": [*me, "--version"],
            "validate": [*me, "validate", str(twenty)],
            "audit": [
                *me,
                "audit",
                str(one),
                "--quiet",
                "--exchange-url",
                f"kucoin={box.urls['kucoin']}",
            ],
        }
        environ = {**os.environ, **box.environment}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once
        found: dict[str, list[Took]] = {name: [] for name in commands}
        for command in commands.values():
            timed(command, environ)  # compiles, and fills the system's caches
        for _ in range(args.repetitions):
            for name, command in commands.items():
                found[name].append(timed(command, environ))

    def of(measure: Callable[[list[float]], float], name: str) -> Took:
        return Took(*(measure(list(each)) for each in zip(*found[name], strict=True)))

    bare, least = of(statistics.median, BARE), of(min, BARE)
    print(f"{BARE:12}{bare.wall:8.0f} ms")
    for name, most in GOALS.items():
        took, at_least = of(statistics.median, name), of(min, name)
        above = took.wall - bare.wall
        print(
            f"{name:12}{above:8.0f} ms above it ({at_least.wall - least.wall:.0f} at least; of a processor {took.cpu - bare.cpu:.0f}, "
            f"{at_least.cpu - least.cpu:.0f} at least); the goal is {most}: {'reached' if above <= most else 'MISSED'}"
        )
    return 0


ONE = """\
apiVersion: bfaudit/v1
kind: Manifest
servers: {here: [127.0.0.1]}
connections:
  - name: KuCoin Spot Main
    exchange: kucoin
    account: main
    strategy: grid
    requires: [read, trade]
    servers: [here]
    credentials: {key: "env:ONE_KEY", secret: "env:ONE_SECRET", passphrase: "env:ONE_PASSPHRASE"}
"""

if __name__ == "__main__":
    sys.exit(main())
