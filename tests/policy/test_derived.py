"""Fields that are worked out: days, bindings, attestations, what connections of a fleet share."""

from datetime import date, timedelta

import pytest

from bfaudit.model import Attestation, Reason
from bfaudit.policy.evidence import Subject
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.fleet import LISTED, Fleet
from bfaudit.policy.functions import age, is_masked, mask_admits, wildcard
from tests.evaluate.fleets import NOW, scanned


def see(name, one, *others):
    return FIELDS[name].get(Subject(one, 0, Fleet([one, *others]), NOW))


@pytest.mark.parametrize("reason", list(Reason))
def test_what_a_refusal_tells(reason):
    """A refusal for a reason; not for another; unknown where the exchange did not get so far."""
    one = scanned(status=reason.status, reason=reason)
    blind = reason.status.value == "Exchange unavailable" or reason in (
        Reason.AMBIGUOUS, Reason.UNRESOLVED_CREDENTIAL, Reason.MALFORMED_SECRET,
    )  # fmt: skip

    for name, reasons in (
        ("status.address_refused", {Reason.IP_NOT_ALLOWED}),
        ("status.restricted", {Reason.ACCOUNT_RESTRICTED, Reason.REGION_BLOCKED}),
        ("status.clock_skewed", {Reason.CLOCK_SKEW}),
    ):
        expected = True if reason in reasons else None if blind else False
        assert expected is see(name, one).value


def test_days_until():
    """Full days; negative once past; no value where there is no end; unknown where that is not told."""
    path = "key.expires_at"

    assert 3 == see("key.days_to_expiry", scanned(known={path: NOW + timedelta(days=3)})).value
    assert -1 == see("key.days_to_expiry", scanned(known={path: NOW - timedelta(hours=1)})).value
    never = see("key.days_to_expiry", scanned(known={path: None}))
    assert (None, None) == (never.value, never.unknown)
    assert see("key.days_to_expiry", scanned()).unknown


def test_ties():
    """What an incident may name, in lower case."""
    one = scanned(vendor="3Commas", owner="Desk", account="Main", servers=("203.0.113.10",), tags=("Old",))  # fmt: skip

    assert ("exchange:mexc", "account:main", "owner:desk", "vendor:3commas", "server:203.0.113.10", "tag:old") == see("connection.ties", one).value  # fmt: skip


def test_an_unbound_key_is_bound_to_no_vendor():
    """Nor is one whose vendor nobody declared."""
    bound = {"key.third_party": "3Commas Ltd"}

    assert see("key.bound_to_vendor", scanned(known=bound, vendor="3commas")).value is True
    assert see("key.bound_to_vendor", scanned(known=bound)).value is False
    assert see("key.bound_to_vendor", scanned(known={"key.third_party": None}, vendor="a")).value is False  # fmt: skip
    assert see("key.bound_to_vendor", scanned(vendor="a")).value is None


def test_attestations_that_do_not_count():
    """Expired and future ones are lapsed; those without an end are endless."""
    said = {
        "a": Attestation("alice", date(2026, 1, 1), date(2026, 11, 21)),
        "b": Attestation("alice", date(2026, 11, 23)),
        "c": Attestation("alice", date(2026, 11, 1), date(2026, 11, 22)),
    }
    one = scanned(attestations=said)

    assert ("a", "b") == see("attestation.lapsed", one).value
    assert ("b",) == see("attestation.endless", one).value
    assert "no valid attestation" in see("attestation.access_review_days", one).unknown


def test_many_peers_are_some_names_and_a_remark():
    """A shared account of a thousand strategies names a few."""
    many = [scanned(f"n{i}", account="main", strategy=f"s{i}") for i in range(1000)]

    found = see("fleet.other_strategies", *many).value

    assert LISTED + 1 == len(found)
    assert "and more" == found[-1]


def test_a_replacement_is_dated_by_the_newest_key():
    """Of those that serve the same account, strategy and permissions; this one may be the newest."""

    def key(name, day, **more):
        return scanned(name, account="main", strategy="grid", created=day, **more)

    old, new = key("old", date(2026, 1, 1)), key("new", date(2026, 11, 12))

    assert 10 == see("fleet.replaced_days", old, new).value
    assert 0 == see("fleet.replaced_days", new, old).value
    assert 10 == see("fleet.replaced_days", old, new, key("undated", None)).value
    assert see("fleet.replaced_days", new, key("undated", None)).value is None
    assert see("fleet.replaced_days", key("undated", None), new).value is None
    assert ("old",) == see("fleet.same_strategy", new, old, key("retired", None, lifecycle="retired")).value  # fmt: skip


def test_functions():
    """All are total."""

    assert 3 == age(NOW - timedelta(days=3, hours=5), NOW)
    assert 0 == age(NOW, NOW - timedelta(days=3))
    assert wildcard("env:KEY", "env:*")
    assert not wildcard("ENV:KEY", "env:*")
    assert mask_admits("104.**.7", "104.16.0.0/13")
    assert not mask_admits("203.**.7", "104.16.0.0/13")
    assert is_masked("203.**.10")
    assert not is_masked("203.0.113.10")
    assert mask_admits("203.**.10", "203.0.113.10")
    assert not mask_admits("203.**.10", "198.51.100.10")
    assert not mask_admits("203.0.113.10", "203.0.113.10")
    assert not mask_admits("203.**.10", "nonsense")
