"""A secret shows itself to nobody but the scan."""

import copy
import json
import logging
import pickle
import traceback

import msgspec
import pytest

from bfaudit.credentials import Secret

CANARY = "canary" * 3


@pytest.fixture
def secret() -> Secret:
    """A secret whose text must not turn up."""
    return Secret(CANARY)


def test_only_reveal_tells(secret: Secret) -> None:
    """The text is there for those who ask by name."""
    assert CANARY == secret.reveal()


def test_every_way_of_printing_hides_it(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    """Text, representation, formats, containers, logs and object fields."""
    logging.getLogger("x").warning("%s %r", secret, [secret])
    shown = [
        str(secret),
        repr(secret),
        f"{secret} {secret!r} {secret!s:>10} {secret:<20}",
        "{} %s".format(secret) % secret,  # noqa: UP032
        repr({"key": secret}),
        repr([getattr(secret, name, None) for name in dir(secret) if name != "reveal"]),
        caplog.text,
    ]

    assert CANARY not in "".join(shown)
    assert "***" in shown[0]


@pytest.mark.parametrize(
    "use",
    [
        json.dumps,
        msgspec.json.encode,
        pickle.dumps,
        hash,
        len,
        list,
        bytes,
        vars,
        lambda secret: setattr(secret, "text", "x"),
        lambda secret: secret + "",
        lambda secret: secret[0],
    ],
)
def test_nothing_else_can_be_done_with_it(secret: Secret, use) -> None:
    """What would encode, measure or change it fails, without naming it."""
    with pytest.raises((TypeError, AttributeError)) as caught:
        use(secret)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_copies_are_the_secret_itself(secret: Secret) -> None:
    """A copied structure does not copy the text around."""
    assert copy.copy(secret) is secret
    assert copy.deepcopy({"a": [secret]})["a"][0] is secret


def test_secrets_compare_by_text(secret: Secret) -> None:
    """Two secrets are equal where their texts are; a text is never equal to a secret."""
    assert secret == Secret(CANARY)
    assert secret != Secret("other")
    assert secret != Secret("ü")
    assert secret != CANARY
    assert bool(secret)
