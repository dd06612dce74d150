"""MEXC spot and contract, as documented at https://www.mexc.com/api-docs/ (spot v3, contract v1)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds, number_of, page
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, HEX, derive_text, hmac_hex, same
from bfaudit.sandbox.scenario import Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

# https://www.mexc.com/api-docs/spot-v3/error-code; spot answers HTTP 400 for its own codes
_SPOT: Mapping[Wrong, tuple[int, str]] = {
    Wrong.MISSING: (400, "api key required"),
    Wrong.MALFORMED: (700001, "API-key format invalid"),
    Wrong.UNKNOWN: (10072, "Api key info invalid"),
    Wrong.WINDOW: (700005, "recvWindow must less than 60000"),
    Wrong.CLOCK: (700003, "Timestamp for this request is outside of the recvWindow."),
    Wrong.SIGNATURE: (700002, "Signature for this request is not valid."),
    # NOTE: an expired key is told like a wrong secret
    Wrong.EXPIRED: (700002, "Signature for this request is not valid."),
    Wrong.FROZEN: (10072, "Api key info invalid"),
    Wrong.ACCOUNT: (60005, "your account is abnormal"),
    Wrong.PERMISSION: (700007, "No permission to access the endpoint."),
}
# contract answers HTTP 200, and names the kind of permission by its code
_CONTRACT: Mapping[Wrong, tuple[int, str]] = {
    Wrong.MISSING: (401, "No authority"),
    Wrong.MALFORMED: (401, "No authority"),
    Wrong.UNKNOWN: (401, "No authority"),
    Wrong.CLOCK: (513, "Invalid request time"),
    Wrong.SIGNATURE: (602, "Signature verification failed!"),
    Wrong.EXPIRED: (402, "Api_key expired"),
    Wrong.FROZEN: (401, "No authority"),
    Wrong.ACCOUNT: (1002, "Account abnormal"),
    Wrong.IP: (406, "Accessed IP is not in the whitelist"),
}
_CONTRACT_PERMISSIONS: Mapping[str, tuple[int, str]] = {
    "CONTRACT_ACCOUNT_READ": (701, "No permission to read the account"),
    "CONTRACT_ACCOUNT_WRITE": (702, "No permission to modify the account"),
    "CONTRACT_DEAL_READ": (703, "No permission to read trades"),
    "CONTRACT_DEAL_WRITE": (704, "No permission to trade"),
}


def _error(code: int, message: str, status: int = 400) -> Answer:
    return Answer({"code": code, "msg": message}, status)


def _refuse_spot(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.IP:
        return _error(700006, f"IP [{call.address}] not in the ip white list")
    return _error(*_SPOT[wrong])


def _refuse_contract(call: Call, wrong: Wrong, needs: str) -> Answer:
    code, message = _CONTRACT_PERMISSIONS[needs] if wrong is Wrong.PERMISSION else _CONTRACT[wrong]
    status = 401 if code == 401 else 200
    return Answer({"success": False, "code": code, "message": message}, status)


def _well_formed(text: str) -> bool:
    return text.startswith("mx0") and text.isascii() and text.isalnum()


def _spot_signed(call: Call, held: Held) -> bool:
    payload, _, signature = call.query.rpartition("&signature=")
    return same(hmac_hex(held.secret, payload.encode() + call.body), signature)


def _spot_window(call: Call) -> int:
    return milliseconds(call.params.get("recvWindow")) or 5000


_spot = Scheme(
    key=lambda call: call.headers.get("X-MEXC-APIKEY"),
    well_formed=_well_formed,
    window=lambda call: _spot_window(call) <= 60_000,
    timely=lambda call: in_window(
        call,
        milliseconds(call.params.get("timestamp")),
        behind_ms=_spot_window(call),
        ahead_ms=999,
    ),
    signed=_spot_signed,
    refuse=_refuse_spot,
)
# a frozen key may still be described: its status says so
_describing = replace(_spot, tolerates=frozenset({Wrong.FROZEN}))


def _contract_signed(call: Call, held: Held) -> bool:
    pairs = sorted(call.query.split("&"), key=lambda pair: pair.partition("=")[0])
    message = held.text + call.headers["Request-Time"] + "&".join(pairs)
    return same(hmac_hex(held.secret, message.encode()), call.headers.get("Signature", ""))


_contract = Scheme(
    key=lambda call: call.headers.get("ApiKey"),
    complete=lambda call: "Request-Time" in call.headers and "Signature" in call.headers,
    well_formed=_well_formed,
    timely=lambda call: in_window(
        call, milliseconds(call.headers["Request-Time"]), behind_ms=10_000, ahead_ms=10_000
    ),
    signed=_contract_signed,
    refuse=_refuse_contract,
)


def _created(call: Call, held: Held) -> Json:
    # the published example has milliseconds, the venue sends RFC 3339
    if call.mode("create-time-epoch"):
        return held.created_ms
    return held.created.isoformat(timespec="milliseconds")


def _key_info(call: Call) -> Json:
    asked = call.params.get("accessKey")
    if not asked:
        raise Refused(_error(730707, "accessKey cannot be null"))
    held = call.book.keys.get(asked)
    if held is None or held.account is not call.account or held.key.state == "deleted":
        raise Refused(_error(730706, "API KEY information does not exist"))
    return {
        "note": held.key.label,
        "apikey" if call.mode("apikey-field") else "accessKey": held.text,
        "createTime": _created(call, held),
        "permissions": ",".join(held.key.permissions),
        "remainingValidity": -999 if held.days_left is None else max(0, held.days_left),
        "ipWhiteList": ",".join(held.key.ips),
        "status": "FROZEN" if held.key.state == "frozen" else "VALID",
        **held.key.extra,
    }


def _refuse_write(_call: Call) -> Answer:
    # POST on this path widens a key's own IP whitelist: nothing here may ever do that
    return _error(405, "Request method 'POST' not supported", 405)


def _account(call: Call) -> Json:
    return {
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "updateTime": None,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": free, "locked": "0"}
            for asset, free in call.account.balances.items()
        ],
        "permissions": ["SPOT"],
        **call.account.flags,
    }


def _sub_accounts(call: Call) -> Json:
    subs = call.book.subs(call.account)
    shown = page(
        subs, number_of(call, "page", 1, most=10_000), number_of(call, "limit", 10, most=200)
    )
    return {
        "subAccounts": [
            {
                "subAccount": sub.name,
                "isFreeze": sub.frozen,
                "createTime": 1544433328000,
                "uid": call.book.uid(sub),
            }
            for sub in shown
        ]
    }


def _sub_account_keys(call: Call) -> Json:
    named = call.params.get("subAccount")
    sub = next((each for each in call.book.subs(call.account) if each.name == named), None)
    if sub is None:
        raise Refused(_error(140001, "sub account does not exist"))
    return {
        "subAccount": [
            {
                "note": held.key.label,
                "apiKey": held.text,
                "permissions": ",".join(held.key.permissions),
                "ip": ",".join(held.key.ips),
                # NOTE: misspelt by the exchange
                "creatTime": held.created_ms,
            }
            for held in call.book.keys_of(sub)
        ]
    }


def _of_contract(data: Callable[[Call], Json]) -> Callable[[Call], Json]:
    return lambda call: {"success": True, "code": 0, "data": data(call)}


def _assets(call: Call) -> Json:
    return [
        {
            "currency": asset,
            "positionMargin": 0,
            "availableBalance": float(free),
            "cashBalance": float(free),
            "frozenBalance": 0,
            "equity": float(free),
            "unrealized": 0,
            "bonus": 0,
        }
        for asset, free in call.account.balances.items()
    ]


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(
        "mx0" + derive_text(f"{seed} key", 15, ALPHANUMERIC), derive_text(f"{seed} secret", 32, HEX)
    )


def _spot_read(
    path: str, answer: Callable[[Call], Json], needs: str = "SPOT_ACCOUNT_READ", weight: float = 1
) -> Endpoint:
    return Endpoint(
        path=f"GET /api/v3/{path}", answer=answer, scheme=_spot, needs=needs, weight=weight
    )


def _contract_read(path: str, answer: Callable[[Call], Json], needs: str) -> Endpoint:
    return Endpoint(
        path=f"GET /api/v1/private/{path}",
        answer=_of_contract(answer),
        scheme=_contract,
        needs=needs,
        pool=path,
    )


SITE = Site(
    id="mexc",
    credentials=_credentials,
    modes={
        "create-time-epoch": "createTime is milliseconds, as in the published example",
        "apikey-field": "the key is in `apikey`, as in the published field table",
    },
    # 500 of weight in 10 seconds per address and per account; contract reads 20 in 2 seconds
    quotas=(
        Quota(500, 10, "ip"),
        Quota(500, 10, "uid"),
        Quota(20, 2, "uid", "account/assets"),
        Quota(20, 2, "uid", "order/list/open_orders"),
    ),
    troubles={
        "rate-limit": (429, {"code": 429, "msg": "Too Many Requests"}),
        "ban": (418, {"code": 418, "msg": "I'm a teapot"}),
        "maintenance": (503, {"code": 604, "msg": "The system is under maintenance"}),
        "region-451": (451, {"code": 451, "msg": "Unavailable For Legal Reasons"}),
        "server-error": (500, {"code": 500, "msg": "Internal error"}),
    },
    handler=routes(
        Endpoint(path="GET /api/v3/ping", answer=lambda _call: {}),
        Endpoint(path="GET /api/v3/time", answer=lambda call: {"serverTime": call.now_ms}),
        Endpoint(path="GET /api/v3/apiKeyInfo", answer=_key_info, scheme=_describing, needs="SPOT_ACCOUNT_READ"),
        Endpoint(path="POST /api/v3/apiKeyInfo", answer=_refuse_write),
        _spot_read("uid", lambda call: {"uid": call.book.uid(call.account)}),
        _spot_read("account", _account, weight=10),
        _spot_read("kyc/status", lambda _call: {"status": "3"}),
        _spot_read("selfSymbols", lambda _call: {"code": 200, "data": ["BTCUSDT", "ETHUSDT"], "msg": None}),
        _spot_read("openOrders", lambda _call: [], "SPOT_DEAL_READ", weight=3),
        _spot_read("capital/withdraw/history", lambda _call: [], "SPOT_WITHDRAW_READ"),
        _spot_read("capital/transfer", lambda _call: {"rows": [], "total": 0}, "SPOT_TRANSFER_READ"),
        _spot_read("sub-account/list", _sub_accounts),
        _spot_read("sub-account/apiKey", _sub_account_keys),
        Endpoint(path="GET /api/v1/contract/ping", answer=_of_contract(lambda call: call.now_ms)),
        _contract_read("account/assets", _assets, "CONTRACT_ACCOUNT_READ"),
        _contract_read("order/list/open_orders", lambda _call: [], "CONTRACT_DEAL_READ"),
        otherwise=lambda _call: _error(404, "Not Found", 404),
    ),
)  # fmt: skip
