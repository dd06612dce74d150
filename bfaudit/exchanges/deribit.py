"""Deribit: `GET /api/v2/private/list_api_keys` tells the scopes of every key of the account, the calling one among them.

https://docs.deribit.com/api-reference/account-management/private-list_api_keys

NOTE: an account with a second factor is asked for a code instead, and scopes stay unknown. Deribit serves orders and
withdrawals by GET as well: no other path than those listed here may ever be asked for.
"""

from collections.abc import Mapping

from bfaudit.exchanges.base import Adapter, Ask, Context, Limit, Read, Refusal, Replies, Scope, Step
from bfaudit.exchanges.listing import deribit as listing
from bfaudit.exchanges.values import bound_to, from_milliseconds, own_entry, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source

INFO = Read(
    label="info",
    path="GET /api/v2/private/list_api_keys",
    call="privateGetListApiKeys",
    weight=500,
    needs="account:read",
    expects=("result.[]",),
)
ACCOUNT = Read(
    label="account",
    path="GET /api/v2/private/get_account_summaries",
    call="privateGetGetAccountSummaries",
    params={"extended": "true"},
    weight=500,
    needs="account:read",
    expects=("result.summaries",),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v2/private/get_open_orders",
    call="privateGetGetOpenOrders",
    weight=500,
    needs="trade:read",
    expects=("result.[]",),
)
TFA = "security_key_authorization_required"

# The scopes that grant a word for certain, and those that may.
SCOPES: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "trade": (frozenset({"trade"}), frozenset({"block_trade", "block_rfq"})),
    "margin": (frozenset({"trade"}), frozenset()),
    "futures": (frozenset({"trade", "block_trade", "block_rfq"}), frozenset()),
    "options": (frozenset({"trade", "block_trade", "block_rfq"}), frozenset()),
    "transfer": (frozenset({"wallet"}), frozenset()),
    "withdraw": (frozenset({"wallet"}), frozenset()),
    "manage_keys": (frozenset({"account"}), frozenset()),
}
LIMITS = {
    "withdraw": "Deribit withdraws from main accounts only",
    "manage_keys": "with a code of the second factor, where the account has one",
}
READ, WRITE, NONE = "read", "read_write", "none"
ACCESS = frozenset({READ, WRITE, NONE})
AREAS = frozenset({"account", "trade", "wallet", "block_trade", "block_rfq", "custody"})
STRANGE = "Deribit names an access that its documentation does not know"
BLOCKS = "block trades may be of spot"


async def fetch(ask: Ask) -> None:
    """The list of keys, and whose they are; where the list is refused, whether the key works at all."""
    info = await ask(INFO)
    if info.ok or info.refused(Reason.MISSING_PERMISSION):
        account = await ask(ACCOUNT)
        if not info.ok and account.refused(Reason.MISSING_PERMISSION):
            await ask(ORDERS)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the own entry of the list, found by its client id; the list's secrets are never looked at."""
    facts = FactsBuilder(INFO.path)
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    rows = body.get("result") if isinstance(body, dict) else None
    record = own_entry(rows, "client_id", context.own_key)
    if record is not None:
        if not record.get("public_key"):
            facts.know("key.type", "hmac")
        _permissions(facts, record)
        _record(facts, record)
    else:
        _probes(facts, replies)
    account = replies.get("account")
    if account is not None and account.ok and isinstance(account.body, dict):
        _account(facts, account.body.get("result"))
    return facts.build(UNTOLD, _why(replies))


def _why(replies: Replies) -> str:
    info = replies.get("info")
    if info is not None and info.verdict and info.verdict.code == TFA:
        return "Deribit asks for a second factor before it lists the account's keys"
    return "Deribit did not list the key"


