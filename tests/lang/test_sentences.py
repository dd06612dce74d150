"""Finished sentences, taken apart and made anew: values stay, strangers' words stay, time stays linear."""

import asyncio
import time

import pytest

from bfaudit.credentials.resolving import Resolver
from bfaudit.errors import CredentialError
from bfaudit.lang import ENGLISH, language
from bfaudit.lang.sentences import Sentences
from bfaudit.model import Connection, Place

FI = language("fi")

TOLD = {
    "the key is old": "avain on vanha",
    "no key": "ei avainta",
    "{exchange} does not tell it": "{exchange} ei kerro",
    "The key is {key.age_days} days old; allowed: {params.days}.": "Ikä {key.age_days}, raja {params.days}.",
    "status {before}, now {after}": "nyt {after}, ennen {before}",
    "was {shown}; {why}": "ennen {shown}; {why}",
}
WORDS = {"none": "ei mitään", "{names}, and {n} more": "{names} ja {n} muuta"}


@pytest.fixture
def say():
    """A small catalogue."""
    return Sentences(TOLD, lambda text: WORDS.get(text, text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("the key is old", "avain on vanha"),
        ("KuCoin does not tell it", "KuCoin ei kerro"),
        ("The key is 12 days old; allowed: 9.", "Ikä 12, raja 9."),
        ("The key is none days old; allowed: 9.", "Ikä ei mitään, raja 9."),
        ("The key is A, B, and 3 more days old; allowed: 9.", "Ikä A, B ja 3 muuta, raja 9."),
        ("status the key is old, now no key", "nyt ei avainta, ennen avain on vanha"),
        ("the key is old; no key", "avain on vanha; ei avainta"),
        ("read, other:Earn: no key", "read, other:Earn: ei avainta"),
        ("the key is old [https://example.org/a]", "avain on vanha [https://example.org/a]"),
        ("key.age (the key is old; no key); key.x (no key)", "key.age (avain on vanha; ei avainta); key.x (ei avainta)"),
        ("KuCoin 4001: no key.", "KuCoin 4001: ei avainta."),
        ("was 9; ours: the key is old", "ennen 9; ours: avain on vanha"),
    ],
)  # fmt: skip
def test_ours(say, text, told):
    """Whole sentences, patterns, and what is joined from them."""
    assert told == say(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "our own rule: keys are nice",
        "The key is old",
        "a; b; c",
        "a long sentence of a user, with a colon: does not tell it",
        "{exchange}",
        "\ud800 does not tell",
    ],
)
def test_strangers(say, text):
    """What nobody of us wrote stays as it is."""
    assert text == say(text)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("file:none.env#KEY", "tiedostoa none.env ei voi lukea: tiedostoa tai hakemistoa ei ole."),
        ("file:a.env#OTHER", "tiedostossa a.env ei ole kohtaa OTHER."),
        ("file:a.env#EMPTY", "EMPTY tiedostossa a.env on tyhjä."),
        ("env:NOWHERE", "ympäristömuuttujaa NOWHERE ei ole asetettu."),
        ("exec:yes", "`exec:` ei saa ajaa ohjelmia tässä ajossa."),
    ],
)
def test_why_a_reference_gives_no_secret(tmp_path, reference, told):
    """The detail of a status is as the scan makes it; the names in it stay."""
    (tmp_path / "a.env").write_text("KEY=x\nEMPTY=\n")
    (tmp_path / "a.env").chmod(0o600)
    place = Place(str(tmp_path / "fleet.yaml"), 1, 1)
    connection = Connection(name="a", exchange="kucoin", credentials={"secret": reference}, place=place)  # fmt: skip
    with Resolver({}) as resolver, pytest.raises(CredentialError) as caught:
        asyncio.run(resolver.secrets(connection))

    assert told == FI.sentence(f"{caught.value.message.rstrip('.')}.")


def test_a_program_may_be_called_like_a_word_of_ours():
    """It is none of ours."""
    assert "`yes` ei ole ohjelma" in FI.sentence("`yes` is not a program on the PATH.")


def test_only_a_single_word_is_a_name():
    """The end of a stranger's sentence is not taken for ours."""
    assert "Our own list is empty." == FI.sentence("Our own list is empty.")


def test_a_list_holds_sentences():
    """What differs from the pinned client is told in the language, its files as they are."""
    text = FI.sentence(
        "The exchange client differs from the pinned one in: version 1 instead of 2, "
        "ccxt.a comes from another place than the installed ccxt, ccxt/b.py, and 3 more. "
        "Installed packages that are known to be malicious: none."
    )

    assert "versio 1 eikä 2, ccxt.a on peräisin muualta" in text
    assert "ccxt/b.py ja 3 muuta." in text
    none = "The exchange client differs from the pinned one in: none. Installed packages that are known to be malicious: x."
    assert "osin: ei mitään. " in FI.sentence(none)


@pytest.mark.parametrize("part", ["a: ", "a.b (", "; ", "status , now ", "{why}", "x (a; a.b ("])
def test_a_hostile_text_costs_no_time(part):
    """Whatever an exchange sends is looked through once, and no stack is used up."""
    started = time.perf_counter()
    for size in (100, 1_500, 400_000):
        text = part * size
        FI.sentence(text)

    assert time.perf_counter() - started < 5


def test_english_is_as_it_is():
    """No look-up changes the language of the source."""
    for text in (*TOLD, "%s {x} {0}", "The key is 12 days old; allowed: 9."):
        assert text == ENGLISH.sentence(text)
    assert "{n} keys" == ENGLISH.say("{n} keys")
    assert "2,000 keys" == ENGLISH.plural("{n} key", "{n} keys", 2000)


def test_finnish_counts_and_falls_back():
    """Plurals and separators are the language's; what its catalogue lacks is English."""
    assert "1 löydös" == FI.plural("{n} finding", "{n} findings", 1)
    assert "2\u00a0000 löydöstä" == FI.plural("{n} finding", "{n} findings", 2000)
    assert "a, b ja c" == FI.listed(["a", "b", "c"])
    assert "" == FI.say("") == FI.sentence("") == FI.field("")
    assert "nobody ever wrote this" == FI.say("nobody ever wrote this")
    assert "3 nobodies" == FI.plural("{n} nobody", "{n} nobodies", 3)
