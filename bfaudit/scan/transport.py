"""One request over HTTP: read-only, no redirect, no cookie, bounded in bytes and time; never raises for an answer."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
import yarl

from bfaudit import __version__
from bfaudit.exchanges.base import Form
from bfaudit.model import Json, Reason

MAX_BYTES = 4 * 1024 * 1024
"""The longest answer that is read."""
HEADERS = {"User-Agent": f"bfaudit/{__version__}", "Accept-Encoding": "gzip, deflate"}


class WriteRefusedError(Exception):
    """Something tried to send a request that is not a known read. It was not sent."""


class Raw(msgspec.Struct, frozen=True):
    """What came back of one request."""

    http: int | None = None
    form: Form = Form.NONE
    body: Json = None
    failure: Reason | None = None
    retry_after: float | None = None
    text: str = ""
    """The body as text, for ccxt's own reading of errors that no table knows; never shown."""


class Proxies:
    """The proxies that the environment names, asked once per host.

    aiohttp's `trust_env` would read the environment for every request, in a thread, and would also send a password
    that ~/.netrc has for the host.
    """

    def __init__(self) -> None:
        self._named = getproxies()
        self._by_origin: dict[tuple[str, str], str | None] = {}

    def of(self, scheme: str, host: str) -> str | None:
        """The proxy for a scheme and a host with its port; None where it is reached directly."""
        origin = scheme, host
        if origin not in self._by_origin:
            self._by_origin[origin] = None if proxy_bypass(host) else self._named.get(scheme)
        return self._by_origin[origin]


_timeout = lru_cache(maxsize=64)(lambda seconds: aiohttp.ClientTimeout(total=seconds))


async def send(
    session: aiohttp.ClientSession,
    url: str,
    method: str,
    headers: Mapping[str, str] | None,
    body: str | None,
    seconds: float,
    proxy: str | None = None,
) -> Raw:
    """Send one signed request, with its URL exactly as signed."""
    try:
        async with session.request(
            method,
            yarl.URL(url, encoded=True),
            headers=headers,
            data=body.encode() if body else None,
            timeout=_timeout(seconds),
            allow_redirects=False,
            proxy=proxy,
        ) as response:
            data = await _bounded(response)
            return read(response.status, data, response.headers)
    except TimeoutError:
        return Raw(failure=Reason.TIMEOUT)
    except (aiohttp.ClientConnectionError, aiohttp.ClientHttpProxyError, OSError):
        return Raw(failure=Reason.UNREACHABLE)
    except Exception:  # noqa: BLE001 - the other side decides what an HTTP library stumbles over
        return Raw(failure=Reason.UNEXPECTED_ANSWER)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    length = response.content_length
    if length is not None and length <= MAX_BYTES and "Content-Encoding" not in response.headers:
        return await response.read()
    parts: list[bytes] = []
    total = 0
    async for part in response.content.iter_any():
        total += len(part)
        if total > MAX_BYTES:
            response.close()
            raise ValueError("too long")
        parts.append(part)
    return b"".join(parts)


def read(status: int, data: bytes, headers: Mapping[str, str]) -> Raw:
    """An answer by its form: only an object or a list counts as JSON."""
    body: Any = None
    start = data[:64].lstrip()
    if not start:
        form = Form.EMPTY if not data.strip() else Form.TEXT
    elif start.startswith(b"<"):
        form = Form.HTML
    else:
        try:
            body = msgspec.json.decode(data)
            form = Form.JSON if isinstance(body, dict | list) else Form.TEXT
            if (
                msgspec.json.encode(body) != data
            ):  # equal bytes have no key twice; others are looked at
                json.loads(data, object_pairs_hook=_once_each)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            form, body = Form.TEXT, None
    text = "" if status < 300 and form is Form.JSON else data[:65536].decode("utf-8", "replace")
    return Raw(status, form, body, None, _retry_after(headers), text)


def _once_each(members: list[tuple[str, Json]]) -> None:
    """Refuse an object that says two things under one key: which of them counts, nobody documents."""
    if len({key for key, _ in members}) != len(members):
        raise ValueError("a key is there twice")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 <= seconds < 10**7 else None
