"""The secrets of a scan: late, concurrent, read once, and kept by nobody."""

import asyncio
import gc
import threading
import time
import weakref
from contextlib import contextmanager

import pytest

from bfaudit import credentials, redact
from bfaudit.credentials import ResolveContext, Scheme, Secret, cache, resolving
from bfaudit.credentials.cache import Cache
from bfaudit.credentials.resolving import Resolver
from bfaudit.errors import CredentialError
from bfaudit.model import Connection, Place
from tests.credentials.vaults import Vault, serving

CANARY = "c4n4ry0fth3r3s0lv3r"


def _connection(file="-", **references):
    return Connection(
        name="One", exchange="mexc", credentials=references, place=Place(str(file), 1, 1)
    )


def _ask(connection, environ=None, **options):
    async def run():
        with Resolver(environ or {}, **options) as resolver:
            return await resolver.secrets(connection)

    return asyncio.run(run())


@contextmanager
def _scheme(monkeypatch, resolve, name="slow", *, blocking=True):
    scheme = Scheme(name=name, syntax=f"{name}:X", resolve=resolve, blocking=blocking)
    monkeypatch.setattr(credentials, "SCHEMES", {**dict(credentials.SCHEMES.items()), name: scheme})
    yield


def test_every_role(tmp_path):
    """By its name, from wherever it lives, relative to the manifest."""
    (tmp_path / "keys.env").write_text("SECRET=two\n")
    (tmp_path / "keys.env").chmod(0o600)
    found = _ask(
        _connection(tmp_path / "fleet.yaml", key="env:ONE", secret="file:keys.env#SECRET"),
        {"ONE": "one"},
    )

    assert {"key": "one", "secret": "two"} == {role: one.reveal() for role, one in found.items()}


def test_nothing_is_resolved_before_it_is_asked_for():
    """A variable may be set until its connection's turn comes."""

    async def run():
        environ = {}
        with Resolver(environ) as resolver:
            environ["ONE"] = CANARY
            return await resolver.secrets(_connection(key="env:ONE"))

    assert CANARY == asyncio.run(run())["key"].reveal()


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ({"key": "env:NONE", "secret": "env:NEITHER"}, "NONE is not set"),
        ({"key": "env:ONE", "secret": "env:NEITHER"}, "NEITHER is not set"),
        ({"key": "exec:true", "secret": "env:NEITHER"}, "NEITHER is not set"),
        ({"key": "exec:true", "secret": "env:ONE"}, "may not run programs"),
    ],
)
def test_the_first_that_cannot_be_had(references, message):
    """Nothing is waited for where one that needs no waiting fails."""
    with pytest.raises(CredentialError, match=message):
        _ask(_connection(**references), {"ONE": CANARY})


def test_programs_run_only_where_it_is_allowed():
    """The resolver says so, not a reference."""
    told = _ask(_connection(key=f"exec:/bin/echo {CANARY}"), allow_exec=True)

    assert CANARY == told["key"].reveal()


def test_what_needs_no_waiting_starts_no_thread():
    """Nor a task: a scan of variables pays nothing."""
    before = threading.active_count()

    async def run():
        with Resolver({"ONE": CANARY}) as resolver:
            asking = resolver.secrets(_connection(key="env:ONE"))
            with pytest.raises(StopIteration):
                asking.send(None)
            return threading.active_count()

    assert before == asyncio.run(run())


def test_what_blocks_is_waited_for_together(monkeypatch):
    """Up to a bound, and the loop goes on meanwhile."""
    running, most = [0], [0]

    def wait(rest, _context):
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.1)
        running[0] -= 1
        return Secret(rest)

    async def run():
        with Resolver({}, together=4) as resolver:
            asked = [
                resolver.secrets(_connection(key=f"slow:{n}", secret=f"slow:{n}s"))
                for n in range(6)
            ]
            ticks = asyncio.create_task(_ticks())
            found = await asyncio.gather(*asked)
            ticks.cancel()
            return found, _ticks.seen

    async def _ticks():
        _ticks.seen = 0
        while True:
            await asyncio.sleep(0.01)
            _ticks.seen += 1

    with _scheme(monkeypatch, wait):
        started = time.monotonic()
        found, ticks = asyncio.run(run())

    assert [f"{n}" for n in range(6)] == [one["key"].reveal() for one in found]
    assert time.monotonic() - started < 0.9  # 1.2 one after the other
    assert most[0] == 4
    assert ticks > 5


def test_what_takes_too_long(monkeypatch):
    """It is given up; other connections are not held up by it."""
    monkeypatch.setattr(resolving, "SECONDS", 0.1)
    ends = threading.Event()

    def wait(rest, _context):
        ends.wait(5)
        return Secret(rest)

    with _scheme(monkeypatch, wait):
        with pytest.raises(CredentialError, match="`slow:` did not answer within"):
            _ask(_connection(key="slow:x"))
        ends.set()


def test_a_scheme_that_fails_in_its_own_way(monkeypatch):
    """Its exception may hold anything: only its kind is told."""

    def fail(_rest, _context):
        raise OSError(CANARY)

    for blocking in (True, False):
        with _scheme(monkeypatch, fail, blocking=blocking):
            with pytest.raises(CredentialError, match="`slow:` failed with OSError") as caught:
                _ask(_connection(key="slow:x"))

            assert CANARY not in repr(caught.value)


