"""BingX: `GET /openApi/v1/account/apiPermissions` tells codes and IP list, `apiKey/query` the creation too.

https://bingx-api.github.io/docs-v3/#/en/Account%20and%20Wallet/Sub-account%20Management/
"""

from collections.abc import Iterator
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
    Reply,
    Scope,
    Step,
)
from bfaudit.exchanges.listing import bingx as listing
from bfaudit.exchanges.values import any_of, bound_to, from_milliseconds, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source

INFO = Read(
    label="info",
    path="GET /openApi/v1/account/apiPermissions",
    call="accountV1PrivateGetAccountApiPermissions",
    pool="permissions",
    needs="Read",
    expects=("permissions", "data.permissions", "enableReading", "data.enableReading"),
)
UID = Read(
    label="uid",
    path="GET /openApi/account/v1/uid",
    call="accountV1PrivateGetUid",
    pool="uid",
    needs="Read",
    expects=("data.uid",),
)
KEYS = Read(
    label="keys",
    path="GET /openApi/account/v1/apiKey/query",
    call="accountV1PrivateGetApiKeyQuery",
    pool="keys",
    needs="Read",
    expects=("data.apiInfos", "data.apiKeyList"),
)
SUBS = Read(
    label="subs",
    path="GET /openApi/subAccount/v1/list",
    call="subAccountV1PrivateGetList",
    params={"page": 1, "limit": 1},
    pool="subs",
    needs="Read",
    expects=("data.result", "data.subAccountList"),
)
RESTRICTIONS = Read(
    label="restrictions",
    path="GET /openApi/v1/account/apiRestrictions",
    call="accountV1PrivateGetAccountApiRestrictions",
    pool="restrictions",
    needs="Read",
    expects=("enableReading", "data.enableReading"),
)
BALANCE = Read(
    label="balance",
    path="GET /openApi/spot/v1/account/balance",
    call="spotV1PrivateGetAccountBalance",
    pool="balance",
    needs="Read",
    expects=("data",),
)
ORDERS = Read(
    label="orders",
    path="GET /openApi/spot/v1/trade/openOrders",
    call="spotV1PrivateGetTradeOpenOrders",
    pool="orders",
    needs="Read",
    expects=("data",),
)
FUTURES = Read(
    label="futures",
    path="GET /openApi/swap/v2/user/balance",
    call="swapV2PrivateGetUserBalance",
    pool="futures",
    needs="Read",
    expects=("data",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /openApi/swap/v2/trade/openOrders",
    call="swapV2PrivateGetTradeOpenOrders",
    pool="futures-orders",
    needs="Read",
    expects=("data",),
)
READS = (INFO, UID, KEYS, SUBS, RESTRICTIONS, BALANCE, ORDERS, FUTURES, FUTURES_ORDERS)

CODES = {"trade": {1}, "read": {2}, "futures": {3}, "transfer": {4, 7}, "withdraw": {5}}
# The other documented form of the same answer.
SWITCHES = {
    "read": ("enableReading",),
    "trade": ("enableSpotAndMarginTrading",),
    "futures": ("enableFutures",),
    "options": ("enableVanillaOptions",),
    "transfer": ("enableInternalTransfer", "permitsUniversalTransfer"),
    "withdraw": ("enableWithdrawals",),
}
SWITCHED = frozenset(chain.from_iterable(SWITCHES.values()))
NO_RIGHTS = frozenset({"apiKey", "note", "ipAddresses", "ipRestrict", "createTime"})
MANAGES = "BingX's web page has a permission for sub-account management; its code is not documented"
SPOT_OR_MARGIN = "BingX does not tell spot and margin apart here"


async def fetch(ask: Ask) -> None:
    """The permissions, then by uid the record with the dates; the older read only where the first fails."""
    info = await ask(INFO)
    if not info.ok and not info.refused(
        Reason.UNEXPECTED_ANSWER, Reason.MISSING_PERMISSION, Reason.SERVER_ERROR
    ):
        return
    uid = _uid(await ask(UID))
    if uid is not None:
        await ask(KEYS, {"uid": uid, "apiKey": ask.key})
        await ask(SUBS)
        if not info.ok:
            await ask(RESTRICTIONS)


def parse(replies: Replies, context: Context) -> Facts:
    """Each fact from the first record that has it, in the documented shapes, as far as the second does not deny it."""
    facts = FactsBuilder(INFO.path)
    facts.know("key.type", "hmac", limitation="BingX has no other kind")
    _account(facts, replies)
    records = tuple(_records(replies, context))
    for learn in (_permissions, _network, _label, _created):
        any(learn(facts, request, record) for request, record in records)
    for request, record in records[1:]:
        other = FactsBuilder(request)
        _permissions(other, request, record)
        _network(other, request, record)
        facts.confirm(other.build({}, ""), "BingX's two records of the key do not agree")
    return facts.build(UNTOLD, "BingX did not give the key's own record")


def _data(reply: Reply | None) -> dict[str, Json] | None:
    """What a success carries: the body itself, or its `data`."""
    body = reply.body if reply is not None and reply.ok else None
    if isinstance(body, dict) and "data" in body:
        body = body["data"]
    return body if isinstance(body, dict) else None


def _uid(reply: Reply | None) -> str | None:
    return text_or_none((_data(reply) or {}).get("uid"))


def _records(replies: Replies, context: Context) -> Iterator[tuple[str, dict[str, Json]]]:
    info, keys = _data(replies.get("info")), _data(replies.get("keys")) or {}
    # `apiKey` may be empty here; it is never another one's.
    if info is not None and _is_own(info, context, empty=True):
        yield INFO.path, info
    listed = keys.get("apiInfos", keys.get("apiKeyList"))
    own = [
        entry
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, dict) and _is_own(entry, context, empty=False)
    ]
    if len(own) == 1:
        yield KEYS.path, own[0]
    restrictions = _data(replies.get("restrictions"))
    if restrictions is not None:
        yield RESTRICTIONS.path, restrictions


