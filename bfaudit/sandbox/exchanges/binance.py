"""Binance spot, wallet, sub-account and USD-M futures, as documented at https://developers.binance.com/docs/."""

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held, secret_of
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds, number_of, page
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import derive_text, from_base64, hmac_hex, same, verifies
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

RESTRICTIONS = (
    "enableReading",
    "enableWithdrawals",
    "enableInternalTransfer",
    "enableMargin",
    "enableFutures",
    "permitsUniversalTransfer",
    "enableVanillaOptions",
    "enableFixApiTrade",
    "enableFixReadOnly",
    "enableSpotAndMarginTrading",
    "enablePortfolioMarginTrading",
)
"""Every right of a key, in the order of the documented payload."""

_REJECTED = (401, -2015, "Invalid API-key, IP, or permissions for action.")
_MANDATORY = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
# HTTP status, code, message: binance-spot-api-docs/errors.md
_ERRORS: Mapping[Wrong, tuple[int, int, str]] = {
    Wrong.MALFORMED: (401, -2014, "API-key format invalid."),
    Wrong.UNKNOWN: (401, -2008, "Invalid Api-Key ID."),
    Wrong.WINDOW: (400, -1131, "recvWindow must be less than 60000."),
    Wrong.SIGNATURE: (400, -1022, "Signature for this request is not valid."),
    # -2015 is one answer to three questions
    Wrong.IP: _REJECTED,
    Wrong.PERMISSION: _REJECTED,
    Wrong.FROZEN: _REJECTED,
}


def _error(status: int, code: int, message: str) -> Answer:
    return Answer({"code": code, "msg": message}, status)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    futures = call.path.startswith("/fapi/")
    match wrong:
        case Wrong.MISSING if not call.headers.get("X-MBX-APIKEY"):
            return _error(*_ERRORS[Wrong.MALFORMED])
        case Wrong.MISSING:
            lost = "signature" if "timestamp" in call.params else "timestamp"
            return _error(400, -1102, _MANDATORY.format(lost))
        case Wrong.CLOCK:
            return _error(400, -1021, _late_or_early(call))
        case Wrong.FROZEN if futures:
            return _error(400, -2017, "API Keys are locked on this account.")
    status, code, message = _ERRORS[wrong]
    if code == -2015 and futures:
        message += f", request ip: {call.address}"
    if code == -2015 and call.mode("sapi-400") and call.path.startswith("/sapi/"):
        status = 400
    return _error(status, code, message)


def _late_or_early(call: Call) -> str:
    stamp = milliseconds(call.params.get("timestamp")) or 0
    if stamp > call.now_ms:
        return "Timestamp for this request was 1000ms ahead of the server's time."
    return "Timestamp for this request is outside of the recvWindow."


def _signed(call: Call, held: Held) -> bool:
    payload, _, signature = call.query.rpartition("&signature=")
    message = payload.encode()
    if held.public is None:
        return same(hmac_hex(held.secret, message), signature.lower())
    return verifies(held.public, from_base64(unquote(signature)), message)


def _window(call: Call) -> int:
    return milliseconds(call.params.get("recvWindow")) or 5000


_scheme = Scheme(
    key=lambda call: call.headers.get("X-MBX-APIKEY"),
    complete=lambda call: "timestamp" in call.params and "signature" in call.params,
    well_formed=lambda text: len(text) == 64 and text.isascii() and text.isalnum(),
    window=lambda call: _window(call) <= 60_000,
    timely=lambda call: in_window(
        call, milliseconds(call.params.get("timestamp")), behind_ms=_window(call), ahead_ms=999
    ),
    signed=_signed,
    refuse=_refuse,
    # no key expires, only its right to trade does; a suspended account may still be read
    tolerates=frozenset({Wrong.EXPIRED, Wrong.ACCOUNT}),
)


def _right(held: Held, name: str) -> bool:
    lapsed = held.expired and name == "enableSpotAndMarginTrading"
    return name in held.permissions and not lapsed


