"""Baselines: what is known, what is gone, and nothing else passes for one."""

import json

import jsonschema_rs
import pytest
from msgspec.structs import replace

from bfaudit import baseline, schemas
from bfaudit.baseline import Known, applied, created, decode, encode, pruned
from bfaudit.egress import checked
from bfaudit.errors import InvalidInput
from bfaudit.evaluate import evaluate
from bfaudit.model import Fact, Grant, Outcome, Place, Rejected
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.load import load
from bfaudit.policy.read import packs, read
from tests.evaluate.fleets import NOW, scanned, snapshot

POLICIES = read(["baseline"])
VALIDATOR = jsonschema_rs.Draft202012Validator(schemas.load("baseline"), validate_formats=True)


def withdraw(name, grant, **more):
    known = {} if grant is None else {"permissions.withdraw": Fact(grant)}
    return scanned(name, known=known, **more)


def audit(*scans, **more):
    return evaluate(snapshot(*scans, **more), POLICIES, NOW)


BAD = audit(withdraw("a", Grant.GRANTED), withdraw("b", Grant.GRANTED))
BASE = ("baseline.yaml", packs()["baseline"].read_bytes())
HEAD = "apiVersion: bfaudit/v1\nkind: Policy\nid: own\ntitle: T\noverrides: {name-is-clear: {reason: r, severity: "
AS_IS, GRAVER = (("own.yaml", f"{HEAD}{word}}}}}") for word in ("low", "critical"))
WITHDRAW = [("no-withdraw", "a"), ("no-withdraw", "b")]


def of(made, rule="no-withdraw"):
    return [(one.rule, one.connection) for one in made.findings if one.rule == rule]


def test_created():
    """Every finding, worst first, none under an exception; the text is for people."""
    made = created(BAD)
    fails = [one for one in BAD.results if one.outcome is Outcome.FAIL]

    assert WITHDRAW == of(made)
    assert len(fails) == len(made.findings)
    assert "may withdraw" in made.findings[0].message
    excepted = replace(BAD, results=tuple(replace(one, exception="E") for one in BAD.results))
    assert () == created(excepted).findings


def test_findings_about_exceptions_are_never_known():
    """An exception that ran out is not silenced by a baseline."""
    (first, *_) = (one for one in BAD.results if one.outcome is Outcome.FAIL)
    own = replace(BAD, results=(replace(first, identity="0" * 32),))

    assert () == created(own).findings


def test_round_trip():
    """The file is valid by its schema, the same for the same findings, and comes back."""
    made = created(BAD)
    data = encode(made)

    VALIDATOR.validate(json.loads(data))
    assert made == decode(data, "f")
    assert data == encode(decode(data, "f"))


def test_known_findings_survive_moves():
    """Neither the file nor the line of a connection is a part of what tells its findings."""
    moved = audit(withdraw("a", Grant.GRANTED, place=Place("elsewhere/new.yaml", 99, 9)))
    known = applied(moved, created(BAD)).baselined

    assert known == {one.fingerprint for one in moved.results if one.outcome is Outcome.FAIL}


def test_applied_marks_what_is_found_only():
    """A finding of another connection, or one that is gone, is not marked."""
    other = audit(withdraw("a", Grant.DENIED), withdraw("c", Grant.GRANTED))
    marked = applied(other, created(BAD))
    found = {one.fingerprint for one in other.results if one.outcome is Outcome.FAIL}

    assert marked.baselined < found
    assert not any(
        one.fingerprint in marked.baselined for one in other.results if one.connection == "c"
    )


def test_what_is_graver_than_it_was_is_new():
    """Who accepted a low finding has not accepted a critical one; the other way round he has."""
    name = scanned("x")
    low, critical = (evaluate(snapshot(name), load([BASE, own]), NOW) for own in (AS_IS, GRAVER))
    known = {one.rule.id for one in critical.results if one.fingerprint in applied(critical, created(low)).baselined}  # fmt: skip

    assert "name-is-clear" in {one.rule for one in created(low).findings}
    assert "name-is-clear" not in known
    assert known
    assert len(created(low).findings) == len(applied(low, created(critical)).baselined)


