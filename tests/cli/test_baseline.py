"""Baselines on the command line: only new findings fail, nothing is written unasked, nothing missing is ignored."""

import json
import shutil

import jsonschema_rs
import pytest

from bfaudit import schemas
from bfaudit.sandbox import Sandbox
from tests.cli.harness import bfaudit, entry, key, manifest, redirected, scenario

ONE = entry("KuCoin Spot One", "kucoin", "ONE")
TWO = entry("KuCoin Spot Two", "kucoin", "TWO")
GOOD, WITHDRAWS = ("General", "Spot"), ("General", "Spot", "Transfer")


def scan(folder, one, two, name, file="fleet.yaml"):
    with Sandbox(scenario(key("ONE", one), key("TWO", two))) as box:
        path = manifest(folder, ONE, TWO, name=file)
        ran = bfaudit("scan", path, "-o", folder / name, *redirected(box), **box.environment)

    assert 0 == ran.code, ran.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One bad key at first; then the other too; then none. `known.json` knows what was first."""
    folder = tmp_path_factory.mktemp("baseline")
    scan(folder, GOOD, WITHDRAWS, "first.json")
    scan(folder, WITHDRAWS, WITHDRAWS, "worse.json", file="moved.yaml")
    scan(folder, GOOD, GOOD, "better.json")
    ran = bfaudit("baseline", "create", "first.json", "-o", "known.json", cwd=folder)

    assert (0, "") == (ran.code, ran.out), ran.err
    return folder


def test_the_file_is_valid_by_its_schema(folder):
    """It names what it silences."""
    data = json.loads((folder / "known.json").read_text("utf-8"))
    jsonschema_rs.Draft202012Validator(schemas.load("baseline")).validate(data)

    assert ("no-withdraw", "KuCoin Spot Two") in {
        (one["rule"], one["connection"]) for one in data["findings"]
    }


@pytest.mark.parametrize(
    ("snapshot", "options", "expected"),
    [
        ("first.json", [], 1),
        ("first.json", ["--baseline", "known.json"], 0),
        ("worse.json", ["--baseline", "known.json"], 1),
        ("worse.json", ["--baseline", "known.json", "--only", "KuCoin Spot Two"], 0),
        ("better.json", ["--baseline", "known.json"], 0),
        ("first.json", ["--baseline", "nowhere.json"], 2),
        ("first.json", ["--baseline", "nowhere.json", "--exit-zero"], 2),
        ("first.json", ["--baseline", "first.json"], 2),
        ("first.json", ["--baseline", "known.json", "--max-age", "0s"], 4),
        ("first.json", ["--baseline", "known.json", "--only", "nobody"], 3),
    ],
)
def test_codes(folder, snapshot, options, expected):
    """Known findings are no reason for 1, wherever their manifest has moved; a missing baseline is 2."""
    ran = bfaudit("check", snapshot, *options, cwd=folder)

    assert expected == ran.code, ran.out + ran.err


def test_known_findings_are_counted_and_shown(folder):
    """They stay in the report."""
    ran = bfaudit("check", "worse.json", "--baseline", "known.json", cwd=folder)

    assert "baseline: 2 known, 2 new" in ran.err
    assert "KuCoin Spot Two" in ran.out
    assert "no-withdraw" in ran.out


def test_audit_takes_it_too(tmp_path, folder):
    """A missing one costs no request."""
    with Sandbox(scenario(key("ONE", GOOD), key("TWO", WITHDRAWS))) as box:
        line = ["audit", manifest(tmp_path, ONE, TWO), *redirected(box), "--baseline"]
        missing = bfaudit(*line, folder / "nowhere.json", **box.environment)
        asked = list(box.requests)
        known = bfaudit(*line, folder / "known.json", **box.environment)

    assert (2, []) == (missing.code, asked)
    assert "bfaudit baseline create" in missing.err
    assert 0 == known.code, known.out + known.err


def test_nothing_is_written_unasked(folder):
    """Neither by a run that uses it, nor over a file that is there."""
    before = (folder / "known.json").read_bytes()
    bfaudit("check", "worse.json", "--baseline", "known.json", cwd=folder)
    refused = bfaudit("baseline", "create", "worse.json", "-o", "known.json", cwd=folder)

    assert 2 == refused.code
    assert "--force" in refused.err
    assert before == (folder / "known.json").read_bytes()


def test_force(folder, tmp_path):
    """It replaces the file, where that is said."""
    shutil.copy(folder / "known.json", tmp_path)
    line = ["baseline", "create", folder / "worse.json", "-o", "known.json", "--force"]

    assert 0 == bfaudit(*line, cwd=tmp_path).code
    assert 4 == len(json.loads((tmp_path / "known.json").read_text("utf-8"))["findings"])


def test_prune(folder, tmp_path):
    """What is gone is dropped, and only that; what comes back fails."""
    shutil.copy(folder / "known.json", tmp_path)
    same = bfaudit("baseline", "prune", "known.json", folder / "worse.json", cwd=tmp_path)
    kept = len(json.loads((tmp_path / "known.json").read_text("utf-8"))["findings"])
    pruned = bfaudit("baseline", "prune", "known.json", folder / "better.json", cwd=tmp_path)
    again = bfaudit("check", folder / "first.json", "--baseline", "known.json", cwd=tmp_path)

    assert (0, 2) == (same.code, kept)
    assert 0 == pruned.code
    assert "gone: no-withdraw on KuCoin Spot Two" in pruned.err
    assert 1 == again.code


def test_show(folder):
    """As text and as JSON; of nothing it is 2."""
    text = bfaudit("baseline", "show", "known.json", cwd=folder)
    data = bfaudit("baseline", "show", "known.json", "--format", "json", cwd=folder)

    assert "critical[no-withdraw] KuCoin Spot Two, since 20" in text.out
    assert (folder / "known.json").read_text("utf-8") == data.out
    assert 2 == bfaudit("baseline", "show", "nowhere.json", cwd=folder).code


def test_a_report_is_a_source_too(folder, tmp_path):
    """With the verdicts that it has."""
    report = tmp_path / "report.json"
    bfaudit("check", "first.json", "--format", "json", "--output", report, cwd=folder)
    ran = bfaudit("baseline", "create", report, "-o", tmp_path / "known.json")
    refused = bfaudit("baseline", "create", report, "-o", tmp_path / "x", "--policy", "strict")

    assert 0 == ran.code, ran.err
    assert 2 == len(json.loads((tmp_path / "known.json").read_text("utf-8"))["findings"])
    assert 2 == refused.code


def test_a_configured_policy_has_no_use_for_a_report(folder, tmp_path):
    """What `bfaudit init` configures refuses no report; what the command line says in vain is refused."""
    report, known = tmp_path / "report.json", tmp_path / "known.json"
    (tmp_path / "bfaudit.toml").write_text('policy = ["baseline"]\n', "utf-8")
    bfaudit("check", folder / "first.json", "--format", "json", "--output", report)
    again = bfaudit("report", report, "--format", "json", cwd=tmp_path, BFAUDIT_FROM="203.0.113.10")
    made = bfaudit("baseline", "create", report, "-o", known, cwd=tmp_path)
    refused = [
        bfaudit("report", report, "--policy", "baseline", cwd=tmp_path).code,
        bfaudit(
            "baseline", "create", report, "-o", "x.json", "--policy", "baseline", cwd=tmp_path
        ).code,
        bfaudit(
            "baseline", "create", report, "-o", "x.json", "--from", "203.0.113.10", cwd=tmp_path
        ).code,
    ]

    assert 1 == again.code, again.err
    assert 0 == made.code, made.err
    assert [2, 2, 2] == refused


def test_an_edited_entry_silences_nothing_else(folder, tmp_path):
    """An entry that says another thing than it silences is refused."""
    text = (folder / "known.json").read_text("utf-8")
    (tmp_path / "known.json").write_text(text.replace("KuCoin Spot Two", "KuCoin Spot One"))
    ran = bfaudit("check", folder / "first.json", "--baseline", tmp_path / "known.json")

    assert 2 == ran.code
    assert "fingerprint" in ran.err
