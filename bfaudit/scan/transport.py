"""Requests over kept connections, by aiohttp's connector and parser: no redirect, no cookie, bounded in bytes and time.

What aiohttp's session does beside these (cookies, redirects, credentials in URLs and in ~/.netrc) a scan must not do,
and it costs as much as all the rest of a request.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Self
from urllib.request import getproxies, proxy_bypass

import aiohttp
import yarl
from aiohttp.connector import Connection

from bfaudit import __version__
from bfaudit.model import Reason
from bfaudit.scan.answer import Raw, read

MAX_BYTES = 4 * 1024 * 1024
"""The longest answer that is read."""
IDLE = 15.0
"""Seconds after which a kept connection is not used again: the other side may be about to end it."""
HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"bfaudit/{__version__}",
}

_connecting = lru_cache(maxsize=64)(lambda seconds: aiohttp.ClientTimeout(connect=seconds))
_SWITCHING_PROTOCOLS = 101


class WriteRefusedError(Exception):
    """Something tried to send a request that is not a known read. It was not sent."""


class Wire:
    """All connections of a scan: for each host as many as there are requests at once."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._connector = aiohttp.TCPConnector(limit=0, ssl=context, ttl_dns_cache=600)
        self._hosts: dict[tuple[str, str], _Host] = {}
        # Read once: aiohttp's `trust_env` would read the environment for every request, in a thread.
        self._proxies = getproxies()
        self._clock = asyncio.get_running_loop().time

    async def send(
        self,
        scheme: str,
        host: str,
        target: str,
        method: str,
        headers: Mapping[str, str] | None,
        body: str | None,
        seconds: float,
    ) -> Raw:
        """Send one request, with its target (path and query) exactly as signed; never raises for an answer.

        It may take `seconds` until its last byte is there.
        """
        now = self._clock()
        deadline = now + seconds
        try:
            to = self._hosts.get((scheme, host)) or self._host(scheme, host)
            try:
                request = to.request(method, target, headers or {}, body)
            except ValueError:
                return Raw(failure=Reason.MALFORMED_SECRET)
            connection = to.kept_one(now)
            # A kept connection may end at the moment that it is used again.
            may_repeat = connection is not None and method == "GET"
            while True:
                if connection is None:
                    connection = await self._connector.connect(to.dial, [], _connecting(seconds))
                try:
                    raw = await _answer(to, connection, request, deadline)
                    break
                except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
                    seconds = deadline - self._clock()
                    if not may_repeat or seconds <= 0:
                        raise
                    may_repeat, connection = False, None
        except TimeoutError:
            raw = Raw(failure=Reason.TIMEOUT)
        except (aiohttp.ClientConnectionError, aiohttp.ClientHttpProxyError, OSError):
            raw = Raw(failure=Reason.UNREACHABLE)
        except Exception:  # noqa: BLE001 - the other side decides what an HTTP library stumbles over
            raw = Raw(failure=Reason.UNEXPECTED_ANSWER)
        # A connection that was cut for being late looks like one that ended, or even like the end of an answer.
        return raw if self._clock() < deadline else Raw(failure=Reason.TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for host in self._hosts.values():
            host.close()
        await self._connector.close()

    def _host(self, scheme: str, name: str) -> "_Host":
        proxy = None if proxy_bypass(name) else self._proxies.get(scheme)
        host = self._hosts[scheme, name] = _Host(scheme, name, proxy)
        return host


class _Host:
    """A host that requests go to, and the connections to it that nobody uses."""

    def __init__(self, scheme: str, name: str, proxy: str | None) -> None:
        url, through = yarl.URL(f"{scheme}://{name}/"), yarl.URL(proxy) if proxy else None
        loop = asyncio.get_running_loop()
        self.dial = aiohttp.ClientRequest("GET", url, headers=HEADERS, loop=loop, proxy=through)
        """What the connector wants to know in order to connect; never sent."""
        self._before = f"{scheme}://{name}" if proxy and not self.dial.is_ssl() else ""
        """What stands before the path in a request line: all of the URL for a proxy that sees it."""
        self._headers = dict(self.dial.headers)
        if self._before and through and through.user:
            login = aiohttp.encode_basic_auth(through.user, through.password or "")
            self._headers["Proxy-Authorization"] = login
        self._lines = "".join([f"{name}: {value}\r\n" for name, value in self._headers.items()])
        self._kept: deque[tuple[Connection, float]] = deque()

    def kept_one(self, now: float) -> Connection | None:
        """A connection that was used before and can be used again."""
        while self._kept:
            connection, since = self._kept.pop()
            protocol: Any = connection.protocol
            # One that should close is one on which something came that nobody had asked for.
            if now - since < IDLE and protocol.is_connected() and not protocol.should_close:
                return connection
            connection.close()
        return None

    def keep(self, connection: Connection, now: float) -> None:
        """Keep a connection whose answer was read to its end."""
        self._kept.append((connection, now))

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._kept:
            self._kept.pop()[0].close()

    def request(self, method: str, target: str, headers: Mapping[str, str], body: str | None) -> bytes:  # fmt: skip
        """A request as it is sent. Raises ValueError for what could be read as more than one."""
        content = body.encode() if body else b""
        ours, fields = self._lines, dict(headers)
        if not self._headers.keys().isdisjoint(headers):
            ours, fields = "", {**self._headers, **headers}
        if content or method != "GET":
            fields["Content-Length"] = str(len(content))
        lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
        head = f"{method} {self._before}{target} HTTP/1.1\r\n{ours}{''.join(lines)}"
        breaks = 1 + ours.count("\n") + len(lines)
        if head.count("\n") != breaks or head.count("\r") != breaks or "\0" in head or " " in target:  # fmt: skip
            raise ValueError("a break in the line of a request")
        return f"{head}\r\n".encode() + content


async def _answer(to: _Host, connection: Connection, request: bytes, deadline: float) -> Raw:
    """Send a request over a connection, and read what comes; the connection is kept only where all is as it should be."""
    loop = asyncio.get_running_loop()
    protocol: Any = connection.protocol
    late = loop.call_at(deadline, protocol.transport.abort)
    kept = False
    try:
        if protocol.should_close:
            raise ValueError("an answer before the request")
        protocol.set_response_params(read_until_eof=True)
        protocol.transport.write(request)
        message, payload = await protocol.read()
        while 100 <= message.code < 200 and message.code != _SWITCHING_PROTOCOLS:
            message, payload = await protocol.read()
        data = payload.read_nowait() if payload.is_eof() else await _bounded(payload)
        if len(data) > MAX_BYTES:
            raise ValueError("too long")
        kept = not protocol.should_close
        return read(message.code, data, message.headers)
    finally:
        late.cancel()
        if kept:
            to.keep(connection, loop.time())
        else:
            connection.close()


async def _bounded(payload: aiohttp.StreamReader) -> bytes:
    parts: list[bytes] = []
    total = 0
    async for part in payload.iter_any():
        total += len(part)
        if total > MAX_BYTES:
            raise ValueError("too long")
        parts.append(part)
    return b"".join(parts)
