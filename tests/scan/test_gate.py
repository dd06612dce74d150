"""Gate end to end: real ccxt over HTTP against the sandbox, which checks every signature."""

import pytest

from bfaudit.model import Grant, Reason, Source, Status
from bfaudit.sandbox import Account, Fault, Key, Scenario
from tests.scan.fleet import connection, scan_fleet, scan_one

TRADES = ("account:r", "spot")


def _paths(seen):
    return [record.path.removeprefix("/api/v4/") for record in seen.requests if record.key]


def test_trade_only():
    """The key is found in the masked list; withdrawal stays unknown, since the list has no name for it."""
    key = {"permissions": TRADES, "ips": ("203.0.113.10",), "label": "bot", "age_days": 40}
    seen = scan_one("gate", key)
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    assert ["granted"] * 3 == [one.facts.grant(word) for word in ("read", "trade", "margin")]
    denied = ("futures", "options", "transfer", "manage_keys")
    assert ["denied"] * 4 == [one.facts.grant(word) for word in denied]
    assert Grant.UNKNOWN == one.facts.grant("withdraw")
    assert ("203.0.113.10",) == one.facts.known["network.ip_allowlist"].value
    assert 40 == (one.scanned_at - one.facts.known["key.created_at"].value).days
    assert one.facts.known["key.last_used_at"].limitation
    assert "active" == one.facts.known["key.state"].value
    assert ["account/main_keys", "account/detail", "sub_accounts"] == _paths(seen)
    assert all(record.verified for record in seen.requests if record.key)


def test_the_right_key_of_many():
    """Each key of an account is recognised by what its mask leaves."""
    keys = (
        Key(name="one", env="ONE", permissions=TRADES),
        Key(name="two", env="TWO", permissions=("account", "futures", "wallet", "sub_accounts")),
    )
    played = Scenario(accounts=(Account(exchange="gate", keys=keys),))
    fleet = [connection("gate"), connection("gate", "TWO", requires=("read", "futures"))]
    one, two = scan_fleet(played, fleet).snapshot.connections

    assert ("granted", "denied") == (one.facts.grant("trade"), one.facts.grant("futures"))
    assert ("denied", "granted") == (two.facts.grant("trade"), two.facts.grant("futures"))
    assert ("granted", "granted") == (two.facts.grant("transfer"), two.facts.grant("manage_keys"))
    assert two.facts.known["account_facts.is_master"].value is True
    assert Grant.GRANTED == two.facts.known["reach.ip_list"].value


def test_withdrawal_is_seen_where_it_is_listed():
    """A group that speaks of withdrawing is a right to withdraw; where it is hidden nothing is concluded."""
    key = {"permissions": (*TRADES, "withdrawal")}
    hidden = scan_one("gate", key).one
    listed = scan_one("gate", {**key, "modes": ("withdraw-listed",)}).one

    assert Grant.UNKNOWN == hidden.facts.grant("withdraw")
    assert Grant.GRANTED == listed.facts.grant("withdraw")


def test_a_sub_account_key_is_not_in_the_list():
    """A sub-account's key matches no key of the main account: its rights are unknown, its address list is not."""
    key = Key(name="one", env="ONE", permissions=TRADES, ips=("203.0.113.10",))
    other = Key(name="other", permissions=("account", "wallet"))
    accounts = (
        Account(exchange="gate", keys=(other,)),
        Account(exchange="gate", name="sub", uid="77", parent="main", keys=(key,)),
    )
    one = scan_fleet(Scenario(accounts=accounts), [connection("gate")]).one

    assert (Status.ONLINE, Reason.PERMISSIONS_UNKNOWN) == (one.status, one.reason)
    assert {Grant.UNKNOWN} == {one.facts.grant(word) for word in ("read", "trade", "transfer")}
    assert "77" == one.facts.known["account_facts.uid"].value
    assert one.facts.known["network.ip_restricted"].value is True


