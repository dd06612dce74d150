"""An audit by the controls of a framework: nothing green that was not looked at."""

import json
from datetime import date

import jsonschema_rs
import pytest
from msgspec.structs import replace

from bfaudit import schemas
from bfaudit.compliance import STATES, compliance
from bfaudit.compliance.views import formats
from bfaudit.evaluate import evaluate
from bfaudit.formats import Options
from bfaudit.model import Attestation, ExchangeScanned, Place, Rejected
from bfaudit.policy.frameworks import load as load_framework
from bfaudit.policy.load import load
from bfaudit.sealed import unseal
from tests.evaluate.fleets import NOW, scanned, snapshot

FRAMEWORK = load_framework("""\
apiVersion: bfaudit/v1
kind: Framework
id: ours
title: Our controls
version: "1"
analogy: It is about something else.
source: https://example.org
controls:
  - {id: X-1, title: Least <b>privilege</b>}
  - {id: X-2, title: Training, uncovered: Nobody sees it.}
  - {id: X-3, title: Reviews, attestations: [access_review]}
  - {id: X-4, title: Bound, uncovered: In part.}
""", "ours.yaml")  # fmt: skip

POLICY = """\
apiVersion: bfaudit/v1
kind: Policy
id: own
title: Own
rules:
  - id: no-withdraw
    title: May withdraw
    severity: high
    require: "!key.can.withdraw"
    controls: {ours: [X-1]}
  - id: bound
    title: Not bound
    severity: low
    params: {days: {type: int, default: 3}}
    applies: connection.lifecycle == "active"
    require: network.ip_restricted
    controls: {ours: [X-4], other: [X-2]}
"""
CHANGE = "apiVersion: bfaudit/v1\nkind: Policy\nid: change\ntitle: T\noverrides:\n  "
REVIEW = {"access_review": Attestation("alice", date(2026, 11, 1), date(2027, 1, 1))}
W, R = "permissions.withdraw", "network.ip_restricted"
GOOD = scanned("Good", known={W: "denied", R: True}, attestations=REVIEW)
BAD = scanned("Bad <i>one</i>", known={W: "granted", R: True}, attestations=REVIEW)
SILENT = scanned("Silent", unknown={W: "not told"}, known={R: True}, attestations=REVIEW)


def audited(*connections, change="", **more):
    texts = [("own.yaml", POLICY), *([("change.yaml", CHANGE + change)] if change else [])]
    policies = load(texts)
    audit = evaluate(snapshot(*connections, **more), policies, NOW)
    return replace(audit, left_out=tuple(rule for one in policies for rule in one.left_out))


def states(audit):
    return {one.id: one.state for one in compliance(audit, FRAMEWORK).controls}


@pytest.mark.parametrize(
    ("connections", "state"),
    [
        ([GOOD], "passed"),
        ([GOOD, BAD], "failed"),
        ([GOOD, SILENT], "incomplete"),
        ([GOOD, SILENT, BAD], "failed"),
    ],
)
def test_a_control_is_as_good_as_its_worst_result(connections, state):
    """One failure fails it; one unknown keeps it from passing."""

    assert state == states(audited(*connections))["X-1"]


def test_what_is_not_judged_is_not_passed():
    """No rule, a rule that applied to nothing, a rule switched off: each says so."""
    retired = replace(GOOD, connection=replace(GOOD.connection, lifecycle="retired"))
    view = {one.id: one for one in compliance(audited(retired), FRAMEWORK).controls}

    assert ("not judged", ("Nobody sees it.", "No rule of the audited policies serves this control.")) == (
        view["X-2"].state, view["X-2"].uncovered,
    )  # fmt: skip
    assert ("not judged", "Its rules applied to no connection.") == (
        view["X-4"].state, view["X-4"].uncovered[-1],
    )  # fmt: skip

    off = audited(GOOD, change="no-withdraw: {reason: not ours to judge, enabled: false}")
    (control,) = (one for one in compliance(off, FRAMEWORK).controls if one.id == "X-1")

    assert "not judged" == control.state
    assert (
        "The rule no-withdraw was switched off: change: not ours to judge." == control.uncovered[0]
    )


