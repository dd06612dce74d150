"""OKX: `GET /api/v5/account/config` tells permissions, IP list and name of the calling key.

https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-account-configuration
"""

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
from bfaudit.exchanges.listing import okx as listing
from bfaudit.exchanges.values import bound_to, from_milliseconds, text_or_none, words
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

INFO = Read(
    label="info",
    path="GET /api/v5/account/config",
    call="privateGetAccountConfig",
    pool="config",
    needs="Read",
    expects=("data.[].perm",),
)
BALANCE = Read(
    label="balance",
    path="GET /api/v5/account/balance",
    call="privateGetAccountBalance",
    pool="balance",
    needs="Read",
    expects=("data.[].details",),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v5/trade/orders-pending",
    call="privateGetTradeOrdersPending",
    params={"instType": "SPOT", "limit": 10},
    pool="orders",
    needs="Read",
    expects=("data.[]",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /api/v5/trade/orders-pending",
    call="privateGetTradeOrdersPending",
    params={"instType": "SWAP", "limit": 10},
    pool="orders",
    needs="Read",
    expects=("data.[]",),
)

KNOWN = frozenset({"read_only", "trade", "withdraw"})
# OKX has one right for all of these: https://www.okx.com/docs-v5/en/#overview-api-key-creation
BY_TRADE = {
    "trade": None,
    "margin": "comes with trade, as far as the account's mode and region allow",
    "futures": "comes with trade, as far as the account's mode and region allow",
    "options": "comes with trade, as far as the account's mode and region allow",
    "transfer": "comes with trade: between own accounts, and to sub-accounts",
}


async def fetch(ask: Ask) -> None:
    """One read tells everything; any key may call it."""
    await ask(INFO)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the account configuration, which speaks of the calling key in `perm`, `ip` and `label`."""
    facts = FactsBuilder(INFO.path)
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    found = body.get("data") if isinstance(body, dict) else None
    data = found[0] if isinstance(found, list) and len(found) == 1 else None
    if isinstance(data, dict):
        facts.know("key.type", "hmac", limitation="OKX has no other kind")
        facts.shared(_permissions, data.get("perm"))
        facts.shared(_network, data.get("ip"))
        _account(facts, data)
        if isinstance(data.get("label"), str):
            facts.know("key.label", text_or_none(data["label"]))
    return facts.build(UNTOLD, "OKX did not give the account's configuration")


def _permissions(facts: FactsBuilder, told: Json) -> None:
    tokens = frozenset(map(str.lower, words(told) or ())) if isinstance(told, str) else None
    if not tokens:
        return
    implied = None if "read_only" in tokens else "not named: seen by this very read"
    facts.grant("read", granted=True, limitation=implied)
    strange, why = tokens.isdisjoint(KNOWN), "OKX names no permission that it documents"
    for word, limitation in BY_TRADE.items():
        granted = None if strange else "trade" in tokens
        facts.grant(word, granted, why_unknown=why, limitation=limitation if granted else None)
    withdraw = None if strange else "withdraw" in tokens
    limitation = "to verified addresses only, says OKX" if withdraw else None
    facts.grant("withdraw", withdraw, why_unknown=why, limitation=limitation)
    facts.grant("manage_keys", granted=False, limitation="no right of OKX grants it by itself")
    for token in sorted(tokens - KNOWN):
        facts.grant(f"other:{token}", granted=True)
    facts.doubt("OKX", tokens - KNOWN, tuple(BY_TRADE))


def _network(facts: FactsBuilder, told: Json) -> None:
    listed = bound_to(told) if isinstance(told, str) else None
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)


def _account(facts: FactsBuilder, data: dict[str, Json]) -> None:
    uid, main = text_or_none(data.get("uid")), text_or_none(data.get("mainUid"))
    if uid:
        facts.know("account_facts.uid", uid)
    if uid and main:
        facts.know("account_facts.is_master", uid == main)
        facts.know("account_facts.parent_uid", None if uid == main else main)


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A sub-account's key, as its main account sees it."""
    facts.shared(_permissions, row.get("perm"))
    if "read_only" not in (words(row.get("perm")) or ()):
        facts.unknown("permissions.read", "not named")
    facts.shared(_network, row.get("ip"))
    if isinstance(row.get("label"), str):
        facts.know("key.label", text_or_none(row["label"]))
    created = from_milliseconds(row.get("ts"))
    if created:
        facts.know("key.created_at", created)


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"code": "0", "data": [...]}` is success; anything else has a code and `msg`."""
    if not isinstance(body, dict):
        return ("", "")
    code = str(body.get("code", ""))[:40]
    if code == "0" and "data" in body:
        return None
    return code, str(body.get("msg") or "")[:500]


UNTOLD = {
    "key.created_at": "OKX does not tell a key when it was created",
    "key.expires_at": "OKX reports no expiry",
    "key.last_used_at": "OKX does not report when a key was last used",
    "key.state": "OKX reports no state of a key that works",
    "key.third_party": "OKX does not report whether a key is bound to an application",
    "key.symbols": "OKX does not report the symbols a key is limited to",
}

REFUSALS = (
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="OKX is under maintenance"
    ),
    # NOTE: the exchange's text names the caller's address and the key itself; it is never shown.
    Refusal(
        codes=("50110",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("50035",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this request wants a key that is bound to addresses, and the key is not",
    ),
    Refusal(
        codes=("50118",),
        reason=Reason.IP_NOT_ALLOWED,
        say="the key is linked to an application, and this host is not one of its servers",
    ),
    Refusal(
        codes=("50119",),
        reason=Reason.UNKNOWN_HERE,
        say="no such key, it was deleted or has expired, or it belongs to another OKX site "
        "(global, EEA, US)",
    ),
    # Of a key that was copied badly OKX cannot say that it is gone.
    Refusal(
        codes=("50111",), reason=Reason.AMBIGUOUS, say="the key does not have the form of a key"
    ),
    Refusal(codes=("50103",), reason=Reason.AMBIGUOUS, say="no key was sent"),
    Refusal(codes=("50008",), reason=Reason.UNKNOWN_KEY, say="there is no such user"),
    Refusal(codes=("50104",), reason=Reason.WRONG_PASSPHRASE, say="no passphrase was sent"),
    Refusal(codes=("50105",), reason=Reason.WRONG_PASSPHRASE, say="the passphrase is wrong"),
    Refusal(codes=("50106",), reason=Reason.WRONG_SECRET, say="no signature was sent"),
    Refusal(codes=("50113",), reason=Reason.WRONG_SECRET, say="the signature is not valid"),
    Refusal(codes=("50107",), reason=Reason.AMBIGUOUS, say="no time was sent"),
    Refusal(
        codes=("50102",),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is more than 30 s from OKX's",
    ),
    Refusal(codes=("50112",), reason=Reason.CLOCK_SKEW, say="the time has the wrong form"),
    Refusal(
        codes=("50101",),
        reason=Reason.WRONG_SITE,
        say="the key belongs to another environment (demo or live, or another broker)",
    ),
    Refusal(codes=("50100",), reason=Reason.DISABLED, say="the key is frozen"),
    Refusal(codes=("50007",), reason=Reason.ACCOUNT_RESTRICTED, say="the user is blocked"),
    Refusal(
        codes=("50027", "50029"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account is restricted from trading",
    ),
    Refusal(
        codes=("50120", "50030", "50114"),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("50121", "50051"),
        reason=Reason.REGION_BLOCKED,
        say="OKX does not serve this account's or host's region",
    ),
    Refusal(codes=("50011", "50061"), reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(
        codes=("50001", "50005"), reason=Reason.MAINTENANCE, say="OKX's API is not available now"
    ),
    Refusal(codes=("50004",), reason=Reason.TIMEOUT, say="OKX gave no answer in time"),
    Refusal(codes=("50013", "50026"), reason=Reason.SERVER_ERROR, say="OKX has a fault of its own"),
)

_DOCS = "https://www.okx.com/docs-v5/en/"

ADAPTER = Adapter(
    id="okx",
    realms={"myokx": "https://eea.okx.com", "okxus": "https://us.okx.com"},
    title="OKX",
    host="https://www.okx.com",
    credentials=("key", "secret", "passphrase"),
    reads=(INFO, BALANCE, ORDERS, FUTURES_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Each endpoint has its own limit per user id, as its section of the documentation says.
    limits=(
        Limit(5, 2, Scope.UID, pool="config"),
        Limit(10, 2, Scope.UID, pool="balance"),
        Limit(60, 2, Scope.UID, pool="orders"),
        Limit(2, 2, Scope.UID, pool="sub-accounts"),
        Limit(20, 2, Scope.UID, pool="sub-keys"),
    ),
    tests={"spot": (BALANCE, ORDERS), "futures": (BALANCE, FUTURES_ORDERS)},
    untold=UNTOLD,
    links=(
        f"{_DOCS}#trading-account-rest-api-get-account-configuration",
        f"{_DOCS}#overview-api-key-creation",
        f"{_DOCS}#error-code-rest-api",
    ),
    lists=listing.of(_listed),
    lapses=(
        Lapse(
            days=14,
            counts_from="use",
            any_of=("trade", "withdraw"),
            says="a key with trade or withdraw and without an IP list expires after 14 idle days; any "
            "authenticated call counts as use, demo keys are exempt",
            source=f"{_DOCS}#overview-api-key-creation",
        ),
    ),
    steps=(
        Step(
            reach="manage_keys",
            any_of=("trade",),
            master_only=True,
            bound_only=True,
            says="Trade of a master account's IP-bound key creates sub-account keys "
            "(POST /api/v5/users/subaccount/apikey) and changes them (modify-apikey)",
            source=f"{_DOCS}#sub-account-rest-api-create-an-api-key-for-a-sub-account",
        ),
    ),
    how_to=(
        "Profile > API and connections > Create API key.",
        "Choose a clear name and a passphrase of its own; OKX cannot show the passphrase again.",
        "Enter the server's addresses in the IP allowlist first: up to 20, ranges too.",
        "Permissions: tick Read and Trade (OKX has no toggle of its own for futures or transfers).",
        "Leave Withdraw unticked; prefer a key of a sub-account.",
        "Note the site the key was made on: keys of my.okx.com (myokx) and OKX US (okxus) work only there.",
    ),
)
