"""The event loop of a scan: uvloop's where the `fast` extra is installed and worth its import, else Python's own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

WORTH_IT = 100
"""Connections from which uvloop saves more than the 40 ms that its import takes."""
REQUESTS_FIRST = 0.01
"""Seconds in which the first requests leave: a thread at work makes every step of the loop wait for the interpreter."""


def run(work: Coroutine[Any, Any, T], connections: int) -> T:
    """Run a scan of so many connections to its end."""
    with asyncio.Runner(loop_factory=_factory() if connections >= WORTH_IT else None) as runner:
        return runner.run(work)


async def in_between(work: Callable[[], T]) -> T:
    """Do in a thread what can be done while exchanges answer."""
    await asyncio.sleep(REQUESTS_FIRST)
    return await asyncio.to_thread(work)


def _factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return uvloop.new_event_loop
