"""Secrets through the real command: every scheme audits, no output holds a secret, and none would be written."""

import base64
import json
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

import pytest

from bfaudit.sandbox import Sandbox
from tests.cli.harness import bfaudit, entry, key, manifest, redirected, scenario
from tests.credentials.vaults import Vault, serving

FORMATS = ("json", "html", "markdown", "sarif", "junit", "csv")
ROLES = ("KEY", "SECRET", "PASSPHRASE")
TOKEN = "hvs.c4n4ryt0ken0fv4ult"
PLUGIN = """
import os
from bfaudit.credentials import Scheme, Secret
SCHEME = Scheme(name="store", syntax="store:NAME", resolve=lambda name, context: Secret(context.environ[f"STORE_{name}"]))
"""


def _env(folder, values):
    return "env:ONE_", {f"ONE_{role}": value for role, value in values.items()}, []


def _file(folder, values):
    path = folder / "keys.env"
    path.write_text("".join(f"{role}={value}\n" for role, value in values.items()))
    path.chmod(0o600)
    return f"file:{path}#", {}, []


def _keyring(folder, values):
    path = folder / "ring.json"
    path.write_text(json.dumps({f"bots/{role}": value for role, value in values.items()}))
    named = {
        "PYTHON_KEYRING_BACKEND": "tests.credentials.rings.FileRing",
        "KEYRING_PROPERTY_PLACE": str(path),
    }
    return "keyring:bots/", named, []


def _exec(folder, values):
    path = folder / "teller"
    cases = "".join(f"{role}) echo {value};;\n" for role, value in values.items())
    path.write_text(f'#!/bin/sh\necho "{" ".join(values.values())}" >&2\ncase $1 in\n{cases}esac\n')
    path.chmod(0o700)
    return f"exec:{path} ", {}, ["--allow-exec"]


def _plugin(folder, values):
    info = folder / "store-1.0.dist-info"
    info.mkdir()
    (folder / "its_store.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: store\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bfaudit.credentials]\nstore = its_store:SCHEME\n")
    named = {f"STORE_{role}": value for role, value in values.items()}
    return "store:", {**named, "PYTHONPATH": f"{folder}"}, []


@contextmanager
def _placed(scheme, folder, values):
    """Where the secrets of a connection live: the references up to the role, the environment, the options."""
    with ExitStack() as stack:
        if scheme == "vault":
            vault = stack.enter_context(serving(Vault()))
            vault.tokens[TOKEN] = float("inf")
            vault.secrets["secret/bots/one"] = dict(values)
            named = {"VAULT_ADDR": vault.address, "VAULT_TOKEN": TOKEN}
            yield "vault:secret/bots/one#", named, []
            assert vault.asked["secret/data/bots/one"] == 1
        else:
            make = {
                "env": _env,
                "file": _file,
                "keyring": _keyring,
                "exec": _exec,
                "store": _plugin,
            }
            yield make[scheme](folder, values)


def _forms(value):
    raw = value.encode()
    return {value, raw.hex(), base64.b64encode(raw).decode(), quote(value, safe="")}


@pytest.mark.parametrize("scheme", ["env", "file", "keyring", "vault", "exec", "store"])
def test_every_scheme_and_every_output(tmp_path, scheme):
    """The key works, and neither it nor its secrets nor the way to them is in any output."""
    out, away = tmp_path / "out", tmp_path / "away"
    away.mkdir()
    with Sandbox(scenario(key("ONE"))) as box:
        values = {role: box.environment[f"ONE_{role}"] for role in ROLES}
        with _placed(scheme, away, values) as (start, named, options):
            text = entry("KuCoin Spot One", "kucoin", "ONE").replace("env:ONE_", start)
            path = manifest(tmp_path, text)
            outputs = [
                word
                for form in FORMATS
                for word in ("--format", form, "--output", out / f"report.{form}")
            ]
            more = ["--format", "text", "--snapshot-out", out / "snapshot.json", "-vv"]
            if scheme == "store":
                from tests.cli.harness import ROOT

                named["PYTHONPATH"] += f":{ROOT}"
            ran = bfaudit("audit", path, *redirected(box), *options, *outputs, *more, **named)

    assert ran.code == 0, ran.err + ran.out
    assert {f"report.{form}" for form in FORMATS} <= {each.name for each in out.iterdir()}
    said = [ran.out, ran.err, *(each.read_text("utf-8", "replace") for each in out.iterdir())]
    for value in [*values.values(), TOKEN]:
        assert not [text for text in said if any(form in text for form in _forms(value))]
    row = json.loads((out / "report.json").read_text())["connections"][0]
    assert "Online" == row["status"]


LEAKING = "Tr4d1ngD3sk2026"


def _leaking(folder, box, command, *options):
    """A manifest whose words hold a passphrase, as no check of a manifest can know."""
    path = manifest(folder, entry("KuCoin Spot One", "kucoin", "ONE", strategy=LEAKING))
    given = {**box.environment, "ONE_PASSPHRASE": LEAKING}
    return bfaudit(command, path, *redirected(box), *options, **given)


@pytest.mark.parametrize(
    ("command", "options", "file"),
    [
        ("scan", ["--output", "old"], "the snapshot's temporary file"),
        ("audit", ["--format", "json", "--output", "old"], "old"),
        ("audit", ["--format", "html", "--output", "old"], "old"),
        ("audit", ["--snapshot-out", "old"], "old"),
        ("scan", ["--journal", "journal", "--output", "old"], "journal"),
        ("scan", [], "the snapshot's temporary file"),
        ("audit", ["--format", "json"], "the standard output"),
    ],
)
def test_a_file_that_would_hold_a_secret_is_not_written(tmp_path, command, options, file):
    """The old one stays; the message names the file and the role, and not the secret."""
    old = tmp_path / "old"
    old.write_text("as it was")
    placed = [tmp_path / word if word in ("old", "journal") else word for word in options]
    with Sandbox(scenario(key("ONE"))) as box:
        ran = _leaking(tmp_path, box, command, *placed)

    assert ran.code == 70
    assert f"{file} is not written" in " ".join(ran.err.split())
    assert "passphrase of a connection" in " ".join(ran.err.split())
    assert LEAKING not in ran.out + ran.err
    assert "as it was" == old.read_text()
    assert [] == [
        each.name
        for each in tmp_path.iterdir()
        if each.name != "fleet.yaml" and LEAKING in each.read_text()
    ]


def test_a_program_that_may_not_run_is_a_row(tmp_path):
    """The connection is not resolved, and says why; nothing ran."""
    text = entry("KuCoin Spot One", "kucoin", "ONE").replace(
        "env:ONE_KEY", f'"exec:touch {tmp_path}/ran"'
    )
    ran = bfaudit("scan", manifest(tmp_path, text), ONE_SECRET="x", ONE_PASSPHRASE="x")

    assert ran.code == 4
    assert "unresolved-credential" in ran.out
    assert "may not run programs" in ran.out
    assert not (tmp_path / "ran").exists()