def _permissions(facts: FactsBuilder, record: Mapping[str, Json]) -> None:
    """From `account:read trade:read_write ...`: an area that is not named has no access."""
    text = record.get("max_scope")
    parts = text.lower().split() if isinstance(text, str) else []
    scope: dict[str, str] = {}
    for area, _, access in (part.partition(":") for part in parts):
        scope[area[:64]] = _wider(scope.get(area[:64], NONE), access)
    if not ACCESS.intersection(scope.values()):
        return
    writes = {area for area, access in scope.items() if access == WRITE}
    odd = {area for area, access in scope.items() if access not in ACCESS}
    reads = any(access in (READ, WRITE) for access in scope.values()) or (None if odd else False)
    facts.grant("read", reads, why_unknown=STRANGE, limitation=_reading(scope))
    for word, (surely, perhaps) in SCOPES.items():
        strange = bool(odd & (surely | perhaps))
        maybe = None if strange or writes & perhaps else False
        granted = True if writes & surely else maybe
        why = STRANGE if strange else BLOCKS
        facts.grant(word, granted, why_unknown=why, limitation=_limit(word, granted))
    for area in sorted((writes | odd) - {"account", "trade", "wallet"}):
        facts.grant(f"other:{area}", True if area in writes else None, why_unknown=STRANGE)
    facts.doubt("Deribit", (writes | odd) - AREAS, ("trade", "margin", "futures", "options"))


def _wider(one: str, other: str) -> str:
    """Of two accesses to one area the wider; one that nobody documents may be wider than any but writing."""
    for access in (WRITE, *({one, other} - ACCESS), READ):
        if access in (one, other):
            return access
    return NONE


def _reading(scope: Mapping[str, str]) -> str | None:
    missing = [area for area in ("account", "trade") if scope.get(area, NONE) == NONE]
    return f"not {' and '.join(missing)}" if missing else None


def _limit(word: str, granted: bool | None) -> str | None:
    return LIMITS.get(word) if granted else None


def _record(facts: FactsBuilder, record: Mapping[str, Json]) -> None:
    if "name" in record:
        facts.text("key.label", record["name"])
    enabled = record.get("enabled")
    if isinstance(enabled, bool):
        facts.know("key.state", "active" if enabled else "disabled")
    listed = bound_to(record.get("ip_whitelist"))
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)
    changed = from_milliseconds(record.get("timestamp"))
    if changed:
        day = changed.date().isoformat()
        facts.unknown(
            "key.created_at", f"Deribit tells {day} as the day of creation or of the last change"
        )


def _probes(facts: FactsBuilder, replies: Replies) -> None:
    """Reading can be told by reading; scopes cannot be told without the list."""
    for label in ("account", "orders"):
        reply = replies.get(label)
        if reply is not None and reply.ok:
            facts.grant("read", granted=True, request=reply.read.path, source=Source.PROBE)
            return


def _account(facts: FactsBuilder, result: Json) -> None:
    if not isinstance(result, dict):
        return
    uid = text_or_none(result.get("id"))
    if uid:
        facts.know("account_facts.uid", uid, request=ACCOUNT.path)
    if result.get("type") in ("main", "subaccount"):
        master = result["type"] == "main"
        facts.know("account_facts.is_master", master, request=ACCOUNT.path)
        if master:
            facts.know("account_facts.parent_uid", None, request=ACCOUNT.path)