def _is_own(record: dict[str, Json], context: Context, *, empty: bool) -> bool:
    name = record.get("apiKey")
    return empty if name in (None, "") else isinstance(name, str) and context.own_key(name)


def _permissions(facts: FactsBuilder, request: str, record: dict[str, Json]) -> bool:
    if "permissions" in record:
        return _by_codes(facts, request, record["permissions"])
    if not any(isinstance(record.get(name), bool) for names in SWITCHES.values() for name in names):
        return False
    for word, names in SWITCHES.items():
        missing = ", ".join(name for name in names if not isinstance(record.get(name), bool))
        granted = any_of(record.get(name) for name in names)
        facts.grant(word, granted, why_unknown=f"BingX's answer lacks {missing}", request=request)
    if record.get("enableSpotAndMarginTrading") is False:
        facts.grant("margin", granted=False, request=request)
    else:
        facts.unknown("permissions.margin", SPOT_OR_MARGIN)
    facts.unknown("permissions.manage_keys", MANAGES)
    facts.switches("BingX", {name: record[name] for name in record.keys() - NO_RIGHTS - SWITCHED})
    return True


def _by_codes(facts: FactsBuilder, request: str, value: Json) -> bool:
    codes = _numbers(value)
    if not codes:
        return False
    for word, numbers in CODES.items():
        facts.grant(word, not codes.isdisjoint(numbers), request=request)
    for word in ("margin", "options"):
        limitation = "BingX's API trades spot and perpetual futures only"
        facts.grant(word, granted=False, request=request, limitation=limitation)
    facts.unknown("permissions.manage_keys", MANAGES)
    for code in sorted(codes.difference(*CODES.values())):
        facts.grant(f"other:{code}", granted=True, request=request)
    return True


def _numbers(value: Json) -> frozenset[int] | None:
    """The codes, where every entry of a list is one; None otherwise."""
    texts = [text_or_none(code) for code in value] if isinstance(value, list) else [None]
    if not all(text and text.isascii() and text.isdigit() and len(text) < 6 for text in texts):
        return None
    return frozenset(int(text) for text in texts if text)


def _network(facts: FactsBuilder, request: str, record: dict[str, Json]) -> bool:
    listed = record.get("ipAddresses")
    found = bound_to(listed) if isinstance(listed, list) else None
    if found is not None:
        facts.know("network.ip_restricted", bool(found), request=request)
        facts.know("network.ip_allowlist", found, request=request)
        return True
    restricted = record.get("ipRestrict")
    if isinstance(restricted, bool):
        facts.know("network.ip_restricted", restricted, request=request)
        if not restricted:
            facts.know("network.ip_allowlist", (), request=request)
    return restricted is False


def _label(facts: FactsBuilder, request: str, record: dict[str, Json]) -> bool:
    if not isinstance(record.get("note"), str):
        return False
    facts.know("key.label", text_or_none(record["note"]), request=request)
    return True


def _created(facts: FactsBuilder, request: str, record: dict[str, Json]) -> bool:
    created = from_milliseconds(record.get("createTime"))
    if created:
        facts.know("key.created_at", created, request=request)
    return created is not None


def _account(facts: FactsBuilder, replies: Replies) -> None:
    asked, subs = replies.get("uid"), replies.get("subs")
    uid = _uid(asked)
    if uid is not None:
        facts.know("account_facts.uid", uid, request=UID.path)
        facts.grant("read", granted=True, request=UID.path, source=Source.PROBE)
    elif asked is not None and asked.refused(Reason.MISSING_PERMISSION):
        facts.grant("read", granted=False, request=UID.path, source=Source.PROBE)
    if subs is not None and subs.ok:
        facts.know("account_facts.is_master", True, request=SUBS.path, source=Source.PROBE)
        facts.know("account_facts.parent_uid", None, request=SUBS.path, source=Source.PROBE)
    elif subs is not None and subs.verdict is not None and subs.verdict.code == "100403":
        facts.know("account_facts.is_master", False, request=SUBS.path, source=Source.PROBE)


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A key of the account or of a sub-account, as the main account sees it: the same record."""
    for learn in (_permissions, _network, _label, _created):
        learn(facts, KEYS.path, row)


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"code": 0, "data": ...}`, or a bare record without `code`; any other code is an error."""
    if not isinstance(body, dict):
        return ("", "")
    if "code" not in body:
        return ("", text_or_none(body["msg"]) or "") if "msg" in body else None
    if body["code"] in (0, "0") and not isinstance(body["code"], bool):
        return None
    return (text_or_none(body["code"]) or "")[:40], (text_or_none(body.get("msg")) or "")


