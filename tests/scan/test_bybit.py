"""Bybit end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

from datetime import timedelta

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Account, Fault, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one

TRADES = ("Spot.SpotTrade",)


def test_trade_only():
    """A spot key bound to an address is Online; SpotTrade covers margin on a unified account."""
    key = {"permissions": TRADES, "ips": ("203.0.113.10",), "label": "bot", "age_days": 40}
    seen = scan_one("bybit", key)
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    words = ("read", "trade", "margin", "futures", "options", "transfer", "withdraw")
    assert ["granted"] * 3 + ["denied"] * 4 == [one.facts.grant(word) for word in words]
    assert ("203.0.113.10",) == one.facts.known["network.ip_allowlist"].value
    assert 40 == (one.scanned_at - one.facts.known["key.created_at"].value).days
    assert one.facts.known["key.expires_at"].value is None
    assert one.facts.known["account_facts.is_master"].value is True
    assert [True] == [record.verified for record in seen.requests if record.key]


@pytest.mark.parametrize("modes", [(), ("empty-ips",)])
def test_withdrawal_of_an_unbound_key(modes):
    """Withdraw is seen; no address, in either form, is no restriction, and ends the key after 90 days."""
    key = {"permissions": (*TRADES, "Wallet.Withdraw"), "modes": modes, "age_days": 30}
    one = scan_one("bybit", key).one

    assert Grant.GRANTED == one.facts.grant("withdraw")
    assert one.facts.known["network.ip_restricted"].value is False
    left = one.facts.known["key.expires_at"].value - one.scanned_at
    assert timedelta(days=59) < left < timedelta(days=61)


def test_read_only_wins():
    """A read-only key keeps its list of permissions, and has none of them."""
    key = {"permissions": (*TRADES, "Wallet.Withdraw", "Earn.Earn", "readOnly")}
    one = scan_one("bybit", key).one

    assert Reason.MISSING_PERMISSION == one.reason
    assert {Grant.DENIED} == {one.facts.grant(word) for word in ("trade", "withdraw", "transfer")}
    assert "permissions.other:Earn" not in one.facts.known


def test_value_moving_groups_and_exits():
    """Groups beyond trading go by Bybit's own names, and are ways out."""
    tokens = (*TRADES, "FiatP2P.Advertising", "Earn.Earn", "Novelty.New")
    one = scan_one("bybit", {"permissions": tokens, "modes": ("third-party",)}).one

    assert {Grant.GRANTED} == {one.facts.grant(f"other:{name}") for name in ("FiatP2P", "Earn", "Novelty")}  # fmt: skip
    assert ("p2p", "earn") == one.facts.known["reach.exits"].value
    assert one.facts.known["key.third_party"].value


def test_a_sub_account_key_that_transfers_can_rebind_itself():
    """A sub-account's transfer permission reaches the key's own IP list."""
    key = Key(name="one", env="ONE", permissions=(*TRADES, "Wallet.SubMemberTransferList"))
    accounts = (
        Account(exchange="bybit", uid="1"),
        Account(exchange="bybit", name="sub", uid="2", parent="main", keys=(key,)),
    )
    facts = scan_fleet(Scenario(accounts=accounts), [connection("bybit")]).one.facts

    assert "1" == facts.known["account_facts.parent_uid"].value
    assert Grant.GRANTED == facts.grant("transfer")
    assert Grant.GRANTED == facts.known["reach.ip_list"].value


def test_rsa():
    """An RSA key is signed with, and told apart."""
    one = scan_one("bybit", {"permissions": TRADES, "type": "rsa"}).one

    assert Status.ONLINE == one.status, one.detail
    assert "rsa" == one.facts.known["key.type"].value


REFUSALS = [
    ({"wrong_key": True}, Reason.UNKNOWN_HERE),
    ({"state": "deleted"}, Reason.UNKNOWN_HERE),
    ({"state": "frozen"}, Reason.UNKNOWN_HERE),
    ({"state": "expired"}, Reason.EXPIRED),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"ips": ("198.51.100.7",)}, Reason.IP_NOT_ALLOWED),
    ({"permissions": ("ContractTrade.Order",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason, by Bybit's own code."""
    one = scan_one("bybit", {"permissions": TRADES, **key}).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")


@pytest.mark.parametrize("offset", [-90_000, 90_000])
def test_clock_skew_is_corrected(offset):
    """A wrong clock is measured by Bybit's time, and corrected."""
    seen = scan_one("bybit", {"permissions": TRADES}, clock_offset_ms={"bybit": offset})

    assert Status.ONLINE == seen.one.status, seen.one.detail
    assert abs(seen.snapshot.exchanges[0].clock_offset_ms + offset) < 2_000


@pytest.mark.parametrize(
    ("market", "token"), [("trade", TRADES[0]), ("futures", "Derivatives.DerivativesTrade")]
)
def test_connection_test(market, token):
    """Each market's reads are answered to a key of that market."""
    options = {"connection_test": True}
    fields = {"requires": ("read", market)}
    one = scan_one("bybit", {"permissions": (token,)}, fields=fields, options=options).one

    assert Status.ONLINE == one.status, one.detail
    assert {"ok"} == {one.facts.known[f"test.{name}"].value for name in ("balance", "orders")}


@pytest.mark.parametrize("kind", ["ban", "region-451", "maintenance", "html-403", "truncated"])
def test_trouble_is_no_statement_about_the_key(kind):
    """Whatever Bybit's trouble is, nothing is known of the key."""
    fault = Fault(kind=kind, path="*query-api*", seconds=30)
    one = scan_one("bybit", {"permissions": TRADES}, faults=(fault,)).one

    assert Status.EXCHANGE_UNAVAILABLE == one.status, one.detail
    assert {Grant.UNKNOWN} == {one.facts.grant(word) for word in ("read", "trade", "withdraw")}
