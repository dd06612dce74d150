"""Fleets for the tests of evaluation."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from bfaudit.facts import FACTS, Kind
from bfaudit.model import (
    Attestation,
    Connection,
    Fact,
    Facts,
    Grant,
    Place,
    Reason,
    Scanned,
    Snapshot,
    Source,
    Status,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PLACE = Place("fleet.yaml", 1, 1)


def scanned(name="MEXC Spot Main", *, known=None, unknown=None, status=Status.ONLINE, reason=None,
            key="", schemes=None, **declared):  # fmt: skip
    facts = {
        path: value if isinstance(value, Fact) else Fact(value)
        for path, value in (known or {}).items()
    }
    connection = Connection(**{"name": name, "exchange": "mexc", "place": PLACE, **declared})
    return Scanned(
        connection=connection,
        status=status,
        reason=reason,
        scanned_at=NOW,
        fingerprint=f"key of {name}" if key == "" else key,
        schemes={"key": "env"} if schemes is None else schemes,
        facts=Facts(facts, unknown or {}),
    )


def snapshot(*connections, **more):
    return Snapshot(generated_at=NOW, connections=tuple(connections), **more)


ADDRESSES = st.sampled_from(
    ["203.0.113.10", "203.0.113.11", "203.**.10", "203.0.113.0/24", "0.0.0.0/0", "10.0.0.1", "odd"]
)
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))
VALUES = {
    Kind.GRANT: st.sampled_from([Grant.GRANTED, Grant.DENIED]),
    Kind.BOOL: st.booleans(),
    Kind.TEXT: st.none() | st.sampled_from(["a", "b"]),
    Kind.TIME: st.none() | TIMES,
    Kind.TEXTS: st.lists(ADDRESSES, max_size=3, unique=True).map(tuple),
}
PATHS = [path for path in FACTS if not path.startswith("test.")] + ["permissions.other:earn"]


@st.composite
def facts(draw):
    """Any facts, with any evidence for them."""
    known, unknown = {}, {}
    for path in PATHS:
        kind = FACTS[path].kind if path in FACTS else Kind.GRANT
        match draw(st.integers(0, 3)):
            case 0:
                unknown[path] = draw(st.sampled_from(["not told", "failed"]))
            case 1:
                pass
            case _:
                known[path] = Fact(
                    draw(VALUES[kind]),
                    draw(st.sampled_from([Source.INTROSPECTION, Source.PROBE])),
                    draw(st.sampled_from([None, "GET /a", "GET /b"])),
                    draw(st.sampled_from([None, "as of yesterday"])),
                )
    return Facts(known, unknown)


@st.composite
def fleets(draw, size=4):
    """A few connections that have much in common."""
    return snapshot(
        *(
            Scanned(
                connection=draw(connections(number)),
                status=(status := draw(st.sampled_from(list(Status)))),
                reason=draw(st.sampled_from([None, *(r for r in Reason if r.status is status)])),
                scanned_at=NOW,
                fingerprint=draw(st.sampled_from([None, "one", "two"])),
                schemes=draw(st.sampled_from([{}, {"key": "env"}, {"key": "literal"}])),
                facts=draw(facts()),
            )
            for number in range(draw(st.integers(1, size)))
        )
    )


def connections(number):
    """Any declaration; the name tells the number."""
    return st.builds(
        Connection,
        name=st.just(f"MEXC Spot {number}"),
        exchange=st.sampled_from(["mexc", "kucoin"]),
        account=st.sampled_from([None, "main"]),
        requires=st.sampled_from([("read",), ("read", "trade"), ("futures", "other:earn")]),
        servers=st.sampled_from([(), ("203.0.113.10",), ("203.0.113.10", "203.0.113.11")]),
        lifecycle=st.sampled_from(["active", "active", "retired"]),
        purpose=st.sampled_from([None, "treasury"]),
        created=st.sampled_from([None, date(2026, 10, 1), date(2024, 10, 1)]),
        uid=st.sampled_from([None, "a"]),
        attestations=st.sampled_from([{}, {"two_factor": Attestation("alice", date(2026, 11, 1))}]),
        place=st.just(PLACE),
    )