def test_a_secrets_file_is_opened_once(tmp_path, monkeypatch):
    """For all the connections of a scan; anew for the next scan."""
    (tmp_path / "keys.env").write_text("".join(f"K{n}={n}\n" for n in range(100)))
    (tmp_path / "keys.env").chmod(0o600)
    opened = []
    real = credentials.file.os.open
    monkeypatch.setattr(
        credentials.file.os, "open", lambda *given: opened.append(given) or real(*given)
    )

    async def run():
        with Resolver({}) as resolver:
            for number in range(100):
                one = _connection(tmp_path / "f.yaml", key=f"file:keys.env#K{number}")
                assert f"{number}" == (await resolver.secrets(one))["key"].reveal()

    asyncio.run(run())
    assert len(opened) == 1
    asyncio.run(run())
    assert len(opened) == 2


def test_a_vault_path_is_read_once_for_its_fields():
    """Though its fields are asked for at the same time."""
    with serving(Vault()) as vault:
        vault.tokens["t"] = float("inf")
        vault.secrets["secret/one"] = {"key": "k", "secret": "s", "passphrase": "p"}
        vault.slow = 0.05
        names = ("key", "secret", "passphrase")
        found = _ask(
            _connection(**{name: f"vault:secret/one#{name}" for name in names}),
            {"VAULT_ADDR": vault.address, "VAULT_TOKEN": "t"},
        )

    assert ["k", "s", "p"] == [found[name].reveal() for name in names]
    assert 1 == vault.asked["secret/data/one"]


def test_a_secret_is_gone_when_its_connection_is_finished(tmp_path, monkeypatch):
    """Nothing keeps it: no cache, no thread, no task and no error, without waiting for the garbage collector."""
    (tmp_path / "keys.env").write_text(f"ONE={CANARY}\n")
    (tmp_path / "keys.env").chmod(0o600)
    references = {"key": "env:ONE", "secret": "file:keys.env#ONE", "passphrase": "slow:x"}

    async def run():
        with Resolver({"ONE": CANARY}) as resolver:
            found = await resolver.secrets(_connection(tmp_path / "f.yaml", **references))
            kept = [weakref.ref(one) for one in found.values()]
            assert 3 == sum(one() is not None for one in kept)
            del found
            for _ in range(5):
                await asyncio.sleep(0.01)
            return [one() for one in kept]

    gc.disable()
    try:
        with _scheme(monkeypatch, lambda _rest, _context: Secret(CANARY)):
            assert [None] * 3 == asyncio.run(run())
    finally:
        gc.enable()


def test_a_secret_is_gone_when_another_of_its_connection_fails(monkeypatch):
    """The error of the one does not hold the other."""
    kept = []

    def give(rest, _context):
        if rest == "fails":
            raise CredentialError("no such secret")
        secret = Secret(CANARY)
        kept.append(weakref.ref(secret))
        return secret

    async def run():
        with Resolver({}) as resolver:
            with pytest.raises(CredentialError):
                await resolver.secrets(_connection(key="slow:x", secret="slow:fails"))
            for _ in range(5):
                await asyncio.sleep(0.01)
            return [one() for one in kept]

    gc.disable()
    try:
        with _scheme(monkeypatch, give):
            assert [None] == asyncio.run(run())
    finally:
        gc.enable()


def test_closing_forgets_what_was_read(tmp_path):
    """The text of a secrets file lives as long as the scan."""
    (tmp_path / "keys.env").write_text(f"ONE={CANARY}\n")
    (tmp_path / "keys.env").chmod(0o600)

    async def run():
        with Resolver({}) as resolver:
            await resolver.secrets(_connection(tmp_path / "f.yaml", key="file:keys.env#ONE"))
            assert len(resolver._cache) == 2
        return len(resolver._cache)

    assert asyncio.run(run()) == 0


def test_the_cache_is_bounded():
    """What was used longest ago goes first; what is used stays."""
    kept = Cache(most=3)
    made = []
    for key in ("a", "b", "c", "a", "d", "a", "b"):
        kept(key, lambda key=key: made.append(key))

    assert ["a", "b", "c", "d", "b"] == made
    assert len(kept) == 3
    assert cache.MOST <= 1024


def test_the_cache_keeps_what_an_error_said_and_not_the_error():
    """An error holds its frames, and they what was being read."""
    kept = Cache()
    made = []

    def fail():
        made.append(1)
        raise CredentialError("no", hint="yes")

    errors = []
    for _ in range(2):
        with pytest.raises(CredentialError) as caught:
            kept("x", fail)
        errors.append(caught.value)

    assert made == [1]
    assert [("no", "yes")] * 2 == [(one.message, one.hint) for one in errors]
    assert errors[0] is not errors[1]


def test_many_threads_make_a_thing_once():
    """They wait for the first."""
    kept = Cache()
    made = []

    def make():
        time.sleep(0.05)
        made.append(1)
        return CANARY

    threads = [threading.Thread(target=kept, args=("x", make)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert made == [1]


def test_what_is_resolved_is_looked_for_in_outputs():
    """From the moment that it is known."""
    with redact.run() as known:
        assert known.found_in(CANARY.encode()) is None
        _ask(_connection(secret="env:ONE"), {"ONE": CANARY})

        assert known.found_in(f"x {CANARY} y".encode()) == "secret"
        credentials.resolve("env:TWO", ResolveContext({"TWO": f"{CANARY}2"}))
        assert known.found_in(f"{CANARY}2".encode()) == "secret"
