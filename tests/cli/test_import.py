"""`bfaudit import`: references from what a team has; secrets stay where they are."""

import hashlib
import json

import pytest

from tests.cli.harness import bfaudit

CANARY = hashlib.sha256(b"canary").hexdigest()[:32]


def _import(folder, name, text, kind, *options):
    (folder / name).write_text(text)
    ran = bfaudit("import", name, "--from", kind, "-o", "made.yaml", *options, cwd=folder)
    made = folder / "made.yaml"
    written = made.read_text() if made.exists() else ""
    assert CANARY not in ran.out + ran.err + written
    if ran.code == 0:
        valid = bfaudit("validate", "made.yaml", cwd=folder)
        assert 0 == valid.code, valid.err
    return ran, written


def test_freqtrade(tmp_path):
    """Comments and trailing commas are read; each secret is named by its place and where it should go."""
    text = f"""{{ // a bot
      "bot_name": "grid", "trading_mode": "futures",
      "exchange": {{"name": "kucoin", "key": "{CANARY}", "secret": "{CANARY}//", /* x */
                    "password": "{CANARY}", "pair_whitelist": ["BTC/USDT",],}},
    }}"""
    ran, made = _import(tmp_path, "config.json", text, "freqtrade")

    assert 0 == ran.code, ran.err
    assert "requires: [read, futures]" in made
    assert "config.json: exchange.secret  ->  environment variable KUCOIN_GRID_SECRET" in ran.err


@pytest.mark.parametrize("text", ["connectors: [gate_io_perpetual, mexc]", "gate_io_perpetual\nmexc", "[gate_io_perpetual, mexc]"])  # fmt: skip
def test_hummingbot(tmp_path, text):
    """A list of connectors, however it is written."""
    ran, made = _import(tmp_path, "connectors.yml", text, "hummingbot")

    assert 0 == ran.code, ran.err
    assert "exchange: gate\n" in made
    assert "requires: [read, futures]" in made
    assert "exchange: mexc\n" in made


def test_hummingbot_folder(tmp_path):
    """A folder of connector files; what is encrypted in them stays there."""
    (tmp_path / "connectors").mkdir()
    (tmp_path / "connectors" / "kucoin.yml").write_text(f"connector: kucoin\nkucoin_api_key: {CANARY}\n")  # fmt: skip
    ran = bfaudit("import", "connectors", "--from", "hummingbot", "-o", "-", cwd=tmp_path)

    assert 0 == ran.code
    assert "env:KUCOIN_HUMMINGBOT_PASSPHRASE" in ran.out
    assert CANARY not in ran.out + ran.err


def test_env(tmp_path):
    """References are the variables' own names; what has no exchange or lacks a part is said."""
    text = f"export KUCOIN_SPOT_GRID_API_KEY={CANARY}\nKUCOIN_SPOT_GRID_API_SECRET='{CANARY}'\nKUCOIN_SPOT_GRID_PASSPHRASE=x\nMEXC_KEY={CANARY}\nDB_PASSWORD=x\n"
    ran, made = _import(tmp_path, "prod.env", text, "env")

    assert 0 == ran.code, ran.err
    assert "secret: env:KUCOIN_SPOT_GRID_API_SECRET" in made
    assert "MEXC_KEY: no secret beside it" in ran.err
    assert "DB_PASSWORD: no exchange in the name" in ran.err


def test_csv(tmp_path):
    """References and variables' names are kept, secrets replaced; equal names are told apart."""
    text = f"Name;Exchange;API Key;API Secret;Permissions;IPs\nDesk;MEXC;{CANARY};{CANARY};read trade;203.0.113.10\nDesk;mexc;DESK_KEY;env:DESK_SECRET;read;\nX;nowhere;;;;\n"
    ran, made = _import(tmp_path, "keys.csv", text, "csv")

    assert 0 == ran.code, ran.err
    assert "name: Desk 2" in made
    assert "key: env:DESK_KEY" in made
    assert "keys.csv:2: column secret" in ran.err
    assert "keys.csv:4: nowhere is not supported" in ran.err


@pytest.mark.parametrize("name", ["binance_us_testnet", "kucoin2", "kucoi"])
def test_an_exchange_is_never_guessed(tmp_path, name):
    """A name that is not exactly an exchange's is skipped, not bent to one."""
    ran, made = _import(tmp_path, "list.yml", f"- {name}\n", "hummingbot")

    assert 2 == ran.code
    assert "" == made


def test_nothing_is_overwritten(tmp_path):
    """A manifest that is there stays without --force."""
    text = json.dumps({"exchange": {"name": "mexc"}})
    assert 0 == _import(tmp_path, "a.json", text, "freqtrade")[0].code
    assert 2 == _import(tmp_path, "a.json", text, "freqtrade")[0].code
    assert 0 == _import(tmp_path, "a.json", text, "freqtrade", "--force")[0].code


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("freqtrade", "[" * 100_000, "no configuration of freqtrade"),
        ("freqtrade", f'{{"a": {"9" * 5000}}}', "no configuration of freqtrade"),
        ("hummingbot", "connector: 2026-13-45", "is not YAML"),
        ("csv", "exchange,name\nmexc,a\nmexc," + "x" * 200_000, "made:3: a cell has no end"),
    ],
)
def test_what_cannot_be_read_is_the_files_fault(tmp_path, kind, text, told):
    """Not a bug, and nothing is written."""
    ran, made = _import(tmp_path, "made", text, kind)

    assert 2 == ran.code
    assert told in ran.err
    assert "" == made


def test_a_table_with_the_line_ends_of_an_old_mac(tmp_path):
    """As a spreadsheet may still write it."""
    ran, made = _import(tmp_path, "keys.csv", "exchange,name\rmexc,Grid\r", "csv")

    assert 0 == ran.code, ran.err
    assert "name: Grid" in made


def test_a_file_without_an_end_is_not_read_to_it(tmp_path):
    """A device gives what fits, and is refused."""
    ran = bfaudit("import", "/dev/zero", "--from", "csv", "-o", "made.yaml", cwd=tmp_path)

    assert 2 == ran.code
    assert "larger than 1 MiB" in ran.err
