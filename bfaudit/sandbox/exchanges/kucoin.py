"""KuCoin spot and futures, as documented at https://www.kucoin.com/docs-new/ (authentication, account info)."""

import re
from collections.abc import Callable, Mapping, Sequence

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds, number_of, page
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, HEX, derive_text, hmac_base64, same
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

# HTTP status, code, message
_ERRORS: Mapping[Wrong, tuple[int, str, str]] = {
    Wrong.MISSING: (
        400, "400001",
        "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP, KC-API-PASSPHRASE",
    ),
    Wrong.CLOCK: (400, "400002", "Invalid KC-API-TIMESTAMP"),
    # a deleted, an expired and another site's key are told alike
    Wrong.UNKNOWN: (401, "400003", "The API key does not exist or site mismatch."),
    Wrong.EXPIRED: (401, "400003", "The API key does not exist or site mismatch."),
    Wrong.FROZEN: (401, "400003", "The API key does not exist or site mismatch."),
    Wrong.PASSPHRASE: (401, "400004", "Invalid KC-API-PASSPHRASE"),
    Wrong.SIGNATURE: (401, "400005", "Invalid KC-API-SIGN"),
    Wrong.PERMISSION: (403, "400007", "Access denied, require more permission."),
    Wrong.ACCOUNT: (403, "411100", "User are frozen"),
}  # fmt: skip
_HEADERS = ("KC-API-KEY", "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE")


def _error(status: int, code: str, message: str) -> Answer:
    return Answer({"code": code, "msg": message}, status)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.IP:
        return _error(403, "400006", f"Invalid request ip, the current clientIp is:{call.address}")
    if wrong is Wrong.SIGNATURE and call.mode("passphrase-first"):
        wrong = Wrong.PASSPHRASE
    return _error(*_ERRORS[wrong])


def _signed(call: Call, held: Held) -> bool:
    prehash = f"{call.headers['KC-API-TIMESTAMP']}{call.method}{call.target}".encode() + call.body
    return same(hmac_base64(held.secret, prehash), call.headers["KC-API-SIGN"])


def _passphrase(call: Call, held: Held) -> bool:
    # version 1 sends it plain, 2 and 3 under the secret
    plain = call.headers.get("KC-API-KEY-VERSION", "1") == "1"
    expected = held.passphrase if plain else hmac_base64(held.secret, held.passphrase.encode())
    return same(expected, call.headers["KC-API-PASSPHRASE"])


_scheme = Scheme(
    key=lambda call: call.headers.get("KC-API-KEY"),
    complete=lambda call: all(name in call.headers for name in _HEADERS),
    timely=lambda call: in_window(
        call, milliseconds(call.headers["KC-API-TIMESTAMP"]), behind_ms=5000, ahead_ms=5000
    ),
    signed=_signed,
    passphrase=_passphrase,
    refuse=_refuse,
    order=(
        Wrong.MISSING,
        Wrong.CLOCK,
        Wrong.UNKNOWN,
        Wrong.EXPIRED,
        Wrong.FROZEN,
        Wrong.SIGNATURE,
        Wrong.PASSPHRASE,
        Wrong.IP,
        Wrong.ACCOUNT,
        Wrong.PERMISSION,
    ),
)


def _ok(data: Callable[[Call], Json]) -> Callable[[Call], Json]:
    return lambda call: {"code": "200000", "data": data(call)}


def _addresses(call: Call, held: Held) -> Mapping[str, str]:
    if not held.key.ips and call.mode("no-ip-field"):
        return {}
    listed = ",".join(held.key.ips)
    # the documented examples hide the octets in the middle: 203.**.154
    shown = re.sub(r"(\d+)\.\d+\.\d+\.(\d+)", r"\1.**.\2", listed)
    return {"ipWhitelist": shown if call.mode("masked-ips") else listed}


def _described(call: Call, held: Held) -> dict[str, Json]:
    is_sub = held.account.parent is not None
    return {
        "remark": held.key.label,
        "apiKey": held.text,
        "apiVersion": 3,
        "permission": ",".join(held.key.permissions),
        **_addresses(call, held),
        "createdAt": held.created_ms,
        "uid": int(call.book.uid(held.account)),
        "isMaster": not is_sub,
        **({"subName": held.account.name} if is_sub else {}),
    }


def _key_info(call: Call) -> Json:
    held = call.held
    parent = call.book.parent_uid(held.account)
    newer = {
        "region": "JP",
        "kycStatus": 1,
        "siteType": "global",
        "expiredAt": held.expires_ms,
        "thirdPartyApp": "",
        **({"parentUid": int(parent)} if parent else {}),
    }
    return {
        **_described(call, held),
        **(newer if call.mode("revision-2025-11") else {}),
        **held.key.extra,
    }


def _unified_key_info(call: Call) -> Json:
    about = {**_described(call, call.held), "region": "JP", "kycStatus": 1, "siteType": "global"}
    return {**about, **call.held.key.extra}


def _user_info(call: Call) -> Json:
    kinds = ("", "Spot", "Margin", "Futures", "Option")
    used = len(call.book.subs(call.account))
    return {
        "level": 1,
        **{
            f"sub{kind}Quantity" if kind else "subQuantity": used if not kind else 0
            for kind in kinds
        },
        **{f"max{kind}SubQuantity": 5 if kind in ("", "Spot") else 0 for kind in kinds},
        "maxDefaultSubQuantity": 5,
    }


