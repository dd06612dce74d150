"""KuCoin: `GET /api/v1/user/api-key` tells all about the calling key.

https://www.kucoin.com/docs-new/rest/account-info/account-funding/get-apikey-info (api-3470130)
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
from bfaudit.exchanges.listing import kucoin as listing
from bfaudit.exchanges.values import bound_to, from_milliseconds, text_or_none, words
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

INFO = Read(
    label="info",
    path="GET /api/v1/user/api-key",
    call="privateGetUserApiKey",
    weight=20,
    pool="management",
    needs="General",
    expects=("data.permission",),
)
ACCOUNTS = Read(
    label="balance",
    path="GET /api/v1/accounts",
    call="privateGetAccounts",
    weight=5,
    pool="management",
    needs="General",
    expects=("data",),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v1/orders",
    call="privateGetOrders",
    params={"status": "active", "pageSize": 10},
    weight=2,
    pool="spot",
    needs="General",
    expects=("data",),
)
FUTURES = Read(
    label="futures",
    path="GET /api/v1/account-overview",
    call="futuresPrivateGetAccountOverview",
    params={"currency": "USDT"},
    weight=5,
    pool="futures",
    needs="Futures",
    expects=("data",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /api/v1/orders",
    call="futuresPrivateGetOrders",
    params={"status": "active", "pageSize": 10},
    weight=2,
    pool="futures",
    needs="Futures",
    expects=("data",),
)

# The payload's `Transfer` is what the web page calls Withdrawal; `InnerTransfer` moves between own accounts.
TOKENS = {
    "read": ("general",),
    "trade": ("spot", "trade", "unified"),
    "margin": ("margin", "unified"),
    "futures": ("futures", "unified"),
    "transfer": ("innertransfer", "flextransfers"),
    "withdraw": ("transfer", "withdrawal", "withdraw"),
}
KNOWN = frozenset().union(*TOKENS.values())
EARN = "Earn"


async def fetch(ask: Ask) -> None:
    """One read tells everything; any key may call it that has General."""
    await ask(INFO)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the key's own record."""
    facts = FactsBuilder(INFO.path)
    facts.know("key.type", "hmac", limitation="KuCoin has no other kind")
    info = replies.get("info")
    data = info.body.get("data") if info is not None and info.ok else None
    if isinstance(data, dict):
        facts.shared(_permissions, data.get("permission"))
        facts.shared(_network, data.get("ipWhitelist"))
        _identity(facts, data)
        created = from_milliseconds(data.get("createdAt"))
        if created:
            facts.know("key.created_at", created)
        _expiry(facts, data)
    elif info is not None and info.refused(Reason.MISSING_PERMISSION):
        facts.grant("read", granted=False)
    return facts.build(UNTOLD, "KuCoin did not give the key's own record")


def _permissions(facts: FactsBuilder, told: Json) -> None:
    tokens = words(told) if isinstance(told, str) else None
    if not tokens:
        return
    named = {token.lower() for token in tokens}
    strange = named.isdisjoint(KNOWN)
    for word, names in TOKENS.items():
        granted = None if strange else not named.isdisjoint(names)
        facts.grant(word, granted, why_unknown="KuCoin names no permission that it documents")
    facts.grant("options", granted=False, limitation="no token of KuCoin grants it")
    # No token stands for it: creating sub-account keys comes with General on a master account, which `reach` tells.
    facts.grant("manage_keys", granted=False, limitation="no token of KuCoin grants it by itself")
    for token in sorted(tokens):
        if token.lower() not in KNOWN:
            name = EARN if token.lower() == EARN.lower() else token
            facts.grant(f"other:{name}", granted=True)
    facts.doubt("KuCoin", named - KNOWN, ("transfer", "withdraw"))


def _network(facts: FactsBuilder, told: Json) -> None:
    listed = bound_to("" if told is None else told)  # left out where there is none
    if listed is not None:
        masked = any("*" in entry for entry in listed)
        facts.know("network.ip_restricted", bool(listed))
        facts.know(
            "network.ip_allowlist",
            listed,
            limitation="KuCoin masks parts of the addresses" if masked else None,
        )


def _identity(facts: FactsBuilder, data: dict[str, Json]) -> None:
    if "remark" in data:
        facts.text("key.label", data["remark"])
    uid = text_or_none(data.get("uid"))
    if uid:
        facts.know("account_facts.uid", uid)
    master = data.get("isMaster")
    if isinstance(master, bool):
        facts.know("account_facts.is_master", master)
        parent = text_or_none(data.get("parentUid"))
        if parent not in (None, "0") and not master:
            facts.know("account_facts.parent_uid", parent)
        elif master:
            facts.know("account_facts.parent_uid", None)
    if isinstance(data.get("thirdPartyApp"), str):
        facts.text("key.third_party", data["thirdPartyApp"])


