"""Every machine format counts what the JSON report counts, and holds the same findings."""

import csv
import io
import json
import re
from collections import Counter
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from bfaudit.formats import FORMATS, Options
from bfaudit.formats.json import read
from bfaudit.model import ApprovedException, Change, Direction, Outcome, Place, Severity
from bfaudit.report.wording import visible
from tests.formats.fleets import audits
from tests.report.samples import SAMPLES, WITHDRAW, audit, failing, result, scanned

ALL = {
    "text", "json", "jsonl", "sarif", "junit", "github", "gitlab", "csv", "ocsf", "oscal", "openmetrics", "html",
    "markdown", "pdf", "ics",
}  # fmt: skip


csv.field_size_limit(1 << 24)  # the limit of Python's reader, not of the format


def rendered(format_id, audit, **options):
    made = FORMATS[format_id].render(audit, Options(**options))
    return made if isinstance(made, str) else made.decode()


def outcomes_of(format_id, audit):
    """(rule, connection, outcome) of each result that a format holds, and the excepted ones."""
    text = rendered(format_id, audit)
    match format_id:
        case "json":
            rows = json.loads(text)["results"]
            return [(r["rule"], r["connection"], r["outcome"]) for r in rows]
        case "jsonl":
            rows = [json.loads(line) for line in text.splitlines()]
            return [
                (r["rule"], r["connection"], r["outcome"]) for r in rows if r["type"] == "result"
            ]
        case "csv":
            rows = list(csv.DictReader(io.StringIO(text, newline="")))
            assert all(None not in row and len(row) == 25 for row in rows)
            return [
                (r["rule"], r["connection"], r["outcome"])
                for r in rows
                if r["outcome"] != "not-audited"
            ]
        case "ocsf":
            rows = [
                json.loads(line)["unmapped"] | {"name": json.loads(line)["resources"][0]["name"]}
                for line in text.splitlines()
            ]
            return [
                (r["rule"], r["name"], r["outcome"]) for r in rows if r["outcome"] != "not-audited"
            ]
        case "sarif":
            rows = [result["properties"] for result in json.loads(text)["runs"][0]["results"]]
            return [(r["rule"], r["connection"], r["outcome"]) for r in rows]
    raise AssertionError(format_id)


def safe(name):
    """A name as formats for people spell it, with what a spreadsheet would calculate marked."""
    replaced = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return visible(name).removeprefix("'"), visible(replaced).removeprefix("'")


def check(audit):
    """Compare every format with the audit."""
    expected = Counter(result.outcome.value for result in audit.results)
    excepted = sum(result.exception is not None for result in audit.results)
    asking = expected["fail"] + expected["unknown"] + expected["error"] - excepted
    report = json.loads(rendered("json", audit))

    assert expected == Counter({k: v for k, v in report["summary"]["outcomes"].items() if v})
    assert excepted == report["summary"]["excepted"]
    wanted = [(r.rule.id, r.connection, r.outcome.value) for r in audit.results]
    for format_id in ("json", "jsonl", "csv", "ocsf"):
        found = outcomes_of(format_id, audit)
        assert len(found) == len(wanted)
        for (rule, name, outcome), want in zip(found, wanted, strict=True):
            assert (rule, outcome) == (want[0], want[2])
            told = name if format_id in ("csv", "ocsf") else visible(name)
            assert told.removeprefix("'") in safe(want[1])
    sarif = Counter(outcome for _, _, outcome in outcomes_of("sarif", audit))
    assert (
        Counter(
            {
                "fail": expected["fail"] - excepted,
                "unknown": expected["unknown"],
                "error": expected["error"],
            }
        )
        == sarif + Counter()
    )
    every = json.loads(rendered("sarif", audit, sarif_include_suppressed=True))["runs"][0]
    assert asking + excepted == len(every["results"])
    assert excepted == sum(bool(result["suppressions"]) for result in every["results"])
    assert report["summary"]["outcomes"] == every["properties"]["summary"]["outcomes"]

    suites = ET.fromstring(rendered("junit", audit).encode())
    own = [suite for suite in suites if suite.get("name") != "bfaudit.not-audited"]
    kinds = Counter(child.tag for suite in own for case in suite.iter("testcase") for child in case)
    assert len(wanted) == sum(int(suite.get("tests")) for suite in own)
    assert expected["fail"] - excepted == kinds["failure"]
    assert expected["unknown"] + expected["error"] == kinds["error"]
    assert expected["not-applicable"] + excepted == kinds["skipped"]

    issues = json.loads(rendered("gitlab", audit))
    assert asking == sum(
        issue["check_name"].startswith(("rule-", "no-", "online", "ip-", "key-", "label-"))
        for issue in issues
    )

    sums = f"{expected['fail']} failed ({excepted} excepted), {expected['unknown']} unknown, {expected['error']} error"
    assert sums in rendered("github", audit)
    assert sums in rendered("oscal", audit)

    metrics = dict(
        re.findall(
            r'(?m)^bfaudit_results{outcome="([^"]+)"} (\d+)$', rendered("openmetrics", audit)
        )
    )
    assert report["summary"]["outcomes"] == {word: int(number) for word, number in metrics.items()}

    result = json.loads(rendered("oscal", audit))["assessment-results"]["results"][0]
    told = Counter(
        prop["value"]
        for observation in result.get("observations", [])
        for prop in observation["props"]
        if prop["name"] == "outcome"
    )
    assert expected - Counter({"not-applicable": expected["not-applicable"]}) == told
    states = Counter(risk["status"] for risk in result.get("risks", []))
    assert (
        Counter({"open": expected["fail"] - excepted, "deviation-approved": excepted})
        == states + Counter()
    )


