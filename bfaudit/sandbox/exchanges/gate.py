"""Gate v4, as documented at https://www.gate.com/docs/developers/apiv4/en/ (authentication, account, sub-accounts).

A permission of a key is the name of its group, read-write: `spot`; or read-only: `spot:r`.
"""

import hashlib
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from bfaudit.model import Json
from bfaudit.sandbox.book import Credentials, Held
from bfaudit.sandbox.call import Answer, Call, Refused, in_window, milliseconds
from bfaudit.sandbox.checks import Scheme, Wrong
from bfaudit.sandbox.crypto import HEX, derive_text, hmac_hex, same
from bfaudit.sandbox.scenario import Account, Key
from bfaudit.sandbox.site import Endpoint, Quota, Site, routes

# HTTP status, label, message
_ERRORS: Mapping[Wrong, tuple[int, str, str]] = {
    Wrong.MISSING: (400, "MISSING_REQUIRED_HEADER", "Missing required header"),
    Wrong.UNKNOWN: (401, "INVALID_KEY", "Invalid key provided"),
    Wrong.EXPIRED: (401, "INVALID_KEY", "Invalid key provided"),
    Wrong.FROZEN: (401, "INVALID_KEY", "Invalid key provided"),
    Wrong.CLOCK: (403, "REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60"),
    Wrong.SIGNATURE: (401, "INVALID_SIGNATURE", "Signature mismatch"),
    Wrong.ACCOUNT: (403, "ACCOUNT_LOCKED", "Account is locked"),
}  # fmt: skip
_HEADERS = ("KEY", "Timestamp", "SIGN")
_SHOWN = 12
_STATES = {"active": 1, "expired": 2, "frozen": 3}


def _error(status: int, label: str, message: str) -> Answer:
    return Answer({"label": label, "message": message}, status)


def _refuse(call: Call, wrong: Wrong, needs: str) -> Answer:
    if wrong is Wrong.IP:
        label = "IP_FORBIDDEN" if call.mode("ip-forbidden") else "FORBIDDEN"
        return _error(403, label, f"Request IP not in whitelist: {call.address}")
    if wrong is Wrong.PERMISSION:
        group = needs.partition("|")[0]
        return _error(403, "FORBIDDEN", f"Request API key does not have {group} permission")
    return _error(*_ERRORS[wrong])


def _stamp(call: Call) -> int | None:
    seconds = milliseconds(call.headers["Timestamp"])
    return None if seconds is None else seconds * 1000


def _signed(call: Call, held: Held) -> bool:
    digest = hashlib.sha512(call.body).hexdigest()
    parts = (call.method, call.path, unquote(call.query), digest, call.headers["Timestamp"])
    return same(hmac_hex(held.secret, "\n".join(parts).encode(), "sha512"), call.headers["SIGN"])


_scheme = Scheme(
    key=lambda call: call.headers.get("KEY"),
    complete=lambda call: all(call.headers.get(name) for name in _HEADERS),
    timely=lambda call: in_window(call, _stamp(call), behind_ms=60_000, ahead_ms=60_000),
    signed=_signed,
    refuse=_refuse,
)


def _described(call: Call, held: Held) -> dict[str, Json]:
    tokens = held.key.permissions
    hidden = "" if call.mode("withdraw-listed") else "withdraw"
    return {
        "state": _STATES.get(held.key.state, 1),
        "mode": 1,
        "name": held.key.label,
        "user_id": int(call.book.uid(held.account)),
        # the documented names of groups have none for withdrawal
        "perms": [
            {"name": token.removesuffix(":r"), "read_only": token.endswith(":r")}
            for token in tokens
            if not hidden or not token.startswith(hidden)
        ],
        "ip_whitelist": list(held.key.ips),
        "currency_pairs": [],
        "key": held.text,
        "created_at": held.created_ms // 1000,
        "update_at": held.created_ms // 1000,
        "last_access": call.now_ms // 1000,
    }


def _main_keys(call: Call) -> Json:
    main = call.book.accounts[call.account.parent or call.account.name]
    listed = [
        {**_described(call, held), "key": held.text[:_SHOWN] + "*****", **held.key.extra}
        for held in call.book.keys_of(main)
    ]
    return listed[0] if call.mode("object") and listed else listed


def _detail(call: Call) -> Json:
    return {
        "user_id": int(call.book.uid(call.account)),
        "ip_whitelist": list(call.held.key.ips),
        "currency_pairs": call.held.key.extra.get("currency_pairs", []),
        "key": {"mode": 1},
        "tier": 2,
        "copy_trading_role": 0,
    }


def _spot(call: Call) -> Json:
    return [
        {"currency": asset, "available": free, "locked": "0", "update_id": 1}
        for asset, free in call.account.balances.items()
    ]


