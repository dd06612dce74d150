"""How long a command takes above a bare Python: `--version`, `validate` of 20 connections, `audit` of one key at 50 ms."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from load import fleet

from bfaudit.sandbox import Account, Key, Sandbox, Scenario

BARE = "bare Python"
GOALS = {"--version": 60, "validate": 100, "audit": 400}
"""Milliseconds above the bare Python."""


def timed(command: Sequence[str], environ: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return (time.perf_counter() - started) * 1000


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
        found: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            timed(command, environ)  # compiles, and fills the system's caches
        for _ in range(args.repetitions):
            for name, command in commands.items():
                found[name].append(timed(command, environ))
    bare = statistics.median(found[BARE])
    print(f"{BARE:12}{bare:8.0f} ms")
    for name, most in GOALS.items():
        above = statistics.median(found[name]) - bare
        print(
            f"{name:12}{above:8.0f} ms above it; the goal is {most}: {'reached' if above <= most else 'MISSED'}"
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
