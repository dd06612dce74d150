"""What a scan's event loop does beside asking."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

REQUESTS_FIRST = 0.01
"""Seconds in which the first requests leave: a thread at work makes every step of the loop wait for the interpreter."""


async def in_between(work: Callable[[], T]) -> T:
    """Do in a thread what can be done while exchanges answer."""
    await asyncio.sleep(REQUESTS_FIRST)
    return await asyncio.to_thread(work)
