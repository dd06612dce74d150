"""Known secrets are found in whatever form they come out, and nothing else is."""

import base64
import hashlib
import json
import random
import secrets
import string
from html import escape
from urllib.parse import quote

import pytest

from bfaudit import redact
from bfaudit.errors import LeakRefused
from bfaudit.pieces import Block

ALNUM = string.ascii_letters + string.digits
LONG = "c4n4ryW1thL3tt3rs4ndD1g1ts"
PEM_BODY = base64.b64encode(hashlib.sha512(b"canary").digest() * 2).decode()
SECRETS = {
    "letters and digits": LONG,
    "exactly twelve": LONG[:12],
    "hexadecimal": hashlib.sha256(b"canary").hexdigest(),
    "base64": base64.b64encode(hashlib.sha512(b"canary two").digest()).decode(),
    "letters only": "canary" * 3,
    "a UUID": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "with signs": f"p@ss \"{LONG}\" <&>'\\ é",
    "a path": "organizations/0f8fad5b-d9cb-469f-a165-70867728950e/apiKeys/7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "a private key": "\n".join(
        ["-----BEGIN" + " PRIVATE KEY-----", PEM_BODY[:64], PEM_BODY[64:128], "-----END PRIVATE KEY-----"]
    ),
}  # fmt: skip
WAYS = {
    "raw": lambda text: f"x {text} y",
    "glued": lambda text: f"x{text}y",
    "JSON": lambda text: json.dumps({"a": [text]}),
    "JSON within JSON": lambda text: json.dumps(json.dumps({"a": [text]})),
    "HTML": lambda text: f"<td title='{escape(text)}'>",
    "a URL": lambda text: f"https://x/y?z={quote(text, safe='')}&w=1",
    "a repr": lambda text: repr({"a": text}),
    "hexadecimal": lambda text: f"<{text.encode().hex()}>",
    "upper hexadecimal": lambda text: text.encode().hex().upper(),
    "hexadecimal within": lambda text: f"abc{text.encode().hex()}0",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "URL-safe base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 with a user": lambda text: base64.b64encode(f"me:{text}".encode()).decode(),
    "base64 with more": lambda text: base64.b64encode(f"abcd{text}>?~ more".encode()).decode(),
}


def _known(*texts, role="secret"):
    known = redact.Known()
    for text in texts:
        known.note(role, text)
    return known


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", SECRETS)
def test_every_kind_is_found_in_every_way(kind, way):
    """And its role is told."""
    output = WAYS[way](SECRETS[kind]).encode()

    assert _known(SECRETS[kind], role="passphrase").found_in(output) == "passphrase"
    assert _known("another0secret0of0the0fleet").found_in(output) is None


@pytest.mark.parametrize("text", ["My-Pass_1", "abc123", "x1!y2@long-w0rd"])
@pytest.mark.parametrize("way", ["raw", "JSON", "HTML", "a URL", "a repr"])
def test_short_ones_are_found_as_words(text, way):
    """Where they stand for themselves."""
    assert _known(text).found_in(WAYS[way](text).encode()) == "secret"


@pytest.mark.parametrize("around", ["{}", "abc-{}_x", "%2F{}%2F", "-{}-", "{}_"])
@pytest.mark.parametrize("others", [(), ("My-Pass_1",)])
def test_long_ones_are_found_within_words(around, others):
    """Whether or not short ones, which are words, are looked for too."""
    assert _known(LONG, *others).found_in(around.format(LONG).encode()) == "secret"


def test_short_ones_within_a_word_are_not():
    """Six characters are in every fingerprint sooner or later."""
    assert _known("abc123").found_in(b"0fabc12399") is None


@pytest.mark.parametrize(
    "text", ["", "a1b2c", "kucoin", "trading", "123456", "spot-main", "!!!!!!!"]
)
def test_what_is_not_looked_for(text):
    """Shorter than six characters, or a plain word or number: any report has it."""
    assert _known(text).found_in(f"{text} {text}".encode()) is None


