"""Binance: `GET /sapi/v1/account/apiRestrictions` tells one boolean per right of the calling key.

https://developers.binance.com/docs/wallet/account/api-key-permission
"""

from itertools import chain

from bfaudit.exchanges.base import (
    Adapter,
    Ask,
    Context,
    Lapse,
    Limit,
    Read,
    Refusal,
    Replies,
    Scope,
    Step,
)
from bfaudit.exchanges.listing import binance as listing
from bfaudit.exchanges.values import any_of, from_milliseconds, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

INFO = Read(
    label="info",
    path="GET /sapi/v1/account/apiRestrictions",
    call="sapiGetAccountApiRestrictions",
    pool="sapi",
    needs="Enable Reading",
    expects=("enableReading", "ipRestrict"),
)
ACCOUNT = Read(
    label="account",
    path="GET /api/v3/account",
    call="privateGetAccount",
    params={"omitZeroBalances": "true"},
    weight=20,
    pool="spot",
    needs="Enable Reading",
    expects=("balances", "uid"),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v3/openOrders",
    call="privateGetOpenOrders",
    params={"symbol": "BTCUSDT"},
    weight=6,
    pool="spot",
    needs="Enable Reading",
    expects=("[]",),
)
FUTURES = Read(
    label="futures",
    path="GET /fapi/v2/account",
    call="fapiPrivateV2GetAccount",
    weight=5,
    pool="futures",
    needs="Enable Futures",
    expects=("assets", "totalWalletBalance"),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /fapi/v1/openOrders",
    call="fapiPrivateGetOpenOrders",
    params={"symbol": "BTCUSDT"},
    pool="futures",
    needs="Enable Futures",
    expects=("[]",),
)

# A right is granted by any of its switches: trading also goes through FIX, futures and margin also through portfolio
# margin (POST /papi/v1/margin/order and marginLoan).
SWITCHES = {
    "read": ("enableReading",),
    "trade": ("enableSpotAndMarginTrading", "enableFixApiTrade"),
    "margin": ("enableMargin", "enablePortfolioMarginTrading"),
    "futures": ("enableFutures", "enablePortfolioMarginTrading"),
    "options": ("enableVanillaOptions",),
    "transfer": ("enableInternalTransfer", "permitsUniversalTransfer"),
    "withdraw": ("enableWithdrawals",),
}
SWITCHED = frozenset(chain.from_iterable(SWITCHES.values()))
NO_RIGHTS = frozenset(
    {"ipRestrict", "createTime", "tradingAuthorityExpirationTime", "enableFixReadOnly"}
)
"""What else the answer documents; reading by FIX can do no more than reading."""


async def fetch(ask: Ask) -> None:
    """One read tells the rights. Its refusal -2015 may mean key, IP or permission: other reads narrow it."""
    info = await ask(INFO)
    if info.ok:
        if ask.wants_uid:
            await ask(ACCOUNT)
    elif info.refused(Reason.AMBIGUOUS, Reason.MISSING_PERMISSION):
        # Spot names an unknown key (-2008); any success proves the key and the IP list.
        account = await ask(ACCOUNT)
        if account.refused(Reason.AMBIGUOUS):
            await ask(FUTURES)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the booleans; a boolean that is not there is unknown, never false."""
    facts = FactsBuilder(INFO.path)
    if context.secret_kind:
        facts.know("key.type", context.secret_kind, limitation="seen from the form of the secret")
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    if isinstance(body, dict):
        facts.shared(_permissions, {name: body[name] for name in body if name not in NO_RIGHTS})
        _network(facts, body)
        created = from_milliseconds(body.get("createTime"))
        if created:
            facts.know("key.created_at", created)
        expires = from_milliseconds(body.get("tradingAuthorityExpirationTime"))
        if expires:
            limitation = "the right to trade ends then; the key stays"
            facts.know("key.expires_at", expires, limitation=limitation)
    account = replies.get("account")
    if account is not None and account.ok and isinstance(account.body, dict):
        # canTrade, canWithdraw and canDeposit here speak of the account, never of the key.
        uid = text_or_none(account.body.get("uid"))
        if uid:
            facts.know("account_facts.uid", uid, request=ACCOUNT.path)
    return facts.build(UNTOLD, "Binance did not tell the key's restrictions")


def _permissions(facts: FactsBuilder, body: dict[str, Json]) -> None:
    for word, switches in SWITCHES.items():
        missing = ", ".join(name for name in switches if not isinstance(body.get(name), bool))
        granted = any_of(body.get(name) for name in switches)
        facts.grant(word, granted, why_unknown=f"Binance's answer lacks {missing}")
    facts.grant("manage_keys", granted=False, limitation="no switch of Binance grants it by itself")
    facts.switches("Binance", {name: body[name] for name in body.keys() - SWITCHED})


def _network(facts: FactsBuilder, body: dict[str, Json]) -> None:
    restricted = body.get("ipRestrict")
    if isinstance(restricted, bool):
        facts.know("network.ip_restricted", restricted)
        if not restricted:
            facts.know("network.ip_allowlist", ())


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"code": -N, "msg": ...}` is an error; every success is an object without a negative code, or a list."""
    if isinstance(body, list):
        return None
    if not isinstance(body, dict):
        return ("", "")
    if "code" in body and "msg" in body:
        return str(body["code"])[:40], str(body["msg"])[:500]
    return None


