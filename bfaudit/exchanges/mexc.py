"""MEXC: `GET /api/v3/apiKeyInfo` tells permissions, IP list, creation and remaining days of the calling key.

https://www.mexc.com/api-docs/spot-v3/spot-account-trade/query-api-key-info
"""

from datetime import datetime, timedelta

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
from bfaudit.exchanges.listing import mexc as listing
from bfaudit.exchanges.values import bound_to, from_iso, from_milliseconds, text_or_none, words
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source

INFO = Read(
    label="info",
    path="GET /api/v3/apiKeyInfo",
    call="spotPrivateGetApiKeyInfo",
    expects=("permissions",),
)
UID = Read(label="uid", path="GET /api/v3/uid", call="spotPrivateGetUid", expects=("uid",))
ACCOUNT = Read(
    label="account",
    path="GET /api/v3/account",
    call="spotPrivateGetAccount",
    weight=10,
    pool="default/account",
    needs="SPOT_ACCOUNT_READ",
    expects=("balances",),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v3/openOrders",
    call="spotPrivateGetOpenOrders",
    params={"symbol": "BTCUSDT"},
    weight=3,
    needs="SPOT_DEAL_READ",
    expects=("[]",),
)
CONTRACT = Read(
    label="contract",
    path="GET /api/v1/private/account/assets",
    call="contractPrivateGetAccountAssets",
    pool="contract",
    needs="CONTRACT_ACCOUNT_READ",
    expects=("data",),
)
CONTRACT_ORDERS = Read(
    label="contract-orders",
    path="GET /api/v1/private/order/list/open_orders",
    call="contractPrivateGetOrderListOpenOrders",
    pool="contract",
    needs="CONTRACT_DEAL_READ",
    expects=("data",),
)

TOKENS = {
    "read": ("SPOT_ACCOUNT_READ", "CONTRACT_ACCOUNT_READ"),
    "trade": ("SPOT_DEAL_WRITE",),
    "futures": ("CONTRACT_DEAL_WRITE", "CONTRACT_ACCOUNT_WRITE"),
    "transfer": ("SPOT_TRANSFER_WRITE",),
    "withdraw": ("SPOT_WITHDRAW_WRITE",),
    "manage_keys": ("SPOT_ACCOUNT_WRITE",),
}
HARMLESS = frozenset(
    f"{scope}_READ"
    for scope in (
        "SPOT_ACCOUNT",
        "SPOT_DEAL",
        "CONTRACT_ACCOUNT",
        "CONTRACT_DEAL",
        "SPOT_WITHDRAW",
        "SPOT_TRANSFER",
        "SPOT_DEPOSIT",
    )
)
DEPOSITS = "SPOT_DEPOSIT_WRITE"
"""It makes addresses for deposits: no permission of ours, and nothing strange."""
PERMANENT = -999
STATES = {"VALID": "active", "FROZEN": "disabled", "DELETE": "disabled"}


async def fetch(ask: Ask) -> None:
    """Ask for the key's own record; where it is refused, find out why by reads that tell the causes apart."""
    info = await ask(INFO, {"accessKey": ask.key})
    if info.ok:
        await ask(UID)
    elif info.refused(Reason.WRONG_SECRET, Reason.UNKNOWN_KEY):
        # 700002 is the answer to a wrong secret and to an expired key, 10072 may meet a futures-only
        # key on a spot endpoint: only the contract API tells (402 is "Api_key expired").
        await ask(CONTRACT)
    elif info.refused(Reason.MISSING_PERMISSION):
        await ask(ACCOUNT)
        await ask(ORDERS)
        await ask(CONTRACT)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the key's record; from the probes of its reads where the record is refused."""
    facts = FactsBuilder(INFO.path)
    facts.know("key.type", "hmac", limitation="MEXC has no other kind")
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    if isinstance(body, dict):
        facts.shared(_permissions, body.get("permissions"))
        facts.shared(_network, body.get("ipWhiteList"))
        _lifetime(facts, body, context)
        if "note" in body:
            facts.text("key.label", body["note"])
    else:
        _probes(facts, replies)
    uid = replies.get("uid")
    if uid is not None and uid.ok and isinstance(uid.body, dict):
        found = text_or_none(uid.body.get("uid"))
        if found:
            facts.know("account_facts.uid", found, request=UID.path)
    return facts.build(UNTOLD, "MEXC did not give the key's own record")


