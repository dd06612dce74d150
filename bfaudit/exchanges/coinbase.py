"""Coinbase: `GET /api/v3/brokerage/key_permissions` tells View, Trade, Transfer and the portfolio; nothing else.

https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/data-api/get-api-key-permissions
"""

from bfaudit.exchanges.base import Adapter, Ask, Context, Limit, Read, Refusal, Replies, Scope, Step
from bfaudit.exchanges.values import text_or_none
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source

INFO = Read(
    label="info",
    path="GET /api/v3/brokerage/key_permissions",
    call="v3PrivateGetBrokerageKeyPermissions",
    expects=("can_view", "can_trade", "can_transfer"),
)
ACCOUNTS = Read(
    label="accounts",
    path="GET /api/v3/brokerage/accounts",
    call="v3PrivateGetBrokerageAccounts",
    params={"limit": 1},
    needs="View",
    expects=("accounts",),
)
ORDERS = Read(
    label="orders",
    path="GET /api/v3/brokerage/orders/historical/batch",
    call="v3PrivateGetBrokerageOrdersHistoricalBatch",
    params={"limit": 1},
    needs="View",
    expects=("orders",),
)

WHY_BEYOND_SPOT = "Coinbase does not tell what the portfolio may trade beyond spot"
# Transfer sends funds on and off the platform, and between portfolios.
SWITCHES = {
    "read": "can_view",
    "trade": "can_trade",
    "transfer": "can_transfer",
    "withdraw": "can_transfer",
}


DOCUMENTED = frozenset({*SWITCHES.values(), "portfolio_uuid", "portfolio_type"})


async def fetch(ask: Ask) -> None:
    """One read tells the scopes. Its 401 may mean anything, or nothing: another read shows what it is worth."""
    info = await ask(INFO)
    if info.refused(Reason.AMBIGUOUS, Reason.MISSING_PERMISSION):
        accounts = await ask(ACCOUNTS)
        if info.refused(Reason.AMBIGUOUS) and (
            accounts.ok or accounts.refused(Reason.MISSING_PERMISSION)
        ):
            await ask(INFO)


def parse(replies: Replies, context: Context) -> Facts:
    """Facts from the booleans; none of them has to be there, and what is not there is unknown."""
    facts = FactsBuilder(INFO.path)
    if context.secret_kind not in (None, "hmac"):
        facts.know("key.type", "ecdsa", limitation="seen from the form of the secret")
    info = replies.get("info")
    body = info.body if info is not None and info.ok else None
    if isinstance(body, dict):
        _permissions(facts, body)
        portfolio = body.get("portfolio_uuid")
        if isinstance(portfolio, str) and portfolio:
            limitation = "the portfolio that the key is limited to"
            facts.know("account_facts.uid", text_or_none(portfolio), limitation=limitation)
    else:
        _probe(facts, replies)
    return facts.build(UNTOLD, "Coinbase did not tell the key's permissions")


def _permissions(facts: FactsBuilder, body: dict[str, Json]) -> None:
    for word, switch in SWITCHES.items():
        granted = body[switch] if isinstance(body.get(switch), bool) else None
        facts.grant(word, granted, why_unknown=f"Coinbase's answer lacks {switch}")
    trades = body.get("can_trade")
    for word in ("margin", "futures", "options"):
        if trades is False:
            facts.grant(word, granted=False, limitation="no order without Trade")
        elif trades is True and word == "futures" and body.get("portfolio_type") == "INTX":
            facts.grant(word, granted=True, limitation="the key's portfolio is one for perpetuals")
        else:
            facts.unknown(f"permissions.{word}", WHY_BEYOND_SPOT)
    limitation = "keys are managed on Coinbase's web page only"
    facts.grant("manage_keys", granted=False, limitation=limitation)
    facts.switches("Coinbase", {name: body[name] for name in body.keys() - DOCUMENTED})


def _probe(facts: FactsBuilder, replies: Replies) -> None:
    accounts = replies.get("accounts")
    if accounts is not None and accounts.ok:
        facts.grant("read", granted=True, request=ACCOUNTS.path, source=Source.PROBE)
    elif accounts is not None and accounts.refused(Reason.MISSING_PERMISSION):
        facts.grant("read", granted=False, request=ACCOUNTS.path, source=Source.PROBE)


