"""What faults are made of: an expectation, and ways to spoil an answer in its body, in HTTP or on the socket."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bfaudit.model import Reason
from tests.scan.front import Answer, Strike, Talk

Expected = frozenset[str]
"""Reasons, or `same`, or `part`."""

SAME: Expected = frozenset({"same"})
"""Nothing is lost: the answer is the documented one, in another dress."""
PART: Expected = frozenset({"part"})
"""Some evidence is lost: the key works, and what is still said of it is what was said before."""
UNREADABLE: Expected = frozenset({Reason.UNEXPECTED_ANSWER})
GONE: Expected = frozenset({Reason.UNREACHABLE})
LATE: Expected = frozenset({Reason.TIMEOUT})
SENSELESS: Expected = frozenset({Reason.UNEXPECTED_ANSWER, Reason.PERMISSIONS_UNKNOWN})
"""The key may work; what it may do is not known."""


def only(reason: str) -> Expected:
    """One reason."""
    return frozenset({Reason(reason)})


@dataclass(frozen=True)
class Fault:
    """One fault, and what a scan may make of it."""

    name: str
    strike: Strike
    expected: Expected
    but: Mapping[str, Expected] = field(default_factory=dict)
    """Exchanges that it strikes otherwise."""
    greets: bool = False
    """Strikes before the request is read."""
    tls: str = ""
    """The certificate of a listener that speaks TLS, by name in `test_faults`."""

    def allowed(self, exchange: str) -> Expected:
        """What may come of it at one exchange."""
        return self.but.get(exchange, self.expected)


def content(name: str, change: Callable[[bytes], bytes], expected: Expected = UNREADABLE, **but: Expected) -> Fault:  # fmt: skip
    """A well-formed answer with another body."""

    async def strike(talk: Talk) -> None:
        true = await talk.answer()
        await talk.send(replace(true, body=change(true.body)).wire)
        talk.writer.close()

    return Fault(name, strike, expected, but)


def answer(name: str, expected: Expected = UNREADABLE, **changes: object) -> Fault:
    """The documented body with another status or other headers."""

    async def strike(talk: Talk) -> None:
        await talk.send(replace(await talk.answer(), **changes).wire)
        talk.writer.close()

    return Fault(name, strike, expected)


def wire(name: str, made: Callable[[Answer], bytes], expected: Expected = UNREADABLE) -> Fault:
    """Bytes that need not be HTTP; the connection ends after them."""

    async def strike(talk: Talk) -> None:
        await talk.send(made(await talk.answer()))
        talk.writer.close()

    return Fault(name, strike, expected)


def drip(name: str, made: Callable[[Answer], tuple[bytes, bytes]], pause: float = 0.2) -> Fault:
    """Some bytes at once, the rest one at a time."""

    async def strike(talk: Talk) -> None:
        first, rest = made(await talk.answer())
        await talk.send(first)
        await talk.send(*(rest[at : at + 1] for at in range(len(rest))), pause=pause)

    return Fault(name, strike, LATE)


def flood(name: str, start: bytes, again: bytes, expected: Expected, end: bytes = b"") -> Fault:
    """A start, and then the same for ever, or until the other side has had enough."""

    async def strike(talk: Talk) -> None:
        await talk.send(start)
        for _ in range(2000):
            await talk.send(again * 16)
            await asyncio.sleep(0.005)
        await talk.send(end)

    return Fault(name, strike, expected)


def with_headers(true: Answer, *headers: bytes, body: bytes | None = None) -> bytes:
    """The documented answer with headers as they are given, and no length of its own."""
    return true.head + b"".join(b"%b\r\n" % each for each in headers) + b"\r\n" + (true.body if body is None else body)  # fmt: skip


def packed(encoding: bytes, body: bytes) -> Callable[[Answer], bytes]:
    """An answer with a content encoding, and a body as it is given."""
    return lambda true: with_headers(
        true,
        b"Content-Encoding: " + encoding,
        b"Content-Length: %d" % len(body),
        body=body,
    )


def chunks(*parts: bytes) -> Callable[[Answer], bytes]:
    """An answer in chunks, spelt out; `%b` stands for the body as one good chunk."""

    def made(true: Answer) -> bytes:
        good = b"%x\r\n%b\r\n" % (len(true.body), true.body)
        return with_headers(
            true,
            b"Transfer-Encoding: chunked",
            body=b"".join(good if part == b"%b" else part for part in parts),
        )

    return made


def zipped(true: Answer, cut: int = 0) -> bytes:
    """The documented answer in gzip, some bytes of it cut off."""
    body = gzip.compress(true.body)
    return packed(b"gzip", body[: len(body) - cut] if cut else body)(true)


async def reset(talk: Talk) -> None:
    """Accept, and drop."""
    talk.reset()


async def silence(talk: Talk) -> None:
    """Accept, and never say a word."""
    await talk.reader.read(1 << 20)
    await asyncio.sleep(60)


async def leave(talk: Talk) -> None:
    """Close in good order, without an answer."""
    talk.writer.close()


async def half_close(talk: Talk) -> None:
    """Say that nothing comes any more, and keep listening."""
    talk.writer.write_eof()
    await asyncio.sleep(60)


async def nonsense(talk: Talk) -> None:
    """Answer what is not even asked yet."""
    await talk.send(bytes(range(256)))
    talk.writer.close()


async def not_tls(talk: Talk) -> None:
    """Answer a TLS handshake as a web server does that was not asked to speak TLS."""
    await talk.reader.read(5)
    await talk.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    talk.writer.close()


async def hang_up(talk: Talk) -> None:
    """Drop in the middle of the TLS handshake."""
    await talk.reader.read(5)
    talk.reset()


def dropped(name: str, kept: Callable[[Answer], bytes], expected: Expected) -> Fault:
    """A part of the answer, and then a reset."""

    async def strike(talk: Talk) -> None:
        await talk.send(kept(await talk.answer()))
        await asyncio.sleep(0.05)
        talk.reset()

    return Fault(name, strike, expected)


def moved(status: int) -> Fault:
    """A redirect to another host, which must never hear of it: `other` is a listener that counts."""

    async def strike(talk: Talk) -> None:
        to = f"http://{talk.front.host_of['other']}/{talk.exchange}/"
        true = await talk.answer()
        await talk.send(replace(true, status=status, headers=(("Location", to),)).wire)

    return Fault(f"redirect-{status}", strike, UNREADABLE)
