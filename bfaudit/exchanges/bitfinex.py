"""Bitfinex: `POST /v2/auth/r/permissions` tells what the calling key may read and write, scope by scope.

https://docs.bitfinex.com/reference/key-permissions

NOTE: Bitfinex refuses a nonce that is not above the key's last one. ccxt counts in milliseconds: a program that shares
the key with an audit must count in milliseconds or finer, too.
"""

from collections.abc import Mapping

from bfaudit.exchanges.base import Adapter, Ask, Context, Limit, Read, Refusal, Replies, Scope, Step
from bfaudit.exchanges.values import any_of, text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

INFO = Read(
    label="info",
    path="POST /v2/auth/r/permissions",
    call="privatePostAuthRPermissions",
    pool="permissions",
    expects=("[].[]",),
)
USER = Read(
    label="user",
    path="POST /v2/auth/r/info/user",
    call="privatePostAuthRInfoUser",
    pool="user",
    needs="Account Info: get account information",
    expects=("[]",),
)
BALANCE = Read(
    label="balance",
    path="POST /v2/auth/r/wallets",
    call="privatePostAuthRWallets",
    pool="wallets",
    needs="Wallets: get wallet balances and addresses",
    expects=("[]",),
)
ORDERS = Read(
    label="orders",
    path="POST /v2/auth/r/orders",
    call="privatePostAuthROrders",
    pool="orders",
    needs="Orders: get orders and statuses",
    expects=("[]",),
)

DOCUMENTED = frozenset(
    [
        "account",
        "history",
        "orders",
        "positions",
        "funding",
        "settings",
        "wallets",
        "withdraw",
        "ui_withdraw",
        "bfxpay",
    ]
)
READS = ("account", "history", "orders", "positions", "wallets")
# One scope is for all orders: spot, margin and derivatives differ by the order's type and symbol only.
WRITES = {
    "trade": ("orders",),
    "margin": ("orders", "positions"),
    "futures": ("orders", "positions"),
    "transfer": ("wallets",),
    "withdraw": ("withdraw",),
}
NOT_THERE = {
    "options": "Bitfinex has no options",
    "manage_keys": "no scope of Bitfinex grants it",
}
ID, MASTER_ID, IS_MASTER = 0, 16, 18
"""Places in the list of `info/user`."""


