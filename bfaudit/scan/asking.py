"""Sends the reads of one connection: within the limits, bounded in tries and time, and keeps what came back."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec
from msgspec.structs import replace

from bfaudit.exchanges.base import NOTHING, Adapter, Form, Read, Reply
from bfaudit.exchanges.judging import judge
from bfaudit.model import Reason, RequestMade
from bfaudit.scan.answer import Raw
from bfaudit.scan.clients import OFFSET, Client, endpoint, error_class, local_milliseconds
from bfaudit.scan.limits import Limiter

AGAIN = frozenset(
    {
        Reason.TIMEOUT,
        Reason.UNREACHABLE,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
        Reason.UNEXPECTED_ANSWER,
        Reason.CLOCK_SKEW,
    }
)
"""What may be gone on the next try. A refusal of the key is not tried again, but where `Adapter.retries` says so."""


CLOCK = Read(label="time", path="GET the public time", call="")
"""The request for the exchange's time, as limits by address count it."""


class Patience(msgspec.Struct, frozen=True):
    """How long a scan waits and how often it tries again."""

    request_seconds: float = 10.0
    connection_seconds: float = 60.0
    """Time spent on one connection's requests and on waiting between tries; waiting for a rate limit is not counted."""
    tries: int = 3
    longest_pause: float = 30.0
    """A Retry-After above this ends the scan of that exchange instead of being waited for."""


@dataclass(slots=True)
class Exchange:
    """One exchange during one scan: its adapter, its template, its limits, and whether it told us to go away."""

    adapter: Adapter
    template: Client
    limiter: Limiter
    patience: Patience
    url: str
    redirected: bool
    requests: int = 0
    clock_offset_ms: int | None = None
    closed: Reason | None = None
    """Why no further request is sent to it: a ban, or a pause longer than anybody waits for."""
    _clock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read_clock(self) -> None:
        """Measure the clock's offset by the exchange's public time, and sign with it from now on."""
        async with self._clock:
            loop = asyncio.get_running_loop()
            taken = await self.limiter.take(CLOCK, "", "")
            self.requests += 1
            try:
                before = local_milliseconds()
                started = loop.time()
                told = await self.template.fetch_time()
                middle = before + (loop.time() - started) * 500
                offset = round(middle - told)
            except Exception:  # noqa: BLE001 - no time told, whatever came instead: sign with our own clock
                return
            finally:
                self.limiter.answered(taken)
            if abs(offset) < 10**11:
                self.clock_offset_ms = offset
                self.template.options[OFFSET] = offset


class Asking:
    """The `Ask` of one connection."""

    def __init__(
        self, exchange: Exchange, client: Client, account: str, *, wants_uid: bool
    ) -> None:
        self.key: str = client.apiKey
        self.wants_uid = wants_uid
        self.replies: dict[str, Reply] = {}
        self.made: list[RequestMade] = []
        self._exchange = exchange
        self._client = client
        self._account = account
        self._left = exchange.patience.connection_seconds
        self._clock = asyncio.get_running_loop().time

    async def __call__(
        self, read: Read, params: Mapping[str, Any] = NOTHING, *, label: str | None = None
    ) -> Reply:
        """Send one read, again where that may help, and keep its reply under its label."""
        at = datetime.now(UTC)
        started = self._clock()
        reply, tries = await self._try(read, params)
        spent = self._clock() - started
        self.replies[label or read.label] = reply
        outcome = reply.verdict.reason.value if reply.verdict else "ok"
        self.made.append(
            RequestMade(read.path, at, round(spent * 1000), reply.http, outcome, tries)
        )
        return reply

    async def _try(self, read: Read, params: Mapping[str, Any]) -> tuple[Reply, int]:
        exchange = self._exchange
        for number in count(1):
            if exchange.closed:
                return self._judged(Reply(read=read, failure=exchange.closed)), number - 1
            if self._left <= 0:
                return self._judged(Reply(read=read, failure=Reason.TIMEOUT)), number - 1
            taken = await exchange.limiter.take(read, self._account, self.key)
            try:
                reply = await self._once(read, params)
            finally:
                exchange.limiter.answered(taken)
            if reply.verdict is None or not self._again(reply.verdict.reason, number):
                break
            if not await self._wait(reply, number):
                break
        if reply.refused(Reason.BANNED):
            exchange.closed = Reason.BANNED
        return reply, number

    def _again(self, reason: Reason, number: int) -> bool:
        """Whether another try may end otherwise than try `number` did."""
        tries = self._exchange.patience.tries
        if reason in AGAIN or tries == 1:
            return number < tries
        return number <= self._exchange.adapter.retries.get(reason, 0)

    async def _once(self, read: Read, params: Mapping[str, Any]) -> Reply:
        self._exchange.requests += 1
        started = self._clock()
        self._client.bf_seconds = min(self._exchange.patience.request_seconds, self._left)
        try:
            # ccxt's own `request` would add nothing but options that a scan does not use.
            try:
                signed = self._client.sign(*endpoint(self._client, read), {**read.params, **params})
            except Exception:  # noqa: BLE001 - ccxt checks secrets by using them
                return self._judged(Reply(read=read, failure=Reason.MALFORMED_SECRET))
            raw: Raw = await self._client.fetch(
                signed["url"], signed["method"], signed["headers"], signed["body"]
            )
        finally:
            self._left -= self._clock() - started
        reply = self._judged(
            Reply(
                read=read,
                http=raw.http,
                form=raw.form,
                body=raw.body,
                failure=raw.failure,
                retry_after=raw.retry_after,
            )
        )
        if reply.refused(Reason.UNEXPECTED_ANSWER) and raw.form is Form.JSON:
            name = error_class(self._client, raw, self._exchange.url)
            reply = self._judged(replace(reply, error_class=name))
        return reply

    def _judged(self, reply: Reply) -> Reply:
        verdict = judge(self._exchange.adapter, reply)
        return replace(reply, verdict=verdict) if verdict else reply

    async def _wait(self, reply: Reply, number: int) -> bool:
        """Wait before the next try; False where another try would not help."""
        exchange, patience = self._exchange, self._exchange.patience
        if reply.refused(Reason.CLOCK_SKEW):
            await exchange.read_clock()
            known = exchange.template.options.get(OFFSET)
            changed = bool(self._client.options.get(OFFSET) != known)
            self._client.options[OFFSET] = known
            return changed and number == 1
        pause = reply.retry_after
        if pause is None:
            pause = 0.25 * 2 ** (number - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        if pause > patience.longest_pause:
            if reply.refused(Reason.RATE_LIMITED):
                exchange.closed = Reason.RATE_LIMITED
            return False
        if reply.refused(Reason.RATE_LIMITED):
            exchange.limiter.pause(pause)
        self._left -= pause
        await asyncio.sleep(pause)
        return True
