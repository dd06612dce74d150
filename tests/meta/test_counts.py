"""What makes bfaudit fast, as counts: they do not depend on the machine, and a change that spoils one is seen at once."""

import asyncio
import gc
import os
import subprocess
import sys
from collections import Counter

import ccxt.async_support as ccxt
import pytest

from bfaudit import collector, exchanges, resources
from bfaudit.evaluate import evaluate
from bfaudit.exchanges.rehearsal import rehearse
from bfaudit.policy import cel
from bfaudit.policy.load import load
from bfaudit.sandbox import Account, Key, Sandbox, Scenario
from bfaudit.scan import transport
from tests.evaluate.fleets import NOW, scanned, snapshot
from tests.scan.fleet import connection, scan_fleet

PERMISSIONS = {
    "mexc": ("SPOT_ACCOUNT_READ", "SPOT_DEAL_WRITE"),
    "kucoin": ("General", "Spot"),
    "binance": ("enableReading", "enableSpotAndMarginTrading"),
}
EACH = 15
WORKERS = 4


@pytest.fixture
def counted(monkeypatch):
    """How often something was made or called."""
    seen = Counter()

    def count(owner, name):
        original = getattr(owner, name)

        def counting(*given, **named):
            seen[name] += 1
            return original(*given, **named)

        monkeypatch.setattr(owner, name, counting)

    count(transport, "_transfers")
    count(transport, "_Handle")
    count(transport._Lines, "open")
    count(ccxt.Exchange, "__init__")
    return seen


def test_a_scan_makes_one_session_and_one_client_of_each_exchange(counted):
    """Whatever the number of keys; each is asked what its adapter says, and the time once per exchange."""
    accounts = tuple(
        Account(exchange=name, keys=tuple(Key(name=f"k{number}", env=f"{name.upper()}{number}", permissions=permissions) for number in range(EACH)))
        for name, permissions in PERMISSIONS.items()
    )  # fmt: skip
    fleet = [connection(name, f"{name.upper()}{number}") for name in PERMISSIONS for number in range(EACH)]  # fmt: skip
    counted.clear()
    seen = scan_fleet(Scenario(accounts=accounts), fleet, workers=WORKERS)

    assert 1 == counted["_transfers"]
    assert len(PERMISSIONS) == sum(exchange.requests > 0 for exchange in seen.snapshot.exchanges)
    assert len(PERMISSIONS) == counted["__init__"]
    # Connections are kept for the next key, and so is what libcurl needs for one request at a time.
    assert 0 < counted["open"] <= len(PERMISSIONS) * WORKERS
    assert 0 < counted["_Handle"] <= len(PERMISSIONS) * WORKERS
    signed = Counter(one.exchange for one in seen.requests if one.key)
    for name in PERMISSIONS:
        reads = asyncio.run(rehearse(exchanges.known()[name], wants_uid=False))
        assert EACH * len(reads) == signed[name]
    assert len(PERMISSIONS) == len(seen.requests) - signed.total()


def test_each_distinct_input_is_judged_once(monkeypatch):
    """Five hundred connections alike cost the rule engine what one costs, but for rules that look at names."""
    calls = Counter()
    evaluate_one = cel.Expression.evaluate

    def counting(self, values):
        calls[self] += 1
        return evaluate_one(self, values)

    monkeypatch.setattr(cel.Expression, "evaluate", counting)
    text = (resources.policies() / "baseline.yaml").read_text("utf-8")
    policies = load([("baseline.yaml", text)])

    def fleet(size):
        known = {"permissions.read": "granted", "network.ip_restricted": True}
        return snapshot(*[scanned(f"MEXC Spot {number:04}", known=known, key="one") for number in range(size)])  # fmt: skip

    evaluate(fleet(20), policies, NOW)
    few = calls.total()
    calls.clear()
    evaluate(fleet(500), policies, NOW)

    # `name-is-clear` asks anew for each name: twice, where it applies and what it requires.
    assert calls.total() - few <= 2 * (500 - 20)
    assert few <= 2 * 20 + 2 * sum(len(policy.rules) for policy in policies)


