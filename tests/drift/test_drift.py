"""What changed between two snapshots, and which way."""

import json
from datetime import UTC, datetime, timedelta

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from bfaudit import schemas
from bfaudit.drift import compare, render
from bfaudit.drift.history import remembered
from bfaudit.exchanges import known
from bfaudit.model import (
    PERMISSIONS,
    Direction,
    ExchangeScanned,
    Fact,
    Grant,
    History,
    Place,
    Reason,
    Rejected,
    Severity,
    Status,
)
from bfaudit.sealed import digest_of
from bfaudit.snapshot import decode, encode
from tests.evaluate.fleets import NOW, fleets, scanned, snapshot
from tests.exchanges.recorded import cases, run

WIDENED, NARROWED, OTHER, UNKNOWN = Direction
WITHDRAW, RESTRICTED, LISTED = (
    "permissions.withdraw",
    "network.ip_restricted",
    "network.ip_allowlist",
)
OPTIONS = "permissions.options"
(LEFT_OPEN,) = known()["htx"].left_open
HERE, THERE = "203.0.113.10", "198.51.100.7"
YES, NO = Grant.GRANTED, Grant.DENIED
SEEN = {
    **{f"permissions.{word}": NO for word in PERMISSIONS},
    "permissions.read": YES,
    RESTRICTED: True,
    LISTED: (HERE,),
}
MAY = datetime(2027, 5, 1, tzinfo=UTC)
JUNE = datetime(2027, 6, 1, tzinfo=UTC)


def changes(before, after):
    """The changes of one connection, given its facts before and after; what neither names is told both times."""
    same = {path: value for path, value in SEEN.items() if path not in {**before, **after}}
    old, new = (snapshot(scanned(known={**same, **facts})) for facts in (before, after))
    return compare(old, new)


