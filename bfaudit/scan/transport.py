"""Requests by libcurl, over kept connections: no redirect, no cookie, no login but a proxy's, bounded in bytes and time."""

import os
import select
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from typing import Any, Self

import pycurl

from bfaudit import __version__
from bfaudit.model import Reason
from bfaudit.scan.answer import Raw, read

MAX_BYTES = 4 * 1024 * 1024
"""The longest answer that is read."""
IDLE = 15
"""Seconds after which a kept connection is not used again: the other side may be about to end it."""
MOST_KEPT = 10_000
"""Connections that are kept: more than there are requests at once."""

_EVERY = (
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
    (pycurl.USERAGENT, f"bfaudit/{__version__}"),
    (pycurl.ACCEPT_ENCODING, "gzip, deflate"),
    (pycurl.PATH_AS_IS, 1),
    (pycurl.MAXAGE_CONN, IDLE),
    (pycurl.NOSIGNAL, 1),
    (pycurl.NOPROXY, ""),  # neither of them from the environment: it is read once
)
"""What is the same for every request, where libcurl's default is another: https://curl.se/libcurl/c/easy_setopt_options.html."""
_UNREACHABLE = frozenset(
    {
        pycurl.E_URL_MALFORMAT,
        pycurl.E_COULDNT_RESOLVE_PROXY,
        pycurl.E_COULDNT_RESOLVE_HOST,
        pycurl.E_COULDNT_CONNECT,
        97,  # CURLE_PROXY
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_GOT_NOTHING,
        pycurl.E_SEND_ERROR,
        pycurl.E_RECV_ERROR,
        pycurl.E_ABORTED_BY_CALLBACK,
    }
)
"""Where no answer came; whatever else goes wrong, goes wrong with an answer."""


_LEAVE = int(pycurl.PREREQFUNC_OK)
_STAY = int(pycurl.PREREQFUNC_ABORT)


class WriteRefusedError(Exception):
    """Something tried to send a request that is not a known read. It was not sent."""


class Wire:
    """All connections of a scan, to servers that the authorities of a file vouch for."""

    def __init__(self, authorities: str) -> None:
        self._authorities = authorities
        self._proxies = _proxies()
        self._lines = _Lines()
        self._transfers = _transfers()
        self._transfers.setopt(pycurl.M_MAXCONNECTS, MOST_KEPT)
        self._free: dict[tuple[str, str], list[_Handle]] = {}

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
        free = self._free.setdefault((scheme, host), [])
        handle = free.pop() if free else self._handle(scheme, host)
        try:
            handle.prepare(target, method, headers or {}, body, seconds)
        except (ValueError, pycurl.error):  # which refuses what is megabytes long
            free.append(handle)
            return Raw(failure=Reason.MALFORMED_SECRET)
        perform = self._transfers.perform
        try:
            try:
                await perform(handle.curl)
            except pycurl.error:
                if not handle.stale:
                    raise
                with handle.anew():
                    await perform(handle.curl)
            raw = handle.answer()
        except pycurl.error as error:
            raw = Raw(failure=handle.failure(error.args[0]))
        free.append(handle)
        return raw

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transfers.aclose()

    def _handle(self, scheme: str, host: str) -> "_Handle":
        proxy = self._proxies.get(scheme, "")
        if proxy:
            from urllib.request import proxy_bypass  # noqa: PLC0415 - slow

            proxy = "" if proxy_bypass(host) else proxy
        return _Handle(f"{scheme}://{host}", self._authorities, proxy, self._lines)


def _proxies() -> dict[str, str]:
    """Proxies by scheme, as the environment names them, or the settings of macOS."""
    if sys.platform == "linux" and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    from urllib.request import getproxies  # noqa: PLC0415 - slow

    return getproxies()


def _transfers() -> Any:
    if not hasattr(select, "epoll"):
        return pycurl.AsyncCurlMulti()
    from bfaudit.scan.transfers import Transfers  # noqa: PLC0415 - where there is epoll

    return Transfers()


