"""A part of a fleet: what only the rest could tell is unknown, and nothing passes or fails for want of it."""

import json

import jsonschema_rs
import pytest
from msgspec.structs import replace

from bfaudit import schemas
from bfaudit.evaluate import evaluate
from bfaudit.merge import Named, merge
from bfaudit.model import Inventory, ListedKey, Outcome, Unselected
from bfaudit.policy.read import read
from bfaudit.snapshot import decode, encode
from tests.evaluate.fleets import NOW, scanned, snapshot

MARK, OTHER_MARK = "aaaaaaaa", "bbbbbbbb"
RULE_STRATEGIES, RULE_ENVIRONMENTS = "unique-subaccount", "env-isolation"
PACKS = read(["baseline", "segregation", "lifecycle", "inventory"])


def seen(name="a", *, mark=MARK, **given):
    return replace(scanned(name, **{"account": "main", **given}), fingerprint_key=mark)


def left_out(name="b", *, key="key of b", mark=MARK, **declared):
    connection = scanned(name, **{"account": "other", **declared}).connection
    return Unselected(connection=connection, fingerprint=key, fingerprint_key=mark if key else None)


def judged(rule, *connections, rest=(), untold=0):
    """The outcome and the text of a rule on the first connection, the same after the way through a file."""
    part = snapshot(*connections, rest=tuple(rest), unselected=len(rest) + untold)
    audits = [evaluate(each, PACKS, NOW) for each in (part, decode(encode(part), "part.json"))]
    first, again = (
        next(
            one
            for one in audit.results
            if (one.rule.id, one.connection) == (rule, connections[0].connection.name)
        ).judgement
        for audit in audits
    )

    assert first == again
    return first.outcome, first.message


class TestUniqueKey:
    """`unique-key-per-strategy`: the key of a connection that was not selected counts as well."""

    @pytest.mark.parametrize(
        ("rest", "expected"),
        [
            ([], Outcome.PASS),
            ([left_out()], Outcome.PASS),
            ([left_out(key="key of a")], Outcome.FAIL),
            ([left_out(key=None)], Outcome.UNKNOWN),
            ([left_out(key=None), left_out("c", key="key of a")], Outcome.FAIL),
            ([left_out(key=None, exchange="kucoin")], Outcome.PASS),
            ([left_out(mark=OTHER_MARK)], Outcome.UNKNOWN),
        ],
    )
    def test_outcomes(self, rest, expected):
        """No false pass where a key is not known, no unknown where the exchange is another."""
        outcome, message = judged("unique-key-per-strategy", seen(), rest=rest)

        assert expected is outcome, message
        if expected is Outcome.UNKNOWN:
            assert "could not be compared" in message or "BFAUDIT_FINGERPRINT_KEY" in message

    def test_the_other_one_is_named(self):
        """Though nobody asked about it."""
        _, message = judged(
            "unique-key-per-strategy", seen(), rest=[left_out("Old", key="key of a")]
        )

        assert "Old" in message

    def test_a_snapshot_that_only_counts_what_it_left_out(self):
        """Nothing is known of the rest, not even its exchange."""
        outcome, message = judged("unique-key-per-strategy", seen(), untold=3)

        assert Outcome.UNKNOWN is outcome
        assert "at least 3 of the connections were not scanned" in message

    def test_fingerprints_of_two_kinds(self):
        """A merged snapshot may hold them: different texts say nothing then."""
        outcome, message = judged("unique-key-per-strategy", seen(), seen("b", mark=OTHER_MARK))

        assert Outcome.UNKNOWN is outcome
        assert "another BFAUDIT_FINGERPRINT_KEY" in message


class TestUndeclaredKeys:
    """`no-undeclared-keys`: a key of a connection that was not selected is declared all the same."""

    @pytest.mark.parametrize(
        ("rest", "untold", "expected"),
        [
            ([], 0, Outcome.FAIL),
            ([left_out(key="listed")], 0, Outcome.PASS),
            ([left_out(key="another")], 0, Outcome.FAIL),
            ([left_out(key=None)], 0, Outcome.UNKNOWN),
            ([left_out(key=None, exchange="kucoin")], 0, Outcome.FAIL),
            ([left_out(key="another", mark=OTHER_MARK)], 0, Outcome.UNKNOWN),
            ([], 1, Outcome.UNKNOWN),
        ],
    )
    def test_outcomes(self, rest, untold, expected):
        """No false finding, and no pass where nobody can tell."""
        keys = (ListedKey(owner="desk", fingerprint="listed", label="bot", request="GET /keys"),)
        master = replace(
            seen(inventory=True), inventory=Inventory(keys=keys, covers="sub-accounts")
        )
        outcome, message = judged("no-undeclared-keys", master, rest=rest, untold=untold)

        assert expected is outcome, message


