"""Read-only by construction, and what a scan never does."""

import asyncio
import logging

import pytest
from msgspec.structs import replace

from bfaudit.errors import CredentialError
from bfaudit.exchanges import known
from bfaudit.sandbox import Fault, Sandbox
from bfaudit.scan import clients
from bfaudit.scan.transport import Wire, WriteRefusedError
from tests.scan.fleet import NOBODY, connection, scan_fleet, scan_one, scenario, text_of
from tests.scan.test_status import TRADES, each_exchange

WRITES = {
    "mexc": ("spotPrivatePostOrder", "spotPrivatePostApiKeyInfo", "spotPrivatePostCapitalWithdraw"),
    "kucoin": ("privatePostOrders", "privatePostSubApiKey", "privateDeleteSubApiKey"),
    "binance": ("privatePostOrder", "sapiPostCapitalWithdrawApply", "privatePostOrderTest"),
    # Not every GET is a read: what no adapter lists does not leave either.
    "deribit": ("privateGetBuy", "privateGetWithdraw", "privateGetCancelAll"),
}


@pytest.mark.parametrize("exchange", sorted(WRITES))
def test_a_write_is_refused_before_it_leaves(exchange):
    """Nothing but a listed read leaves, whatever asks for it."""
    adapter = known()[exchange]
    played = scenario(exchange, {"permissions": TRADES.get(exchange, ())})

    async def attempt(url, method):
        async with Wire(NOBODY) as wire:
            made = clients.template(exchange, adapter, wire, url, seconds=1.0, probes=False)
            made = clients.view(made, {"key": "k" * 64, "secret": "s", "passphrase": "p"})
            await getattr(made, method)({"symbol": "BTCUSDT"})

    with Sandbox(played) as box:
        for method in WRITES[exchange]:
            with pytest.raises(WriteRefusedError):
                asyncio.run(attempt(box.urls[exchange], method))

        assert [] == box.requests


@each_exchange
def test_a_scan_loads_no_markets_and_reads_no_balances(exchange):
    """Only what the adapter lists is sent, and the public time."""
    adapter = known()[exchange]
    seen = scan_one(exchange, {"permissions": TRADES[exchange]})
    listed = {one.path.split(" ", 1)[1] for one in adapter.reads}
    sent = {one.path for one in seen.requests if "time" not in one.path.lower()}

    assert sent <= listed
    assert {"GET"} == {one.method for one in seen.requests}


@each_exchange
def test_views_share_nothing_that_matters(exchange):
    """Credentials and options are each key's own; a view is not its template."""

    async def make():
        async with Wire(NOBODY) as wire:
            template = clients.template(
                exchange, known()[exchange], wire, None, seconds=1.0, probes=False
            )
            one = clients.view(template, {"key": "a", "secret": "b"})
            two = clients.view(template, {"key": "c", "secret": "d"})
            one.options["hasAlreadyAuthenticatedSuccessfully"] = True
            return template, one, two

    template, one, two = asyncio.run(make())

    assert ("a", "c") == (one.apiKey, two.apiKey)
    assert not template.apiKey
    assert not two.options.get("hasAlreadyAuthenticatedSuccessfully")
    assert not template.options.get("hasAlreadyAuthenticatedSuccessfully")


def test_many_keys_at_once_are_never_mixed_up():
    """Each of 120 keys gets its own answer: the sandbox checks every signature and names the key."""
    played = scenario("kucoin", {"permissions": TRADES["kucoin"]})
    account = played.accounts[0]
    keys = tuple(
        type(account.keys[0])(
            name=f"k{number}",
            env=f"K{number}",
            label=f"label{number}",
            permissions=("General", "Spot"),
        )
        for number in range(120)
    )
    played = type(played)(accounts=(type(account)(exchange="kucoin", keys=keys),))
    fleet = [connection("kucoin", f"K{number}", account=f"a{number}") for number in range(120)]
    seen = scan_fleet(played, fleet, rate_limits=False)

    assert [f"label{number}" for number in range(120)] == [
        one.facts.known["key.label"].value for one in seen.snapshot.connections
    ]
    assert 120 == len({one.fingerprint for one in seen.snapshot.connections})


@each_exchange
def test_no_secret_is_in_a_snapshot_or_a_log(exchange, caplog):
    """Neither key, secret nor passphrase is in anything a scan leaves behind, at any log level."""
    caplog.set_level(logging.DEBUG)
    faults = (Fault(kind="truncated", path="*", times=1), Fault(kind="reset", path="*", times=1))
    seen = scan_one(exchange, {"permissions": TRADES[exchange]}, faults=faults)
    left = text_of(seen.snapshot) + caplog.text

    assert seen.environment
    assert not [value for value in seen.environment.values() if value in left]


def test_hostile_labels_stay_data():
    """A label is bounded, and is nothing but a value."""
    fault = Fault(kind="hostile-label", path="*api-key*")
    one = scan_one("kucoin", {"permissions": TRADES["kucoin"]}, faults=(fault,)).one

    assert len(one.facts.known["key.label"].value or "") <= 200


def test_what_is_no_reference_is_in_no_snapshot():
    """A literal secret in the place of a reference, which no manifest gets past validation, ends the scan untold."""
    literal = "9f8e7d6c5b4a39281706"
    one = replace(connection("mexc"), credentials={"key": literal, "secret": literal})
    with pytest.raises(CredentialError) as stopped:
        scan_fleet(scenario("mexc", {"permissions": TRADES["mexc"]}), [one])

    assert literal not in f"{stopped.value}{stopped.value.hint}"
