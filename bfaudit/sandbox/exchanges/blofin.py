"""BloFin, as documented at https://docs.blofin.com/index.html (REST authentication, user, errors)."""

from base64 import b64encode
from collections.abc import Callable, Mapping

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, in_window, milliseconds
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, HEX, derive_text, hmac_hex, same
from bfaudit.sandbox.scenario import Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

# https://docs.blofin.com/index.html#errors; always HTTP 200
_ERRORS: Mapping[Wrong, tuple[str, str]] = {
    Wrong.MISSING: ("152001", "Parameter ACCESS-KEY cannot be empty."),
    Wrong.UNKNOWN: ("152401", "Access key does not exist, Please go to the API Management page and check if it exists and is in an active state."),
    Wrong.FROZEN: ("152401", "Access key does not exist, Please go to the API Management page and check if it exists and is in an active state."),
    Wrong.EXPIRED: ("152402", "Access key has expired, Please go to the API Management page and check if it exists and is in an active state."),
    Wrong.CLOCK: ("152405", "Timestamp in header or signature has expired, need to be within 60s"),
    Wrong.IP: ("152406", "Your IP is not included in your API key's IP whitelist"),
    Wrong.PASSPHRASE: ("152408", "Passphrase error"),
    Wrong.SIGNATURE: ("152409", "Signature verification failed"),
    Wrong.ACCOUNT: ("152401", "Access key does not exist"),
    Wrong.PERMISSION: ("152404", "This operation is not supported, Please check the requestPath or API key permissions."),
}  # fmt: skip
_HEADERS = ("ACCESS-KEY", "ACCESS-SIGN", "ACCESS-TIMESTAMP", "ACCESS-NONCE", "ACCESS-PASSPHRASE")
_ANY = "READ|TRADE|TRANSFER|WITHDRAW"


def _error(code: str, message: str, status: int = 200) -> Answer:
    return Answer({"code": code, "msg": message}, status)


def _signed(call: Call, held: Held) -> bool:
    stamp, nonce = call.headers["ACCESS-TIMESTAMP"], call.headers["ACCESS-NONCE"]
    prehash = f"{call.target}{call.method}{stamp}{nonce}".encode() + call.body
    # the text of the hex, not its bytes
    expected = b64encode(hmac_hex(held.secret, prehash).encode()).decode()
    return same(expected, call.headers["ACCESS-SIGN"])


_scheme = Scheme(
    key=lambda call: call.headers.get("ACCESS-KEY"),
    complete=lambda call: all(name in call.headers for name in _HEADERS),
    timely=lambda call: in_window(
        call, milliseconds(call.headers["ACCESS-TIMESTAMP"]), behind_ms=60_000, ahead_ms=60_000
    ),
    signed=_signed,
    passphrase=lambda call, held: same(held.passphrase, call.headers["ACCESS-PASSPHRASE"]),
    refuse=lambda _call, wrong, _needs: _error(*_ERRORS[wrong]),
    order=(
        Wrong.MISSING,
        Wrong.UNKNOWN,
        Wrong.EXPIRED,
        Wrong.FROZEN,
        Wrong.CLOCK,
        Wrong.SIGNATURE,
        Wrong.PASSPHRASE,
        Wrong.ACCOUNT,
        Wrong.IP,
        Wrong.PERMISSION,
    ),
)


def _key_info(call: Call) -> Json:
    held = call.held
    return {
        "uid": call.book.uid(held.account),
        "apiName": held.key.label,
        "apiKey": held.text,
        "readOnly": int(held.permissions <= {"READ"}),
        "ips": list(held.key.ips),
        "type": 2 if call.mode("third-party") else 1,
        "expireTime": str(held.expires_ms or 0),
        "createTime": str(held.created_ms),
        "referralCode": "",
        "parentUid": call.book.parent_uid(held.account) or "0",
        **held.key.extra,
    }


def _balances(call: Call) -> Json:
    return [
        {"currency": asset, "balance": free, "available": free, "frozen": "0", "bonus": "0"}
        for asset, free in call.account.balances.items()
    ]


def _equity(call: Call) -> Json:
    details = [{"currency": asset, "equity": free} for asset, free in call.account.balances.items()]
    return {"ts": str(call.now_ms), "totalEquity": "0", "isolatedEquity": "0", "details": details}


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(
        derive_text(f"{seed} key", 32, HEX),
        derive_text(f"{seed} secret", 32, HEX),
        derive_text(f"{seed} passphrase", 12, ALPHANUMERIC),
    )


def _read(path: str, data: Callable[[Call], Json]) -> Endpoint:
    return Endpoint(
        path=f"GET /api/v1/{path}",
        answer=lambda call: {"code": "0", "msg": "success", "data": data(call)},
        scheme=_scheme,
        needs=_ANY,
    )


SITE = Site(
    id="blofin",
    credentials=_credentials,
    modes={"third-party": "the key is connected to a third party's application"},
    # per address
    quotas=(Quota(500, 60, "ip"), Quota(1500, 300, "ip")),
    troubles={
        "rate-limit": (429, {"code": "429", "msg": "Too Many Requests"}),
        "ban": (429, {"code": "429", "msg": "Too Many Requests"}),
        "maintenance": (200, {"code": "500", "msg": "The system is under maintenance"}),
        "region-451": (451, {"code": "451", "msg": "Unavailable For Legal Reasons"}),
        "server-error": (200, {"code": "500", "msg": "Internal Server Error"}),
    },
    handler=routes(
        _read("user/query-apikey", _key_info),
        _read("asset/balances", _balances),
        _read("account/balance", _equity),
        _read("trade/orders-pending", lambda _call: []),
        _read("spot/trade/orders-pending", lambda _call: []),
        otherwise=lambda _call: _error("404", "not found"),
    ),
)
