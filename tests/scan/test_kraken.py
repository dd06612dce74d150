"""Kraken end to end: real ccxt over HTTP against the sandbox, which checks every signature and nonce."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Fault
from tests.scan.fleet import connection, scan_fleet, scan_one, scenario

TRADES = (
    "query-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
)


@pytest.mark.parametrize("modes", [(), ("seen-live",)])
def test_trade_only(modes):
    """A bound trading key is Online, in either spelling of its record; the one read is a signed POST."""
    key = {"permissions": TRADES, "ips": ("203.0.113.0/24",), "label": "bot", "modes": modes}
    seen = scan_one("kraken", {**key, "expires_in_days": 60})
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    assert ["granted", "granted", "denied", "denied"] == [
        one.facts.grant(word) for word in ("read", "trade", "withdraw", "transfer")
    ]
    assert ("203.0.113.0/24",) == one.facts.known["network.ip_allowlist"].value
    assert "bot" == one.facts.known["key.label"].value
    assert 59 <= (one.facts.known["key.expires_at"].value - one.scanned_at).days <= 60
    assert [("POST", "/0/private/GetApiKeyInfo", True)] == [
        (sent.method, sent.path, sent.verified) for sent in seen.requests if sent.key
    ]


@pytest.mark.parametrize("modes", [(), ("seen-live",)])
def test_withdrawal_is_seen(modes):
    """Withdrawal is granted, and no address is no restriction, however it is spelt."""
    one = scan_one("kraken", {"permissions": ("withdraw-funds", *TRADES), "modes": modes}).one

    assert Grant.GRANTED == one.facts.grant("withdraw")
    assert one.facts.known["network.ip_restricted"].value is False


def test_the_scan_is_not_taken_for_use():
    """What Kraken tells as last use is this very scan: it proves nothing of the bot."""
    one = scan_one("kraken", {"permissions": TRADES}).one

    assert "this scan" in one.facts.unknown["key.last_used_at"]


def test_query_alone_reaches_the_futures_wallet():
    """WalletTransfer needs no more than reading."""
    one = scan_one("kraken", {"permissions": ("query-funds",)}).one

    assert Grant.DENIED == one.facts.grant("transfer")
    assert Grant.GRANTED == one.facts.known["reach.transfer"].value


REFUSALS = [
    ({"wrong_key": True}, Reason.AMBIGUOUS),
    ({"state": "deleted"}, Reason.AMBIGUOUS),
    ({"state": "expired"}, Reason.AMBIGUOUS),
    ({"state": "frozen"}, Reason.AMBIGUOUS),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"ips": ("198.51.100.0/24",)}, Reason.AMBIGUOUS),
    ({"ips": ("198.51.100.0/24",), "modes": ("ip-invalid-key",)}, Reason.AMBIGUOUS),
    ({"permissions": ("query-funds", "close-trades")}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason; what Kraken does not tell apart stays ambiguous."""
    one = scan_one("kraken", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


def test_connection_test_reads_balance_and_orders():
    """Both are signed POSTs on the list of reads; their nonces increase."""
    seen = scan_one("kraken", {"permissions": TRADES}, options={"connection_test": True})

    assert ["ok", "ok"] == [
        seen.one.facts.known[path].value for path in ("test.balance", "test.orders")
    ]
    assert all(sent.verified for sent in seen.requests if sent.key)


def test_a_test_read_without_its_permission():
    """The same words that are ambiguous for the record mean a missing permission here."""
    one = scan_one(
        "kraken",
        {"permissions": ("query-funds", "modify-trades")},
        options={"connection_test": True},
    ).one

    assert (Status.NO_TRADING_PERMISSION, Reason.MISSING_PERMISSION) == (one.status, one.reason)
    assert "OpenOrders" in one.detail


def test_a_malformed_secret():
    """A secret that is not base64 cannot sign, and nothing leaves."""
    played = scenario("kraken", {"permissions": TRADES})
    seen = scan_fleet(played, [connection("kraken")], environ={"ONE_SECRET": "!not base64"})

    assert Reason.MALFORMED_SECRET == seen.one.reason
    assert not [sent for sent in seen.requests if sent.key]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("ban", Reason.BANNED),
        ("rate-limit", Reason.RATE_LIMITED),
        ("maintenance", Reason.MAINTENANCE),
        ("server-error", Reason.SERVER_ERROR),
        ("html-403", Reason.BLOCKED),
        ("truncated", Reason.UNEXPECTED_ANSWER),
        ("null-fields", None),
    ],
)
def test_trouble(kind, reason):
    """No trouble is taken for an answer about the key."""
    faults = (Fault(kind=kind, path="*/private/*"),)
    one = scan_one("kraken", {"permissions": ("withdraw-funds", *TRADES)}, faults=faults).one

    assert reason is None or reason == one.reason
    assert Grant.UNKNOWN == one.facts.grant("withdraw")