def told(found):
    return [(change.kind, change.severity.word, change.direction) for change in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({WITHDRAW: NO}, {WITHDRAW: YES}, [("permission-widened", "critical", WIDENED)]),
        ({WITHDRAW: YES}, {WITHDRAW: NO}, [("permission-narrowed", "low", NARROWED)]),
        ({WITHDRAW: NO}, {}, [("newly-unknown", "high", UNKNOWN)]),
        ({WITHDRAW: YES}, {}, [("newly-unknown", "low", OTHER)]),
        ({}, {WITHDRAW: YES}, [("newly-known", "high", UNKNOWN)]),
        ({}, {WITHDRAW: NO}, [("newly-known", "info", OTHER)]),
        ({}, {}, []),
        ({}, {"permissions.other:earn": YES}, [("permission-widened", "critical", WIDENED)]),
        ({"permissions.other:earn": YES}, {}, [("permission-narrowed", "low", NARROWED)]),
        ({RESTRICTED: True}, {RESTRICTED: False}, [("restriction-dropped", "critical", WIDENED)]),
        ({RESTRICTED: False}, {RESTRICTED: True}, [("restriction-added", "low", NARROWED)]),
        ({RESTRICTED: True}, {}, [("newly-unknown", "high", UNKNOWN)]),
        ({RESTRICTED: False}, {}, [("newly-unknown", "low", OTHER)]),
        ({}, {RESTRICTED: False}, [("newly-known", "high", UNKNOWN)]),
        (
            {RESTRICTED: True, LISTED: (HERE,)},
            {RESTRICTED: False, LISTED: ()},
            [("restriction-dropped", "critical", WIDENED)],
        ),
        ({LISTED: (HERE,)}, {LISTED: (HERE, THERE)}, [("ip-added", "high", WIDENED)]),
        ({LISTED: (HERE, THERE)}, {LISTED: (THERE,)}, [("ip-removed", "low", NARROWED)]),
        ({LISTED: (HERE, THERE)}, {LISTED: (THERE, HERE)}, []),
        ({LISTED: (HERE,)}, {LISTED: ("203.0.113.0/24",)}, [("ip-added", "high", WIDENED)]),
        ({LISTED: ("203.0.113.0/24",)}, {LISTED: (HERE,)}, [("ip-removed", "low", NARROWED)]),
        ({LISTED: (HERE,)}, {LISTED: ("203.**.10",)}, [("ip-unclear", "medium", UNKNOWN)]),
        ({LISTED: ("203.**.10",)}, {LISTED: ("203.**.10",)}, []),
        ({LISTED: (HERE,)}, {}, [("newly-unknown", "high", UNKNOWN)]),
        ({"reach.withdraw": NO}, {"reach.withdraw": YES}, [("reach-widened", "critical", WIDENED)]),
        (
            {"reach.withdraw": NO, WITHDRAW: NO},
            {"reach.withdraw": YES, WITHDRAW: YES},
            [("permission-widened", "critical", WIDENED)],
        ),
        (
            {"reach.withdraw": NO},
            {"reach.withdraw": YES, WITHDRAW: NO},
            [("reach-widened", "critical", WIDENED), ("newly-known", "info", OTHER)],
        ),
        ({"reach.exits": ()}, {"reach.exits": ("convert",)}, [("reach-widened", "high", WIDENED)]),
        ({"key.label": "a"}, {"key.label": "b"}, [("label-changed", "low", OTHER)]),
        (
            {"account_facts.uid": "1"},
            {"account_facts.uid": "2"},
            [("account-changed", "high", OTHER)],
        ),
        ({"key.expires_at": MAY}, {"key.expires_at": JUNE}, [("expiry-extended", "medium", OTHER)]),
        ({"key.expires_at": MAY}, {"key.expires_at": None}, [("expiry-extended", "medium", OTHER)]),
        (
            {"key.expires_at": None},
            {"key.expires_at": MAY},
            [("expiry-shortened", "low", NARROWED)],
        ),
        ({"key.expires_at": MAY}, {"key.expires_at": MAY + timedelta(hours=2)}, []),
        ({"key.state": "disabled"}, {"key.state": "active"}, [("state-changed", "high", WIDENED)]),
        (
            {"key.symbols": ("A",)},
            {"key.symbols": None},
            [("restriction-dropped", "high", WIDENED)],
        ),
        (
            {"key.symbols": ("A",)},
            {"key.symbols": ("A", "B")},
            [("symbols-widened", "high", WIDENED)],
        ),
        ({"key.symbols": ("A",)}, {}, [("newly-unknown", "high", UNKNOWN)]),
        ({"key.symbols": None}, {}, [("newly-unknown", "low", OTHER)]),
        ({"key.last_used_at": MAY}, {"key.last_used_at": JUNE}, []),
        ({"key.label": "a"}, {}, [("newly-unknown", "low", OTHER)]),
    ],
)
def test_facts(before, after, expected):
    """Severity by direction; what is not known is never taken for unchanged, nor for widened."""

    assert expected == told(changes(before, after))


def one(**given):
    return scanned(**{"known": SEEN, **given})


def marked(mark, **given):
    return replace(one(**given), fingerprint_key=mark)


