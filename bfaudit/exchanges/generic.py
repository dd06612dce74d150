"""Exchanges without an adapter of their own: one harmless read tells whether a key works, and nothing tells what it may do.

The reads, shapes and paces are those of ccxt 4.5; a test holds the table against the installed ccxt.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import NamedTuple

from bfaudit.exchanges.base import Adapter, Ask, Context, Limit, Read, Refusal, Replies, Scope
from bfaudit.facts import FACTS, FactsBuilder
from bfaudit.model import Facts, Json, Reason, Source


class Probe(NamedTuple):
    """The one read of one exchange."""

    exchange: str
    """The ccxt id."""
    title: str
    host: str
    path: str
    call: str | tuple[str, tuple[str, ...]]
    """As in `Read.call`."""
    expects: str
    """Where every documented success has something, as in `Read.expects`; `|` for either."""
    every: float
    """Seconds between two requests that the exchange bears."""


PROBES = (
    Probe("bequant", "Bequant", "https://api.bequant.io", "GET /api/3/spot/balance", "privateGetSpotBalance", "[]", 0.05),
    Probe("bigone", "BigONE", "https://big.one", "GET /api/v3/viewer/accounts", "privateGetAccounts", "data.[]", 0.05),
    Probe("binanceus", "Binance US", "https://api.binance.us", "GET /api/v3/account", "privateGetAccount", "balances", 0.2),
    Probe("bitflyer", "bitFlyer", "https://api.bitflyer.com", "GET /v1/me/getbalance", "privateGetGetbalance", "[]", 1.0),
    Probe("bithumb", "Bithumb", "https://api.bithumb.com", "GET /v1/accounts", "privateGetV1Accounts", "[]", 0.05),
    Probe("bitopro", "BitoPro", "https://api.bitopro.com", "GET /v3/accounts/balance", "privateGetAccountsBalance", "data.[]", 0.1),
    Probe("bitrue", "Bitrue", "https://www.bitrue.com", "GET /api/v1/account", "spotV1PrivateGetAccount", "balances", 0.25),
    Probe("bitso", "Bitso", "https://bitso.com", "GET /api/v3/balance", "privateGetBalance", "payload.balances", 2.0),
    Probe("bitstamp", "Bitstamp", "https://www.bitstamp.net", "POST /api/v2/account_balances/", "privatePostAccountBalances", "[]", 0.1),
    Probe("bitvavo", "Bitvavo", "https://api.bitvavo.com", "GET /v2/balance", "privateGetBalance", "[]", 0.3),
    Probe("btcmarkets", "BTC Markets", "https://api.btcmarkets.net", "GET /v3/accounts/me/balances", "privateGetAccountsMeBalances", "[]", 1.0),
    Probe("btcturk", "BTCTurk", "https://api.btcturk.com", "GET /api/v1/users/balances", "privateGetUsersBalances", "data.[]", 0.1),
    Probe("cex", "CEX.IO", "https://trade.cex.io", "POST /api/spot/rest/get_my_wallet_balance", "privatePostGetMyWalletBalance", "data", 1.5),
    Probe("coinbaseexchange", "Coinbase Exchange", "https://api.exchange.coinbase.com", "GET /accounts", ("accounts", ("private",)), "[]", 0.1),
    Probe("coinsph", "Coins.ph", "https://api.pro.coins.ph", "GET /openapi/v1/account", "privateGetOpenapiV1Account", "balances", 0.5),
    Probe("cryptocom", "Crypto.com", "https://api.crypto.com", "POST /exchange/v1/private/user-balance", "v1PrivatePostPrivateUserBalance", "result.data", 0.05),
    Probe("delta", "Delta Exchange", "https://api.delta.exchange", "GET /v2/wallet/balances", "privateGetWalletBalances", "result.[]", 0.3),
    Probe("digifinex", "DigiFinex", "https://openapi.digifinex.com", "GET /v3/spot/assets", "privateSpotGetSpotAssets", "list.[]", 0.9),
    Probe("fmfwio", "FMFW.io", "https://api.fmfw.io", "GET /api/3/spot/balance", "privateGetSpotBalance", "[]", 0.05),
    Probe("foxbit", "Foxbit", "https://api.foxbit.com.br", "GET /rest/v3/accounts", "v3PrivateGetAccounts", "data.[]", 0.1),
    Probe("gemini", "Gemini", "https://api.gemini.com", "POST /v1/balances", "privatePostV1Balances", "[]", 0.2),
    Probe("hashkey", "HashKey Global", "https://api-glb.hashkey.com", "GET /api/v1/account", "privateGetApiV1Account", "balances", 0.1),
    Probe("hitbtc", "HitBTC", "https://api.hitbtc.com", "GET /api/3/spot/balance", "privateGetSpotBalance", "[]", 0.05),
    Probe("independentreserve", "Independent Reserve", "https://api.independentreserve.com", "POST /Private/GetAccounts", "privatePostGetAccounts", "[]", 1.0),
    Probe("krakenfutures", "Kraken Futures", "https://futures.kraken.com", "GET /derivatives/api/v3/accounts", "privateGetAccounts", "accounts", 0.6),
    Probe("latoken", "Latoken", "https://api.latoken.com", "GET /v2/auth/account", "privateGetAuthAccount", "[]", 1.0),
    Probe("lbank", "LBank", "https://api.lbank.info", "POST /v2/supplement/user_info.do", "spotPrivatePostSupplementUserInfo", "data.[]", 0.05),
    Probe("luno", "Luno", "https://api.luno.com", "GET /api/1/balance", "privateGetBalance", "balance.[]", 0.2),
    Probe("p2b", "P2B", "https://api.p2pb2b.com", "POST /api/v2/account/balances", "privatePostAccountBalances", "result", 0.1),
    Probe("phemex", "Phemex", "https://api.phemex.com", "GET /spot/wallets", "privateGetSpotWallets", "data.[]", 0.6),
    Probe("poloniex", "Poloniex", "https://api.poloniex.com", "GET /accounts/balances", "privateGetAccountsBalances", "[]", 0.05),
    Probe("tokocrypto", "Tokocrypto", "https://www.tokocrypto.com", "GET /open/v1/account/spot", "privateGetOpenV1AccountSpot", "data.accountAssets", 2.0),
    Probe("toobit", "Toobit", "https://api.toobit.com", "GET /api/v1/account", "privateGetApiV1Account", "balances", 0.1),
    Probe("upbit", "Upbit", "https://api.upbit.com", "GET /v1/accounts", "privateGetAccounts", "[]", 0.05),
    Probe("weex", "WEEX", "https://api-spot.weex.com", "GET /api/v3/account/", "privateGetApiV3Account", "balances", 0.1),
    Probe("whitebit", "WhiteBIT", "https://whitebit.com", "POST /api/v4/trade-account/balance", "v4PrivatePostTradeAccountBalance", "BTC.available|USDT.available", 0.05),
    Probe("woo", "WOO X", "https://api.woox.io", "GET /v3/asset/balances", "v3PrivateGetAssetBalances", "data.holding", 0.1),
    Probe("xt", "XT", "https://sapi.xt.com", "GET /v4/balances", "privateSpotGetBalances", "result.assets", 0.1),
    Probe("zebpay", "Zebpay", "https://sapi.zebpay.com", "GET /api/v2/account/balance", "privateSpotGetV2AccountBalance", "data.[]", 0.5),
)  # fmt: skip

CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "coinbaseexchange": ("key", "secret", "passphrase"),
    "weex": ("key", "secret", "passphrase"),
}
"""The roles of ccxt's `requiredCredentials`, where there are others than key and secret."""


