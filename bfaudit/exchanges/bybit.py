"""Bybit v5: `GET /v5/user/query-api` tells all about the calling key; any key may call it.

https://bybit-exchange.github.io/docs/v5/user/apikey-info
"""

from collections.abc import Iterable
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
    Scope,
    Step,
)
from bfaudit.exchanges.listing import bybit as listing
from bfaudit.exchanges.values import any_of, bound_to, from_iso, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

INFO = Read(
    label="info",
    path="GET /v5/user/query-api",
    call="privateGetV5UserQueryApi",
    pool="user",
    expects=("result.permissions",),
)
BALANCE = Read(
    label="balance",
    path="GET /v5/account/wallet-balance",
    call="privateGetV5AccountWalletBalance",
    params={"accountType": "UNIFIED"},
    pool="account",
    needs="any trading permission",
    expects=("result.list",),
)
ORDERS = Read(
    label="orders",
    path="GET /v5/order/realtime",
    call="privateGetV5OrderRealtime",
    params={"category": "spot", "limit": 10},
    pool="order",
    needs="SpotTrade",
    expects=("result.list",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /v5/order/realtime",
    call="privateGetV5OrderRealtime",
    params={"category": "linear", "settleCoin": "USDT", "limit": 10},
    pool="order",
    needs="Order or DerivativesTrade",
    expects=("result.list",),
)

# A word is granted by any group with a permission in it; `Options` covers USDC perpetuals too.
GROUPS = {
    "trade": ("Spot",),
    "futures": ("ContractTrade", "Derivatives", "Options"),
    "options": ("Options",),
}
# These do not trade, transfer or withdraw, whatever the names of their permissions contain.
OTHERS = frozenset(
    {"Exchange", "Earn", "BlockTrade", "CopyTrading", "Affiliate", "NFT", "FiatP2P", "FiatBitPay", "FiatBybitPay",
     "FiatConvertBroker", "FiatGlobalPay", "BitCard", "ByXPost"}
)  # fmt: skip
# AccountTransfer, SubMemberTransfer, SubMemberTransferList and Withdraw: by what their names contain.
WALLET = {"transfer": "transfer", "withdraw": "withdraw"}
WHY_UNTOLD = "Bybit's answer does not say it in the documented form"
WHY_MARGIN = "Bybit has no permission for margin; SpotTrade covers it on unified accounts only"


async def fetch(ask: Ask) -> None:
    """One read tells everything."""
    await ask(INFO)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the key's own record."""
    facts = FactsBuilder(INFO.path)
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    data = body.get("result") if isinstance(body, dict) else None
    if isinstance(data, dict):
        facts.shared(_permissions, {name: data[name] for name in DECIDING if name in data})
        facts.shared(_network, data.get("ips"))
        _lifetime(facts, data, context)
        _identity(facts, data, context)
    return facts.build(UNTOLD, "Bybit did not give the key's own record")


DECIDING = ("permissions", "readOnly", "uta")
"""What the permissions of a key rest on."""


def _permissions(facts: FactsBuilder, data: dict[str, Json]) -> None:
    groups = data.get("permissions")
    if not isinstance(groups, dict) or not groups:
        return
    facts.grant("read", granted=True, limitation="every key that Bybit accepts may read")
    # Permissions stay listed on a read-only key: https://bybit-exchange.github.io/docs/v5/user/apikey-info
    writes = {0: True, 1: False}.get(data["readOnly"]) if _is_flag(data.get("readOnly")) else None
    for word, names in GROUPS.items():
        listed = any_of(_any_listed(groups.get(name)) for name in names)
        _grant(facts, word, writes, listed)
    for word, part in WALLET.items():
        _grant(facts, word, writes, _any_listed(groups.get("Wallet"), part))
    _margin(facts, data, writes, _any_listed(groups.get("Spot")))
    facts.grant(
        "manage_keys", granted=False, limitation="no permission of Bybit grants it by itself"
    )
    if writes is not False:
        _others(facts, groups, writes)


def _is_flag(value: Json) -> bool:
    return isinstance(value, int) and value in (0, 1)


def _any_listed(value: Json, part: str = "") -> bool | None:
    """Whether a group lists a permission (with `part` in its name); None where it is no list of names."""
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        return None
    return any(part in name.lower() for name in value)


def _grant(facts: FactsBuilder, word: str, writes: bool | None, listed: bool | None) -> None:
    """Granted where the key writes and the permission is listed; Kleene's and."""
    if writes is False:
        facts.grant(word, granted=False, limitation="the key is read-only")
    elif listed is False:
        facts.grant(word, granted=False)
    else:
        facts.grant(word, True if writes and listed else None, why_unknown=WHY_UNTOLD)


def _margin(
    facts: FactsBuilder, data: dict[str, Json], writes: bool | None, spot: bool | None
) -> None:
    """Bybit has no permission of its own for margin: on a unified account SpotTrade covers it."""
    if writes and spot and data.get("uta") == 1:
        limitation = "comes with SpotTrade on a unified account, where the account has margin on"
        facts.grant("margin", granted=True, limitation=limitation)
    elif writes and spot:
        facts.unknown("permissions.margin", WHY_MARGIN)
    else:
        _grant(facts, "margin", writes, spot)


def _others(facts: FactsBuilder, groups: dict[str, Json], writes: bool | None) -> None:
    """Everything else by Bybit's own name of the group: new groups appear every few months."""
    ours = {"Wallet"}.union(*GROUPS.values())
    for name in sorted(set(groups) - ours):
        listed = _any_listed(groups[name])
        if listed is not False:
            granted = True if writes and listed else None
            facts.grant(f"other:{name[:64]}", granted, why_unknown=WHY_UNTOLD)
            facts.doubt("Bybit", _spoken(name, groups[name]))
    wallet = groups.get("Wallet")
    for name in wallet if isinstance(wallet, list) else ():
        if isinstance(name, str) and not any(part in name.lower() for part in WALLET.values()):
            granted = True if writes else None
            facts.grant(f"other:Wallet.{name[:64]}", granted, why_unknown=WHY_UNTOLD)


def _spoken(group: str, listed: Json) -> Iterable[str]:
    """What a group speaks of: its name and its permissions', of a documented one what withdraws only."""
    if _any_listed(listed) is None:
        return [group, f"{group[:32]}, which is no list: Withdraw?"]
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    if group in OTHERS:
        return [name for name in names if "withdraw" in name.lower()]
    return [group, *names]


def _network(facts: FactsBuilder, told: Json) -> None:
    """A key that is bound to nothing shows `["*"]` or an empty list."""
    listed = bound_to(told)
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)


