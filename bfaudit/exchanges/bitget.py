"""Bitget: `GET /api/v3/account/info` tells a key of a unified account, `GET /api/v2/spot/account/info` a classic one.

https://www.bitget.com/api-doc/uta/account/Get-Account-Info, https://www.bitget.com/api-doc/spot/account/Get-Account-Info
"""

from bfaudit.exchanges.base import Adapter, Ask, Context, Limit, Read, Refusal, Replies, Scope, Step
from bfaudit.exchanges.listing import bitget as listing
from bfaudit.exchanges.values import bound_to, text_or_none, words
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

UNIFIED = Read(
    label="unified",
    path="GET /api/v3/account/info",
    call="privateUtaGetV3AccountInfo",
    pool="unified",
    expects=("data.permissions",),
)
CLASSIC = Read(
    label="classic",
    path="GET /api/v2/spot/account/info",
    call="privateSpotGetV2SpotAccountInfo",
    pool="classic",
    expects=("data.authorities",),
)
ASSETS = Read(
    label="balance",
    path="GET /api/v2/spot/account/assets",
    call="privateSpotGetV2SpotAccountAssets",
    pool="account",
    needs="Spot",
    expects=("data.[]",),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v2/spot/trade/unfilled-orders",
    call="privateSpotGetV2SpotTradeUnfilledOrders",
    params={"limit": 10},
    pool="orders",
    needs="Spot",
    expects=("data.[]",),
)
FUTURES = Read(
    label="futures",
    path="GET /api/v2/mix/account/accounts",
    call="privateMixGetV2MixAccountAccounts",
    params={"productType": "USDT-FUTURES"},
    pool="account",
    needs="Futures orders or Futures holdings",
    expects=("data.[]",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /api/v2/mix/order/orders-pending",
    call="privateMixGetV2MixOrderOrdersPending",
    params={"productType": "USDT-FUTURES", "limit": 10},
    pool="orders",
    needs="Futures orders",
    expects=("data",),
)

UNIFIED_ASSETS = Read(
    label="unified-balance",
    path="GET /api/v3/account/assets",
    call="privateUtaGetV3AccountAssets",
    pool="account",
    needs="UTA management or UTA trading",
    expects=("data.assets", "data.[]"),
)
UNIFIED_ORDERS = Read(
    label="unified-orders",
    path="GET /api/v3/trade/unfilled-orders",
    call="privateUtaGetV3TradeUnfilledOrders",
    params={"category": "SPOT", "limit": 10},
    pool="orders",
    needs="UTA trading",
    expects=("data.list",),
)
UNIFIED_FUTURES_ORDERS = Read(
    label="unified-futures-orders",
    path="GET /api/v3/trade/unfilled-orders",
    call="privateUtaGetV3TradeUnfilledOrders",
    params={"category": "USDT-FUTURES", "limit": 10},
    pool="orders",
    needs="UTA trading",
    expects=("data.list",),
)

# `wwow` is withdrawal, `wtow` only transfer. The words beside the codes are those of other endpoints and of older
# examples; where they appear, what is missing is not known to be denied.
TOKENS = {
    "trade": ("stow", "spot_trade", "trade"),
    "margin": ("smow", "margin_trade"),
    "futures": ("coow", "cpow", "contract_trade", "contract_order", "contract_position"),
    "transfer": ("wtow", "transfer", "wallet_transfer"),
    "withdraw": ("wwow", "withdraw", "wallet_withdraw"),
    "manage_keys": ("chow",),
}
READS = frozenset({"coor", "cpor", "stor", "smor", "ttor", "wtor", "taxr", "chor", "p2pr", "pllr"})
MARKETS = frozenset({"stor", "smor", "coor", "cpor", "wtor", "read", "readonly"})
OTHERS = frozenset({"ttow", "p2p", "pllw", "taxw"})
CODES = READS | OTHERS | {"stow", "smow", "coow", "cpow", "wtow", "wwow", "chow"}

READ_ONLY = frozenset({"read_only", "readonly"})
READ_WRITE = frozenset({"read_and_write", "read_write", "readwrite"})
BY_UTA_TRADE = ("trade", "margin", "futures")
UTA_KNOWN = frozenset({"uta_mgt", "uta_trade", "withdraw"})
UTA_COPIES = frozenset({"copy_futures_position", "copy_futures_order"})

# Where the key, the address or the way to Bitget is at fault, the other endpoint answers the same.
FINAL = (
    Reason.UNKNOWN_KEY,
    Reason.WRONG_SECRET,
    Reason.WRONG_PASSPHRASE,
    Reason.MALFORMED_SECRET,
    Reason.IP_NOT_ALLOWED,
    Reason.UNREACHABLE,
    Reason.TIMEOUT,
    Reason.RATE_LIMITED,
    Reason.BANNED,
    Reason.REGION_BLOCKED,
    Reason.CLOCK_SKEW,
)


async def fetch(ask: Ask) -> None:
    """Unified first, which asks for no permission; a classic account or key refuses it and is asked as classic."""
    unified = await ask(UNIFIED)
    if not unified.ok and not unified.refused(*FINAL):
        await ask(CLASSIC)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from whichever endpoint answered."""
    for read, permissions, account in (
        (UNIFIED, _unified_permissions, _unified_account),
        (CLASSIC, _classic_permissions, _classic_account),
    ):
        reply = replies.get(read.label)
        body = reply.body if reply is not None and reply.ok else None
        data = body.get("data") if isinstance(body, dict) else None
        if isinstance(data, dict):
            facts = FactsBuilder(read.path)
            facts.know("key.type", "hmac", limitation="seen from how its request was signed")
            permissions(facts, data)
            account(facts, data)
            _network(facts, data)
            break
    else:
        facts = FactsBuilder(UNIFIED.path)
    return facts.build(UNTOLD, "Bitget did not give the key's own record")


def _tokens(value: Json) -> frozenset[str] | None:
    found = words(value)
    return None if found is None else frozenset(token.lower().replace("-", "_") for token in found)


def _unified_permissions(facts: FactsBuilder, data: dict[str, Json]) -> None:
    told = data.get("permissions")
    tokens = _tokens(told) if isinstance(told, list) else None
    if not tokens:
        return
    kind = (text_or_none(data.get("permType")) or "").lower().replace("-", "_").replace(" ", "_")
    writes = True if kind in READ_WRITE else False if kind in READ_ONLY else None
    why = "Bitget's answer does not say in the documented form whether the key is read-only"
    reads = True if tokens & {"uta_mgt", "uta_trade"} else None
    facts.grant("read", reads, why_unknown=_WHY_READ)
    for word in BY_UTA_TRADE:
        granted = writes if "uta_trade" in tokens else False
        limitation = "comes with uta_trade, as far as the account may" if granted else None
        facts.grant(word, granted, why_unknown=why, limitation=limitation)
    facts.grant("options", granted=False, limitation="no permission of Bitget grants it")
    if writes is False:
        facts.grant("transfer", granted=False, limitation="the key is read-only")
    else:
        facts.unknown("permissions.transfer", _WHY_TRANSFER)
    _unified_withdraw(facts, tokens, writes)
    _unified_management(facts, tokens, writes, data, why)
    strange = tokens - UTA_KNOWN if writes is not False else frozenset()
    for token in sorted(strange):
        if "withdraw" not in token:
            facts.grant(f"other:{token}", writes, why_unknown=why)
    facts.doubt("Bitget", strange - UTA_COPIES, BY_UTA_TRADE)


def _unified_withdraw(facts: FactsBuilder, tokens: frozenset[str], writes: bool | None) -> None:
    """On presence, whatever `permType` says."""
    listed = any("withdraw" in token for token in tokens)
    limitation = None
    if listed and not writes:
        limitation = (
            "listed, though the key is not said to write; Bitget says it has no effect then"
        )
    facts.grant("withdraw", listed, limitation=limitation)


def _unified_management(
    facts: FactsBuilder,
    tokens: frozenset[str],
    writes: bool | None,
    data: dict[str, Json],
    why: str,
) -> None:
    """https://www.bitget.com/api-doc/uta/account/sub-account/SubAccount-API-Create: uta_mgt, main account only."""
    if "uta_mgt" not in tokens or writes is False:
        facts.grant("manage_keys", granted=False)
    elif _parent(data):
        limitation = "uta_mgt makes keys on a main account only"
        facts.grant("manage_keys", granted=False, limitation=limitation)
    else:
        facts.grant("manage_keys", writes, why_unknown=why, limitation="keys of sub-accounts")


def _unified_account(facts: FactsBuilder, data: dict[str, Json]) -> None:
    """`parentId` is empty but for a sub-account."""
    _uid(facts, data)
    parent = _parent(data)
    if parent or data.get("parentId") == "":
        facts.know("account_facts.is_master", parent is None)
        facts.know("account_facts.parent_uid", parent)


def _classic_permissions(facts: FactsBuilder, data: dict[str, Json]) -> None:
    tokens = _tokens(data.get("authorities"))
    if not tokens:
        return
    coded = tokens <= CODES
    writes = frozenset().union(*TOKENS.values())
    # https://www.bitget.com/api-doc: reads ask for "read or write permissions", so a write permission reads too.
    reading = MARKETS | writes - {"chow", "wwow", "withdraw", "wallet_withdraw"}
    facts.grant("read", True if tokens & reading else None, why_unknown=_WHY_READ)
    for word, names in TOKENS.items():
        listed = not tokens.isdisjoint(names)
        if word == "withdraw":
            listed = listed or any("withdraw" in token for token in tokens)
        granted = True if listed else False if coded else None
        facts.grant(word, granted, why_unknown=_WHY_WORDS)
    facts.grant("options", granted=False, limitation="no permission of Bitget grants it")
    for token in sorted(tokens - READS - MARKETS - writes):
        if "withdraw" not in token:
            facts.grant(f"other:{token}", granted=True)


_WHY_READ = "Bitget's answer names no permission that reads balances"
_WHY_TRANSFER = "Bitget documents no permission for transfers of a unified account"
_WHY_WORDS = "Bitget named permissions that its current documentation does not list"


def _classic_account(facts: FactsBuilder, data: dict[str, Json]) -> None:
    """`parentId` is the main account; what a main account itself shows there is not documented."""
    uid, parent = _uid(facts, data), _parent(data)
    if uid and parent:
        facts.know("account_facts.is_master", parent == uid)
        facts.know("account_facts.parent_uid", None if parent == uid else parent)
    else:
        why = "Bitget does not document what `parentId` says of a main account"
        facts.unknown("account_facts.is_master", why)
        facts.unknown("account_facts.parent_uid", why)


def _parent(data: dict[str, Json]) -> str | None:
    """The main account, where it is named: neither masked nor 0."""
    parent = (text_or_none(data.get("parentId")) or "").strip()
    return parent if parent not in ("", "0") and "*" not in parent else None


def _uid(facts: FactsBuilder, data: dict[str, Json]) -> str | None:
    uid = text_or_none(data.get("userId"))
    if uid is None or "*" in uid:
        return None
    facts.know("account_facts.uid", uid)
    return uid


def _network(facts: FactsBuilder, data: dict[str, Json]) -> None:
    """`ips` is text or a list; null may mean none, but no page says so."""
    listed = bound_to(data.get("ips"))
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)
    else:
        why = "Bitget's answer gives no IP list; whether that means that there is none is not documented"
        facts.unknown("network.ip_restricted", why)
        facts.unknown("network.ip_allowlist", why)


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A classic sub-account's key, as its main account sees it, in words instead of codes."""
    _classic_permissions(facts, {"authorities": row.get("permList")})
    _listed_addresses(facts, row.get("ipList"))
    if isinstance(row.get("label"), str):
        facts.know("key.label", text_or_none(row["label"]))