def _say(*rows: tuple[tuple[str, ...], Reason, str]) -> tuple[Refusal, ...]:
    return tuple(Refusal(codes=codes, reason=reason, say=say) for codes, reason, say in rows)


_IP = "this host's address is not on the key's IP list"
_LACKS = "the key lacks the permission for this read"
_NO_KEY = "no such key, or it is not active"
_SIGNATURE = "the signature is not valid"
_TIME = "the time or number of the request is not accepted"
_BUSY = "too many requests"
_UNCLEAR = "the key is not accepted: the exchange does not tell why"

# Codes of the exchange's own, where they are known.
OWN: Mapping[str, tuple[Refusal, ...]] = {
    "bitvavo": _say(
        (("305",), Reason.UNKNOWN_KEY, _NO_KEY),
        (
            ("306",),
            Reason.AMBIGUOUS,
            "the key waits for its confirmation by e-mail, or there is none",
        ),
        (("301",), Reason.AMBIGUOUS, "the key does not have the form of a Bitvavo key"),
        (("307",), Reason.IP_NOT_ALLOWED, _IP),
        (("308", "309"), Reason.WRONG_SECRET, _SIGNATURE),
        (("310", "311", "312"), Reason.MISSING_PERMISSION, _LACKS),
        (("302", "303", "304"), Reason.CLOCK_SKEW, _TIME),
        (("300",), Reason.AMBIGUOUS, _UNCLEAR),
        (("317",), Reason.ACCOUNT_RESTRICTED, "the account is locked"),
        (("103", "104"), Reason.RATE_LIMITED, _BUSY),
        (("105",), Reason.BANNED, "this host's address or the key is banned for a while"),
        (("107", "108", "109"), Reason.SERVER_ERROR, "Bitvavo is overloaded"),
    ),
    "cryptocom": _say(
        (("40103",), Reason.IP_NOT_ALLOWED, _IP),
        (("40101", "10002", "10003"), Reason.AMBIGUOUS, _UNCLEAR),
        (("40102", "10007"), Reason.CLOCK_SKEW, _TIME),
        (("40104", "10005", "20005"), Reason.ACCOUNT_RESTRICTED, "not open to this account"),
        (("42901", "10006"), Reason.RATE_LIMITED, _BUSY),
        (("9010001",), Reason.MAINTENANCE, "Crypto.com is under maintenance"),
    ),
    "gemini": _say(
        (("InvalidApiKey",), Reason.UNKNOWN_KEY, _NO_KEY),
        (("InvalidSignature",), Reason.WRONG_SECRET, _SIGNATURE),
        (("MissingRole",), Reason.MISSING_PERMISSION, _LACKS),
        (("InvalidNonce", "BadNonce"), Reason.CLOCK_SKEW, _TIME),
        (("RateLimit",), Reason.RATE_LIMITED, _BUSY),
        (("Maintenance",), Reason.MAINTENANCE, "Gemini is under maintenance"),
    ),
    "lbank": _say(
        (("10005", "10006"), Reason.UNKNOWN_KEY, _NO_KEY),
        (("10007",), Reason.WRONG_SECRET, _SIGNATURE),
        (("10022",), Reason.AMBIGUOUS, _UNCLEAR),
        (("10600",), Reason.CLOCK_SKEW, _TIME),
        (("10004",), Reason.RATE_LIMITED, _BUSY),
        (("10601",), Reason.MAINTENANCE, "LBank is under maintenance"),
    ),
    "phemex": _say(
        (("401",), Reason.AMBIGUOUS, _UNCLEAR),
        (("11022",), Reason.ACCOUNT_RESTRICTED, "the account is banned"),
    ),
    "upbit": _say(
        (("no_authorization_ip",), Reason.IP_NOT_ALLOWED, _IP),
        (("expired_access_key",), Reason.EXPIRED, "the key has expired"),
        (("invalid_access_key",), Reason.UNKNOWN_KEY, _NO_KEY),
        (("jwt_verification",), Reason.WRONG_SECRET, _SIGNATURE),
        (("out_of_scope",), Reason.MISSING_PERMISSION, _LACKS),
        (("nonce_used",), Reason.CLOCK_SKEW, _TIME),
        (("thirdparty_agreement_required",), Reason.ACCOUNT_RESTRICTED, "an agreement is missing"),
    ),
    "whitebit": (
        Refusal(
            codes=(),
            text="enable your key in api settings",
            reason=Reason.AMBIGUOUS,
            say="the key is disabled, or this host's address is not on its IP list",
        ),
        Refusal(codes=(), text="unauthorized request", reason=Reason.AMBIGUOUS, say=_UNCLEAR),
    ),
}

