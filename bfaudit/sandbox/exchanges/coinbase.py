"""Coinbase Advanced Trade with CDP keys, as documented at https://docs.cdp.coinbase.com/coinbase-app/."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import HEX, derive_text, jwt_parts, jwt_verifies, private_key
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

_HOST = "api.coinbase.com"
_BEARER = "Bearer "


def _unauthorized() -> Answer:
    return Answer(b"Unauthorized\n", 401, content_type="text/plain")


def _denied(details: str) -> Answer:
    body = {"error": "PERMISSION_DENIED", "error_details": details, "message": details}
    return Answer(body, 403)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.PERMISSION:
        return _denied("Missing required scopes")
    if wrong is Wrong.ACCOUNT:
        return _denied("User does not have the correct permissions")
    # wrong key, wrong secret, wrong time, wrong address: all the same
    return _unauthorized()


def _token(call: Call) -> str:
    return call.headers.get("Authorization", "").removeprefix(_BEARER)


def _parts(call: Call) -> tuple[dict[str, Json], dict[str, Json]]:
    header, claims = jwt_parts(_token(call)) or ({}, {})
    return (header if isinstance(header, dict) else {}), (claims if isinstance(claims, dict) else {})  # fmt: skip


def _named(call: Call) -> str | None:
    header, claims = _parts(call)
    name = claims.get("sub")
    return name if isinstance(name, str) and header.get("kid") == name else None


def _timely(call: Call) -> bool:
    _, claims = _parts(call)
    begins, ends = claims.get("nbf"), claims.get("exp")
    if type(begins) is not int or type(ends) is not int or ends - begins > 120:
        return False
    return in_window(call, begins * 1000, behind_ms=120_000, ahead_ms=120_000)


def _targets(call: Call) -> Iterator[str]:
    yield f"{call.method} {_HOST}{call.path}"
    # ccxt leaves `http://` and the local prefix in
    local = f"{call.headers.get('Host', '')}/{call.book.exchange}{call.path}"
    yield from (f"{call.method} {scheme}{local}" for scheme in ("", "http://", "https://"))


def _signed(call: Call, held: Held) -> bool:
    header, claims = _parts(call)
    if held.public is None or header.get("alg") not in ("ES256", "EdDSA"):
        return False
    if (header["alg"] == "EdDSA") != isinstance(held.public, ed25519.Ed25519PublicKey):
        return False
    listed = claims.get("uris")
    targets = listed if isinstance(listed, list) else [claims.get("uri")]
    if claims.get("iss") not in ("cdp", "coinbase-cloud"):
        return False
    return any(target in targets for target in _targets(call)) and jwt_verifies(held.public, _token(call))  # fmt: skip


_scheme = Scheme(
    key=_named,
    complete=lambda call: call.headers.get("Authorization", "").startswith(_BEARER),
    timely=_timely,
    signed=_signed,
    refuse=_refuse,
)


def _uuid(seed: str) -> str:
    return "-".join(
        derive_text(f"{seed} {n}", size, HEX) for n, size in enumerate((8, 4, 4, 4, 12))
    )


def _portfolio(call: Call, account: Account) -> str:
    return str(account.uid) if account.uid is not None else _uuid(f"coinbase portfolio {account.name}")  # fmt: skip


def _key_permissions(call: Call) -> Json:
    held = call.held
    if call.mode("view-required") and "view" not in held.permissions:
        raise Refused(_denied("Missing required scopes"))
    switches = {f"can_{word}": word in held.permissions for word in ("view", "trade", "transfer")}
    if call.mode("false-left-out"):
        switches = {name: value for name, value in switches.items() if value}
    return {
        **switches,
        "portfolio_uuid": _portfolio(call, held.account),
        "portfolio_type": "CONSUMER" if held.account.parent else "DEFAULT",
        **held.key.extra,
    }


def _portfolios(call: Call) -> Json:
    shown = (call.account, *call.book.subs(call.account))
    return {
        "portfolios": [
            {
                "name": account.name,
                "uuid": _portfolio(call, account),
                "type": "CONSUMER" if account.parent else "DEFAULT",
                "deleted": False,
            }
            for account in shown
        ]
    }


def _accounts(call: Call) -> Json:
    listed: list[Json] = [
        {
            "uuid": _uuid(f"coinbase account {call.account.name} {asset}"),
            "name": f"{asset} Wallet",
            "currency": asset,
            "available_balance": {"value": free, "currency": asset},
            "hold": {"value": "0", "currency": asset},
            "active": True,
            "ready": True,
            "type": "ACCOUNT_TYPE_CRYPTO",
        }
        for asset, free in call.account.balances.items()
    ]
    return {"accounts": listed, "has_next": False, "cursor": "", "size": len(listed)}


def _iso(call: Call) -> str:
    return datetime.fromtimestamp(call.now_ms // 1000, UTC).isoformat().replace("+00:00", "Z")


def _time(call: Call) -> Json:
    seconds = str(call.now_ms // 1000)
    return {"iso": _iso(call), "epochSeconds": seconds, "epochMillis": str(call.now_ms)}


def _credentials(seed: str, key: Key) -> Credentials:
    """`ecdsa` is a key for ES256, in PEM; anything else is one for EdDSA, the web page's own choice."""
    if key.type == "ecdsa":
        signs = private_key("ecdsa", seed)
        if not isinstance(signs, ec.EllipticCurvePrivateKey):
            raise TypeError(key.type)
        text = signs.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        ).decode()
        name = f"organizations/{_uuid(f'{seed} organization')}/apiKeys/{_uuid(f'{seed} key')}"
        return Credentials(name, text, public=signs.public_key())
    edwards = private_key("ed25519", seed)
    if not isinstance(edwards, ed25519.Ed25519PrivateKey):
        raise TypeError(key.type)
    public = edwards.public_key()
    raw = edwards.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    whole = raw + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Credentials(_uuid(f"{seed} key"), b64encode(whole).decode(), public=public)


