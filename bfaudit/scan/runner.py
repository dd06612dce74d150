"""Scans a fleet: W workers on one iterator per exchange, all exchanges at once, one session and one SSL context."""

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import certifi

from bfaudit import __version__
from bfaudit.credentials import ResolveContext, Secret, resolve, split
from bfaudit.errors import CredentialError
from bfaudit.exchanges.base import Adapter, Context, Reply
from bfaudit.facts import FactsBuilder
from bfaudit.model import (
    Connection,
    ExchangeScanned,
    Fact,
    Facts,
    Reason,
    RequestMade,
    Scanned,
    Snapshot,
    Source,
)
from bfaudit.reach import conclude
from bfaudit.scan import clients
from bfaudit.scan.asking import Asking, Exchange, Patience
from bfaudit.scan.limits import Limiter
from bfaudit.scan.status import Answer, judge_connection, refusal
from bfaudit.scan.transport import HEADERS

FINGERPRINT_VARIABLE = "BFAUDIT_FINGERPRINT_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to scan."""

    urls: Mapping[str, str] = field(default_factory=dict)
    """Redirections by exchange id."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Where `env:` references look."""
    workers: int = 32
    """Connections that are asked at once, per exchange: rate x round trip, so 32 saturates any documented limit."""
    connection_test: bool = False
    """Also make one balance read and one order read with every key that works."""
    allow_probes: bool = False
    patience: Patience = field(default_factory=Patience)
    ca_file: str | None = None
    """Certificate authorities to trust instead of the built-in bundle; verification is never off."""
    rate_limits: bool = True


Done = Callable[[Scanned], None]


async def scan(
    connections: Iterable[Connection],
    adapters: Mapping[str, Adapter],
    options: Options,
    *,
    done: Done = lambda _scanned: None,
    stop: asyncio.Event | None = None,
) -> Snapshot:
    """Ask about every connection; `done` hears of each as it is finished, `stop` ends the scan early."""
    jobs: dict[str, list[tuple[int, Connection]]] = {}
    for number, connection in enumerate(connections):
        jobs.setdefault(connection.exchange, []).append((number, connection))
    finished: dict[int, Scanned] = {}

    def keep(number: int, scanned: Scanned) -> None:
        finished[number] = scanned
        done(scanned)

    context = _trust(options)
    connector = aiohttp.TCPConnector(
        limit=options.workers * max(1, len(jobs)), ssl=context, ttl_dns_cache=600
    )
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=HEADERS, trust_env=True
    ) as session:
        exchanges = {
            name: _exchange(name, adapters[name], session, context, options)
            for name in sorted(jobs)
        }
        tasks = [
            asyncio.create_task(_scan_exchange(exchanges[name], todo, options, keep))
            for name, todo in jobs.items()
        ]
        interrupted = await _all(tasks, stop)
    return Snapshot(
        generated_at=datetime.now(UTC),
        connections=tuple(finished[number] for number in sorted(finished)),
        exchanges=tuple(_told(name, exchange) for name, exchange in exchanges.items()),
        interrupted=interrupted,
        version=__version__,
    )


def _trust(options: Options) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=options.ca_file or certifi.where())


def _exchange(
    name: str,
    adapter: Adapter,
    session: aiohttp.ClientSession,
    context: ssl.SSLContext,
    options: Options,
) -> Exchange:
    override = options.urls.get(name)
    return Exchange(
        adapter=adapter,
        template=clients.template(
            name,
            adapter,
            session,
            context,
            override,
            seconds=options.patience.request_seconds,
            probes=options.allow_probes,
        ),
        limiter=Limiter(adapter.limits if options.rate_limits else ()),
        patience=options.patience,
        url=override or adapter.host,
        redirected=override is not None,
    )


def _told(name: str, exchange: Exchange) -> ExchangeScanned:
    return ExchangeScanned(
        id=name,
        url=exchange.url,
        redirected=exchange.redirected,
        clock_offset_ms=exchange.clock_offset_ms,
        requests=exchange.requests,
    )


async def _all(tasks: list[asyncio.Task[None]], stop: asyncio.Event | None) -> bool:
    """Wait for all tasks, or until told to stop; whether it was stopped."""
    if not tasks:
        return False
    stopping = asyncio.create_task(stop.wait()) if stop else None
    every: asyncio.Future[list[None]] = asyncio.gather(*tasks)
    try:
        waited: list[asyncio.Future[Any]] = [every, stopping] if stopping else [every]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if every.done():
            every.result()
            return False
        return True
    finally:
        for task in [*tasks, *([stopping] if stopping else [])]:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await every