# What texts of many exchanges have in common; a text that means several things is ambiguous.
TEXTS: tuple[tuple[str, Reason, str], ...] = (
    (r"key.{0,12}\bip\b.{0,12}permission", Reason.AMBIGUOUS, _UNCLEAR),
    (r"\bip\b.{0,40}(not (allowed|permitted|in|on|authori[sz]ed|trusted)|denied|illegal|white|restrict)", Reason.IP_NOT_ALLOWED, _IP),
    (r"(white|allow)[ -]?list.{0,30}\bip\b|not allow.{0,20}\bip\b|ip_illegal|no_authorization_ip", Reason.IP_NOT_ALLOWED, _IP),
    (r"(key|token).{0,20}(or|and|,).{0,6}(signature|digest)", Reason.AMBIGUOUS, _UNCLEAR),
    (r"(nonce|timestamp|time ?stamp|recv_?window|request expired)", Reason.CLOCK_SKEW, _TIME),
    (r"signature.{0,40}(invalid|wrong|mismatch|incorrect|fail|not valid|not match)|(invalid|wrong|incorrect|bad).{0,12}signature", Reason.WRONG_SECRET, _SIGNATURE),
    (r"key(_| has | is | was | )(already )?expired|expired[ _](api|access).?key", Reason.EXPIRED, "the key has expired"),
    (r"disabled api.?key|api.?key( has been | is | was | )disabled", Reason.DISABLED, "the key is disabled"),
    (r"(api|access).?key( is | was | )(not found|not exist|does not exist|doesn't exist)", Reason.UNKNOWN_KEY, _NO_KEY),
    (r"no permission|permission.{0,12}(denied|required|missing)|not authori[sz]ed to perform|don't have permission|insufficient (scope|permission)|missing.{0,10}scope", Reason.MISSING_PERMISSION, _LACKS),
    (r"account.{0,20}(frozen|locked|suspended|banned)", Reason.ACCOUNT_RESTRICTED, "the account is frozen, locked or banned"),
    (r"too many requests|rate.?limit|too frequent|limit ?exceeded", Reason.RATE_LIMITED, _BUSY),
    (r"maintenance", Reason.MAINTENANCE, "the exchange is under maintenance"),
    (r"(api|access).?key|authenticat|unauthori[sz]ed|jwt", Reason.AMBIGUOUS, _UNCLEAR),
)  # fmt: skip

