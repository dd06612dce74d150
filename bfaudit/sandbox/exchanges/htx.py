"""HTX spot and contracts, as documented at https://huobiapi.github.io/docs/spot/v1/en/ and .../usdt_swap/v1/en/."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, number_of
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import HEX, derive_text, hmac_base64, same
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_SPOT_HOST = "api.huobi.pro"
_CONTRACT_HOST = "api.hbdm.vn"
_SIGNED = ("AccessKeyId", "SignatureMethod", "SignatureVersion", "Timestamp", "Signature")
_NO_KEY = "Incorrect Access key [Access key错误]"
# one code for all of them: only the text tells
_TEXTS: Mapping[Wrong, str] = {
    Wrong.UNKNOWN: _NO_KEY,
    Wrong.FROZEN: _NO_KEY,
    Wrong.SIGNATURE: "Verification failure [校验失败]",
    Wrong.CLOCK: "Invalid submission time or incorrect time format [无效的提交时间，或时间格式错误]",
    Wrong.EXPIRED: "API key has expired [API Key已经过期]",
    Wrong.IP: "Incorrect IP address [IP地址错误]",
    Wrong.PERMISSION: "API key has no permission [API Key没有权限]",
    Wrong.ACCOUNT: "Account locked",
}


def _v1_error(code: str, message: str) -> Answer:
    return Answer({"status": "error", "err-code": code, "err-msg": message, "data": None})


def _v2_error(code: int, message: str) -> Answer:
    return Answer({"code": code, "message": message})


def _refuse_spot(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.MISSING:
        return _v1_error("login-required", "Login is required.")
    if call.mode("v2-errors") and call.path.startswith("/v2/"):
        if wrong is Wrong.SIGNATURE:
            return _v2_error(1003, "invalid signature")
        if wrong is Wrong.PERMISSION:
            return _v2_error(1002, "forbidden")
    seen = f":{call.address}" if wrong is Wrong.IP else ""
    return _v1_error("api-signature-not-valid", f"Signature not valid: {_TEXTS[wrong]}{seen}")


def _refuse_contract(call: Call, wrong: Wrong, needs: str) -> Answer:
    message = _TEXTS.get(wrong, "Login is required.")
    if call.path.startswith("/v5/"):
        return _v2_error(401, message)
    return Answer({"status": "error", "err_code": 403, "err_msg": message, "ts": call.now_ms})


def _timely(call: Call) -> bool:
    try:
        moment = datetime.strptime(call.params["Timestamp"] + "Z", "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return False
    stamp_ms = int(moment.timestamp() * 1000)
    return in_window(call, stamp_ms, behind_ms=300_000, ahead_ms=300_000)


def _signed_for(host: str) -> Callable[[Call, Held], bool]:
    def signed(call: Call, held: Held) -> bool:
        payload, _, signature = call.query.rpartition("&Signature=")
        prehash = f"{call.method}\n{host}\n{call.path}\n{payload}"
        return same(hmac_base64(held.secret, prehash.encode()), unquote(signature))

    return signed


_spot = Scheme(
    key=lambda call: call.params.get("AccessKeyId"),
    complete=lambda call: all(name in call.params for name in _SIGNED),
    timely=_timely,
    signed=_signed_for(_SPOT_HOST),
    refuse=_refuse_spot,
    tolerates=frozenset({Wrong.ACCOUNT}),
)
_contract = replace(
    _spot, signed=_signed_for(_CONTRACT_HOST), refuse=_refuse_contract, tolerates=frozenset()
)


def _v2(data: Json, **more: Json) -> Json:
    return {"code": 200, "message": "success", "data": data, "ok": True, **more}


def _uid(call: Call) -> Json:
    return {"code": 200, "data": int(call.book.uid(call.account)), "ok": True}


def _described(call: Call, held: Held) -> dict[str, Json]:
    return {
        "accessKey": held.text,
        "status": "expired" if held.expired else "normal",
        "note": held.key.label,
        "permission": ",".join(held.key.permissions),
        **_addresses(call, held),
        "validDays": -1 if held.days_left is None else max(0, held.days_left),
        "createTime": held.created_ms,
        "updateTime": held.created_ms,
        **held.key.extra,
    }


def _addresses(call: Call, held: Held) -> dict[str, Json]:
    if not held.key.ips and call.mode("no-ip-field"):
        return {}
    return {"ipAddresses": ",".join(held.key.ips)}


def _api_key(call: Call) -> Json:
    uid, wanted = call.params.get("uid"), call.params.get("accessKey")
    if not uid:
        raise Refused(_v2_error(2002, "invalid field value in `uid`"))
    if call.account.parent is not None and call.mode("record-refused-to-subs"):
        raise Refused(_v2_error(1002, "forbidden"))
    own = (call.account, *call.book.subs(call.account))
    account = next((each for each in own if call.book.uid(each) == uid), None)
    if account is None:
        raise Refused(_v2_error(1002, "forbidden"))
    keys = call.book.keys_of(account)
    return _v2([_described(call, held) for held in keys if wanted in (None, held.text)])


def _master(call: Call) -> Account:
    if call.account.parent is not None:
        raise Refused(_v2_error(1002, "forbidden"))
    return call.account


def _sub_users(call: Call) -> Json:
    subs = sorted(call.book.subs(_master(call)), key=lambda sub: int(call.book.uid(sub)))
    first = number_of(call, "fromId", 1, most=10**9)
    left = [sub for sub in subs if int(call.book.uid(sub)) >= first]
    more = {"nextId": int(call.book.uid(left[100]))} if len(left) > 100 else {}
    listed = [
        {"uid": int(call.book.uid(sub)), "userState": "lock" if sub.frozen else "normal"}
        for sub in left[:100]
    ]
    return _v2(listed, **more)


def _withdraw_addresses(call: Call) -> Json:
    _master(call)
    if not call.params.get("currency"):
        raise Refused(_v2_error(2002, "invalid field value in `currency`"))
    return _v2([])


def _valuation(call: Call) -> Json:
    if call.params.get("accountType") not in ("spot", "margin", "otc", "super-margin"):
        raise Refused(_v2_error(2002, "invalid field value in `accountType`"))
    return _v2({"balance": call.account.balances.get("USDT", "0"), "timestamp": call.now_ms})


def _accounts(call: Call) -> Json:
    number = int(derive_text(f"htx account {call.account.name}", 8, "123456789"))
    return {
        "status": "ok",
        "data": [{"id": number, "type": "spot", "subtype": "", "state": "working"}],
    }


def _contract_balance(call: Call) -> Json:
    details = [
        {"currency": asset, "equity": free, "available": free}
        for asset, free in call.account.balances.items()
    ]
    data = {"state": "normal", "equity": "0", "details": details}
    return {"code": 200, "message": "Success", "data": data, "ts": call.now_ms}


def _credentials(seed: str, key: Key) -> Credentials:
    def dashed(kind: str) -> str:
        return "-".join(
            derive_text(f"{seed} {kind} {n}", size, HEX) for n, size in enumerate((8, 8, 8, 5))
        )

    return Credentials(dashed("key"), dashed("secret"))


def _read(path: str, answer: Callable[[Call], Json], pool: str = "default") -> Endpoint:
    return Endpoint(
        path=f"GET {path}", answer=answer, scheme=_spot, needs="readOnly", pool=pool
    )  # fmt: skip


def _contract_read(path: str, answer: Callable[[Call], Json]) -> Endpoint:
    return Endpoint(path=f"GET {path}", answer=answer, scheme=_contract, needs="readOnly")


SITE = Site(
    id="htx",
    credentials=_credentials,
    modes={
        "no-ip-field": "ipAddresses is left out where there is none",
        "v2-errors": "v2 paths answer a wrong signature with 1003 and a missing permission with 1002",
        "record-refused-to-subs": "a sub-user's key may not look at any key, its own included",
    },
    # 20 in 2 seconds per account for the user family, 10 a second per key otherwise
    quotas=(Quota(20, 2, "uid", "user"), Quota(10, 1, "key")),
    troubles={
        "rate-limit": (429, {"status": "error", "err-code": "rate-too-many-requests", "err-msg": "too many requests"}),
        "ban": (418, {"status": "error", "err-code": "rate-too-many-requests", "err-msg": "too many requests"}),
        "maintenance": (200, {"status": "maintain"}),
        "region-451": (451, {"code": 451, "message": "Unavailable For Legal Reasons"}),
        "server-error": (200, {"status": "error", "err-code": "gateway-internal-error", "err-msg": "internal error"}),
    },
    handler=routes(
        Endpoint(path="GET /v1/common/timestamp", answer=lambda call: {"status": "ok", "data": call.now_ms}),
        Endpoint(path="GET /v2/market-status", answer=lambda _call: _v2({"marketStatus": 1})),
        Endpoint(path="GET /api/v1/timestamp", answer=lambda call: {"status": "ok", "ts": call.now_ms}),
        _read("/v2/user/uid", _uid, "user"),
        _read("/v2/user/api-key", _api_key, "user"),
        _read("/v2/sub-user/user-list", _sub_users, "user"),
        _read("/v2/account/withdraw/address", _withdraw_addresses),
        _read("/v2/account/asset-valuation", _valuation),
        _read("/v1/account/accounts", _accounts),
        _read("/v1/order/openOrders", lambda _call: {"status": "ok", "data": []}),
        _contract_read("/v5/account/balance", _contract_balance),
        _contract_read("/v5/trade/order/opens", lambda call: {"code": 200, "message": "Success", "data": [], "ts": call.now_ms}),
        otherwise=lambda _call: _v1_error("bad-request", "Not Found"),
    ),
)  # fmt: skip
