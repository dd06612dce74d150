"""Gate: `GET /account/main_keys` lists the account's keys with their permissions, `GET /account/detail` tells the caller's.

https://www.gate.com/docs/developers/apiv4/en/#query-all-main-account-key-information
"""

from collections.abc import Mapping

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
from bfaudit.exchanges.listing import gate as listing
from bfaudit.exchanges.values import any_of, bound_to, from_seconds, own_entry, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source


def _probe(label: str, path: str, call: str, expects: str, group: str, **params: str) -> Read:
    return Read(
        label=label, path=f"GET /api/v4{path}", call=call, params=params, pool=label, needs=group, expects=(expects,)
    )  # fmt: skip


KEYS = Read(
    label="keys",
    path="GET /api/v4/account/main_keys",
    call="privateAccountGetMainKeys",
    pool="keys",
    needs="account",
    expects=("[]", "perms"),
)
DETAIL = Read(
    label="detail",
    path="GET /api/v4/account/detail",
    call="privateAccountGetDetail",
    pool="detail",
    needs="account",
    expects=("user_id",),
)
SUBS = _probe(
    "sub_accounts", "/sub_accounts", "privateSubAccountsGetSubAccounts", "[]", "sub_accounts"
)
SPOT = _probe("spot", "/spot/accounts", "privateSpotGetAccounts", "[]", "spot")
FUTURES = _probe(
    "futures", "/futures/usdt/accounts", "privateFuturesGetSettleAccounts", "total", "futures", settle="usdt"
)  # fmt: skip
# Each answers for its permission group: data, or a refusal that says which group is missing.
PROBES = (
    SPOT,
    FUTURES,
    _probe("delivery", "/delivery/usdt/accounts", "privateDeliveryGetSettleAccounts", "total", "delivery", settle="usdt"),
    _probe("options", "/options/accounts", "privateOptionsGetAccounts", "user", "options"),
    _probe("unified", "/unified/accounts", "privateUnifiedGetAccounts", "user_id", "unified"),
    _probe("wallet", "/wallet/total_balance", "privateWalletGetTotalBalance", "total", "wallet"),
    SUBS,
)  # fmt: skip
ORDERS = Read(
    label="orders",
    path="GET /api/v4/spot/open_orders",
    call="privateSpotGetOpenOrders",
    params={"limit": 10},
    pool="spot",
    needs="spot",
    expects=("[]",),
)
FUTURES_ORDERS = Read(
    label="futures-orders",
    path="GET /api/v4/futures/usdt/orders",
    call="privateFuturesGetSettleOrders",
    params={"settle": "usdt", "status": "open", "limit": 10},
    pool="futures",
    needs="futures",
    expects=("[]",),
)

# Which groups grant a word when they are not read-only. `spot` is spot and margin in one.
GROUPS = {
    "trade": ("spot",),
    "margin": ("spot", "margin", "unified"),
    "futures": ("futures", "delivery"),
    "options": ("options",),
    "transfer": ("wallet",),
}
DOCUMENTED = frozenset(
    {"wallet", "spot", "futures", "delivery", "earn", "custody", "options", "account", "loan", "margin", "unified",
     "copy", "pilot", "otc", "alpha", "crossx", "sub_accounts", "quant"}
)  # fmt: skip
BALANCES = frozenset({"spot", "margin", "unified", "futures", "delivery", "options", "wallet"})
# The pages do not agree on which of 2 and 3 is locked and which frozen.
STATES = {"1": "active", "2": "disabled", "3": "disabled"}
WHY_WITHDRAW = (
    "Gate's list of a key's permissions has no name for withdrawal, so its absence proves nothing"
)
WHY_FORM = "Gate's answer does not say in the documented form whether the group is read-only"
WHY_NO_MATCH = "Gate's list of keys, which masks them, does not show exactly one that is this key"
WHY_WRITE = "the key has the group, but whether more than reading could not be told without writing"

# Where the key, the address or the way to Gate is at fault, every endpoint answers the same.
FINAL = (
    Reason.UNKNOWN_HERE,
    Reason.WRONG_SECRET,
    Reason.MALFORMED_SECRET,
    Reason.IP_NOT_ALLOWED,
    Reason.ACCOUNT_RESTRICTED,
    Reason.UNREACHABLE,
    Reason.TIMEOUT,
    Reason.RATE_LIMITED,
    Reason.BANNED,
    Reason.REGION_BLOCKED,
    Reason.CLOCK_SKEW,
)