def _expiry(facts: FactsBuilder, data: dict[str, Json]) -> None:
    """`expiredAt` came with the API revision of November 2025: milliseconds, null for never."""
    if "expiredAt" not in data:
        facts.unknown("key.expires_at", "KuCoin's answer does not say when the key expires")
    elif data["expiredAt"] is None:
        facts.know("key.expires_at", None)
    else:
        expires = from_milliseconds(data["expiredAt"])
        if expires:
            facts.know("key.expires_at", expires)


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A sub-account's key, as its master account sees it."""
    facts.shared(_permissions, row.get("permission"))
    facts.shared(_network, row.get("ipWhitelist"))
    if "remark" in row:
        facts.text("key.label", row["remark"])
    created = from_milliseconds(row.get("createdAt"))
    if created:
        facts.know("key.created_at", created)


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"code": "200000", "data": ...}` is success; anything else has a code and `msg`."""
    if not isinstance(body, dict):
        return ("", "")
    code = str(body.get("code", ""))[:40]
    if code == "200000" and "data" in body:
        return None
    return code, str(body.get("msg") or "")[:500]


UNTOLD = {
    "key.last_used_at": "KuCoin does not report when a key was last used",
    "key.third_party": "KuCoin's answer does not say whether the key is bound to an application",
    "key.symbols": "KuCoin does not report the symbols a key is limited to",
    "account_facts.parent_uid": "KuCoin's answer does not name the master account",
}

REFUSALS = (
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="KuCoin is under maintenance"
    ),
    Refusal(
        codes=("400006",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("400007",),
        text="version",
        reason=Reason.UNEXPECTED_ANSWER,
        say="KuCoin does not accept the version of the key's signature",
    ),
    Refusal(
        codes=("400007",),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("400003",),
        reason=Reason.UNKNOWN_HERE,
        say="no such key, it was deleted, or it belongs to another KuCoin site (global, EU, TR, AU, TH)",
    ),
    Refusal(codes=("400001",), reason=Reason.AMBIGUOUS, say="no key was sent"),
    Refusal(
        codes=("400004",),
        reason=Reason.WRONG_PASSPHRASE,
        say="the passphrase is wrong (or the secret, which encrypts it)",
    ),
    Refusal(codes=("400005",), reason=Reason.WRONG_SECRET, say="the signature is not valid"),
    Refusal(
        codes=("400002",),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is more than 5 s from KuCoin's",
    ),
    Refusal(codes=("411100",), reason=Reason.ACCOUNT_RESTRICTED, say="the account is frozen"),
    Refusal(
        codes=("400700", "400200"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="trading is forbidden for this account",
    ),
    Refusal(
        codes=("400500",),
        reason=Reason.REGION_BLOCKED,
        say="KuCoin does not serve this account's or host's region",
    ),
    Refusal(
        codes=("429000", "200002", "1015"), reason=Reason.RATE_LIMITED, say="too many requests"
    ),
    Refusal(codes=("500000",), reason=Reason.SERVER_ERROR, say="KuCoin has a fault of its own"),
)

ADAPTER = Adapter(
    id="kucoin",
    title="KuCoin",
    host="https://api.kucoin.com",
    hosts=("api-futures.kucoin.com",),
    credentials=("key", "secret", "passphrase"),
    reads=(INFO, ACCOUNTS, ORDERS, FUTURES, FUTURES_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Pools per UID: https://www.kucoin.com/docs-new/rate-limit; about 500 requests in 10 s per IP at the edge.
    limits=(
        Limit(2000, 30, Scope.UID, pool="management"),
        Limit(4000, 30, Scope.UID, pool="spot"),
        Limit(2000, 30, Scope.UID, pool="futures"),
        Limit(500, 10, Scope.IP, pool=None),
    ),
    tests={"spot": (ACCOUNTS, ORDERS), "futures": (FUTURES, FUTURES_ORDERS)},
    untold=UNTOLD,
    links=(
        "https://www.kucoin.com/docs-new/rest/account-info/account-funding/get-apikey-info",
        "https://www.kucoin.com/docs-new/authentication",
        "https://www.kucoin.com/support/360015102174",
    ),
    lists=listing.of(_listed),
    lapses=(
        Lapse(
            days=30,
            counts_from="use",
            any_of=("trade", "margin", "futures"),
            says="a trading key without an IP list is deleted, or loses trading, after 30 idle days",
            source="https://www.kucoin.com/support/360015102174",
        ),
    ),
    steps=(
        Step(
            reach="manage_keys",
            any_of=("read",),
            master_only=True,
            says="General of a master account creates, changes and deletes sub-account keys "
            "(POST and DELETE /api/v1/sub/api-key)",
            source="https://www.kucoin.com/docs-new/rest/account-info/sub-account/add-subaccount-api",
        ),
        Step(
            reach="ip_list",
            any_of=("read",),
            master_only=True,
            says="POST /api/v1/sub/api-key/update changes a sub-account key's IP list",
            source="https://www.kucoin.com/docs-new/rest/account-info/sub-account/modify-subaccount-api",
        ),
        Step(
            reach="transfer",
            any_of=("trade", "futures"),
            says="Spot and Futures move funds between own accounts and sub-accounts "
            "(POST /api/v2/accounts/sub-transfer, inner-transfer, /api/v3/transfer-out)",
            source="https://github.com/Kucoin/kucoin-universal-sdk",
        ),
        Step(
            reach="exit:earn",
            any_of=(f"other:{EARN}",),
            says="Earn locks funds into products",
            source="https://www.kucoin.com/docs-new/rest/earn",
        ),
    ),
    how_to=(
        "Account > API Management > Create API, API trading.",
        "Choose a clear name and a passphrase of its own; keep the passphrase: it is never shown again.",
        "Tick General and Spot Trading; tick Futures Trading only if the strategy trades futures.",
        "Leave Withdrawal and FlexTransfers unticked.",
        (
            "Choose Restricted to trusted IPs and enter the server's addresses: an unrestricted "
            "trading key ends after 30 idle days."
        ),
    ),
)
