"""What is taken for a secret, and what is not."""

import pytest

from bfaudit import literals
from tests.manifest.fleets import canaries


@pytest.mark.parametrize("shape", sorted(canaries()))
def test_key_shapes_are_found(shape: str) -> None:
    """A secret is found wherever it stands in a line, and hidden whole."""
    secret = canaries()[shape]
    for line in (secret, f"notes: see {secret} there", f'"{secret}",', f"x: [{secret}] # {secret}"):
        masked = literals.mask(line)

        assert secret not in masked
        assert "***" in masked


@pytest.mark.parametrize(
    "text",
    [
        "MEXC Spot Main",
        "KuCoin Futures Conservative",
        "env:MEXC_SPOT_MAIN_SECRET",
        "env:MEXC0SPOT1MAIN2ACCOUNT3KEY",
        "BTC_ETH_NEW_GROUPS_2026_SECRET_V2",
        "file:secrets/b7f3a9c1d2e4f5a6b7c8d9e0.env#SECRET",
        "/etc/keys/b7f3a9c1d2e4f5a6b7c8d9e0",
        "https://wiki.example.com/x/b7f3a9c1d2e4f5a6b7c8d9e0",
        "https://wiki.example.com/x/b7f3a9c1d2e4f5a6b7c8d9e0?page=b7f3a9c1d2e4f5a6b7c8d9e0#b7f3a9c1d2e4f5a6b7c8d9e0",
        "https://b7f3a9c1d2e4f5a6b7c8d9e0.example.com/@team",
        "123e4567-e89b-42d3-a456-426614174000",
        "123456789012345678901234567890",
        "strategy-2026-market-maker-v12-tokyo-1",
        "conservativefuturesstrategy2026",
        "internationalisationofeverything",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "2026-11-01T10:20:30Z",
        "1000SHIB/USDT:USDT",
        "aaaaaaaaaaaaaaaa1a1a1a1a1a1a",
        "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    ],
)
def test_ordinary_words_are_not(text: str) -> None:
    """Names, ids, addresses, paths and variables are no secrets."""
    assert [] == list(literals.find(text))


@pytest.mark.parametrize("scheme", ["file", "keyring", "vault", "exec"])
def test_a_secret_behind_a_scheme_is_one(scheme: str) -> None:
    """What is pasted where the path belongs is no path: `file:` and a key alone."""
    text = f"key: {scheme}:9yWrEFLiCSTApATEblqk1hP7QB1DTX5W"

    assert f"key: {scheme}:***" == literals.mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://api.example.com/x?apiKey=CANARY",
        "https://api.example.com/x?a=1&signature=CANARY&b=2",
        "wss://stream.example.com/#access_token=CANARY",
        "https://user:CANARY@api.example.com/x",
        "https://CANARY@api.example.com",
    ],
)
def test_a_secret_in_a_url_is_one(text: str) -> None:
    """A URL may hold long random words, but no password and no parameter that is named like a secret."""
    secret = canaries()["32 hex"]

    assert secret not in literals.mask(text.replace("CANARY", secret))


@pytest.mark.parametrize("start", ["", "/", "./", "~/"])
def test_base64_is_hidden_whole(start: str) -> None:
    """Its `+` and `/` part it into short rows, and it may begin like a path."""
    rows = ["aB3", "9yWrEFLiCSTApATEblqk1hP7QB1DTX5W", "Zz9", "x0K"]
    secret = start + "/".join(rows[:2]) + "+" + "-_".join(rows[2:]) + "=="

    masked = literals.mask(f"notes: {secret}, b")
    assert "***, b" in masked
    assert [] == [row for row in rows if row in masked]


def test_values_of_fields_named_like_secrets_are_masked() -> None:
    """A short secret has no shape, but its field's name tells."""
    cases = {
        "passphrase: hunter2": "passphrase: ***",
        'secret: "two words" # x': "secret: *** # x",
        "{key: env:A, secret: abc}": "{key: env:A, secret: ***}",
        "api_key: abc def": "api_key: ***",
        "- secrt: abc": "- secrt: ***",
        "key: env:NAME": "key: env:NAME",
        "keys are rotated yearly": "keys are rotated yearly",
        "name: MEXC": "name: MEXC",
    }

    assert cases == {line: literals.mask(line) for line in cases}


def test_messages_show_no_secret_and_no_novel() -> None:
    """What a message quotes is masked or cut."""
    assert literals.shown(canaries()["32 hex"]) == "***"
    assert literals.shown("ab " * 100).endswith("…")
    assert literals.shown("plain") == "plain"


def test_offsets_hold_beyond_ascii() -> None:
    """Wide characters before a secret do not move what is masked."""
    secret = canaries()["24 hex"]

    assert literals.mask(f"é😀 {secret} ü") == "é😀 *** ü"
