"""HTX end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Account, Fault, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one

TRADES = ("readOnly", "trade")


def test_trade_only():
    """A trading key bound to a network is Online; one switch covers every market and transfers."""
    key = {
        "permissions": TRADES,
        "ips": ("203.0.113.0/24",),
        "label": "bot",
        "expires_in_days": 61.5,
    }
    seen = scan_one("htx", key)
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason)
    words = ("trade", "margin", "futures", "transfer", "withdraw")
    assert ["granted"] * 4 + ["denied"] == [one.facts.grant(word) for word in words]
    assert ("203.0.113.0/24",) == one.facts.known["network.ip_allowlist"].value
    assert "bot" == one.facts.known["key.label"].value
    assert 60 <= (one.facts.known["key.expires_at"].value - one.scanned_at).days <= 61
    assert one.facts.known["account_facts.is_master"].value is True
    assert [True] * 3 == [record.verified for record in seen.requests if record.key]


def test_withdrawal_is_seen():
    """Withdraw is granted, and no address is no restriction."""
    one = scan_one("htx", {"permissions": ("withdraw", *TRADES)}).one

    assert Grant.GRANTED == one.facts.grant("withdraw")
    assert one.facts.known["network.ip_restricted"].value is False


REFUSALS = [
    ({"wrong_key": True}, Reason.UNKNOWN_KEY),
    ({"state": "deleted"}, Reason.UNKNOWN_KEY),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"state": "expired"}, Reason.EXPIRED),
    ({"ips": ("198.51.100.0/24",)}, Reason.IP_NOT_ALLOWED),
    ({"permissions": ("trade",)}, Reason.MISSING_PERMISSION),
    ({"permissions": ("readOnly",)}, Reason.MISSING_PERMISSION),
    ({"wrong_secret": True, "modes": ("v2-errors",)}, Reason.WRONG_SECRET),
    ({"permissions": ("trade",), "modes": ("v2-errors",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason, though HTX answers HTTP 200 and one code to most."""
    one = scan_one("htx", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


def test_blocked_address_is_named():
    """The address that HTX saw is in the detail and in the advice."""
    one = scan_one("htx", {"permissions": TRADES, "ips": ("198.51.100.7",)}).one

    assert "203.0.113.10" in one.detail
    assert "203.0.113.10" in one.advice


@pytest.mark.parametrize("offset", [-900_000, 900_000])
def test_clock_skew_is_corrected(offset):
    """A clock a quarter of an hour off is corrected by HTX's own."""
    one = scan_one("htx", {"permissions": TRADES}, clock_offset_ms={"htx": offset}).one

    assert Status.ONLINE == one.status


def test_maintenance_with_http_200():
    """`{"status": "maintain"}` is what ccxt takes for a success."""
    one = scan_one("htx", {"permissions": TRADES}, faults=(Fault(kind="maintenance"),)).one

    assert (Status.EXCHANGE_UNAVAILABLE, Reason.MAINTENANCE) == (one.status, one.reason)


def test_futures_and_spot_reads_of_the_connection_test():
    """Contract requests are signed for another host."""
    options = {"connection_test": True}
    spot = scan_one("htx", {"permissions": TRADES}, options=options).one
    futures = scan_one(
        "htx", {"permissions": TRADES}, fields={"requires": ("read", "futures")}, options=options
    ).one

    for one in (spot, futures):
        assert Status.ONLINE == one.status
        assert ["ok", "ok"] == [
            one.facts.known[f"test.{what}"].value for what in ("balance", "orders")
        ]


def test_sub_user():
    """A sub-user's key is described, or refused to look at itself: then reading only is proven."""
    sub = Account(
        exchange="htx",
        name="sub1",
        parent="main",
        keys=(
            Key(name="open", env="OPEN", permissions=TRADES),
            Key(name="shut", env="SHUT", permissions=TRADES, modes=("record-refused-to-subs",)),
        ),
    )
    played = Scenario(accounts=(Account(exchange="htx"), sub))
    seen = scan_fleet(played, [connection("htx", "OPEN"), connection("htx", "SHUT")])
    described, refused = seen.snapshot.connections

    assert (Status.ONLINE, None) == (described.status, described.reason)
    assert "account_facts.is_master" in described.facts.unknown
    assert (Status.ONLINE, Reason.PERMISSIONS_UNKNOWN) == (refused.status, refused.reason)
    assert Grant.UNKNOWN == refused.facts.grant("withdraw")