def error_of(body: Json) -> tuple[str, str] | None:
    """v3: `{"error", "error_details", "message"}`; v2: `{"errors": [{"id", "message"}]}`."""
    if not isinstance(body, dict):
        return ("", "")
    told = body
    if isinstance(body.get("errors"), list) and body["errors"]:
        told = body["errors"][0] if isinstance(body["errors"][0], dict) else {}
        code = text_or_none(told.get("id")) or ""
    elif isinstance(body.get("error_response"), dict):
        told = body["error_response"]
        code = text_or_none(told.get("error")) or ""
    elif body.get("error") or "message" in body:
        code = text_or_none(body.get("error")) or text_or_none(body.get("code")) or ""
    else:
        return None
    said = (told.get(name) for name in ("error_details", "message", "error_description"))
    return code[:40], " ".join(text for value in said if (text := text_or_none(value)))


UNTOLD = {
    "network.ip_restricted": "Coinbase does not tell a key whether it has an IP allowlist",
    "network.ip_allowlist": "Coinbase does not tell a key its own IP allowlist",
    "key.label": "Coinbase does not tell a key its own name",
    "key.created_at": "Coinbase does not report when a key was created",
    "key.expires_at": "Coinbase does not report an expiry",
    "key.last_used_at": "Coinbase does not report when a key was last used",
    "key.state": "Coinbase reports no state of a key that works",
    "key.type": "a secret that is not in PEM may be Ed25519 or, of an old key, HMAC",
    "key.third_party": "Coinbase does not report whether a key is bound to an application",
    "key.symbols": "Coinbase does not report the products a key is limited to",
    "account_facts.uid": "Coinbase did not name the key's portfolio",
    "account_facts.parent_uid": "Coinbase has portfolios in place of sub-accounts, and names no owner",
    "account_facts.is_master": "Coinbase has portfolios in place of sub-accounts",
}

REFUSALS = (
    Refusal(
        codes=(),
        text="missing required scopes|permission is required",
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("invalid_scope",),
        reason=Reason.MISSING_PERMISSION,
        say="the key lacks the permission for this request",
    ),
    Refusal(
        codes=("two_factor_required",),
        reason=Reason.MISSING_PERMISSION,
        say="the request needs a second factor",
    ),
    # Not the key's scope: "User does not have the correct permissions", "User is not allowed to convert crypto".
    Refusal(
        codes=("PERMISSION_DENIED",),
        reason=Reason.ACCOUNT_RESTRICTED,
        say="the account, or its region, may not use this feature",
    ),
    Refusal(
        codes=(),
        text="request timestamp expired",
        reason=Reason.CLOCK_SKEW,
        say="the time of the request is too far from Coinbase's",
    ),
    Refusal(
        codes=("resource_exhausted", "rate_limit_exceeded"),
        reason=Reason.RATE_LIMITED,
        say="too many requests",
    ),
    Refusal(
        codes=(),
        http=401,
        reason=Reason.AMBIGUOUS,
        say="not accepted, and Coinbase does not tell why: the key is wrong, deleted, disabled or not "
        "active yet, or the secret is wrong, or this host's address is not on the key's IP allowlist, "
        "or its clock is wrong",
    ),
)

_SCOPES = "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-scopes"

ADAPTER = Adapter(
    id="coinbase",
    title="Coinbase",
    host="https://api.coinbase.com",
    reads=(INFO, ACCOUNTS, ORDERS),
    fetch=fetch,
    parse=parse,
    error_of=error_of,
    refusals=REFUSALS,
    # 30 private requests a second; by whom they are counted is not confirmed, so for the whole host.
    limits=(Limit(30, 1, Scope.IP),),
    tests={"spot": (ACCOUNTS, ORDERS)},
    # Valid tokens are answered with 401 now and then: https://github.com/coinbase/coinbase-advanced-py/issues/132
    retries={Reason.AMBIGUOUS: 3},
    untold=UNTOLD,
    left_open=frozenset({WHY_BEYOND_SPOT}),
    links=(
        "https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/data-api/get-api-key-permissions",
        _SCOPES,
        "https://docs.cdp.coinbase.com/coinbase-app/authentication-authorization/api-key-authentication",
    ),
    steps=(
        Step(
            reach="exit:convert",
            any_of=("trade",),
            says="Trade also converts between currencies (POST /api/v3/brokerage/convert)",
            source=_SCOPES,
        ),
    ),
    how_to=(
        "Coinbase Developer Platform > API keys > Secret API keys > Create API key.",
        "Choose the one portfolio that the strategy trades: a key is limited to its portfolio.",
        "Under API restrictions tick View and Trade; leave Transfer unticked: it sends funds away.",
        (
            "Enter the server's addresses into the IP allowlist; attest it in the manifest, because "
            "no API shows it."
        ),
        "Keep the private key as it is given, with its line breaks where it is in PEM (ECDSA).",
    ),
)
