"""Rounds that start on schedule: the one loop of `bfaudit scan --watch` and of `bfaudit watch`."""

import sys
import time
from collections.abc import Callable

from bfaudit import redact
from bfaudit.cli.problems import show
from bfaudit.cli.stopping import Stop, stopping
from bfaudit.errors import BfauditError
from bfaudit.lang import ENGLISH, Language


def repeat(
    play: Callable[[Stop], int],
    every: float,
    most: int | None = None,
    *,
    loud: bool = False,
    lang: Language = ENGLISH,
) -> int:
    """Play a round each `every` seconds, until SIGINT or SIGTERM ends it with 0, or after `most` with the last one's code.

    Rounds never overlap: where one takes longer, those that should have started meanwhile fall out. A round that fails
    is told of and does not end the loop, unless their number was given: then somebody else starts the next one.
    """
    played = 0
    with stopping() as stop:
        due = time.monotonic()
        while True:
            with (
                redact.run()
            ):  # what a round has resolved is looked for in its outputs, not for ever
                code = play(stop) if most else _survived(play, stop, loud=loud)
            played += 1
            if not stop.asked and played == most:
                return code
            now = time.monotonic()
            due += every * max(1, -((due - now) // every))
            if stop.wait(due - now):
                print(lang.say("stopped"), file=sys.stderr)
                return 0


def _survived(play: Callable[[Stop], int], stop: Stop, *, loud: bool) -> int:
    from bfaudit.cli import bug  # noqa: PLC0415 - it imports every command

    try:
        return play(stop)
    except BfauditError as error:
        show(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - as at the boundary of the command line
        bug(error, loud=loud)
        return 70