def _product(name: str, answer: Callable[[Call], Json]) -> Callable[[Call], Json]:
    """A product's account; the flag `without` of an account names those that it never opened."""

    def opened(call: Call) -> Json:
        if name in call.account.flags.get("without", ()):
            text = f"please transfer funds first to create {name} account"
            raise Refused(_error(400, "USER_NOT_FOUND", text))
        return answer(call)

    return opened


def _margined(call: Call) -> Json:
    total = call.account.balances.get("USDT", "0")
    return {"user": int(call.book.uid(call.account)), "currency": "USDT", "total": total}


def _subs(call: Call) -> Json:
    return [
        {
            "remark": "",
            "login_name": sub.name,
            "email": "",
            "state": 2 if sub.frozen else 1,
            "type": 1,
            "user_id": int(call.book.uid(sub)),
            "create_time": 1663642892,
        }
        for sub in call.book.subs(call.account)
    ]


def _credentials(seed: str, key: Key) -> Credentials:
    return Credentials(derive_text(f"{seed} key", 32, HEX), derive_text(f"{seed} secret", 64, HEX))


def _read(
    path: str, answer: Callable[[Call], Json], group: str, pool: str | None = None
) -> Endpoint:
    return Endpoint(
        path=f"GET /api/v4/{path}",
        answer=answer,
        scheme=_scheme,
        needs=f"{group}|{group}:r",
        pool=pool or path,
    )


_PATH = ("", "api", "v4", "sub_accounts")


def _others(call: Call) -> Answer:
    """`/sub_accounts/{user_id}/keys` has the sub-account in its path."""
    parts = tuple(call.path.split("/"))
    if call.method == "GET" and parts[:4] == _PATH and len(parts) == 6 and parts[5] == "keys":
        subs = (account for account in call.book.accounts.values() if account.parent)
        sub = next((each for each in subs if call.book.uid(each) == parts[4]), None)
        if sub is not None:
            path = call.path.removeprefix("/api/v4/")
            endpoint = _read(path, _keys_of(sub), "sub_accounts", "sub_accounts")
            return routes(endpoint, otherwise=_not_found)(call)
    return _not_found(call)


def _keys_of(sub: Account) -> Callable[[Call], Json]:
    def answer(call: Call) -> Json:
        if sub.parent != call.account.name:
            raise Refused(_error(400, "SUB_ACCOUNT_NOT_FOUND", "Sub account not found"))
        return [_described(call, held) for held in call.book.keys_of(sub)]

    return answer


def _not_found(_call: Call) -> Answer:
    return _error(404, "NOT_FOUND", "Not Found")


SITE = Site(
    id="gate",
    credentials=_credentials,
    modes={
        "ip-forbidden": "a blocked address is told by the documented label, not the one that is sent",
        "withdraw-listed": "the withdrawal group is among `perms`",
        "object": "main_keys is one object, as in the schema table",
    },
    # per account and endpoint
    quotas=tuple(
        Quota(80 if pool in ("wallet/total_balance", "sub_accounts") else 150, 10, "uid", pool)
        for pool in (
            "account/main_keys", "account/detail", "spot/accounts", "spot/open_orders", "futures/usdt/accounts",
            "futures/usdt/orders", "delivery/usdt/accounts", "options/accounts", "unified/accounts",
            "wallet/total_balance", "sub_accounts",
        )
    ),
    troubles={
        "rate-limit": (429, {"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded"}),
        "ban": (418, {"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded"}),
        "maintenance": (503, {"label": "SERVER_ERROR", "message": "The system is under maintenance"}),
        "region-451": (451, {"label": "UNAVAILABLE", "message": "Unavailable For Legal Reasons"}),
        "server-error": (500, {"label": "INTERNAL", "message": "Internal server error"}),
    },
    handler=routes(
        Endpoint(path="GET /api/v4/spot/time", answer=lambda call: {"server_time": call.now_ms}),
        _read("account/main_keys", _main_keys, "account"),
        _read("account/detail", _detail, "account"),
        _read("spot/accounts", _spot, "spot"),
        _read("spot/open_orders", lambda _call: [], "spot"),
        _read("futures/usdt/accounts", _product("futures", _margined), "futures"),
        _read("futures/usdt/orders", lambda _call: [], "futures"),
        _read("delivery/usdt/accounts", _product("delivery", _margined), "delivery"),
        _read("options/accounts", _product("options", _margined), "options"),
        _read("unified/accounts", lambda call: {"user_id": int(call.book.uid(call.account)), "balances": {}}, "unified"),
        _read("wallet/total_balance", lambda _call: {"total": {"amount": "0", "currency": "USDT"}, "details": {}}, "wallet"),
        _read("sub_accounts", _subs, "sub_accounts"),
        otherwise=_others,
    ),
)  # fmt: skip