def _lifetime(facts: FactsBuilder, data: dict[str, Json], context: Context) -> None:
    """A key without an end says so twice: by a day in 1970, and by -2 days."""
    created, expires = from_iso(data.get("createdAt")), from_iso(data.get("expiredAt"))
    if created and created.year > 1970:
        facts.know("key.created_at", created)
    days, limitation = data.get("deadlineDay"), None
    if not isinstance(days, int) or isinstance(days, bool):
        days = None
    if expires and expires.year == 1970:
        if days == -2:
            facts.know("key.expires_at", None)
            return
        expires = None
    if expires is None and days is not None and 0 <= days < 9999:
        expires = context.now.replace(microsecond=0) + timedelta(days=days)
        limitation = "told in whole days: right to a day"
    if expires is None:
        facts.unknown("key.expires_at", "Bybit's answer does not say when the key expires")
        return
    if expires <= context.now:
        limitation = "Bybit gives a past day for a key that it still accepts"
    elif bound_to(data.get("ips")) != ():
        limitation = "for a key with an IP list, of meaning only after a change of the password"
    facts.know("key.expires_at", expires, limitation=limitation)


def _identity(facts: FactsBuilder, data: dict[str, Json], context: Context) -> None:
    if isinstance(data.get("note"), str):
        facts.know("key.label", text_or_none(data["note"]))
    if data.get("rsaPublicKey") == "":
        facts.know("key.type", "hmac")
    elif isinstance(data.get("rsaPublicKey"), str):
        facts.know("key.type", "rsa")
    elif context.secret_kind:
        facts.know("key.type", context.secret_kind, limitation="seen from the form of the secret")
    kind = data.get("type")
    if isinstance(kind, int) and kind in (1, 2) and kind is not True:
        application = "a third-party application"
        facts.know("key.third_party", None if kind == 1 else application,
                   limitation=None if kind == 1 else "Bybit does not name it")  # fmt: skip
    uid = _uid(data.get("userID")) or _uid(data.get("userIDInt64"))
    if uid:
        facts.know("account_facts.uid", uid)
    master, parent = data.get("isMaster"), _uid(data.get("parentUid"))
    if isinstance(master, bool):
        facts.know("account_facts.is_master", master)
        if master or parent:
            facts.know("account_facts.parent_uid", None if master else parent)