class _Handle:
    """What libcurl needs for one request at a time, and what it read of the answer."""

    def __init__(self, origin: str, authorities: str, proxy: str, lines: "_Lines") -> None:
        self.curl = curl = pycurl.Curl()
        self.stale = False
        """Whether the request was not sent, because something had come that nobody asked for."""
        self._origin = origin
        self._lines = lines
        self._opened: list[int] = []
        self._sent = 0
        self._posts = False
        self._seconds = 0.0
        self._parts: list[bytes] = []
        self._size = 0
        for option, value in _EVERY:
            curl.setopt(option, value)
        for option in (pycurl.CAINFO, pycurl.PROXY_CAINFO):
            curl.setopt(option, authorities)
        for option in (pycurl.CAPATH, pycurl.PROXY_CAPATH):
            curl.unsetopt(option)
        curl.setopt(pycurl.PROXY, proxy)
        curl.setopt(pycurl.SOCKOPTFUNCTION, self._open)
        curl.setopt(pycurl.PREREQFUNCTION, self._leave)
        curl.setopt(pycurl.WRITEFUNCTION, self._write)

    def prepare(self, target: str, method: str, headers: Mapping[str, str], body: str | None, seconds: float) -> None:  # fmt: skip
        """What to send next. Raises ValueError for what could be read as more than one request."""
        # A name alone ends with a semicolon: by a colon libcurl would leave the header out.
        lines = [f"{name}: {value}" if value else f"{name};" for name, value in headers.items()]
        text = "\0".join([target, *lines])
        if " " in target or "\r" in text or "\n" in text or text.count("\0") != len(lines):
            raise ValueError("a break in the line of a request")
        fields = [line.encode() for line in lines]
        curl = self.curl
        posts = method == "POST"
        if posts:
            curl.setopt(pycurl.POSTFIELDS, body.encode() if body else b"")
            if "content-type" not in map(str.lower, headers):
                fields.append(b"Content-Type:")  # left to itself, libcurl says that it is a form
        elif self._posts:
            curl.setopt(pycurl.HTTPGET, 1)
        curl.setopt(pycurl.URL, f"{self._origin}{target}".encode())
        if fields:
            curl.setopt(pycurl.HTTPHEADER, fields)
        else:
            curl.unsetopt(
                pycurl.HTTPHEADER
            )  # an empty list would leave those of the request before
        if seconds != self._seconds:
            curl.setopt(pycurl.TIMEOUT_MS, max(1, ceil(seconds * 1000)))
            self._seconds = seconds
        self._parts.clear()
        self._size = self._sent = 0
        self._posts, self.stale = posts, False

    def answer(self) -> Raw:
        """The answer that was read to its end."""
        curl = self.curl
        status, parts = curl.getinfo(pycurl.RESPONSE_CODE), self._parts
        if status == 200 and not parts and curl.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T) < 0:
            return Raw(failure=Reason.UNREACHABLE)  # it ended before it said how long it is
        retry_after = curl.getinfo(pycurl.RETRY_AFTER) if status >= 300 else 0
        return read(status, parts[0] if len(parts) == 1 else b"".join(parts), retry_after or None)

    def failure(self, number: Any) -> Reason:
        """Why there is no answer: https://curl.se/libcurl/c/libcurl-errors.html."""
        if number == pycurl.E_OPERATION_TIMEDOUT:
            return Reason.TIMEOUT
        begun = self.curl.getinfo(pycurl.RESPONSE_CODE) > 0
        if number == pycurl.E_RECV_ERROR and begun and not self.curl.getinfo(pycurl.OS_ERRNO):
            return Reason.UNEXPECTED_ANSWER  # what came is no HTTP; the way to the exchange is fine
        return Reason.UNREACHABLE if number in _UNREACHABLE else Reason.UNEXPECTED_ANSWER

    @contextmanager
    def anew(self) -> Iterator[None]:
        """As long as this lasts, no kept connection is used."""
        self.stale, self._sent = False, 0
        self.curl.setopt(pycurl.FRESH_CONNECT, 1)
        try:
            yield
        finally:
            self.curl.setopt(pycurl.FRESH_CONNECT, 0)

    def _open(self, descriptor: int, _purpose: int) -> int:
        self._opened.append(descriptor)
        return int(pycurl.SOCKOPT_OK)

    def _leave(self, *ends: str | int) -> int:
        """Whether the request may leave, over the connection between two ends; libcurl asks before it sends."""
        self._sent += 1
        if self._sent > 1 and self._posts:
            return _STAY  # the kept connection ended: what had arrived, nobody knows
        if self._opened:
            self._lines.open(ends, self._opened)
            self._opened.clear()
        elif not self._lines.silent(ends):
            self.stale = True
            return _STAY
        return _LEAVE

    def _write(self, part: bytes) -> int:
        self._size += len(part)
        if self._size > MAX_BYTES:
            return 0  # which ends the request
        self._parts.append(part)
        return len(part)


class _Lines:
    """The sockets of kept connections: what comes before the next request would be read as its answer.

    libcurl looks for that as well, once a second.
    """

    def __init__(self) -> None:
        self._ends: dict[int, tuple[str | int, ...]] = {}
        self._polls: dict[tuple[str | int, ...], select.poll] = {}

    def open(self, ends: tuple[str | int, ...], descriptors: list[int]) -> None:
        """Know a new connection by its two ends: the one of some sockets that has its local port."""
        for descriptor in descriptors:
            with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as same:
                if same.getsockname()[1] == ends[-1]:
                    # A socket by the same number is closed.
                    self._polls.pop(self._ends.get(descriptor, ends), None)
                    self._ends[descriptor] = ends
                    self._polls[ends] = poll = select.poll()
                    poll.register(descriptor, select.POLLIN)

    def silent(self, ends: tuple[str | int, ...]) -> bool:
        """Whether nothing came on a connection, its end neither."""
        poll = self._polls.get(ends)
        return poll is not None and not poll.poll(0)
