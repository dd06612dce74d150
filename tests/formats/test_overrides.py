"""What policies changed of rules is seen in every report for people: a verdict by other rules is another verdict."""

import pytest
from msgspec.structs import replace

from bfaudit.formats import FORMATS, Options
from bfaudit.model import Severity
from tests.report.samples import failing, hostile


def overridden(audit, why="ours: nobody reads <b>it</b>"):
    """An audit by a policy that made one rule milder, changed a limit of another and switched a third off."""
    off, milder, limit, *rest = audit.rules
    return replace(
        audit,
        rules=(
            replace(milder, severity=Severity.LOW, overridden={"severity": f"was high; {why}"}),
            replace(limit, params={"days": 35}, overridden={"params.days": f"was 90; {why}"}),
            *rest,
        ),
        left_out=(replace(off, overridden={"enabled": why}),),
        results=tuple(one for one in audit.results if one.rule.id != off.id),
    )


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_they_are_seen(form):
    """The rule, the value in force, the one before and the reason; one that is switched off loudly."""
    audit = overridden(failing(), "ours: agreed")
    page = FORMATS[form].render(audit, Options(width=200))
    said = page.replace("\\_", "_").replace("<code>", "").replace("</code>", "")

    for rule, now in ((audit.rules[0], "severity = low"), (audit.rules[1], "params.days = 35")):
        assert rule.title in said
        assert now in said
    assert "switched off" in said
    assert audit.left_out[0].title in said
    assert 3 == said.count("ours: agreed")


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_nothing_is_said_of_none(form):
    """A policy that nobody changed needs no words."""
    page = FORMATS[form].render(failing(), Options())

    assert "switched off" not in page
    assert "overridden" not in page
    assert "changed by a policy" not in page


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_a_reason_stays_text(form):
    """What a policy says is no markup."""
    assert "<b>it" not in FORMATS[form].render(overridden(hostile()), Options())
