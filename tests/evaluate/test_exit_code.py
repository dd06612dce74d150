"""How an audit adds up, and how the command ends."""

from datetime import UTC, datetime

import pytest

from bfaudit.evaluate import summary
from bfaudit.gate import FailOn, exit_code
from bfaudit.model import (
    Audit,
    Connection,
    Judgement,
    Outcome,
    Place,
    Reason,
    Rejected,
    Result,
    Rule,
    Scanned,
    Severity,
    Snapshot,
    Status,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PLACE = Place("f.yaml", 1, 1)


def audit(*outcomes, status=Status.ONLINE, reason=None, rejected=False, interrupted=False):
    """One result per outcome, written `fail`, `fail low` or `fail excepted`."""
    results = []
    for text in outcomes:
        outcome, _, extra = text.partition(" ")
        excepted = extra == "excepted"
        severity = Severity.of(extra) if extra and not excepted else Severity.HIGH
        rule = Rule(id="r", policy="p", title="t", severity=severity, require="true", message="m", place=PLACE)  # fmt: skip
        judgement = Judgement(Outcome(outcome), "", "")
        results.append(Result(rule, "a", judgement, PLACE, "waived" if excepted else None))
    scanned = Scanned(
        connection=Connection(name="a", exchange="mexc", place=PLACE), status=status, reason=reason, scanned_at=NOW
    )  # fmt: skip
    snapshot = Snapshot(
        generated_at=NOW,
        connections=(scanned,),
        rejected=(Rejected("b", PLACE, "wrong"),) if rejected else (),
        interrupted=interrupted,
    )
    return Audit(snapshot=snapshot, generated_at=NOW, results=tuple(results), rules=(), policies=())


def code(*outcomes, fail_on=Severity.HIGH, max_unknown=None, exit_zero=False, **more):
    return exit_code(audit(*outcomes, **more), fail_on=FailOn(fail_on), max_unknown=max_unknown, exit_zero=exit_zero)  # fmt: skip


DOWN = {"status": Status.EXCHANGE_UNAVAILABLE, "reason": Reason.TIMEOUT}
UNRESOLVED = {"status": Status.INVALID_KEY, "reason": Reason.UNRESOLVED_CREDENTIAL}


@pytest.mark.parametrize(
    ("outcomes", "options", "expected"),
    [
        (["pass"], {}, 0),
        (["fail"], {}, 1),
        (["fail critical"], {}, 1),
        (["fail medium"], {}, 0),
        (["fail medium"], {"fail_on": Severity.MEDIUM}, 1),
        (["fail excepted"], {}, 0),
        (["fail", "unknown"], {}, 1),
        (["pass", "unknown"], {}, 4),
        (["pass", "unknown info"], {}, 4),
        (["pass", "error"], {}, 4),
        (["pass", "unknown"], {"max_unknown": 1}, 0),
        (["pass", "unknown", "error"], {"max_unknown": 1}, 4),
        (["pass", "unknown"], {"max_unknown": 50.0}, 0),
        (["pass", "unknown"], {"max_unknown": 49.0}, 4),
        (["pass"], DOWN, 4),
        (["pass"], UNRESOLVED, 4),
        (["pass"], {"status": Status.INVALID_KEY, "reason": Reason.EXPIRED}, 0),
        (["pass"], {**DOWN, "max_unknown": 1}, 0),
        (["pass"], {**DOWN, "max_unknown": 100.0}, 0),
        (["unknown"], {**DOWN, "max_unknown": 100.0}, 0),
        (["unknown", "error"], {**DOWN, "max_unknown": 99.0}, 4),
        (["fail"], UNRESOLVED, 1),
        ([], {}, 3),
        (["not-applicable"], {}, 3),
        (["fail"], {"rejected": True}, 2),
        ([], {"rejected": True}, 2),
        (["fail"], {"rejected": True, "interrupted": True}, 130),
        (["fail"], {"exit_zero": True}, 0),
        (["unknown"], {"exit_zero": True}, 0),
        ([], {"exit_zero": True}, 3),
        (["pass"], {"rejected": True, "exit_zero": True}, 2),
        (["pass"], {"interrupted": True, "exit_zero": True}, 130),
    ],
)
def test_exit_code(outcomes, options, expected):
    """The codes and their order of precedence: 130, 2, 3, 1, 4."""

    assert expected == code(*outcomes, **options)


def test_summary():
    """Findings under exception are counted as fails, but not by severity."""
    counts = summary(audit("pass", "fail", "fail excepted", "unknown", "not-applicable", **DOWN))

    assert {"pass": 1, "fail": 2, "unknown": 1, "not-applicable": 1, "error": 0} == counts.outcomes
    assert 1 == counts.failed_by_severity[Severity.HIGH] == sum(counts.failed_by_severity.values())
    assert (1, 0.75, 1) == (counts.excepted, counts.coverage, counts.unseen)
    assert Severity.CRITICAL is next(iter(counts.failed_by_severity))


def test_nothing_is_no_coverage():
    """An audit that asked nothing covers nothing."""

    assert summary(audit("not-applicable")).coverage == 0.0