UNTOLD = {
    "network.ip_allowlist": "Binance does not tell a key its own IP list",
    "key.label": "Binance does not tell a key its own name",
    "key.expires_at": "Binance does not report an expiry",
    "key.last_used_at": "Binance does not report when a key was last used",
    "key.state": "Binance reports no state of a key that works",
    "key.third_party": "Binance does not report whether a key is bound to an application",
    "key.symbols": "Binance does not report the symbols a key is limited to",
    "account_facts.uid": "told by a read of weight 20 only; made where the manifest declares `uid`, "
    "and by --connection-test",
    "account_facts.parent_uid": "Binance does not tell a key about its master account",
    "account_facts.is_master": "Binance does not tell whether an account is a master account",
}

REFUSALS = (
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="Binance is under maintenance"
    ),
    Refusal(
        codes=("-2015",),
        reason=Reason.AMBIGUOUS,
        say="the key is not valid, or this host's address is not on its IP list, or a permission is "
        "missing: Binance does not tell which",
    ),
    # Of a key that was copied badly Binance cannot say that it is gone.
    Refusal(codes=("-2014",), reason=Reason.AMBIGUOUS, say="the key is not of Binance's form"),
    Refusal(codes=("-2008",), reason=Reason.UNKNOWN_KEY, say="no such key, or it was deleted"),
    Refusal(codes=("-1022",), reason=Reason.WRONG_SECRET, say="the signature is not valid"),
    Refusal(
        codes=("-1021",),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is outside Binance's window",
    ),
    Refusal(
        codes=("-1002", "-1099"),
        reason=Reason.MISSING_PERMISSION,
        say="the key is not authorized for this request",
    ),
    Refusal(
        codes=("-2010", "-2011"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account may not place or cancel orders",
    ),
    Refusal(codes=("-3022",), reason=Reason.ACCOUNT_RESTRICTED, say="the account is banned"),
    Refusal(
        codes=("-2017",), reason=Reason.ACCOUNT_RESTRICTED, say="the account's keys are locked"
    ),
    Refusal(codes=("-1003",), http=418, reason=Reason.BANNED, say="this host's address is banned"),
    Refusal(codes=("-1003",), reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(
        codes=("0",),
        http=451,
        reason=Reason.REGION_BLOCKED,
        say="Binance does not serve this host's region",
    ),
    Refusal(
        codes=("-1007",), reason=Reason.TIMEOUT, say="Binance's backend gave no answer in time"
    ),
    Refusal(
        codes=("-1000", "-1001", "-1006", "-1008", "-1016"),
        reason=Reason.SERVER_ERROR,
        say="Binance has a fault of its own",
    ),
)

ADAPTER = Adapter(
    id="binance",
    title="Binance",
    host="https://api.binance.com",
    hosts=("fapi.binance.com",),
    reads=(INFO, ACCOUNT, ORDERS, FUTURES, FUTURES_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Per IP and minute: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
    limits=(
        Limit(12_000, 60, Scope.IP, pool="sapi"),
        Limit(6_000, 60, Scope.IP, pool="spot"),
        Limit(2_400, 60, Scope.IP, pool="futures"),
        Limit(180_000, 60, Scope.UID, pool="sub-keys"),
    ),
    tests={"spot": (ACCOUNT, ORDERS), "futures": (FUTURES, FUTURES_ORDERS)},
    untold=UNTOLD,
    links=(
        "https://developers.binance.com/docs/wallet/account/api-key-permission",
        "https://developers.binance.com/docs/binance-spot-api-docs/errors",
    ),
    lists=listing.LISTS,
    lapses=(
        Lapse(
            days=30,
            counts_from="created",
            any_of=("trade", "margin"),
            says="without an IP list the right to trade spot and margin ends 30 days after it was "
            "given (rule of 2021; users later speak of 90 days)",
            source="https://www.binance.com/en-IN/support/announcement/cda0a4b53da04396b5d27881e93abf78",
            certain=False,
        ),
        Lapse(
            days=30,
            counts_from="use",
            says="a key without an IP list is deleted after 30 idle days (told by a third party)",
            source="https://helpdesk.bitsgap.com/en/articles/6838861",
            certain=False,
        ),
    ),
    steps=(
        Step(
            reach="manage_keys",
            any_of=("read", "trade"),
            says="POST /sapi/v1/sub-account/subAccountApi lets a master account's key make "
            "sub-account keys; its pages disagree on the right that it needs",
            source="https://developers.binance.com/docs/sub_account/api-management",
            certain=False,
        ),
    ),
    how_to=(
        "Profile > API Management > Create API, system generated or self-generated (Ed25519).",
        (
            "Restrict access to trusted IPs only, and enter the server's addresses, first: "
            "the trading boxes open then."
        ),
        "Tick Enable Reading and Enable Spot & Margin Trading; Enable Futures only if needed.",
        "Leave Enable Withdrawals, Enable Internal Transfer and Permits Universal Transfer unticked.",
    ),
)