def _permissions(facts: FactsBuilder, told: Json) -> None:
    tokens = frozenset(map(_whole, words(told) or ()))
    if not tokens:
        return
    known = HARMLESS.union(*TOKENS.values())
    strange = tokens.isdisjoint(known)
    for word, names in TOKENS.items():
        # Where no token is one of MEXC's, as in the `read_only` of an old example, none is known to be denied.
        granted = None if strange else not tokens.isdisjoint(names)
        facts.grant(word, granted, why_unknown="MEXC names no permission that it documents")
    if "SPOT_ACCOUNT_READ" not in tokens and "CONTRACT_ACCOUNT_READ" in tokens:
        facts.grant("read", granted=True, limitation="the futures account only")
    for word in ("margin", "options"):
        facts.grant(word, granted=False, limitation="no token of MEXC grants it")
    for token in sorted(tokens - known):
        facts.grant(f"other:{token}", granted=True)
    facts.doubt("MEXC", tokens - known - {DEPOSITS})


def _whole(token: str) -> str:
    """Some pages of MEXC write `_R` and `_W` for `_READ` and `_WRITE`."""
    stem, _, access = token.upper().rpartition("_")
    full = {"R": "READ", "W": "WRITE"}.get(access)
    return f"{stem}_{full}" if full else token


def _network(facts: FactsBuilder, told: Json) -> None:
    listed = bound_to(told)
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)


def _lifetime(facts: FactsBuilder, body: dict[str, Json], context: Context) -> None:
    created = _time(body.get("createTime"))
    if created:
        facts.know("key.created_at", created)
    state = STATES.get(str(body.get("status")))
    if state:
        facts.know("key.state", state)
    days = body.get("remainingValidity")
    if isinstance(days, bool) or not isinstance(days, int):
        facts.unknown("key.expires_at", "MEXC did not say how many days remain")
    elif days == PERMANENT:
        facts.know("key.expires_at", None)
    elif days == 0:
        facts.know("key.state", "expired")
        facts.know("key.expires_at", context.now, limitation="MEXC says only that it has expired")
    elif 0 <= days < 10_000:
        day = context.now.replace(microsecond=0) + timedelta(days=days)
        facts.know("key.expires_at", day, limitation="told in whole days: right to a day")


def _time(value: Json) -> datetime | None:
    """MEXC's page shows milliseconds since 1970, the exchange sends RFC 3339."""
    if isinstance(value, str) and not value.isdigit():
        return from_iso(value)
    return from_milliseconds(value)


def _probes(facts: FactsBuilder, replies: Replies) -> None:
    """Reading can be told by reading; a write permission cannot be told without writing."""
    spot, contract = replies.get("account"), replies.get("contract")
    if spot is not None and spot.ok:
        facts.grant("read", granted=True, request=ACCOUNT.path, source=Source.PROBE)
    elif contract is not None and contract.ok:
        facts.grant("read", granted=True, request=CONTRACT.path, source=Source.PROBE)
    elif (
        spot is not None
        and spot.refused(Reason.MISSING_PERMISSION)
        and contract is not None
        and contract.refused(Reason.MISSING_PERMISSION)
    ):
        facts.grant("read", granted=False, request=ACCOUNT.path, source=Source.PROBE)
    for word in ("margin", "options"):
        facts.grant(word, granted=False, limitation="no token of MEXC grants it")


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A sub-account's key, as its master account sees it: `ip`, and `creatTime` as MEXC spells it."""
    facts.shared(_permissions, row.get("permissions"))
    facts.shared(_network, row.get("ip"))
    created = _time(row.get("creatTime", row.get("createTime")))
    if created:
        facts.know("key.created_at", created)
    if "note" in row:
        facts.text("key.label", row["note"])


def error_of(body: Json) -> tuple[str, str] | None:
    """Spot: `{"code", "msg"}`; contract: `{"success": false, "code", "message"}`."""
    if not isinstance(body, dict):
        return None if isinstance(body, list) else ("", "")
    accepted = body.get("success") is True or body.get("code") in (0, 200, "0", "200")
    if accepted and body.get("success") is not False:
        return None
    if "code" in body and ("msg" in body or "message" in body or len(body) == 1):
        return str(body["code"])[:40], str(body.get("msg") or body.get("message") or "")[:500]
    return ("", "") if body.get("success") is False else None


