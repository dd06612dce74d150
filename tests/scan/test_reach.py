"""What follows from facts by an exchange's rules: reach and lapse, three-valued."""

from datetime import UTC, datetime, timedelta

import pytest

from bfaudit.exchanges import known
from bfaudit.facts import FactsBuilder
from bfaudit.model import Facts, Grant
from bfaudit.reach import conclude

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def _facts(granted=(), denied=(), **values):
    facts = FactsBuilder("GET /x")
    for word in granted:
        facts.grant(word, granted=True)
    for word in denied:
        facts.grant(word, granted=False)
    for path, value in values.items():
        facts.know(path.replace("__", "."), value)
    return facts.build({}, "not told")


DENIED = ("withdraw", "transfer", "manage_keys")


def test_a_general_master_key_can_mint_keys():
    """KuCoin: reading on a master account is enough to make sub-account keys."""
    facts = _facts(("read",), DENIED, account_facts__is_master=True)
    reached = conclude(known()["kucoin"], facts, NOW)

    assert Grant.GRANTED == reached.known["reach.manage_keys"].value
    assert "/api/v1/sub/api-key" in reached.known["reach.manage_keys"].via
    assert "https://" in reached.known["reach.manage_keys"].via


def test_a_sub_account_key_cannot():
    """The same permission on a sub-account reaches nothing more."""
    facts = _facts(("read",), DENIED, account_facts__is_master=False)

    assert Grant.DENIED == conclude(known()["kucoin"], facts, NOW).known["reach.manage_keys"].value


def test_not_knowing_the_account_is_unknown():
    """Whether it is a master account decides, and is not known."""
    facts = _facts(("read",), DENIED)

    assert "reach.manage_keys" in conclude(known()["kucoin"], facts, NOW).unknown


def test_disagreeing_sources_are_unknown():
    """MEXC's pages disagree on whether a read key mints keys: that is unknown, never denied."""
    facts = _facts(("read", "trade"), DENIED)
    reached = conclude(known()["mexc"], facts, NOW)

    assert "do not agree" in reached.unknown["reach.manage_keys"]


def test_spot_moves_funds_between_accounts():
    """KuCoin: trading implies transfers between own accounts."""
    facts = _facts(("read", "trade"), DENIED, account_facts__is_master=True)

    assert Grant.GRANTED == conclude(known()["kucoin"], facts, NOW).known["reach.transfer"].value


def test_own_permission_comes_first():
    """What the key may do itself needs no further path."""
    facts = _facts(("read", "withdraw"), ("transfer", "manage_keys"))

    assert "own" in conclude(known()["mexc"], facts, NOW).known["reach.withdraw"].via


@pytest.mark.parametrize("exchange", sorted(known()))
def test_nothing_known_is_nothing_concluded(exchange):
    """Without permissions nothing is granted or denied, for any exchange."""
    reached = conclude(known()[exchange], _facts(), NOW)

    assert not [path for path in reached.known if path.startswith("reach.")]


def test_lapse_of_an_unbound_key():
    """MEXC: 90 days from creation without an IP list."""
    created = NOW - timedelta(days=10)
    facts = _facts(("read", "trade"), DENIED, network__ip_restricted=False, key__created_at=created)
    lapse = conclude(known()["mexc"], facts, NOW).known["key.lapses_at"]

    assert created + timedelta(days=90) == lapse.value
    assert "predicted" in lapse.limitation


def test_a_bound_key_does_not_lapse():
    """With an IP list no rule of KuCoin ends a key."""
    facts = _facts(("read", "trade"), DENIED, network__ip_restricted=True)

    assert conclude(known()["kucoin"], facts, NOW).known["key.lapses_at"].value is None


def test_scanning_counts_as_use():
    """An idle rule counts from this scan, and says so."""
    facts = _facts(("read", "trade"), DENIED, network__ip_restricted=False)
    lapse = conclude(known()["kucoin"], facts, NOW).known["key.lapses_at"]

    assert NOW + timedelta(days=30) == lapse.value
    assert "use" in lapse.limitation


def test_a_permission_that_is_unknown_is_not_denied():
    """A token that is listed in a form nobody documents may open an exit; one that is not listed does not."""
    facts = _facts(("read",), DENIED, account_facts__is_master=True)
    unknown = {"permissions.other:Earn": "told in a form that is not documented"}
    unsure = Facts(facts.known, {**facts.unknown, **unknown})

    assert "reach.exits" in conclude(known()["bybit"], unsure, NOW).unknown


def test_a_day_still_to_come_makes_no_young_key():
    """A creation or a last use that is still to come is no age: clocks differ by minutes, not by days."""
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(days=2)
    facts = _facts(("read",), DENIED, key__created_at=late, key__last_used_at=soon)
    told = conclude(known()["gate"], facts, NOW)

    assert "Gate gives a day that is still to come" == told.unknown["key.created_at"]
    assert "key.created_at" not in told.known
    assert soon == told.known["key.last_used_at"].value