def test_ids():
    """The words of `--format`; other reports may join them."""
    assert set(FORMATS) >= ALL


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_samples(sample):
    """The samples, in every format."""
    check(SAMPLES[sample]())


@given(audits())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated(audit):
    """Fleets made at random, in every format."""
    check(audit)


@pytest.mark.parametrize("format_id", sorted(ALL))
@pytest.mark.parametrize("sample", list(SAMPLES))
def test_a_report_renders_again(format_id, sample):
    """What is rendered from a JSON report is what was rendered from the audit, lone surrogates aside."""
    audit = SAMPLES[sample]()
    again = read(rendered("json", audit).encode(), "report.json")
    first = rendered(format_id, audit)
    second = rendered(format_id, again.audit, snapshot_digest=again.snapshot_digest)

    if sample == "hostile" and format_id != "json":
        assert abs(len(first) - len(second)) < len(first) * 0.02
    else:
        assert first == second


def test_a_megabyte():
    """A name of a megabyte is in every machine format, whole."""
    long = "=x" * 500_000
    scan = scanned(long)
    made = audit((scan,), [result(WITHDRAW, scan, Outcome.FAIL)])
    check(made)

    for format_id in (
        "json",
        "jsonl",
        "sarif",
        "junit",
        "github",
        "gitlab",
        "csv",
        "ocsf",
        "oscal",
        "openmetrics",
    ):
        assert long in rendered(format_id, made), format_id
    assert long in rendered("ics", made).replace("\r\n ", "")


def test_all_that_was_judged_renders_again():
    """What is known, what changed, which exceptions hold and which rules are off come back."""
    first = failing()
    waived = next(one for one in first.results if one.exception)
    change = Change(kind="permission-widened", connection="MEXC Spot Main", severity=Severity.HIGH,
                    direction=Direction.WIDENED, text="May withdraw now", before="denied", after="granted")  # fmt: skip
    approved = ApprovedException(id=waived.exception, rules=(waived.rule.id,), select={}, reason="vendor moves in May",
                                 expires=date(2026, 12, 31), place=Place("exceptions.yaml", 3, 5))  # fmt: skip
    off = replace(first.rules[0], id="off", overridden={"enabled": "switched off by desk.yaml"})
    known = next(one for one in first.results if one.outcome is Outcome.FAIL)
    judged = replace(
        first,
        baselined=frozenset({known.fingerprint}),
        changes=(change,),
        exceptions=(approved,),
        left_out=(off,),
    )
    again = read(rendered("json", judged).encode(), "report.json").audit

    assert (judged.baselined, judged.changes, judged.exceptions, judged.left_out) == (
        again.baselined, again.changes, again.exceptions, again.left_out
    )  # fmt: skip
    text = rendered("sarif", judged)
    states = Counter(each["baselineState"] for each in json.loads(text)["runs"][0]["results"])
    assert 1 == states["unchanged"]
    assert "switched off by desk.yaml" in text
    assert "vendor moves in May, until 2026-12-31" in rendered(
        "sarif", judged, sarif_include_suppressed=True
    )
