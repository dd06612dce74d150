"""Bitget v2 and v3, as documented at https://www.bitget.com/api-doc/ (spot, uta, common).

Permissions are the codes of a classic key (`stor`, `stow`, `wwow`, ...) or the words of a unified one (`uta_trade`,
`withdraw`, ...; `read-only` for its permType). The flag `unified` of an account makes it a unified account.
"""

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds, number_of, page
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, HEX, derive_text, hmac_base64, same
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_ERRORS: Mapping[Wrong, tuple[str, str]] = {
    Wrong.UNKNOWN: ("40037", "Apikey does not exist"),
    Wrong.EXPIRED: ("40037", "Apikey does not exist"),
    Wrong.FROZEN: ("40006", "Invalid ACCESS_KEY"),
    Wrong.MALFORMED: ("40006", "Invalid ACCESS_KEY"),
    Wrong.CLOCK: ("40008", "Request timestamp expired"),
    Wrong.SIGNATURE: ("40009", "sign signature error"),
    Wrong.PASSPHRASE: ("40012", "apikey/password is incorrect"),
    Wrong.ACCOUNT: ("40013", "User status is abnormal"),
    Wrong.IP: ("40018", "Invalid IP"),
}
_HEADERS = {
    "ACCESS-KEY": "40001",
    "ACCESS-SIGN": "40003",
    "ACCESS-TIMESTAMP": "40005",
    "ACCESS-PASSPHRASE": "40011",
}
_NEEDS: Mapping[str, str] = {
    "stor|stow": "spot order read or spot order write",
    "coor|coow|cpor|cpow": "future order read or future order write",
    "chor|chow": "sub account read or sub account write",
    "uta_mgt": "uta manage read or uta manage write",
    "uta_mgt|uta_trade": "uta manage read or uta trade read",
    "uta_trade": "uta trade read or uta trade write",
}
_UNIFIED = frozenset(
    {"uta_mgt", "uta_trade", "withdraw", "copy_futures_position", "copy_futures_order", "read-only"}
)


def _error(call: Call, code: str, message: str) -> Answer:
    body = {"code": code, "msg": message, "requestTime": call.now_ms, "data": None}
    return Answer(body, 400)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.MISSING:
        name = next(name for name in _HEADERS if not call.headers.get(name))
        return _error(call, _HEADERS[name], f"{name.replace('-', '_')} cannot be empty")
    if wrong is Wrong.PERMISSION:
        return _error(call, "40014", f"Incorrect permissions, need {_NEEDS[needs]} permissions")
    return _error(call, *_ERRORS[wrong])


def _signed(call: Call, held: Held) -> bool:
    # the query is signed before it is encoded
    query = f"?{unquote(call.query)}" if call.query else ""
    message = f"{call.headers['ACCESS-TIMESTAMP']}{call.method}{call.path}{query}".encode()
    return same(hmac_base64(held.secret, message + call.body), call.headers["ACCESS-SIGN"])


_scheme = Scheme(
    key=lambda call: call.headers.get("ACCESS-KEY"),
    complete=lambda call: all(call.headers.get(name) for name in _HEADERS),
    well_formed=lambda text: text.startswith("bg_"),
    timely=lambda call: in_window(
        call, milliseconds(call.headers["ACCESS-TIMESTAMP"]), behind_ms=30_000, ahead_ms=30_000
    ),
    signed=_signed,
    passphrase=lambda call, held: same(held.passphrase, call.headers["ACCESS-PASSPHRASE"]),
    refuse=_refuse,
)


def _is_unified(account: Account) -> bool:
    return account.flags.get("unified") is True


def _ok(data: Callable[[Call], Json]) -> Callable[[Call], Json]:
    return lambda call: {
        "code": "00000",
        "msg": "success",
        "requestTime": call.now_ms,
        "data": data(call),
    }


def _of_classic(data: Callable[[Call], Json]) -> Callable[[Call], Json]:
    def answer(call: Call) -> Json:
        if _is_unified(call.account):
            text = "You are in Unified Account mode, and the Classic Account API is not supported at this time"
            raise Refused(_error(call, "40085", text))
        return data(call)

    return _ok(answer)


