"""`bfaudit scan --watch`: rounds on schedule, what a failing one does, and a clean end; the loop that `watch` has too."""

import os
import signal
import subprocess
import sys
import time

import pytest

from bfaudit.cli.rounds import repeat
from bfaudit.cli.stopping import stopping
from bfaudit.errors import UsageError
from bfaudit.sandbox import Fault, Sandbox
from tests.cli.harness import ROOT, bfaudit, entry, environment, key, manifest, redirected, scenario

ENTRY = entry("KuCoin Spot One", "kucoin", "ONE")
SECONDS = 60


def _start(folder, box, *options, interval="1s"):
    line = ["scan", folder / "fleet.yaml", "--watch", interval, "-o", folder / "snapshot.json"]
    return subprocess.Popen(
        [sys.executable, "-m", "bfaudit", *map(str, line), *redirected(box), *options],
        env=environment(**box.environment),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _until(happens):
    deadline = time.monotonic() + SECONDS
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _scanned_at(place):
    return place.stat().st_mtime_ns if place.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_rounds_replace_the_snapshot(tmp_path, number):
    """Each round leaves a whole snapshot; one that fails is told and the next one comes; a signal ends it with 0."""
    place = tmp_path / "snapshot.json"
    path = manifest(tmp_path, ENTRY)
    with Sandbox(scenario(key("ONE"))) as box:
        process = _start(tmp_path, box)
        _until(place.exists)
        first = _scanned_at(place)
        _until(lambda: _scanned_at(place) > first)
        good = path.read_text("utf-8")
        path.write_text(good.replace("requires", "requries"), "utf-8")
        asked = len(box.requests)
        time.sleep(3)
        silent, kept = len(box.requests) - asked, _scanned_at(place)
        path.write_text(good, "utf-8")
        _until(lambda: _scanned_at(place) > kept)
        process.send_signal(number)
        out, errors = process.communicate(timeout=SECONDS)

    assert 0 == process.returncode, errors
    assert "" == out
    assert silent <= 5, "a round with a mistake in its manifest asks nobody"
    assert 'did you mean "requires"?' in errors
    assert "1 connection, 1 Online, exit code 0" in errors
    assert errors.endswith("stopped\n")
    assert "Traceback" not in errors
    assert ["fleet.yaml", "snapshot.json"] == sorted(each.name for each in tmp_path.iterdir())
    assert 0 == bfaudit("check", place).code


def test_a_round_that_is_cut_short_keeps_the_last_snapshot(tmp_path):
    """Half a scan replaces nothing."""
    place = tmp_path / "snapshot.json"
    place.write_text("the last whole one", "utf-8")
    manifest(tmp_path, ENTRY)
    slow = Fault(kind="slow", path="*api-key*", seconds=30)
    with Sandbox(scenario(key("ONE"), faults=(slow,))) as box:
        process = _start(tmp_path, box, "--timeout", "60", interval="1h")
        _until(lambda: any("api-key" in request.path for request in box.requests))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=SECONDS)

    assert 0 == process.returncode, errors
    assert "the last whole one" == place.read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--watch", "1h"], "--output"),
        (["--watch", "1h", "-o", "x.json", "--journal", "j"], "--journal"),
        (["--watch", "0s", "-o", "x.json"], "no time between rounds"),
        (["--watch", "hourly", "-o", "x.json"], "no time such as"),
        (["--watch", "1h", "-o", "x.json", "--only", "nobody"], "no connection is selected"),
    ],
)
def test_what_is_wrong_from_the_beginning_ends_it_at_once(tmp_path, options, said):
    """2 and 3 as without --watch; nothing is written."""
    path = manifest(tmp_path, ENTRY)
    ran = bfaudit("scan", path, *options, cwd=tmp_path)

    assert (3 if "--only" in options else 2) == ran.code, ran.err
    assert said in ran.err
    assert ["fleet.yaml"] == [each.name for each in tmp_path.iterdir()]


def _starts(lengths, every, **given):
    """When each round starts, from the first one on, in units of `every`; each takes so many units."""
    told = []

    def play(_stop):
        told.append(time.monotonic())
        time.sleep(lengths[len(told) - 1] * every)
        return len(told)

    code = repeat(play, every, len(lengths), **given)
    return code, [round((at - told[0]) / every, 1) for at in told]


def test_rounds_start_on_schedule():
    """From start to start, however long they take; what should have started meanwhile falls out, and none overlap."""
    code, starts = _starts((0.2, 0.7, 1.5, 0, 0), 0.4)

    assert 5 == code
    assert [0, 1, 2, 4, 5] == pytest.approx(starts, abs=0.3)


def test_a_failing_round_does_not_end_the_loop(capsys):
    """Neither a mistake of the user's nor a bug; a bug's message, which may hold a secret, is not shown."""
    played = []

    def play(stop):
        played.append(None)
        if len(played) == 1:
            raise UsageError("the manifest is gone")
        if len(played) == 2:
            raise RuntimeError("canary-of-the-bug")
        stop.ask()
        return 4

    code = repeat(play, 0.01)
    told = capsys.readouterr().err

    assert 0 == code
    assert 3 == len(played)
    assert "the manifest is gone" in told
    assert "RuntimeError" in told
    assert "canary-of-the-bug" not in told


def test_a_round_of_a_timer_that_fails_is_its_end():
    """Whoever gave their number starts the next one."""

    def play(_stop):
        raise UsageError("the manifest is gone")

    with pytest.raises(UsageError):
        repeat(play, 0.01, 1)


def test_a_second_signal_ends_at_once():
    """The first one asks; afterwards the signals are what they were before."""
    before = signal.getsignal(signal.SIGINT)
    with stopping() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)

        assert stop.asked
        assert stop.wait(60)
        assert before is signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert before is signal.getsignal(signal.SIGINT)


def test_a_signal_ends_the_wait():
    """As soon as it comes."""
    with stopping() as stop:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        started = time.monotonic()

        assert stop.wait(30)
        assert time.monotonic() - started < 5
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