def test_without_the_account_group_each_group_is_asked():
    """Reads tell which groups are there; a missing group denies, a present one may be read-only."""
    key = {"permissions": ("spot", "futures:r")}
    account = {"flags": {"without": ["futures"]}}
    seen = scan_one("gate", key, account=account)
    one = seen.one

    assert (Status.ONLINE, Reason.PERMISSIONS_UNKNOWN) == (one.status, one.reason), one.detail
    assert Grant.GRANTED == one.facts.grant("read")
    assert Source.PROBE == one.facts.known["permissions.read"].source
    assert {Grant.UNKNOWN} == {one.facts.grant(w) for w in ("trade", "futures", "withdraw")}
    assert {Grant.DENIED} == {one.facts.grant(w) for w in ("options", "transfer", "manage_keys")}
    assert 8 == len(_paths(seen))


REFUSALS = [
    ({"wrong_key": True}, Reason.UNKNOWN_HERE),
    ({"state": "deleted"}, Reason.UNKNOWN_HERE),
    ({"state": "expired"}, Reason.UNKNOWN_HERE),
    ({"state": "frozen"}, Reason.UNKNOWN_HERE),
    ({"wrong_secret": True}, Reason.WRONG_SECRET),
    ({"ips": ("198.51.100.7",)}, Reason.IP_NOT_ALLOWED),
    ({"ips": ("198.51.100.7",), "modes": ("ip-forbidden",)}, Reason.IP_NOT_ALLOWED),
    ({"permissions": ("account", "spot:r")}, Reason.MISSING_PERMISSION),
    ({"permissions": ("futures",)}, Reason.MISSING_PERMISSION),
    ({"permissions": ()}, Reason.MISSING_PERMISSION),
    ({"extra": {"state": 3}}, Reason.AMBIGUOUS),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Each refusal has its reason, by Gate's own label and text."""
    seen = scan_one("gate", {"permissions": TRADES, **key})
    one = seen.one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")
    assert reason not in (Reason.WRONG_SECRET, Reason.IP_NOT_ALLOWED) or 1 == len(_paths(seen))


def test_blocked_address_is_named():
    """The address that Gate saw is in the advice."""
    one = scan_one("gate", {"permissions": TRADES, "ips": ("198.51.100.7",)}).one

    assert "203.0.113.10" in one.advice


@pytest.mark.parametrize("offset", [-90_000, 90_000])
def test_clock_skew_is_corrected(offset):
    """A wrong clock is measured by Gate's time, and corrected."""
    seen = scan_one("gate", {"permissions": TRADES}, clock_offset_ms={"gate": offset})

    assert Status.ONLINE == seen.one.status, seen.one.detail
    assert abs(seen.snapshot.exchanges[0].clock_offset_ms + offset) < 2_000


@pytest.mark.parametrize(("market", "group"), [("trade", "spot"), ("futures", "futures")])
def test_connection_test(market, group):
    """Each market's reads are answered to a key of that market."""
    options = {"connection_test": True}
    fields = {"requires": ("read", market)}
    one = scan_one("gate", {"permissions": ("account", group)}, fields=fields, options=options).one

    assert Status.ONLINE == one.status, one.detail
    assert {"ok"} == {one.facts.known[f"test.{name}"].value for name in ("balance", "orders")}


@pytest.mark.parametrize("kind", ["null-fields", "wrong-type", "html-200", "truncated"])
def test_what_makes_no_sense_proves_nothing(kind):
    """No right is granted or denied by spoilt records."""
    fault = Fault(kind=kind, path="*account*")
    one = scan_one("gate", {"permissions": (*TRADES, "wallet")}, faults=(fault,)).one

    assert Status.ONLINE != one.status or Reason.PERMISSIONS_UNKNOWN == one.reason
    assert {Grant.UNKNOWN} == {
        one.facts.grant(w) for w in ("read", "trade", "withdraw", "transfer")
    }
