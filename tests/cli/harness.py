"""Runs the real command in a process of its own, with an environment scrubbed of what could colour it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

from bfaudit.sandbox import Account, Key, Sandbox, Scenario
from tests.cli.forks import SECONDS, Server

ROOT = Path(__file__).resolve().parents[2]
SCRUBBED = ("BFAUDIT_", "CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "GITHUB_", "PYTHON")
READ_AT_START = (*SCRUBBED[1:], "LANG", "LC_")
"""By an interpreter, or by what it imports."""


@dataclass
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The standard output as JSON."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what could colour a run, and with some values more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SCRUBBED)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **more}


@cache
def _servers() -> Iterator[Server]:
    """Two that take turns: two runs in a row order their sets differently, as any two interpreters do."""
    return cycle([Server(environment(PYTHONHASHSEED=seed), str(ROOT)) for seed in ("1", "2")])


def bfaudit(*arguments: Any, cwd: Path = ROOT, stdin: str = "", **env: str) -> Ran:
    """Run one command line to its end; in a new interpreter where its start depends on what is given."""
    words, environ = [str(word) for word in arguments], environment(**env)
    if not any(name.startswith(READ_AT_START) for name in env):
        return Ran(*next(_servers()).run(words, str(cwd), stdin, environ))
    done = subprocess.run(
        [sys.executable, "-m", "bfaudit", *words],
        cwd=cwd,
        input=stdin,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


MANIFEST = """\
apiVersion: bfaudit/v1
kind: Manifest
servers:
  tokyo-1: [203.0.113.10]
connections:
{connections}
"""

ENTRY = """\
  - name: {name}
    exchange: {exchange}
    account: {account}
    strategy: {strategy}
    requires: {requires}
    servers: [tokyo-1]
    lifecycle: {lifecycle}
    credentials:
      key: env:{env}_KEY
      secret: env:{env}_SECRET
{passphrase}    attestations:
      two_factor: {{by: alice, on: 2026-01-01, expires: 2099-01-01}}
"""


def entry(name: str, exchange: str, env: str, **given: str) -> str:
    """One connection of a manifest."""
    fields = {
        "account": env.lower(),
        "strategy": env.lower(),
        "requires": "[read, trade]",
        "lifecycle": "active",
        **given,
    }
    passphrase = f"      passphrase: env:{env}_PASSPHRASE\n" if exchange == "kucoin" else ""
    return ENTRY.format(name=name, exchange=exchange, env=env, passphrase=passphrase, **fields)


def manifest(folder: Path, *entries: str, name: str = "fleet.yaml") -> Path:
    """A manifest file."""
    path = folder / name
    path.write_text(MANIFEST.format(connections="".join(entries) or "  []"), "utf-8")
    return path


GOOD = ("General", "Spot")


def scenario(*keys: Key, exchange: str = "kucoin", **fields: Any) -> Scenario:
    """One account that holds some keys."""
    return Scenario(accounts=(Account(exchange=exchange, keys=keys),), **fields)


def key(env: str, permissions: tuple[str, ...] = GOOD, **given: Any) -> Key:
    """A key that is bound to the right server, and a month old."""
    fields = {"ips": ("203.0.113.10",), "label": env.lower(), **given}
    return Key(name=env.lower(), env=env, permissions=permissions, **fields)


def redirected(box: Sandbox) -> list[str]:
    """The options that send every exchange's requests to a sandbox."""
    options: list[str] = []
    for name, url in box.urls.items():
        options += ["--exchange-url", f"{name}={url}"]
    return options
