"""The garbage collector, held back where much is made that stays: looking through it all again and again costs a third."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No collection of cycles within: for work that makes no garbage but by mistake."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextmanager
def rare(objects: int = 50_000) -> Iterator[None]:
    """Collections at every so many new objects instead of 700: for work of any length, which makes some cycles."""
    thresholds = gc.get_threshold()
    gc.set_threshold(objects, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def settle() -> None:
    """What was made so far stays to the end, as imports do: it is not looked through any more."""
    gc.freeze()
