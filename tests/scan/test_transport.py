"""Kept connections: what may be sent over them, when they are used again, and what a proxy sees."""

import asyncio
import select
import socket
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bfaudit.model import Reason
from bfaudit.scan import transport
from bfaudit.scan.transport import MAX_BYTES, Wire
from tests.scan.fleet import NOBODY


@pytest.fixture(autouse=True, params=["epoll", "pycurl"])
def transfers(request, monkeypatch):
    """By epoll, and as where there is none."""
    if request.param == "pycurl":
        monkeypatch.delattr(select, "epoll")


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def served(talk):
    """A server on loopback whose connections are each talked by `talk(number, read, write)`; gives its address."""
    seen: list[asyncio.Task[None]] = []

    async def each(reader, writer):
        seen.append(asyncio.current_task())
        number = len(seen)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await talk(number, lambda: reader.readuntil(b"\r\n\r\n"), writer)
        finally:
            writer.close()

    server = await asyncio.start_server(each, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for task in seen:
            task.cancel()
        await asyncio.gather(*seen, return_exceptions=True)
        server.close()
        await asyncio.sleep(0)


def keeping(heads):
    """A server that answers every request, and keeps what it was asked."""

    async def talk(_number, read, writer):
        while True:
            heads.append(await read())
            writer.write(OK)

    return talk


def _descriptors():
    return len([*Path("/proc/self/fd").iterdir()])


async def _get(wire, host, target="/x", method="GET", headers=None, body=None, seconds=5.0):
    return await wire.send("http", host, target, method, headers, body, seconds)


def test_a_connection_is_used_again():
    """One after the other, over one connection."""
    numbers = []

    async def talk(number, read, writer):
        while True:
            await read()
            numbers.append(number)
            writer.write(OK)

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            for _ in range(3):
                assert 200 == (await _get(wire, host)).http

    asyncio.run(run())

    assert [1, 1, 1] == numbers


def test_what_came_unasked_is_nobodys_answer():
    """An answer after the answer would be read as that of the next key: its connection is closed instead."""

    async def talk(number, read, writer):
        await read()
        writer.write(OK)
        await asyncio.sleep(0.05)
        writer.write(OK.replace(b"{}", b"[]"))
        await read()
        writer.write(OK.replace(b"{}", b"[]"))

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            first = await _get(wire, host)
            await asyncio.sleep(0.15)
            return first.body, (await _get(wire, host)).body

    assert ({}, {}) == asyncio.run(run())


@pytest.mark.parametrize(("method", "http"), [("GET", 200), ("POST", None)])
def test_a_kept_connection_that_ends_is_asked_again_only_by_reads(method, http):
    """The other side may end a connection at the moment that it is used again; what is not certainly a read is not repeated."""
    heads = []

    async def talk(number, read, writer):
        await read()
        writer.write(OK)
        if number == 1:
            heads.append(await read())
            return
        heads.append(b"again")

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            await _get(wire, host)
            return await _get(wire, host, method=method)

    raw = asyncio.run(run())

    assert http == raw.http
    assert (Reason.UNREACHABLE if http is None else None) == raw.failure
    assert (2 if http else 1) == len(heads)


def test_a_new_connection_that_ends_is_not_asked_again():
    """Its request may have been counted: another try is one more request, which takes its own place in the limits."""
    heads = []

    async def talk(_number, read, _writer):
        heads.append(await read())

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            return await _get(wire, host)

    assert Reason.UNREACHABLE == asyncio.run(run()).failure
    assert 1 == len(heads)


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("most", [100, MAX_BYTES])
def test_the_bound_holds_however_the_answer_comes(most, more, monkeypatch):
    """A short answer is there whole before anybody looks, a long one comes in parts."""
    monkeypatch.setattr(transport, "MAX_BYTES", most)
    body = b"x" * (most + more)

    async def talk(_number, read, writer):
        await read()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            return await _get(wire, host)

    raw = asyncio.run(run())

    assert (None if more else 200) == raw.http
    assert (Reason.UNEXPECTED_ANSWER if more else None) == raw.failure


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/x", {"Key": "a\r\nHost: b"}),
        ("/x", {"Key": "a\nb"}),
        ("/x", {"Key": "a\rb"}),
        ("/x", {"Key": "a\0b"}),
        ("/x", {"Key\r\n": "a"}),
        ("/x HTTP/1.1\r\nA: b\r\n\r\nGET /y", {}),
        ("/x y", {}),
        ("/x", {"Key": "\ud800"}),
        ("/" + "x" * 9_000_000, {}),
    ],
)
def test_what_could_be_read_as_two_requests_is_not_sent(target, headers):
    """A secret with a line break in it does not become a header, or a request, of its own."""
    seen = []

    async def talk(_number, read, writer):
        seen.append(await read())
        writer.write(OK)

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            return await _get(wire, host, target, headers=headers)

    assert Reason.MALFORMED_SECRET == asyncio.run(run()).failure
    assert [] == seen


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n{}", id="an answer that only its end ends"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", id="an answer too short"),
        pytest.param(b"", id="none"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n", id="an answer before the answer"),
    ],
)
def test_late_is_late(body):
    """What is cut off at the deadline is not taken for what was sent, and is asked for once."""
    connections = []

    async def talk(number, read, writer):
        connections.append(number)
        await read()
        writer.write(body)
        await asyncio.sleep(5)

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            return await _get(wire, host, seconds=0.2)

    raw = asyncio.run(run())

    assert (Reason.TIMEOUT, None) == (raw.failure, raw.body)
    assert [1] == connections


