"""What libraries log and threads let fall goes through the redaction, however loud the run."""

import asyncio
import gc
import logging
import sys
import threading

import pytest

from bfaudit import redact
from bfaudit.cli import logs

SECRET = "c4n4ry0fth3l0gs"


@pytest.fixture
def said(capsys):
    """What is on stderr while a secret is known."""
    with redact.run() as known, logs.redacted():
        known.note("secret", SECRET)
        yield lambda: capsys.readouterr().err


def test_records(said):
    """Known secrets, and headers that carry others; arguments as well as messages."""
    logging.getLogger("urllib3").warning("sent %s to %r, X-MBX-APIKEY: abc", SECRET, {"a": SECRET})
    text = said()

    assert "WARNING: urllib3: sent *** to {'a': '***'}, X-MBX-APIKEY: ***" in text
    assert SECRET not in text


def test_exceptions_of_records(said):
    """By type and place: a message may quote what an exchange sent."""
    try:
        int(f"it says {SECRET} and more")
    except ValueError:
        logging.getLogger("x").exception("failed")
    text = said()

    assert "ERROR: x: failed\nValueError\n  test_logs.py:" in text
    assert "it says" not in text


def test_nothing_below_a_warning(said):
    """At DEBUG libraries log signed requests."""
    logging.getLogger("ccxt").debug("signed")
    logging.getLogger("aiohttp").info("sent")

    assert "" == said()


def test_threads(said):
    """A thread that fails says where, and not what."""

    def fail():
        raise RuntimeError(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    text = said()

    assert "warning: RuntimeError\n" in text
    assert "in fail" in text
    assert SECRET not in text


def test_objects_that_fail_while_they_are_cleaned_up(said):
    """Nobody can catch that."""

    class Fails:
        def __del__(self):
            raise RuntimeError(f"of no known secret: {SECRET}")

    Fails()
    gc.collect()
    text = said()

    assert "warning: RuntimeError" in text
    assert "known secret" not in text


def test_tasks_that_nobody_waits_for(said):
    """asyncio logs their exceptions."""

    async def fail():
        raise RuntimeError(SECRET)

    async def run():
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(run())
    text = said()

    assert "RuntimeError" in text
    assert SECRET not in text


def test_it_ends():
    """What was there before is there again."""
    before = (threading.excepthook, sys.unraisablehook, logging.getLogger().handlers[:])
    with logs.redacted():
        pass

    assert before == (threading.excepthook, sys.unraisablehook, logging.getLogger().handlers)
