"""HTX: `GET /v2/user/uid`, then `GET /v2/user/api-key` of that uid tells all about the calling key.

https://www.htx.com/en-us/opend/newApiPages/?id=7ec52c92-7773-11ed-9966-0242ac110003
"""

from datetime import timedelta

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
from bfaudit.exchanges.listing import htx as listing
from bfaudit.exchanges.values import bound_to, from_milliseconds, own_entry, text_or_none, words
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source

UID = Read(
    label="uid",
    path="GET /v2/user/uid",
    call="spotPrivateGetV2UserUid",
    pool="user",
    needs="Read",
    expects=("data",),
)
INFO = Read(
    label="info",
    path="GET /v2/user/api-key",
    call="spotPrivateGetV2UserApiKey",
    pool="user",
    needs="Read",
    expects=("data",),
)
SUB_USERS = Read(
    label="sub-users",
    path="GET /v2/sub-user/user-list",
    call="spotPrivateGetV2SubUserUserList",
    pool="user",
    needs="Read",
    expects=("data.[]",),
)
BALANCE = Read(
    label="balance",
    path="GET /v2/account/asset-valuation",
    call="spotPrivateGetV2AccountAssetValuation",
    params={"accountType": "spot"},
    needs="Read",
    expects=("data",),
)
ORDERS = Read(
    label="orders",
    path="GET /v1/order/openOrders",
    call="spotPrivateGetV1OrderOpenOrders",
    needs="Read",
    expects=("data",),
)
FUTURES = Read(
    label="futures",
    path="GET /v5/account/balance",
    call="contractPrivateGetV5AccountBalance",
    needs="Read",
    expects=("data",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /v5/trade/order/opens",
    call="contractPrivateGetV5TradeOrderOpens",
    needs="Read",
    expects=("data",),
)

# One switch for all trading: spot, margin, contracts, and every transfer between own accounts and sub-users.
TOKENS = {
    "read": ("readonly",),
    "trade": ("trade",),
    "margin": ("trade",),
    "futures": ("trade",),
    "transfer": ("trade",),
    "withdraw": ("withdraw",),
}
WHY_OPTIONS = "HTX does not document what Trade means for options"
KNOWN = frozenset({"readonly", "trade", "withdraw"})
STATES = {"normal": "active", "expired": "expired"}
PERMANENT = -1


async def fetch(ask: Ask) -> None:
    """The key's record is asked for by uid; the list of sub-users is there for master accounts only."""
    uid = _uid(await ask(UID))
    if uid is not None:
        info = await ask(INFO, {"uid": uid, "accessKey": ask.key})
        if info.ok:
            await ask(SUB_USERS)


def _data(reply: Reply | None) -> Json:
    body = reply.body if reply is not None and reply.ok else None
    return body.get("data") if isinstance(body, dict) else None


def _uid(reply: Reply | None) -> str | None:
    return text_or_none(_data(reply))


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the key's own record; whether it may read, and whose it is, from the other reads."""
    facts = FactsBuilder(INFO.path)
    facts.know("key.type", "hmac", limitation="HTX has no other kind that bfaudit can sign with")
    _account(facts, replies)
    record = own_entry(_data(replies.get("info")), "accessKey", context.own_key)
    if record is not None:
        _permissions(facts, record)
        _network(facts, record)
        _lifetime(facts, record, context)
        if isinstance(record.get("note"), str):
            facts.know("key.label", text_or_none(record["note"]))
    return facts.build(UNTOLD, "HTX did not give the key's own record")


def _account(facts: FactsBuilder, replies: Replies) -> None:
    asked, subs = replies.get("uid"), replies.get("sub-users")
    uid = _uid(asked)
    if uid is not None:
        facts.know("account_facts.uid", uid, request=UID.path)
    if asked is not None and asked.ok:
        facts.grant("read", granted=True, request=UID.path, source=Source.PROBE)
    elif asked is not None and asked.refused(Reason.MISSING_PERMISSION):
        facts.grant("read", granted=False, request=UID.path, source=Source.PROBE)
    if subs is not None and subs.ok:
        facts.know("account_facts.is_master", True, request=SUB_USERS.path, source=Source.PROBE)
        facts.know("account_facts.parent_uid", None, request=SUB_USERS.path, source=Source.PROBE)


def _permissions(facts: FactsBuilder, record: dict[str, Json]) -> None:
    tokens = words(record.get("permission"))
    if not tokens:
        return
    named = {token.lower() for token in tokens}
    strange = sorted(token for token in tokens if token.lower() not in KNOWN)
    why = f"HTX names a permission that its documentation does not know: {', '.join(strange)[:80]}"
    for word, names in TOKENS.items():
        if not named.isdisjoint(names):
            facts.grant(word, granted=True)
        elif word != "read":
            facts.grant(word, None if strange else False, why_unknown=why)
    if "trade" in named or strange:
        facts.unknown("permissions.options", WHY_OPTIONS)
    else:
        facts.grant("options", granted=False, limitation="nothing but Trade could grant it")
    # No token stands for it: administering sub-users comes with Trade on a master account, which `reach` tells.
    facts.grant("manage_keys", granted=False, limitation="no switch of HTX grants it by itself")
    for token in strange:
        facts.grant(f"other:{token}", granted=True)
    facts.doubt("HTX", strange)


def _network(facts: FactsBuilder, record: dict[str, Json]) -> None:
    # HTX leaves the field out, or empty, where there is no restriction; entries may be IPv4 networks.
    listed = bound_to(record.get("ipAddresses", ""))
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)