async def fetch(ask: Ask) -> None:
    """The list of keys first, whose `last_access` our own requests move; without `account`, one read per group."""
    keys = await ask(KEYS)
    detail = None
    if not keys.refused(Reason.MISSING_PERMISSION, *FINAL):
        detail = await ask(DETAIL)
    if keys.ok:
        # `sub_accounts` is not among the documented names of groups; its own endpoint tells.
        await ask(SUBS)
    elif keys.refused(Reason.MISSING_PERMISSION) or (detail and detail.ok):
        for read in PROBES:
            await ask(read)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the list's one entry for this key; without it, from what the groups' own endpoints answer."""
    facts = FactsBuilder(KEYS.path)
    if any(reply.ok for reply in replies.values()):
        facts.know("key.type", "hmac", limitation="seen from how its request was signed")
    entry, detail = _own(replies, context), _body(replies.get("detail"))
    if entry is not None:
        _permissions(facts, entry, replies)
        _lifetime(facts, entry)
    elif "keys" in replies and replies["keys"].ok:
        for word in (*GROUPS, "read", "withdraw", "manage_keys"):
            facts.unknown(f"permissions.{word}", WHY_NO_MATCH)
    elif any(read.label in replies for read in PROBES):
        _probed(facts, replies)
    _network(facts, detail, entry)
    _account(facts, detail, entry, replies)
    return facts.build(UNTOLD, "Gate did not give the key's own record")


def _body(reply: Reply | None) -> dict[str, Json]:
    body = reply.body if reply is not None and reply.ok else None
    return body if isinstance(body, dict) else {}


def _own(replies: Replies, context: Context) -> dict[str, Json] | None:
    """The one entry whose masked key is this key; None where none or several are."""
    reply = replies.get("keys")
    body = reply.body if reply is not None and reply.ok else None
    return own_entry(body if isinstance(body, list) else [body], "key", context.own_key)


def _groups(value: Json) -> dict[str, bool | None] | None:
    """Whether each listed group may write; None where the list has not the documented form."""
    if not isinstance(value, list) or not value:
        return None
    found: dict[str, bool | None] = {}
    for item in value:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or not name:
            return None
        only = item.get("read_only")
        writes = not only if isinstance(only, bool) else None
        name = name.strip().lower()[:64]
        found[name] = any_of([found.get(name, False), writes])
    return found


def _permissions(facts: FactsBuilder, entry: dict[str, Json], replies: Replies) -> None:
    groups = _groups(entry.get("perms"))
    if groups is None:
        return
    if BALANCES.intersection(groups):
        facts.grant("read", granted=True)
    for word, names in GROUPS.items():
        facts.grant(word, any_of(groups.get(name, False) for name in names), why_unknown=WHY_FORM)
    exits = [name for name in groups if "withdraw" in name]
    if exits:
        facts.grant("withdraw", any_of(groups[name] for name in exits), why_unknown=WHY_FORM)
    else:
        facts.unknown("permissions.withdraw", WHY_WITHDRAW)
    if "sub_accounts" in groups:
        facts.grant("manage_keys", groups["sub_accounts"], why_unknown=WHY_FORM)
    else:
        _by_probe(facts, "manage_keys", ("sub_accounts",), replies)
    for name in sorted(set(groups) - {"account", "sub_accounts"}.union(exits, *GROUPS.values())):
        if groups[name] is not False:
            facts.grant(f"other:{name}", groups[name], why_unknown=WHY_FORM)
    strange = {name for name in groups if groups[name] is not False} - DOCUMENTED
    facts.doubt("Gate", strange, ("trade", "margin"))


def _probed(facts: FactsBuilder, replies: Replies) -> None:
    """What may be read tells which groups are there, and so what a key without them cannot do."""
    for read in PROBES:
        if read is not SUBS and _present(replies.get(read.label)):
            facts.grant("read", granted=True, request=read.path, source=Source.PROBE)
            break
    for word, names in GROUPS.items():
        _by_probe(facts, word, names, replies)
    _by_probe(facts, "manage_keys", ("sub_accounts",), replies)
    facts.unknown("permissions.withdraw", WHY_WITHDRAW)


def _by_probe(facts: FactsBuilder, word: str, names: tuple[str, ...], replies: Replies) -> None:
    """Denied where every group that grants it is missing; a group that is there may be read-only."""
    seen = {name: _present(replies.get(name)) for name in names}
    if all(present is False for present in seen.values()):
        request = next(read.path for read in PROBES if read.label == names[0])
        facts.grant(word, granted=False, request=request, source=Source.PROBE)
    elif any(seen.values()):
        facts.unknown(f"permissions.{word}", WHY_WRITE)


def _present(reply: Reply | None) -> bool | None:
    """Whether the key has the group that a read asks for."""
    if reply is None:
        return None
    if reply.ok or (reply.verdict is not None and reply.verdict.code == "USER_NOT_FOUND"):
        return True
    return False if reply.refused(Reason.MISSING_PERMISSION) else None


def _lifetime(facts: FactsBuilder, entry: dict[str, Json]) -> None:
    if isinstance(entry.get("name"), str):
        facts.know("key.label", text_or_none(entry["name"]))
    created, used = from_seconds(entry.get("created_at")), from_seconds(entry.get("last_access"))
    if created:
        facts.know("key.created_at", created)
    if used:
        facts.know(
            "key.last_used_at", used, limitation="our own request may be the use that is shown"
        )
    state = STATES.get(text_or_none(entry.get("state")) or "")
    if state:
        facts.know("key.state", state)


def _network(facts: FactsBuilder, detail: Mapping[str, Json], entry: Mapping[str, Json] | None) -> None:  # fmt: skip
    bodies = ((detail, DETAIL.path), (entry or {}, KEYS.path))
    lists = [(bound_to(body.get("ip_whitelist")), request) for body, request in bodies]
    told = [(listed, request) for listed, request in lists if listed is not None]
    agree = len({frozenset(listed) for listed, _ in told}) == 1
    for listed, request in told[:1]:
        if agree:
            facts.know("network.ip_restricted", bool(listed), request=request)
            facts.know("network.ip_allowlist", listed, request=request)
        else:
            for path in ("network.ip_restricted", "network.ip_allowlist"):
                facts.unknown(path, "Gate's two records of the key do not agree")
    for body, request in bodies:
        pairs = body.get("currency_pairs")
        if isinstance(pairs, list) and all(isinstance(pair, str) and pair for pair in pairs):
            named = tuple(pair[:64] for pair in pairs)
            facts.know("key.symbols", named or None, request=request)
            break


def _account(
    facts: FactsBuilder,
    detail: Mapping[str, Json],
    entry: Mapping[str, Json] | None,
    replies: Replies,
) -> None:
    uid = text_or_none(detail.get("user_id"))
    listed = text_or_none((entry or {}).get("user_id"))
    if uid:
        facts.know("account_facts.uid", uid, request=DETAIL.path)
    elif listed:
        facts.know("account_facts.uid", listed)
    subs = replies.get("sub_accounts")
    if uid and uid == listed and subs is not None and subs.ok:
        limitation = "its key is among the main account's keys, and it lists sub-accounts"
        for path, value in (("is_master", True), ("parent_uid", None)):
            facts.know(f"account_facts.{path}", value, request=SUBS.path, source=Source.PROBE, limitation=limitation)  # fmt: skip


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """A key of the main account or of a sub-account, as the main account's key sees it."""
    _permissions(facts, row, {})
    _lifetime(facts, row)
    used = from_seconds(row.get("last_access"))
    if used:
        facts.know(
            "key.last_used_at", used, limitation="an earlier scan with the key is a use as well"
        )
    listed = bound_to(row.get("ip_whitelist"))
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)
    pairs = row.get("currency_pairs")
    if isinstance(pairs, list) and all(isinstance(pair, str) and pair for pair in pairs):
        facts.know("key.symbols", tuple(pair[:64] for pair in pairs) or None)


