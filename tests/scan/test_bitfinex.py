"""Bitfinex end to end: real ccxt over HTTP against the sandbox, which checks every signature and nonce."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Account, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one

READS = ("account:read", "orders:read", "wallets:read")
TRADES = (*READS, "orders:write")


def test_trade_only():
    """A trading key is Online; what Bitfinex never tells is unknown, not fine."""
    seen = scan_one("bitfinex", {"permissions": TRADES}, account={"uid": 4711})
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    assert ["granted", "granted", "denied", "denied", "denied"] == [
        one.facts.grant(word) for word in ("read", "trade", "withdraw", "transfer", "options")
    ]
    assert "4711" == one.facts.known["account_facts.uid"].value
    assert {"network.ip_restricted", "network.ip_allowlist", "key.created_at"} <= set(
        one.facts.unknown
    )
    assert [("POST", True)] * 2 == [
        (sent.method, sent.verified) for sent in seen.requests if sent.key
    ]


def test_withdrawal_is_seen():
    """Withdrawal and transfer are writing scopes."""
    one = scan_one(
        "bitfinex", {"permissions": (*TRADES, "withdraw:write", "wallets:write", "bfxpay:write")}
    ).one

    assert ["granted"] * 3 == [
        one.facts.grant(word) for word in ("withdraw", "transfer", "other:bfxpay")
    ]


def test_reading_withdrawals_is_no_withdrawal():
    """The reading half of a scope grants nothing but reading."""
    one = scan_one("bitfinex", {"permissions": (*TRADES, "withdraw:read")}).one

    assert Grant.DENIED == one.facts.grant("withdraw")


def test_sub_account_names_its_master():
    """A sub-account's key is told its master account."""
    key = Key(name="one", env="ONE", permissions=TRADES)
    accounts = (
        Account(exchange="bitfinex", uid=1),
        Account(exchange="bitfinex", name="sub", parent="main", uid=2, keys=(key,)),
    )
    one = scan_fleet(Scenario(accounts=accounts), [connection("bitfinex")]).one

    assert ("2", "1") == tuple(
        one.facts.known[f"account_facts.{name}"].value for name in ("uid", "parent_uid")
    )


REFUSALS = [
    ({"wrong_key": True}, Reason.AMBIGUOUS),
    ({"state": "deleted"}, Reason.AMBIGUOUS),
    ({"state": "expired"}, Reason.AMBIGUOUS),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"ips": ("198.51.100.0/24",)}, Reason.AMBIGUOUS),
    ({"permissions": READS}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason; what Bitfinex does not tell apart stays ambiguous."""
    one = scan_one("bitfinex", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


def test_connection_test_reads_balance_and_orders():
    """Both are signed POSTs on the list of reads; their nonces increase."""
    one = scan_one("bitfinex", {"permissions": TRADES}, options={"connection_test": True}).one

    assert ["ok", "ok"] == [one.facts.known[path].value for path in ("test.balance", "test.orders")]