DEAD = {"known": {}, "status": Status.INVALID_KEY, "reason": Reason.UNKNOWN_KEY}
DOWN = {"known": {}, "status": Status.EXCHANGE_UNAVAILABLE, "reason": Reason.TIMEOUT}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (one(), one(), []),
        (one(), one(key="new"), [("key-replaced", "medium", OTHER)]),
        (one(), one(key=None), []),
        (marked("a"), marked("a"), []),
        (marked("a"), marked("a", key="new"), [("key-replaced", "medium", OTHER)]),
        (marked("a"), marked("b", key="new"), [("incomparable", "medium", UNKNOWN)]),
        (marked(None), marked("b", key="new"), [("incomparable", "medium", UNKNOWN)]),
        (
            marked("a"),
            marked("b", key="new", known={**SEEN, WITHDRAW: YES}),
            [("permission-widened", "critical", WIDENED), ("incomparable", "medium", UNKNOWN)],
        ),
        (one(), one(owner="alice"), [("owner-changed", "info", OTHER)]),
        (one(), one(lifecycle="retired"), [("lifecycle-changed", "low", OTHER)]),
        (one(), one(place=Place("moved.yaml", 9, 9)), []),
        (one(), one(**DEAD), [("status-changed", "low", NARROWED)]),
        (one(**DEAD), one(), [("status-changed", "critical", WIDENED)]),
        (one(**DEAD), one(**DEAD), []),
        (
            one(**DEAD),
            one(**DOWN),
            [("incomparable", "medium", UNKNOWN), ("status-changed", "info", OTHER)],
        ),
        (
            one(),
            one(**DOWN),
            [("incomparable", "medium", UNKNOWN), ("status-changed", "medium", OTHER)],
        ),
        (
            one(**DOWN),
            one(),
            [("incomparable", "medium", UNKNOWN), ("status-changed", "info", OTHER)],
        ),
        (one(**DOWN), one(**DOWN), [("incomparable", "medium", UNKNOWN)]),
        (one(), one(exchange="kucoin"), [("incomparable", "medium", UNKNOWN)]),
    ],
)
def test_connections(before, after, expected):
    """A key that came back to life is wider; one that could not be looked at is incomparable, and nothing else."""

    assert expected == told(compare(snapshot(before), snapshot(after)))


def silent(exchange, *paths, why="not told this time"):
    """One key of which some facts are not told."""
    facts = {path: value for path, value in SEEN.items() if path not in paths}
    return one(exchange=exchange, known=facts, unknown=dict.fromkeys(paths, why))


FAILED = "HTX did not give the key's own record"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (silent("mexc", WITHDRAW), silent("mexc", WITHDRAW), [WITHDRAW]),
        (silent("mexc", LISTED), silent("mexc", LISTED), [LISTED]),
        (silent("mexc", RESTRICTED, LISTED), silent("mexc", RESTRICTED, LISTED), [RESTRICTED, LISTED]),
        (silent("bybit", "permissions.other:Earn"), silent("bybit", "permissions.other:Earn"), ["permissions.other:Earn"]),
        (silent("nowhere", WITHDRAW), silent("nowhere", WITHDRAW), [WITHDRAW]),
        (silent("gate", WITHDRAW), silent("gate", WITHDRAW), []),
        (silent("bitfinex", RESTRICTED, LISTED), silent("bitfinex", RESTRICTED, LISTED), []),
        (silent("htx", OPTIONS, why=LEFT_OPEN), silent("htx", OPTIONS, why=LEFT_OPEN), []),
        (silent("htx", OPTIONS, why=FAILED), silent("htx", OPTIONS, why=LEFT_OPEN), [OPTIONS]),
        (silent("htx", OPTIONS, why=LEFT_OPEN), silent("htx", OPTIONS, why=FAILED), [OPTIONS]),
    ],
)  # fmt: skip
def test_what_is_withheld_twice_is_not_the_same(before, after, expected):
    """Nobody can say that it did not widen; what an exchange tells of no key is another rule's question."""
    found = compare(snapshot(before), snapshot(after))

    assert [("incomparable", "medium", UNKNOWN)] * bool(expected) == told(found)
    assert all(f"{', '.join(expected)}: " in change.text for change in found)


def test_open_addresses_hide_nothing():
    """A key that works from anywhere cannot come to work from more; a list that was not told is then no question."""
    wide = one(known={**SEEN, RESTRICTED: False})
    bare = replace(wide, facts=replace(wide.facts, known={path: fact for path, fact in wide.facts.known.items() if path != LISTED}))  # fmt: skip

    assert () == compare(snapshot(bare), snapshot(bare))


USUAL = [
    (name, case)
    for name, case in cases()
    if name.endswith(("/trade-only", "/everything")) and name.partition("/")[0] in known()
]


