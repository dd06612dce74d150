"""JSON Lines: one object per line, however a reader splits lines; nothing invisible, nothing lost."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from bfaudit.formats import FORMATS, Options
from tests.formats.fleets import audits
from tests.report.samples import SAMPLES, failing


def lines(made):
    text = FORMATS["jsonl"].render(made, Options()).decode()
    assert text.count("\n") == len(text.splitlines())
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_types(sample):
    """First the counts, then what was left out, then every result."""
    made = SAMPLES[sample]()
    expected = [
        "audit",
        *["not-audited"] * len(made.snapshot.rejected),
        *["result"] * len(made.results),
    ]

    assert expected == [line["type"] for line in lines(made)]


@given(audits())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """A name comes back as it was, lone surrogates aside."""
    for line, result in zip(
        lines(made)[-len(made.results) :] if made.results else [], made.results, strict=True
    ):
        wanted = result.connection.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert line["connection"] == wanted


def test_what_a_selection_left_out_is_counted():
    """Beside the counts, as in the JSON report."""
    whole = failing()
    part = replace(whole, snapshot=replace(whole.snapshot, unselected=18))

    assert 18 == lines(part)[0]["unselected"]
    assert "unselected" not in lines(whole)[0]


def test_a_line_is_complete_in_itself():
    """Rule, connection, verdict, fix and controls."""
    found = next(line for line in lines(failing()) if line.get("outcome") == "fail")

    assert {"no-withdraw", "critical", "MEXC Spot Main"} <= {
        found["rule"],
        found["severity"],
        found["connection"],
    }
    assert found["fix"].startswith("Open API Management")
    assert {"owasp-nhi-2025", "nist-800-53-r5"} == set(found["controls"])