def _unified_listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A unified sub-account's key. What `ts` means is not documented."""
    _unified_permissions(
        facts,
        {
            "permissions": row.get("permissions"),
            "permType": row.get("type"),
            "parentId": "its main account",
        },
    )
    _listed_addresses(facts, row.get("ips"))
    if isinstance(row.get("note"), str):
        facts.know("key.label", text_or_none(row["note"]))


def _listed_addresses(facts: FactsBuilder, value: Json) -> None:
    listed = bound_to(value)
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"code": "00000", "data": ...}` is success; anything else has a code and `msg`."""
    if not isinstance(body, dict):
        return ("", "")
    code = str(body.get("code", ""))[:40]
    if code == "00000" and "data" in body:
        return None
    return code, str(body.get("msg") or "")[:500]


UNTOLD = {
    "key.label": "Bitget does not tell a key its own name",
    "key.created_at": "Bitget does not tell a key when it was created (regisTime is the account's)",
    "key.expires_at": "Bitget reports no expiry",
    "key.last_used_at": "Bitget does not report when a key was last used",
    "key.state": "Bitget reports no state of a key that works",
    "key.third_party": "Bitget does not report whether a key is bound to an application",
    "key.symbols": "Bitget does not report the symbols a key is limited to",
}

REFUSALS = (
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="Bitget is under maintenance"
    ),
    Refusal(
        codes=("40018",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("40006", "40037"), reason=Reason.UNKNOWN_KEY, say="no such key, or it was deleted"
    ),
    Refusal(codes=("40001",), reason=Reason.AMBIGUOUS, say="no key was sent"),
    Refusal(codes=("40009", "40010"), reason=Reason.WRONG_SECRET, say="the signature is not valid"),
    Refusal(codes=("40002", "40003"), reason=Reason.WRONG_SECRET, say="no signature was sent"),
    Refusal(
        codes=(),
        text="invalid sign",
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid",
    ),
    Refusal(
        codes=("40012",),
        reason=Reason.WRONG_PASSPHRASE,
        say="the passphrase is wrong, or does not belong to this key",
    ),
    Refusal(codes=("40011",), reason=Reason.WRONG_PASSPHRASE, say="no passphrase was sent"),
    Refusal(
        codes=("40004", "40005", "40008"),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is more than 30 s from Bitget's",
    ),
    Refusal(
        codes=("40014", "40301"),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("40016",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account must bind a phone or an authenticator first: two-factor sign-in is off",
    ),
    Refusal(
        codes=("40013",), reason=Reason.ACCOUNT_RESTRICTED, say="the user's status is abnormal"
    ),
    Refusal(codes=("40031",), reason=Reason.ACCOUNT_RESTRICTED, say="the account was cancelled"),
    Refusal(
        codes=("25245", "40084"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the request does not fit the account's mode, unified or classic",
    ),
    Refusal(
        codes=("40085",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account is unified, the request is for classic accounts; a key made before the "
        "account was unified must be made anew",
    ),
    Refusal(
        codes=("40099", "40068", "40034", "40029"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account lacks the product or feature",
    ),
    Refusal(codes=("429", "1001"), reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(codes=("40200", "40308"), reason=Reason.MAINTENANCE, say="Bitget is under maintenance"),
    Refusal(codes=("40015",), reason=Reason.SERVER_ERROR, say="Bitget has a fault of its own"),
)

_DOCS = "https://www.bitget.com/api-doc"

ADAPTER = Adapter(
    id="bitget",
    title="Bitget",
    host="https://api.bitget.com",
    credentials=("key", "secret", "passphrase"),
    reads=(
        UNIFIED,
        CLASSIC,
        ASSETS,
        ORDERS,
        FUTURES,
        FUTURES_ORDERS,
        UNIFIED_ASSETS,
        UNIFIED_ORDERS,
        UNIFIED_FUTURES_ORDERS,
    ),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Per UID and endpoint, and 6000 a minute per address: https://www.bitget.com/api-doc/common/intro
    limits=(
        Limit(5, 1, Scope.UID, pool="unified"),
        Limit(1, 1, Scope.UID, pool="classic"),
        Limit(10, 1, Scope.UID, pool="account"),
        Limit(10, 1, Scope.UID, pool="orders"),
        Limit(5, 1, Scope.UID, pool="sub-accounts"),
        Limit(6000, 60, Scope.IP, pool=None),
    ),
    # A unified account refuses the reads of a classic one with 40085; its own cover all markets.
    tests={
        "spot": (ASSETS, ORDERS),
        "futures": (FUTURES, FUTURES_ORDERS),
        "spot:unified": (UNIFIED_ASSETS, UNIFIED_ORDERS),
        "futures:unified": (UNIFIED_ASSETS, UNIFIED_FUTURES_ORDERS),
    },
    untold=UNTOLD,
    left_open=frozenset({_WHY_TRANSFER}),
    links=(
        f"{_DOCS}/uta/account/Get-Account-Info",
        f"{_DOCS}/spot/account/Get-Account-Info",
        f"{_DOCS}/common/intro",
    ),
    lists=listing.of(_listed, _unified_listed),
    steps=(
        Step(
            reach="ip_list",
            any_of=("manage_keys",),
            says="sub-account management changes the IP lists of sub-accounts' keys "
            "(POST /api/v3/user/update-sub-api, /api/v2/user/modify-virtual-subaccount-apikey)",
            source=f"{_DOCS}/uta/account/sub-account/SubAccount-API-Create",
        ),
        *(
            Step(
                reach=f"exit:{name}",
                any_of=(f"other:{token}",),
                says=f"the permission {token} {what}",
                source=f"{_DOCS}/spot/account/Get-Account-Info",
            )
            for name, token, what in (
                ("p2p", "p2p", "sells to other users"),
                ("loan", "pllw", "pledges funds for loans"),
                ("copy", "ttow", "follows other traders"),
                ("copy", "copy_futures_order", "follows other traders"),
            )
        ),
    ),
    how_to=(
        "Profile > API Keys > Create API key, System-generated.",
        "Choose a clear name and a passphrase of its own: it cannot be changed or shown again.",
        "Choose Read-write, and bind the server's addresses (up to 30).",
        "Classic account: tick Spot; tick Futures orders and Futures holdings only if needed.",
        "Unified account: tick UTA trading (it covers spot, margin and futures); leave UTA management unticked.",
        "Leave Transfer, Withdraw, Sub-account and P2P unticked.",
    ),
)
