"""Bitfinex, as documented at https://docs.bitfinex.com/docs/rest-auth and .../reference/."""

from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import HEX, derive_text, hmac_hex, same
from bfaudit.sandbox.scenario import Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_NO_KEY = (10100, "apikey: invalid")
# https://docs.bitfinex.com/docs/abbreviations-glossary; always HTTP 500
_ERRORS: Mapping[Wrong, tuple[int, str]] = {
    Wrong.MISSING: _NO_KEY,
    Wrong.UNKNOWN: _NO_KEY,
    Wrong.EXPIRED: _NO_KEY,
    Wrong.FROZEN: _NO_KEY,
    Wrong.ACCOUNT: _NO_KEY,
    # NOTE: not published; the most that fits
    Wrong.IP: _NO_KEY,
    Wrong.SIGNATURE: (10111, "apikey: digest invalid"),
    Wrong.CLOCK: (10114, "nonce: small"),
    Wrong.PERMISSION: (10001, "api_key: permission invalid"),
}
_SCOPES = (
    "account", "history", "orders", "positions", "funding", "settings", "wallets", "withdraw", "ui_withdraw", "bfxpay",
)  # fmt: skip
_HEADERS = ("bfx-apikey", "bfx-nonce", "bfx-signature")


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    return Answer(["error", *_ERRORS[wrong]], 500)


def _signed(call: Call, held: Held) -> bool:
    prehash = f"/api{call.path}{call.headers['bfx-nonce']}".encode() + call.body
    return same(hmac_hex(held.secret, prehash, "sha384"), call.headers["bfx-signature"])


_last: WeakKeyDictionary[Held, int] = WeakKeyDictionary()


def _increases(call: Call) -> bool:
    """Whether the nonce is above the key's last one, which it is from now on."""
    text = call.headers["bfx-nonce"]
    nonce = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if nonce <= _last.get(call.held, 0):
        return False
    _last[call.held] = nonce
    return True


_scheme = Scheme(
    key=lambda call: call.headers.get("bfx-apikey"),
    complete=lambda call: all(name in call.headers for name in _HEADERS),
    signed=_signed,
    timely=_increases,
    refuse=_refuse,
    order=(
        Wrong.MISSING,
        Wrong.UNKNOWN,
        Wrong.EXPIRED,
        Wrong.FROZEN,
        Wrong.IP,
        Wrong.SIGNATURE,
        Wrong.CLOCK,
        Wrong.ACCOUNT,
        Wrong.PERMISSION,
    ),
)


def _permissions(call: Call) -> Json:
    held = call.held.permissions
    return [
        [scope, int(f"{scope}:read" in held), int(f"{scope}:write" in held)] for scope in _SCOPES
    ]


def _user(call: Call) -> Json:
    account, parent = call.account, call.book.parent_uid(call.account)
    user: list[Json] = [None] * 55
    user[0] = int(call.book.uid(account))
    user[1], user[2] = "mail@example.com", account.name
    user[3] = call.held.created_ms
    user[4], user[5] = 1, 3
    user[16] = int(parent) if parent else None
    user[18] = int(bool(call.book.subs(account)))
    user[26] = ["otp"]
    return user


def _wallets(call: Call) -> Json:
    return [
        ["exchange", asset, float(free), 0, float(free), None, None]
        for asset, free in call.account.balances.items()
    ]


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(derive_text(f"{seed} key", 43, HEX), derive_text(f"{seed} secret", 43, HEX))


def _read(path: str, answer: Callable[[Call], Json], needs: str = "") -> Endpoint:
    return Endpoint(
        path=f"POST /v2/auth/r/{path}", answer=answer, scheme=_scheme, needs=needs, pool=path
    )


SITE = Site(
    id="bitfinex",
    credentials=_credentials,
    # 90 requests in a minute, per address and endpoint
    quotas=tuple(
        Quota(90, 60, "ip", pool) for pool in ("permissions", "info/user", "wallets", "orders")
    ),
    troubles={
        "rate-limit": (429, {"error": "ERR_RATE_LIMIT"}),
        "ban": (429, ["error", 11010, "ratelimit: error"]),
        "maintenance": (500, ["error", 20060, "maintenance"]),
        "region-451": (451, {"message": "Unavailable"}),
        "server-error": (503, {"code": 503, "error": "temporarily_unavailable"}),
    },
    handler=routes(
        Endpoint(path="GET /v2/platform/status", answer=lambda _call: [1]),
        _read("permissions", _permissions),
        _read("info/user", _user, "account:read"),
        _read("wallets", _wallets, "wallets:read"),
        _read("orders", lambda _call: [], "orders:read"),
        otherwise=lambda _call: Answer(["error", 10020, "path: invalid"], 500),
    ),
)