UNTOLD = {
    "key.last_used_at": "MEXC does not report when a key was last used",
    "key.third_party": "MEXC does not report whether a key is bound to an application",
    "key.symbols": "MEXC does not report the symbols a key is limited to",
    "account_facts.parent_uid": "MEXC does not tell a key about its master account",
    "account_facts.is_master": "MEXC does not tell whether an account is a master account",
}

REFUSALS = (
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="MEXC is under maintenance"
    ),
    Refusal(
        codes=("700006", "406"),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("10072", "730706"), reason=Reason.UNKNOWN_KEY, say="no such key, or it was deleted"
    ),
    # Of a key that was copied badly MEXC cannot say that it is gone.
    Refusal(
        codes=("700001", "730707"),
        reason=Reason.AMBIGUOUS,
        say="the key does not have the form of a MEXC key",
    ),
    Refusal(codes=("400",), text="api key", reason=Reason.AMBIGUOUS, say="no key was sent"),
    Refusal(
        codes=("700002", "602"),
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid: the secret is wrong (MEXC answers the same for an expired key)",
    ),
    Refusal(codes=("402",), reason=Reason.EXPIRED, say="the key has expired"),
    Refusal(codes=("401",), reason=Reason.AMBIGUOUS, say="MEXC does not accept the key"),
    Refusal(
        codes=("700007", "701", "702", "703", "704", "511"),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("70011", "30020"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the key is banned from this pair",
    ),
    Refusal(
        codes=("60005", "730100"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account is restricted for unusual activity",
    ),
    Refusal(
        codes=("140001", "140002"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the sub-account is missing or forbidden",
    ),
    Refusal(
        codes=("700003", "700005", "10073", "513"),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is outside MEXC's window",
    ),
    Refusal(codes=("429", "510"), reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(
        codes=("604", "801", "11444"), reason=Reason.MAINTENANCE, say="MEXC is under maintenance"
    ),
    Refusal(codes=("500", "503"), reason=Reason.SERVER_ERROR, say="MEXC has a fault of its own"),
)

ADAPTER = Adapter(
    id="mexc",
    title="MEXC",
    host="https://api.mexc.com",
    reads=(INFO, UID, ACCOUNT, ORDERS, CONTRACT, CONTRACT_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # 500 weight per 10 s per IP and per UID, the account twice a second: https://www.mexc.com/api-docs/spot-v3/general-info
    limits=(
        Limit(500, 10, Scope.IP),
        Limit(500, 10, Scope.UID),
        Limit(20, 1, Scope.IP, pool="default/account"),
        Limit(20, 2, Scope.IP, pool="contract"),
    ),
    tests={"spot": (ACCOUNT, ORDERS), "futures": (CONTRACT, CONTRACT_ORDERS)},
    untold=UNTOLD,
    tells_life=("key.state", "key.expires_at"),
    links=(
        "https://www.mexc.com/api-docs/spot-v3/spot-account-trade/query-api-key-info",
        "https://www.mexc.com/api-docs/spot-v3/error-code",
    ),
    lists=listing.of(_listed),
    lapses=(
        Lapse(
            days=90,
            counts_from="created",
            says="a key without an IP list is valid for 90 days; renewing it moves the end",
            source="https://www.mexc.com/support",
        ),
    ),
    steps=(
        Step(
            reach="ip_list",
            any_of=("manage_keys",),
            says="POST /api/v3/apiKeyInfo (SPOT_ACCOUNT_WRITE) overwrites the key's own IP list",
            source="https://www.mexc.com/api-docs/spot-v3/spot-account-trade/query-api-key-info",
        ),
        Step(
            reach="manage_keys",
            any_of=("read",),
            says="POST /api/v3/sub-account/apiKey makes sub-account keys: older pages ask for "
            "SPOT_ACCOUNT_READ only, newer ones for SPOT_ACCOUNT_WRITE",
            source="https://github.com/mexcdevelop/apidocs",
            certain=False,
        ),
        Step(
            reach="exit:convert",
            any_of=("manage_keys",),
            says="converting small balances needs SPOT_ACCOUNT_WRITE",
            source="https://github.com/mexcdevelop/apidocs",
        ),
    ),
    how_to=(
        "Profile > API Management > Create API key.",
        "Spot: tick View Account Details, View Order Details and Trade.",
        "Futures: tick its account, order and trade boxes only if the strategy trades futures.",
        "Leave Withdraw and Transfer unticked.",
        "Link the server's IP addresses: an unlinked key ends after 90 days.",
    ),
)
