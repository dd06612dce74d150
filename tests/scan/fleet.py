"""One key, one scenario, one scan: what the tests of `scan/` are made of."""

import asyncio
import os
from dataclasses import dataclass
from typing import Any

import msgspec

from bfaudit.exchanges import known
from bfaudit.model import Connection, Place, Scanned, Snapshot
from bfaudit.sandbox import Account, Fault, Key, Sandbox, Scenario
from bfaudit.scan.asking import Patience
from bfaudit.scan.options import Options
from bfaudit.scan.runner import scan

NOBODY = os.devnull
"""Trusts no server: for what sends nothing, or no TLS."""
HASTE = Patience(request_seconds=1.0, connection_seconds=3.0, longest_pause=2.0)


def connection(exchange: str, env: str = "ONE", **fields: Any) -> Connection:
    """A connection whose credentials are where the sandbox puts them."""
    roles = known()[exchange].credentials
    fields = {"name": f"{exchange} {env}", "requires": ("read", "trade"), **fields}
    return Connection(
        exchange=exchange,
        credentials={role: f"env:{env}_{role.upper()}" for role in roles},
        place=Place("fleet.yaml", 1, 1),
        **fields,
    )


def scenario(
    exchange: str,
    key: dict[str, Any],
    *,
    account: dict[str, Any] | None = None,
    faults: tuple[Fault, ...] = (),
    **fields: Any,
) -> Scenario:
    """One account with one key."""
    held = Key(**{"name": "one", "env": "ONE", **key})
    mine = Account(exchange=exchange, keys=(held,), **(account or {}))
    return Scenario(accounts=(mine,), faults=faults, **fields)


@dataclass
class Seen:
    """What a scan made of it, and what the sandbox saw of the scan."""

    snapshot: Snapshot
    requests: list[Any]
    environment: dict[str, str]

    @property
    def one(self) -> Scanned:
        """The only connection."""
        (scanned,) = self.snapshot.connections
        return scanned


def scan_fleet(played: Scenario, connections: list[Connection], **options: Any) -> Seen:
    """Scan connections against a sandbox that plays a scenario, over real HTTP with real ccxt."""
    with Sandbox(played) as box:
        environment = {**box.environment, **options.pop("environ", {})}
        given = {"urls": box.urls, "environ": environment, "patience": HASTE, **options}
        snapshot = asyncio.run(scan(connections, known(), Options(**given)))
        return Seen(snapshot, list(box.requests), dict(box.environment))


def scan_one(exchange: str, key: dict[str, Any], **given: Any) -> Seen:
    """Scan one key. `fields` go to its connection, `options` to the scan, the rest to the scenario."""
    fields = given.pop("fields", {})
    options = given.pop("options", {})
    played = scenario(exchange, key, **given)
    return scan_fleet(played, [connection(exchange, **fields)], **options)


def text_of(snapshot: Snapshot) -> str:
    """Everything a snapshot holds, as text."""
    return msgspec.json.encode(snapshot).decode()
