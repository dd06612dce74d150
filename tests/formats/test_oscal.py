"""OSCAL: the official schema, identifiers that lead somewhere, verdicts that claim no more than is known."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings

from bfaudit.formats import FORMATS, Options
from bfaudit.formats.oscal_words import token
from tests.formats.fleets import NASTY, audits
from tests.formats.schemas import mistakes
from tests.report.samples import SAMPLES, failing


def results(made):
    return json.loads(FORMATS["oscal"].render(made, Options()))


def contract(document):
    text = json.dumps(document)
    own = re.findall(r'"uuid": "([^"]+)"', text)
    told = re.findall(r'"(?:observation|risk|subject)-uuid": "([^"]+)"', text)
    assert len(own) == len(set(own))
    assert set(told) <= set(own)
    assert document["assessment-results"]["import-ap"]["href"][1:] in own
    assert "[]" not in text.replace('\\"', "") or not re.search(r'": \[\]', text)
    assert [] == mistakes("oscal_assessment-results_schema.json", "Draft7Validator", document)


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_schema(sample):
    """Each sample."""
    contract(results(SAMPLES[sample]()))


@given(audits())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """Whatever an exchange and a manifest may say."""
    contract(results(made))


def test_satisfied_is_said_of_what_is_known_only():
    """A rule with an unknown and no failure has observations, and no finding."""
    [result] = results(SAMPLES["unanswered"]())["assessment-results"]["results"]

    assert ["online"] == [each["target"]["target-id"] for each in result["findings"]]
    assert 6 == len(result["observations"])


def test_an_exception_is_an_approved_deviation():
    """It is a risk still, with the exception as its remediation."""
    [result] = results(failing())["assessment-results"]["results"]
    [approved] = [risk for risk in result["risks"] if risk["status"] == "deviation-approved"]

    assert "EXC-2026-004" in approved["remediations"][0]["description"]


@pytest.mark.parametrize("text", [*NASTY, "1st", "-x", "ok.id_1"])
def test_token(text):
    """Any text becomes an identifier that the model takes."""
    assert re.fullmatch(r"[^\W\d][\w.\-]*|_[\w.\-]*", token(text))
