"""What is done while exchanges answer."""

import asyncio
import threading

from bfaudit.scan import loop


def test_what_can_be_done_in_between_is_done_in_a_thread():
    """The loop goes on meanwhile, and what comes of it is handed on."""
    thread = asyncio.run(loop.in_between(threading.current_thread))

    assert thread is not threading.current_thread()
