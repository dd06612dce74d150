"""SARIF: what the schema asks, what GitHub asks, and that nothing unknown is lost."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from bfaudit.formats import FORMATS, Options
from bfaudit.formats.sarif import LIMIT, uri
from bfaudit.model import Outcome
from tests.formats.fleets import NASTY, audits
from tests.formats.schemas import mistakes
from tests.report.samples import FILE, MANIFEST, SAMPLES, WITHDRAW, audit, failing, result, scanned


def log(made, **options):
    return json.loads(FORMATS["sarif"].render(made, Options(sources={FILE: MANIFEST}, **options)))


def contract(document):
    """What every consumer relies on, beyond the schema."""
    assert list(document)[:2] == ["$schema", "version"]
    [run] = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    ids = [rule["id"] for rule in rules]
    assert len(ids) == len(set(ids))
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["properties"]["tags"]) <= 10
        score = rule["properties"].get("security-severity")
        assert score is None or (
            0 < float(score) <= 10 and "security" in rule["properties"]["tags"]
        )
    lines = MANIFEST.split("\n")
    for each in run["results"]:
        assert each["ruleId"] == ids[each["ruleIndex"]]
        assert each["message"]["text"]
        assert "](" not in each["message"]["text"]
        assert (each["kind"] == "fail") == (each["level"] != "none")
        assert each["partialFingerprints"]["bfauditFinding/v1"]
        [location] = each["locations"]
        region = location["physicalLocation"]["region"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        if "endColumn" in region:
            assert (
                region["startColumn"]
                < region["endColumn"]
                <= len(lines[region["startLine"] - 1]) + 1
            )
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["automationDetails"]["id"].count("/") == 1


@pytest.mark.parametrize("suppressed", [False, True])
@pytest.mark.parametrize("sample", list(SAMPLES))
def test_contract_and_schema(sample, suppressed):
    """Each sample, with and without what is suppressed."""
    document = log(SAMPLES[sample](), sarif_include_suppressed=suppressed)
    contract(document)

    assert [] == mistakes("sarif-schema-2.1.0.json", "Draft4Validator", document)


@given(audits())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """Whatever an exchange and a manifest may say."""
    document = log(made, sarif_include_suppressed=True)
    contract(document)

    assert [] == mistakes("sarif-schema-2.1.0.json", "Draft4Validator", document)


def test_an_unknown_is_a_result_without_a_severity():
    """It is seen at GitHub, and does not claim what nobody knows."""
    [run] = log(failing())["runs"]
    unknown = [each for each in run["results"] if each["properties"]["outcome"] != "fail"]

    assert 8 == len(unknown)
    for each in unknown:
        rule = run["tool"]["driver"]["rules"][each["ruleIndex"]]
        assert (each["kind"], each["level"]) == ("open", "none")
        assert each["ruleId"].endswith("/unknown")
        assert "security-severity" not in rule["properties"]
        assert rule["shortDescription"]["text"].startswith("No answer: ")


def test_suppressed_results_are_left_out_unless_asked_for():
    """GitHub ignores suppressions, and would open an alert for each."""
    [without] = log(failing())["runs"]
    [included] = log(failing(), sarif_include_suppressed=True)["runs"]
    suppressed = [each for each in included["results"] if each["suppressions"]]

    assert not any("suppressions" in each for each in without["results"])
    assert "1 finding under an exception left out" in json.dumps(without["invocations"])
    assert len(without["results"]) + 1 == len(included["results"])
    assert "EXC-2026-004, until 2026-12-31" == suppressed[0]["suppressions"][0]["justification"]


def test_worst_first_up_to_the_limit_of_github():
    """What does not fit is the least severe, and its number is told."""
    scans = tuple(scanned(f"Bot {at:05}") for at in range(LIMIT + 10))
    results = [result(WITHDRAW, scan, Outcome.UNKNOWN) for scan in scans[:20]]
    results += [result(WITHDRAW, scan, Outcome.FAIL) for scan in scans[20:]]
    [run] = log(audit(scans, results))["runs"]

    assert LIMIT == len(run["results"])
    assert "10 results left out" in json.dumps(run["invocations"])
    assert 10 == sum(each["kind"] == "open" for each in run["results"])


def test_the_marked_part_of_the_line():
    """The columns are those of the manifest, where it is at hand."""
    [run] = log(failing())["runs"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]

    assert {"startLine": 6, "startColumn": 15, "endLine": 6, "endColumn": 28} == region


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a/b c.yaml", "a/b%20c.yaml"),
        ("a:b/c.yaml", "a%3Ab/c.yaml"),
        ("/abs/ü.yaml", "file:///abs/%C3%BC.yaml"),
        ("<stdin>", "%3Cstdin%3E"),
    ],
)
def test_uri(file, expected):
    """A name of a file is a valid URI, whatever is in it."""
    assert expected == uri(file)


def test_files_from_the_root_of_the_repository():
    """Below its root, names start there; elsewhere they stay what they are."""
    made = failing()
    [run] = log(made, root="/repo", folder="infra")["runs"]
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]

    assert "infra/connections/fleet.yaml" == location["uri"]


def test_hostile_names_are_kept():
    """Every name is in the log, its invisible characters spelt out."""
    from bfaudit.report.wording import visible

    scans = tuple(scanned(text, line=at + 1) for at, text in enumerate(NASTY))
    text = json.dumps(log(audit(scans, [result(WITHDRAW, scan, Outcome.FAIL) for scan in scans])))

    assert all(json.dumps(visible(name))[1:-1] in text for name in NASTY)
