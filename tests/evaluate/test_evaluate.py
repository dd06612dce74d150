"""Evaluation: what applies is judged, unknown never passes, and everyone sees their own evidence."""

import itertools
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bfaudit.evaluate import evaluate
from bfaudit.model import (
    Attestation,
    Fact,
    Facts,
    History,
    Outcome,
    Place,
    Reason,
    Rejected,
    Source,
    Status,
    Unselected,
)
from bfaudit.policy.load import load
from bfaudit.policy.read import read
from tests.evaluate.fleets import NOW, fleets, scanned, snapshot

BASELINE = read(["baseline"])
TRADE, WITHDRAW = "permissions.trade", "permissions.withdraw"


def policies(require, applies="true", **more):
    rule = {"id": "a-rule", "title": "Something is wrong", "severity": "high", "applies": applies, "require": require}  # fmt: skip
    policy = {"apiVersion": "bfaudit/v1", "kind": "Policy", "id": "own", "title": "Ours", "rules": [{**rule, **more}]}  # fmt: skip
    return load([("own.yaml", msgspec.json.encode(policy))])


def judge(loaded, *connections, now=NOW):
    return evaluate(snapshot(*connections), loaded, now).results


def only(loaded, *connections):
    return judge(loaded, *connections)[0].judgement


TRUTH = {True: "granted", False: "denied"}
U, E = "unknown", "1 / 0 == 1"


@pytest.mark.parametrize(
    ("applies", "require", "outcome"),
    [
        (True, True, "pass"),
        (True, False, "fail"),
        (True, U, "unknown"),
        (False, True, "not-applicable"),
        (False, False, "not-applicable"),
        (False, U, "not-applicable"),
        (U, True, "pass"),
        (U, False, "unknown"),
        (U, U, "unknown"),
        (E, True, "error"),
        (True, E, "error"),
        (False, E, "not-applicable"),
        (U, E, "unknown"),
    ],
)
def test_outcomes(applies, require, outcome):
    """Applies first, then require; unknown applies is unknown unless the rule holds anyway."""
    known = {
        path: TRUTH[value]
        for path, value in ((TRADE, applies), (WITHDRAW, require))
        if isinstance(value, bool)
    }
    loaded = policies(
        E if require == E else "key.can.withdraw", E if applies == E else "key.can.trade"
    )

    assert outcome == only(loaded, scanned(known=known)).outcome


@pytest.mark.parametrize("mapped", ["unknown", "fail", "pass", "not-applicable"])
def test_on_unknown(mapped):
    """A policy may say what unknown comes to; the message still says that it is unknown, and why."""
    loaded = policies("key.can.trade", on_unknown=mapped)

    judgement = only(loaded, scanned(unknown={TRADE: "not told"}))

    assert mapped == judgement.outcome
    assert "Not known: key.can.trade (not told)." == judgement.message


def test_why_a_fact_is_missing():
    """The exchange's reason goes first, then that the key is not Online."""
    loaded = policies("key.can.trade && key.can.withdraw")
    connection = scanned(
        status=Status.IP_NOT_ALLOWED, reason=Reason.IP_NOT_ALLOWED, unknown={TRADE: "not told"}
    )

    message = only(loaded, connection).message

    assert "Not known: key.can.trade (not told); key.can.withdraw (not Online: IP not allowed)." == message  # fmt: skip


def test_observations():
    """Every field that the rule reads is listed, known or not, with its evidence."""
    loaded = policies("key.can.trade || key.can.withdraw", message="{connection.owner}")
    fact = Fact("granted", Source.PROBE, "GET /a", "spot only")

    seen = only(loaded, scanned(known={TRADE: fact})).observations

    assert ("connection.owner", "key.can.trade", "key.can.withdraw") == tuple(s.field for s in seen)
    assert (True, "probe", "GET /a", "spot only") == (
        seen[1].value, seen[1].source, seen[1].request, seen[1].limitation
    )  # fmt: skip
    assert (None, "the scan did not record it") == (seen[2].value, seen[2].unknown)


def test_equal_values_of_different_sources():
    """Two connections with equal values show their own evidence, and equal evidence is judged once."""
    loaded = policies("key.can.trade")
    requests = ["GET /a", "GET /b", "GET /a"]

    results = judge(
        loaded,
        *(scanned(f"Name {i}", known={TRADE: Fact("granted", request=r)}) for i, r in enumerate(requests)),
    )  # fmt: skip

    assert requests == [result.judgement.observations[0].request for result in results]
    assert results[0].judgement is results[2].judgement