UNTOLD = {
    "key.expires_at": "BingX reports no expiry; it deletes unbound trading keys that are not used",
    "key.last_used_at": "BingX does not report when a key was last used",
    "key.state": "BingX does not document what a key's status means",
    "key.third_party": "BingX does not report whether a key is bound to an application",
    "key.symbols": "BingX does not report the symbols a key is limited to",
    "account_facts.uid": "BingX did not name the account",
    "account_facts.parent_uid": "BingX does not tell a key about its master account",
    "account_facts.is_master": "BingX did not say whether the account is a main account",
}

REFUSALS = (
    Refusal(
        codes=("100413",),
        reason=Reason.UNKNOWN_KEY,
        say="no such key, or it was deleted (BingX deletes unbound trading keys after 14 idle days)",
    ),
    Refusal(
        codes=("100001",), reason=Reason.WRONG_SECRET, say="the signature is not valid: the secret is wrong"
    ),
    Refusal(codes=("100412",), reason=Reason.WRONG_SECRET, say="the request has no signature"),
    Refusal(
        codes=("100419",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("100004",),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("100403",),
        reason=Reason.MISSING_PERMISSION,
        say="this request is for main accounts only",
    ),
    # 100421 also means that a pair is closed to API trading; no read here names a pair.
    Refusal(
        codes=("100421",),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is more than 5 s from BingX's",
    ),
    Refusal(codes=("100410", "429"), reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(codes=("418",), reason=Reason.BANNED, say="this host's address is banned for a while"),
    Refusal(
        codes=("100414",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account is restricted by BingX's risk control",
    ),
    Refusal(
        codes=("401",),
        reason=Reason.AMBIGUOUS,
        say="BingX does not accept the key, and does not say whether key, secret or address is the reason",
    ),
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="BingX is under maintenance"
    ),
    Refusal(
        codes=("100500", "100503", "80012"), reason=Reason.SERVER_ERROR, say="BingX is busy"
    ),
)  # fmt: skip

_DOCS = "https://bingx-api.github.io/docs-v3/#/en/Account%20and%20Wallet/Sub-account%20Management/"
_RULES = "https://bingx.com/en-gb/account/api/"

ADAPTER = Adapter(
    id="bingx",
    title="BingX",
    host="https://open-api.bingx.com",
    reads=READS,
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Per UID 5 a second (one page says 2 for apiPermissions); per address 300 in 10 s for one endpoint, 2000 for all.
    limits=(
        Limit(2, 1, Scope.UID, pool=INFO.pool),
        *(Limit(5, 1, Scope.UID, pool=read.pool) for read in READS if read is not INFO),
        *(Limit(300, 10, Scope.IP, pool=read.pool) for read in READS),
        Limit(2000, 10, Scope.IP, pool=None),
    ),
    tests={"spot": (BALANCE, ORDERS), "futures": (FUTURES, FUTURES_ORDERS)},
    untold=UNTOLD,
    left_open=frozenset({MANAGES, SPOT_OR_MARGIN}),
    links=(_DOCS, "https://github.com/BingX-API/api-ai-skills", _RULES),
    lists=listing.of(UID, SUBS, KEYS, _listed),
    lapses=(
        Lapse(
            days=14,
            counts_from="use",
            any_of=("trade", "futures", "transfer", "other:6"),
            says="a key without an IP list that may trade, transfer or manage sub-accounts is deleted "
            "after 14 idle days; a scan may count as use",
            source=_RULES,
        ),
    ),
    steps=(
        Step(
            reach="manage_keys",
            any_of=("other:6",),
            master_only=True,
            says="code 6 is not documented and probably sub-account management, which makes and changes "
            "sub-account keys (POST /openApi/subAccount/v1/apiKey/create and edit)",
            source=_DOCS,
            certain=False,
        ),
        Step(
            reach="ip_list",
            any_of=("other:6",),
            master_only=True,
            says="POST /openApi/subAccount/v1/apiKey/edit changes a sub-account key's IP list",
            source=_DOCS,
            certain=False,
        ),
        Step(
            reach="withdraw",
            any_of=("transfer",),
            says="POST /openApi/wallets/v1/capital/subAccountInnerTransfer/apply names its receiver by "
            "UID, phone or e-mail; whether it may be another user is not said",
            source="https://github.com/BingX-API/api-ai-skills",
            certain=False,
        ),
    ),
    how_to=(
        "Account > API Management > Create API; a new key is read-only.",
        "Leave Read ticked and tick Spot Trading; Perpetual Futures Trading only if needed.",
        "Leave Withdraw, Universal Transfer, sub-account transfer and management unticked.",
        (
            "Link the server's IP addresses (at most 20): an unlinked trading key is deleted after "
            "14 idle days."
        ),
    ),
)
