"""OpenMetrics: read back by Prometheus's own parser; the dashboard asks for names that exist."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bfaudit.formats import FORMATS, Options
from tests.cli.harness import ROOT
from tests.formats.fleets import audits
from tests.report.samples import SAMPLES, failing


def families(made):
    text = FORMATS["openmetrics"].render(made, Options())
    assert text.endswith("\n# EOF\n")
    return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_parses(sample):
    """Each sample; every label is one label."""
    found = families(SAMPLES[sample]())

    assert all(name.startswith("bfaudit") for name in found)


@given(audits())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """No name makes a sample or a label of its own."""
    found = families(made)

    assert {"outcome"} == {
        key for sample in found["bfaudit_results"].samples for key in sample.labels
    }
    assert len(made.snapshot.connections) == len(found["bfaudit_connection_online"].samples)


def test_values():
    """What stands in the report stands in the metrics."""
    found = families(failing())
    severities = {one.labels["severity"]: one.value for one in found["bfaudit_findings"].samples}

    assert {"critical": 2, "high": 3, "medium": 1, "low": 1, "info": 1} == severities
    assert [1] == [one.value for one in found["bfaudit_excepted_findings"].samples]
    assert 3 == len(found["bfaudit_key_created_timestamp_seconds"].samples)


def test_what_a_selection_left_out_is_counted():
    """Zero for a whole fleet: a missing sample would be no zero for Prometheus."""
    whole = failing()
    part = replace(whole, snapshot=replace(whole.snapshot, unselected=18))
    samples = [families(each)["bfaudit_unselected_connections"].samples for each in (whole, part)]

    assert [[0], [18]] == [[one.value for one in found] for found in samples]


def test_the_dashboard():
    """Every metric that the Grafana dashboard asks for is one of ours."""
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text("utf-8"))
    asked = {target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])}
    names = {name for text in asked for name in re.findall(r"bfaudit\w*", text)}
    known = {
        name
        for family in families(failing()).values()
        for name in (family.name, f"{family.name}_info")
    }

    assert names
    assert names <= known
