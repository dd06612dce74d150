"""BingX, as documented at https://bingx-api.github.io/docs-v3/ and https://github.com/BingX-API/api-ai-skills."""

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds, number_of, page
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, derive_text, hmac_hex, same
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_NO_KEY = (100413, "Incorrect apiKey")
_ERRORS: Mapping[Wrong, tuple[int, str]] = {
    Wrong.MISSING: (100412, "null signature"),
    # an expired key is a deleted one
    Wrong.UNKNOWN: _NO_KEY,
    Wrong.EXPIRED: _NO_KEY,
    Wrong.FROZEN: _NO_KEY,
    Wrong.WINDOW: (100421, "recvWindow is too large"),
    Wrong.CLOCK: (100421, "Null timestamp or timestamp mismatch"),
    Wrong.SIGNATURE: (100001, "Signature verification failed due to signature mismatch"),
    Wrong.ACCOUNT: (100414, "The account is restricted by risk control"),
}
_NAMES = {"1": "Spot Trading", "2": "Read", "3": "Perpetual Futures Trading"}
_NOT_MAIN = (
    100403,
    "The current account is not the main account, and the operation is not allowed",
)


def _error(call: Call, code: int, message: str) -> Answer:
    return Answer({"code": code, "msg": message, "timestamp": call.now_ms})


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.IP:
        text = (
            f"your current request IP is {call.address} does not match IP whitelist , please go to "
        )
        where = "https://bingx.com/en/account/api/ to verify the ip you have set"
        return _error(call, 100419, text + where)
    if wrong is Wrong.PERMISSION:
        text = "Permission denied as the API key was created without the permission，this api need "
        where = " permission， please config it in https://bingx.com/en/account/api"
        return _error(call, 100004, text + _NAMES[needs] + where)
    if wrong is Wrong.MISSING and "X-BX-APIKEY" not in call.headers:
        return _error(call, *_NO_KEY)
    return _error(call, *_ERRORS[wrong])


def _window(call: Call) -> int:
    return milliseconds(call.params.get("recvWindow")) or 5000


def _signed(call: Call, held: Held) -> bool:
    # the parameters are signed before they are encoded
    payload, _, signature = call.query.rpartition("&signature=")
    return same(hmac_hex(held.secret, unquote(payload).encode()), signature)


_scheme = Scheme(
    key=lambda call: call.headers.get("X-BX-APIKEY"),
    complete=lambda call: "signature" in call.params,
    window=lambda call: _window(call) <= 5000,
    timely=lambda call: in_window(
        call, milliseconds(call.params.get("timestamp")), behind_ms=_window(call), ahead_ms=5000
    ),
    signed=_signed,
    refuse=_refuse,
)


def _ok(data: Callable[[Call], Json]) -> Callable[[Call], Json]:
    return lambda call: {"code": 0, "timestamp": call.now_ms, "data": data(call)}


def _codes(held: Held) -> list[int]:
    return [int(token) for token in held.key.permissions if token.isdigit()]


def _addresses(call: Call, held: Held) -> list[str]:
    return list(held.key.ips) or ([""] if call.mode("empty-address") else [])


def _switches(held: Held) -> dict[str, Json]:
    has = held.permissions.__contains__
    return {
        "ipRestrict": bool(held.key.ips),
        "createTime": held.created_ms,
        "enableReading": has("2"),
        "enableSpotAndMarginTrading": has("1"),
        "enableWithdrawals": has("5"),
        "enableInternalTransfer": has("7"),
        "enableFutures": has("3"),
        "permitsUniversalTransfer": has("4"),
        "enableVanillaOptions": False,
    }


def _permissions(call: Call) -> Json:
    held = call.held
    if call.mode("booleans"):
        return {"code": 0, "data": {**_switches(held), **held.key.extra}}
    record = {
        "apiKey": "",
        "permissions": _codes(held),
        "ipAddresses": _addresses(call, held),
        "note": held.key.label,
        **held.key.extra,
    }
    return {"code": 0, "data": record} if call.mode("data-wrapped") else record


def _restrictions(call: Call) -> Json:
    switches = _switches(call.held)
    if call.mode("old-restrictions"):
        known = ("enableWithdrawals", "enableInternalTransfer", "enableVanillaOptions")
        return {name: value for name, value in switches.items() if name not in known}
    return {"code": 0, "data": switches}