@pytest.mark.parametrize(("name", "case"), USUAL, ids=[name for name, _ in USUAL])
def test_the_usual_answer_twice_is_no_change(name, case):
    """Of every exchange: what its documented answer leaves open makes the rule no noise."""
    exchange = name.partition("/")[0]
    _, facts, answer = run(known()[exchange], case)
    scan = replace(one(exchange=exchange), facts=facts, status=answer.status, reason=answer.reason)

    assert () == compare(snapshot(scan), snapshot(scan))


def test_added_and_removed():
    """A connection that is gone may have left a key behind."""
    found = compare(snapshot(one(name="a")), snapshot(one(name="b")))

    assert [("connection-removed", "a"), ("connection-added", "b")] == [
        (change.kind, change.connection) for change in found
    ]
    assert Severity.MEDIUM is found[0].severity


def test_a_renamed_connection_is_compared():
    """Its key tells that it is the same, where one connection only has it."""
    after = one(name="b", key="k", known={**SEEN, WITHDRAW: YES})
    found = compare(snapshot(one(name="a", key="k")), snapshot(after))
    shared = compare(snapshot(one(name="a", key="k"), one(name="c", key="k")), snapshot(after))

    assert ["permission-widened", "renamed"] == [change.kind for change in found]
    assert ["connection-removed", "connection-removed", "connection-added"] == [
        change.kind for change in shared
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"interrupted": True}, [UNKNOWN]),
        ({}, {"rejected": (Rejected("a", Place("f", 1, 1), "wrong"),)}, [UNKNOWN]),
        ({}, {"unselected": 1}, []),
    ],
)
def test_what_a_partial_scan_does_not_hold_is_not_removed(old, new, expected):
    """Interrupted or rejected is incomparable; what a selection left out is not a part of the question."""
    found = compare(snapshot(one(name="a"), **old), snapshot(**new))

    assert expected == [change.direction for change in found]


def test_a_part_before_is_no_fleet():
    """What an interrupted scan did not hold is not new."""
    found = compare(snapshot(interrupted=True), snapshot(one(name="a")))

    assert [("incomparable", "medium", UNKNOWN)] == told(found)


def test_a_sandbox_is_not_the_exchange():
    """One scan was redirected, the other not: their answers are not of the same key."""
    away = ExchangeScanned(id="mexc", url="http://127.0.0.1:1/mexc", redirected=True)
    home = ExchangeScanned(id="mexc", url="https://api.mexc.com")
    found = compare(snapshot(one(), exchanges=(home,)), snapshot(one(), exchanges=(away,)))

    assert [("incomparable", "medium", UNKNOWN)] == told(found)


def test_a_joined_snapshot_may_hold_a_sandbox():
    """One host asked the exchange, another was redirected: which of them asked a key is not told."""
    away = ExchangeScanned(id="mexc", url="http://127.0.0.1:1/mexc", redirected=True)
    home = ExchangeScanned(id="mexc", url="https://api.mexc.com")
    both = snapshot(one(), exchanges=(away, home))

    assert [("incomparable", "medium", UNKNOWN)] == told(compare(both, both))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleets(), fleets())
