"""BloFin end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Account, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one

TRADES = ("READ", "TRADE")
READS = {"fields": {"requires": ("read",)}}


def test_trade_only():
    """BloFin tells that a key may write, not what: Online, permissions unknown."""
    key = {"permissions": TRADES, "ips": ("203.0.113.10",), "label": "bot", "expires_in_days": 60}
    seen = scan_one("blofin", key)
    one = seen.one

    assert (Status.ONLINE, Reason.PERMISSIONS_UNKNOWN) == (one.status, one.reason), one.detail
    assert Grant.GRANTED == one.facts.grant("read")
    assert {Grant.UNKNOWN} == {
        one.facts.grant(word) for word in ("trade", "futures", "transfer", "withdraw")
    }
    assert ("203.0.113.10",) == one.facts.known["network.ip_allowlist"].value
    assert ("bot", True, None) == tuple(
        one.facts.known[path].value
        for path in ("key.label", "account_facts.is_master", "key.third_party")
    )
    assert [True] == [sent.verified for sent in seen.requests if sent.key]


def test_read_only_is_certain():
    """Only reading denies everything else."""
    one = scan_one("blofin", {"permissions": ("READ",)}, **READS).one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    assert {Grant.DENIED} == {
        one.facts.grant(word) for word in ("trade", "futures", "transfer", "withdraw")
    }


def test_withdrawal_is_never_a_pass():
    """A key with withdrawal looks like any other that writes: unknown, and never denied."""
    one = scan_one("blofin", {"permissions": (*TRADES, "WITHDRAW")}).one

    assert Grant.UNKNOWN == one.facts.grant("withdraw")
    assert one.facts.known["network.ip_restricted"].value is False


def test_a_third_partys_key_of_a_sub_account():
    """Whose key it is, and that it is bound to an application."""
    key = Key(name="one", env="ONE", permissions=TRADES, modes=("third-party",))
    accounts = (
        Account(exchange="blofin", uid=1),
        Account(exchange="blofin", name="sub", parent="main", uid=2, keys=(key,)),
    )
    one = scan_fleet(Scenario(accounts=accounts), [connection("blofin")]).one

    assert ("2", "1", False) == tuple(
        one.facts.known[f"account_facts.{name}"].value
        for name in ("uid", "parent_uid", "is_master")
    )
    assert one.facts.known["key.third_party"].value


REFUSALS = [
    ({"wrong_key": True}, Reason.UNKNOWN_KEY),
    ({"state": "deleted"}, Reason.UNKNOWN_KEY),
    ({"state": "expired"}, Reason.EXPIRED),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"wrong_passphrase": True}, Reason.WRONG_PASSPHRASE),
    ({"ips": ("198.51.100.0/24",)}, Reason.IP_NOT_ALLOWED),
    ({"permissions": ()}, Reason.MISSING_PERMISSION),
    ({"permissions": ("READ",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason, though BloFin answers HTTP 200 to all."""
    one = scan_one("blofin", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


@pytest.mark.parametrize("requires", [("read", "trade"), ("read", "futures")])
def test_connection_test_reads_balance_and_orders(requires):
    """Of the market that the connection trades."""
    one = scan_one(
        "blofin",
        {"permissions": TRADES},
        fields={"requires": requires},
        options={"connection_test": True},
    ).one

    assert ["ok", "ok"] == [one.facts.known[path].value for path in ("test.balance", "test.orders")]


def test_a_clock_that_is_wrong():
    """BloFin tells no time: a clock that is wrong is not corrected, and said."""
    one = scan_one("blofin", {"permissions": TRADES}, clock_offset_ms={"blofin": 120_000}).one

    assert Reason.CLOCK_SKEW == one.reason