SUCCESS = frozenset({"", "0", "200", "0000", "00000", "SUCCESS"})
_CODES = ("errorCode", "error_code", "mc", "code", "rc")
_NAMES = ("name", "reason")
_MESSAGES = (
    "message",
    "msg",
    "error_message",
    "reason",
    "error_description",
    "description",
    "error",
)
_BARE = frozenset(
    {
        *_CODES,
        *_NAMES,
        *_MESSAGES,
        "errors",
        "success",
        "status",
        "response",
        "notification",
        "warning",
    }
)
"""A body that has nothing else says nothing but what went wrong."""
_FAILED: Mapping[str, frozenset[str]] = {
    "success": frozenset({"false", "0"}),
    "result": frozenset({"false", "error"}),
    "status": frozenset({"error", "FAILURE", "fail", "failed"}),
}


def generic(probe: Probe) -> Adapter:
    """The adapter of an exchange of which nothing is known but one read."""
    read = Read(
        label="balance",
        path=probe.path,
        call=probe.call,
        needs="reading",
        expects=tuple(probe.expects.split("|")),
    )
    why = f"bfaudit asks {probe.title} only whether a key works, not what it may do"
    path = probe.path.partition(" ")[2]
    shared = (Refusal(codes=(), text=text, reason=reason, say=say) for text, reason, say in TEXTS)
    return Adapter(
        id=probe.exchange,
        title=probe.title,
        support="status-only",
        host=probe.host,
        credentials=CREDENTIALS.get(probe.exchange, ("key", "secret")),
        reads=(read,),
        fetch=_fetch(read),
        parse=_parse(read, why),
        error_of=error_of,
        refusals=(*OWN.get(probe.exchange, ()), *shared),
        limits=(Limit(1, probe.every, Scope.IP),),
        tests={"spot": (read,)},
        posts=frozenset({path} if read.method == "POST" else ()),
        untold=dict.fromkeys(FACTS, why),
        links=(f"https://docs.ccxt.com/exchanges/{probe.exchange}",),
        how_to=(
            "Create the key on the exchange's web page with reading and trading on.",
            "Leave withdrawal and transfer off.",
            "Bind it to the server's IP addresses, where the exchange offers it.",
            "Keep a dated attestation of what is ticked: no audit can read it there.",
        ),
    )


def _fetch(read: Read) -> Callable[[Ask], Awaitable[None]]:
    async def fetch(ask: Ask) -> None:
        await ask(read)

    return fetch


def _parse(read: Read, why: str) -> Callable[[Replies, Context], Facts]:
    def parse(replies: Replies, context: Context) -> Facts:
        facts = FactsBuilder(read.path, Source.PROBE)
        reply = replies.get(read.label)
        if reply is not None and reply.ok:
            facts.grant("read", granted=True, limitation="a read of balances succeeded")
        return facts.build({}, why)

    return parse


def error_of(body: Json) -> tuple[str, str] | None:
    """Code and message by the names that exchanges give them; None where nothing looks like an error."""
    if isinstance(body, list):  # of balances or accounts, each of them an object
        return None if all(isinstance(row, dict) for row in body) else ("", "")
    if not isinstance(body, dict):
        return ("", "")
    inner = body.get("error")
    parts = (inner, body) if isinstance(inner, dict) else (body,)
    code, message = _first(parts, _CODES), _first(parts, _MESSAGES)
    failed = any(_text(body.get(name)) in values for name, values in _FAILED.items())
    told = {name for name, value in body.items() if value is not None}
    bare = bool(message) and told <= _BARE
    if not (failed or bare or inner or body.get("errors")) and code in SUCCESS:
        return None
    return (_first(parts, _NAMES) if code in SUCCESS else code), message


def _first(parts: tuple[dict[str, Json], ...], names: tuple[str, ...]) -> str:
    found = (_text(part.get(name)) for part in parts for name in names)
    return next((text for text in found if text), "")


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:500] if isinstance(value, str | int) else ""


def adapters() -> Iterator[Adapter]:
    """One adapter for each row of the table."""
    return map(generic, PROBES)