class TestSegregation:
    """Who shares an account: what the exchange tells of the rest is not known, what the manifest says is."""

    @pytest.mark.parametrize(
        ("own", "rest", "expected"),
        [
            ({}, {"account": "main"}, Outcome.FAIL),
            ({}, {}, Outcome.PASS),
            ({"known": {"account_facts.uid": "1"}}, {}, Outcome.UNKNOWN),
            ({"known": {"account_facts.uid": "1"}}, {"uid": "1"}, Outcome.FAIL),
            ({"known": {"account_facts.uid": "1"}}, {"uid": "2"}, Outcome.PASS),
            ({"known": {"account_facts.uid": "1"}}, {"strategy": "grid"}, Outcome.PASS),
            ({"known": {"account_facts.uid": "1"}}, {"lifecycle": "retired"}, Outcome.PASS),
            ({"known": {"account_facts.uid": "1"}}, {"exchange": "kucoin"}, Outcome.PASS),
        ],
    )
    def test_strategies(self, own, rest, expected):
        """Another strategy in the same account, by its uid or by its declared name."""
        other = left_out(**{"strategy": "hedge", **rest})
        outcome, message = judged(RULE_STRATEGIES, seen(strategy="grid", **own), rest=[other])

        assert expected is outcome, message

    @pytest.mark.parametrize(
        ("rest", "expected"),
        [
            ({}, Outcome.PASS),
            ({"key": "key of a"}, Outcome.FAIL),
            ({"key": None}, Outcome.UNKNOWN),
            ({"key": None, "environment": "production"}, Outcome.PASS),
            ({"mark": OTHER_MARK}, Outcome.UNKNOWN),
        ],
    )
    def test_environments(self, rest, expected):
        """Another environment with the same key."""
        other = left_out(**{"environment": "test", **rest})
        one = seen(environment="production")
        outcome, message = judged(RULE_ENVIRONMENTS, one, rest=[other])

        assert expected is outcome, message


class TestMerge:
    """The rest of one host is what another has scanned."""

    def joined(self, *parts):
        return merge([Named(f"{number}.json", one) for number, one in enumerate(parts)])

    def test_parts_of_two_hosts(self):
        """Nothing is left out, and nothing is unknown for it."""
        one = snapshot(seen(), rest=(left_out(key=None),), unselected=1)
        two = snapshot(seen("b"), rest=(left_out("a", key=None),), unselected=1)
        made = self.joined(one, two).snapshot

        assert (0, ()) == (made.unselected, made.rest)
        assert Outcome.PASS is judged("unique-key-per-strategy", *made.connections)[0]

    def test_what_no_host_has_scanned(self):
        """It stays, once; a host that could read its key tells more."""
        one = snapshot(seen(), rest=(left_out("c", key=None),), unselected=1)
        two = snapshot(seen("b"), rest=(left_out("c", key="key of c"),), unselected=1)

        for parts in ((one, two), (two, one)):
            made = self.joined(*parts).snapshot

            assert (1, ("key of c",)) == (
                made.unselected,
                tuple(each.fingerprint for each in made.rest),
            )

    def test_fingerprints_that_cannot_be_compared(self):
        """A conflict of the snapshots; no connection is said to have another key."""
        made = self.joined(snapshot(seen()), snapshot(seen(key="x", mark=OTHER_MARK)))
        (conflict,) = made.conflicts

        assert "incomparable" in conflict
        assert "0.json, 1.json" in conflict
        assert "another key" not in conflict


def test_the_file_is_valid_by_its_schema():
    """With all that a selection leaves."""
    part = snapshot(seen(), rest=(left_out(tags=("a",)), left_out("c", key=None)), unselected=2)
    content = json.loads(encode(part))

    jsonschema_rs.validator_for(schemas.load("snapshot")).validate(content)
    assert ["b", "c"] == [row["name"] for row in content["rest"]]
    assert MARK == content["connections"][0]["fingerprint_key"]
