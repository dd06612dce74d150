"""Kraken spot, as documented at https://docs.kraken.com/exchange/guides/rest/authentication and .../api-reference/."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from email.utils import formatdate
from weakref import WeakKeyDictionary

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, derive, derive_text, from_base64, hmac_base64, same
from bfaudit.sandbox.scenario import Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_DENIED = "EGeneral:Permission denied"
_NO_KEY = "EAPI:Invalid key"
# https://docs.kraken.com/exchange/guides/general/errors; always HTTP 200
_ERRORS: Mapping[Wrong, str] = {
    Wrong.MISSING: _NO_KEY,
    Wrong.UNKNOWN: _NO_KEY,
    Wrong.EXPIRED: _NO_KEY,
    Wrong.FROZEN: _NO_KEY,
    Wrong.SIGNATURE: "EAPI:Invalid signature",
    Wrong.CLOCK: "EAPI:Invalid nonce",
    Wrong.ACCOUNT: "EAuth:Account temporary disabled",
    # NOTE: not published; the one word that fits
    Wrong.IP: _DENIED,
    Wrong.PERMISSION: _DENIED,
}


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    text = _NO_KEY if wrong is Wrong.IP and call.mode("ip-invalid-key") else _ERRORS[wrong]
    return Answer({"error": [text]})


def _signed(call: Call, held: Held) -> bool:
    digest = hashlib.sha256(call.form["nonce"].encode() + call.body).digest()
    secret = from_base64(held.secret.decode())
    return same(
        hmac_base64(secret, call.path.encode() + digest, "sha512"), call.headers["API-Sign"]
    )


_last: WeakKeyDictionary[Held, int] = WeakKeyDictionary()


def _increases(call: Call) -> bool:
    """Whether the nonce is above the key's last one, which it is from now on."""
    text = call.form["nonce"]
    nonce = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if nonce <= _last.get(call.held, 0):
        return False
    _last[call.held] = nonce
    return True


_scheme = Scheme(
    key=lambda call: call.headers.get("API-Key"),
    complete=lambda call: "API-Sign" in call.headers and "nonce" in call.form,
    signed=_signed,
    timely=_increases,
    refuse=_refuse,
    order=(
        Wrong.MISSING,
        Wrong.UNKNOWN,
        Wrong.SIGNATURE,
        Wrong.CLOCK,
        Wrong.EXPIRED,
        Wrong.FROZEN,
        Wrong.ACCOUNT,
        Wrong.IP,
        Wrong.PERMISSION,
    ),
)

_SEEN = {
    "apiKeyName": "api_key_name",
    "apiKey": "api_key",
    "nonceWindow": "nonce_window",
    "validUntil": "valid_until",
    "queryFrom": "query_from",
    "queryTo": "query_to",
    "createdTime": "created_time",
    "modifiedTime": "modified_time",
    "ipAllowlist": "ip_allowlist",
    "lastUsed": "last_used",
}


def _key_info(call: Call) -> Json:
    held = call.held
    created = str(held.created_ms // 1000)
    record: dict[str, Json] = {
        "apiKeyName": held.key.label,
        "apiKey": held.text,
        "nonce": call.form["nonce"],
        "nonceWindow": 0,
        "permissions": list(held.key.permissions),
        "iban": f"AA00 {call.book.uid(held.account)}",
        "validUntil": str((held.expires_ms or 0) // 1000),
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": created,
        "modifiedTime": created,
        "ipAllowlist": list(held.key.ips),
        # this very request counts
        "lastUsed": str(call.now_ms // 1000),
        **held.key.extra,
    }
    if not call.mode("seen-live"):
        return record
    record["ipAllowlist"] = record["ipAllowlist"] or [""]
    return {_SEEN.get(name, name): value for name, value in record.items()}


def _ok(result: Callable[[Call], Json]) -> Callable[[Call], Json]:
    return lambda call: {"error": [], "result": result(call)}


def _time(call: Call) -> Json:
    seconds = call.now_ms // 1000
    return {"unixtime": seconds, "rfc1123": formatdate(seconds, usegmt=True)}


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(
        derive_text(f"{seed} key", 56, ALPHANUMERIC),
        b64encode(derive(f"{seed} secret", 64)).decode(),
    )


def _read(path: str, result: Callable[[Call], Json], needs: str = "") -> Endpoint:
    return Endpoint(
        path=f"POST /0/private/{path}", answer=_ok(result), scheme=_scheme, needs=needs, pool="private"
    )  # fmt: skip


SITE = Site(
    id="kraken",
    credentials=_credentials,
    modes={
        "seen-live": "fields are api_key_name, ip_allowlist, ..., and no address is an empty text",
        "ip-invalid-key": "an address that is not listed is told like an unknown key",
    },
    # the counter of the lowest tier, per key
    quotas=(Quota(15, 45, "key", "private"),),
    troubles={
        "rate-limit": (200, {"error": ["EAPI:Rate limit exceeded"]}),
        "ban": (200, {"error": ["EGeneral:Temporary lockout"]}),
        "maintenance": (200, {"error": ["EService:Market in cancel_only mode"]}),
        "region-451": (451, {"error": ["EAccount:Invalid permissions"]}),
        "server-error": (200, {"error": ["EService:Unavailable"]}),
    },
    handler=routes(
        Endpoint(path="GET /0/public/Time", answer=_ok(_time), pool="public"),
        _read("GetApiKeyInfo", _key_info),
        _read("Balance", lambda call: dict(call.account.balances), "query-funds"),
        _read("OpenOrders", lambda _call: {"open": {}}, "query-open-trades"),
        otherwise=lambda _call: Answer({"error": ["EGeneral:Unknown method"]}),
    ),
)
