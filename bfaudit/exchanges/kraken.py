"""Kraken spot: `POST /0/private/GetApiKeyInfo` tells all about the calling key, and asks for no permission.

https://docs.kraken.com/api-reference/account-data/get-api-key-info

NOTE: Kraken refuses a nonce that is not above the key's last one. ccxt counts in milliseconds: a program that shares
the key with an audit must count in milliseconds or finer, too.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bfaudit.exchanges.base import Adapter, Ask, Context, Limit, Read, Refusal, Replies, Scope, Step
from bfaudit.exchanges.values import bound_to, from_seconds, text_or_none, words
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason

INFO = Read(
    label="info",
    path="POST /0/private/GetApiKeyInfo",
    call="privatePostGetApiKeyInfo",
    expects=("result.permissions",),
)
BALANCE = Read(
    label="balance",
    path="POST /0/private/Balance",
    call="privatePostBalance",
    needs="Query (funds)",
    expects=("result",),
)
ORDERS = Read(
    label="orders",
    path="POST /0/private/OpenOrders",
    call="privatePostOpenOrders",
    needs="Query open orders & trades",
    expects=("result.open",),
)

READING = frozenset(
    {"query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "export-data"}
)
# One permission is for all orders: `leverage` is a parameter of AddOrder, so that margin comes with it.
TRADING = "modify-trades"
CANCELLING = "close-trades"
HARMLESS = frozenset({"create-ws-token"})
"""A token for the WebSocket can do no more than the key."""
OTHERS = frozenset({"add-funds", "earn-funds", "add-withdraw-address", "update-withdraw-address"})
DOCUMENTED = READING | HARMLESS | OTHERS | {TRADING, CANCELLING, "withdraw-funds"}
NOT_THERE = {
    "futures": "Kraken Futures has keys of its own",
    "options": "no permission of Kraken's grants it",
    "transfer": "no permission of Kraken's grants it by itself",
    "manage_keys": "no permission of Kraken's grants it",
}
OWN_USE = timedelta(minutes=5)


async def fetch(ask: Ask) -> None:
    """One read tells everything; any key may make it."""
    await ask(INFO)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the key's own record, in the spelling of the documentation or in the one that is seen live."""
    facts = FactsBuilder(INFO.path)
    facts.know("key.type", "hmac", limitation="Kraken has no other kind")
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    record = body.get("result") if isinstance(body, dict) else None
    if isinstance(record, dict):
        # The documentation spells `createdTime`, what is seen live is `created_time`.
        fields = {name.replace("_", "").lower(): value for name, value in record.items()}
        _permissions(facts, fields)
        _network(facts, fields)
        _lifetime(facts, fields, context.now)
        if "apikeyname" in fields:
            facts.text("key.label", fields["apikeyname"])
        uid = text_or_none(fields.get("iban"))
        if uid:
            facts.know("account_facts.uid", uid, limitation="the account's IIBAN")
    return facts.build(UNTOLD, "Kraken did not give the key's own record")


def _permissions(facts: FactsBuilder, fields: Mapping[str, Any]) -> None:
    told = fields.get("permissions")
    tokens = frozenset(map(_slug, words(told) or ())) if isinstance(told, list) else None
    if not tokens:
        return
    if tokens.isdisjoint(DOCUMENTED):
        for word in ("read", "trade", "margin", "withdraw"):
            facts.unknown(f"permissions.{word}", "Kraken names no permission that it documents")
    else:
        facts.grant("read", not tokens.isdisjoint(READING), limitation=_reading(tokens, fields))
        cannot_cancel = TRADING in tokens and CANCELLING not in tokens
        facts.grant(
            "trade", TRADING in tokens, limitation="cannot cancel" if cannot_cancel else None
        )
        facts.grant("margin", TRADING in tokens, limitation="where the account may trade on margin")
        facts.grant("withdraw", "withdraw-funds" in tokens)
    for word, why in NOT_THERE.items():
        facts.grant(word, granted=False, limitation=why)
    known = READING | HARMLESS | {TRADING, "withdraw-funds"}
    if TRADING in tokens:
        known |= {CANCELLING}
    for token in sorted(tokens - known):
        facts.grant(f"other:{token}", granted=True)
    facts.doubt("Kraken", tokens - DOCUMENTED, ("trade", "margin"))