def test_no_false_alarm():
    """A thousand secrets, and twenty thousand fingerprints, names and times."""
    known = _known(*(secrets.token_hex(32) for _ in range(500)), *(secrets.token_urlsafe(24) for _ in range(500)), *(secrets.token_urlsafe(6) for _ in range(100)))  # fmt: skip
    rows = [
        {
            "name": f"KuCoin Futures Conservative {n}",
            "fingerprint": secrets.token_hex(10),
            "digest": secrets.token_hex(32),
            "at": f"2026-11-01T00:00:00.{n:06}Z",
        }
        for n in range(5000)
    ]

    assert known.found_in(json.dumps(rows).encode()) is None


def test_a_secret_anywhere_in_a_large_output():
    """Also where the output is cut to look at it."""
    known = _known(LONG)
    for place in (0, 2**20 - 13, 2**20 - 1, 2**20, 3 * 2**20 + 7):
        output = bytearray(b"some words " * (2**22 // 11))
        output[place : place + len(LONG)] = LONG.encode()

        assert known.found_in(bytes(output)) == "secret"


def test_random_secrets():
    """Of any length, anywhere among letters and digits."""
    source = random.Random(5)
    for _ in range(300):
        text = "".join(source.choices(ALNUM, k=source.randint(12, 80)))
        around = ["".join(source.choices(ALNUM, k=source.randint(0, 9))) for _ in range(2)]
        known = _known(text)

        assert known.found_in(text.join(around).encode()) == "secret"
        assert known.found_in(base64.b64encode(text.join(around).encode())) == "secret"
        assert known.found_in(text.join(around).encode().hex().encode()) == "secret"


def test_no_text_of_a_secret_is_kept():
    """Only marks: whoever reads the memory of what knows them learns nothing."""
    known = _known(LONG, "My-Pass_1")
    held = repr([vars(known)])

    assert not [text for text in (LONG[-12:], LONG[:12], "My-Pass_1") if text in held]
    assert 2 == len(known._marks)


def test_hiding():
    """In a text only the words that hold one are replaced."""
    known = _known(LONG, "My-Pass_1")
    text = f"GET /x?key={LONG}&a=1, {LONG.encode().hex()}, 'My-Pass_1'; nothing-else here"

    assert "GET /x?key=***&a=1, ***, '***'; nothing-else here" == known.hide(text)
    assert text == redact.Known().hide(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /v1/x?timestamp=1&signature=abc%2Bdef&x=1", "GET /v1/x?timestamp=1&signature=***&x=1"),
        ("KC-API-SIGN: q/w+e=", "KC-API-SIGN: ***"),
        ("{'X-MBX-APIKEY': 'abc', 'a': 'b'}", "{'X-MBX-APIKEY': '***', 'a': 'b'}"),
        ('{"ACCESS-PASSPHRASE":"abc","n":1}', '{"ACCESS-PASSPHRASE":"***","n":1}'),
        ("OK-ACCESS-KEY=abc OK-ACCESS-SIGN=def", "OK-ACCESS-KEY=*** OK-ACCESS-SIGN=***"),
        ("X-BAPI-API-KEY: a, X-BAPI-SIGN: b", "X-BAPI-API-KEY: ***, X-BAPI-SIGN: ***"),
        ("AccessKeyId=abc&Signature=def", "AccessKeyId=***&Signature=***"),
        ("Authorization: Bearer a.b.c", "Authorization: ***"),
        ("Authorization: deri-hmac-sha256 id=a,ts=1,sig=b,nonce=c", "Authorization: ***"),
        ("X-Vault-Token: hvs.abc", "X-Vault-Token: ***"),
        ("client_secret=abc password = 'x y'", "client_secret=*** password = '*** y'"),
        ("API-Key: a\nAPI-Sign: b\nKEY: c\nSIGN: d", "API-Key: ***\nAPI-Sign: ***\nKEY: ***\nSIGN: ***"),
        ("bfx-apikey: a bfx-signature: b", "bfx-apikey: *** bfx-signature: ***"),
        ("connections: 5, workers: 32", "connections: 5, workers: 32"),
    ],
)  # fmt: skip
def test_names_that_carry_secrets(text, shown):
    """Their values are hidden though nobody knows them."""
    assert shown == redact.redact(text)


def test_long_texts_take_no_long_time():
    """What an exchange sends may be in a log."""
    for text in ("a" * 200_000, "key" * 70_000, "sign=" * 40_000, "-_" * 100_000):
        redact.redact(text)


def test_a_run_knows_its_own_secrets_only():
    """And what is outside of it knows none of them."""
    with redact.run() as known:
        known.note("key", LONG)
        with pytest.raises(LeakRefused, match=r"out\.json is not written: .* the key of") as caught:
            redact.refuse("out.json", f'"{LONG}"'.encode())

        assert caught.value.exit_code == 70
        assert LONG not in f"{caught.value!r}{caught.value.hint}"
        with redact.run():
            redact.refuse("out.json", LONG.encode())
    redact.refuse("out.json", LONG.encode())


class TestPieces:
    """An output that comes in pieces is looked through as one."""

    @staticmethod
    def cleared(pieces, *texts):
        """What gets out, and whether the rest was refused."""
        out = []
        with redact.run() as known:
            for text in texts:
                known.note("secret", text)
            try:
                out.extend(redact.cleared("report.json", pieces))
            except LeakRefused:
                return b"".join(out), True
        return b"".join(out), False

    @pytest.mark.parametrize("secret", [LONG, "My-Pass_1", SECRETS["a UUID"]])
    def test_a_secret_in_two_pieces(self, secret):
        """It is refused wherever it is cut, and nothing of what tells it has got out."""
        text = f'{{"a": "some words", "b": "{secret}"}}, and more'.encode()
        for cut in range(1, len(text)):
            out, refused = self.cleared([text[:cut], text[cut:]], secret)

            assert refused
            assert secret[-6:].encode() not in out

    def test_a_secret_in_many_pieces(self):
        """Even one letter at a time."""
        text = f"before {LONG} after".encode()

        assert (b"before", True) == self.cleared(
            [text[at : at + 1] for at in range(len(text))], LONG
        )

    def test_a_secret_in_a_column(self):
        """Each text of a block is looked at, and the block is refused."""
        block = Block(([b'{"a":"'] * 3, [b"one", LONG.encode(), b"three"], [b'"}\n'] * 3))

        assert (b"", True) == self.cleared([b"[", block, b"]"], LONG)

    def test_a_secret_after_a_block(self):
        """What a block ends with goes on in the next piece."""
        block = Block(([b"x "] * 2, [b"one", LONG[:9].encode()]))

        assert self.cleared([block, LONG[9:].encode()], LONG)[1]

    @pytest.mark.parametrize("texts", [(), (LONG,)])
    def test_whatever_else_gets_out_as_it_is(self, texts):
        """Byte by byte, with secrets known and without."""
        source = random.Random(3)
        parts = ["word", "_", "-", " ", "%2F", '"', "\n", "é", "x" * 40]
        pieces = [
            "".join(source.choices(parts, k=source.randrange(9))).encode() for _ in range(300)
        ]
        pieces[50] = Block(([b"a ", b"b "], [b"c\n", b"d\n"]))

        assert (b"".join(map(bytes, pieces)), False) == self.cleared(pieces, *texts)

    def test_a_text_that_comes_again_is_looked_at_once(self, monkeypatch):
        """Half a million rows share their texts."""
        looked = []
        found_in = redact.Known.found_in
        monkeypatch.setattr(
            redact.Known, "found_in", lambda self, data, seen=None: looked.append(data) or found_in(self, data, seen)
        )  # fmt: skip
        block = Block(([b"common text "] * 100, [b"%d\n" % number for number in range(100)]))
        self.cleared([block] * 5, LONG)

        assert 1 == b" ".join(looked).count(b"common text")
