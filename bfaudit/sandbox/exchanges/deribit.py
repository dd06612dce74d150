"""Deribit, as documented at https://docs.deribit.com/articles/authentication and .../api-reference/."""

import re
from collections.abc import Callable, Mapping

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, in_window, milliseconds
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import ALPHANUMERIC, derive_text, hmac_hex, same
from bfaudit.sandbox.scenario import Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_UNAUTHORIZED = (401, 13009, "unauthorized")
_NO_KEY = (400, 13004, "invalid_credentials")
# https://docs.deribit.com/articles/errors: HTTP status, code, message
_ERRORS: Mapping[Wrong, tuple[int, int, str]] = {
    Wrong.MISSING: _UNAUTHORIZED,
    Wrong.UNKNOWN: _NO_KEY,
    Wrong.EXPIRED: _NO_KEY,
    Wrong.FROZEN: _NO_KEY,
    Wrong.SIGNATURE: _UNAUTHORIZED,
    Wrong.CLOCK: _UNAUTHORIZED,
    # NOTE: not published; the most that fits
    Wrong.IP: _UNAUTHORIZED,
    Wrong.ACCOUNT: (400, 13002, "account_blocked"),
    Wrong.PERMISSION: (403, 13021, "forbidden"),
}
_HEADER = re.compile(
    r"deri-hmac-sha256 id=(?P<id>[^,]+),ts=(?P<ts>\d+),sig=(?P<sig>[0-9a-f]+),nonce=(?P<nonce>[^,]+)"
)


def _error(status: int, code: int, message: str, **data: str) -> Answer:
    error = {"message": message, "code": code, **({"data": data} if data else {})}
    return Answer({"jsonrpc": "2.0", "error": error, "testnet": False}, status)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.PERMISSION:
        return _error(*_ERRORS[wrong], reason=f"required scope: {needs.partition('|')[0]}")
    return _error(*_ERRORS[wrong])


def _sent(call: Call) -> Mapping[str, str]:
    found = _HEADER.fullmatch(call.headers.get("Authorization", ""))
    return found.groupdict() if found else {}


def _signed(call: Call, held: Held) -> bool:
    sent = _sent(call)
    text = f"{sent['ts']}\n{sent['nonce']}\n{call.method}\n{call.target}\n{call.body.decode('utf-8', 'replace')}\n"
    return same(hmac_hex(held.secret, text.encode()), sent["sig"])


_scheme = Scheme(
    key=lambda call: _sent(call).get("id"),
    signed=_signed,
    timely=lambda call: in_window(
        call, milliseconds(_sent(call)["ts"]), behind_ms=60_000, ahead_ms=60_000
    ),
    refuse=_refuse,
    order=(
        Wrong.MISSING,
        Wrong.UNKNOWN,
        Wrong.CLOCK,
        Wrong.SIGNATURE,
        Wrong.EXPIRED,
        Wrong.FROZEN,
        Wrong.IP,
        Wrong.ACCOUNT,
        Wrong.PERMISSION,
    ),
)


def _described(number: int, held: Held) -> Json:
    return {
        "timestamp": held.created_ms,
        "max_scope": " ".join(sorted(held.key.permissions)),
        "id": number,
        "enabled": held.key.state == "active",
        "default": number == 1,
        # NOTE: shown by the exchange, though its page says otherwise
        "client_secret": held.secret.decode(),
        "client_id": held.text,
        "name": held.key.label,
        "enabled_features": [],
        "ip_whitelist": list(held.key.ips),
        **held.key.extra,
    }


def _keys(call: Call) -> Json:
    if call.mode("second-factor"):
        return {
            "security_key_authorization_required": True,
            "security_keys": [{"type": "tfa", "name": "phone"}],
            "rp_id": "deribit.com",
            "challenge": derive_text("deribit challenge", 16),
        }
    held = call.book.keys_of(call.account)
    return [_described(number, each) for number, each in enumerate(held, 1)]


def _summaries(call: Call) -> Json:
    return {
        "id": int(call.book.uid(call.account)),
        "email": "mail@example.com",
        "username": call.account.name,
        "system_name": call.account.name,
        "type": "subaccount" if call.account.parent else "main",
        "creation_timestamp": call.held.created_ms,
        "security_keys_enabled": call.mode("second-factor"),
        "summaries": [
            {"currency": asset, "equity": float(free), "balance": float(free)}
            for asset, free in call.account.balances.items()
        ],
    }


def _ok(result: Callable[[Call], Json]) -> Callable[[Call], Json]:
    return lambda call: {
        "jsonrpc": "2.0",
        "result": result(call),
        "usIn": call.now_ms * 1000,
        "usOut": call.now_ms * 1000,
        "usDiff": 0,
        "testnet": False,
    }


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(
        derive_text(f"{seed} key", 8), derive_text(f"{seed} secret", 43, ALPHANUMERIC)
    )


def _read(path: str, result: Callable[[Call], Json], area: str) -> Endpoint:
    return Endpoint(
        path=f"GET /api/v2/private/{path}",
        answer=_ok(result),
        scheme=_scheme,
        needs=f"{area}:read|{area}:read_write",
        weight=500,
        pool="credits",
    )


SITE = Site(
    id="deribit",
    credentials=_credentials,
    modes={"second-factor": "the account has one: keys are not listed without a code"},
    # credits of a sub-account: 50,000 at most, 10,000 more each second
    quotas=(Quota(50_000, 5, "uid", "credits"),),
    troubles={
        "rate-limit": (429, {"jsonrpc": "2.0", "error": {"message": "too_many_requests", "code": 10028}}),
        "ban": (429, {"jsonrpc": "2.0", "error": {"message": "too_many_requests", "code": 10028}}),
        "maintenance": (400, {"jsonrpc": "2.0", "error": {"message": "system_maintenance", "code": 11051}}),
        "region-451": (451, {"jsonrpc": "2.0", "error": {"message": "country_is_banned", "code": 12005}}),
        "server-error": (500, {"jsonrpc": "2.0", "error": {"message": "internal_server_error", "code": 11094}}),
    },
    handler=routes(
        Endpoint(path="GET /api/v2/public/get_time", answer=_ok(lambda call: call.now_ms)),
        _read("list_api_keys", _keys, "account"),
        _read("get_account_summaries", _summaries, "account"),
        _read("get_open_orders", lambda _call: [], "trade"),
        otherwise=lambda _call: _error(400, -32601, "Method not found"),
    ),
)  # fmt: skip
