"""One test per exit code and per precedence, each as a process of its own."""

import json
import signal
import subprocess
import sys
import time

import pytest

from bfaudit.cli.exit_codes import CODES, PRECEDENCE
from bfaudit.sandbox import Fault, Sandbox
from tests.cli.harness import (
    ROOT,
    bfaudit,
    entry,
    environment,
    key,
    manifest,
    redirected,
    scenario,
)


def _audit(tmp_path, played, *entries, options=(), command="audit"):
    with Sandbox(played) as box:
        path = manifest(tmp_path, *entries)
        return bfaudit(command, path, *redirected(box), *options, **box.environment)


CLEAN = entry("KuCoin Spot One", "kucoin", "ONE")
BAD = entry("KuCoin Spot Two", "kucoin", "TWO")
WITHDRAWS = key("TWO", ("General", "Spot", "Transfer"))


def test_0_complete_and_clean(tmp_path):
    """A clean fleet ends with 0."""
    ran = _audit(tmp_path, scenario(key("ONE")), CLEAN)

    assert 0 == ran.code, ran.out + ran.err


def test_1_findings(tmp_path):
    """A finding at or above --fail-on ends with 1."""
    ran = _audit(tmp_path, scenario(WITHDRAWS), BAD)

    assert 1 == ran.code
    assert "no-withdraw" in ran.out


@pytest.mark.parametrize(
    ("fail_on", "code"), [("info", 1), ("low", 1), ("medium", 0), ("critical", 0)]
)
def test_fail_on_is_a_threshold(tmp_path, fail_on, code):
    """A low finding is a failure only where low counts."""
    ran = _audit(
        tmp_path, scenario(key("ONE")), entry("X1", "kucoin", "ONE"), options=["--fail-on", fail_on]
    )

    assert code == ran.code, ran.out


def test_2_invalid_manifest(tmp_path):
    """An invalid manifest ends with 2, and nothing is sent."""
    with Sandbox(scenario(key("ONE"))) as box:
        path = manifest(tmp_path, CLEAN.replace("requires", "requries"))
        ran = bfaudit("audit", path, *redirected(box), **box.environment)

        assert 2 == ran.code
        assert "requries" in ran.err
        assert "requires" in ran.err
        assert f"{path}:10:5" in ran.err
        assert [] == box.requests


def test_2_usage():
    """An unknown option, command, format, policy or severity is 2."""
    for arguments in (
        ["audit", "--nope"],
        ["audti", "x"],
        ["audit", "examples/backfuture.yaml", "--format", "pfd"],
        ["audit", "examples/backfuture.yaml", "--policy", "nope"],
        ["audit", "examples/backfuture.yaml", "--fail-on", "bad"],
        ["audit", "no/such/file.yaml"],
        ["check", "no/such/file.json"],
        ["audit"],
    ):
        ran = bfaudit(*arguments)

        assert 2 == ran.code, (arguments, ran.out, ran.err)
        assert "Traceback" not in ran.err


def test_2_a_refused_url():
    """Plain http beyond loopback is refused before anything is sent."""
    ran = bfaudit("audit", "examples/backfuture.yaml", "--exchange-url", "mexc=http://example.com")

    assert 2 == ran.code
    assert "loopback" in ran.err


def test_2_keep_going_still_ends_with_2(tmp_path):
    """The valid connections are audited, the rejected one is listed, and the code is 2."""
    ran = _audit(
        tmp_path,
        scenario(key("ONE"), WITHDRAWS),
        CLEAN,
        BAD.replace("requires", "requries"),
        options=["--keep-going", "--format", "json"],
    )

    assert 2 == ran.code
    assert ["KuCoin Spot One"] == [row["name"] for row in ran.json["connections"]]
    assert ["KuCoin Spot Two"] == [row["name"] for row in ran.json["rejected"]]


def test_3_nothing_to_audit(tmp_path):
    """No connection is 3, for every command."""
    path = tmp_path / "empty.yaml"
    path.write_text("apiVersion: bfaudit/v1\nkind: Manifest\nconnections: []\n")

    assert [3, 3, 3] == [bfaudit(name, path).code for name in ("audit", "scan", "validate")]


def test_4_incomplete(tmp_path):
    """An exchange that could not be asked is 4 where nothing worse is found."""
    played = scenario(key("ONE"), faults=(Fault(kind="maintenance", path="*api-key*"),))
    ran = _audit(tmp_path, played, CLEAN, options=["--fail-on", "critical"])

    assert 4 == ran.code, ran.out
    assert (
        0
        == _audit(
            tmp_path, played, CLEAN, options=["--fail-on", "critical", "--max-unknown", "100%"]
        ).code
    )