def _uid(value: Json) -> str | None:
    """An account number; 0 stands for none."""
    text = text_or_none(value)
    return None if text == "0" else text


STATES = {1: "active", 2: "expired", 3: "active", 4: "active"}
PERMANENT = 1


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A sub-account's key, as its master account sees it: `readOnly` is a boolean here, and `status` tells its life."""
    facts.shared(_permissions, {name: row[name] for name in DECIDING if name in row})
    facts.shared(_network, row.get("ips"))
    if isinstance(row.get("note"), str):
        facts.know("key.label", text_or_none(row["note"]))
    created, expires = from_iso(row.get("createdAt")), from_iso(row.get("expiredAt"))
    if created and created.year > 1970:
        facts.know("key.created_at", created)
    status = row.get("status")
    state = STATES.get(status) if isinstance(status, int) and status is not True else None
    if state:
        facts.know("key.state", state)
    if state and (status == PERMANENT or row.get("deadlineDay") == -2):
        facts.know("key.expires_at", None)
    elif state and expires and expires.year > 1970:
        facts.know("key.expires_at", expires)
    if row.get("flag") in ("hmac", "rsa"):
        facts.know("key.type", row["flag"])
    if row.get("type") == 1 and row["type"] is not True:
        facts.know("key.third_party", None)


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"retCode": 0, "result": ...}` is success; older endpoints spell `ret_code` and `ret_msg`."""
    if not isinstance(body, dict):
        return ("", "")
    code = str(body.get("retCode", body.get("ret_code", "")))[:40]
    if code == "0" and "result" in body:
        return None
    return code, str(body.get("retMsg") or body.get("ret_msg") or "")[:500]


UNTOLD = {
    "key.last_used_at": "Bybit does not report when a key was last used",
    "key.state": "Bybit reports no state of a key that works",
    "key.symbols": "Bybit does not report the symbols a key is limited to",
}

REFUSALS = (
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="Bybit is under maintenance"
    ),
    Refusal(
        codes=("10010",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list (a key of Bybit EU made for an "
        "application works from that application's servers only)",
    ),
    Refusal(
        codes=("10003",),
        reason=Reason.UNKNOWN_HERE,
        say="no such key, it was deleted or has expired, or it belongs to another Bybit site or testnet",
    ),
    Refusal(codes=("10004",), reason=Reason.WRONG_SECRET, say="the signature is not valid"),
    Refusal(codes=("33004",), reason=Reason.EXPIRED, say="the key has expired"),
    Refusal(codes=("-2015",), text="expired", reason=Reason.EXPIRED, say="the key has expired"),
    Refusal(
        codes=("-2015",),
        reason=Reason.AMBIGUOUS,
        say="the key is not valid, or this host's address is not on its IP list, or a permission is "
        "missing: Bybit does not tell which",
    ),
    Refusal(codes=("10007",), reason=Reason.AMBIGUOUS, say="Bybit does not accept the key"),
    Refusal(
        codes=("10005",),
        text="invalid api.?key",
        reason=Reason.AMBIGUOUS,
        say="the key is not valid, or this host's address is not on its IP list, or a permission is "
        "missing: Bybit does not tell which",
    ),
    Refusal(
        codes=("10005",),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("141019", "141020", "81007"),
        reason=Reason.MISSING_PERMISSION,
        say="Bybit allows this on its web page only",
    ),
    Refusal(codes=("10008",), reason=Reason.ACCOUNT_RESTRICTED, say="the user is banned"),
    Refusal(
        codes=("10027",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="trading is banned for this account",
    ),
    Refusal(
        codes=("20096",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account must be verified first (KYC)",
    ),
    Refusal(
        codes=("10028", "100028"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the request does not fit the account's kind, unified or classic",
    ),
    Refusal(
        codes=("10009",),
        reason=Reason.BANNED,
        say="this host's address is banned, for too many requests or for its region",
    ),
    Refusal(
        codes=("10024",),
        reason=Reason.REGION_BLOCKED,
        say="Bybit's compliance rules exclude this account or region",
    ),
    Refusal(
        codes=("10002", "-1"),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is outside Bybit's window",
    ),
    Refusal(
        codes=(),
        http=403,
        text="too frequent",
        reason=Reason.BANNED,
        say="this host's address is banned for some minutes: more than 600 requests in 5 s",
    ),
    Refusal(codes=("10006", "10018", "429"), reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(
        codes=("10016", "10000"), reason=Reason.SERVER_ERROR, say="Bybit has a fault of its own"
    ),
)

_DOCS = "https://bybit-exchange.github.io/docs/v5"

ADAPTER = Adapter(
    id="bybit",
    realms={"bybiteu": "https://api.bybit.eu", "bybitid": "https://api.bybit.id"},
    title="Bybit",
    host="https://api.bybit.com",
    reads=(INFO, BALANCE, ORDERS, FUTURES_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # https://bybit-exchange.github.io/docs/v5/rate-limit: per UID and endpoint, and 600 in 5 s per address
    limits=(
        Limit(10, 1, Scope.UID, pool="user"),
        Limit(10, 1, Scope.UID, pool="account"),
        Limit(10, 1, Scope.UID, pool="order"),
        Limit(5, 1, Scope.UID, pool="sub-accounts"),
        Limit(10, 1, Scope.UID, pool="sub-keys"),
        Limit(600, 5, Scope.IP, pool=None),
    ),
    tests={"spot": (BALANCE, ORDERS), "futures": (BALANCE, FUTURES_ORDERS)},
    untold=UNTOLD,
    left_open=frozenset({WHY_MARGIN}),
    links=(f"{_DOCS}/user/apikey-info", f"{_DOCS}/error", f"{_DOCS}/rate-limit"),
    lists=listing.of(_listed),
    lapses=(
        Lapse(
            days=90,
            counts_from="created",
            says="a key without an IP list is valid for 90 days, and for 7 days only after the account's "
            "password was changed; confirming it on the web page moves the end",
            source=f"{_DOCS}/user/create-subuid-apikey",
        ),
    ),
    steps=(
        Step(
            reach="manage_keys",
            any_of=("transfer", "withdraw"),
            master_only=True,
            says="any Wallet permission of a master account creates and changes sub-account keys "
            "(POST /v5/user/create-sub-api, update-sub-api) and the key's own permissions (update-api)",
            source=f"{_DOCS}/user/modify-master-apikey",
        ),
        Step(
            reach="manage_keys",
            any_of=("transfer",),
            sub_only=True,
            says="a transfer permission of a sub-account's key changes the key's own permissions "
            "(POST /v5/user/update-sub-api)",
            source=f"{_DOCS}/user/modify-sub-apikey",
        ),
        Step(
            reach="ip_list",
            any_of=("transfer",),
            sub_only=True,
            says="a transfer permission of a sub-account's key changes the key's own IP list "
            "(POST /v5/user/update-sub-api)",
            source=f"{_DOCS}/user/modify-sub-apikey",
        ),
        Step(
            reach="ip_list",
            any_of=("transfer", "withdraw"),
            master_only=True,
            says="any Wallet permission of a master account changes sub-account keys' IP lists "
            "(POST /v5/user/update-sub-api)",
            source=f"{_DOCS}/user/modify-sub-apikey",
        ),
        *(
            Step(
                reach=f"exit:{name}",
                any_of=(f"other:{group}",),
                says=f"the permission group {group} moves value: {what}",
                source=f"{_DOCS}/user/apikey-info",
            )
            for name, group, what in (
                ("p2p", "FiatP2P", "sells to other users"),
                ("pay", "FiatBitPay", "Bybit Pay payments"),
                ("pay", "FiatBybitPay", "Bybit Pay payments"),
                ("pay", "FiatGlobalPay", "payments"),
                ("fiat", "FiatConvertBroker", "converts to fiat"),
                ("card", "BitCard", "the Bybit card"),
                ("convert", "Exchange", "converts coins"),
                ("earn", "Earn", "locks funds into products"),
                ("block", "BlockTrade", "trades off the book with a chosen partner"),
            )
        ),
    ),
    how_to=(
        "Account > API > Create New Key > System-generated API Keys; API Transaction.",
        "Choose Read-Write, and a clear name.",
        (
            "Choose Only IPs with permissions granted are allowed, and enter the server's addresses: "
            "a key without them ends after 90 days."
        ),
        "Unified Trading: tick SPOT Trade; tick Contract Orders and Positions only if the strategy needs futures.",
        "Leave Assets (Account Transfer, Subaccount Transfer, Withdrawal), Earn, Convert, P2P and Pay unticked.",
    ),
)  # fmt: skip