def test_any_two_snapshots_compare(old, new):
    """In total order; with itself a snapshot differs in what could not be seen at most; JSON changes nothing."""
    found = compare(old, new)

    assert sorted(found, key=lambda one: -one.severity) == list(found)
    assert {change.kind for change in compare(old, old)} <= {"incomparable"}
    assert found == compare(*(decode(encode(each), "f") for each in (old, new)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleets(), fleets())
def test_widened_one_way_is_narrowed_the_other(old, new):
    """What widens there and back did not happen, but for a key that came to life."""
    there = {
        (one.connection, one.path)
        for one in compare(old, new)
        if one.kind in ("permission-widened", "restriction-dropped")
    }
    back = {
        (one.connection, one.path)
        for one in compare(new, old)
        if one.kind in ("permission-narrowed", "restriction-added")
    }

    assert there == back


def left_open(**given):
    """A key whose exchange leaves a permission open however often it is asked."""
    facts = {path: value for path, value in {**SEEN, **given}.items() if path != OPTIONS}
    return one(name="b |`<i>\x1b[1m", exchange="htx", known=facts, unknown={OPTIONS: LEFT_OPEN})


OLD = snapshot(one(name="a"), left_open())
NEW = snapshot(
    one(name="a", known={**SEEN, WITHDRAW: YES}), left_open(**{WITHDRAW: YES, RESTRICTED: False})
)
SHOWN = render.diff(OLD, NEW, compare(OLD, NEW), ("sha256:" + "0" * 64, "sha256:" + "1" * 64), "1")


def test_json_is_valid_by_its_schema():
    """And sealed like every document."""
    data = json.loads(render.to_json(SHOWN))

    jsonschema_rs.Draft202012Validator(schemas.load("diff"), validate_formats=True).validate(data)
    assert digest_of(data) == data["digest"]
    assert {"widened": 3, "narrowed": 0, "other": 0, "unknown": 0} == data["summary"]["changes"]
    assert 1 == data["summary"]["still_unknown"]


@pytest.mark.parametrize("form", [render.to_text, render.to_markdown])
def test_text_for_people_is_harmless(form):
    """Names cannot move the cursor or end a cell; what was not compared is counted."""
    text = form(SHOWN)

    assert "\x1b" not in text
    assert "3 changes: 3 widened. 2 connections compared." in text
    assert "Unknown both times, and so not compared: 1 " in text
    rows = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("| critical")]

    assert all(row.count("|") == 5 for row in rows)


@pytest.mark.parametrize(
    ("after", "expected"),
    [({WITHDRAW: YES}, 1), ({WITHDRAW: NO}, 0), ({}, 4), ({WITHDRAW: YES, LISTED: (HERE,)}, 1)],
)
def test_codes(after, expected):
    """1 for what is wider, 4 for what may be, 0 without the option."""
    found = changes({WITHDRAW: NO}, after)

    assert expected == render.code(found, fail_on_widened=True)
    assert 0 == render.code(found, fail_on_widened=False)