def test_texts():
    """Messages and expectations name values: lists, none, unknown, and what is certain of a list."""
    loaded = policies(
        "!key.exceeds",
        message="{key.excess}|{connection.tags}|{key.age_days}|{connection.owner}|{params.days}|{now}|{key.can.trade}",
        expected="at most {connection.requires}",
        params={"days": {"type": "int", "default": 3}},
    )

    judgement = only(loaded, scanned(known={TRADE: "granted", WITHDRAW: "granted"}))

    assert "trade, withdraw|none|unknown|none|3|2026-11-22|yes" == judgement.message
    assert "at most read" == judgement.expected
    assert "key.can.trade" == only(policies("key.can.trade"), scanned()).expected


def test_place():
    """A finding points at the line that promised otherwise, else at the connection."""
    place, servers = Place("f.yaml", 1, 1), Place("f.yaml", 7, 5)
    connection = scanned(place=place, places={"servers": servers})

    assert servers == judge(policies("true", blames="servers"), connection)[0].place
    assert place == judge(policies("true", blames="requires"), connection)[0].place
    assert place == judge(policies("true"), connection)[0].place


def test_order_and_identity():
    """Severity first, then rule, then connection; the identity is that of rule and connection alone."""
    names = ["b", "a"]
    audit = evaluate(snapshot(*map(scanned, names)), BASELINE, NOW)
    later = evaluate(
        snapshot(*(scanned(name, place=Place("g.yaml", 9, 9)) for name in names)),
        BASELINE,
        NOW + timedelta(days=400),
    )

    keys = [(-r.rule.severity, r.rule.id, r.connection) for r in audit.results]
    assert keys == sorted(keys)
    assert ("baseline",) == audit.policies
    assert len(audit.results) == 2 * len(audit.rules) == len({r.fingerprint for r in audit.results})
    assert [r.fingerprint for r in audit.results] == [r.fingerprint for r in later.results]
    assert all(len(r.fingerprint) == 32 for r in audit.results)


def test_nothing_to_judge():
    """No connections, no rules, and rules that read nothing are no special cases."""

    assert () == evaluate(snapshot(), BASELINE, NOW).results
    assert () == evaluate(snapshot(scanned()), (), NOW).results
    assert [Outcome.PASS] * 2 == [
        r.outcome for r in judge(policies("true"), scanned("a"), scanned("b"))
    ]


def test_names_with_surrogates():
    """A name that is no Unicode text is judged like any other."""

    assert 12 == len(judge(BASELINE, scanned("a\ud800\0b")))


def test_long_lists_stay_short():
    """One key in a whole fleet is named twenty times per connection, not thousands of times."""
    results = judge(
        policies("size(fleet.same_key) == 0", message="{fleet.same_key}"),
        *(scanned(f"Name {number:03}", key="one") for number in range(100)),
    )

    assert results[50].judgement.message.endswith("Name 019, and 79 more")
    assert "Name 000" not in results[0].judgement.message


def test_a_fleet_with_unknown_keys():
    """A connection without a fingerprint may share any key of its exchange; to others it is a limitation."""
    results = judge(
        policies("size(fleet.same_key) == 0"),
        *(scanned(n, key=None) for n in "ab"),
        scanned("c"),
        scanned("d", exchange="kucoin"),
    )

    assert ["unknown", "unknown", "unknown", "pass"] == [result.outcome for result in results]
    assert "2 of the connections" in results[2].judgement.message
    assert "2 of the connections" in results[3].judgement.observations[0].limitation


@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
@given(fleets())
def test_judgements_do_not_depend_on_who_else_is_judged(fleet):
    """What is shared between connections is what each would get alone; fields of the fleet aside."""
    alone = {
        (result.rule.id, result.connection): result.judgement
        for one in fleet.connections
        for result in evaluate(snapshot(one), BASELINE, NOW).results
    }

    for result in evaluate(fleet, BASELINE, NOW).results:
        if result.rule.id != "unique-key-per-strategy":
            assert alone[result.rule.id, result.connection] == result.judgement


