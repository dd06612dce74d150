"""Every status of the connection test, by real ccxt over real HTTP against the sandbox."""

import pytest

from bfaudit.model import Grant, Reason, Status
from bfaudit.sandbox import Fault
from tests.scan.fleet import connection, scan_fleet, scan_one, scenario

TRADES = {
    "mexc": ("SPOT_ACCOUNT_READ", "SPOT_DEAL_READ", "SPOT_DEAL_WRITE"),
    "kucoin": ("General", "Spot"),
    "binance": ("enableReading", "enableSpotAndMarginTrading"),
}
READS = {"mexc": TRADES["mexc"][:2], "kucoin": ("General",), "binance": ("enableReading",)}
WITHDRAWS = {"mexc": "SPOT_WITHDRAW_WRITE", "kucoin": "Transfer", "binance": "enableWithdrawals"}
EXCHANGES = sorted(TRADES)

each_exchange = pytest.mark.parametrize("exchange", EXCHANGES)


@each_exchange
def test_online(exchange):
    """A key that works and has what is required is Online, and every fact has its evidence."""
    one = scan_one(exchange, {"permissions": TRADES[exchange], "ips": ("203.0.113.10",)}).one

    assert (Status.ONLINE, None, "") == (one.status, one.reason, one.detail)
    assert Grant.GRANTED == one.facts.grant("trade")
    assert Grant.DENIED == one.facts.grant("withdraw")
    assert one.facts.known["permissions.withdraw"].request.startswith("GET /")
    assert one.facts.known["network.ip_restricted"].value is True


@each_exchange
def test_withdrawal_is_seen(exchange):
    """A withdraw right is granted, by the exchange's own word for it."""
    tokens = (*TRADES[exchange], WITHDRAWS[exchange])
    one = scan_one(exchange, {"permissions": tokens, "ips": ("203.0.113.10",)}).one

    assert Grant.GRANTED == one.facts.grant("withdraw")


@each_exchange
def test_account_flags_are_no_rights_of_the_key(exchange):
    """An account that can withdraw does not make the key one that can."""
    flags = {"canWithdraw": True, "canTrade": True, "canDeposit": True}
    seen = scan_one(
        exchange,
        {"permissions": READS[exchange]},
        account={"flags": flags},
        options={"connection_test": True},
    )

    assert Grant.DENIED == seen.one.facts.grant("withdraw")
    assert Grant.DENIED == seen.one.facts.grant("trade")


CASES = [
    ("mexc", {"state": "deleted"}, "unknown-key"),
    ("mexc", {"wrong_key": True}, "unknown-key"),
    ("mexc", {"wrong_secret": True}, "wrong-secret"),
    ("mexc", {"state": "expired"}, "expired"),
    ("mexc", {"ips": ("198.51.100.7",)}, "ip-not-allowed"),
    ("kucoin", {"wrong_key": True}, "unknown-here"),
    ("kucoin", {"wrong_secret": True}, ("wrong-secret", "wrong-passphrase")),
    ("kucoin", {"wrong_passphrase": True}, "wrong-passphrase"),
    ("kucoin", {"ips": ("198.51.100.0/24",)}, "ip-not-allowed"),
    ("kucoin", {"permissions": ("Spot",)}, "missing-permission"),
    ("binance", {"wrong_key": True}, "unknown-key"),
    ("binance", {"wrong_secret": True}, "wrong-secret"),
    ("binance", {"ips": ("198.51.100.7",)}, "ambiguous"),
]


@pytest.mark.parametrize(("exchange", "key", "reason"), CASES)
def test_refusals(exchange, key, reason):
    """Each refusal has its reason, its cause in words and what to do."""
    one = scan_one(exchange, {"permissions": TRADES[exchange], **key}).one
    wanted = (reason,) if isinstance(reason, str) else reason

    assert one.reason in wanted, one
    assert one.status == one.reason.status
    assert one.detail
    assert one.advice
    assert all(one.facts.grant(word) is not Grant.GRANTED for word in ("withdraw", "trade"))


@each_exchange
def test_no_trading_permission(exchange):
    """A required permission that is denied is named, and withdrawal is to stay off."""
    one = scan_one(exchange, {"permissions": READS[exchange]}).one

    assert (Status.NO_TRADING_PERMISSION, Reason.MISSING_PERMISSION) == (one.status, one.reason)
    assert "trade" in one.detail
    assert "withdrawal disabled" in one.advice


@pytest.mark.parametrize("exchange", ["mexc", "kucoin"])
def test_frozen_account(exchange):
    """A frozen account is restricted; its key is not wrong."""
    one = scan_one(exchange, {"permissions": TRADES[exchange]}, account={"frozen": True}).one

    assert Reason.ACCOUNT_RESTRICTED == one.reason


def test_the_callers_address_is_told():
    """An exchange that says where it sees us from saves a support ticket."""
    one = scan_one("kucoin", {"permissions": TRADES["kucoin"], "ips": ("198.51.100.7",)}).one

    assert Status.IP_NOT_ALLOWED == one.status
    assert "203.0.113.10" in one.detail
    assert "203.0.113.10" in one.advice


def test_unresolved_credential():
    """A reference that leads nowhere is a row of its own; nothing is sent for it."""
    played = scenario("mexc", {"permissions": TRADES["mexc"]})
    seen = scan_fleet(played, [connection("mexc", "TWO"), connection("mexc")])
    lost, fine = seen.snapshot.connections

    assert (Status.INVALID_KEY, Reason.UNRESOLVED_CREDENTIAL) == (lost.status, lost.reason)
    assert "TWO_KEY" in lost.detail
    assert lost.fingerprint is None
    assert Status.ONLINE == fine.status


