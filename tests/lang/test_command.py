"""`--lang` on the command line, in the environment and in a file."""

import json

import pytest

from tests.cli.harness import bfaudit
from tests.lang.conftest import SNAPSHOT


@pytest.fixture
def folder(tmp_path):
    """A folder with a snapshot."""
    (tmp_path / "snapshot.json").write_bytes(SNAPSHOT.read_bytes())
    return tmp_path


def check(folder, *arguments, **env):
    return bfaudit("check", "snapshot.json", *arguments, cwd=folder, **env)


def test_it_can_be_given_in_three_ways(folder):
    """The option wins over the variable, the variable over the file."""
    assert "Kattavuus:" in check(folder, "--lang", "fi").out
    assert "Kattavuus:" in check(folder, BFAUDIT_LANG="fi").out
    (folder / "bfaudit.toml").write_text('lang = "fi"\n')
    assert "Kattavuus:" in check(folder).out
    assert "Coverage:" in check(folder, BFAUDIT_LANG="en").out
    assert "Coverage:" in check(folder, "--lang", "en", BFAUDIT_LANG="fi").out


def test_the_exit_code_and_the_machine_formats_are_the_same(folder):
    """A gate does not depend on who reads."""
    english, finnish = (check(folder, "--format", "junit", "--lang", code) for code in ("en", "fi"))

    assert english.code == finnish.code == 1
    assert "failures=" in english.out
    assert english.out.count("<testcase") == finnish.out.count("<testcase")


def test_a_report_can_be_read_again_in_another_language(folder):
    """The JSON report is English; people read it in theirs."""
    made = check(folder, "--format", "json", "--lang", "fi", "--output", "report.json")
    told = bfaudit("report", "report.json", "--lang", "fi", "--format", "markdown", cwd=folder)

    assert 1 == made.code == told.code
    assert json.loads((folder / "report.json").read_text())["rules"][0]["severity"] == "critical"
    assert "**kriittinen**" in told.out


def test_a_language_that_is_none_is_refused(folder):
    """With the ones that there are."""
    ran = check(folder, "--lang", "sv")

    assert 2 == ran.code
    assert "en" in ran.err
    assert "fi" in ran.err
