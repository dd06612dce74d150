"""What the commands do beside their exit code."""

import json
import re

import jsonschema_rs
import pytest

from bfaudit import __version__
from bfaudit.cli import commands
from bfaudit.sandbox import Sandbox
from tests.cli.harness import ROOT, bfaudit, entry, key, manifest, redirected, scenario


def test_version_and_help():
    """Every command has help that fits a terminal; the version is the package's."""
    assert f"bfaudit {__version__}\n" == bfaudit("--version").out
    ran = bfaudit("--help")

    assert 0 == ran.code
    assert all(name in ran.out for name in commands())


@pytest.mark.parametrize("name", commands())
def test_every_command_explains_itself(name):
    """`--help` of each command ends with 0."""
    assert 0 == bfaudit(name, "--help").code


def test_a_misspelt_command_gets_a_hint():
    """Did you mean."""
    assert "audit" in bfaudit("aduit", "x").err


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A fleet with one finding, scanned once into a snapshot and audited once into every format."""
    folder = tmp_path_factory.mktemp("fleet")
    with Sandbox(scenario(key("ONE"), key("TWO", ("General", "Spot", "Transfer")))) as box:
        path = manifest(
            folder,
            entry("KuCoin Spot One", "kucoin", "ONE"),
            entry("KuCoin Spot Two", "kucoin", "TWO"),
        )
        ran = bfaudit(
            "audit",
            path,
            *redirected(box),
            "--snapshot-out",
            folder / "snapshot.json",
            *["--format", "json", "--output", folder / "report.json"],
            *["--format", "html", "--output", folder / "report.html"],
            *["--format", "markdown", "--output", folder / "report.md"],
            *["--format", "text"],
            **box.environment,
        )
        secrets = list(box.environment.values())
    return folder, ran, secrets


def test_audit_writes_every_format(fleet):
    """Formats and outputs pair in order; text goes to the standard output."""
    folder, ran, _ = fleet

    assert 1 == ran.code, ran.err
    assert "no-withdraw" in ran.out
    for name in ("report.json", "report.html", "report.md", "snapshot.json"):
        assert "KuCoin Spot Two" in (folder / name).read_text("utf-8")


def test_report_and_snapshot_keep_their_schemas(fleet):
    """Both are valid by the schemas that ship."""
    folder, _, _ = fleet
    for name in ("report", "snapshot"):
        schema = json.loads(
            (ROOT / "bfaudit" / "schemas" / f"{name}.schema.json").read_text("utf-8")
        )
        document = json.loads((folder / f"{name}.json").read_text("utf-8"))

        jsonschema_rs.validator_for(schema).validate(document)


def test_the_report_has_what_the_contract_names(fleet):
    """DESIGN section 7, field by field."""
    folder, _, _ = fleet
    report = json.loads((folder / "report.json").read_text("utf-8"))
    row = report["connections"][1]

    assert "bfaudit-report/1" == report["schema"]
    assert {"name": "bfaudit", "version": __version__} == report["tool"]
    assert 2 == report["summary"]["connections"]
    assert "granted" == row["permissions"]["withdraw"]
    assert "Online" == row["status"]
    assert row["reason"] is None
    assert {"ip_restricted": True, "ip_allowlist": ["203.0.113.10"]}.items() <= row[
        "network"
    ].items()
    assert row["key"]["last_used_at"] is None
    assert "key.last_used_at" in row["unknown"]
    assert {"file", "line", "column"} == set(row["location"])
    failed = [result for result in report["results"] if result["outcome"] == "fail"]
    assert ("no-withdraw", "critical", "KuCoin Spot Two") in {
        (one["rule"], one["severity"], one["connection"]) for one in failed
    }
    exchange = report["exchanges"][0]
    assert exchange["redirected"]
    assert exchange["requests"] >= 3
    assert abs(exchange["clock_offset_ms"]) < 5000


def test_check_judges_a_snapshot_offline(fleet):
    """The same findings, without secrets or network."""
    folder, _, _ = fleet
    ran = bfaudit("check", folder / "snapshot.json", "--format", "json")
    report = json.loads((folder / "report.json").read_text("utf-8"))

    assert 1 == ran.code
    assert [(one["rule"], one["connection"], one["outcome"]) for one in report["results"]] == [
        (one["rule"], one["connection"], one["outcome"]) for one in ran.json["results"]
    ]


def test_no_secret_in_any_output(fleet):
    """Keys, secrets and passphrases are in no file and on no stream."""
    folder, ran, secrets = fleet
    texts = [ran.out, ran.err, *(path.read_text("utf-8") for path in folder.iterdir())]

    assert secrets
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_a_manifest_may_come_from_the_standard_input():
    """`-` is the standard input."""
    text = (ROOT / "examples" / "backfuture.yaml").read_text("utf-8")

    assert 0 == bfaudit("validate", "-", stdin=text).code


def test_a_failing_run_leaves_the_old_report(tmp_path):
    """A report is replaced whole or not at all."""
    place = tmp_path / "report.json"
    place.write_text("old")
    ran = bfaudit("audit", tmp_path / "none.yaml", "--format", "json", "--output", place)

    assert 2 == ran.code
    assert "old" == place.read_text()
    assert ["report.json"] == [path.name for path in tmp_path.iterdir()]


def test_text_for_a_pipe_has_no_colour(fleet):
    """No escape sequence goes where nobody asked for colour."""
    _, ran, _ = fleet

    assert not re.search(r"\x1b\[", ran.out)


def test_the_demo_finds_every_planted_mistake(tmp_path):
    """`bfaudit demo` ends with 0, writes four files and finds what was planted."""
    ran = bfaudit("demo", "--output-dir", tmp_path)

    assert 0 == ran.code, ran.out + ran.err
    assert "MISSED" not in ran.out
    assert "Planted mistakes, found: 24 of 24" in ran.out
    assert "What no exchange tells, found: 3 of 3" in ran.out
    assert {"report.html", "report.md", "report.json", "snapshot.json"} == {
        path.name for path in tmp_path.iterdir()
    }
    assert "exit code 1" in ran.out
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = readme.partition("$ bfaudit demo\n")[2].partition("```")[0].split("...\n")
    assert 3 == len(shown)
    assert all(part in ran.out.replace(f"{ROOT}/", "") for part in shown)


def test_a_report_that_cannot_be_loaded_costs_no_scan(tmp_path):
    """What it is made with is loaded while exchanges answer: where that fails, the scan is saved all the same."""
    broken = tmp_path / "broken"
    (broken / "rich").mkdir(parents=True)
    (broken / "rich" / "__init__.py").write_text("raise RuntimeError\n")
    saved = tmp_path / "snapshot.json"
    with Sandbox(scenario(key("ONE"))) as box:
        path = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
        given = {**box.environment, "PYTHONPATH": f"{broken}:{ROOT}"}
        more = ("--quiet", "--snapshot-out", saved)
        ran = bfaudit("audit", path, *redirected(box), *more, **given)

    assert 70 == ran.code
    assert "RuntimeError" in ran.err
    assert "Online" == json.loads(saved.read_text())["connections"][0]["status"]