def _restrictions(call: Call) -> Json:
    held = call.held
    expiry = {"tradingAuthorityExpirationTime": held.expires_ms}
    return {
        "ipRestrict": bool(held.key.ips),
        "createTime": held.created_ms,
        **{name: _right(held, name) for name in RESTRICTIONS},
        **(expiry if held.expires and call.mode("trading-expiry") else {}),
        **held.key.extra,
    }


def _products(call: Call) -> Json:
    return {
        "vipLevel": 0,
        "isMarginEnabled": True,
        "isFutureEnabled": True,
        "isOptionsEnabled": True,
        "isPortfolioMarginRetailEnabled": True,
    }


def _trading_status(call: Call) -> Json:
    return {
        "data": {
            "isLocked": call.account.frozen,
            "plannedRecoverTime": 0,
            "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
            "updateTime": 1547630471725,
        }
    }


def _account(call: Call) -> Json:
    rates = {
        "maker": "0.00150000",
        "taker": "0.00150000",
        "buyer": "0.00000000",
        "seller": "0.00000000",
    }
    return {
        "makerCommission": 15,
        "takerCommission": 15,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": rates,
        "canTrade": not call.account.frozen,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": 1747630471725,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": free, "locked": "0.00000000"}
            for asset, free in call.account.balances.items()
        ],
        "permissions": ["SPOT"],
        "uid": int(call.book.uid(call.account)),
        **call.account.flags,
    }  # fmt: skip


_FUTURES_TOTALS = (
    "totalInitialMargin",
    "totalMaintMargin",
    "totalWalletBalance",
    "totalUnrealizedProfit",
    "totalMarginBalance",
    "totalPositionInitialMargin",
    "totalOpenOrderInitialMargin",
    "totalCrossWalletBalance",
    "totalCrossUnPnl",
    "availableBalance",
    "maxWithdrawAmount",
)


def _futures_account(call: Call) -> Json:
    return {
        "feeTier": 0,
        "feeBurn": True,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **dict.fromkeys(_FUTURES_TOTALS, "0.00000000"),
        "assets": [],
        "positions": [],
        **call.account.flags,
    }


def _email(sub: Account) -> str:
    return sub.name if "@" in sub.name else f"{sub.name}@example.com"


def _master(call: Call) -> Account:
    if call.account.parent is not None:
        raise Refused(_error(401, -1002, "You are not authorized to execute this request."))
    return call.account


def _sub_accounts(call: Call) -> Json:
    subs = call.book.subs(_master(call))
    wanted = call.params.get("email")
    listed = [
        {
            "subUserId": int(call.book.uid(sub)),
            "email": _email(sub),
            "remark": "",
            "isFreeze": sub.frozen,
            "createTime": 1544433328000,
            "isManagedSubAccount": False,
            "isAssetManagementSubAccount": False,
        }
        for sub in subs
        if wanted in (None, _email(sub))
    ]
    number = number_of(call, "page", 1, most=10_000)
    return {"subAccounts": page(listed, number, number_of(call, "limit", 1, most=200))}


def _keys_of_sub(call: Call) -> list[Held]:
    subs, email = call.book.subs(_master(call)), call.params.get("email")
    sub = next((each for each in subs if _email(each) == email), None)
    if sub is None:
        raise Refused(_error(400, -12022, "The sub-account does not exist."))
    wanted = call.params.get("subAccountApiKey")
    return [held for held in call.book.keys_of(sub) if wanted in (None, held.text)]


def _sub_keys(call: Call) -> Json:
    listed = [
        {
            "email": _email(held.account),
            "apiName": held.key.label,
            "apikey": held.text,
            "canTrade": _right(held, "enableSpotAndMarginTrading"),
            "canMarginLoanRepay": _right(held, "enableMargin"),
            "canFuturesTrade": _right(held, "enableFutures"),
            "canUniversalTransfer": _right(held, "permitsUniversalTransfer"),
            "canVanillaOptions": _right(held, "enableVanillaOptions"),
            "timestamp": held.created_ms,
        }
        for held in _keys_of_sub(call)
    ]
    number, size = number_of(call, "page", 1, most=10_000), number_of(call, "size", 20, most=100)
    rows = "list" if call.mode("rows-as-list") else "rows"
    return {"total": len(listed), rows: page(listed, number, size)}