ONE = (
    "apiVersion: bfaudit/v1\nkind: Manifest\nconnections:\n  - name: KuCoin Spot Main\n    exchange: kucoin\n"
    "    account: main\n    requires: [read]\n"
    "    credentials: {key: env:ONE_KEY, secret: env:ONE_SECRET, passphrase: env:ONE_PASSPHRASE}\n"
)
SELDOM = {
    "bfaudit.lang.sentences",
    "difflib",
    "jsonschema",
    "requests",
    "rich_click",
    "tomllib",
    "urllib3",
    "uvloop",
}
REPORTS = {"babel", "bfaudit.lang", "importlib.resources", "jinja2", "rich"}
OTHERS = {"bfaudit.exchanges.binance", "bfaudit.exchanges.generic"}
"""Adapters of exchanges that the manifest does not name."""
SCAN = {"aiohttp", "asyncio", "ccxt", "cryptography", "pycurl", "ssl"} | OTHERS
LIGHT = SELDOM | REPORTS | SCAN | {"hashlib", "importlib.metadata", "subprocess"}


@pytest.mark.parametrize(
    ("command", "most", "without"),
    [
        ("--version", 50, LIGHT | {"click", "msgspec"}),
        ("validate", 205, LIGHT),
        ("audit", 540, SELDOM | OTHERS | {"aiohttp", "babel", "jinja2", "urllib.request"}),
    ],
)
def test_start_imports_little(command, most, without, tmp_path):
    """Modules that a command imports: each costs a fraction of a millisecond at least, and some of them much more."""
    code = (
        "import sys\nbefore = set(sys.modules)\nfrom bfaudit.cli import run\ncode = 0\n"
        "try:\n    run(sys.argv[1:])\nexcept SystemExit as stop:\n    code = stop.code\n"
        "print(code, *sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    told = _told(code, command, tmp_path)
    code, *modules = told[-1].split()

    assert ("1" if command == "audit" else "0") == code, told
    assert set() == without & set(modules)
    assert len(modules) <= most


def test_what_is_settled_is_not_looked_through_again():
    """As many objects as there are, of which a scan adds a few."""
    objects = len(gc.get_objects())
    collector.settle()
    try:
        left, settled = len(gc.get_objects()), gc.get_freeze_count()
    finally:
        gc.unfreeze()

    assert left < objects / 10
    assert settled >= objects / 2


def test_what_a_report_is_made_with_is_loaded_while_exchanges_answer(tmp_path):
    """Not before the first request, which has to wait for all that is, and not after the last answer."""
    code = (
        "import sys\nfrom bfaudit.cli import pipeline, run\nscan_fleet = pipeline.scan_fleet\n"
        "def scanned(*given, **named):\n    print('rich' in sys.modules, file=sys.stderr)\n"
        "    snapshot = scan_fleet(*given, **named)\n    print('rich' in sys.modules, file=sys.stderr)\n    return snapshot\n"
        "pipeline.scan_fleet = scanned\nrun(sys.argv[1:])"
    )
    told = _told(code, "audit", tmp_path)

    assert ["False", "True"] == told[-2:]


def _told(code, command, folder):
    """What a process says on stderr that runs some code with a command line."""
    path = folder / "fleet.yaml"
    path.write_text(ONE)
    played = Scenario(accounts=(Account(exchange="kucoin", keys=(Key(name="one", env="ONE", permissions=("General",)),)),))  # fmt: skip
    with Sandbox(played) as box:
        given = [command, *([] if command == "--version" else [str(path)])]
        given += ["--quiet", "--exchange-url", f"kucoin={box.urls['kucoin']}"] if command == "audit" else []  # fmt: skip
        environ = {**os.environ, **box.environment}
        done = subprocess.run([sys.executable, "-c", code, *given], env=environ, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    return done.stderr.splitlines()
