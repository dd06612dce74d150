"""Exchanges without an adapter of their own: the table of reads against the installed ccxt."""

import asyncio
import base64
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import pytest

from bfaudit.exchanges import credentials_of, discovered, generic, known, unsupported
from bfaudit.model import Grant, Reason
from bfaudit.scan import clients
from bfaudit.scan.answer import read
from bfaudit.scan.options import Options
from bfaudit.scan.runner import scan
from bfaudit.scan.transport import Wire, WriteRefusedError
from tests.scan.fleet import HASTE, NOBODY, connection

PROBES = {probe.exchange: probe for probe in generic.PROBES}
LOCAL = "http://127.0.0.1:9/here"

each_probe = pytest.mark.parametrize("exchange", sorted(PROBES))


async def _sent(exchange, monkeypatch):
    """Method and path of what ccxt would send for the read, and how often, without sending it."""
    adapter = generic.generic(PROBES[exchange])
    sent = []

    async def send(_wire, _scheme, _host, target, method, *_rest):
        sent.append((method, urlsplit(target).path))
        return clients.Raw()

    monkeypatch.setattr(Wire, "send", send)
    async with Wire(NOBODY) as wire:
        made = clients.template(exchange, adapter, wire, LOCAL, seconds=1.0, probes=False)
        secret = base64.b64encode(b"s" * 21).decode()
        client = clients.view(made, {"key": "account-one", "secret": secret, "passphrase": "p"})
        signed = client.sign(*clients.endpoint(client, adapter.reads[0]), {})
        await client.fetch(signed["url"], signed["method"], signed["headers"], signed["body"])
    return sent


@each_probe
def test_one_request_is_sent_and_no_market_loaded(exchange, monkeypatch):
    """The call of the table sends exactly the read of the table, through the guard, under a redirection."""
    method, path = PROBES[exchange].path.split(" ")
    sent = asyncio.run(_sent(exchange, monkeypatch))

    assert [(method, f"/here{path}")] == sent


@each_probe
def test_credentials_are_those_that_ccxt_asks_for(exchange):
    """No role is missing, and none is asked for in vain."""
    needed = getattr(ccxt, exchange)().requiredCredentials
    roles = credentials_of()[exchange]

    assert {name for name, wanted in needed.items() if wanted} == {
        clients.ROLES[role] for role in roles
    }


@each_probe
def test_the_host_is_the_official_one(exchange):
    """The host of the table is among ccxt's own URLs."""
    client = getattr(ccxt, exchange)()
    urls = repr(client.implode_hostname(repr(client.urls["api"])))

    assert PROBES[exchange].host in urls


@each_probe
def test_what_it_may_do_is_unknown_and_said_so(exchange):
    """Without a reply nothing is known; the support level says how little there is to know."""
    adapter = known()[exchange]
    facts = adapter.parse({}, None)

    assert "status-only" == adapter.support
    assert {Grant.UNKNOWN} == {facts.grant(word) for word in ("read", "trade", "withdraw")}
    assert adapter.title in facts.unknown["permissions.withdraw"]


def test_full_adapters_come_first():
    """A row of the table never hides an adapter of the folder."""
    assert {"full", "probe", "status-only"} >= {adapter.support for adapter in known().values()}
    assert "status-only" != known()["kraken"].support
    assert all(known()[name].id == name for name in PROBES)


def test_why_an_exchange_is_not_there():
    """What has been looked at and left out has its reason; what is there has none."""
    assert "wallet" in unsupported()["hyperliquid"]
    assert "kraken" not in unsupported()
    assert "no-such-exchange" not in unsupported()
    assert not set(unsupported()) & set(known())
    assert set(unsupported()) <= set(ccxt.exchanges)


def test_roles_are_those_of_the_adapters():
    """Asked one by one, each adapter is the same as among all of them."""
    every = discovered()

    assert credentials_of() == {name: adapter.credentials for name, adapter in every.items()}
    assert list(credentials_of()) == list(every)
    assert every == dict(known())


ANSWERS = [
    (200, b"[]", Reason.PERMISSIONS_UNKNOWN),
    (401, b'{"error": {"name": "no_authorization_ip", "message": "no"}}', Reason.IP_NOT_ALLOWED),
    (401, b'{"error": {"name": "invalid_access_key", "message": "no"}}', Reason.UNKNOWN_KEY),
    (403, b"<html>", Reason.BLOCKED),
    (200, b"<html>", Reason.UNEXPECTED_ANSWER),
]


@pytest.mark.parametrize(("http", "body", "reason"), ANSWERS)
def test_a_whole_scan(http, body, reason, monkeypatch):
    """Status by one read, through the same scan as every other exchange."""

    async def send(*_request):
        return read(http, body)

    monkeypatch.setattr(Wire, "send", send)
    options = Options(
        environ={"ONE_KEY": "account-one", "ONE_SECRET": "s" * 21},
        patience=HASTE,
        connection_test=True,
        rate_limits=False,
    )
    (one,) = asyncio.run(scan([connection("upbit")], known(), options)).connections

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.UNKNOWN == one.facts.grant("withdraw")
    assert "test.orders" not in one.facts.known


WRITES = {
    "kraken": ("privatePostAddOrder", "privatePostWithdraw", "privatePostWalletTransfer"),
    "bitfinex": (
        "privatePostAuthWOrderSubmit",
        "privatePostAuthWWithdraw",
        "privatePostAuthWToken",
    ),
    "blofin": ("privatePostTradeOrder", "privatePostAssetTransfer"),
    "bitstamp": ("privatePostCancelAllOrders", "privatePostWithdrawalRequests"),
    "gemini": ("privatePostV1OrderNew", "privatePostV1OrderCancelAll"),
    "whitebit": ("v4PrivatePostOrderMarket", "v4PrivatePostMainAccountWithdraw"),
    "cryptocom": ("v1PrivatePostPrivateCreateOrder", "v1PrivatePostPrivateCreateWithdrawal"),
    "lbank": ("spotPrivatePostSupplementWithdraw",),
}


@pytest.mark.parametrize(
    ("exchange", "call"), [(name, call) for name, calls in WRITES.items() for call in calls]
)
def test_any_other_post_is_refused_before_it_leaves(exchange, call, monkeypatch):
    """An exchange that reads by POST lists its reads; every other POST stays here."""
    sent = []

    async def send(*request):
        sent.append(request)

    async def attempt():
        async with Wire(NOBODY) as wire:
            made = clients.template(
                exchange, known()[exchange], wire, LOCAL, seconds=1.0, probes=False
            )
            secret = base64.b64encode(b"s" * 21).decode()
            client = clients.view(made, {"key": "account-one", "secret": secret, "passphrase": "p"})
            await getattr(client, call)({"amount": "1"})

    monkeypatch.setattr(Wire, "send", send)
    with pytest.raises(WriteRefusedError):
        asyncio.run(attempt())

    assert [] == sent
