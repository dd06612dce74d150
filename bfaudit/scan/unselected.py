"""The connections that a selection left out: their API keys are read, to tell one key in two places, and nothing is sent."""

import asyncio
from collections.abc import Collection, Sequence

from msgspec.structs import replace

from bfaudit.credentials.resolving import Resolver
from bfaudit.errors import CredentialError
from bfaudit.model import Connection, Unselected
from bfaudit.scan.connection import fingerprint, fingerprint_key
from bfaudit.scan.options import Options

SECONDS = 60.0
"""How long all references together may take; a key that was not read by then is not known."""


async def known(
    rest: Sequence[Connection], exchanges: Collection[str], options: Options, resolver: Resolver
) -> tuple[Unselected, ...]:
    """What is known of them without asking an exchange. Keys are read only where a selected one has the same exchange."""
    reading = {
        number: asyncio.create_task(_fingerprint(one, options, resolver))
        for number, one in enumerate(rest)
        if one.exchange in exchanges and "key" in one.credentials
    }
    if reading:
        _, late = await asyncio.wait(reading.values(), timeout=SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    mark = fingerprint_key(options.environ)
    return tuple(_made(one, reading.get(number), mark) for number, one in enumerate(rest))


async def _fingerprint(connection: Connection, options: Options, resolver: Resolver) -> str | None:
    only = replace(connection, credentials={"key": connection.credentials["key"]})
    try:
        secrets = await resolver.secrets(only)
    except CredentialError:
        return None
    return fingerprint(secrets["key"].reveal(), options.environ)


def _made(
    connection: Connection, reading: asyncio.Task[str | None] | None, mark: str
) -> Unselected:
    found = None if reading is None or reading.cancelled() else reading.result()
    if found is None:
        return Unselected(connection=connection)
    return Unselected(connection=connection, fingerprint=found, fingerprint_key=mark)
