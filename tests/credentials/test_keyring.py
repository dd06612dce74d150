"""`keyring:` through the real library, with backends of our own."""

import sys

import keyring
import pytest
from keyring import errors
from keyring.backend import KeyringBackend

from bfaudit.credentials import ResolveContext, resolve, split
from bfaudit.credentials.cache import Cache
from bfaudit.errors import CredentialError

CANARY = "c4n4ry0fk3yr1ng"


class Held(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.held = {}
        self.asked = []
        self.fails = None

    def get_password(self, service, username):
        self.asked.append((service, username))
        if self.fails:
            raise self.fails
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        self.held[service, username] = password

    def delete_password(self, service, username):
        del self.held[service, username]


@pytest.fixture
def ring():
    """The keyring in use."""
    before = keyring.get_keyring()
    made = Held()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def _resolve(reference, **more):
    return resolve(reference, ResolveContext({}, **more)).reveal()


def _fails(reference, message):
    with pytest.raises(CredentialError, match=message) as caught:
        _resolve(reference)

    assert CANARY not in f"{caught.value!r}{caught.value.hint}"
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize(
    ("rest", "service", "name"),
    [("bfaudit/kucoin", "bfaudit", "kucoin"), ("https://a/b/c d", "https://a/b", "c d")],
)
def test_a_password(ring, rest, service, name):
    """What follows the last slash is the name."""
    keyring.set_password(service, name, f" {CANARY}\n")

    assert CANARY == _resolve(f"keyring:{rest}")
    assert [(service, name)] == ring.asked


def test_it_is_asked_once_per_scan(ring):
    """For connections that share a secret."""
    keyring.set_password("bots", "key", CANARY)
    once = Cache()

    assert [CANARY] * 3 == [_resolve("keyring:bots/key", once=once) for _ in range(3)]
    assert len(ring.asked) == 1


def test_one_that_is_not_there(ring):
    """The hint is the command that stores it."""
    error = _fails("keyring:bots/key", "the keyring has no key of bots")

    assert "keyring set bots key" in error.hint


@pytest.mark.parametrize(
    ("fails", "message"),
    [
        (errors.KeyringLocked(CANARY), "the keyring is locked"),
        (errors.InitError(CANARY), r"cannot be read \(InitError\)"),
        (errors.NoKeyringError(CANARY), "no keyring that can be used"),
        (RuntimeError(CANARY), r"cannot be read \(RuntimeError\)"),
    ],
)
def test_one_that_cannot_be_read(ring, fails, message):
    """What a backend says is not quoted."""
    ring.fails = fails
    assert _fails("keyring:bots/key", message).hint


def test_an_empty_one(ring):
    """It is no secret."""
    keyring.set_password("bots", "key", " ")
    _fails("keyring:bots/key", "key of bots in the keyring is empty")


def test_a_host_without_a_keyring():
    """The library's own stand-in, as on a server."""
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        error = _fails("keyring:bots/key", "this host has no keyring that can be used")
    finally:
        keyring.set_keyring(before)

    assert "vault:" in error.hint


def test_without_the_extra(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    error = _fails("keyring:bots/key", "needs the package keyring")

    assert "bfaudit[keyring]" in error.hint


@pytest.mark.parametrize("rest", ["", "x", "/x", "x/", "a/b\nc", "a/b\0"])
def test_what_is_no_reference(rest):
    """Service and name are both needed."""
    with pytest.raises(CredentialError, match="not a complete `keyring:` reference"):
        split(f"keyring:{rest}")