def _lifetime(facts: FactsBuilder, record: dict[str, Json], context: Context) -> None:
    created = from_milliseconds(record.get("createTime"))
    if created:
        facts.know("key.created_at", created)
    state, days = STATES.get(str(record.get("status"))), record.get("validDays")
    if state:
        facts.know("key.state", state)
    if state == "expired":
        facts.know("key.expires_at", context.now, limitation="HTX says only that it has expired")
    elif isinstance(days, bool) or not isinstance(days, int) or not PERMANENT <= days < 10_000:
        facts.unknown("key.expires_at", "HTX did not say how many days remain")
    elif days == PERMANENT:
        facts.know("key.expires_at", None)
    else:
        day = context.now.replace(microsecond=0) + timedelta(days=days)
        limitation = "told in whole days: right to a day; use moves it"
        facts.know("key.expires_at", day, limitation=limitation)


def _listed(facts: FactsBuilder, row: dict[str, Json], context: Context) -> None:
    """A key of the account or of a sub-user, as the master account sees it: the same record."""
    _permissions(facts, row)
    _network(facts, row)
    _lifetime(facts, row, context)
    if isinstance(row.get("note"), str):
        facts.know("key.label", text_or_none(row["note"]))


def error_of(body: Json) -> tuple[str, str] | None:
    """v1 and contract: `{"status": "ok"}`; v2 and v5: `{"code": 200}`. Errors come with HTTP 200 too."""
    if not isinstance(body, dict):
        return ("", "")
    code, status = body.get("code"), body.get("status")
    if (status == "ok" or "status" not in body) and (code in (200, "200") or "code" not in body):
        return None if "status" in body or "code" in body else ("", "")
    named = (body.get(name) for name in ("err-code", "err_code", "code", "status"))
    said = (body.get(name) for name in ("err-msg", "err_msg", "message", "msg"))
    first = next((text for value in named if (text := text_or_none(value))), "")
    return first[:40], next((text for value in said if (text := text_or_none(value))), "")


UNTOLD = {
    "key.last_used_at": "HTX does not report when a key was last used",
    "key.third_party": "HTX does not report whether a key is bound to an application",
    "key.symbols": "HTX does not report the symbols a key is limited to",
    "account_facts.uid": "HTX did not name the account",
    "account_facts.parent_uid": "HTX does not tell a key about its master account",
    "account_facts.is_master": "HTX tells it only by listing the sub-users of a master account",
}

