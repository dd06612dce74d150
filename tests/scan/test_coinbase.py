"""Coinbase end to end: real ccxt over HTTP against the sandbox, which checks every token's signature."""

from urllib.parse import urlsplit

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Fault
from bfaudit.scan.answer import Raw, read
from bfaudit.scan.asking import Patience
from bfaudit.scan.transport import Wire
from tests.scan.fleet import connection, scan_fleet, scan_one, scenario

TRADES = ("view", "trade")
ONCE = {"patience": Patience(request_seconds=1.0, connection_seconds=3.0, tries=1)}
"""A 401 is tried again, which takes time: not where that is beside the point."""

each_kind = pytest.mark.parametrize("kind", ["ecdsa", "ed25519"])


@each_kind
def test_trade_only(kind):
    """ES256 and EdDSA keys are Online; the IP list stays unknown though there is one."""
    key = {"permissions": TRADES, "ips": ("203.0.113.0/24",), "type": kind}
    seen = scan_one("coinbase", key)
    one = seen.one

    assert (Status.ONLINE, None) == (one.status, one.reason), one.detail
    words = ("read", "trade", "transfer", "withdraw")
    assert ["granted", "granted", "denied", "denied"] == [one.facts.grant(word) for word in words]
    assert "network.ip_restricted" in one.facts.unknown
    assert [True] == [record.verified for record in seen.requests if record.key]


@each_kind
def test_withdrawal_is_seen(kind):
    """Transfer sends funds away."""
    one = scan_one("coinbase", {"permissions": (*TRADES, "transfer"), "type": kind}).one

    assert Grant.GRANTED == one.facts.grant("withdraw")
    assert Grant.GRANTED == one.facts.grant("transfer")


def test_what_is_left_out_is_unknown():
    """A boolean that is not there is no denial."""
    one = scan_one("coinbase", {"permissions": TRADES, "modes": ("false-left-out",)}).one

    assert Grant.UNKNOWN == one.facts.grant("withdraw")


REFUSALS = [
    ({"wrong_key": True}, Reason.AMBIGUOUS),
    ({"state": "deleted"}, Reason.AMBIGUOUS),
    ({"wrong_secret": True, "type": "ecdsa"}, Reason.AMBIGUOUS),
    ({"wrong_secret": True, "type": "ed25519"}, Reason.AMBIGUOUS),
    ({"ips": ("198.51.100.0/24",)}, Reason.AMBIGUOUS),
    ({"permissions": ("view",)}, Reason.MISSING_PERMISSION),
    ({"permissions": ("trade",)}, Reason.MISSING_PERMISSION),
    ({"permissions": ("trade",), "modes": ("view-required",)}, Reason.MISSING_PERMISSION),
]


@pytest.mark.parametrize(("key", "reason"), REFUSALS)
def test_refusals(key, reason):
    """Coinbase tells a missing scope, and nothing else apart."""
    one = scan_one("coinbase", {"permissions": TRADES, **key}, options=ONCE).one

    assert (reason.status, reason) == (one.status, one.reason), one.detail
    assert Grant.GRANTED != one.facts.grant("withdraw")
    if reason is Reason.AMBIGUOUS:
        assert "IP allowlist" in one.detail


MALFORMED = {
    "cut": lambda pem: pem[: len(pem) // 2],
    "first-line": lambda pem: pem.splitlines()[0],
    "bad-base64": lambda _pem: "not base64 at all=",
}


@pytest.mark.parametrize("damage", MALFORMED.values(), ids=MALFORMED)
def test_malformed_secret(damage):
    """A secret that cannot sign is an invalid key, whatever the signing raises; nothing is sent with it."""
    played = scenario("coinbase", {"permissions": TRADES, "type": "ecdsa"})
    whole = scan_fleet(played, []).environment["ONE_SECRET"]
    seen = scan_fleet(played, [connection("coinbase")], environ={"ONE_SECRET": damage(whole)})

    assert (Status.INVALID_KEY, Reason.MALFORMED_SECRET) == (seen.one.status, seen.one.reason)
    assert not [record for record in seen.requests if record.key]


def test_pem_on_one_line():
    """A PEM key whose line breaks are written out, as in the downloaded JSON, is a key."""
    played = scenario("coinbase", {"permissions": TRADES, "type": "ecdsa"})
    whole = scan_fleet(played, []).environment["ONE_SECRET"]
    environ = {"ONE_SECRET": whole.replace("\n", "\\n")}

    assert Status.ONLINE == scan_fleet(played, [connection("coinbase")], environ=environ).one.status


@each_kind
@pytest.mark.parametrize("offset", [-900_000, 900_000])
def test_clock_skew_is_corrected(kind, offset):
    """Tokens are dated by Coinbase's clock: with ours, the refusal would not even say why."""
    key = {"permissions": TRADES, "type": kind}
    one = scan_one("coinbase", key, clock_offset_ms={"coinbase": offset}).one

    assert Status.ONLINE == one.status


def _refuse_first(monkeypatch, times):
    """Answers the first signed requests with the 401 that Coinbase sends now and then."""
    send, sent = Wire.send, []

    async def refusing(wire, scheme, host, target, method, headers, *rest) -> Raw:
        if "Authorization" not in (headers or {}):
            return await send(wire, scheme, host, target, method, headers, *rest)
        sent.append(urlsplit(target).path.rpartition("/")[2])
        if len(sent) <= times:
            return read(401, b"Unauthorized\n")
        return await send(wire, scheme, host, target, method, headers, *rest)

    monkeypatch.setattr(Wire, "send", refusing)
    return sent


def test_a_401_by_mistake_is_tried_again(monkeypatch):
    """Three in a row are no verdict on the key."""
    sent = _refuse_first(monkeypatch, 3)
    one = scan_one("coinbase", {"permissions": TRADES}).one

    assert Status.ONLINE == one.status
    assert ["key_permissions"] * 4 == sent
    assert 4 == one.requests[0].attempts


def test_a_401_that_stays_is_checked_by_another_read(monkeypatch):
    """Where another read shows that the key works, the first is asked again."""
    sent = _refuse_first(monkeypatch, 1)
    one = scan_one("coinbase", {"permissions": TRADES}, options=ONCE).one

    assert ["key_permissions", "accounts", "key_permissions"] == sent
    assert (Status.ONLINE, Grant.DENIED) == (one.status, one.facts.grant("withdraw"))


def test_other_exchanges_do_not_try_refusals_again():
    """A wrong key is refused once where refusals mean what they say."""
    seen = scan_one("kucoin", {"permissions": ("General",), "wrong_key": True})

    assert 1 == seen.one.requests[0].attempts


def test_connection_test():
    """Balance and order reads are signed right, their query left out of the token."""
    one = scan_one("coinbase", {"permissions": TRADES}, options={"connection_test": True}).one

    assert ["ok", "ok"] == [one.facts.known[f"test.{what}"].value for what in ("balance", "orders")]


@pytest.mark.parametrize("kind", ["html-403", "truncated", "rate-limit", "maintenance"])
def test_trouble_is_no_verdict_on_the_key(kind):
    """Whatever goes wrong on the way, nothing is taken for a permission."""
    one = scan_one("coinbase", {"permissions": TRADES}, faults=(Fault(kind=kind),)).one

    assert Status.EXCHANGE_UNAVAILABLE == one.status
    assert Grant.UNKNOWN == one.facts.grant("withdraw")