def _of_unified(data: Callable[[Call], Json]) -> Callable[[Call], Json]:
    def answer(call: Call) -> Json:
        if not _is_unified(call.account):
            raise Refused(_error(call, "25245", "The account is not a unified account"))
        if call.held.permissions.isdisjoint(_UNIFIED):
            # upgrading the account does not upgrade its keys
            raise Refused(_refuse(call, Wrong.PERMISSION, "uta_mgt"))
        return data(call)

    return _ok(answer)


def _addresses(call: Call, held: Held) -> Json:
    if call.mode("ips-null") and not held.key.ips:
        return None
    return list(held.key.ips) if call.mode("ips-list") else ",".join(held.key.ips)


def _account(call: Call) -> dict[str, Json]:
    return {
        "userId": call.book.uid(call.account),
        "inviterId": "",
        "channelCode": "",
        "channel": "",
        "ips": _addresses(call, call.held),
        "regisTime": "1704067200000",
    }


def _classic_info(call: Call) -> Json:
    parent = call.book.parent_uid(call.account) or call.book.uid(call.account)
    return {
        **_account(call),
        "authorities": list(call.held.key.permissions),
        "parentId": int(parent),
        "traderType": "not_trader",
        **call.held.key.extra,
    }


def _kind(held: Held, *, writes: str, reads: str) -> str:
    return reads if "read-only" in held.permissions else writes


def _unified_info(call: Call) -> Json:
    spelt = ("read_and_write", "read_only") if call.mode("underscores") else ("read-and-write", "read-only")  # fmt: skip
    return {
        **_account(call),
        "parentId": call.book.parent_uid(call.account) or "",
        "permType": _kind(call.held, writes=spelt[0], reads=spelt[1]),
        "permissions": [token for token in call.held.key.permissions if token != "read-only"],
        **call.held.key.extra,
    }


def _assets(call: Call) -> Json:
    return [
        {"coin": asset, "available": free, "frozen": "0", "locked": "0", "uTime": str(call.now_ms)}
        for asset, free in call.account.balances.items()
    ]


def _futures(call: Call) -> Json:
    return [
        {"marginCoin": asset, "available": free, "locked": "0", "accountEquity": free}
        for asset, free in call.account.balances.items()
    ]


def _subs(call: Call) -> Json:
    listed = [
        {
            "subAccountUid": call.book.uid(sub),
            "subAccountName": sub.name,
            "status": "freeze" if sub.frozen else "normal",
            "permList": ["spot_trade"],
            "label": sub.name,
            "accountType": "virtual",
            "bindingTime": "",
            "cTime": "1704067200000",
            "uTime": "1704067200000",
        }
        for sub in call.book.subs(call.account)
    ]
    first = number_of(call, "idLessThan", 1, most=10_000)
    size = number_of(call, "limit", 100, most=500)
    more = first * size < len(listed)
    return {
        "endId": str(first + 1) if more else None,
        "subAccountList": page(listed, first, size),
    }


def _sub_named(call: Call, param: str) -> Account:
    uid = call.params.get(param)
    for sub in call.book.subs(call.account):
        if call.book.uid(sub) == uid:
            return sub
    raise Refused(_error(call, "40068", "Sub-account does not exist"))


_WORDS = {"stow": "spot_trade", "smow": "margin_trade", "coow": "contract_trade", "cpow": "contract_trade",
          "wtow": "transfer"}  # fmt: skip


def _words_of(held: Held) -> list[Json]:
    """A list of keys has words where the key's own record has codes."""
    return list(dict.fromkeys(_WORDS.get(code, "read") for code in held.key.permissions))


def _sub_keys(call: Call) -> Json:
    sub = _sub_named(call, "subAccountUid")
    return [
        {
            "subAccountUid": call.book.uid(sub),
            "label": held.key.label,
            "subAccountApiKey": held.text,
            "permList": _words_of(held),
            "ipList": list(held.key.ips),
        }
        for held in call.book.keys_of(sub)
    ]


def _unified_subs(call: Call) -> Json:
    listed: list[Json] = [
        {"subUid": call.book.uid(sub), "username": sub.name, "status": "normal"}
        for sub in call.book.subs(call.account)
    ]
    return _by_cursor(call, "list", listed)


