"""Deribit end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

import pytest

from bfaudit.exchanges import known
from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Account, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one, text_of

TRADES = ("account:read", "trade:read_write", "wallet:read")
ALL = ("account:read_write", "trade:read_write", "wallet:read_write")


def test_trade_only():
    """A bound trading key is Online; one scope is for every market."""
    key = {"permissions": TRADES, "ips": ("203.0.113.10",), "label": "bot"}
    seen = scan_one("deribit", key, account={"uid": 4711})
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    assert ["granted"] * 4 + ["denied"] * 3 == [
        one.facts.grant(word)
        for word in ("read", "trade", "futures", "options", "transfer", "withdraw", "manage_keys")
    ]
    assert ("203.0.113.10",) == one.facts.known["network.ip_allowlist"].value
    assert ("bot", "4711", True) == tuple(
        one.facts.known[path].value
        for path in ("key.label", "account_facts.uid", "account_facts.is_master")
    )
    assert [True] * 2 == [sent.verified for sent in seen.requests if sent.key]


def test_withdrawal_is_seen():
    """Writing to the wallet withdraws; no address is no restriction."""
    one = scan_one("deribit", {"permissions": ALL}).one

    assert ["granted"] * 3 == [
        one.facts.grant(word) for word in ("withdraw", "transfer", "manage_keys")
    ]
    assert one.facts.known["network.ip_restricted"].value is False


def test_each_key_finds_itself_among_the_accounts_keys():
    """The list has every key of the account, secrets included: each scan takes its own entry and no secret."""
    keys = (
        Key(name="one", env="ONE", label="first", permissions=TRADES),
        Key(name="two", env="TWO", label="second", permissions=ALL),
    )
    played = Scenario(accounts=(Account(exchange="deribit", keys=keys),))
    seen = scan_fleet(played, [connection("deribit", env) for env in ("ONE", "TWO")])

    assert [("first", "denied"), ("second", "granted")] == [
        (one.facts.known["key.label"].value, one.facts.grant("withdraw"))
        for one in seen.snapshot.connections
    ]
    assert not [text for text in seen.environment.values() if text in text_of(seen.snapshot)]


def test_a_second_factor_hides_the_scopes():
    """An account with a second factor lists no keys: the key works, and nothing else is known of it."""
    one = scan_one("deribit", {"permissions": ALL, "modes": ("second-factor",)}).one

    assert (Status.ONLINE, Reason.PERMISSIONS_UNKNOWN) == (one.status, one.reason)
    assert Grant.UNKNOWN == one.facts.grant("withdraw")
    assert "second factor" in one.facts.unknown["permissions.withdraw"]


def test_a_key_that_may_not_read_its_account():
    """Scopes are told to account:read only; orders still show that the key works."""
    one = scan_one("deribit", {"permissions": ("trade:read_write",)}).one

    assert (Status.ONLINE, Reason.PERMISSIONS_UNKNOWN) == (one.status, one.reason)
    assert Grant.GRANTED == one.facts.grant("read")
    assert Grant.UNKNOWN == one.facts.grant("withdraw")


REFUSALS = [
    ({"wrong_key": True}, Reason.AMBIGUOUS),
    ({"state": "deleted"}, Reason.AMBIGUOUS),
    ({"state": "frozen"}, Reason.AMBIGUOUS),
    ({"wrong_secret": True}, Reason.AMBIGUOUS),
    ({"ips": ("198.51.100.0/24",)}, Reason.AMBIGUOUS),
    ({"permissions": ("account:read", "trade:read")}, Reason.MISSING_PERMISSION),
    ({"permissions": ("wallet:read",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason; what Deribit does not tell apart stays ambiguous."""
    one = scan_one("deribit", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


def test_connection_test_reads_balance_and_orders():
    """Both are reads that the exchange documents as such."""
    one = scan_one("deribit", {"permissions": TRADES}, options={"connection_test": True}).one

    assert ["ok", "ok"] == [one.facts.known[path].value for path in ("test.balance", "test.orders")]


def test_only_getting_and_listing_is_listed():
    """Deribit takes orders and withdrawals by GET: the adapter's reads are of the two kinds that change nothing."""
    assert {"get", "list"} == {
        read.path.rpartition("/")[2].partition("_")[0] for read in known()["deribit"].reads
    }