REFUSALS = (
    # `api-signature-not-valid`, contract 403 and v5 401 share one code for all causes: the text tells them apart.
    Refusal(
        codes=(),
        text=r"incorrect ip address|ip地址错误",
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("12005",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("2000",),
        reason=Reason.AMBIGUOUS,
        say="HTX does not accept the request, as it does not where the key's IP list lacks this host",
    ),
    Refusal(codes=(), text=r"key ?(has|已经) ?(expired|过期)", reason=Reason.EXPIRED, say="the key has expired"),
    Refusal(codes=("12004",), reason=Reason.EXPIRED, say="the key has expired"),
    Refusal(
        codes=(),
        text=r"has no permission|没有权限",
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=(),
        text=r"incorrect access key|access ?key错误|accesskey is already deleted",
        reason=Reason.UNKNOWN_KEY,
        say="no such key, or it was deleted or disabled",
    ),
    Refusal(
        codes=("12007",),
        reason=Reason.UNKNOWN_KEY,
        say="no such key, or it was deleted or disabled",
    ),
    Refusal(
        codes=(),
        text=r"verification failure|校验失败|invalid signature",
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid: the secret is wrong",
    ),
    Refusal(
        codes=("12008",),
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid: the secret is wrong",
    ),
    Refusal(
        codes=(),
        text=r"submission time|incorrect time format|提交时间",
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is too far from HTX's",
    ),
    Refusal(
        codes=("12001",),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is too far from HTX's",
    ),
    Refusal(
        codes=("12002", "12003"),
        reason=Reason.UNEXPECTED_ANSWER,
        say="HTX does not accept the signature's version or method",
    ),
    Refusal(codes=("12009",), reason=Reason.ACCOUNT_RESTRICTED, say="the account is locked"),
    Refusal(
        codes=("1220",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account has not opened contract trading",
    ),
    Refusal(
        codes=("rate-too-many-requests", "base-request-exceed-frequency-limit", "1006", "1032"),
        reason=Reason.RATE_LIMITED,
        say="too many requests",
    ),
    Refusal(
        codes=("maintain", "system-maintenance", "1431"),
        reason=Reason.MAINTENANCE,
        say="HTX is under maintenance",
    ),
    Refusal(codes=(), text="maintain|maintenance", reason=Reason.MAINTENANCE, say="HTX is under maintenance"),
    Refusal(
        codes=("500", "gateway-internal-error"),
        reason=Reason.SERVER_ERROR,
        say="HTX has a fault of its own",
    ),
    Refusal(
        codes=("1002",),
        text="forbidden",
        reason=Reason.MISSING_PERMISSION,
        say="HTX forbids this request to the key: it is a sub-user's, or lacks the permission",
    ),
    Refusal(
        codes=("2002",),
        reason=Reason.UNEXPECTED_ANSWER,
        say="HTX does not accept a parameter of the request",
    ),
    Refusal(
        codes=("api-signature-not-valid", "login-required", "1002", "1003", "401", "403"),
        reason=Reason.AMBIGUOUS,
        say="HTX does not accept the key, and does not say whether key, secret, address or permission "
        "is the reason",
    ),
)  # fmt: skip

_V1 = "https://huobiapi.github.io/docs/spot/v1/en/"

ADAPTER = Adapter(
    id="htx",
    title="HTX",
    host="https://api.huobi.pro",
    hosts=("api.hbdm.vn",),
    reads=(UID, INFO, SUB_USERS, BALANCE, ORDERS, FUTURES, FUTURES_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # 10 requests a second per key unless said otherwise; the user family has 20 in 2 s per UID.
    limits=(Limit(20, 2, Scope.UID, pool="user"), Limit(10, 1, Scope.KEY)),
    tests={"spot": (BALANCE, ORDERS), "futures": (FUTURES, FUTURES_ORDERS)},
    untold=UNTOLD,
    left_open=frozenset({WHY_OPTIONS}),
    tells_life=("key.state",),
    links=(
        "https://www.htx.com/en-us/opend/newApiPages/?id=7ec52c92-7773-11ed-9966-0242ac110003",
        _V1,
        "https://www.htx.com/en-us/apikey",
    ),
    lists=listing.of(UID, SUB_USERS, INFO, _listed),
    lapses=(
        Lapse(
            days=90,
            counts_from="use",
            any_of=("trade", "withdraw"),
            says="a key without an IP list that may trade or withdraw is deactivated after 90 idle "
            "days (older pages: 90 days after its creation); a scan may count as use",
            source="https://www.htx.com/en-us/apikey",
            certain=False,
        ),
    ),
    steps=(
        Step(
            reach="manage_keys",
            any_of=("trade",),
            master_only=True,
            says="Trade of a master account creates and locks sub-users, and changes and deletes "
            "their keys (POST /v2/sub-user/api-key-modification and -deletion); only creating a key "
            "asks for a second factor",
            source=_V1,
        ),
        Step(
            reach="ip_list",
            any_of=("trade",),
            master_only=True,
            says="POST /v2/sub-user/api-key-modification changes a sub-user key's IP list",
            source=_V1,
        ),
        Step(
            reach="transfer",
            any_of=("trade",),
            says="Trade includes every transfer, between master and sub-users too "
            "(POST /v1/subuser/transfer)",
            source=_V1,
        ),
    ),
    how_to=(
        "Account > API Management > Create API Key.",
        "Leave Read ticked and tick Trade: it covers spot, margin, futures and transfers alike.",
        "Leave Withdraw unticked.",
        (
            "Bind the server's IP addresses (at most 20 addresses or segments): a trading key "
            "without them is deactivated after 90 idle days."
        ),
        "For a bot, make the key on a sub-user's account: a master's Trade administers all sub-users.",
    ),
)