def _slug(token: str) -> str:
    """The web page writes "Withdraw Funds" where an answer writes `withdraw-funds`."""
    return token.lower().replace(" ", "-").replace("_", "-")


def _reading(tokens: frozenset[str], fields: Mapping[str, Any]) -> str | None:
    limits = []
    if "query-funds" not in tokens:
        limits.append("not the balances")
    if "query-open-trades" not in tokens:
        limits.append("not the open orders")
    first, last = from_seconds(fields.get("queryfrom")), from_seconds(fields.get("queryto"))
    if first or last:
        limits.append(f"only {_day(first) or 'the past'} to {_day(last) or 'now'}")
    return "; ".join(limits) or None


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else ""


def _network(facts: FactsBuilder, fields: Mapping[str, Any]) -> None:
    if "ipallowlist" not in fields:
        return
    # [""] is seen where there is none
    listed = bound_to(fields["ipallowlist"])
    if listed is not None:
        facts.know("network.ip_restricted", bool(listed))
        facts.know("network.ip_allowlist", listed)


def _lifetime(facts: FactsBuilder, fields: Mapping[str, Any], now: datetime) -> None:
    created = from_seconds(fields.get("createdtime"))
    if created:
        facts.know("key.created_at", created)
    until = fields.get("validuntil")
    if until in ("0", 0) and not isinstance(until, bool):
        facts.know("key.expires_at", None)
    elif from_seconds(until):
        facts.know("key.expires_at", from_seconds(until))
    used = from_seconds(fields.get("lastused"))
    if "lastused" in fields and fields["lastused"] in (None, "0"):
        facts.know("key.last_used_at", None)
    elif used and used < now - OWN_USE:
        facts.know("key.last_used_at", used)
    elif used:
        facts.unknown("key.last_used_at", UNTOLD["key.last_used_at"])
    else:
        facts.unknown("key.last_used_at", "Kraken did not say when the key was last used")


def error_of(body: Json) -> tuple[str, str] | None:
    """`{"error": [], "result": ...}` is success; errors are texts such as `EAPI:Invalid key`, warnings begin with W."""
    if not isinstance(body, dict) or not isinstance(body.get("error"), list):
        return ("", "")
    errors = [text for text in body["error"] if not (isinstance(text, str) and text[:1] == "W")]
    if not errors:
        return None if "result" in body else ("", "")
    first = errors[0] if isinstance(errors[0], str) else ""
    return ":".join(first.split(":")[:2]).replace(" ", "-"), first[:500]


UNTOLD = {
    "key.last_used_at": "Kraken counts this scan as the key's last use",
    "key.expires_at": "Kraken did not say until when the key is valid",
    "key.state": "Kraken reports no state of a key that works",
    "key.third_party": "Kraken does not report whether a key is bound to an application",
    "key.symbols": "Kraken does not limit keys to symbols",
    "account_facts.parent_uid": "Kraken does not tell a key about its master account",
    "account_facts.is_master": "Kraken does not tell whether an account is a master account",
}

