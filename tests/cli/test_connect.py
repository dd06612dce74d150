"""`bfaudit connect`: one connection more, tested, with everything else as it was."""

import hashlib
from datetime import date

import pytest
import yaml
from msgspec.structs import replace

from bfaudit import exchanges
from bfaudit.credentials import SCHEMES
from bfaudit.errors import UsageError
from bfaudit.manifest import Known, assemble, writing
from bfaudit.sandbox import Sandbox
from tests.cli.harness import bfaudit, entry, key, manifest, scenario

NEW = ("--exchange", "kucoin", "--strategy", "spot-two", "--server", "203.0.113.10", "--yes")


def _connect(folder, path, played, *options):
    with Sandbox(played) as box:
        url = f"kucoin={box.urls['kucoin']}"
        return bfaudit("connect", path, *NEW, "--exchange-url", url, *options, cwd=folder, **box.environment)  # fmt: skip


def test_a_right_key_is_online(tmp_path):
    """The boxes, the entry, the test: Online, and 0."""
    ran = _connect(tmp_path, "new.yaml", scenario(key("KUCOIN_SPOT_TWO")), "--two-factor-by", "alice")  # fmt: skip

    assert 0 == ran.code, ran.out + ran.err
    assert "[ ] Leave Withdrawal" in ran.out
    assert "KuCoin Spot Two: Online" in ran.out


def test_what_to_fix_is_said(tmp_path):
    """A key that may withdraw is a finding, with what to do."""
    played = scenario(key("KUCOIN_SPOT_TWO", ("General", "Spot", "Transfer")))
    ran = _connect(tmp_path, "new.yaml", played, "--two-factor-by", "alice")

    assert 1 == ran.code
    assert "critical no-withdraw" in ran.out
    assert 'Turn off "Withdrawal"' in ran.out


@pytest.mark.parametrize(
    ("played", "code", "said"),
    [
        (scenario(replace(key("ONE"), env=("ONE", "KUCOIN_SPOT_TWO"))), 1, "unique-key-per-strategy: The same key also serves KuCoin Spot One"),
        (scenario(key("ONE"), key("KUCOIN_SPOT_TWO")), 0, "KuCoin Spot Two: Online"),
        (scenario(key("KUCOIN_SPOT_TWO")), 4, "? unique-key-per-strategy: not known"),
    ],
)  # fmt: skip
def test_the_key_of_another_connection_is_recognised(tmp_path, played, code, said):
    """Of those that are declared already; where their keys are not there, nobody can tell."""
    path = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
    ran = _connect(tmp_path, path, played, "--two-factor-by", "alice")

    assert code == ran.code, ran.out + ran.err
    assert said in ran.out


def test_an_unset_variable_is_named(tmp_path):
    """Without the credentials nothing is sent, and the variables are listed."""
    ran = _connect(tmp_path, "new.yaml", scenario(key("OTHER")))

    assert 1 == ran.code
    assert "set  KUCOIN_SPOT_TWO_KEY KUCOIN_SPOT_TWO_SECRET KUCOIN_SPOT_TWO_PASSPHRASE" in ran.out


def test_the_text_that_was_there_stays(tmp_path):
    """Comments, order and spaces of the manifest keep their bytes; a second run only tests again."""
    path = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
    before = path.read_text() + "  # a last word\n"
    path.write_text(before)
    for _ in range(2):
        ran = bfaudit("connect", path, *NEW, "--no-test", cwd=tmp_path)
        assert 0 == ran.code, ran.err
    after = path.read_text()

    assert after.count("KuCoin Spot Two") == 1
    assert before == after.replace(_added(after, before), "")


def _added(after, before):
    start = next(i for i, (a, b) in enumerate(zip(after, before, strict=False)) if a != b)
    return after[start : start + len(after) - len(before)]


def test_a_literal_secret_is_refused(tmp_path):
    """A secret in place of a reference is not written and not repeated."""
    canary = hashlib.sha256(b"canary").hexdigest()[:32]
    ran = bfaudit("connect", "new.yaml", *NEW, "--credential", f"secret={canary}", cwd=tmp_path)

    assert 2 == ran.code
    assert canary not in ran.out + ran.err
    assert [] == list(tmp_path.iterdir())


