"""BloFin: `GET /api/v1/user/query-apikey` tells IP list, lifetime and account of the calling key, and whether it only reads.

https://docs.blofin.com/index.html#get-api-key-info
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
)
from bfaudit.exchanges.values import bound_to, from_milliseconds, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

INFO = Read(
    label="info",
    path="GET /api/v1/user/query-apikey",
    call="privateGetUserQueryApikey",
    needs="READ",
    expects=("data.readOnly", "data.apiKey", "data.uid"),
)
BALANCE = Read(
    label="balance",
    path="GET /api/v1/asset/balances",
    call="privateGetAssetBalances",
    params={"accountType": "spot"},
    needs="READ",
    expects=("data",),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v1/spot/trade/orders-pending",
    call="privateGetSpotTradeOrdersPending",
    needs="READ",
    expects=("data",),
)
FUTURES = Read(
    label="futures",
    path="GET /api/v1/account/balance",
    call="privateGetAccountBalance",
    needs="READ",
    expects=("data",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /api/v1/trade/orders-pending",
    call="privateGetTradeOrdersPending",
    needs="READ",
    expects=("data",),
)

NOT_THERE = {
    "options": "BloFin has no options",
    "manage_keys": "no permission of BloFin's grants it",
}
WHY_WRITE = "BloFin tells that the key may write, not what (trade, transfer, withdraw)"
WRITES = ("trade", "margin", "futures", "transfer", "withdraw")
MASTERLESS = "0"
PERSONAL, THIRD_PARTY = 1, 2


async def fetch(ask: Ask) -> None:
    """One read tells all that there is."""
    await ask(INFO)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the key's own record. "Read and write" does not tell what may be written."""
    facts = FactsBuilder(INFO.path)
    facts.know("key.type", "hmac", limitation="BloFin has no other kind")
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, dict):
        _permissions(facts, data)
        _record(facts, data)
        _account(facts, data)
    return facts.build(UNTOLD, "BloFin did not give the key's own record")


def _permissions(facts: FactsBuilder, data: dict[str, Json]) -> None:
    read_only = text_or_none(data.get("readOnly"))
    if read_only not in ("0", "1"):
        return
    facts.grant("read", granted=True)
    may = None if read_only == "0" else False
    for word in WRITES:
        facts.grant(word, may, why_unknown=WHY_WRITE)
    for word, why in NOT_THERE.items():
        facts.grant(word, granted=False, limitation=why)


def _record(facts: FactsBuilder, data: dict[str, Json]) -> None:
    if "apiName" in data:
        facts.text("key.label", data["apiName"])
    listed = bound_to(data["ips"]) if isinstance(data.get("ips"), list) else None
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)
    for path, name in (("key.created_at", "createTime"), ("key.expires_at", "expireTime")):
        moment = from_milliseconds(data.get(name))
        if moment:
            facts.know(path, moment)
    kind = text_or_none(data.get("type"))
    if kind == str(PERSONAL):
        facts.know("key.third_party", None)
    elif kind == str(THIRD_PARTY):
        facts.know("key.third_party", "an application", limitation="BloFin does not name it here")


def _account(facts: FactsBuilder, data: dict[str, Json]) -> None:
    uid, parent = text_or_none(data.get("uid")), text_or_none(data.get("parentUid"))
    if uid:
        facts.know("account_facts.uid", uid)
    if parent:
        master = parent == MASTERLESS
        facts.know("account_facts.is_master", master)
        facts.know("account_facts.parent_uid", None if master else parent)


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"code": "0", "data": ...}` is success; anything else has a code and `msg`."""
    if not isinstance(body, dict):
        return ("", "")
    code = str(body.get("code", ""))[:40]
    if code == "0" and "data" in body:
        return None
    return code, str(body.get("msg") or body.get("error_message") or "")[:500]


UNTOLD = {
    "key.expires_at": "BloFin did not say when the key expires",
    "key.last_used_at": "BloFin does not report when a key was last used",
    "key.state": "BloFin reports no state of a key that works",
    "key.symbols": "BloFin does not report the symbols a key is limited to",
}

REFUSALS = (
    Refusal(codes=("152401",), reason=Reason.UNKNOWN_KEY, say="no such key, or it is not active"),
    Refusal(codes=("152402",), reason=Reason.EXPIRED, say="the key has expired"),
    Refusal(
        codes=("152404",),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("152405", "152407", "152410"),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is more than 60 s from BloFin's, or was used before",
    ),
    Refusal(
        codes=("152406",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(codes=("152408",), reason=Reason.WRONG_PASSPHRASE, say="the passphrase is wrong"),
    Refusal(codes=("152409", "401"), reason=Reason.WRONG_SECRET, say="the signature is not valid"),
    Refusal(
        codes=("152011", "152012", "152013"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the key is bound to a broker, and works with the broker's id only",
    ),
    Refusal(codes=("429",), reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="BloFin is under maintenance"
    ),
    Refusal(
        codes=("500", "103013"), reason=Reason.SERVER_ERROR, say="BloFin has a fault of its own"
    ),
    Refusal(
        codes=(),
        text="server error",
        reason=Reason.SERVER_ERROR,
        say="BloFin has a fault of its own",
    ),
)

ADAPTER = Adapter(
    id="blofin",
    title="BloFin",
    host="https://openapi.blofin.com",
    credentials=("key", "secret", "passphrase"),
    reads=(INFO, BALANCE, ORDERS, FUTURES, FUTURES_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Per address; beyond it the service is suspended for minutes: https://docs.blofin.com/index.html#rate-limits
    limits=(Limit(500, 60, Scope.IP), Limit(1500, 300, Scope.IP)),
    tests={"spot": (BALANCE, ORDERS), "futures": (FUTURES, FUTURES_ORDERS)},
    untold=UNTOLD,
    left_open=frozenset({WHY_WRITE}),
    tells_life=("key.expires_at",),
    links=(
        "https://docs.blofin.com/index.html#get-api-key-info",
        "https://docs.blofin.com/index.html#errors",
        "https://blofin.com/account/apis",
    ),
    lapses=(
        Lapse(
            days=90,
            counts_from="created",
            says="a key without an IP list expires after 90 days (older pages: after 90 days of inactivity)",
            source="https://docs.blofin.com/index.html#api-key-creation",
            certain=False,
        ),
    ),
    how_to=(
        "Account > API Management > Create API Key, API Transaction.",
        "Choose a clear name and a passphrase of its own; keep the passphrase: it is never shown again.",
        (
            "Tick READ and TRADE; leave TRANSFER and WITHDRAW unticked. BloFin tells an audit only whether a key may "
            "write: keep a dated attestation of the boxes."
        ),
        "Link the server's IP addresses (up to 20): an unlinked key expires after 90 days.",
    ),
)
