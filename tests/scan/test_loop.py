"""The event loop of a scan: whichever it is, the scan is the same."""

import asyncio
import sys
import threading

import pytest
import uvloop

from bfaudit.scan import loop


async def _kind():
    return type(asyncio.get_running_loop())


def test_a_large_fleet_runs_on_uvloop():
    """Where the extra is installed and the fleet is worth it."""
    assert uvloop.Loop is loop.run(_kind(), loop.WORTH_IT)
    assert uvloop.Loop is not loop.run(_kind(), loop.WORTH_IT - 1)


def test_without_the_extra_it_is_pythons_own(monkeypatch):
    """uvloop is no need."""
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert issubclass(loop.run(_kind(), 1000), asyncio.SelectorEventLoop)


def test_what_fails_within_fails():
    """An error comes through as it is."""

    async def fails():
        raise KeyError("x")

    with pytest.raises(KeyError):
        loop.run(fails(), 1000)


def test_what_can_be_done_in_between_is_done_in_a_thread():
    """The loop goes on meanwhile, and what comes of it is handed on."""
    thread = loop.run(loop.in_between(threading.current_thread), 1)

    assert thread is not threading.current_thread()
