"""`bfaudit report`: the same verdicts in other formats, without scanning."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

from bfaudit.formats import FORMATS, Options
from bfaudit.snapshot import encode
from tests.cli.harness import bfaudit, environment
from tests.report.samples import failing


@pytest.fixture
def kept(tmp_path):
    """A folder with the JSON report and the snapshot of one audit."""
    audit = failing()
    (tmp_path / "report.json").write_bytes(FORMATS["json"].render(audit, Options()))
    (tmp_path / "snapshot.json").write_bytes(encode(audit.snapshot))
    return tmp_path


def test_a_report_keeps_its_verdicts(kept):
    """Every format in one run, from the report alone; the same JSON comes out again."""
    names = sorted(set(FORMATS) - {"pdf", "text"})
    pairs = [
        word for name in names for word in ("--format", name, "--output", kept / f"out.{name}")
    ]
    ran = bfaudit("report", kept / "report.json", *pairs, cwd=kept)

    assert 1 == ran.code, ran.err
    assert (kept / "report.json").read_bytes() == (kept / "out.json").read_bytes()
    for name in names:
        assert (kept / f"out.{name}").stat().st_size, name


def test_a_snapshot_is_judged(kept):
    """As `check` would."""
    ran = bfaudit("report", kept / "snapshot.json", "--format", "json", cwd=kept)

    assert 1 == ran.code, ran.err
    assert ["baseline"] == ran.json["policies"]


def test_from_the_standard_input(kept):
    """`-` is a report too."""
    ran = bfaudit(
        "report",
        "-",
        "--format",
        "csv",
        "--exit-zero",
        cwd=kept,
        stdin=(kept / "report.json").read_text(),
    )

    assert 0 == ran.code, ran.err
    assert ran.out.startswith('"outcome"')


def test_a_report_is_judged_already(kept):
    """A policy has nothing to do with it, so it is refused rather than ignored."""
    ran = bfaudit("report", kept / "report.json", "--policy", "baseline", cwd=kept)

    assert 2 == ran.code
    assert "judged already" in ran.err


def test_an_altered_report_is_refused(kept):
    """The digest holds for reports as for snapshots."""
    path = kept / "report.json"
    path.write_text(path.read_text().replace('"outcome":"fail"', '"outcome":"pass"'))

    assert 5 == bfaudit("report", path, cwd=kept).code


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "bfaudit-report/1", "digest": "x"}', "nope"]
)
def test_anything_else_is_refused(kept, text):
    """Not JSON, not ours, not whole."""
    (kept / "x.json").write_text(text)

    assert bfaudit("report", kept / "x.json", cwd=kept).code in (2, 5)


def test_a_sealed_report_that_makes_no_sense(kept):
    """A result of a rule that is not there is no result."""
    from bfaudit.sealed import seal

    content = json.loads((kept / "report.json").read_text())
    body = {name: value for name, value in content.items() if name not in {"schema", "digest"}}
    body["rules"] = []
    (kept / "x.json").write_bytes(seal("bfaudit-report/1", body))
    ran = bfaudit("report", kept / "x.json", cwd=kept)

    assert 2 == ran.code
    assert "not a valid report" in ran.err


def test_own_templates(kept):
    """A template of the user's own, and the place of a mistake in one."""
    own = kept / "own"
    own.mkdir()
    (own / "audit.md.j2").write_text("# {{ view.counts.findings }}\n")
    arguments = ("report", kept / "report.json", "--format", "markdown", "--template", own)
    ran = bfaudit(*arguments, cwd=kept)
    assert (1, "# 8\n") == (ran.code, ran.out)

    (own / "audit.md.j2").write_text("# x\n{{ view.nope }}\n")
    ran = bfaudit(*arguments, cwd=kept)

    assert 2 == ran.code
    assert "audit.md.j2:2:1" in ran.err


def test_names_start_at_the_root_of_the_repository(kept):
    """A run in a folder below it names files as the repository does."""
    (kept / ".git").mkdir()
    below = kept / "infra"
    below.mkdir()
    ran = bfaudit("report", kept / "report.json", "--format", "gitlab", cwd=below)

    assert "infra/connections/fleet.yaml" == ran.json[0]["location"]["path"]


def test_no_chromium(kept):
    """It is said before anything is done, and what to do instead."""
    ran = bfaudit(
        "report",
        kept / "report.json",
        "--format",
        "pdf",
        cwd=kept,
        BFAUDIT_CHROMIUM="no-such-browser",
    )

    assert 2 == ran.code
    assert "no-such-browser" in ran.err
    assert "--format html needs none" in ran.err


def test_a_browser_that_prints_nothing(kept):
    """Something else by its name is no browser."""
    ran = bfaudit(
        "report", kept / "report.json", "--format", "pdf", "--output", kept / "x.pdf", cwd=kept,
        BFAUDIT_CHROMIUM=shutil.which("true"),
    )  # fmt: skip

    assert 2 == ran.code
    assert "printed nothing" in ran.err
    assert not (kept / "x.pdf").exists()


def _needs_chromium():
    """Where CI runs, a browser that is missing fails what needs it: .ci/run installs one."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Chromium")


@pytest.mark.browser
def test_pdf(kept):
    """Two runs print the same bytes, and they are a PDF with pages."""
    _needs_chromium()
    printed = []
    for name in ("one.pdf", "two.pdf"):
        ran = bfaudit(
            "report", kept / "report.json", "--format", "pdf", "--output", kept / name, cwd=kept
        )
        assert 1 == ran.code, ran.err
        printed.append((kept / name).read_bytes())

    assert printed[0] == printed[1]
    assert printed[0].startswith(b"%PDF-")
    assert b"(D:20261120100500+00'00')" in printed[0]
    assert re.search(rb"/Type\s*/Page\b", printed[0])


def test_no_pdf_on_a_terminal(kept):
    """Bytes are kept from a screen."""
    _needs_chromium()
    screen, its = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bfaudit", "report", kept / "report.json", "--format", "pdf"],
            cwd=kept,
            env=environment(),
            stdout=its,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(its)
        os.close(screen)

    assert 2 == done.returncode
    assert "a PDF is no text" in done.stderr
