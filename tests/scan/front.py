"""A server between a scan and the sandbox: it fetches the true answer, and lets a fault decide what comes of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

HOST = "127.0.0.1"
LONGEST = 30.0
"""Seconds after which a fault that never ends is given up: longer than any scan of the tests waits."""


@dataclass(frozen=True)
class Answer:
    """An answer, as far as faults change it."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)

    @property
    def head(self) -> bytes:
        """The status line and the headers, each line ended."""
        reason = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Odd"
        lines = [f"HTTP/1.1 {self.status} {reason}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1")

    @property
    def wire(self) -> bytes:
        """The whole answer, well-formed."""
        return b"%bContent-Length: %d\r\n\r\n%b" % (self.head, len(self.body), self.body)


@dataclass
class Talk:
    """One request of a scan, and the way to answer it."""

    request: bytes
    """Request line and headers."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    front: "Front"
    body: bytes = b""

    @property
    def exchange(self) -> str:
        """The exchange that is asked: the first part of the path."""
        return self.request.split(b"/", 2)[1].decode()

    async def answer(self) -> Answer:
        """What the sandbox says to it; asked once for each path, because nonces must rise and answers need not change."""
        path = self.request.split(b" ", 2)[1].partition(b"?")[0]
        known = self.front.answers
        if path not in known:
            known[path] = await self._asked()
        return known[path]

    async def _asked(self) -> Answer:
        reader, writer = await asyncio.open_connection(HOST, self.front.behind)
        try:
            # Signed is what comes before; a header more is none of the signature's business.
            writer.write(self.request[:-2] + b"Connection: close\r\n\r\n" + self.body)
            head = await reader.readuntil(b"\r\n\r\n")
            return Answer(await reader.read(), int(head.split(b" ", 2)[1]))
        finally:
            writer.close()

    async def send(self, *parts: bytes, pause: float = 0.0) -> None:
        """Send parts, `pause` seconds apart."""
        for number, part in enumerate(parts):
            if number and pause:
                await asyncio.sleep(pause)
            self.writer.write(part)
            await self.writer.drain()

    def reset(self) -> None:
        """Drop the connection without a word, as a crash does."""
        self.writer.transport.abort()


Strike = Callable[[Talk], Awaitable[None]]


@dataclass
class Front:
    """The listeners of all faults, and what came in."""

    behind: int
    """The sandbox's port."""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    """Name of the fault, and the head of the request."""
    answers: dict[bytes, Answer] = field(default_factory=dict)
    """What the sandbox said, by path."""
    host_of: dict[str, str] = field(default_factory=dict)
    """Host and port of each listener, by the name of its fault."""
    _servers: dict[str, asyncio.Server] = field(default_factory=dict)
    _talking: set["asyncio.Task[None]"] = field(default_factory=set)

    async def listen(
        self,
        name: str,
        strike: Strike,
        *,
        context: ssl.SSLContext | None = None,
        greet: Strike | None = None,
    ) -> int:
        """The port on which a fault strikes; `greet` strikes before anything is read."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._talking.add(task)
            try:
                with suppress(OSError, EOFError, TimeoutError):
                    async with asyncio.timeout(LONGEST):
                        if greet:
                            await greet(Talk(b"", reader, writer, self))
                        else:
                            await self._talk(name, strike, reader, writer)
            except asyncio.CancelledError:
                writer.transport.abort()
            finally:
                self._talking.discard(task)
                writer.close()

        server = await asyncio.start_server(serve, HOST, 0, ssl=context, limit=1 << 20)
        self._servers[name] = server
        port = server.sockets[0].getsockname()[1]
        self.host_of[name] = f"{HOST}:{port}"
        return int(port)

    async def shut(self, name: str) -> None:
        """Close a listener: its port refuses from now on."""
        self._servers[name].close()
        await self._servers[name].wait_closed()

    async def _talk(
        self,
        name: str,
        strike: Strike,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        while not writer.is_closing():
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append((name, request))
            lines = request.lower().split(b"\r\n")
            length = next((line for line in lines if line.startswith(b"content-length:")), b":0")
            body = await reader.readexactly(int(length.split(b":")[1]))
            await strike(Talk(request, reader, writer, self, body))

    async def close(self) -> None:
        """End every listener and every talk."""
        for server in self._servers.values():
            server.close()
        talking = list(self._talking)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await asyncio.sleep(0.05)  # transports close in the next turns of the loop


@asynccontextmanager
async def front(behind: int) -> AsyncIterator[Front]:
    """A front before a sandbox, for as long as the block lasts."""
    made = Front(behind)
    try:
        yield made
    finally:
        await made.close()