def _read(path: str, answer: Callable[[Call], Json], needs: str = "view") -> Endpoint:
    return Endpoint(
        path=f"GET /api/v3/brokerage/{path}", answer=answer, scheme=_scheme, needs=needs
    )


SITE = Site(
    id="coinbase",
    credentials=_credentials,
    modes={
        "view-required": "key_permissions asks for View",
        "false-left-out": "key_permissions leaves out what is false",
    },
    # 30 private requests a second
    quotas=(Quota(30, 1, "uid"),),
    troubles={
        "rate-limit": (429, {"error": "resource_exhausted", "error_details": "", "message": "too many requests"}),
        "ban": (418, {"error": "rate_limit_exceeded", "error_details": "", "message": "too many requests"}),
        "maintenance": (503, {"error": "unavailable", "error_details": "", "message": "under maintenance"}),
        "region-451": (451, {"error": "unavailable", "error_details": "", "message": "not in your region"}),
        "server-error": (500, {"error": "INTERNAL", "error_details": "", "message": "internal error"}),
    },
    handler=routes(
        Endpoint(
            path="GET /v2/time", answer=lambda call: {"data": {"iso": _iso(call), "epoch": call.now_ms // 1000}}, pool="public"
        ),
        Endpoint(path="GET /api/v3/brokerage/time", answer=_time, pool="public"),
        _read("key_permissions", _key_permissions, ""),
        _read("accounts", _accounts),
        _read("portfolios", _portfolios),
        _read("orders/historical/batch", lambda _call: {"orders": [], "sequence": "0", "has_next": False, "cursor": ""}),
        otherwise=lambda _call: Answer({"error": "NOT_FOUND", "error_details": "", "message": "Not Found"}, 404),
    ),
)  # fmt: skip
