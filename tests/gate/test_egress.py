"""The egress check: pass, fail, unknown with masks."""

import pytest

from bfaudit.egress import RULE, address, checked, result
from bfaudit.errors import UsageError
from bfaudit.evaluate import evaluate
from bfaudit.model import Fact, Outcome, Place, Severity, Status
from bfaudit.policy.read import read
from tests.evaluate.fleets import NOW, scanned, snapshot

HOST = "203.0.113.10"


def bound(*entries, restricted=True):
    return {
        "network.ip_restricted": Fact(restricted),
        "network.ip_allowlist": Fact(tuple(entries)),
    }


@pytest.mark.parametrize(
    ("facts", "hosts", "expected"),
    [
        (bound(HOST), (HOST,), Outcome.PASS),
        (bound("203.0.113.0/24"), (HOST,), Outcome.PASS),
        (bound("198.51.100.7"), (HOST,), Outcome.FAIL),
        (bound(HOST), (HOST, "198.51.100.7"), Outcome.FAIL),
        (bound(HOST), ("203.0.113.8/29",), Outcome.FAIL),
        (bound(), (HOST,), Outcome.FAIL),
        (bound("203.**.10"), (HOST,), Outcome.UNKNOWN),
        (bound("198.**.10"), (HOST,), Outcome.FAIL),
        (bound("198.51.100.7", "203.0.*.*"), (HOST,), Outcome.UNKNOWN),
        (bound(restricted=False), (HOST,), Outcome.PASS),
        ({"network.ip_restricted": Fact(True)}, (HOST,), Outcome.UNKNOWN),
        ({}, (HOST,), Outcome.UNKNOWN),
        (bound("2001:db8::/32"), ("2001:db8::1",), Outcome.PASS),
        (bound("2001:db8::/32"), (HOST,), Outcome.FAIL),
    ],
)
def test_verdicts(facts, hosts, expected):
    """A list that is not told, or is masked, is never a pass."""

    assert expected is result(scanned(known=facts), hosts).outcome


def test_the_reason_for_not_knowing_is_told():
    """The exchange's silence, or the status."""
    silent = scanned(unknown={"network.ip_allowlist": "it is not told"})
    down = scanned(status=Status.EXCHANGE_UNAVAILABLE)

    assert "it is not told" in result(silent, (HOST,)).judgement.message
    assert "Exchange unavailable" in result(down, (HOST,)).judgement.message


def test_retired_connections_are_not_deployed_to():
    """The rule does not apply to them."""
    retired = scanned(known=bound("198.51.100.7"), lifecycle="retired")

    assert Outcome.NOT_APPLICABLE is result(retired, (HOST,)).outcome


def test_it_blames_the_declared_servers():
    """The finding stands where the servers are declared."""
    place = Place("fleet.yaml", 7, 5)
    one = scanned(known=bound("198.51.100.7"), places={"servers": place})

    found = result(one, (HOST,))

    assert place == found.place
    assert HOST in found.judgement.message
    assert {"network.ip_restricted", "network.allowlist", "egress.address"} == {
        seen.field for seen in found.judgement.observations
    }


def test_an_audit_keeps_its_order():
    """Results stay by severity, rule, connection; the rule is among those of the audit."""
    fleet = snapshot(scanned("b", known=bound(HOST)), scanned("a", known=bound(HOST)))
    audit = checked(evaluate(fleet, read(["baseline"]), NOW), [HOST])
    order = [(-one.rule.severity, one.rule.id, one.connection) for one in audit.results]

    assert sorted(order) == order
    assert RULE in audit.rules
    assert Severity.HIGH is RULE.severity
    assert 2 == sum(one.rule is RULE for one in audit.results)


@pytest.mark.parametrize(
    "text", ["", "tokyo-1", "203.0.113", "203.0.113.10:443", "203.0.113.10/33"]
)
def test_what_is_no_address_is_refused(text):
    """A typing error is not a host that no key admits."""
    with pytest.raises(UsageError, match="--from"):
        address(text)


def test_addresses_of_both_kinds():
    """An IP or a CIDR, spaces around it forgiven."""

    assert "203.0.113.10" == address(" 203.0.113.10 ")
    assert "2001:db8::/32" == address("2001:db8::/32")
