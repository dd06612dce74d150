"""JUnit XML: both XSDs, unique names, nothing that breaks out."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from bfaudit.formats import FORMATS, Options
from bfaudit.model import Outcome
from tests.formats.fleets import audits
from tests.formats.schemas import official
from tests.report.samples import SAMPLES, WITHDRAW, audit, failing, result, scanned

# The attributes and children that junit-10 and the older XSD both know.
ALLOWED = {
    "testsuites": ({"name", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, {"testcase", "system-out"}),
    "testcase": ({"name", "classname", "time"}, {"skipped", "error", "failure"}),
    "skipped": (set(), set()),
    "error": ({"type", "message"}, set()),
    "failure": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}


def parsed(made, **options):
    parser = etree.XMLParser(huge_tree=True)
    return etree.fromstring(FORMATS["junit"].render(made, Options(**options)).encode(), parser)


def contract(root):
    names = Counter((case.get("classname"), case.get("name")) for case in root.iter("testcase"))
    assert not names or max(names.values()) == 1
    for element in root.iter():
        attributes, children = ALLOWED[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        if element.tag == "testsuite":
            assert int(element.get("tests")) == len(element.findall("testcase"))
    for word, tag in (("failures", "failure"), ("errors", "error")):
        assert int(root.get(word)) == sum(1 for _ in root.iter(tag))


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_contract_and_schema(sample):
    """Each sample fits what both XSDs have in common, and the one that is at hand."""
    root = parsed(SAMPLES[sample]())
    contract(root)
    schema = etree.XMLSchema(etree.parse(str(official("jenkins-xunit-junit-10.xsd"))))

    assert schema.validate(root), schema.error_log


@given(audits())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """Whatever an exchange and a manifest may say."""
    root = parsed(made)
    contract(root)
    schema = etree.XMLSchema(etree.parse(str(official("jenkins-xunit-junit-10.xsd"))))

    assert schema.validate(root), schema.error_log


def test_how_outcomes_are_spelt():
    """A finding fails, no answer is an error, an exception skips; the place is in the text."""
    root = parsed(failing())
    told = {
        case.get("name"): [(child.tag, child.text) for child in case]
        for case in root.iter("testcase")
    }

    assert [] == told["online · MEXC Spot Main"]
    assert "skipped" == told["key-age · MEXC Spot Main"][0][0]
    assert "EXC-2026-004" in told["key-age · MEXC Spot Main"][0][1]
    assert "error" == told["no-withdraw · BTC ETH New Groups"][0][0]
    assert "failure" == told["no-withdraw · MEXC Spot Main"][0][0]
    assert "at: connections/fleet.yaml:6:15" in told["no-withdraw · MEXC Spot Main"][0][1]


def test_names_that_look_alike_are_told_apart():
    """A bell, and the text that a bell is shown as, are two connections."""
    scans = (scanned("a\x07"), scanned("a\\u{7}"))
    root = parsed(audit(scans, [result(WITHDRAW, scan, Outcome.FAIL) for scan in scans]))
    contract(root)

    assert 2 == len(root.findall(".//failure"))


def test_the_attribute_for_gitlab():
    """The manifest is an attribute only where that is asked for."""
    assert "connections/fleet.yaml" == parsed(failing(), junit_file=True).find(".//testcase").get(
        "file"
    )
    assert parsed(failing()).find(".//testcase").get("file") is None
