"""Every reader of foreign input, fed with changed input: for a moment in every run, longer by `make fuzz`.

To see an input again: `tests.fuzz.engine.made(name, TARGETS[name].seeds(), number)`.
"""

import os
import time

import pytest

from bfaudit.errors import InvalidInput
from tests.fuzz import engine
from tests.fuzz.targets import TARGETS, Target

LONG = bool(os.environ.get("BFAUDIT_TEST_LONG"))
SECONDS = float(os.environ.get("BFAUDIT_FUZZ_SECONDS") or (30 if LONG else 1.0))
"""For each target."""
START = int(os.environ.get("BFAUDIT_FUZZ_START") or (time.time_ns() // 10**6 if LONG else 0))
"""The number of the first input: a short run is the same every time, a long one sees others."""


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_documented_errors(name):
    """No traceback, no hang: a result, or an error that says what is wrong."""
    for start in {0, START}:
        taken = engine.run(name, TARGETS[name], SECONDS, start)
        print(f"{name}: {taken} inputs from {start}")

        assert taken > 0


def test_an_input_is_the_same_whenever_it_is_made():
    """A finding can be looked at again by its number."""
    seeds = TARGETS["manifest"].seeds()
    some = [engine.made("manifest", seeds, number) for number in range(40)]

    assert some == [engine.made("manifest", seeds, number) for number in range(40)]
    assert seeds == some[: len(seeds)]
    assert 40 == len(set(some))


def test_a_bug_is_found_and_named_by_its_number():
    """The engine itself: an error that is not documented ends the run."""

    def feed(data):
        if b"\x1b" in data:
            raise KeyError("never")
        if b"&a" in data:
            raise InvalidInput([])

    target = Target(lambda: [b"seed: 1\n"], feed, (InvalidInput,))
    with pytest.raises(AssertionError, match=r"mine, input \d+: KeyError"):
        engine.run("mine", target, 20)