FAULTS = [
    ("maintenance", "maintenance"),
    ("html-403", "blocked"),
    ("html-200", "unexpected-answer"),
    ("region-451", "region-blocked"),
    ("slow", "timeout"),
    ("reset", "unreachable"),
    ("truncated", "unexpected-answer"),
    ("empty", "unexpected-answer"),
    ("server-error", "server-error"),
    ("rate-limit", "rate-limited"),
    ("ban", "banned"),
    ("huge", "unexpected-answer"),
]


@pytest.mark.parametrize(("kind", "reason"), FAULTS)
@each_exchange
def test_faults(exchange, kind, reason):
    """Whatever goes wrong between us and the key is `Exchange unavailable`, never a statement about the key."""
    path = "*/a*" if exchange == "mexc" else "*user*" if exchange == "kucoin" else "*/account*"
    fault = Fault(kind=kind, path=path, seconds=5 if kind == "slow" else 30)
    one = scan_one(exchange, {"permissions": TRADES[exchange]}, faults=(fault,)).one

    assert (Status.EXCHANGE_UNAVAILABLE, reason) == (one.status, one.reason), one
    assert all(one.facts.grant(word) is Grant.UNKNOWN for word in ("withdraw", "trade", "read"))


@pytest.mark.parametrize("kind", ["null-fields", "wrong-type"])
@each_exchange
def test_a_record_without_sense_proves_nothing(exchange, kind):
    """A record of nulls or of wrong types: the key works, everything else is unknown."""
    path = "*apiKeyInfo*" if exchange == "mexc" else "*api-key*" if exchange == "kucoin" else "*"
    fault = Fault(kind=kind, path=path)
    one = scan_one(exchange, {"permissions": TRADES[exchange]}, faults=(fault,)).one

    assert one.status in (Status.ONLINE, Status.EXCHANGE_UNAVAILABLE)
    assert one.reason in (Reason.PERMISSIONS_UNKNOWN, Reason.UNEXPECTED_ANSWER)
    assert Grant.UNKNOWN == one.facts.grant("withdraw")


@each_exchange
def test_a_fault_that_passes_is_forgotten(exchange):
    """One bad answer is tried again, and the second counts."""
    fault = Fault(kind="server-error", path="*", times=2)
    seen = scan_one(exchange, {"permissions": TRADES[exchange]}, faults=(fault,))

    assert Status.ONLINE == seen.one.status
    assert seen.one.requests[0].attempts in (2, 3)


def test_retry_after_is_honoured():
    """After a 429 nothing is sent until the exchange's own pause is over."""
    fault = Fault(kind="rate-limit", path="*api-key*", times=1, seconds=1)
    seen = scan_one("kucoin", {"permissions": TRADES["kucoin"]}, faults=(fault,))

    assert Status.ONLINE == seen.one.status
    assert seen.one.requests[0].milliseconds >= 1000


def test_a_ban_stops_that_exchange_only():
    """After a 418 nothing more is sent there; other exchanges are scanned."""
    fleet = [connection("mexc", name=f"MEXC {number}") for number in range(20)]
    fleet.append(connection("kucoin", "TWO", name="KuCoin"))
    played = scenario(
        "mexc",
        {"permissions": TRADES["mexc"]},
        faults=(Fault(kind="ban", exchange="mexc", path="*apiKeyInfo*"),),
    )
    other = scenario("kucoin", {"permissions": TRADES["kucoin"], "env": "TWO"})
    played = type(played)(accounts=played.accounts + other.accounts, faults=played.faults)
    seen = scan_fleet(played, fleet, workers=1)

    assert {"banned"} == {one.reason for one in seen.snapshot.connections[:20]}
    assert Status.ONLINE == seen.snapshot.connections[20].status
    assert 1 == sum(one.path.endswith("apiKeyInfo") for one in seen.requests)


@pytest.mark.parametrize("offset", [-90_000, 45_000])
@each_exchange
def test_clock_skew_is_corrected_and_reported(exchange, offset):
    """A wrong clock is measured by the exchange's own time, corrected, and told."""
    seen = scan_one(exchange, {"permissions": TRADES[exchange]}, clock_offset_ms={exchange: offset})

    assert Status.ONLINE == seen.one.status
    assert abs(seen.snapshot.exchanges[0].clock_offset_ms + offset) < 2_000


@each_exchange
def test_clock_skew_that_cannot_be_measured(exchange):
    """Without the exchange's time a wrong clock is a clock problem, not a wrong key."""
    faults = (Fault(kind="html-403", path="*time*"),)
    seen = scan_one(
        exchange,
        {"permissions": TRADES[exchange]},
        clock_offset_ms={exchange: 120_000},
        faults=faults,
    )

    assert (Status.EXCHANGE_UNAVAILABLE, Reason.CLOCK_SKEW) == (seen.one.status, seen.one.reason)
    assert seen.snapshot.exchanges[0].clock_offset_ms is None


@each_exchange
def test_connection_test_reads_balance_and_orders(exchange):
    """`--connection-test` really makes both reads, and records them."""
    seen = scan_one(exchange, {"permissions": TRADES[exchange]}, options={"connection_test": True})

    assert Status.ONLINE == seen.one.status
    assert "ok" == seen.one.facts.known["test.balance"].value
    assert "ok" == seen.one.facts.known["test.orders"].value
    assert {"ok"} == {made.outcome for made in seen.one.requests}


def test_connection_test_of_a_futures_key_reads_the_futures_account():
    """A key for futures is tested where it trades."""
    tokens = ("General", "Futures")
    seen = scan_one(
        "kucoin",
        {"permissions": tokens},
        fields={"requires": ("read", "futures")},
        options={"connection_test": True},
    )

    assert Status.ONLINE == seen.one.status
    assert "/api/v1/account-overview" in {one.path for one in seen.requests}
