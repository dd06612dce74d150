"""What counts as a failure, and which code wins."""

import pytest
from msgspec.structs import replace

from bfaudit.errors import UsageError
from bfaudit.gate import FailOn, exit_code
from bfaudit.model import Severity, fingerprint
from tests.evaluate.test_exit_code import DOWN, audit

HIGH = FailOn()
KNOWN = frozenset({fingerprint("r", "a")})


def code(*outcomes, fail_on=HIGH, known=frozenset(), options=None, **more):
    judged = replace(audit(*outcomes, **more), baselined=known)
    return exit_code(judged, fail_on=fail_on, max_unknown=0, **(options or {}))


def test_fail_on_takes_severities_and_rules():
    """The lowest severity counts, and every rule; rules alone leave the severity out."""

    assert FailOn() == FailOn.of((), ["r"])
    assert FailOn(Severity.LOW) == FailOn.of(["high", "low"], ["r"])
    assert FailOn(None, frozenset({"r"})) == FailOn.of(["r"], ["r", "s"])
    assert FailOn(Severity.CRITICAL, frozenset({"r"})) == FailOn.of(["critical", "r"], ["r"])


def test_an_unknown_rule_is_refused():
    """With what was meant; a rule that is switched off cannot fail, and is refused too."""
    with pytest.raises(UsageError) as caught:
        FailOn.of(["no-withdrow"], ["no-withdraw"])
    with pytest.raises(UsageError, match="switches that rule off"):
        FailOn.of(["no-withdraw"], [], ["no-withdraw"])

    assert "no-withdraw" in caught.value.hint


@pytest.mark.parametrize(
    ("outcomes", "more", "expected"),
    [
        (["fail"], {}, 1),
        (["fail"], {"known": KNOWN}, 0),
        (["fail excepted"], {"known": KNOWN}, 0),
        (["fail", "unknown"], {"known": KNOWN}, 4),
        (["fail low"], {"fail_on": FailOn(None, frozenset({"r"}))}, 1),
        (["fail critical"], {"fail_on": FailOn(None, frozenset({"other"}))}, 0),
        (["fail critical"], {"fail_on": FailOn(Severity.HIGH, frozenset({"other"}))}, 1),
        (["pass"], {"options": {"gaps": 1}}, 4),
        (["fail"], {"options": {"gaps": 1}}, 1),
        (["pass"], {"options": {"gaps": 1, "exit_zero": True}}, 0),
        (["pass"], {"options": {"gaps": 1}, "rejected": True}, 2),
        (["pass"], {"options": {"gaps": 1}, "interrupted": True}, 130),
        ([], {}, 3),
        ([], {"options": {"allow_empty": True}}, 0),
        ([], {"options": {"exit_zero": True}}, 3),
        ([], {"options": {"gaps": 1}}, 4),
        ([], {"options": {"allow_empty": True}, "rejected": True}, 2),
        (["pass"], {"options": {"allow_empty": True}, **DOWN}, 4),
        (["not-applicable"], {"options": {"allow_empty": True}, **DOWN}, 4),
        (["not-applicable"], DOWN, 3),
    ],
)
def test_codes(outcomes, more, expected):
    """130, 2, 3, 1, 4: what is missing beside the results is incomplete, however many unknowns are allowed."""

    assert expected == code(*outcomes, **more)