REFUSALS = (
    Refusal(
        codes=(),
        text=r"^E\w+:.*(\bip address\b|\bip not\b|allow-?list|white-?list)",
        reason=Reason.IP_NOT_ALLOWED,
        say="this host's address is not on the key's IP list",
    ),
    # What an address that is not listed is told is not published: it may be any of the next two.
    Refusal(
        codes=("EAPI:Invalid-key",),
        reason=Reason.AMBIGUOUS,
        say="the key is mistyped, deleted, disabled or expired, or this host's address is not on its IP list",
    ),
    Refusal(
        codes=("EGeneral:Permission-denied",),
        reads=("info",),
        reason=Reason.AMBIGUOUS,
        say="denied, though this request needs no permission: this host's address may not be on the key's IP list",
    ),
    Refusal(
        codes=("EGeneral:Permission-denied", "EAPI:Permission-denied"),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("EAPI:Invalid-signature",),
        reason=Reason.WRONG_SECRET,
        say="the signature is not valid",
    ),
    Refusal(
        codes=(),
        text=r"^E\w+:Invalid nonce",
        reason=Reason.CLOCK_SKEW,
        say="the request's number is not above the key's last one: another program uses the key with larger "
        "numbers, or this host's clock is behind",
    ),
    Refusal(
        codes=("ESession:Invalid-session",),
        reason=Reason.AMBIGUOUS,
        say="Kraken does not accept the session",
    ),
    Refusal(
        codes=("EGeneral:Temporary-lockout",),
        reason=Reason.BANNED,
        say="locked out for some minutes after too many refused requests",
    ),
    Refusal(
        codes=(),
        text=r"^E\w+:(Rate limit exceeded|Too many requests|Throttled)",
        reason=Reason.RATE_LIMITED,
        say="too many requests",
    ),
    Refusal(
        codes=(),
        text=r"^(ETrade:User Locked|EAccount:|EAuth:Account|EAPI:Feature disabled|ETrade:Locked)",
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account is locked, unconfirmed, or restricted for this",
    ),
    Refusal(
        codes=(),
        text=r"^EService:Market in \w+ mode",
        reason=Reason.MAINTENANCE,
        say="Kraken's markets are not fully open",
    ),
    Refusal(
        codes=(), text="maintenance", reason=Reason.MAINTENANCE, say="Kraken is under maintenance"
    ),
    Refusal(
        codes=(),
        text=r"^(EService:|EDatabase:|EGeneral:Internal error)",
        reason=Reason.SERVER_ERROR,
        say="Kraken is not available, or has a fault of its own",
    ),
    Refusal(
        codes=(),
        text=r"^EAuth:",
        reason=Reason.AMBIGUOUS,
        say="Kraken does not accept the key",
    ),
)

ADAPTER = Adapter(
    id="kraken",
    title="Kraken",
    host="https://api.kraken.com",
    reads=(INFO, BALANCE, ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # A counter per key, of the lowest tier: 15, less a third per second
    # https://docs.kraken.com/exchange/guides/rest/ratelimits
    limits=(Limit(15, 45, Scope.KEY),),
    tests={"spot": (BALANCE, ORDERS)},
    posts=frozenset({"/0/private/GetApiKeyInfo", "/0/private/Balance", "/0/private/OpenOrders"}),
    untold=UNTOLD,
    tells_life=("key.expires_at",),
    links=(
        "https://docs.kraken.com/api-reference/account-data/get-api-key-info",
        "https://docs.kraken.com/exchange/guides/rest/api-keys",
        "https://docs.kraken.com/exchange/guides/general/errors",
    ),
    steps=(
        Step(
            reach="transfer",
            any_of=("read",),
            says="WalletTransfer moves funds from the spot to the futures wallet; it needs Query (funds) only",
            source="https://docs.kraken.com/api-reference/funding/request-wallet-transfer",
        ),
        Step(
            reach="exit:earn",
            any_of=("other:earn-funds",),
            says="Earn/Allocate locks funds into products",
            source="https://docs.kraken.com/exchange/guides/rest/api-keys",
        ),
    ),
    how_to=(
        "Settings > API > Create API key.",
        "Funds permissions: tick Query; leave Deposit, Withdraw and Earn unticked.",
        (
            "Orders and trades: tick Query open orders & trades, Query closed orders & trades, Create & modify orders, "
            "Cancel & close orders."
        ),
        (
            "Leave Add withdrawal addresses and Update withdrawal addresses unticked; tick WebSocket interface only if "
            "the program uses it."
        ),
        "Tick IP address restriction and enter the server's addresses; tick Key expiration if the key shall end.",
        "Let the program count its nonces in milliseconds or finer: an audit with the same key counts in milliseconds.",
    ),
)
