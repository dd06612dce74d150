"""Scans that end in the middle: killed, cut off in the middle of a line, or on a full disk."""

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter

import pytest
from msgspec.structs import replace

from bfaudit.errors import UsageError
from bfaudit.journal import Journal
from bfaudit.model import ExchangeScanned
from bfaudit.sandbox import Sandbox
from bfaudit.snapshot import rescanned
from tests.cli.harness import ROOT, bfaudit, entry, environment, key, manifest, redirected, scenario
from tests.scan.fleet import connection, scan_fleet

LONG = bool(os.environ.get("BFAUDIT_TEST_LONG"))
KEYS = 2000 if LONG else 60
KILLS = 50 if LONG else 4
KUCOIN = ExchangeScanned(id="kucoin", url="http://127.0.0.1:9", redirected=True, requests=2)


def _scanned(count=3):
    played = scenario(*[key(f"K{number}") for number in range(count)])
    fleet = [connection("kucoin", f"K{number}") for number in range(count)]
    return fleet, scan_fleet(played, fleet).snapshot.connections


class Kept(Journal):
    """A journal of a scan that asked one exchange."""

    def __enter__(self):
        super().__enter__()
        self.asked(KUCOIN)
        return self


def _address(_exchange):
    return KUCOIN.url, KUCOIN.redirected


def _found(path, fleet, address=_address):
    """What a journal holds of a fleet, by number."""
    with Kept(path) as journal:
        journal.resume(fleet, address)
        numbers = [number for number in range(len(fleet)) if number in journal]
        rows = [rescanned(json.loads(row)) for row in journal.rows()]
    return dict(zip(numbers, rows, strict=True))


def test_what_is_written_comes_back(tmp_path):
    """A record is found again by its connection, wherever it stands now."""
    fleet, scans = _scanned()
    path = tmp_path / "journal"
    with Kept(path) as journal:
        journal[0], journal[1] = scans[:2]
    found = _found(path, [fleet[2], fleet[1], fleet[0]])

    assert {1, 2} == set(found)
    assert scans[1].facts == found[1].facts
    assert fleet[1].name == found[1].connection.name
    assert 0o600 == path.stat().st_mode & 0o777


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_cut_line_is_no_record(tmp_path, cut):
    """A power cut in the middle of a line costs that line, and what comes after it is kept."""
    fleet, scans = _scanned()
    path = tmp_path / "journal"
    with Kept(path) as journal:
        journal[0] = scans[0]
        journal[1] = scans[1]
    os.truncate(path, path.stat().st_size - cut)
    with Kept(path) as journal:
        journal[2] = scans[2]

    assert {0, 2} | ({1} if cut == 1 else set()) == set(_found(path, fleet))


def test_power_cut_at_any_byte(tmp_path, monkeypatch):
    """Whatever tail the disk lost, what is before it is found, the journal goes on, and the rest is asked again."""
    fleet, scans = _scanned()
    whole, path = tmp_path / "whole", tmp_path / "journal"
    with Kept(whole) as journal:
        journal[0], journal[1] = scans[:2]
    monkeypatch.setattr(os, "fsync", lambda _file: None)  # this disk keeps what it is given
    data = whole.read_bytes()
    ends = [at for at, byte in enumerate(data) if byte == 10]
    for size in range(0, len(data) + 1, 1 if LONG else 19):
        for tail in (b"", b"\0" * (len(data) - size)):
            path.write_bytes(data[:size] + tail)
            # The header ends at the first line's end, a record where its line is complete but for the line's end.
            complete = {number for number, end in enumerate(ends[1:]) if size >= end and (not tail or size > end)}  # fmt: skip

            assert complete == set(_found(path, fleet)), (size, tail[:1])
            with Kept(path) as journal:
                journal[2] = scans[2]
            assert complete | {2} == set(_found(path, fleet)), (size, tail[:1])