def _accounts(call: Call) -> Json:
    return [
        {
            "id": derive_text(f"kucoin account {call.account.name} {asset}", 24, HEX),
            "currency": asset,
            "type": "trade",
            "balance": free,
            "available": free,
            "holds": "0",
        }
        for asset, free in call.account.balances.items()
    ]


def _paged(call: Call, items: Sequence[Json], *, size: int) -> Json:
    number = number_of(call, "currentPage", 1, most=10_000)
    size = number_of(call, "pageSize", size, most=500)
    return {
        "currentPage": number,
        "pageSize": size,
        "totalNum": len(items),
        "totalPage": -(-len(items) // size),
        "items": page(items, number, size),
    }


def _sub_users(call: Call) -> Json:
    subs = [_sub_user(call, sub) for sub in call.book.subs(call.account)]
    return _paged(call, subs, size=10)


def _sub_user(call: Call, sub: Account) -> Json:
    return {
        "userId": derive_text(f"kucoin user {sub.name}", 24, HEX),
        "uid": int(call.book.uid(sub)),
        "subName": sub.name,
        "status": 3 if sub.frozen else 2,
        "type": 0,
        "access": "All",
        "createdAt": 1668562696000,
        "remarks": "",
        "tradeTypes": ["Spot", "Futures", "Margin"],
        "openedTradeTypes": ["Spot"],
        "hostedStatus": None,
    }


def _sub_keys(call: Call) -> Json:
    named, wanted = call.params.get("subName"), call.params.get("apiKey")
    sub = next((each for each in call.book.subs(call.account) if each.name == named), None)
    if sub is None:
        raise Refused(_error(400, "400100", "sub user does not exist"))
    return [
        _described(call, held)
        for held in call.book.keys_of(sub)
        if wanted is None or wanted == held.text
    ]


def _overview(call: Call) -> Json:
    currency = call.params.get("currency", "XBT")
    amount = float(call.account.balances.get(currency, "0"))
    return {
        "accountEquity": amount,
        "unrealisedPNL": 0,
        "marginBalance": amount,
        "positionMargin": 0,
        "orderMargin": 0,
        "frozenFunds": 0,
        "availableBalance": amount,
        "currency": currency,
        "riskRatio": 0,
        "maxWithdrawAmount": amount,
    }


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(
        derive_text(f"{seed} key", 24, HEX),
        "-".join(derive_text(f"{seed} secret {n}", size, HEX) for n, size in enumerate((8, 4, 4, 4, 12))),
        derive_text(f"{seed} passphrase", 12, ALPHANUMERIC),
    )  # fmt: skip


def _public(path: str, data: Callable[[Call], Json], weight: float) -> Endpoint:
    return Endpoint(path=f"GET /api/{path}", answer=_ok(data), weight=weight, pool="public")


def _read(path: str, data: Callable[[Call], Json], needs: str = "General", *,
          weight: float, pool: str = "management") -> Endpoint:  # fmt: skip
    return Endpoint(
        path=f"GET /api/{path}", answer=_ok(data), scheme=_scheme, needs=needs, weight=weight, pool=pool
    )  # fmt: skip


SITE = Site(
    id="kucoin",
    credentials=_credentials,
    modes={
        "masked-ips": "ipWhitelist hides the octets in the middle, as in the documented examples",
        "no-ip-field": "ipWhitelist is left out where there is none",
        "revision-2025-11": "adds expiredAt, thirdPartyApp, parentUid, region, kycStatus, siteType",
        "passphrase-first": "a wrong secret is told as a wrong passphrase, which it hashes",
    },
    # https://www.kucoin.com/docs-new/rate-limit: the pools of VIP 0
    quotas=(
        Quota(2000, 30, "uid", "management"),
        Quota(4000, 30, "uid", "spot"),
        Quota(2000, 30, "uid", "futures"),
        Quota(2000, 30, "ip", "public"),
    ),
    troubles={
        "rate-limit": (429, {"code": "429000", "msg": "Too Many Requests"}),
        "ban": (418, {"code": "429000", "msg": "Too Many Requests"}),
        "maintenance": (503, {"code": "500000", "msg": "The system is under maintenance"}),
        "region-451": (451, {"code": "400500", "msg": "Your located country/region is currently not supported for the trading of this token"}),
        "server-error": (500, {"code": "500000", "msg": "Internal Server Error"}),
    },
    handler=routes(
        _public("v1/timestamp", lambda call: call.now_ms, 3),
        _public("ua/v1/user/my-ip", lambda call: call.address, 20),
        _read("v1/user/api-key", _key_info, weight=20),
        _read("ua/v1/user/api-key", _unified_key_info, weight=20),
        _read("v2/user-info", _user_info, weight=20),
        _read("v1/accounts", _accounts, weight=5),
        _read("v2/sub/user", _sub_users, weight=20),
        _read("v1/sub/api-key", _sub_keys, weight=20),
        # NOTE: spot and futures have the same path; both take General and answer a page
        _read("v1/orders", lambda call: _paged(call, [], size=50), weight=2, pool="spot"),
        _read("v1/hf/orders/active", lambda _call: [], weight=2, pool="spot"),
        _read("v1/account-overview", _overview, "Futures", weight=5, pool="futures"),
        otherwise=lambda _call: _error(404, "404000", "Url Not Found"),
    ),
)  # fmt: skip
