"""GitHub annotations: nothing but commands, at most ten of a level, the worst first."""

import re

import pytest
from hypothesis import HealthCheck, given, settings

from bfaudit.formats import FORMATS, Options
from bfaudit.model import Outcome
from tests.formats.fleets import NASTY, audits
from tests.report.samples import NAMED, SAMPLES, WITHDRAW, audit, failing, result, scanned

COMMAND = re.compile(
    r"::(error|warning|notice) ((?:\w+=[^,:\r\n]*)(?:,\w+=[^,:\r\n]*)*)::([^\r\n]+)"
)


def commands(made):
    text = FORMATS["github"].render(made, Options())
    found = [COMMAND.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
    assert None not in found
    return [match.groups() for match in found]


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_every_line_is_one_command(sample):
    """No text starts a command of its own."""
    levels = [level for level, _, _ in commands(SAMPLES[sample]())]

    assert all(levels.count(level) <= 10 for level in levels)
    assert "notice" == levels[-1]


@given(audits())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """Whatever an exchange and a manifest may say."""
    assert commands(made)


def test_worst_first_and_the_rest_counted():
    """Of thirty findings ten are shown, and twenty are counted."""
    scans = tuple(scanned(f"Bot {at}") for at in range(30))
    results = [result(WITHDRAW, scan, Outcome.FAIL) for scan in scans]
    results += [result(NAMED, scan, Outcome.FAIL) for scan in scans]
    told = commands(audit(scans, results))

    assert ["error"] * 10 + ["notice"] * 10 == [level for level, _, _ in told]
    assert "20 more of level error, 21 more of level notice" in told[-1][2]


def test_places_and_titles():
    """The place is the manifest's; an unknown says that it is one."""
    told = commands(failing())

    assert told[0][1].startswith(
        "file=connections/fleet.yaml,line=6,col=15,title=critical[no-withdraw] "
    )
    assert any("title=unknown[no-withdraw] No answer%3A " in said for _, said, _ in told)


@pytest.mark.parametrize("name", NASTY)
def test_nothing_is_lost(name):
    """The name is in the message, escaped."""
    from bfaudit.report.wording import visible

    scan = scanned(name)
    told = commands(audit((scan,), [result(WITHDRAW, scan, Outcome.FAIL)]))

    assert told[0][2].replace("%25", "%").startswith(visible(name))