def test_a_connection_declared_anew_is_asked_again(tmp_path):
    """A record is good for what was declared then."""
    fleet, scans = _scanned(1)
    path = tmp_path / "journal"
    with Kept(path) as journal:
        journal[0] = scans[0]
    changed = connection("kucoin", "K0", requires=("read",))

    assert {} == _found(path, [changed])
    assert {0} == set(_found(path, fleet))


@pytest.mark.parametrize(
    "now", [None, (KUCOIN.url, False), ("http://127.0.0.1:10", True), ("https://api.kucoin.com", False)]
)  # fmt: skip
def test_what_was_asked_elsewhere_is_asked_again(tmp_path, now):
    """A record of a redirected scan says nothing of the exchange, and one of the exchange nothing of a sandbox."""
    fleet, scans = _scanned(1)
    path = tmp_path / "journal"
    with Kept(path) as journal:
        journal[0] = scans[0]

    assert {} == _found(path, fleet, lambda _exchange: now)
    assert {0} == set(_found(path, fleet))


def test_what_is_recorded_of_an_exchange_adds_up(tmp_path):
    """Over every scan that was continued, up to the last connection that was kept; of no exchange that nothing is kept of."""
    fleet, scans = _scanned(2)
    path = tmp_path / "journal"
    for number, host in enumerate(("a.example", "b.example")):
        with Journal(path) as journal:
            journal.resume(fleet, _address)
            journal.asked(replace(KUCOIN, requests=1))
            journal.asked(replace(KUCOIN, refused_hosts=(host,)))
            journal[number] = scans[number]
    with Journal(path) as journal:
        journal.resume(fleet, _address)
        every = journal.exchanges([])
    with Journal(path) as journal:
        journal.resume([], _address)
        none = journal.exchanges([])

    assert (replace(KUCOIN, requests=4, refused_hosts=("a.example", "b.example")),) == every
    assert () == none


def test_another_exchange_is_recorded_for_itself(tmp_path):
    """What was finished of one says nothing of the next."""
    fleet, scans = _scanned(1)
    path = tmp_path / "journal"
    other = replace(KUCOIN, id="mexc")
    with Kept(path) as journal:
        journal[0] = scans[0]
    with Journal(path) as journal:
        journal.resume(fleet, _address)
        journal.asked(other)

        assert (KUCOIN, other) == journal.exchanges([other])


def test_a_record_that_does_not_say_where_it_is_from_is_none(tmp_path):
    """Nobody heard of its exchange."""
    fleet, scans = _scanned(1)
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal[0] = scans[0]

    assert {} == _found(path, fleet)


def test_another_file_is_refused(tmp_path):
    """What is no journal is not taken for an empty one."""
    path = tmp_path / "journal"
    path.write_text("{}\n")

    with pytest.raises(UsageError):
        _found(path, [])


def test_a_full_disk_is_said(monkeypatch, tmp_path):
    """A full disk ends the scan with a hint; what was written stays."""
    _, scans = _scanned(1)
    with Journal(tmp_path / "journal") as journal:

        def full(_file, _data, _at):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(UsageError, match="No space left"):
            journal[0] = scans[0]
        monkeypatch.undo()