def test_people_vouch_for_what_no_rule_judges():
    """Every active connection, today; one that is missing is enough."""
    alone = scanned("Alone", known={W: "denied"})
    expired = scanned("Expired", attestations={"access_review": Attestation("bob", date(2026, 1, 1), date(2026, 11, 21))})  # fmt: skip

    assert "attested" == states(audited(GOOD))["X-3"]
    assert "not judged" == states(audited(GOOD, alone))["X-3"]
    assert "not judged" == states(audited(GOOD, expired))["X-3"]
    (control,) = (one for one in compliance(audited(GOOD, expired), FRAMEWORK).controls if one.id == "X-3")  # fmt: skip
    assert [("access_review", 1, 2, ("alice",), date(2026, 11, 1), date(2027, 1, 1))] == list(control.attestations)  # fmt: skip


def test_an_excepted_failure_is_not_a_pass():
    """It has a state of its own."""
    audit = audited(GOOD, BAD)
    excepted = replace(
        audit,
        results=tuple(
            replace(one, exception="EX-1") if one.outcome == "fail" else one
            for one in audit.results
        ),
    )

    assert "excepted" == states(excepted)["X-1"]


def test_evidence_and_changes_are_named():
    """Where it comes from; what a policy changed and why; what failed, by its fingerprint."""
    audit = audited(GOOD, BAD, change="no-withdraw: {reason: so be it, severity: critical}")
    rule = compliance(audit, FRAMEWORK).controls[0].rules[0]

    assert ("introspection",) == rule.evidence
    assert (("severity", "was high; change: so be it"),) == rule.overridden
    assert [("Bad <i>one</i>", "fail")] == [(one.connection, one.outcome) for one in rule.open]
    assert rule.open[0].fingerprint == next(r.fingerprint for r in audit.results if r.outcome == "fail")  # fmt: skip


@pytest.mark.parametrize("name", ["text", "markdown", "html", "json"])
def test_every_view_tells_the_same(name):
    """Controls, states, what is not covered, who vouches, that it was no real exchange, and where to sign."""
    audit = audited(
        GOOD, BAD, SILENT,
        exchanges=(ExchangeScanned(id="mexc", url="http://127.0.0.1", redirected=True),),
    )  # fmt: skip
    rendered = formats(FRAMEWORK)[name].render(audit, Options())
    text = rendered if isinstance(rendered, str) else rendered.decode()

    for words in ("X-1", "failed", "attested", "Nobody sees it", "alice", "mexc", "Reviewed by", "It is about something else", "sha256:"):  # fmt: skip
        assert words in text, words
    if name in ("markdown", "html"):
        assert "<i>" not in text
        assert "<b>privilege" not in text


def test_the_json_keeps_its_schema():
    """Sealed, versioned, and complete."""
    data = formats(FRAMEWORK)["json"].render(audited(GOOD, BAD), Options())
    content = unseal("bfaudit-compliance/1", data, "c.json")

    jsonschema_rs.validator_for(schemas.load("compliance")).validate(content)
    assert list(STATES) == list(content["states"])
    assert ["X-1", "X-2", "X-3", "X-4"] == [one["id"] for one in json.loads(data)["controls"]]


@pytest.mark.parametrize("name", ["text", "markdown", "html", "json"])
def test_a_view_of_a_part_says_so(name):
    """What was not selected, could not be read or was not reached is no part of what passed."""
    bad = Rejected("Odd", Place("fleet.yaml", 9, 1), "no such exchange")
    audit = audited(GOOD, unselected=3, interrupted=True, rejected=(bad,))
    rendered = formats(FRAMEWORK)[name].render(audit, Options(width=200))
    text = rendered if isinstance(rendered, str) else rendered.decode()

    if name == "json":
        content = json.loads(text)
        jsonschema_rs.validator_for(schemas.load("compliance")).validate(content)
        assert (3, True) == (content["unselected"], content["interrupted"])
    else:
        assert "3 more connections of the fleet were not selected" in text
        assert "connections are missing" in text
    assert "Odd" in text
    assert "no such exchange" in text
