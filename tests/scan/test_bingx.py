"""BingX end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Account, Fault, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one

TRADES = ("1", "2")


def test_trade_only():
    """A spot key bound to an address is Online; its creation comes from the second read."""
    key = {"permissions": TRADES, "ips": ("203.0.113.10",), "label": "bot", "age_days": 40}
    seen = scan_one("bingx", key)
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason)
    words = ("trade", "margin", "futures", "transfer", "withdraw")
    assert ["granted"] + ["denied"] * 4 == [one.facts.grant(word) for word in words]
    assert ("203.0.113.10",) == one.facts.known["network.ip_allowlist"].value
    assert 40 == (one.scanned_at - one.facts.known["key.created_at"].value).days
    assert one.facts.known["account_facts.is_master"].value is True
    assert [True] * 4 == [record.verified for record in seen.requests if record.key]


@pytest.mark.parametrize("modes", [(), ("booleans",), ("data-wrapped", "empty-address")])
def test_withdrawal_is_seen_in_every_form(modes):
    """Withdraw is granted in whatever form it is told, and no address is no restriction."""
    key = {"permissions": ("5", *TRADES), "modes": modes}
    one = scan_one("bingx", key).one

    assert Grant.GRANTED == one.facts.grant("withdraw")
    assert one.facts.known["network.ip_restricted"].value is False


REFUSALS = [
    ({"wrong_key": True}, Reason.UNKNOWN_KEY),
    ({"state": "deleted"}, Reason.UNKNOWN_KEY),
    ({"state": "expired"}, Reason.UNKNOWN_KEY),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"ips": ("198.51.100.0/24",)}, Reason.IP_NOT_ALLOWED),
    ({"permissions": ("1",)}, Reason.MISSING_PERMISSION),
    ({"permissions": ("2",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason, by BingX's own code."""
    one = scan_one("bingx", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


def test_blocked_address_is_named():
    """The address that BingX saw is in the advice."""
    one = scan_one("bingx", {"permissions": TRADES, "ips": ("198.51.100.7",)}).one

    assert "203.0.113.10" in one.advice


@pytest.mark.parametrize("offset", [-60_000, 60_000])
def test_clock_skew_is_corrected(offset):
    """ccxt signs with our clock here; it is corrected all the same."""
    one = scan_one("bingx", {"permissions": TRADES}, clock_offset_ms={"bingx": offset}).one

    assert Status.ONLINE == one.status


def test_a_suspended_account():
    """Risk control is told apart from a wrong key."""
    one = scan_one("bingx", {"permissions": TRADES}, account={"frozen": True}).one

    assert Reason.ACCOUNT_RESTRICTED == one.reason


def test_the_older_read_stands_in():
    """Where the first read answers with a web page, the record by uid and the older read stand in."""
    fault = Fault(kind="html-200", path="*/apiPermissions")
    seen = scan_one("bingx", {"permissions": TRADES, "modes": ("api-key-list",)}, faults=(fault,))

    assert Status.ONLINE == seen.one.status
    assert Grant.DENIED == seen.one.facts.grant("withdraw")
    assert "/openApi/v1/account/apiRestrictions" in {record.path for record in seen.requests}


@pytest.mark.parametrize(("kind", "trade"), [("html-200", "granted"), ("null-fields", "unknown")])
def test_no_word_on_withdrawal_is_no_denial(kind, trade):
    """The older read alone does not tell withdrawals, and nulls tell nothing: unknown."""
    faults = (Fault(kind=kind, path="*/apiPermissions"), Fault(kind="html-200", path="*/query"))
    one = scan_one(
        "bingx", {"permissions": TRADES, "modes": ("old-restrictions",)}, faults=faults
    ).one

    assert trade == one.facts.grant("trade")
    assert Grant.UNKNOWN == one.facts.grant("withdraw")


@pytest.mark.parametrize("word", ["trade", "futures"])
def test_connection_test(word):
    """Balance and order reads of either market are signed right."""
    one = scan_one(
        "bingx",
        {"permissions": ("1", "2", "3")},
        fields={"requires": ("read", word)},
        options={"connection_test": True},
    ).one

    assert ["ok", "ok"] == [one.facts.known[f"test.{what}"].value for what in ("balance", "orders")]


def test_sub_account():
    """A sub-account is told by the refusal to list sub-accounts."""
    sub = Account(
        exchange="bingx", name="sub1", parent="main", keys=(Key(name="s", env="S", permissions=TRADES),)
    )  # fmt: skip
    played = Scenario(accounts=(Account(exchange="bingx"), sub))
    (one,) = scan_fleet(played, [connection("bingx", "S")]).snapshot.connections

    assert one.facts.known["account_facts.is_master"].value is False