async def _scan_exchange(
    exchange: Exchange,
    todo: list[tuple[int, Connection]],
    options: Options,
    keep: Callable[[int, Scanned], None],
) -> None:
    await exchange.read_clock()
    queue = iter(todo)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(options.workers, len(todo))):
            group.create_task(_worker(exchange, queue, options, keep))


async def _worker(
    exchange: Exchange,
    queue: Iterator[tuple[int, Connection]],
    options: Options,
    keep: Callable[[int, Scanned], None],
) -> None:
    for number, connection in queue:
        keep(number, await scan_connection(exchange, connection, options))


async def scan_connection(exchange: Exchange, connection: Connection, options: Options) -> Scanned:
    """Ask about one connection."""
    now = datetime.now(UTC)
    place = ResolveContext(options.environ, connection.place.file)
    try:
        secrets = {role: resolve(text, place) for role, text in connection.credentials.items()}
    except CredentialError as error:
        answer = refusal(Reason.UNRESOLVED_CREDENTIAL, f"{error.message.rstrip('.')}.")
        return _scanned(connection, answer, now)
    asking = Asking(
        exchange,
        clients.view(exchange.template, {role: one.reveal() for role, one in secrets.items()}),
        connection.account or connection.name,
        wants_uid=connection.uid is not None or options.connection_test,
    )
    key = asking.key
    adapter = exchange.adapter
    await adapter.fetch(asking)
    if options.connection_test and any(reply.ok for reply in asking.replies.values()):
        await _connection_test(adapter, connection, asking)
    context = Context(now, lambda text: _is_own(text, key), _kind(secrets["secret"]))
    facts = conclude(adapter, adapter.parse(asking.replies, context), now)
    return _scanned(
        connection,
        judge_connection(adapter, connection, asking.replies, facts, now),
        now,
        facts=_with_tests(facts, asking.replies),
        fingerprint=fingerprint(key, options.environ),
        requests=tuple(asking.made),
    )


def _scanned(
    connection: Connection,
    answer: Answer,
    at: datetime,
    *,
    facts: Facts | None = None,
    fingerprint: str | None = None,
    requests: tuple[RequestMade, ...] = (),
) -> Scanned:
    return Scanned(
        connection=connection,
        status=answer.status,
        reason=answer.reason,
        detail=answer.detail,
        advice=answer.advice,
        scanned_at=at,
        fingerprint=fingerprint,
        schemes={role: split(text)[0] for role, text in connection.credentials.items()},
        facts=facts or FactsBuilder("").build({}, "the credential could not be resolved"),
        requests=requests,
    )


async def _connection_test(adapter: Adapter, connection: Connection, asking: Asking) -> None:
    """One balance read and one order read, of the market that the connection trades."""
    futures = "futures" in connection.requires and "trade" not in connection.requires
    pair = adapter.tests.get("futures" if futures else "spot") or adapter.tests["spot"]
    for name, read in zip(("test.balance", "test.orders"), pair, strict=False):
        await asking(replace(read, label=name))


def _with_tests(facts: Facts, replies: Mapping[str, Reply]) -> Facts:
    made = {
        label: Fact(
            reply.verdict.reason.value if reply.verdict else "ok", Source.PROBE, reply.read.path
        )
        for label, reply in replies.items()
        if label.startswith("test.")
    }
    return Facts({**facts.known, **made}, facts.unknown) if made else facts


def fingerprint(key: str, environ: Mapping[str, str]) -> str:
    """The identity of an API key in snapshots and reports, equal wherever the same key is used.

    Keyed by BFAUDIT_FINGERPRINT_KEY, so that nobody outside can tell whether a key he knows is in a report.
    """
    pepper = environ.get(FINGERPRINT_VARIABLE) or "bfaudit-fingerprint/1"
    return hmac.new(pepper.encode(), key.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[
        :20
    ]


def _is_own(text: str, key: str) -> bool:
    """Whether a key as an exchange shows it, with `*` for what it hides, is the key."""
    if "*" not in text:
        return hmac.compare_digest(text.encode(), key.encode())
    head, tail = text[: text.index("*")], text[text.rindex("*") + 1 :]
    return bool(head or tail) and key.startswith(head) and key.endswith(tail)


def _kind(secret: Secret) -> str:
    """How a secret signs, by its form, as ccxt tells them apart."""
    text = secret.reveal()
    if "PRIVATE KEY" not in text:
        return "hmac"
    if "EC PRIVATE KEY" in text:
        return "ecdsa"
    return "rsa" if len(text) > 240 else "ed25519"