def _by_cursor(call: Call, name: str, listed: list[Json]) -> Json:
    first = number_of(call, "cursor", 1, most=10_000)
    size = number_of(call, "limit", 100, most=100)
    more = first * size < len(listed)
    return {
        name: page(listed, first, size),
        "hasNext": more,
        "cursor": str(first + 1) if more else "",
    }


def _unified_sub_keys(call: Call) -> Json:
    items: list[Json] = [
        {
            "apiKey": held.text,
            "type": _kind(held, writes="read_write", reads="read_only"),
            "note": held.key.label,
            "permissions": [token for token in held.key.permissions if token != "read-only"],
            "ips": list(held.key.ips),
            "ts": str(held.created_ms),
        }
        for held in call.book.keys_of(_sub_named(call, "subUid"))
    ]
    return _by_cursor(call, "items" if call.mode("items") else "list", items)


def _unified_assets(call: Call) -> Json:
    coins = [
        {"coin": asset, "equity": free, "balance": free, "available": free, "locked": "0"}
        for asset, free in call.account.balances.items()
    ]
    return {"accountEquity": "0", "usdtEquity": "0", "btcEquity": "0", "assets": coins}


def _unfilled(call: Call) -> Json:
    return {"list": [], "cursor": ""}


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(
        "bg_" + derive_text(f"{seed} key", 32, HEX),
        derive_text(f"{seed} secret", 64, HEX),
        derive_text(f"{seed} passphrase", 12, ALPHANUMERIC),
    )


def _read(
    path: str, answer: Callable[[Call], Json], needs: str = "", pool: str = "account"
) -> Endpoint:
    return Endpoint(path=f"GET /api/{path}", answer=answer, scheme=_scheme, needs=needs, pool=pool)


def _trouble(code: str, message: str) -> Json:
    return {"code": code, "msg": message, "requestTime": 0, "data": None}


SITE = Site(
    id="bitget",
    credentials=_credentials,
    modes={
        "ips-list": "ips is a list, as live clients have seen it",
        "ips-null": "ips is null where there is none",
        "underscores": "permType is spelt with underscores",
        "items": "v3 sub-account keys come as `items` instead of `list`",
    },
    quotas=(
        Quota(5, 1, "uid", "unified"),
        Quota(1, 1, "uid", "classic"),
        Quota(10, 1, "uid", "account"),
        Quota(5, 1, "uid", "sub-accounts"),
    ),
    troubles={
        "rate-limit": (429, _trouble("429", "Too many requests")),
        "ban": (418, _trouble("429", "Too many requests")),
        "maintenance": (400, _trouble("40200", "Server upgrade, please try again later")),
        "region-451": (451, _trouble("451", "Unavailable For Legal Reasons")),
        "server-error": (500, _trouble("40015", "System is abnormal, please try again later")),
    },
    handler=routes(
        Endpoint(path="GET /api/v2/public/time", answer=_ok(lambda call: {"serverTime": str(call.now_ms)})),
        _read("v3/account/info", _of_unified(_unified_info), pool="unified"),
        _read("v2/spot/account/info", _of_classic(_classic_info), pool="classic"),
        _read("v2/spot/account/assets", _of_classic(_assets), "stor|stow"),
        _read("v2/spot/trade/unfilled-orders", _of_classic(lambda _call: []), "stor|stow"),
        _read("v2/mix/account/accounts", _of_classic(_futures), "coor|coow|cpor|cpow"),
        _read("v2/mix/order/orders-pending", _of_classic(lambda _call: {"entrustedList": None, "endId": None}), "coor|coow|cpor|cpow"),
        _read("v2/user/virtual-subaccount-list", _of_classic(_subs), "chor|chow", "sub-accounts"),
        _read("v2/user/virtual-subaccount-apikey-list", _of_classic(_sub_keys), "chor|chow", "sub-accounts"),
        _read("v3/account/assets", _of_unified(_unified_assets), "uta_mgt|uta_trade"),
        _read("v3/trade/unfilled-orders", _of_unified(_unfilled), "uta_trade"),
        _read("v3/user/sub-list", _of_unified(_unified_subs), "uta_mgt", "sub-accounts"),
        _read("v3/user/sub-api-list", _of_unified(_unified_sub_keys), "uta_mgt", "sub-accounts"),
        otherwise=lambda call: _error(call, "40404", "Request URL NOT FOUND"),
    ),
)  # fmt: skip