def _limited(size):
    """A file may grow to so many bytes in the process to come: a disk that is full then.

    It may write no bytecode: a module that is cut short there fails every later run.
    """
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_scan_on_a_full_disk_goes_on_later(tmp_path):
    """With no room for the journal a scan ends with what to do; resumed, it asks no finished key again."""
    names = [f"K{number}" for number in range(12)]
    entries = [entry(f"KuCoin Spot {name}", "kucoin", name, account=name) for name in names]
    with Sandbox(scenario(*[key(name) for name in names])) as box:
        path = manifest(tmp_path, *entries)
        target, journal = tmp_path / "snapshot.json", tmp_path / "journal"
        command = [sys.executable, "-m", "bfaudit", "scan", path, "-o", target, "--workers", "1"]
        command += ["--journal", journal, "--resume", "--quiet", *redirected(box)]
        given = {
            "cwd": ROOT,
            "env": environment(PYTHONDONTWRITEBYTECODE="1", **box.environment),
            "capture_output": True,
        }
        full = subprocess.run(command, check=False, preexec_fn=_limited(16_000), **given)
        kept = len(journal.read_bytes().splitlines()) - 2
        asked = Counter(one.key for one in box.requests if one.key)
        later = subprocess.run(command, check=False, **given)
        again = Counter(one.key for one in box.requests if one.key)

    assert 2 == full.returncode, full.stderr
    assert b"--resume" in full.stderr
    assert b"Traceback" not in full.stderr
    assert 0 < kept < len(names)
    assert not target.with_name("snapshot.json.tmp").exists()
    assert 0 == later.returncode, later.stderr
    assert len(names) == len(json.loads(target.read_text("utf-8"))["connections"])
    assert kept <= sum(1 for name in asked if asked[name] == again[name])


@pytest.mark.parametrize("room", [0, 1000])
def test_a_report_that_does_not_fit_leaves_the_old_one(tmp_path, room):
    """A run that cannot write its output says so, and neither touches the old file nor leaves another."""
    with Sandbox(scenario(key("K0"))) as box:
        path = manifest(tmp_path, entry("KuCoin Spot", "kucoin", "K0"))
        options = [*redirected(box), "--quiet", "--allow-empty", "--exit-zero"]
        folder = tmp_path / "out"
        folder.mkdir()
        old = folder / "report.html"
        old.write_text("precious")
        ran = subprocess.run(
            [sys.executable, "-m", "bfaudit", "audit", path, *options, "--format", "html", "--output", old],
            check=False, cwd=ROOT, env=environment(PYTHONDONTWRITEBYTECODE="1", **box.environment), capture_output=True, preexec_fn=_limited(room),
        )  # fmt: skip

    assert 2 == ran.returncode, ran.stderr
    assert b"cannot write" in ran.stderr
    assert b"Traceback" not in ran.stderr
    assert "precious" == old.read_text()
    assert [old] == list(folder.iterdir())


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
    assert [_where(one) for one in undisturbed["exchanges"]] == [_where(one) for one in resumed["exchanges"]]  # fmt: skip
    assert undisturbed["exchanges"][0]["requests"] <= resumed["exchanges"][0]["requests"]
    assert KEYS == len(asked)
    # Only what was under way at a kill is asked again: at most one key per worker.
    assert sum(asked.values()) <= KEYS + 4 * kills
    assert not journal.exists()


def _where(exchange):
    """What a scan did with an exchange, without its counts."""
    return {**exchange, "requests": 0, "clock_offset_ms": 0}


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


def test_resumed_where_all_is_done(tmp_path):
    """The snapshot says where the exchange was asked, though this run asked nothing; another address is asked anew."""
    entries = [entry(f"KuCoin Spot {name}", "kucoin", name) for name in ("ONE", "TWO")]
    path, journal = manifest(tmp_path, *entries), tmp_path / "journal"
    command = ("scan", path, "--journal", journal, "--quiet")
    played = scenario(key("ONE"), key("TWO"))
    with Sandbox(played) as box, Sandbox(played) as other:
        # No file can be where a folder is: this leaves a journal of everything.
        ran = bfaudit(*command, *redirected(box), "--output", tmp_path, **box.environment)
        assert 2 == ran.code, ran.err
        kept, first, made = journal.read_bytes(), len(box.requests), []
        for place in (box, other):
            journal.write_bytes(kept)
            made.append(bfaudit(*command, "--resume", *redirected(place), **place.environment))
        counts = len(box.requests) - first, len(other.requests)
    (one,), (another,) = (ran.json["exchanges"] for ran in made)

    assert 0 == counts[0] < counts[1]
    assert (box.urls["kucoin"], True) == (one["url"], one["redirected"])
    assert 0 < one["requests"]
    assert other.urls["kucoin"] == another["url"]