@pytest.mark.parametrize(
    ("granted", "known"), [((), True), (("futures",), True), (("futures", "manage_keys"), False)]
)
def test_one_permission_more_is_another_finding(granted, known):
    """A key that was known for one excess is not known for the next; with less it stays known."""

    def excess(*words):
        grants = {f"permissions.{word}": Fact(Grant.GRANTED) for word in ("withdraw", *words)}
        return audit(scanned("a", known=grants))

    now = excess(*granted)
    (found,) = (one for one in now.results if one.rule.id == "permissions-as-required")
    before = decode(encode(created(excess("futures"))), "f")

    assert known is (found.fingerprint in applied(now, before).baselined)


def test_what_is_worse_by_more_is_a_list():
    """Of the catalogue, but for what `--from` asks."""
    lists = {name for name, field in FIELDS.items() if field.type == "list(string)"}

    assert {"egress.address"} == baseline.WORSE_BY_MORE - lists
    assert {"key.excess", "history.widened"} <= baseline.WORSE_BY_MORE


def test_another_server_is_another_finding():
    """What is known of one server that is deployed to says nothing of the next."""
    facts = {"network.ip_restricted": True, "network.ip_allowlist": ("203.0.113.10",)}
    fleet = evaluate(snapshot(scanned("a", known=facts)), POLICIES, NOW)
    one, other = (checked(fleet, [host]) for host in ("198.51.100.7", "192.0.2.9"))
    (found,) = (each for each in other.results if each.rule.id == "egress-allowed")

    assert found.fingerprint in applied(other, created(other)).baselined
    assert found.fingerprint not in applied(other, created(one)).baselined


def test_pruned():
    """What passes is gone, and so is a connection that is no longer there."""
    left, gone = _prune(audit(withdraw("a", Grant.DENIED)))

    assert [] == of(left)
    assert WITHDRAW == [(one.rule, one.connection) for one in gone if one.rule == "no-withdraw"]


@pytest.mark.parametrize(
    "now",
    [
        audit(withdraw("a", None), withdraw("b", Grant.GRANTED)),
        audit(withdraw("b", Grant.GRANTED), unselected=1),
        audit(withdraw("b", Grant.GRANTED), interrupted=True),
        audit(withdraw("b", Grant.GRANTED), rejected=(Rejected("a", Place("f", 1, 1), "wrong"),)),
        replace(audit(withdraw("a", Grant.DENIED)), rules=()),
    ],
    ids=["unknown", "selection", "interrupted", "rejected", "rule not asked"],
)
def test_what_an_audit_cannot_show_is_kept(now):
    """Gone is what is seen to be gone."""
    left, _ = _prune(now)

    assert ("no-withdraw", "a") in of(left)


def test_pruning_adds_nothing():
    """A new finding does not become known."""
    left, _ = _prune(audit(withdraw("a", Grant.GRANTED), withdraw("new", Grant.GRANTED)))

    assert [("no-withdraw", "a")] == of(left)


def _prune(now):
    done = pruned(created(BAD), now)
    return done.baseline, done.gone


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["findings"][0].update(connection="c"),
        lambda data: data["findings"][0].update(rule="other"),
        lambda data: data["findings"][0].update(fingerprint="0" * 32),
        lambda data: data["findings"][0].update(severity="worst"),
        lambda data: data["findings"][0].pop("since"),
        lambda data: data["findings"][0].update(more=1),
        lambda data: data.update(schema="bfaudit-baseline/2"),
        lambda data: data.update(findings={}),
        lambda data: data.update(more=1),
    ],
)
def test_nothing_else_passes_for_one(change):
    """An entry must silence what it says; an unknown field is a mistake."""
    data = json.loads(encode(created(BAD)))
    change(data)

    with pytest.raises(InvalidInput):
        decode(json.dumps(data).encode(), "f")


@pytest.mark.parametrize("data", [b"", b"[]", b"<<<<<<< HEAD", b"\xff", b"{}", b"[" * 100_000])
def test_no_document(data):
    """What is not JSON, or of no schema, is a mistake in the input."""
    with pytest.raises(InvalidInput):
        decode(data, "f")


def test_equal_findings_are_one():
    """Two branches that know the same finding merge into one entry."""
    made = created(BAD)
    twice = json.loads(encode(made))
    twice["findings"] *= 2

    assert made == decode(json.dumps(twice).encode(), "f")
    assert isinstance(made.findings[0], Known)
    assert baseline.SCHEMA == twice["schema"]