HEAD = "apiVersion: bfaudit/v1\nkind: Manifest\n"
ONE = "name: One\n{0}exchange: mexc\n{0}credentials: {{key: env:A, secret: env:B}}\n"


@pytest.mark.parametrize("listed", ["[]", '[{"name": "One"}]'])
def test_a_list_in_one_line_has_no_place_for_another(listed):
    """Of a manifest in JSON an empty one neither: what is added is not blamed on the file."""
    text = f'{{"apiVersion": "bfaudit/v1", "kind": "Manifest", "connections": {listed}}}'
    with pytest.raises(UsageError, match="no place for another"):
        writing.appended(text, writing.Draft("Two", "mexc"))


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}connections: []",
        f"{HEAD}connections: []  # none yet\n# the end\n",
        f"{HEAD}connections:\n- {ONE.format('  ')}",
        f"{HEAD}connections:\n      -   {ONE.format('          ')}".rstrip(),
        f"{HEAD}connections:\n  - {ONE.format('    ')}    notes: |\n      a\n\n      b\n\n\n# after\ndefaults: {{}}\n",
        f"connections:\n  - {ONE.format('    ')}\n\n  # about the version\n{HEAD}",
        f"{HEAD}connections:\n  - {ONE.format('    ')}".replace("\n", "\r\n"),
    ],
)
def test_appending(text):
    """Wherever the list stands and however it is written, one connection is added and no line is lost."""
    draft = writing.Draft("on", "binance", strategy="no", credentials={"key": "env:C", "secret": "env:D"}, two_factor=("a: b", date(2026, 1, 1)))  # fmt: skip
    made = writing.appended(text, draft)
    loaded = assemble([("x", made.encode())], Known(exchanges.credentials_of(), SCHEMES, {}))

    assert [] == [str(problem) for problem in loaded.problems]
    assert "on" == loaded.connections[-1].name
    assert "no" == loaded.connections[-1].strategy
    kept = [line for line in text.splitlines() if line.strip() and "[]" not in line]
    assert kept == [line for line in made.splitlines() if line in kept]
    assert ("\r\n" in text) == ("\r\n" in made)
    assert "\n" not in made.replace("\r\n", "") or "\r\n" not in text


NOTED = f"{HEAD}connections:\n  - {ONE.format('    ')}    notes: "


@pytest.mark.parametrize(
    "text",
    [
        f"{NOTED}|+\n      a\n\n\n",
        f"{NOTED}|+\n      a\n",
        f"{NOTED}|+\n      a\n   \n  \n",
        f"{NOTED}|+\n\n\n# after\ndefaults: {{}}\n",
        f"{NOTED}|2+ # kept\n      a\n\n\n# after\ndefaults: {{}}\n",
        f"{NOTED}>+\n      a\n\n  # about two\n\n  - {ONE.format('    ').replace('One', 'Two')}    notes: >+\n      b\n\n\n",
        f"{NOTED}|\n      a\n\n\n# after\ndefaults: {{}}\n",
        f"{NOTED}|\n      a\n         \n\n# after\n",
        f"{NOTED}|-\n      a + b\n\n# after\n",
        f"{NOTED}|+\n      a\n\n\n".replace("\n", "\r\n"),
    ],
)
def test_appending_changes_nothing_else(text):
    """Not a byte: a block of text that keeps the empty lines after it keeps them all, and gets no other."""
    made = writing.appended(text, writing.Draft("New", "mexc", credentials={"key": "env:C"}))
    before, after = yaml.safe_load(text), yaml.safe_load(made)

    assert "New" == after["connections"].pop()["name"]
    assert before == after
    assert any(made.startswith(text[:at]) and made.endswith(text[at:]) for at in range(len(text)))


def test_a_remark_beside_an_empty_list_keeps_its_bytes():
    """The spaces at its end too."""
    made = writing.appended(f"{HEAD}connections: []  # none yet  \n\n# end\n", writing.Draft("New", "mexc"))  # fmt: skip

    assert "connections:  # none yet  \n  - name: New\n" in made
    assert made.endswith("\n\n# end\n")