async def fetch(ask: Ask) -> None:
    """One read tells the scopes, another the account."""
    info = await ask(INFO)
    if info.ok:
        await ask(USER)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the scopes; a scope that is not listed is unknown, never denied."""
    facts = FactsBuilder(INFO.path)
    facts.know("key.type", "hmac", limitation="Bitfinex has no other kind")
    info, user = replies.get("info"), replies.get("user")
    scopes = _scopes(info.body) if info is not None and info.ok else {}
    if scopes:
        _permissions(facts, scopes)
    if user is not None and user.ok and isinstance(user.body, list):
        _account(facts, user.body)
    return facts.build(UNTOLD, "Bitfinex did not tell the key's scopes")


def _scopes(body: Json) -> Mapping[str, tuple[bool | None, bool | None]]:
    """Whether a key may read and write, by scope: `["orders", 1, 0]`; empty where a row is of another form."""
    found: dict[str, tuple[bool | None, bool | None]] = {}
    for row in body if isinstance(body, list) else []:
        if not (isinstance(row, list) and len(row) >= 3 and isinstance(row[0], str) and row[0]):
            return {}  # what it would grant nobody knows
        read, write = found.get(row[0][:64], (False, False))
        found[row[0][:64]] = any_of([read, _flag(row[1])]), any_of([write, _flag(row[2])])
    return found


def _flag(value: Json) -> bool | None:
    return {0: False, 1: True}.get(value) if isinstance(value, int) else None


def _permissions(
    facts: FactsBuilder, scopes: Mapping[str, tuple[bool | None, bool | None]]
) -> None:
    def ask(names: tuple[str, ...], place: int) -> bool | None:
        return any_of(scopes.get(name, (None, None))[place] for name in names)

    missing = "Bitfinex's answer lacks the scope"
    facts.grant("read", ask(READS, 0), why_unknown=missing)
    for word, names in WRITES.items():
        facts.grant(word, ask(names, 1), why_unknown=f"{missing} {' or '.join(names)}")
    for word, why in NOT_THERE.items():
        facts.grant(word, granted=False, limitation=why)
    writing = {name for names in WRITES.values() for name in names}
    for scope, (read, write) in sorted(scopes.items()):
        if scope not in writing and (write or (read and scope not in DOCUMENTED)):
            facts.grant(f"other:{scope}", granted=True)
        elif scope not in writing and write is None:
            facts.unknown(
                f"permissions.other:{scope}", "Bitfinex's answer does not tell whether it may write"
            )
    facts.doubt("Bitfinex", scopes.keys() - DOCUMENTED)
    for scope in sorted(DOCUMENTED - writing - scopes.keys()):
        facts.unknown(f"permissions.other:{scope}", f"{missing} {scope}")


def _account(facts: FactsBuilder, user: list[Json]) -> None:
    def at(place: int) -> Json:
        return user[place] if len(user) > place else None

    uid, master = text_or_none(at(ID)), text_or_none(at(MASTER_ID))
    if uid is None or not uid.isdigit():
        return
    facts.know("account_facts.uid", uid, request=USER.path)
    if at(IS_MASTER) == 1:
        facts.know("account_facts.is_master", value=True, request=USER.path)
        facts.know("account_facts.parent_uid", None, request=USER.path)
    elif master and master.isdigit() and master not in ("0", uid):
        facts.know("account_facts.is_master", value=False, request=USER.path)
        facts.know("account_facts.parent_uid", master, request=USER.path)


def error_of(body: Json) -> tuple[str, str] | None:
    """`["error", code, text]`, or of the gateway `{"error", "code", "message"}`; every success is another list."""
    if isinstance(body, list):
        if body[:1] != ["error"]:
            return None
        return str(body[1] if len(body) > 1 else "")[:40], str(body[2] if len(body) > 2 else "")[
            :500
        ]
    if not isinstance(body, dict):
        return ("", "")
    texts = [body[name] for name in ("message", "error", "error_description") if name in body]
    return str(body.get("code") or "")[:40], " ".join(str(text) for text in texts)[:500]


UNTOLD = {
    "network.ip_restricted": "Bitfinex does not tell a key whether it is limited to addresses",
    "network.ip_allowlist": "Bitfinex does not tell a key its own IP list",
    "key.label": "Bitfinex does not tell a key its own name",
    "key.created_at": "Bitfinex does not tell when a key was created",
    "key.expires_at": "Bitfinex does not report an expiry",
    "key.last_used_at": "Bitfinex does not report when a key was last used",
    "key.state": "Bitfinex reports no state of a key that works",
    "key.third_party": "Bitfinex does not report whether a key is bound to an application",
    "key.symbols": "Bitfinex does not report the symbols a key is limited to",
    "account_facts.uid": "Bitfinex tells the account to keys that may read it only",
    "account_facts.parent_uid": "Bitfinex's answer does not name a master account",
    "account_facts.is_master": "Bitfinex's answer does not tell a single account from a master account",
}

REFUSALS = (
    Refusal(
        codes=("10100", "10001", "10200"),
        text=r"\bip\b|white-?list|allow-?list",
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    Refusal(codes=(), text="digest", reason=Reason.WRONG_SECRET, say="the signature is not valid"),
    Refusal(
        codes=("10111", "10112", "10113"),
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid",
    ),
    Refusal(
        codes=("10114",),
        reason=Reason.CLOCK_SKEW,
        say="the request's number is not above the key's last one: another program uses the key with larger "
        "numbers, or this host's clock is behind",
    ),
    Refusal(
        codes=(),
        text=r"nonce.{0,20}small",
        reason=Reason.CLOCK_SKEW,
        say="the request's number is not above the key's last one",
    ),
    # What an address that is not listed is told is not published.
    Refusal(
        codes=("10100", "10200"),
        reason=Reason.AMBIGUOUS,
        say="no such key, or it was deleted, or this host's address is not on its IP list",
    ),
    Refusal(
        codes=("10001",),
        text="permission",
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the scope for this request",
    ),
    Refusal(
        codes=("11010",),
        reason=Reason.RATE_LIMITED,
        say="too many requests",
    ),
    Refusal(codes=(), text=r"rate.?limit", reason=Reason.RATE_LIMITED, say="too many requests"),
    Refusal(
        codes=("20051", "20060", "20061"),
        reason=Reason.MAINTENANCE,
        say="Bitfinex is under maintenance",
    ),
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="Bitfinex is under maintenance"
    ),
    Refusal(
        codes=("10020",),
        reason=Reason.UNEXPECTED_ANSWER,
        say="Bitfinex does not understand the request",
    ),
    Refusal(
        codes=("10000", "10001", "10008", "11000", "503"),
        reason=Reason.SERVER_ERROR,
        say="Bitfinex has a fault of its own",
    ),
    Refusal(
        codes=(),
        text="temporarily_unavailable",
        reason=Reason.SERVER_ERROR,
        say="Bitfinex is not available",
    ),
)

ADAPTER = Adapter(
    id="bitfinex",
    title="Bitfinex",
    host="https://api.bitfinex.com",
    reads=(INFO, USER, BALANCE, ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # 10 to 90 requests per minute and endpoint, per address: https://docs.bitfinex.com/docs/requirements-and-limitations
    limits=tuple(
        Limit(90, 60, Scope.IP, pool=pool) for pool in ("permissions", "user", "wallets", "orders")
    ),
    tests={"spot": (BALANCE, ORDERS)},
    posts=frozenset(
        {
            "/v2/auth/r/permissions",
            "/v2/auth/r/info/user",
            "/v2/auth/r/wallets",
            "/v2/auth/r/orders",
        }
    ),
    untold=UNTOLD,
    links=(
        "https://docs.bitfinex.com/reference/key-permissions",
        "https://docs.bitfinex.com/reference/rest-auth-info-user",
        "https://docs.bitfinex.com/docs/abbreviations-glossary",
    ),
    steps=(
        Step(
            reach="exit:lending",
            any_of=("other:funding",),
            says="auth/w/funding/offer/submit lends funds for days",
            source="https://docs.bitfinex.com/reference/rest-auth-submit-funding-offer",
        ),
        Step(
            reach="exit:pay",
            any_of=("other:bfxpay",),
            says="the scope bfxpay is of Bitfinex Pay, the merchant payments",
            source="https://docs.bitfinex.com/reference/key-permissions",
            certain=False,
        ),
    ),
    how_to=(
        "Account > API Keys > Create New Key.",
        (
            "Account Info, Account History, Orders, Margin Trading and Wallets: turn on the reading switches "
            '("Get ...").'
        ),
        'Orders: turn on "Create and cancel orders".',
        (
            'Leave "Transfer between your wallets" (Wallets), everything of Withdrawals, and the writing switches of '
            "Margin Funding and Settings off."
        ),
        "Restrict the key to the server's IP addresses on the same page: Bitfinex does not tell an audit whether it is.",
        "Let the program count its nonces in milliseconds or finer: an audit with the same key counts in milliseconds.",
    ),
)
