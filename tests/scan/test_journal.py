"""Scans that end in the middle: killed, cut off in the middle of a line, or on a full disk."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter

import pytest

from bfaudit.errors import UsageError
from bfaudit.journal import Journal, finished
from bfaudit.sandbox import Sandbox
from tests.cli.harness import ROOT, bfaudit, entry, environment, key, manifest, redirected, scenario
from tests.scan.fleet import connection, scan_fleet

LONG = bool(os.environ.get("BFAUDIT_TEST_LONG"))
KEYS = 2000 if LONG else 60
KILLS = 50 if LONG else 4


def _scanned(count=3):
    played = scenario(*[key(f"K{number}") for number in range(count)])
    fleet = [connection("kucoin", f"K{number}") for number in range(count)]
    return fleet, scan_fleet(played, fleet).snapshot.connections


def test_what_is_written_comes_back(tmp_path):
    """A record is found again by its connection, wherever it stands now."""
    fleet, scans = _scanned()
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for one in scans[:2]:
            journal.add(one)
    found = finished(path, [fleet[2], fleet[1], fleet[0]])

    assert {1, 2} == set(found)
    assert scans[1].facts == found[1].facts
    assert fleet[1] == found[1].connection
    assert 0o600 == path.stat().st_mode & 0o777


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_cut_line_is_no_record(tmp_path, cut):
    """A power cut in the middle of a line costs that line, and what comes after it is kept."""
    fleet, scans = _scanned()
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.add(scans[0])
        journal.add(scans[1])
    os.truncate(path, path.stat().st_size - cut)
    with Journal(path) as journal:
        journal.add(scans[2])

    assert {0, 2} | ({1} if cut == 1 else set()) == set(finished(path, fleet))


def test_a_connection_declared_anew_is_asked_again(tmp_path):
    """A record is good for what was declared then."""
    fleet, scans = _scanned(1)
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.add(scans[0])
    changed = connection("kucoin", "K0", requires=("read",))

    assert {} == finished(path, [changed])
    assert {0} == set(finished(path, fleet))


def test_another_file_is_refused(tmp_path):
    """What is no journal is not taken for an empty one."""
    path = tmp_path / "journal"
    path.write_text("{}\n")

    with pytest.raises(UsageError):
        finished(path, [])


def test_a_full_disk_is_said(monkeypatch, tmp_path):
    """A full disk ends the scan with a hint; what was written stays."""
    _, scans = _scanned(1)
    with Journal(tmp_path / "journal") as journal:

        def full(_file, _data):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(UsageError, match="No space left"):
            journal.add(scans[0])
        monkeypatch.undo()


def test_kill_and_resume(tmp_path):
    """Killed at random points and resumed, a scan ends with the snapshot of an undisturbed one."""
    names = [f"K{number}" for number in range(KEYS)]
    played = scenario(*[key(name) for name in names])
    entries = [entry(f"KuCoin Spot {name}", "kucoin", name, account=name) for name in names]
    rng = random.Random(7)
    with Sandbox(played, latency=0.02) as box:
        path = manifest(tmp_path, *entries)
        options = [*redirected(box), "--workers", "4", "--quiet"]
        whole = bfaudit("scan", path, *options, **box.environment)
        undisturbed = json.loads(whole.out)
        before = len(box.requests)
        target, journal = tmp_path / "snapshot.json", tmp_path / "journal"
        command = [sys.executable, "-m", "bfaudit", "scan", path, "-o", target]
        command += ["--journal", journal, "--resume", *options]
        kills = 0
        for _ in range(KILLS):
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(**box.environment),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            seen = len(box.requests)
            enough = seen + rng.randint(1, max(2, KEYS // (KILLS + 2)))
            while process.poll() is None and len(box.requests) < enough:
                time.sleep(0.002)
            process.kill()
            process.wait()
            kills += 1
        last = subprocess.run(
            command, cwd=ROOT, env=environment(**box.environment), check=False, capture_output=True
        )
        asked = Counter(one.key for one in box.requests[before:] if one.key)
    resumed = json.loads(target.read_text("utf-8"))

    assert 0 == last.returncode, last.stderr
    assert [_bare(row) for row in undisturbed["connections"]] == [
        _bare(row) for row in resumed["connections"]
    ]
    assert KEYS == len(asked)
    # Only what was under way at a kill is asked again: at most one key per worker.
    assert sum(asked.values()) <= KEYS + 4 * kills
    assert not journal.exists()


def _bare(row):
    """A row without what differs between two scans of the same key."""
    moments = {"scanned_at", "requests", "evidence", "unknown"}
    kept = {name: value for name, value in row.items() if name not in moments}
    kept["key"] = {name: value for name, value in row["key"].items() if name != "lapses_at"}
    return kept


def test_a_journal_that_is_there_is_not_overwritten(tmp_path):
    """Without --resume an old journal is an error, and stays."""
    journal = tmp_path / "journal"
    journal.write_text("precious")
    ran = bfaudit("scan", "examples/backfuture.yaml", "--journal", journal)

    assert 2 == ran.code
    assert "--resume" in ran.err
    assert "precious" == journal.read_text()
