"""OKX end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Account, Fault, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one, text_of

TRADES = ("read_only", "trade")


def test_trade_only():
    """One right covers every product and transfers; a range on the IP list covers the caller."""
    key = {"permissions": TRADES, "ips": ("203.0.113.0/24",), "label": "bot"}
    seen = scan_one("okx", key, account={"uid": "446"})
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    words = ("read", "trade", "margin", "futures", "options", "transfer", "withdraw")
    assert ["granted"] * 6 + ["denied"] == [one.facts.grant(word) for word in words]
    assert ("203.0.113.0/24",) == one.facts.known["network.ip_allowlist"].value
    assert "bot" == one.facts.known["key.label"].value
    assert "446" == one.facts.known["account_facts.uid"].value
    assert [True] == [record.verified for record in seen.requests if record.key]
    assert Grant.GRANTED == one.facts.known["reach.manage_keys"].value


def test_a_sub_account_is_told_by_its_main_account():
    """A sub-account's key names the main account, and reaches no keys."""
    accounts = (
        Account(exchange="okx", uid="445"),
        Account(
            exchange="okx",
            name="sub",
            uid="446",
            parent="main",
            keys=(Key(name="one", env="ONE", permissions=TRADES, modes=("older-config",)),),
        ),
    )
    seen = scan_fleet(Scenario(accounts=accounts), [connection("okx")])
    facts = seen.one.facts

    assert facts.known["account_facts.is_master"].value is False
    assert "445" == facts.known["account_facts.parent_uid"].value
    assert facts.known["network.ip_restricted"].value is False
    assert Grant.DENIED == facts.known["reach.manage_keys"].value


def test_withdrawal_is_seen():
    """The withdraw right is granted by its name."""
    one = scan_one("okx", {"permissions": (*TRADES, "withdraw")}).one

    assert Grant.GRANTED == one.facts.grant("withdraw")


REFUSALS = [
    ({"wrong_key": True}, Reason.UNKNOWN_HERE),
    ({"state": "deleted"}, Reason.UNKNOWN_HERE),
    ({"state": "expired"}, Reason.UNKNOWN_HERE),
    ({"state": "frozen"}, Reason.DISABLED),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"wrong_passphrase": True}, Reason.WRONG_PASSPHRASE),
    ({"ips": ("198.51.100.0/24",)}, Reason.IP_NOT_ALLOWED),
    ({"permissions": ("read_only",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason, by OKX's own code."""
    one = scan_one("okx", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


def test_the_text_of_a_blocked_address_leaks_nothing():
    """OKX puts the whole key into its text; only the address comes out."""
    seen = scan_one("okx", {"permissions": TRADES, "ips": ("198.51.100.7",)})

    assert "203.0.113.10" in seen.one.advice
    assert seen.environment["ONE_KEY"] not in text_of(seen.snapshot)


@pytest.mark.parametrize("offset", [-90_000, 90_000])
def test_clock_skew_is_corrected(offset):
    """A wrong clock is measured by OKX's time, and corrected."""
    seen = scan_one("okx", {"permissions": TRADES}, clock_offset_ms={"okx": offset})

    assert Status.ONLINE == seen.one.status, seen.one.detail
    assert abs(seen.snapshot.exchanges[0].clock_offset_ms + offset) < 2_000


@pytest.mark.parametrize("market", ["trade", "futures"])
def test_connection_test(market):
    """Both reads of the connection test are answered."""
    fields = {"requires": ("read", market)}
    options = {"connection_test": True}
    one = scan_one("okx", {"permissions": TRADES}, fields=fields, options=options).one

    assert Status.ONLINE == one.status, one.detail
    assert {"ok"} == {one.facts.known[f"test.{name}"].value for name in ("balance", "orders")}


@pytest.mark.parametrize("kind", ["null-fields", "wrong-type", "html-200", "truncated", "empty"])
def test_what_makes_no_sense_proves_nothing(kind):
    """No right is granted or denied by a spoilt record."""
    fault = Fault(kind=kind, path="*config*")
    one = scan_one("okx", {"permissions": (*TRADES, "withdraw")}, faults=(fault,)).one

    assert one.reason in (Reason.PERMISSIONS_UNKNOWN, Reason.UNEXPECTED_ANSWER)
    assert {Grant.UNKNOWN} == {one.facts.grant(word) for word in ("read", "trade", "withdraw")}
