"""OCSF: the official schema of the class, milliseconds, and a status for an exception."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from bfaudit.formats import FORMATS, Options
from tests.formats.fleets import audits
from tests.formats.schemas import mistakes
from tests.report.samples import NOW, SAMPLES, failing

VERSIONS = ("1.5.0", "1.8.0")


def findings(made):
    return [json.loads(line) for line in FORMATS["ocsf"].render(made, Options()).splitlines()]


def contract(found):
    for each in found:
        assert 200301 == each["type_uid"] == each["class_uid"] * 100 + each["activity_id"]
        assert int(NOW.timestamp() * 1000) == each["time"]
        for version in VERSIONS:
            name = f"ocsf-{version}-compliance_finding.schema.json"
            assert [] == mistakes(name, "Draft202012Validator", each)


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_schema(sample):
    """Each finding of each sample fits both versions."""
    contract(findings(SAMPLES[sample]()))


@given(audits())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """Whatever an exchange and a manifest may say."""
    contract(findings(made))


def test_what_a_selection_left_out_is_counted():
    """In every finding, as the snapshot is: a SIEM sees nothing else of the audit."""
    whole = failing()
    found = findings(replace(whole, snapshot=replace(whole.snapshot, unselected=18)))

    contract(found)
    assert {18} == {each["unmapped"]["unselected"] for each in found}
    assert not any("unselected" in each["unmapped"] for each in findings(whole))


def test_how_outcomes_are_spelt():
    """Fail is new, an exception suppresses, a pass is resolved, an unknown warns."""
    told = {
        (each["unmapped"]["rule"], each["resources"][0]["name"]): (
            each["status_id"],
            each["compliance"]["status_id"],
            each["severity_id"],
        )
        for each in findings(failing())
    }

    assert (1, 3, 5) == told["no-withdraw", "MEXC Spot Main"]
    assert (3, 3, 3) == told["key-age", "MEXC Spot Main"]
    assert (4, 1, 1) == told["no-withdraw", "KuCoin Futures Conservative"]
    assert (1, 2, 5) == told["no-withdraw", "BTC ETH New Groups"]
    assert (99, 99, 1) == told["key-age", "BTC ETH New Groups"]
