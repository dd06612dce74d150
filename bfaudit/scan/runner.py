"""Scans a fleet: W workers on one iterator per exchange, all exchanges at once, one session and one SSL context."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from bfaudit import __version__, collector
from bfaudit.credentials.resolving import Resolver
from bfaudit.exchanges.base import Adapter
from bfaudit.inventory import enrich
from bfaudit.model import ClientUsed, Connection, ExchangeScanned, Scanned, Snapshot
from bfaudit.scan import authorities, clients, unselected
from bfaudit.scan.asking import Exchange
from bfaudit.scan.connection import scan_connection
from bfaudit.scan.limits import Limiter
from bfaudit.scan.loop import in_between
from bfaudit.scan.options import Options
from bfaudit.scan.transport import Wire

Done = Callable[[Scanned], None]


class Shelf(Protocol):
    """Where finished connections are kept, by their number in the fleet."""

    def __contains__(self, number: object) -> bool: ...

    def __setitem__(self, number: int, scanned: Scanned) -> None: ...

    def asked(self, exchange: ExchangeScanned) -> None:
        """Hear what is recorded of an exchange by now, before one of its connections is kept."""


async def scan(
    connections: Iterable[Connection],
    adapters: Mapping[str, Adapter],
    options: Options,
    *,
    done: Done = lambda _scanned: None,
    stop: asyncio.Event | None = None,
    into: Shelf | None = None,
    rest: Sequence[Connection] = (),
) -> Snapshot:
    """Ask about every connection; `done` hears of each as it is finished, `stop` ends the scan early.

    What is kept `into` a shelf is not in the snapshot, and what is there already is not asked again. The `rest` of the
    fleet is not asked.
    """
    finished: dict[int, Scanned] = {}
    shelf = finished if into is None else into
    asked: set[str] = set()
    jobs: dict[str, list[tuple[int, Connection]]] = {}
    for number, connection in enumerate(connections):
        if number in shelf:
            asked.add(connection.exchange)
        else:
            jobs.setdefault(connection.exchange, []).append((number, connection))

    def keep(number: int, scanned: Scanned) -> None:
        name = scanned.connection.exchange
        if into is not None:
            into.asked(_told(name, exchanges[name]))
        shelf[number] = scanned
        asked.add(name)
        done(scanned)

    comparing = asyncio.create_task(in_between(_client))
    resolver = Resolver(options.environ, allow_exec=options.allow_exec)
    with collector.rare(), resolver:
        async with Wire(authorities.trusted(options.ca_file)) as wire:
            exchanges = {
                name: _exchange(name, adapters[name], wire, options) for name in sorted(jobs)
            }
            tasks = [
                asyncio.create_task(_scan_exchange(exchanges[name], todo, options, keep, resolver))
                for name, todo in jobs.items()
            ]
            interrupted = await _all(tasks, stop)
        others = await unselected.known(() if interrupted else rest, asked, options, resolver)
    return Snapshot(
        generated_at=datetime.now(UTC),
        connections=enrich([finished[number] for number in sorted(finished)]),
        exchanges=tuple(_told(name, exchange) for name, exchange in exchanges.items()),
        interrupted=interrupted,
        unselected=len(rest),
        rest=others,
        version=__version__,
        client=await comparing,
    )


def _client() -> ClientUsed:
    from bfaudit.scan import genuine  # noqa: PLC0415 - slow

    return genuine.client()


def _exchange(name: str, adapter: Adapter, wire: Wire, options: Options) -> Exchange:
    override = options.urls.get(name)
    return Exchange(
        adapter=adapter,
        template=clients.template(
            name,
            adapter,
            wire,
            override,
            seconds=options.patience.request_seconds,
            probes=options.allow_probes,
        ),
        limiter=Limiter(adapter.limits if options.rate_limits else ()),
        patience=options.patience,
        url=override or adapter.url(name),
        redirected=override is not None,
    )


def _told(name: str, exchange: Exchange) -> ExchangeScanned:
    return ExchangeScanned(
        id=name,
        url=exchange.url,
        redirected=exchange.redirected,
        clock_offset_ms=exchange.clock_offset_ms,
        requests=exchange.requests,
        refused_hosts=tuple(sorted(exchange.template.bf_strangers)),
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
    resolver: Resolver,
) -> None:
    """Keys that list others go first: a listing tells when the others were last used, before we use them."""
    await exchange.read_clock()
    first = [job for job in todo if job[1].inventory]
    rest = [job for job in todo if not job[1].inventory]
    for jobs in (first, rest):
        queue = iter(jobs)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(options.workers, len(jobs))):
                    group.create_task(_worker(exchange, queue, options, keep, resolver))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None


async def _worker(
    exchange: Exchange,
    queue: Iterator[tuple[int, Connection]],
    options: Options,
    keep: Callable[[int, Scanned], None],
    resolver: Resolver,
) -> None:
    for number, connection in queue:
        keep(number, await scan_connection(exchange, connection, options, resolver))
