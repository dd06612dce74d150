"""Bitget end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Fault
from tests.scan.fleet import scan_one

TRADES = ("stor", "stow")
UNIFIED = {"flags": {"unified": True}}
INFO = "/api/v3/account/info"


def test_classic_trade_only():
    """A classic key is asked as unified first, then as classic, and is Online."""
    key = {"permissions": TRADES, "ips": ("203.0.113.10",)}
    seen = scan_one("bitget", key)
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    words = ("read", "trade", "margin", "futures", "options", "transfer", "withdraw", "manage_keys")
    assert ["granted"] * 2 + ["denied"] * 6 == [one.facts.grant(word) for word in words]
    assert ("203.0.113.10",) == one.facts.known["network.ip_allowlist"].value
    asked = [(record.path, record.verified) for record in seen.requests if record.key]
    assert [(INFO, True), ("/api/v2/spot/account/info", True)] == asked


@pytest.mark.parametrize("modes", [(), ("underscores", "ips-list")])
def test_unified_trade_only(modes):
    """A unified key is asked once; its one right covers spot, margin and futures."""
    key = {"permissions": ("uta_trade",), "ips": ("203.0.113.10",), "modes": modes}
    seen = scan_one("bitget", key, account=UNIFIED)
    one = seen.one

    assert Status.ONLINE == one.status, one.detail
    words = ("read", "trade", "margin", "futures", "withdraw", "manage_keys")
    assert ["granted"] * 4 + ["denied"] * 2 == [one.facts.grant(word) for word in words]
    assert Grant.UNKNOWN == one.facts.grant("transfer")
    assert ("203.0.113.10",) == one.facts.known["network.ip_allowlist"].value
    assert [INFO] == [record.path for record in seen.requests if record.key]


@pytest.mark.parametrize(
    ("token", "withdraw", "transfer"),
    [("wwow", "granted", "denied"), ("wtow", "denied", "granted")],
)
def test_transfer_is_not_withdrawal(token, withdraw, transfer):
    """One letter apart: wwow leaves the account, wtow does not."""
    one = scan_one("bitget", {"permissions": (*TRADES, token)}).one

    assert (withdraw, transfer) == (one.facts.grant("withdraw"), one.facts.grant("transfer"))
    assert one.facts.known["network.ip_restricted"].value is False


def test_unified_withdrawal_of_a_read_only_key_is_flagged():
    """Withdraw counts on presence; trade does not, on a read-only key."""
    key = {"permissions": ("uta_trade", "withdraw", "read-only")}
    one = scan_one("bitget", key, account=UNIFIED).one

    assert ("granted", "denied") == (one.facts.grant("withdraw"), one.facts.grant("trade"))
    assert one.facts.known["permissions.withdraw"].limitation


REFUSALS = [
    ({"wrong_key": True}, Reason.UNKNOWN_KEY),
    ({"state": "deleted"}, Reason.UNKNOWN_KEY),
    ({"state": "expired"}, Reason.UNKNOWN_KEY),
    ({"state": "frozen"}, Reason.UNKNOWN_KEY),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"wrong_passphrase": True}, Reason.WRONG_PASSPHRASE),
    ({"ips": ("198.51.100.7",)}, Reason.IP_NOT_ALLOWED),
    ({"permissions": ("stor",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize("unified", [False, True])
@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason, unified):
    """Each refusal has its reason, by Bitget's own code, whichever the account's mode."""
    if unified and reason is Reason.MISSING_PERMISSION:
        key = {"permissions": ("uta_trade", "read-only")}
    tokens = ("uta_trade",) if unified else TRADES
    account = UNIFIED if unified else None
    one = scan_one("bitget", {"permissions": tokens, **key}, account=account).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


def test_a_key_that_outlived_its_account_mode():
    """A classic key of an account that became unified can do nothing, and says nothing."""
    one = scan_one("bitget", {"permissions": TRADES}, account=UNIFIED).one

    assert (Status.NO_TRADING_PERMISSION, Reason.ACCOUNT_RESTRICTED) == (one.status, one.reason)
    assert "must be made anew" in one.detail
    assert Grant.UNKNOWN == one.facts.grant("withdraw")


def test_frozen_account():
    """A user whose status is abnormal is restricted; the key is not wrong."""
    one = scan_one("bitget", {"permissions": TRADES}, account={"frozen": True}).one

    assert Reason.ACCOUNT_RESTRICTED == one.reason


@pytest.mark.parametrize("offset", [-90_000, 90_000])
def test_clock_skew_is_corrected(offset):
    """A wrong clock is measured by Bitget's time, and corrected."""
    seen = scan_one("bitget", {"permissions": TRADES}, clock_offset_ms={"bitget": offset})

    assert Status.ONLINE == seen.one.status, seen.one.detail
    assert abs(seen.snapshot.exchanges[0].clock_offset_ms + offset) < 2_000


@pytest.mark.parametrize(
    ("market", "tokens"), [("trade", TRADES), ("futures", ("coor", "coow", "cpor", "cpow"))]
)
def test_connection_test(market, tokens):
    """Each market's reads are answered to a key of that market."""
    options = {"connection_test": True}
    fields = {"requires": ("read", market)}
    one = scan_one("bitget", {"permissions": tokens}, fields=fields, options=options).one

    assert Status.ONLINE == one.status, one.detail
    assert {"ok"} == {one.facts.known[f"test.{name}"].value for name in ("balance", "orders")}


@pytest.mark.parametrize("market", ["trade", "futures"])
def test_connection_test_of_a_unified_account(market):
    """A unified account has reads of its own; those of a classic one would be refused."""
    options = {"connection_test": True}
    fields = {"requires": ("read", market)}
    seen = scan_one("bitget", {"permissions": ("uta_trade",)}, account=UNIFIED, fields=fields, options=options)  # fmt: skip

    assert Status.ONLINE == seen.one.status, seen.one.detail
    for name, path in (("balance", "account/assets"), ("orders", "trade/unfilled-orders")):
        fact = seen.one.facts.known[f"test.{name}"]
        assert ("ok", f"GET /api/v3/{path}") == (fact.value, fact.request)


def test_connection_test_of_a_unified_account_without_trading():
    """Management alone reads balances, and no orders."""
    options = {"connection_test": True}
    one = scan_one("bitget", {"permissions": ("uta_mgt",)}, account=UNIFIED, options=options, fields={"requires": ("read",)}).one  # fmt: skip

    assert Reason.MISSING_PERMISSION == one.reason
    assert "ok" == one.facts.known["test.balance"].value
    assert "missing-permission" == one.facts.known["test.orders"].value


@pytest.mark.parametrize("kind", ["null-fields", "wrong-type", "html-200", "truncated"])
def test_what_makes_no_sense_proves_nothing(kind):
    """No right is granted or denied by spoilt records."""
    fault = Fault(kind=kind, path="*info*")
    one = scan_one("bitget", {"permissions": (*TRADES, "wwow")}, faults=(fault,)).one

    assert Status.ONLINE != one.status or Reason.PERMISSIONS_UNKNOWN == one.reason
    assert {Grant.UNKNOWN} == {one.facts.grant(word) for word in ("read", "trade", "withdraw")}