@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
@given(fleets(size=2), st.data())
def test_withholding_evidence_never_helps(fleet, data):
    """Knowing less never turns a finding into a pass.

    One exception is meant, and documented in the rule: by default an unknown last use is not held against a key. And a
    date that the manifest declares takes the place of one that the exchange does not tell.
    """
    before = evaluate(fleet, BASELINE, NOW).results
    known = sorted({path for one in fleet.connections for path in one.facts.known})
    withheld = data.draw(st.sets(st.sampled_from(known))) if known else set()
    fewer = [
        msgspec.structs.replace(one, facts=Facts({p: f for p, f in one.facts.known.items() if p not in withheld}, one.facts.unknown))
        for one in fleet.connections
    ]  # fmt: skip

    for old, new in zip(before, evaluate(snapshot(*fewer), BASELINE, NOW).results, strict=True):
        if old.rule.id == "no-stale-keys" and withheld & {"key.last_used_at", "key.created_at"}:
            continue  # the manifest's date stands in for the exchange's
        assert (old.outcome, new.outcome) != (Outcome.FAIL, Outcome.PASS), old.rule.id
        if old.outcome is Outcome.PASS:
            assert new.outcome is not Outcome.FAIL, old.rule.id


def test_an_unknown_last_use_is_never_use():
    """Where the policy asks for it, silence on the last use leaves a young key unknown."""
    change = "apiVersion: bfaudit/v1\nkind: Policy\nid: own\ntitle: Ours\noverrides: {no-stale-keys: {reason: ours, params: {require_last_use: true}}}"
    text = (Path(__file__).parents[2] / "policies" / "baseline.yaml").read_text()
    strict = load([("baseline.yaml", text), ("own.yaml", change)])
    young = scanned(known={"key.created_at": NOW})

    outcomes = [
        [r.outcome for r in judge(loaded, young) if r.rule.id == "no-stale-keys"]
        for loaded in (BASELINE, strict)
    ]

    assert [[Outcome.PASS], [Outcome.UNKNOWN]] == outcomes


def test_input_is_not_changed_by_order():
    """The order of connections and policies in the input does not matter."""
    connections = [scanned(name, known={TRADE: "granted"}) for name in "abc"]
    reference = judge(BASELINE, *connections)

    assert all(
        reference == judge(BASELINE, *order) for order in itertools.permutations(connections)
    )


def test_what_is_vouched_for_is_shown_as_attested():
    """An attestation answers, as an attestation: never as what was observed, and not beyond its day."""
    said = {"two_factor": Attestation("alice", NOW.date(), NOW.date())}
    loaded = policies("attestation.two_factor")

    today = only(loaded, scanned(attestations=said))
    (later,) = judge(loaded, scanned(attestations=said), now=NOW + timedelta(days=1))

    assert (Outcome.PASS, Source.ATTESTATION) == (today.outcome, today.observations[0].source)
    assert Outcome.FAIL is later.outcome


@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 2049])
def test_blocks_are_not_seen(size):
    """Results are made block by block; order, places and judgements are those of each connection."""
    fleet = [
        scanned(f"Name {number:05}", known={TRADE: TRUTH[number % 3 > 0]}, place=Place("f.yaml", number + 1, 1))
        for number in range(size)
    ]  # fmt: skip

    results = judge(policies("key.can.trade"), *fleet)

    assert [(f"Name {n:05}", n % 3 > 0, n + 1) for n in range(size)] == [
        (r.connection, r.outcome is Outcome.PASS, r.place.line) for r in results
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"interrupted": True},
        {
            "interrupted": True,
            "rest": (Unselected(connection=scanned("z", exchange="kucoin").connection),),
        },
        {"rejected": (Rejected("Lost", Place("fleet.yaml", 9, 1), "no such exchange"),)},
    ],
)
def test_what_was_not_scanned_may_share_a_key(more):
    """A key is unique only where every other was seen: not after an interruption, nor beside a rejected declaration."""

    def outcome(**given):
        audit = evaluate(snapshot(scanned("MEXC Spot Main", strategy="a"), **given), BASELINE, NOW)
        return next(
            one.outcome for one in audit.results if one.rule.id == "unique-key-per-strategy"
        )

    assert Outcome.PASS is outcome()
    assert Outcome.UNKNOWN is outcome(**more)


@pytest.mark.parametrize("lived", [["A Spot"], ["B Spot"]])
def test_that_one_key_lived_tells_nothing_of_another(lived):
    """Two retired keys that their exchange does not know: only the one that an earlier scan saw live is dead."""
    gone = {"status": Status.INVALID_KEY, "reason": Reason.UNKNOWN_HERE, "lifecycle": "retired"}
    fleet = [
        msgspec.structs.replace(
            scanned(name, **gone), history=History(first_seen=NOW, lived=name in lived)
        )
        for name in ("A Spot", "B Spot")
    ]
    results = judge(policies("status.dead"), *fleet)

    assert lived == [one.connection for one in results if one.judgement.outcome is Outcome.PASS]
    assert 1 == sum(one.judgement.outcome is Outcome.UNKNOWN for one in results)
