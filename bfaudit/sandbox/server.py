"""The sandbox itself: one loopback port, every exchange under the prefix of its id."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import NamedTuple, Self

from aiohttp import web

from bfaudit.errors import UsageError
from bfaudit.sandbox.book import Book, Credentials, seed_of
from bfaudit.sandbox.call import Answer, Call
from bfaudit.sandbox.exchanges import sites
from bfaudit.sandbox.faults import Faults, encoded
from bfaudit.sandbox.limits import Limiter
from bfaudit.sandbox.load import raise_mistakes
from bfaudit.sandbox.scenario import Key, Scenario
from bfaudit.sandbox.site import Site

HOST = "127.0.0.1"
FROM = "X-Sandbox-From"
"""The request header that says which address the caller is to be seen as."""

_GRACE = 0.01  # seconds for answers under way when it stops; aiohttp takes 0 for ever


class Record(NamedTuple):
    """One request that came in, and how it was answered."""

    exchange: str
    method: str
    path: str
    """Without prefix and query."""
    key: str | None
    """The name of the key it named; None for a public request or a key that the exchange does not know."""
    status: int
    """The HTTP status; 0 where the connection was closed instead."""
    verified: bool
    """Whether its signature was checked and is right."""


class Sandbox:
    """Plays the exchanges of a scenario in a thread of its own, for as long as the `with` block lasts.

    `latency` is in seconds and delays every answer. With `ssl_context` it speaks TLS. Port 0 is any free port.
    Raises `InvalidInput` for a scenario that cannot be played, `UsageError` where the port is taken.
    """

    def __init__(
        self,
        scenario: Scenario,
        port: int = 0,
        *,
        ssl_context: ssl.SSLContext | None = None,
        latency: float = 0.0,
    ) -> None:
        raise_mistakes(scenario)
        self.scenario = scenario
        self.requests: list[Record] = []
        self._sites = sites()
        now = scenario.moment()
        self._books = {
            site.id: Book(
                site.id,
                site.credentials,
                [each for each in scenario.accounts if each.exchange == site.id],
                now,
                scenario.modes.get(site.id, ()),
            )
            for site in self._sites.values()
        }
        self.environment: Mapping[str, str] = {
            name: text
            for site in self._sites.values()
            for name, text in _environment(site, self._books[site.id])
        }
        """What the owners of the keys hold, by environment name."""
        self._spend = {
            site.id: Limiter(site).spend if scenario.limits.enforce else _unlimited
            for site in self._sites.values()
        }
        self._faults = Faults(scenario.faults)
        self._port = port
        self._ssl = ssl_context
        self._latency = latency
        self._thread = threading.Thread(target=self._run, name="bfaudit sandbox", daemon=True)
        self._ready = threading.Event()
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"{'https' if self._ssl else 'http'}://{HOST}:{self._port}"

    @property
    def urls(self) -> Mapping[str, str]:
        """Where each exchange is, by its id."""
        return {exchange: f"{self.url}/{exchange}" for exchange in self._books}

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise UsageError(
                f"port {self._port} of {HOST} cannot be used", hint="choose another --port"
            ) from self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=_GRACE, handle_signals=False
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port, ssl_context=self._ssl, backlog=4096).start()
            self._port = runner.addresses[0][1]
            self._ready.set()
            await self._stop.wait()
        except OSError as error:
            self._failure = error
        finally:
            await runner.cleanup()
            self._ready.set()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw_path, _, query = request.raw_path.partition("?")
        exchange, slash, path = raw_path[1:].partition("/")
        site = self._sites.get(exchange)
        if site is None:
            return web.json_response({"error": "no such exchange"}, status=404)
        address = request.headers.get(FROM, self.scenario.seen_as)
        if address is not self.scenario.seen_as and not _is_address(address):
            return web.json_response({"error": f"{FROM} is not an IP address"}, status=400)
        offset = self.scenario.clock_offset_ms.get(exchange, 0)
        call = Call(
            book=self._books[exchange],
            method=request.method,
            path=slash + path,
            query=query,
            headers=request.headers,
            body=await request.read() if request.can_read_body else b"",
            address=address,
            now_ms=int(time.time() * 1000) + offset,
            spend=self._spend[exchange],
        )
        answer = self._faults.strike(site, call, site.handler(call))
        status = 0 if answer.reset else answer.status
        who = call.key.name if call.key else None
        self.requests.append(Record(exchange, call.method, call.path, who, status, call.verified))
        if delay := self._latency + answer.delay:
            await asyncio.sleep(delay)
        return _response(request, answer)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _unlimited(_call: Call, _pool: str, _weight: float) -> None:
    pass


def _response(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    if answer.reset and request.transport is not None:
        request.transport.abort()
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(body=encoded(answer), status=answer.status, headers=headers)


def _environment(site: Site, book: Book) -> Iterator[tuple[str, str]]:
    for held in book.keys.values():
        if held.key.prefixes:
            for role, text in _held_by_owner(site, held.key).items():
                yield from ((f"{prefix}_{role}", text) for prefix in held.key.prefixes)


def _held_by_owner(site: Site, key: Key) -> Mapping[str, str]:
    seed = seed_of(site.id, key)

    def credentials(*, wrong: bool) -> Credentials:
        return site.credentials(f"{seed} wrong" if wrong else seed, key)

    texts = {
        "KEY": credentials(wrong=key.wrong_key).key,
        "SECRET": credentials(wrong=key.wrong_secret).secret,
        "PASSPHRASE": credentials(wrong=key.wrong_passphrase).passphrase,
    }
    return {role: text for role, text in texts.items() if text is not None}
