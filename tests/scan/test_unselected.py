"""What is read of connections that a selection left out: their API keys, where it matters, and nothing else."""

import asyncio
import time

import pytest

from bfaudit.credentials.resolving import Resolver
from bfaudit.model import Connection, Place
from bfaudit.scan import unselected
from bfaudit.scan.connection import fingerprint, fingerprint_key
from bfaudit.scan.options import Options


class Environ(dict):
    """An environment that tells what was read of it."""

    def __init__(self, **values):
        super().__init__(values)
        self.read = set()

    def get(self, name, default=None):
        self.read.add(name)
        return super().get(name, default)

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


def connection(name, **given):
    fields = {"exchange": "mexc", "place": Place("fleet.yaml", 1, 1), **given}
    credentials = {"key": f"env:{name}_KEY", "secret": f"env:{name}_SECRET"}
    return Connection(**{"name": name, "credentials": credentials, **fields})


def known(environ, *rest, allow_exec=False):
    options = Options(environ=environ, allow_exec=allow_exec)

    async def run():
        with Resolver(environ, allow_exec=allow_exec) as resolver:
            return await unselected.known(rest, {"mexc"}, options, resolver)

    return asyncio.run(run())


def test_the_key_and_nothing_else():
    """The same fingerprint as a scan would make; the secret is left alone, and so is every other exchange."""
    environ = Environ(ONE_KEY="abc", ONE_SECRET="s", OTHER_KEY="abc", BFAUDIT_FINGERPRINT_KEY="k")
    one, other = known(environ, connection("ONE"), connection("OTHER", exchange="kucoin"))

    assert (fingerprint("abc", environ), fingerprint_key(environ)) == (
        one.fingerprint,
        one.fingerprint_key,
    )
    assert (None, None) == (other.fingerprint, other.fingerprint_key)
    assert environ.read <= {"ONE_KEY", "BFAUDIT_FINGERPRINT_KEY"}


def test_a_key_that_is_not_there():
    """It is not known, and the others are."""
    one, two = known(Environ(TWO_KEY="abc"), connection("ONE"), connection("TWO"))

    assert one.fingerprint is None
    assert two.fingerprint is not None


def test_a_reference_that_takes_too_long(monkeypatch):
    """It is not known, and nobody waits for it."""
    monkeypatch.setattr(unselected, "SECONDS", 0.3)
    slow = connection("ONE", credentials={"key": "exec:sleep 5", "secret": "env:X"})
    started = time.monotonic()
    one, two = known(Environ(PATH="/usr/bin:/bin", TWO_KEY="a"), slow, connection("TWO"), allow_exec=True)  # fmt: skip

    assert one.fingerprint is None
    assert two.fingerprint is not None
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("value", ["", "first", "second"])
def test_the_check_value_tells_keys_apart(value):
    """8 digits, the same each time, another for another key, and nothing of the key itself."""
    others = {"", "first", "second"} - {value}
    mark = fingerprint_key({"BFAUDIT_FINGERPRINT_KEY": value})

    assert 8 == len(mark)
    assert mark == fingerprint_key({"BFAUDIT_FINGERPRINT_KEY": value})
    assert mark not in {fingerprint_key({"BFAUDIT_FINGERPRINT_KEY": other}) for other in others}
