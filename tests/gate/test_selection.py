"""Which connections are selected."""

import pytest
from msgspec.structs import replace

from bfaudit.errors import NothingToAudit, UsageError
from bfaudit.model import Audit, Connection, Place, Rejected, Snapshot
from bfaudit.selection import Selection, changed, matches, narrowed, selected
from tests.evaluate.fleets import NOW, scanned

PLACE = Place("fleet.yaml", 1, 1)


def connection(name, **declared):
    return Connection(**{"name": name, "exchange": "mexc", "place": PLACE, **declared})


FLEET = (
    connection("MEXC Spot", strategy="grid", environment="production"),
    connection("MEXC [old]", strategy="dca", environment="test"),
    connection("KuCoin Spot", exchange="kucoin", strategy="grid"),
)


def names(**given):
    return [one.name for one in selected(Selection(**given), FLEET)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"only": ("MEXC Spot",)}, ["MEXC Spot"]),
        ({"only": ("*Spot",)}, ["MEXC Spot", "KuCoin Spot"]),
        ({"only": ("MEXC [old]",)}, ["MEXC [old]"]),
        ({"only": ("KuCoin Spot", "MEXC Spot")}, ["MEXC Spot", "KuCoin Spot"]),
        ({"strategy": ("grid",)}, ["MEXC Spot", "KuCoin Spot"]),
        ({"exchange": ("ku*",)}, ["KuCoin Spot"]),
        ({"environment": ("production", "test")}, ["MEXC Spot", "MEXC [old]"]),
        ({"strategy": ("grid",), "exchange": ("mexc",)}, ["MEXC Spot"]),
        ({"changed": frozenset({"KuCoin Spot"})}, ["KuCoin Spot"]),
        (
            {"changed": frozenset({"KuCoin Spot", "MEXC Spot"}), "exchange": ("mexc",)},
            ["MEXC Spot"],
        ),
    ],
)
def test_selected(given, expected):
    """Any value of a field, every field; names as they are, or as globs."""

    assert expected == names(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"only": ("mexc spot",)},
        {"environment": ("staging",)},
        {"strategy": ("grid",), "environment": ("test",)},
        {"changed": frozenset()},
    ],
)
def test_nothing_selected(given):
    """Nothing selected is nothing to audit; case counts."""
    with pytest.raises(NothingToAudit):
        names(**given)


def test_a_hint_for_what_is_misspelt():
    """The nearest name is offered."""
    with pytest.raises(NothingToAudit) as caught:
        names(only=("MEXC Spott",))

    assert "MEXC Spot" in caught.value.hint


def test_one_misspelt_value_among_others_is_refused():
    """It would pass unseen otherwise."""
    with pytest.raises(UsageError, match="--only 'MEXC Sport'"):
        names(only=("KuCoin Spot", "MEXC Sport"))


def test_no_option_selects_no_part():
    """A selection without a value is false, one of no changes is not."""

    assert not Selection()
    assert Selection(changed=frozenset())
    assert Selection(exchange=("mexc",))


def test_what_is_not_declared_matches_nothing():
    """Not even `*`."""

    assert not matches("*", None)
    assert ["MEXC Spot", "MEXC [old]"] == names(environment=("*",))


def test_rejected_connections_may_be_selected():
    """Only their name is certain, so that nothing but a name can leave them out."""
    rejected = Rejected("MEXC Bad", PLACE, "wrong")

    assert Selection(exchange=("kucoin",)).may_have(rejected)
    assert Selection(only=("MEXC *",)).may_have(rejected)
    assert not Selection(only=("KuCoin *",)).may_have(rejected)
    assert () == selected(Selection(only=("MEXC Bad",)), FLEET, [rejected])


def test_changed_reads_what_is_declared():
    """A moved line is no change, a changed server is."""
    moved = replace(FLEET[0], place=Place("other.yaml", 9, 9), places={"name": PLACE})
    other = replace(FLEET[1], servers=("203.0.113.10",))
    new = connection("New")

    assert {"MEXC [old]", "New"} == changed(FLEET, (moved, other, FLEET[2], new))
    assert frozenset() == changed(FLEET, ())


def test_narrowed_keeps_verdicts_and_counts_what_is_left_out():
    """An audit of a part says how much of the fleet it is not about."""
    snapshot = Snapshot(generated_at=NOW, connections=(scanned("a"), scanned("b"), scanned("c")))
    audit = Audit(snapshot=snapshot, generated_at=NOW, results=(), rules=(), policies=())

    part = narrowed(audit, {"b"}, ())

    assert ["b"] == [one.connection.name for one in part.snapshot.connections]
    assert 2 == part.snapshot.unselected
