"""Drift on the command line: from a scan against the sandbox to the codes of a key that was widened."""

import json

import jsonschema_rs
import pytest

from bfaudit import schemas
from bfaudit.sandbox import Fault, Sandbox
from tests.cli.harness import bfaudit, entry, key, manifest, redirected, scenario

ONE = entry("KuCoin Spot One", "kucoin", "ONE")
TWO = entry("KuCoin Spot Two", "kucoin", "TWO")
GOOD, WIDER = ("General", "Spot"), ("General", "Spot", "Futures")
DOWN = Fault(kind="maintenance", path="*api-key*", key="one")


def scan(folder, name, *keys, options=(), **more):
    with Sandbox(scenario(*keys, **more)) as box:
        path = manifest(folder, ONE, TWO)
        line = ["scan", path, "-o", folder / name, *redirected(box), *options]
        return bfaudit(*line, **box.environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A fleet as it was; with a wider key; with a narrower one; with one that could not be looked at."""
    folder = tmp_path_factory.mktemp("drift")
    two = key("TWO", WIDER)
    codes = [
        scan(folder, "old.json", key("ONE", GOOD), two).code,
        scan(folder, "same.json", key("ONE", GOOD), two).code,
        scan(
            folder, "wider.json", key("ONE", WIDER, ips=("203.0.113.10", "198.51.100.7")), two
        ).code,
        scan(folder, "narrower.json", key("ONE", GOOD), key("TWO", GOOD)).code,
        scan(folder, "down.json", key("ONE", GOOD), two, faults=(DOWN,)).code,
    ]

    assert [0, 0, 0, 0, 4] == codes
    return folder


@pytest.mark.parametrize(
    ("new", "options", "expected"),
    [
        ("wider.json", [], 0),
        ("wider.json", ["--fail-on-widened"], 1),
        ("narrower.json", ["--fail-on-widened"], 0),
        ("same.json", ["--fail-on-widened"], 0),
        ("down.json", ["--fail-on-widened"], 4),
        ("down.json", [], 0),
        ("nowhere.json", ["--fail-on-widened"], 2),
        ("wider.json", ["--format", "pdf"], 2),
    ],
)
def test_codes(folder, new, options, expected):
    """1 for a key that may do more, 4 where that cannot be told; both only where it is asked."""
    ran = bfaudit("diff", "old.json", new, *options, cwd=folder)

    assert expected == ran.code, ran.out + ran.err


def test_an_altered_snapshot_is_5(folder, tmp_path):
    """Drift is not told of a file that was edited."""
    text = (folder / "wider.json").read_text("utf-8").replace("granted", "denied")
    (tmp_path / "edited.json").write_text(text, "utf-8")

    assert 5 == bfaudit("diff", folder / "old.json", tmp_path / "edited.json").code
    options = ["--previous", tmp_path / "edited.json"]

    assert 5 == bfaudit("check", folder / "old.json", *options).code


def test_what_is_told(folder):
    """The same in every format: by what it means, worst first."""
    formats = {
        name: bfaudit("diff", "old.json", "wider.json", "--format", name, cwd=folder)
        for name in ("text", "markdown", "json")
    }
    data = formats["json"].json
    jsonschema_rs.Draft202012Validator(schemas.load("diff")).validate(data)

    assert [
        ("permission-widened", "critical", "KuCoin Spot One"),
        ("ip-added", "high", "KuCoin Spot One"),
    ] == [(one["kind"], one["severity"], one["connection"]) for one in data["changes"]]
    assert all("198.51.100.7" in ran.out for ran in formats.values())
    assert "| critical | widened | KuCoin Spot One |" in formats["markdown"].out
    assert "critical[permission-widened] KuCoin Spot One" in formats["text"].out


def test_the_same_snapshots_give_the_same_bytes(folder, tmp_path):
    """And `--output` takes them."""
    line = ["diff", "old.json", "wider.json", "--format", "json"]
    first, second = (bfaudit(*line, cwd=folder).out for _ in range(2))
    bfaudit(*line, "-o", tmp_path / "diff.json", cwd=folder)

    assert first == second == (tmp_path / "diff.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("new", "options", "expected"),
    [
        ("wider.json", ["--previous", "old.json"], 1),
        ("same.json", ["--previous", "old.json"], 0),
        ("narrower.json", ["--previous", "old.json"], 0),
        ("down.json", ["--previous", "old.json"], 4),
        ("same.json", [], 4),
        ("same.json", ["--previous", "nowhere.json"], 2),
        ("wider.json", ["--previous", "old.json", "--only", "KuCoin Spot Two"], 0),
    ],
)
def test_the_rules_are_told(folder, new, options, expected):
    """`no-widening` fails for a wider key; without an earlier snapshot it has no answer, and so no pass."""
    ran = bfaudit("check", new, "--policy", "drift", *options, cwd=folder)

    assert expected == ran.code, ran.out + ran.err
    assert ("critical[no-widening]" in ran.out) is (expected == 1)


def test_audit_remembers(tmp_path):
    """A snapshot that is kept from run to run carries what was seen first."""
    path = manifest(tmp_path, ONE)
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    audit = ["audit", path, "--policy", "drift"]
    with Sandbox(scenario(key("ONE", GOOD))) as box:
        scanned = bfaudit("scan", path, "-o", first, *redirected(box), **box.environment)
        line = [*audit, "--previous", first, "--snapshot-out", second]
        same = bfaudit(*line, *redirected(box), **box.environment)
    with Sandbox(scenario(key("ONE", WIDER))) as box:
        line = [*audit, "--previous", second, "--format", "json"]
        wider = bfaudit(*line, *redirected(box), **box.environment)
    (was,) = json.loads(first.read_text("utf-8"))["connections"]
    (kept,) = json.loads(second.read_text("utf-8"))["connections"]
    (row,) = wider.json["connections"]

    assert [0, 0, 1] == [scanned.code, same.code, wider.code], same.out + same.err
    assert "history" not in was
    assert was["scanned_at"] == kept["history"]["first_seen"] == row["history"]["first_seen"]
    assert None is kept["history"]["last_changed"]
    assert row["scanned_at"] == row["history"]["last_changed"]
    assert ["the key now has the permission futures"] == row["history"]["widened"]


def test_the_round_trip(tmp_path):
    """Scan, check, keep what is known, widen the key at the exchange: the codes are as promised."""
    path = manifest(tmp_path, ONE, TWO)
    assert 0 == bfaudit("validate", path).code

    scanned = scan(tmp_path, "old.json", key("ONE", GOOD), key("TWO", WIDER))
    found = bfaudit("check", "old.json", cwd=tmp_path)
    created = bfaudit("baseline", "create", "old.json", "-o", "known.json", cwd=tmp_path)
    known = bfaudit("check", "old.json", "--baseline", "known.json", cwd=tmp_path)
    assert [0, 1, 0, 0] == [scanned.code, found.code, created.code, known.code]

    scan(tmp_path, "new.json", key("ONE", WIDER), key("TWO", WIDER))
    diff = bfaudit("diff", "old.json", "new.json", "--fail-on-widened", cwd=tmp_path)
    new = bfaudit("check", "new.json", "--baseline", "known.json", cwd=tmp_path)
    policies = ["--policy", "baseline", "--policy", "drift"]
    line = ["check", "new.json", "--baseline", "known.json", "--previous", "old.json", *policies]
    drift = bfaudit(*line, "--format", "json", cwd=tmp_path)
    assert [1, 1, 1] == [diff.code, new.code, drift.code]
    assert {("no-widening", "KuCoin Spot One")} == {
        (row["rule"], row["connection"])
        for row in drift.json["results"]
        if row["outcome"] == "fail" and row["severity"] == "critical"
    }
