"""Asks a sandbox the way bfaudit does: with ccxt, over HTTP."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
import pytest

from bfaudit.sandbox import Account, Key, Sandbox, Scenario


class Seen(NamedTuple):
    """What came back: HTTP status (None: nothing), body, headers, ccxt's error class (None: none)."""

    http: int | None
    body: Any
    headers: Any
    error: str | None

    @property
    def code(self):
        return self.body["code"]


class _Tap:
    seen: tuple[int | None, Any, Any] = (None, None, None)

    def on_rest_response(self, code, _reason, _url, _method, headers, body, *_request):
        try:
            value = json.loads(body)
        except ValueError:
            value = body
        self.seen = (code, value, headers)
        return body


def _client(box: Sandbox, exchange: str, prefix: str | None, headers: dict[str, str]):
    roles = {"apiKey": "KEY", "secret": "SECRET", "password": "PASSPHRASE"}
    credentials = {
        name: box.environment[f"{prefix}_{role}"]
        for name, role in roles.items()
        if prefix and f"{prefix}_{role}" in box.environment
    }
    tapped = type(exchange, (_Tap, getattr(ccxt, exchange)), {})
    client = tapped({**credentials, "headers": headers, "timeout": 5000, "enableRateLimit": False})

    client.timeout_on_exit = 0

    def rebase(urls: Any) -> Any:
        if isinstance(urls, dict):
            return {name: rebase(url) for name, url in urls.items()}
        return box.urls[exchange] + urlsplit(urls).path

    client.urls["api"] = rebase(client.urls["api"])
    return client


@pytest.fixture
def ask() -> Callable[..., Seen]:
    """Sends one request by an implicit ccxt method, or by (path, api sections)."""

    def send(
        box: Sandbox,
        exchange: str,
        call: Any,
        params: Any = None,
        *,
        prefix: str | None = "K",
        headers: dict[str, str] | None = None,
        change: Callable[[Any], None] = lambda _client: None,
    ) -> Seen:
        async def run() -> Seen:
            client = _client(box, exchange, prefix, headers or {})
            change(client)
            error = None
            try:
                if isinstance(call, str):
                    await getattr(client, call)(params or {})
                else:
                    await client.fetch2(call[0], list(call[1]), "GET", params or {})
            except ccxt.BaseError as caught:
                error = type(caught).__name__
            finally:
                await client.close()
            return Seen(*client.seen, error)

        return asyncio.run(run())

    return send


@pytest.fixture
def one_key() -> Callable[..., Scenario]:
    """A scenario with one key, of environment prefix `K`."""

    def build(
        exchange: str, *, account: dict[str, Any] | None = None, other: Any = None, **key: Any
    ) -> Scenario:
        made = Key(**{"name": "k", "label": "label", "env": "K", **key})
        accounts = (Account(exchange=exchange, **(account or {}), keys=(made,)),)
        return Scenario(accounts=accounts, **(other or {}))

    return build