def test_a_server_that_keeps_no_connection_costs_nothing():
    """Of connections that ended nothing is kept, neither a socket nor what was known of it."""

    async def talk(_number, read, writer):
        await read()
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            await _get(wire, host)
            before = _descriptors()
            for _ in range(100):
                assert 200 == (await _get(wire, host)).http
            return _descriptors() - before, len(wire._lines._polls)

    more, known = asyncio.run(run())

    assert more <= 2
    assert known <= 4


def test_a_proxy_sees_the_whole_url_and_who_asks(monkeypatch):
    """Plain HTTP through a proxy names the host in the request line; the proxy's credentials go to the proxy only."""
    heads = []

    async def run():
        async with served(keeping(heads)) as host:
            monkeypatch.setenv("http_proxy", f"http://me:word@{host}")
            async with Wire(NOBODY) as wire:
                for _ in range(2):
                    assert 200 == (await _get(wire, "exchange.invalid", "/x?y=1")).http

    asyncio.run(run())

    assert 2 == len(heads)
    for head in heads:
        assert head.startswith(b"GET http://exchange.invalid/x?y=1 HTTP/1.1\r\n")
        assert b"\r\nHost: exchange.invalid\r\n" in head
        assert b"\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n" in head


def test_a_socks_proxy_is_told_the_name(monkeypatch):
    """It looks the name up itself, and sees what it passes on; RFC 1928."""
    asked = []

    async def each(reader, writer):
        assert b"\5" == await reader.readexactly(1)
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\5\0")
        assert b"\5\1\0\3" == await reader.readexactly(4)
        name = await reader.readexactly((await reader.readexactly(1))[0])
        asked.append((name, int.from_bytes(await reader.readexactly(2))))
        writer.write(b"\5\0\0\1" + bytes(6))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    async def run():
        server = await asyncio.start_server(each, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("http_proxy", f"socks5h://127.0.0.1:{port}")
        async with Wire(NOBODY) as wire:
            raw = await _get(wire, "exchange.invalid:8080")
        server.close()
        await asyncio.sleep(0)
        return raw

    assert 200 == asyncio.run(run()).http
    assert [(b"exchange.invalid", 8080)] == asked


def test_what_is_sent_is_what_was_signed():
    """The target to the byte, dots and brackets included, and every header once, an empty one too; nothing of libcurl's own."""
    heads = []

    async def talk(_number, read, writer):
        heads.append(await read())
        writer.write(OK)

    target = "/a/../b//c;d=1?x=%2f&y=[1]&z={\"a\":'b'}|~^`&&=&+"
    headers = {"KEY": "a: b; c", "Empty": "", "accept": "text/x", "User-Agent": "me"}

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            assert 200 == (await _get(wire, host, target, headers=headers)).http
            return host

    host = asyncio.run(run())

    first, *lines = heads[0].decode().split("\r\n")
    assert f"GET {target} HTTP/1.1" == first
    told = sorted(line for line in lines if line)
    assert told == ["Accept-Encoding: gzip, deflate", "Empty:", f"Host: {host}", "KEY: a: b; c", "User-Agent: me", "accept: text/x"]  # fmt: skip


def test_a_read_after_a_post_is_a_read():
    """What one request was sets nothing for the next."""
    heads = []

    async def run():
        async with served(keeping(heads)) as host, Wire(NOBODY) as wire:
            await _get(wire, host, method="POST", headers={"A": "b"})
            await _get(wire, host)

    asyncio.run(run())

    assert [b"POST", b"GET "] == [head[:4] for head in heads]
    assert b"A: b" in heads[0]
    assert not {b"A: b", b"Content-Length: 0"} & set(heads[1].split(b"\r\n"))


def test_an_answer_that_is_not_awaited_is_not_the_next_ones():
    """A request that is given up, and one that comes too late, leave nothing behind."""

    async def talk(_number, read, writer):
        head = await read()
        if b"/late" in head:
            await asyncio.sleep(0.3)
        writer.write(OK.replace(b"{}", b"[]" if b"/late" in head else b"{}"))
        await read()

    async def run():
        async with served(talk) as host, Wire(NOBODY) as wire:
            given_up = asyncio.create_task(_get(wire, host, "/late"))
            await asyncio.sleep(0.1)
            given_up.cancel()
            late = await _get(wire, host, "/late", seconds=0.1)
            told = [late.failure]
            for _ in range(4):
                told.append((await _get(wire, host)).body)
                await asyncio.sleep(0.1)
            return told

    assert [Reason.TIMEOUT, {}, {}, {}, {}] == asyncio.run(run())


def test_a_body_has_its_length():
    """A read by POST is framed as one request."""
    seen = []

    async def run():
        async with served(keeping(seen)) as host, Wire(NOBODY) as wire:
            await _get(wire, host, method="POST", headers={"Content-Type": "a/b"}, body="å=1")
            await _get(wire, host, method="POST")

    asyncio.run(run())

    assert b"\r\nContent-Length: 4\r\n" in seen[0]
    assert b"\r\nContent-Type: a/b\r\n" in seen[0]
    assert seen[1].startswith("å=1POST /x HTTP/1.1\r\n".encode())
    assert b"\r\nContent-Length: 0\r\n" in seen[1]


def test_nobody_listens():
    """A port without a server is an exchange that cannot be reached."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def run():
        async with Wire(NOBODY) as wire:
            return await _get(wire, f"127.0.0.1:{port}")

    assert Reason.UNREACHABLE == asyncio.run(run()).failure