def error_of(body: Json) -> tuple[str, str] | None:
    """Errors are `{"label", "message"}` (or `detail`); a success is a list, or an object without a label."""
    if isinstance(body, list):
        return None
    if not isinstance(body, dict):
        return ("", "")
    if "label" not in body:
        return None
    return str(body["label"])[:40], str(body.get("message") or body.get("detail") or "")[:500]


UNTOLD = {
    "permissions.withdraw": "Gate does not list its withdrawal group among a key's permissions",
    "key.expires_at": "Gate reports no expiry",
    "key.third_party": "Gate does not report whether a key is bound to an application",
    "account_facts.parent_uid": "Gate does not tell a key about its main account",
    "account_facts.is_master": "Gate does not tell whether an account is a main account",
}

REFUSALS = (
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="Gate is under maintenance"
    ),
    # NOTE: documented is IP_FORBIDDEN, sent is FORBIDDEN with a text of its own.
    Refusal(
        codes=("IP_FORBIDDEN",),
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("FORBIDDEN",),
        text="ip.*white",
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=("FORBIDDEN",),
        text="does not have .*permission",
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission group for this request",
    ),
    Refusal(
        codes=("FORBIDDEN",),
        reason=Reason.AMBIGUOUS,
        say="the request is forbidden: for want of a permission, or for this host's address",
    ),
    Refusal(codes=("READ_ONLY",), reason=Reason.MISSING_PERMISSION, say="the key is read-only"),
    Refusal(
        codes=("INVALID_KEY",),
        reason=Reason.UNKNOWN_HERE,
        say="no such key, it was deleted or has expired, or it belongs to another Gate site or testnet",
    ),
    Refusal(
        codes=("INVALID_CREDENTIALS", "AUTHENTICATION_FAILED"),
        reason=Reason.AMBIGUOUS,
        say="Gate does not accept the key, or its signature",
    ),
    Refusal(codes=("MISSING_REQUIRED_HEADER",), reason=Reason.AMBIGUOUS, say="a header is missing"),
    Refusal(
        codes=("INVALID_SIGNATURE",),
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid",
    ),
    Refusal(
        codes=("REQUEST_EXPIRED",),
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is more than 60 s from Gate's",
    ),
    Refusal(
        codes=("ACCOUNT_LOCKED", "SUB_ACCOUNT_LOCKED"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account is locked",
    ),
    Refusal(
        codes=("USER_NOT_FOUND",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account has never used this product",
    ),
    Refusal(
        codes=("API_WITHDRAW_DISABLED",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="Gate has paused withdrawals by API",
    ),
    Refusal(
        codes=("TOO_MANY_REQUESTS", "TOO_FAST"),
        reason=Reason.RATE_LIMITED,
        say="too many requests",
    ),
    Refusal(
        codes=("INTERNAL", "SERVER_ERROR", "TOO_BUSY"),
        reason=Reason.SERVER_ERROR,
        say="Gate has a fault of its own",
    ),
)

_DOCS = "https://www.gate.com/docs/developers/apiv4/en/"

ADAPTER = Adapter(
    id="gate",
    # NOTE: ccxt sends the futures requests of gateeu to the global host.
    realms={"gateeu": "https://api.gateeu.com"},
    title="Gate",
    host="https://api.gateio.ws",
    reads=(KEYS, DETAIL, *PROBES, ORDERS, FUTURES_ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Per user and endpoint: https://www.gate.com/docs/developers/apiv4/en/#frequency-limit-rule
    limits=(
        *(
            Limit(150, 10, Scope.UID, pool=pool)
            for pool in ("keys", "detail", "spot", "futures", "delivery", "options", "unified")
        ),
        Limit(80, 10, Scope.UID, pool="wallet"),
        Limit(80, 10, Scope.UID, pool="sub_accounts"),
    ),
    tests={"spot": (SPOT, ORDERS), "futures": (FUTURES, FUTURES_ORDERS)},
    untold=UNTOLD,
    links=(
        f"{_DOCS}#query-all-main-account-key-information",
        f"{_DOCS}#error-handling",
        "https://www.gateex.org/help/guide/faq/17521/how-to-utilize-api",
    ),
    lists=listing.of(KEYS, SUBS, _listed),
    lapses=(
        Lapse(
            days=90,
            counts_from="created",
            says="a key without an IP list is valid for 90 days; whether editing it moves the end is not said",
            source="https://www.gateex.org/help/guide/faq/17521/how-to-utilize-api",
        ),
    ),
    steps=(
        Step(
            reach="ip_list",
            any_of=("manage_keys",),
            says="the group sub_accounts changes the IP lists of sub-accounts' keys "
            "(PUT /sub_accounts/{user_id}/keys/{key})",
            source=f"{_DOCS}#update-sub-account-api-key-pair",
        ),
        *(
            Step(
                reach=f"exit:{name}",
                any_of=(f"other:{name}",),
                says=f"the permission group {name} {what}",
                source=f"{_DOCS}#query-all-main-account-key-information",
            )
            for name, what in (
                ("earn", "locks funds into products"),
                ("loan", "pledges funds for loans"),
                ("otc", "trades off the book"),
                ("custody", "moves funds of a custody account"),
                ("copy", "follows other traders"),
            )
        ),
    ),
    how_to=(
        "Profile > API Management > Create API Key, API v4.",
        (
            "Bind IP: enter the server's addresses (up to 20, no ranges): a key without them ends "
            "after 90 days, and changes take up to 5 minutes."
        ),
        "Spot/Margin Trade: Read And Write. Perpetual Futures: Read And Write only if needed.",
        "Account: Read Only, so that bfaudit can read the key's own permissions.",
        "Leave Withdrawal and Wallet unticked; limit the trading pairs where the strategy has few.",
    ),
)
