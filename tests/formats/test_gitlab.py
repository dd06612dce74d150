"""GitLab Code Quality: the fields that GitLab reads, unique fingerprints."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from bfaudit.formats import FORMATS, Options
from tests.formats.fleets import audits
from tests.report.samples import SAMPLES, failing


def issues(made):
    data = FORMATS["gitlab"].render(made, Options())
    assert data.startswith(b"[")
    return json.loads(data)


def contract(found):
    prints = [issue["fingerprint"] for issue in found]
    assert len(prints) == len(set(prints))
    for issue in found:
        assert issue["description"]
        assert issue["check_name"]
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith("./")


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_contract(sample):
    """Each sample."""
    contract(issues(SAMPLES[sample]()))


@given(audits())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """Whatever an exchange and a manifest may say."""
    contract(issues(made))


def test_the_worst_first_and_nothing_suppressed():
    """A finding under an exception is no issue; an unknown is one."""
    found = issues(failing())

    assert "blocker" == found[0]["severity"]
    assert not any("MEXC Spot Main: Key is older" in issue["description"] for issue in found)
    assert any("no answer to no-withdraw" in issue["description"] for issue in found)
