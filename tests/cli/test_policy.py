"""`bfaudit policy`: test, lint and new, as their users call them."""

from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from bfaudit.cli.policy import command
from bfaudit.errors import InvalidInput, NothingToAudit, UsageError


def ran(*arguments):
    done = CliRunner().invoke(command, list(map(str, arguments)), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value or 0, done.output


@pytest.fixture
def folder(tmp_path):
    """A rule as `policy new` begins it."""
    ran("new", "our-age", "--folder", tmp_path)
    return tmp_path


def edit(folder, old, new, name="our-age.cases.yaml"):
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_what_new_begins_is_complete(folder):
    """The scaffold passes its own tests, leaves nothing untested, and lint has only its placeholders to say."""
    code, said = ran("test", folder, "--coverage", "--mutate")

    assert (0, "4 of 4 cases hold, of 1 of 1 rule\n") == (code, said)
    assert 0 == ran("lint", folder / "our-age.yaml")[0]
    with pytest.raises(UsageError):
        ran("new", "our-age", "--folder", folder)
    with pytest.raises(UsageError):
        ran("new", "Our Age", "--folder", folder)


def test_a_wrong_case_fails(folder):
    """Expected and actual are told, at the place of the case."""
    edit(folder, "outcome: pass", "outcome: fail")
    code, said = ran("test", folder)

    assert 1 == code
    assert "fail[our-age] as old as allowed" in said
    assert "expected fail; got pass" in said
    assert "our-age.cases.yaml:3:5" in said


def test_update(folder):
    """Expectations are written anew, comments stay, and the next run passes."""
    edit(folder, "outcome: pass", "outcome: fail")
    edit(folder, "91 days old", "92 days old")

    assert 0 == ran("test", folder, "--update")[0]
    assert 0 == ran("test", folder)[0]
    text = (folder / "our-age.cases.yaml").read_text("utf-8")
    assert "# the audit is of" in text
    assert "91 days old" in text


def test_coverage_and_mutants(folder):
    """A case less leaves a gap, and a mutant alive."""
    edit(folder, "2026-08-24", "2026-11-01")
    edit(folder, "  - name: the age is not told\n    unknown: {key.created_at: not told}\n    outcome: unknown\n", "")  # fmt: skip
    code, said = ran("test", folder, "--coverage", "--mutate")

    assert 1 == code
    assert "untested[our-age] no case is `unknown`" in said
    assert "survived[our-age] require" in said


def test_run_and_junit(folder):
    """A regular expression picks cases; JUnit has a suite per rule."""
    edit(folder, "outcome: pass", "outcome: fail")
    out = folder / "junit.xml"
    code, _ = ran("test", folder, "--run", "as old|retired", "--junit", out)
    suite = ET.parse(out).getroot()[0]

    assert 1 == code
    assert ("our-age", "2", "1") == (suite.get("name"), suite.get("tests"), suite.get("failures"))
    with pytest.raises(NothingToAudit):
        ran("test", folder, "--run", "no such case")
    with pytest.raises(UsageError):
        ran("test", folder, "--run", "(")


@pytest.mark.parametrize(
    ("old", "new"),
    [("rule: our-age", "rule: our-aeg"), ("outcome: pass", "outcome: passed"), ("facts:", "fact:")],
)
def test_what_matches_nothing_never_passes(folder, old, new):
    """A misspelt rule, outcome or field stops the run."""
    edit(folder, old, new)

    with pytest.raises(InvalidInput):
        ran("test", folder)


def test_a_file_without_cases(folder):
    """No case is no success."""
    (folder / "our-age.cases.yaml").write_text("rule: our-age\ncases: []\n", "utf-8")

    with pytest.raises(InvalidInput):
        ran("test", folder)


LINT = """\
apiVersion: bfaudit/v1
kind: Policy
id: own
title: Ours
rules:
  - id: a
    title: Wrong
    severity: low
    params: {never: {type: int, default: 1}}
    require: key.age_days < 3
    remediation: {text: Do something}
    controls: {soc: [CC6.1]}
"""


def test_lint(tmp_path):
    """What a rule could say better, with its place."""
    (tmp_path / "own.yaml").write_text(LINT, "utf-8")
    code, said = ran("lint", tmp_path / "own.yaml")

    assert 1 == code
    for words in ("`never` is never used", "`rationale` is missing", "end in a period", "{key.age_days}", "no framework `soc`"):  # fmt: skip
        assert words in said
    assert f"{tmp_path / 'own.yaml'}:6:9: [a]" in said


MANIFEST = """\
rule: unique-key-per-strategy
cases:
  - name: two connections, one key
    manifest:
      connections:
        - {name: MEXC Spot Main, exchange: mexc, requires: [read], credentials: {key: env:A_KEY, secret: env:A_SECRET}}
        - {name: MEXC Spot Two, exchange: mexc, requires: [read], credentials: {key: env:B_KEY, secret: env:B_SECRET}}
    snapshot:
      MEXC Spot Main: {key: one}
      MEXC Spot Two: {key: ONE}
    on: MEXC Spot Main
    outcome: pass
"""


def test_whole_manifests(tmp_path):
    """A case may give a manifest and what was seen; a finding that it does not expect fails it."""
    path = tmp_path / "cases.yaml"
    path.write_text(MANIFEST, "utf-8")
    assert 0 == ran("test", path, "--policy", "baseline")[0]

    path.write_text(MANIFEST.replace("ONE", "one").replace("outcome: pass", "outcome: fail"), "utf-8")  # fmt: skip
    code, said = ran("test", path, "--policy", "baseline")
    assert 1 == code
    assert "unexpected findings: MEXC Spot Two" in said

    for old, new in (("on: MEXC Spot Main", "on: MEXC"), ("exchange: mexc", "exchnge: mexc"), ("MEXC Spot Two: {", "MEXC Spot Tow: {")):  # fmt: skip
        path.write_text(MANIFEST.replace(old, new), "utf-8")
        with pytest.raises(InvalidInput):
            ran("test", path, "--policy", "baseline")
