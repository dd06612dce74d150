"""Bybit v5, as documented at https://bybit-exchange.github.io/docs/v5/ (guide, user, rate limit, error codes).

A permission of a key is written `Group.Name`, such as `Spot.SpotTrade`; `readOnly` makes the key read-only.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held, secret_of
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds, number_of, page
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, derive_text, from_base64, hmac_hex, same, verifies
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_ERRORS: Mapping[Wrong, tuple[int, str]] = {
    Wrong.UNKNOWN: (10003, "API key is invalid."),
    Wrong.FROZEN: (10003, "API key is invalid."),
    Wrong.CLOCK: (10002, "invalid request, please check your server timestamp or recv_window param"),
    Wrong.SIGNATURE: (10004, "Error sign, please check your signature generation algorithm."),
    Wrong.EXPIRED: (33004, "(Derivatives) Your api key has expired."),
    Wrong.ACCOUNT: (10008, "User has been banned."),
    Wrong.IP: (10010, "Unmatched IP, please check your API key's bound IP addresses."),
    Wrong.PERMISSION: (10005, "Permission denied, please check your API key permissions."),
}  # fmt: skip
_HEADERS = ("X-BAPI-API-KEY", "X-BAPI-TIMESTAMP", "X-BAPI-SIGN")
_GROUPS = (
    "ContractTrade", "Spot", "Wallet", "Options", "Derivatives", "CopyTrading", "BlockTrade", "Exchange", "NFT",
    "Affiliate", "Earn", "FiatP2P", "FiatConvertBroker", "FiatGlobalPay", "FiatBitPay", "BitCard", "ByXPost",
)  # fmt: skip
_WALLET = "Wallet.AccountTransfer|Wallet.SubMemberTransfer|Wallet.Withdraw"
_SPOT = "Spot.SpotTrade"
_FUTURES = (
    "ContractTrade.Order|ContractTrade.Position|Derivatives.DerivativesTrade|Options.OptionsTrade"
)


def _error(call: Call, code: int, message: str) -> Answer:
    body = {
        "retCode": code,
        "retMsg": message,
        "result": {},
        "retExtInfo": {},
        "time": call.now_ms,
    }
    return Answer(body)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.MISSING:
        return Answer(b"", 401)
    if wrong is Wrong.PERMISSION and call.mode("eu-wording"):
        return _error(call, 10005, "Invalid API-key, IP, or permissions for action.")
    return _error(call, *_ERRORS[wrong])


def _window(call: Call) -> int:
    return milliseconds(call.headers.get("X-BAPI-RECV-WINDOW")) or 5000


def _signed(call: Call, held: Held) -> bool:
    stamp, window = call.headers["X-BAPI-TIMESTAMP"], call.headers.get("X-BAPI-RECV-WINDOW", "")
    message = f"{stamp}{held.text}{window}{call.query}".encode() + call.body
    signature = call.headers["X-BAPI-SIGN"]
    if held.public is not None:
        return verifies(held.public, from_base64(signature), message)
    return same(hmac_hex(held.secret, message), signature)


_scheme = Scheme(
    key=lambda call: call.headers.get("X-BAPI-API-KEY"),
    complete=lambda call: all(call.headers.get(name) for name in _HEADERS),
    timely=lambda call: in_window(
        call,
        milliseconds(call.headers["X-BAPI-TIMESTAMP"]),
        behind_ms=_window(call),
        ahead_ms=999,
    ),
    signed=_signed,
    refuse=_refuse,
)


def _ok(result: Callable[[Call], Json]) -> Callable[[Call], Json]:
    return lambda call: {
        "retCode": 0,
        "retMsg": "",
        "result": result(call),
        "retExtInfo": {},
        "time": call.now_ms,
    }


def _permissions(held: Held) -> dict[str, Json]:
    named = [token.partition(".") for token in held.key.permissions if "." in token]
    groups = dict.fromkeys((*_GROUPS, *(group for group, _, _ in named)))
    return {group: [name for of, _, name in named if of == group] for group in groups}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _end(call: Call, held: Held) -> dict[str, Json]:
    """A key without an IP list ends after 90 days; -2 and 1970 stand for never."""
    ends = held.expires
    if ends is None and not held.key.ips:
        ends = held.created + timedelta(days=90)
    if ends is None:
        return {"deadlineDay": -2, "expiredAt": "1970-01-01T00:00:00Z"}
    left = ends.timestamp() - call.now_ms / 1000
    return {"deadlineDay": int(left // 86400), "expiredAt": _moment(ends)}


def _described(call: Call, held: Held) -> dict[str, Json]:
    return {
        "id": derive_text(f"bybit id {held.name}", 7, "123456789"),
        "note": held.key.label,
        "apiKey": held.text,
        "secret": "",
        "permissions": _permissions(held),
        "ips": list(held.key.ips) or ([] if call.mode("empty-ips") else ["*"]),
        "type": 2 if "third-party" in held.key.modes else 1,
        "createdAt": _moment(held.created),
        **_end(call, held),
    }


def _query_api(call: Call) -> Json:
    held = call.held
    parent = call.book.parent_uid(held.account)
    return {
        **_described(call, held),
        "readOnly": int("readOnly" in held.permissions),
        "unified": 0,
        "uta": 0 if call.mode("classic") else 1,
        "userID": int(call.book.uid(held.account)),
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "" if held.public is None else "(a public key)",
        "isMaster": parent is None,
        "parentUid": parent or "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "MYS",
        **held.key.extra,
    }


def _subs(call: Call) -> Json:
    members = [
        {
            "uid": call.book.uid(sub),
            "username": sub.name,
            "memberType": 1,
            "status": 4 if sub.frozen else 1,
            "remark": "",
            "accountMode": 5,
        }
        for sub in call.book.subs(call.account)
    ]
    return {"subMembers": members, "nextCursor": "0"}


def _pages_of_subs(call: Call) -> Json:
    start, size = number_of(call, "nextCursor", 1, most=10_000), number_of(call, "pageSize", 100, most=100)  # fmt: skip
    every = _subs(call)["subMembers"]
    more = start * size < len(every)
    return {
        "subMembers": page(every, start, size),
        "nextCursor": str(start + 1) if more else "0",
    }


def _sub_keys(call: Call) -> Json:
    uid = call.params.get("subMemberId")
    subs = call.book.subs(call.account)
    sub: Account | None = next((each for each in subs if call.book.uid(each) == uid), None)
    if sub is None:
        raise Refused(_error(call, 10001, "sub member does not exist"))
    held = call.book.keys_of(sub)
    start, size = number_of(call, "cursor", 1, most=10_000), number_of(call, "limit", 20, most=20)
    shown = [
        {
            **_described(call, each),
            "readOnly": "readOnly" in each.permissions,
            "secret": "******",
            "status": 2 if each.expired else 1 if each.key.ips else 3,
            "flag": each.key.type,
        }
        for each in page(held, start, size)
    ]
    return {"result": shown, "nextPageCursor": str(start + 1) if start * size < len(held) else ""}


def _balance(call: Call) -> Json:
    coins = [
        {"coin": asset, "walletBalance": free, "equity": free}
        for asset, free in call.account.balances.items()
    ]
    return {"list": [{"accountType": "UNIFIED", "totalEquity": "0", "coin": coins}]}


def _orders(call: Call) -> Json:
    category = call.params.get("category", "")
    needs = _SPOT if category == "spot" else _FUTURES
    if call.held.permissions.isdisjoint(needs.split("|")):
        raise Refused(_refuse(call, Wrong.PERMISSION, needs))
    return {"list": [], "nextPageCursor": "", "category": category}


def _credentials(seed: str, key: Key) -> Credentials:
    secret, public = secret_of(seed, key, derive_text(f"{seed} secret", 36, ALPHANUMERIC))
    return Credentials(derive_text(f"{seed} key", 18, ALPHANUMERIC), secret, public=public)


def _read(
    path: str, result: Callable[[Call], Json], needs: str = "", pool: str = "user"
) -> Endpoint:
    return Endpoint(
        path=f"GET /v5/{path}", answer=_ok(result), scheme=_scheme, needs=needs, pool=pool
    )


def _trouble(code: int, message: str) -> Json:
    return {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 0}


SITE = Site(
    id="bybit",
    credentials=_credentials,
    modes={
        "empty-ips": "a key without an IP list shows [] instead of ['*']",
        "classic": "the account is not unified",
        "third-party": "the key is connected to a third-party application",
        "eu-wording": "a missing permission is told as Bybit EU does",
    },
    # https://bybit-exchange.github.io/docs/v5/rate-limit
    quotas=(
        Quota(10, 1, "uid", "user"),
        Quota(50, 1, "uid", "account"),
        Quota(50, 1, "uid", "order"),
        Quota(10, 1, "uid", "members"),
    ),
    troubles={
        "rate-limit": (200, _trouble(10006, "Too many visits. Exceeded the API Rate Limit.")),
        "ban": (403, _trouble(10018, "access too frequent")),
        "maintenance": (503, _trouble(10016, "The system is under maintenance")),
        "region-451": (451, _trouble(10024, "Compliance rules triggered")),
        "server-error": (500, _trouble(10016, "Internal System Error.")),
    },
    handler=routes(
        Endpoint(
            path="GET /v5/market/time",
            answer=_ok(lambda call: {"timeSecond": str(call.now_ms // 1000), "timeNano": f"{call.now_ms}000000"}),
        ),
        # any permission may call it
        _read("user/query-api", _query_api),
        _read("user/query-sub-members", _subs, _WALLET, "members"),
        _read("user/submembers", _pages_of_subs, _WALLET, "members"),
        _read("user/sub-apikeys", _sub_keys, pool="members"),
        _read("asset/withdraw/query-address", lambda _call: {"rows": [], "nextPageCursor": ""}, "Wallet.Withdraw", "members"),
        _read("account/wallet-balance", _balance, f"{_SPOT}|{_FUTURES}|{_WALLET}", "account"),
        _read("order/realtime", _orders, pool="order"),
        otherwise=lambda call: _error(call, 10017, "Route not found."),
    ),
)  # fmt: skip
