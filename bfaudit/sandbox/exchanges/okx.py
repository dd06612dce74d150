"""OKX v5, as documented at https://www.okx.com/docs-v5/en/ (overview, trading account, sub-account, error codes)."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds, number_of
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, HEX, derive_text, hmac_base64, same
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

# HTTP status, code, message
_ERRORS: Mapping[Wrong, tuple[int, str, str]] = {
    Wrong.MALFORMED: (401, "50111", "Invalid OK-ACCESS-KEY"),
    # a deleted, an expired and another site's key are told alike
    Wrong.UNKNOWN: (401, "50119", "API key doesn't exist"),
    Wrong.EXPIRED: (401, "50119", "API key doesn't exist"),
    Wrong.FROZEN: (400, "50100", "API frozen, please contact customer service."),
    Wrong.ACCOUNT: (200, "50007", "User blocked"),
    Wrong.CLOCK: (401, "50102", "Timestamp request expired"),
    Wrong.SIGNATURE: (401, "50113", "Invalid Sign"),
    Wrong.PASSPHRASE: (401, "50105", "Request header OK-ACCESS-PASSPHRASE incorrect."),
    Wrong.PERMISSION: (
        401, "50120", "This API key doesn't have permission to use this function"
    ),
}  # fmt: skip
_HEADERS = {
    "OK-ACCESS-KEY": "50103",
    "OK-ACCESS-PASSPHRASE": "50104",
    "OK-ACCESS-SIGN": "50106",
    "OK-ACCESS-TIMESTAMP": "50107",
}


def _error(status: int, code: str, message: str) -> Answer:
    return Answer({"msg": message, "code": code}, status)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.IP:
        # NOTE: the exchange really puts the key into its text
        text = f"Your IP {call.address} is not included in your API key's {call.held.text} IP whitelist."
        return _error(401, "50110", text)
    if wrong is Wrong.MISSING:
        name = next(name for name in _HEADERS if not call.headers.get(name))
        return _error(401, _HEADERS[name], f"Request header {name} can not be empty.")
    return _error(*_ERRORS[wrong])


def _stamp(call: Call) -> int | None:
    try:
        moment = datetime.fromisoformat(call.headers["OK-ACCESS-TIMESTAMP"])
    except ValueError:
        return None
    return round(moment.timestamp() * 1000) if moment.tzinfo else None


def _signed(call: Call, held: Held) -> bool:
    prehash = f"{call.headers['OK-ACCESS-TIMESTAMP']}{call.method}{call.target}".encode()
    return same(hmac_base64(held.secret, prehash + call.body), call.headers["OK-ACCESS-SIGN"])


def _well_formed(text: str) -> bool:
    return [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]


_scheme = Scheme(
    key=lambda call: call.headers.get("OK-ACCESS-KEY"),
    complete=lambda call: all(call.headers.get(name) for name in _HEADERS),
    well_formed=_well_formed,
    timely=lambda call: in_window(call, _stamp(call), behind_ms=30_000, ahead_ms=30_000),
    signed=_signed,
    passphrase=lambda call, held: same(held.passphrase, call.headers["OK-ACCESS-PASSPHRASE"]),
    refuse=_refuse,
)


def _ok(data: Callable[[Call], list[Json]]) -> Callable[[Call], Json]:
    return lambda call: {"code": "0", "msg": "", "data": data(call)}


def _config(call: Call) -> list[Json]:
    held = call.held
    uid = call.book.uid(held.account)
    newer = {
        "type": "1" if held.account.parent else "0",
        "feeType": "0",
        "settleCcy": "USDC",
        "settleCcyList": ["USD", "USDC", "USDG"],
        "stgyType": "0",
    }
    return [
        {
            "uid": uid,
            "mainUid": call.book.parent_uid(held.account) or uid,
            "perm": ",".join(held.key.permissions),
            "ip": ",".join(held.key.ips),
            "label": held.key.label,
            "kycLv": "3",
            "acctLv": "2",
            "posMode": "long_short_mode",
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "mgnIsoMode": "automatic",
            "greeksType": "PA",
            "level": "Lv1",
            "levelTmp": "",
            "opAuth": "1",
            "roleType": "0",
            "traderInsts": [],
            "spotRoleType": "0",
            "spotTraderInsts": [],
            **({} if call.mode("older-config") else newer),
            **held.key.extra,
        }
    ]


def _balance(call: Call) -> list[Json]:
    details = [
        {"ccy": asset, "cashBal": free, "availBal": free, "frozenBal": "0", "eq": free}
        for asset, free in call.account.balances.items()
    ]
    return [{"uTime": str(call.now_ms), "totalEq": "0", "isoEq": "0", "details": details}]


# the newest sub-account's creation; each other was created a second before
_CREATED_MS = 1659334756000


def _subs(call: Call) -> list[Json]:
    subs = list(enumerate(call.book.subs(call.account)))
    after = milliseconds(call.params.get("after")) or _CREATED_MS + 1
    older = [(place, sub) for place, sub in subs if _CREATED_MS - place * 1000 < after]
    return [
        {
            "type": "1",
            "enable": not sub.frozen,
            "subAcct": sub.name,
            "uid": call.book.uid(sub),
            "label": sub.name,
            "mobile": "",
            "gAuth": False,
            "frozenFunc": [],
            "canTransOut": False,
            "ts": str(_CREATED_MS - place * 1000),
            "subAcctLv": "1",
            "firstLvSubAcct": sub.name,
            "ifDma": False,
        }
        for place, sub in older[: number_of(call, "limit", 100, most=100)]
    ]


def _sub_keys(call: Call) -> list[Json]:
    named = call.params.get("subAcct")
    sub: Account | None = next(
        (each for each in call.book.subs(call.account) if each.name == named), None
    )
    if sub is None:
        raise Refused(_error(200, "59510", "Sub-account does not exist"))
    return [
        {
            "label": held.key.label,
            "apiKey": held.text if call.mode("sub-keys-shown") else "******",
            "perm": ",".join(held.key.permissions),
            "ip": ",".join(held.key.ips),
            "ts": str(held.created_ms),
        }
        for held in call.book.keys_of(sub)
    ]


def _credentials(seed: str, key: Key) -> Credentials:
    parts = (derive_text(f"{seed} key {n}", size, HEX) for n, size in enumerate((8, 4, 4, 4, 12)))
    return Credentials(
        "-".join(parts),
        derive_text(f"{seed} secret", 32, HEX).upper(),
        derive_text(f"{seed} passphrase", 12, ALPHANUMERIC),
    )


def _read(path: str, data: Callable[[Call], list[Json]], pool: str, needs: str = "read_only") -> Endpoint:  # fmt: skip
    return Endpoint(
        path=f"GET /api/v5/{path}", answer=_ok(data), scheme=_scheme, needs=needs, pool=pool
    )


SITE = Site(
    id="okx",
    credentials=_credentials,
    modes={
        "older-config": "leaves out the fields that newer accounts have",
        "sub-keys-shown": "the keys of sub-accounts are not masked, unlike in the documented example",
    },
    # each endpoint has its own limit per user
    quotas=(
        Quota(5, 2, "uid", "config"),
        Quota(10, 2, "uid", "balance"),
        Quota(60, 2, "uid", "orders"),
        Quota(2, 2, "uid", "sub-accounts"),
        Quota(20, 2, "uid", "sub-keys"),
        Quota(10, 2, "ip", "time"),
    ),
    troubles={
        "rate-limit": (429, {"msg": "Rate limit reached. Please refer to API documentation and throttle requests accordingly", "code": "50011"}),
        "ban": (418, {"msg": "banned", "code": "50011"}),
        "maintenance": (503, {"msg": "Service temporarily unavailable. Try again later", "code": "50001"}),
        "region-451": (451, {"msg": "You can't access our services through the IP address", "code": "50121"}),
        "server-error": (500, {"msg": "System error. Try again later", "code": "50026"}),
    },
    handler=routes(
        Endpoint(path="GET /api/v5/public/time", answer=_ok(lambda call: [{"ts": str(call.now_ms)}]), pool="time"),
        # any key describes itself
        _read("account/config", _config, "config", needs=""),
        _read("account/balance", _balance, "balance"),
        _read("trade/orders-pending", lambda _call: [], "orders"),
        _read("users/subaccount/list", _subs, "sub-accounts"),
        _read("users/subaccount/apikey", _sub_keys, "sub-keys"),
        otherwise=lambda _call: _error(404, "50404", "Not Found"),
    ),
)  # fmt: skip