def _listed(facts: FactsBuilder, row: dict[str, Json], _context: Context) -> None:
    """Any key of the account; a row holds its secret as well, which is not looked at."""
    _permissions(facts, row)
    _record(facts, row)


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"error": {"code", "message", "data": {"reason"}}}`; a demand for a second factor comes as a success."""
    if not isinstance(body, dict):
        return ("", "")
    error = body.get("error")
    if isinstance(error, dict):
        data = error.get("data")
        reason = data.get("reason") if isinstance(data, dict) else None
        return str(error.get("code", ""))[:40], f"{error.get('message') or ''} {reason or ''}"[:500]
    if error is not None or "result" not in body:
        return ("", "") if body.get(TFA) is not True else (TFA, "")
    result = body["result"]
    if body.get(TFA) is True or (isinstance(result, dict) and result.get(TFA) is True):
        return TFA, ""
    return None


UNTOLD = {
    "key.expires_at": "Deribit does not report an expiry",
    "key.last_used_at": "Deribit does not report when a key was last used",
    "key.third_party": "Deribit does not report whether a key is bound to an application",
    "key.symbols": "Deribit does not limit keys to instruments",
    "account_facts.parent_uid": "Deribit does not tell a key its main account",
    "account_facts.is_master": "Deribit did not tell whether it is a main account",
    "account_facts.uid": "Deribit tells the account to keys with account:read only",
}

REFUSALS = (
    Refusal(
        codes=("13004", "13009", "13021", "10000"),
        text=r"white-?list|ip_not|not_allowed_ip|\bip address\b",
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(
        codes=(TFA[:40],),
        reason=Reason.MISSING_PERMISSION,
        say="the account's second factor is asked for before keys are listed",
    ),
    Refusal(
        codes=("13009", "10000"),
        text="signature",
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid",
    ),
    # What an address that is not listed is told is not published.
    Refusal(
        codes=("13004", "13009", "10000", "13007", "13006", "13000"),
        reason=Reason.AMBIGUOUS,
        say="no such key, it is disabled, its secret is wrong, or this host's address is not on its IP list",
    ),
    Refusal(
        codes=("13021", "13403", "11042"),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the scope for this request",
    ),
    Refusal(
        codes=("13003", "13668", "13904", "12000", "12998", "12999"),
        reason=Reason.MISSING_PERMISSION,
        say="Deribit asks for a second factor",
    ),
    Refusal(
        codes=("9999", "13001", "13002", "11098", "10019", "13012", "13031"),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account is blocked, not activated, not verified, or its API is off",
    ),
    Refusal(
        codes=("12005",),
        reason=Reason.REGION_BLOCKED,
        say="Deribit does not serve this host's region",
    ),
    Refusal(
        codes=("10028", "10047", "12003", "13780"),
        reason=Reason.RATE_LIMITED,
        say="too many requests",
    ),
    Refusal(
        codes=("11051", "10041", "13025", "13503"),
        reason=Reason.MAINTENANCE,
        say="Deribit is under maintenance",
    ),
    Refusal(codes=("13888",), reason=Reason.TIMEOUT, say="Deribit gave no answer in time"),
    Refusal(
        codes=("10001", "10040", "10048", "11094", "13008", "13028"),
        reason=Reason.SERVER_ERROR,
        say="Deribit has a fault of its own",
    ),
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="Deribit is under maintenance"
    ),
)

ADAPTER = Adapter(
    id="deribit",
    title="Deribit",
    host="https://www.deribit.com",
    reads=(INFO, ACCOUNT, ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # Credits per sub-account: 500 for a request, 10,000 more each second: https://docs.deribit.com/articles/rate-limits
    limits=(Limit(10_000, 1, Scope.UID),),
    tests={"spot": (ACCOUNT, ORDERS)},
    untold=UNTOLD,
    left_open=frozenset({BLOCKS}),
    tells_life=("key.state",),
    lists=listing.of(INFO, _listed),
    links=(
        "https://docs.deribit.com/api-reference/account-management/private-list_api_keys",
        "https://docs.deribit.com/articles/access-scope",
        "https://docs.deribit.com/articles/security-keys",
        "https://docs.deribit.com/articles/creating-api-key",
    ),
    steps=(
        Step(
            reach="ip_list",
            any_of=("manage_keys",),
            says="account:read_write changes the IP list of a key (private/edit_api_key), with a code where the "
            "account has a second factor",
            source="https://docs.deribit.com/api-reference/account-management/private-edit_api_key",
            certain=False,
        ),
        Step(
            reach="exit:transfer_to_user",
            any_of=("withdraw",),
            master_only=True,
            says="private/submit_transfer_to_user moves funds to another user",
            source="https://docs.deribit.com/api-reference/wallet/private-submit_transfer_to_user",
        ),
    ),
    how_to=(
        "Account > API > Add new key, Deribit-generated key.",
        "Scopes: account read, trade read_write, wallet read; block_trade and block_rfq none.",
        "Leave wallet at read or none: wallet read_write withdraws.",
        "Leave account at read: account read_write makes and changes keys.",
        "Give the key a name, and enter the server's addresses in its IP whitelist.",
    ),
)