def _masked(text: str) -> str:
    return f"{text[:2]}*******{text[-2:]}"


def _keys(call: Call) -> Json:
    uid, wanted = call.params.get("uid"), call.params.get("apiKey")
    own = (call.account, *call.book.subs(call.account))
    account = next((each for each in own if call.book.uid(each) == uid), None)
    if account is None:
        raise Refused(_error(call, *_NOT_MAIN))
    name = "apiKeyList" if call.mode("api-key-list") else "apiInfos"
    return {
        name: [
            {
                "apiKey": _masked(held.text),
                "note": held.key.label,
                "permissions": _codes(held),
                "ipAddresses": list(held.key.ips) or [""],
                "status": 0,
                "createTime": held.created_ms,
                "updateTime": held.created_ms,
            }
            for held in call.book.keys_of(account)
            if wanted in (None, held.text)
        ]
    }


def _main(call: Call) -> Account:
    if call.account.parent is not None:
        raise Refused(_error(call, *_NOT_MAIN))
    return call.account


def _subs(call: Call) -> Json:
    subs = call.book.subs(_main(call))
    number = number_of(call, "page", 1, most=10_000)
    shown = page(subs, number, number_of(call, "limit", 100, most=1000))
    listed: list[Json] = [
        {
            "subUid": call.book.uid(sub),
            "subAccountString": sub.name,
            "note": "",
            "freeze": sub.frozen,
            "createTime": 1700847351000,
        }
        for sub in shown
    ]
    return {"result": listed, "pageId": number, "total": len(subs)}


def _balances(call: Call) -> Json:
    return {
        "balances": [
            {"asset": asset, "free": free, "locked": "0"}
            for asset, free in call.account.balances.items()
        ]
    }


def _futures_balance(call: Call) -> Json:
    free = call.account.balances.get("USDT", "0")
    return {"balance": {"asset": "USDT", "balance": free, "equity": free, "availableMargin": free}}


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(
        derive_text(f"{seed} key", 76, ALPHANUMERIC), derive_text(f"{seed} secret", 76, ALPHANUMERIC)
    )  # fmt: skip


def _read(path: str, answer: Callable[[Call], Json], *, units: float = 5) -> Endpoint:
    # 5 a second per account: 10 units, of which each request takes 2
    return Endpoint(
        path=f"GET /openApi/{path}", answer=answer, scheme=_scheme, needs="2", weight=10 / units, pool=path
    )  # fmt: skip


_READS = (
    _read("v1/account/apiPermissions", _permissions, units=2),
    _read("v1/account/apiRestrictions", _restrictions),
    _read("account/v1/apiKey/query", _ok(_keys)),
    _read("account/v1/uid", _ok(lambda call: {"uid": int(call.book.uid(call.account))})),
    _read("subAccount/v1/list", _ok(_subs)),
    _read("spot/v1/account/balance", _ok(_balances)),
    _read("spot/v1/trade/openOrders", _ok(lambda _call: {"orders": []})),
    _read("swap/v2/user/balance", _ok(_futures_balance)),
    _read("swap/v2/trade/openOrders", _ok(lambda _call: {"orders": []})),
)

SITE = Site(
    id="bingx",
    credentials=_credentials,
    modes={
        "booleans": "apiPermissions answers with one boolean per right, as a later page shows it",
        "data-wrapped": "apiPermissions has its record inside `data`",
        "empty-address": "no restriction is a list with one empty text",
        "api-key-list": "apiKey/query calls its list apiKeyList, as a later page shows it",
        "old-restrictions": "apiRestrictions is bare and without withdrawals, as on the old page",
    },
    quotas=tuple(Quota(10, 1, "uid", each.pool) for each in _READS),
    troubles={
        "rate-limit": (200, {"code": 100410, "msg": "rate limited"}),
        "ban": (418, {"code": 418}),
        "maintenance": (200, {"code": 100503, "msg": "server busy"}),
        "region-451": (451, {"code": 451, "msg": "Unavailable For Legal Reasons"}),
        "server-error": (200, {"code": 100500, "msg": "internal error"}),
    },
    handler=routes(
        Endpoint(
            path="GET /openApi/swap/v2/server/time", answer=_ok(lambda call: {"serverTime": call.now_ms})
        ),
        *_READS,
        otherwise=lambda call: _error(call, 100400, "this api is not exist"),
    ),
)  # fmt: skip
