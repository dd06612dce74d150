"""The runner of cases fails what is wrong, and never passes by mistake."""

import pytest

from bfaudit.errors import InvalidInput
from bfaudit.policy.cases import run
from bfaudit.policy.read import read

POLICIES = read(["baseline"])
FILE = """\
rule: no-withdraw
cases:
  - name: it may
    facts: {permissions.withdraw: granted}
    outcome: fail
    message: may withdraw
"""


def test_right():
    """A case that holds is not wrong."""

    assert [None] == [ran.wrong for ran in run([("a.yaml", FILE)], POLICIES)]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        (
            "outcome: fail",
            "outcome: pass",
            "expected pass: ...may withdraw...; got fail: The key may",
        ),
        ("may withdraw", "may fly", "expected fail: ...may fly...; got fail: The key may withdraw"),
        ("granted", "denied", "got pass"),
    ],
)
def test_wrong(old, new, wrong):
    """A case that does not hold says what was expected and what came, at its place."""
    (ran,) = run([("a.yaml", FILE.replace(old, new))], POLICIES)

    assert wrong in ran.wrong
    assert "a.yaml:3:5" == str(ran.place)


@pytest.mark.parametrize(
    ("old", "new", "message", "place"),
    [
        ("no-withdraw", "no-withdrw", "no loaded policy has a rule", "1:7"),
        ("outcome: fail", "outcome: fial", "fial", "5:14"),
        ("granted", "maybe", "maybe", "4:35"),
        ("withdraw:", "withdrawal:", "no such fact", "4:13"),
        ("facts:", "fact:", "fact", "3:5"),
        ("facts:", "connection: {requirs: [read]}\n    facts:", "no such field", "4:18"),
        ("facts:", "connection: {requires: 7}\n    facts:", "array", "4:28"),
    ],
)
def test_files_that_are_no_cases(old, new, message, place):
    """A misspelt rule or fact never passes: it is a mistake, told at its place."""
    with pytest.raises(InvalidInput) as caught:
        run([("a.yaml", FILE.replace(old, new, 1))], POLICIES)

    (problem,) = caught.value.problems
    assert message in problem.message
    assert f"a.yaml:{place}" == str(problem.place)


def test_all_files_are_told():
    """Broken files do not hide each other."""
    with pytest.raises(InvalidInput) as caught:
        run([("a.yaml", "rule: ["), ("b.yaml", "rule: x\ncases: []")], POLICIES)

    assert {"a.yaml", "b.yaml"} == {problem.place.file for problem in caught.value.problems}
