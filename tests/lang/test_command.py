"""`--lang` on the command line, in the environment and in a file."""

import json
import re
import signal
import subprocess
import sys

import pytest

from bfaudit.catalogue import catalogue, pages, without_policy
from bfaudit.exchanges import known
from bfaudit.lang import ENGLISH, language
from bfaudit.policy.listing import shipped, shipped_frameworks
from bfaudit.sandbox import Sandbox
from tests.cli.harness import ROOT, bfaudit, entry, environment, key, manifest, redirected, scenario
from tests.lang.conftest import SNAPSHOT
from tests.lang.test_reports import english


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


def test_the_catalogue_is_told_in_it(folder):
    """`rules` and `fields` follow the option and the file; what machines read of them does not."""
    (folder / "bfaudit.toml").write_text('lang = "fi"\n')
    shown = ("rules", "show", "no-withdraw")

    assert "Kuka osaa vastata" in bfaudit(*shown, cwd=folder).out
    assert "Who can answer" in bfaudit(*shown, "--lang", "en", cwd=folder).out
    assert "rikkomus" in bfaudit("rules", "list", cwd=folder).out
    assert "merkitys" in bfaudit("fields", cwd=folder).out
    assert "mitä se vaatii" in bfaudit("policies", "list", cwd=folder).out
    assert "what it asks for" in bfaudit("policies", "list", "--lang", "en", cwd=folder).out
    for command in (shown, ("rules", "list"), ("fields",), ("policies", "list")):
        made = [bfaudit(*command, "--format", "json", "--lang", code).out for code in ("en", "fi")]
        assert made[0] == made[1]


def test_no_english_in_the_catalogue():
    """Of every rule and every field; the titles of controls are their publishers'."""
    fi, frameworks, policies = language("fi"), shipped_frameworks(), shipped()
    infos = catalogue(policies, known(), {})
    rules = pages.rules_page(policies, infos, frameworks, fi)
    own = [line for each in without_policy(known()) for line in pages.one_rule(each, {}, fi)]
    names = {one.name for one in frameworks.values()}
    lines = [line for line in rules.splitlines() if not any(name in line for name in names)]
    code = ("require: ", "applies: ", "    params: ", "    severity: ")

    assert {} == english(line for line in [*lines, *own] if not line.startswith(code))
    assert {} == english(pages.fields_page(fi).splitlines(), ["ti: expires", "ti: exchange"])
    assert english(pages.fields_page(ENGLISH).splitlines())
    listed = pages.policies_page(policies, frameworks, fi).splitlines()
    assert {} == english(line for line in listed if not any(name in line for name in names))
    assert english(pages.policies_page(policies, frameworks).splitlines())


def test_the_exit_codes_are_told_in_it():
    """Every meaning and both sentences; the numbers are the same."""
    finnish, told = (bfaudit("exit-codes", "--lang", code).out for code in ("fi", "en"))
    pairs = zip(finnish.splitlines(), told.splitlines(), strict=True)

    assert [] == [one for one, other in pairs if one == other and one]
    assert re.findall(r"(?m)^ *\d+", told) == re.findall(r"(?m)^ *\d+", finnish)
    assert "130, 70, 5, 2, 3, 1, 4" in finnish


def test_the_demonstration_ends_in_it(tmp_path):
    """What it looked for, what it wrote and what comes next."""
    ran = bfaudit("demo", "--output-dir", tmp_path, "--lang", "fi")
    told = ran.out.partition("\nTahallaan")[2].splitlines()

    assert 0 == ran.code, ran.err
    assert {} == english((line.partition(": ")[2] or line for line in told), ["oletus: high"])
    assert "löytyi" in ran.out
    assert "auditoidaan" in ran.err


def test_a_watch_tells_of_its_rounds_in_it(tmp_path):
    """Whom it tells gets the same JSON."""
    with Sandbox(scenario(key("ONE", ("General", "Spot", "Transfer")))) as box:
        path = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
        options = ("--rounds", 1, "--lang", "fi", *redirected(box))
        ran = bfaudit("watch", path, *options, **box.environment)

    assert 1 == ran.code, ran.err
    assert "1 yhteys, " in ran.err
    assert "avointa löydöstä, " in ran.err
    assert " uutta, 0 poistunut" in ran.err


def test_a_scan_tells_of_its_rounds_in_it(tmp_path):
    """The line of each round, and the last one."""
    place = tmp_path / "snapshot.json"
    with Sandbox(scenario(key("ONE"))) as box:
        path = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
        line = ["scan", path, "--watch", "1h", "-o", place, "--lang", "fi", *redirected(box)]
        process = subprocess.Popen(
            [sys.executable, "-m", "bfaudit", *map(str, line)],
            env=environment(**box.environment),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        told = ""
        while "paluukoodi" not in told and process.poll() is None:
            told += process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, last = process.communicate(timeout=60)

    assert 0 == process.returncode, told + last
    assert f"1 yhteys, 1 toimii (Online), paluukoodi 0: {place}" in told
    assert "pysäytetty\n" == last
