"""Snapshots of several hosts become one."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from bfaudit.merge import Named, merge
from bfaudit.model import ExchangeScanned, Place, Reason, Rejected, Status
from bfaudit.snapshot import decode, encode
from tests.evaluate.fleets import NOW, fleets, scanned, snapshot

LATER = NOW + timedelta(hours=1)


def at(scan, moment):
    return replace(scan, scanned_at=moment)


def joined(*snapshots):
    return merge([Named(f"{number}.json", one) for number, one in enumerate(snapshots)])


def test_the_newest_wins():
    """In whatever order they are given."""
    old, new = scanned("a", status=Status.IP_NOT_ALLOWED), at(scanned("a"), LATER)
    for parts in ((old, new), (new, old)):
        made = joined(*map(snapshot, parts))

        assert (new,) == made.snapshot.connections
        assert () == made.conflicts


def test_every_connection_once():
    """Those of all hosts."""
    made = joined(snapshot(scanned("a"), scanned("b")), snapshot(scanned("b"), scanned("c")))

    assert ["a", "b", "c"] == [one.connection.name for one in made.snapshot.connections]


def test_a_host_without_the_secret_has_seen_nothing():
    """It does not replace what another host saw, however late it looked."""
    seen = scanned("a")
    blind = at(
        scanned("a", key=None, status=Status.INVALID_KEY, reason=Reason.UNRESOLVED_CREDENTIAL),
        LATER,
    )
    made = joined(snapshot(seen), snapshot(blind))

    assert (seen,) == made.snapshot.connections
    assert () == made.conflicts


def test_conflicts_are_named():
    """One name for two keys, or for two exchanges."""
    made = joined(
        snapshot(scanned("a", key="one"), scanned("b")),
        snapshot(at(scanned("a", key="two"), LATER), scanned("b", exchange="kucoin")),
    )

    assert 2 == len(made.conflicts)
    assert all(file in made.conflicts[0] for file in ("0.json", "1.json"))
    assert "two" == made.snapshot.connections[0].fingerprint


def test_exchanges_are_added_up():
    """Once per address; the greatest offset stays, and a redirected one is always named."""
    one = ExchangeScanned(id="mexc", url="https://a", requests=2, clock_offset_ms=-9)
    two = ExchangeScanned(id="mexc", url="https://a", requests=3, clock_offset_ms=4)
    other = ExchangeScanned(id="mexc", url="http://b", redirected=True, requests=1)
    made = joined(snapshot(scanned("a"), exchanges=(one,)), snapshot(exchanges=(two, other)))

    assert (other, replace(one, requests=5)) == made.snapshot.exchanges


def test_what_is_wrong_with_one_is_wrong_with_all():
    """Interrupted, or rejected and nowhere scanned."""
    bad, fine = (Rejected(name, Place("f", 1, 1), "wrong") for name in ("bad", "a"))
    made = joined(
        snapshot(scanned("a"), rejected=(bad,)),
        snapshot(interrupted=True, rejected=(fine,)),
    ).snapshot

    assert made.interrupted
    assert (bad,) == made.rejected


def test_selections_that_make_up_the_fleet():
    """What one left out another has."""
    parts = snapshot(scanned("a"), unselected=2), snapshot(scanned("b"), unselected=2)

    assert 1 == joined(*parts).snapshot.unselected


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(fleets(), fleets())
def test_it_is_a_snapshot(one, two):
    """It goes through JSON, holds every name once, and merging it again changes nothing."""
    made = joined(one, two).snapshot

    assert made.connections == decode(encode(made), "f").connections
    assert {one.connection.name for one in made.connections} == {
        scan.connection.name for part in (one, two) for scan in part.connections
    }
    assert made.connections == joined(made).snapshot.connections
