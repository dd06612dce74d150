"""Where outputs go: streams, devices and full disks are no reason to lose a verdict, a device or a mode."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bfaudit.cli.output import write
from bfaudit.formats import FORMATS, Options
from tests.cli.harness import ROOT, bfaudit, environment
from tests.report.samples import failing

CLEAN = ("exit-codes",)
LARGE = ("rules", "list", "--format", "markdown")


def _run(words, stdout, **more):
    return subprocess.run(
        [sys.executable, "-m", "bfaudit", *map(str, words)],
        cwd=ROOT,
        env=environment(),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
        **more,
    )


@pytest.fixture
def report(tmp_path):
    """A command line that writes a report, and would end with 0."""
    path = tmp_path / "report.json"
    path.write_bytes(FORMATS["json"].render(failing(), Options()))
    return ["report", path, "--exit-zero"]


@pytest.mark.parametrize("words", [CLEAN, LARGE])
def test_a_full_disk_behind_the_standard_output_is_no_bug(words):
    """What cannot be written ends with 2 and says why, and asks nobody to report it."""
    with Path("/dev/full").open("wb") as full:
        ran = _run(words, full)

    assert (2, "error: cannot write: No space left on device\n") == (ran.returncode, ran.stderr)


def test_a_report_for_a_full_disk_is_no_bug(report):
    """The same of an audit's report."""
    with Path("/dev/full").open("wb") as full:
        ran = _run(report, full)

    assert 2 == ran.returncode
    assert "error: cannot write the standard output: No space left on device\n" == ran.stderr


def test_a_reader_that_has_seen_enough_leaves_the_verdict(report):
    """`bfaudit report ... | head` ends as it would without."""
    read, end = os.pipe()
    os.close(read)
    with os.fdopen(end, "wb") as closed:
        ran = _run(report, closed)

    assert (0, "") == (ran.returncode, ran.stderr)


def test_a_closed_standard_output_is_no_bug(report):
    """Nothing to write to is said; with a file for the report it does not matter."""
    said = "error: cannot write the standard output: it is closed\n"
    ran = _run(report, None, preexec_fn=lambda: os.close(1))

    assert (2, said) == (ran.returncode, ran.stderr)


def test_a_device_stays_a_device(tmp_path):
    """Root may replace what is in /dev: a report is written to it instead."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(str(pipe), b"told")

    assert b"told" == os.read(reader, 99)
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write("/dev/null", b"told")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_the_standard_output_by_its_names(report):
    """/dev/stdout is the standard output, not a name to be taken."""
    for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        ran = _run([*report, "--format", "json", "--output", name], subprocess.PIPE)

        assert ran.stdout.startswith("{"), ran.stderr
        assert Path("/dev/stdout").is_symlink()


def test_a_file_keeps_its_mode(tmp_path):
    """Who has closed a report to others does not find it open after the next run."""
    place = tmp_path / "report.json"
    place.write_text("old")
    place.chmod(0o600)
    write(str(place), b"new")

    assert (b"new", 0o600) == (place.read_bytes(), stat.S_IMODE(place.stat().st_mode))


@pytest.mark.parametrize(
    "words", [["check"], ["report"], ["baseline", "create"], ["diff"], ["merge"]]
)
def test_a_link_to_what_never_ends_is_refused(tmp_path, words):
    """A pull request may hold a link in place of a snapshot: a device is not read."""
    link = tmp_path / "snapshot.json"
    link.symlink_to("/dev/zero")
    ran = bfaudit(*words, *[link] * (2 if words == ["diff"] else 1), "-o", tmp_path / "out")  # fmt: skip

    assert 2 == ran.code
    assert f"cannot read {link}: it is a device" in " ".join(ran.err.split())


@pytest.mark.parametrize(
    "words", [["exchanges", "list"], ["exchanges", "show", "kucoin"], ["rules", "show", "no-withdraw"], ["fields"]]
)  # fmt: skip
def test_a_terminal_that_knows_no_other_letters_is_no_bug(words):
    """What it cannot show is spelt out."""
    ran = bfaudit(*words, PYTHONIOENCODING="ascii")

    assert (0, "") == (ran.code, ran.err)
    assert ran.out.isascii()


def test_brackets_are_text(tmp_path):
    """Titles are somebody's words, and so are our own meanings: no mark-up of the terminal's library, and none lost."""
    (tmp_path / "own.yaml").write_text(
        "apiVersion: bfaudit/v1\nkind: Policy\nid: own\ntitle: Ours\nrules:\n"
        '  - {id: odd, title: "[/red] [link=x]a :skull:", severity: low, require: "true", message: m}\n'
    )

    assert (
        "[/red] [link=x]a :skull:" in bfaudit("rules", "list", "--pack", tmp_path / "own.yaml").out
    )
    assert "[abc]" in bfaudit("fields").out