def _sub_key_addresses(call: Call) -> Json:
    held = next(iter(_keys_of_sub(call)), None)
    if held is None or "subAccountApiKey" not in call.params:
        raise Refused(_error(400, -1102, _MANDATORY.format("subAccountApiKey")))
    return {
        # NOTE: a text, unlike the same field of apiRestrictions
        "ipRestrict": "true" if held.key.ips else "false",
        "ipList": held.key.ips,
        "updateTime": held.created_ms,
        "apiKey": held.text,
    }


def _credentials(seed: str, key: Key) -> Credentials:
    secret, public = secret_of(seed, key, derive_text(f"{seed} secret", 64))
    return Credentials(derive_text(f"{seed} key", 64), secret, public=public)


def _public(path: str, answer: Callable[[Call], Json], pool: str = "api") -> Endpoint:
    return Endpoint(path=f"GET /{path}", answer=answer, pool=pool)


def _read(path: str, answer: Callable[[Call], Json], weight: float = 1, *,
          needs: str = "enableReading", pool: str | None = None) -> Endpoint:  # fmt: skip
    pool = pool or path.partition("/")[0]
    return Endpoint(path=f"GET /{path}", answer=answer, scheme=_scheme, needs=needs, weight=weight, pool=pool)  # fmt: skip


def _server_time(call: Call) -> Json:
    return {"serverTime": call.now_ms}


SITE = Site(
    id="binance",
    credentials=_credentials,
    modes={
        "trading-expiry": "adds tradingAuthorityExpirationTime where the key's trading right expires",
        "rows-as-list": "sub-account keys are under `list`, as before 2026-07-30",
        "sapi-400": "-2015 comes with HTTP 400 from /sapi, as older reports have it",
    },
    # X-MBX-USED-WEIGHT-1M and X-SAPI-USED-*: per address, sub-account key reads per account
    quotas=(
        Quota(6000, 60, "ip", "api"),
        Quota(2400, 60, "ip", "fapi"),
        Quota(12_000, 60, "ip", "sapi"),
        Quota(180_000, 60, "uid", "sapi uid"),
    ),
    troubles={
        "rate-limit": (429, {"code": -1003, "msg": "Too much request weight used; please use WebSocket Streams for live updates to avoid polling the API."}),
        "ban": (418, {"code": -1003, "msg": "Way too much request weight used; IP banned until 1893456000000. Please use WebSocket Streams for live updates to avoid bans."}),
        "maintenance": (503, {"code": -1, "msg": "System is under maintenance."}),
        "region-451": (451, {"code": 0, "msg": "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error."}),
        "server-error": (500, {"code": -1000, "msg": "An unknown error occurred while processing the request."}),
    },
    handler=routes(
        _public("api/v3/ping", lambda _call: {}),
        _public("api/v3/time", _server_time),
        _public("fapi/v1/time", _server_time, "fapi"),
        _public("fapi/v1/ping", lambda _call: {}, "fapi"),
        _read("sapi/v1/account/apiRestrictions", _restrictions),
        _read("sapi/v1/account/info", _products),
        _read("sapi/v1/account/status", lambda call: {"data": "Locked" if call.account.frozen else "Normal"}),
        _read("sapi/v1/account/apiTradingStatus", _trading_status),
        _read("api/v3/account", _account, 20),
        _read("api/v3/openOrders", lambda _call: [], 80),
        _read("fapi/v2/account", _futures_account, 5, needs="enableFutures"),
        _read("fapi/v1/openOrders", lambda _call: [], 40, needs="enableFutures"),
        _read("sapi/v1/sub-account/list", _sub_accounts),
        _read("sapi/v1/sub-account/subAccountApi", _sub_keys, 3000, pool="sapi uid"),
        _read("sapi/v1/sub-account/subAccountApi/ipRestriction", _sub_key_addresses, 3000, pool="sapi uid"),
        otherwise=lambda _call: Answer(b"<html><h2>404 Not found</h2></html>", 404, content_type="text/html"),
    ),
)  # fmt: skip