class TestHistory:
    """What an earlier snapshot tells of a later one."""

    LATER = NOW + timedelta(days=3)

    def of(self, before, after, **more):
        late = replace(after, scanned_at=self.LATER)
        earlier = snapshot(*([before] if before else []), **more)
        return remembered(snapshot(late), earlier).connections[0].history

    def test_unchanged(self):
        """Seen first when it was scanned before."""
        found = self.of(one(), one())

        assert (NOW, None, True, ()) == (found.first_seen, found.last_changed, found.compared, found.widened)  # fmt: skip

    def test_fingerprints_that_cannot_be_compared(self):
        """The key may be another: nothing is known of it from before, and whether it is wider is not known."""
        found = self.of(marked("a"), marked("b"))

        assert self.LATER == found.first_seen
        assert "BFAUDIT_FINGERPRINT_KEY" in found.unsure[0]

    def test_changed(self):
        """The change dates from the scan that saw it."""
        found = self.of(one(), one(known={**SEEN, WITHDRAW: YES}))

        assert self.LATER == found.last_changed
        assert ("the key now has the permission withdraw",) == found.widened

    def test_it_goes_on(self):
        """What the earlier snapshot remembers is not forgotten."""
        first = NOW - timedelta(days=100)
        old = remembered(snapshot(one()), snapshot(replace(one(), scanned_at=first))).connections[0]

        assert first == self.of(old, one()).first_seen

    def test_a_new_connection_has_no_past(self):
        """There is nothing to compare it with."""
        found = self.of(None, one())

        assert (self.LATER, False) == (found.first_seen, found.compared)

    @pytest.mark.parametrize("part", [{"unselected": 1}, {"interrupted": True}])
    def test_a_part_does_not_show_what_is_new(self, part):
        """What an earlier scan of a part does not hold may have been there all the same."""
        found = self.of(None, one(), **part)

        assert not found.compared
        assert "not of the whole fleet" in found.unsure[0]

    def test_a_sandbox_is_not_the_exchange(self):
        """What a redirected scan saw is no past of a real key."""
        away = ExchangeScanned(id="mexc", url="http://127.0.0.1:1/mexc", redirected=True)
        found = self.of(one(), one(), exchanges=(away,))

        assert "redirected" in found.unsure[0]

    def test_another_key_begins_anew(self):
        """It may still do more than the one before."""
        found = self.of(one(), one(key="new", known={**SEEN, WITHDRAW: YES}))

        assert self.LATER == found.first_seen
        assert found.widened

    def test_what_cannot_be_compared_is_left_open(self):
        """An outage is no proof that nothing changed."""
        found = self.of(one(), one(**DOWN))

        assert () == found.widened
        assert found.unsure

    def test_what_is_withheld_twice_is_left_open(self):
        """A rule that asks whether the key may do more has no answer."""
        found = self.of(silent("mexc", WITHDRAW), silent("mexc", WITHDRAW))

        assert (NOW, None, ()) == (found.first_seen, found.last_changed, found.widened)
        assert "neither scan was told permissions.withdraw" in found.unsure[0]

    def test_the_last_use_that_any_scan_was_told(self):
        """Even where the later scan is told none."""
        used = {**SEEN, "key.last_used_at": Fact(MAY)}

        assert MAY == self.of(one(known=used), one()).last_use_seen
        assert None is self.of(one(), one()).last_use_seen

    @pytest.mark.parametrize(
        ("before", "now", "lived"),
        [
            ({}, {}, True),
            ({"status": Status.NO_TRADING_PERMISSION, "reason": Reason.MISSING_PERMISSION}, {}, True),
            ({"status": Status.INVALID_KEY, "reason": Reason.UNKNOWN_HERE}, {}, False),
            ({"status": Status.EXCHANGE_UNAVAILABLE, "reason": Reason.TIMEOUT}, {}, False),
            ({"url": "https://elsewhere.example"}, {}, False),
            ({"fingerprint": "another"}, {}, False),
            ({"fingerprint": None}, {}, False),
            ({"fingerprint_key": "another"}, {}, False),
            ({}, {"fingerprint": None}, False),
            ({"exchange": "okx"}, {}, False),
            ({"status": Status.INVALID_KEY, "reason": Reason.UNKNOWN_HERE, "lived": True}, {}, True),
            ({"status": Status.INVALID_KEY, "reason": Reason.UNRESOLVED_CREDENTIAL, "fingerprint": None, "lived": True}, {}, False),
            ({"status": Status.EXCHANGE_UNAVAILABLE, "reason": Reason.TIMEOUT, "lived": True, "url": "https://elsewhere.example"}, {}, False),
        ],
    )  # fmt: skip
    def test_a_key_that_lived(self, before, now, lived):
        """The same key, answered before at the very site that is asked now: what does not know it there says that it is gone."""

        def seen(at, url="https://api.example", lived=None, **fields):
            key = {"fingerprint": "same", "fingerprint_key": "pepper", "status": Status.ONLINE, **fields}  # fmt: skip
            made = scanned(exchange=key.pop("exchange", "kucoin"))
            made = replace(made, scanned_at=at, **key)
            made = replace(made, history=History(first_seen=NOW, lived=lived)) if lived is not None else made  # fmt: skip
            exchange = ExchangeScanned(id=made.connection.exchange, url=url)
            return replace(snapshot(made), exchanges=(exchange,))

        late = {"status": Status.INVALID_KEY, "reason": Reason.UNKNOWN_HERE, **now}
        made = remembered(seen(self.LATER, **late), seen(NOW, **before))

        assert lived == made.connections[0].history.lived
        assert lived == decode(encode(made), "f").connections[0].history.lived

    def test_snapshots_keep_it(self):
        """The history goes through JSON, so that the next scan can build on it."""
        made = remembered(snapshot(one()), snapshot(one()))

        assert made.connections == decode(encode(made), "f").connections
        jsonschema_rs.Draft202012Validator(schemas.load("snapshot")).validate(
            json.loads(encode(made))
        )
