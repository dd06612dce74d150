"""Mutation: every small change of a rule is tried, and our cases notice all of them."""

from pathlib import Path

import pytest

from bfaudit.policy.cases import prepare
from bfaudit.policy.mutate import changes, mutants, operands, survivors
from bfaudit.policy.read import packs, read
from bfaudit.policy.testing import untested

FOLDER = Path(__file__).parents[1] / "policies"
POLICIES = [policy for name in packs() for policy in read([name]) if policy.id == name]
RULES = {rule.rule.id: rule for policy in POLICIES for rule in policy.rules}
CASES = prepare([(f.name, f.read_bytes()) for f in sorted(FOLDER.glob("*.yaml"))], RULES)
BASELINE = sorted(rule.rule.id for policy in POLICIES if policy.id == "baseline" for rule in policy.rules)  # fmt: skip


@pytest.mark.parametrize("name", sorted(RULES))
def test_our_cases_kill_every_mutant(name):
    """No change of a built-in rule goes unnoticed."""
    mine = [case for case in CASES if case.rule == name]

    assert [] == [(m.where, m.what) for m in survivors(RULES[name], mine)]


@pytest.mark.parametrize("name", BASELINE)
def test_our_cases_show_every_outcome(name):
    """Each rule has a pass, a fail, and an unknown where evidence may be missing; each part decides both ways."""
    ran = [case.ask(RULES[name]) for case in CASES if case.rule == name]

    assert [] == [gap.what for gap in untested({name: RULES[name]}, ran)]


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("a < 3", {"!(a < 3)", "a <= 3", "a >= 3", "a < 4", "a < 2"}),
        ("!a", {"!(!a)", "a"}),
        ("a == 'b && c'", {"!(a == 'b && c')", "a != 'b && c'"}),
        ("a && b", {"!(a && b)", "a || b", "true && b", "a && true"}),
        ("a || b", {"!(a || b)", "a && b", "false || b", "a || false"}),
        ("l.exists(x, x)", {"!(l.exists(x, x))", "l.all(x, x)"}),
    ],
)
def test_changes(source, made):
    """Comparisons flipped, bounds moved, parts dropped; texts are left alone."""

    assert made == {changed for changed, _ in changes(source)}


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("a && b || c", {"a && b", "a", "b", "c"}),
        ("(a || b) && c", {"(a || b)", "c", "a", "b"}),
        ("l.exists(x, x == 1 || y)", {"x == 1", "y"}),
        ("a ? b && c : d", {"b", "c"}),
        ("f('a && b')", set()),
        ("!(a && b)", {"a", "b"}),
    ],
)
def test_operands(source, parts):
    """The operands of `&&` and `||` at every depth."""

    assert parts == {source[start:end] for start, end, _ in operands(source)}


def test_params_are_changed_too():
    """Numbers by one, switches, lists emptied."""
    told = {(m.where, m.what) for m in mutants(RULES["no-stale-keys"])}

    assert {("max_age_days", "`180` made `181`"), ("max_age_days", "`180` made `179`")} <= told
    assert ("require_last_use", "`False` made `True`") in told


def test_without_cases_all_survive():
    """What nobody tests nobody notices."""
    rule = RULES["no-withdraw"]

    assert len(list(mutants(rule))) == len(survivors(rule, []))
