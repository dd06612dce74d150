"""Frameworks: those that ship fit the rules that ship, and mistakes in one are told at their place."""

import pytest

from bfaudit.errors import InvalidInput, UsageError
from bfaudit.policy.frameworks import load
from bfaudit.policy.listing import shipped, shipped_frameworks
from bfaudit.policy.read import packs, read_framework

FRAMEWORKS = shipped_frameworks()
RULES = [rule.rule for policy in shipped() for rule in policy.rules]
TEXT = """\
apiVersion: bfaudit/v1
kind: Framework
id: ours
title: Our own controls
version: "1"
source: https://example.org
controls:
  - {id: X-1, title: Keys}
"""


def test_the_frameworks_that_ship():
    """Each is named as its file, and none is taken for a policy."""

    assert {name: one.id for name, one in FRAMEWORKS.items()} == {name: name for name in FRAMEWORKS}
    assert {"owasp-nhi-2025", "nist-800-53-r5", "iso-27001-2022", "soc2", "pci-dss-4.0.1", "cis-aws-5.0",
            "cis-controls-v8", "ccss-8.1", "ccss-9"} == FRAMEWORKS.keys()  # fmt: skip
    assert not [name for name in packs() if "framework" in name]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_control_of_a_rule_has_its_title(rule):
    """A rule names only controls that a framework titles."""
    for name, controls in rule.controls.items():
        assert set(controls) <= FRAMEWORKS[name].titles.keys()


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=lambda framework: framework.id)
def test_every_control_is_served_or_says_why_not(framework):
    """A control without a rule says what is missing, or who vouches for it."""
    served = {control for rule in RULES for control in rule.controls.get(framework.id, ())}

    assert [] == [
        control.id
        for control in framework.controls
        if control.id not in served and not (control.uncovered or control.attestations)
    ]
    assert not any("unsure" in control.title for control in framework.controls)
    if framework.id.startswith(("pci", "ccss", "cis-aws")):
        assert framework.analogy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind: Framework", "kind: Policy"), "this is a Policy, not a Framework"),
        (("title: Keys", "titel: Keys"), 'unknown field "titel"'),
        (("  - {id: X-1, title: Keys}", "  - {id: X-1, title: Keys}\n  - {id: X-1, title: Keys}"), "listed twice"),
        ((TEXT, ""), "the file is empty"),
        (("source: https://example.org", "source: nowhere"), "not valid here"),
    ],
)  # fmt: skip
def test_mistakes(change, message):
    """Each is told."""
    with pytest.raises(InvalidInput) as caught:
        load(TEXT.replace(*change), "ours.yaml")

    assert message in " ".join(problem.message for problem in caught.value.problems)


def test_sources(tmp_path):
    """A framework is one that ships, or a file."""
    path = tmp_path / "ours.yaml"
    path.write_text(TEXT)

    assert ("ours", "Our own controls 1") == (read_framework(str(path)).id, read_framework(str(path)).name)  # fmt: skip
    assert "ISO/IEC 27001:2022, Annex A" == read_framework("iso-27001-2022").name
    with pytest.raises(UsageError) as caught:
        read_framework("soc")
    assert 'did you mean "soc2"?' == caught.value.hint