def test_4_unresolved_credential(tmp_path):
    """A secret that is not there makes the run incomplete."""
    ran = _audit(tmp_path, scenario(key("OTHER")), CLEAN, options=["--fail-on", "critical"])

    assert 4 == ran.code
    assert "ONE_KEY" in ran.out


def test_4_of_a_scan_says_why(tmp_path):
    """A scan judges nothing; what it could not look at is counted by its reason."""
    ran = _audit(
        tmp_path,
        scenario(key("ONE")),
        CLEAN,
        BAD,
        command="scan",
        options=["-q", "-o", tmp_path / "s"],
    )

    assert 4 == ran.code
    assert (
        "incomplete: 1 of 2 connections could not be looked at: 1 unresolved-credential\n"
        == ran.err
    )


def test_verbose_tells_of_every_request(tmp_path):
    """-v says how each connection ended, why, and by which requests; no secret among them."""
    ran = _audit(tmp_path, scenario(key("ONE")), CLEAN, BAD, command="scan", options=["-v", "-o", tmp_path / "s"])  # fmt: skip
    lines = ran.err.splitlines()

    assert [True] == [
        "GET /api/v1/user/api-key: HTTP 200, ok, " in one for one in lines if "user/api-key" in one
    ]
    assert any(
        "KuCoin Spot Two: Invalid key (unresolved-credential) the environment variable TWO_KEY is not set"
        in one
        for one in lines
    )


def test_1_wins_over_4(tmp_path):
    """A finding says more than a gap."""
    played = scenario(
        key("ONE"), WITHDRAWS, faults=(Fault(kind="server-error", path="*api-key*", key="one"),)
    )
    ran = _audit(tmp_path, played, CLEAN, BAD)

    assert 1 == ran.code


def test_exit_zero_covers_1_and_4_only(tmp_path):
    """--exit-zero never hides a mistake in the input."""
    ran = _audit(tmp_path, scenario(WITHDRAWS), BAD, options=["--exit-zero"])
    path = manifest(tmp_path, BAD.replace("requires", "requries"), name="bad.yaml")

    assert 0 == ran.code
    assert "no-withdraw" in ran.out
    assert 2 == bfaudit("audit", path, "--exit-zero").code


def test_5_integrity(tmp_path):
    """A snapshot that was edited is 5, and is not judged."""
    with Sandbox(scenario(WITHDRAWS)) as box:
        path = manifest(tmp_path, BAD)
        place = tmp_path / "snapshot.json"
        ran = bfaudit("scan", path, "-o", place, *redirected(box), **box.environment)
    edited = place.read_text("utf-8").replace('"withdraw": "granted"', '"withdraw": "denied"')
    place.write_text(edited, "utf-8")
    checked = bfaudit("check", place)

    assert 0 == ran.code
    assert 5 == checked.code
    assert "no-withdraw" not in checked.out


def test_130_interrupted_keeps_what_was_scanned(tmp_path):
    """Ctrl-C ends cleanly: what was scanned is saved, the code is 130."""
    played = scenario(
        key("ONE"),
        key("TWO"),
        faults=(Fault(kind="slow", path="*api-key*", key="two", seconds=20),),
    )
    with Sandbox(played) as box:
        path = manifest(tmp_path, CLEAN, BAD)
        place = tmp_path / "snapshot.json"
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bfaudit",
                "scan",
                path,
                "-o",
                place,
                "--timeout",
                "30",
                *redirected(box),
            ],
            env=environment(**box.environment),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 30
        while len(box.requests) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    saved = json.loads(place.read_text("utf-8"))

    assert 130 == process.returncode, errors
    assert ["KuCoin Spot One"] == [row["name"] for row in saved["connections"]]
    assert saved["interrupted"] is True
    assert "Traceback" not in errors
    assert 130 == bfaudit("check", place).code


def test_70_a_bug_shows_no_message(tmp_path):
    """A bug is named by its place; its message, which may hold a secret, is not shown."""
    code = (
        "import bfaudit.cli.validate as v, bfaudit.cli as c\n"
        "def broken(*a, **k): raise RuntimeError('canary-of-the-bug')\n"
        "v.command.callback = broken\n"
        "c.run(['validate', 'x', *__import__('sys').argv[1:]])\n"
    )
    for more in ([], ["-vv"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *more],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )

        if more and done.returncode == 2:
            continue
        assert 70 == done.returncode, done.stderr
        assert "RuntimeError" in done.stderr
        assert "canary-of-the-bug" not in done.stderr + done.stdout


def test_the_table_is_printed_and_complete():
    """`bfaudit exit-codes` prints every code, and the order of precedence."""
    ran = bfaudit("exit-codes")

    assert 0 == ran.code
    assert all(meaning in ran.out for meaning in CODES.values())
    assert set(CODES) - {0} == set(PRECEDENCE)
