"""Exceptions: what is in force is applied and stays visible, what is not is a finding, and nothing is applied in silence."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bfaudit.cli.scaffold import EXCEPTIONS
from bfaudit.errors import InvalidInput
from bfaudit.evaluate import evaluate, summary
from bfaudit.exceptions import APPROVERS, DAYS, RULES, _not_in_force, decide
from bfaudit.formats import FORMATS, Options
from bfaudit.formats import json as reports
from bfaudit.gate import FailOn, exit_code
from bfaudit.model import Outcome, Severity
from bfaudit.policy.exceptions import load
from bfaudit.policy.read import read
from tests.cli.harness import ROOT
from tests.evaluate.fleets import NOW, scanned, snapshot

BASELINE = read(["baseline"])
SEVERITIES = {rule.rule.id: rule.rule.severity for policy in BASELINE for rule in policy.rules}
GOOD = {
    "id": "EXC-1",
    "rules": "[ip-restricted]",
    "select": "{connection: MEXC Spot Main}",
    "type": "risk-accepted",
    "reason": "vendor egress has no fixed address",
    "ticket": "SEC-412",
    "requested_by": "alice",
    "approved_by": "[bob]",
    "created": "2026-11-01",
    "expires": "2026-12-01",
}
OPEN = {"network.ip_restricted": False}
FLEET = (
    scanned(known=OPEN, account="main", tags=("a", "b"), label="bot"),
    scanned("KuCoin Spot Two", known={"network.ip_restricted": True}, exchange="kucoin"),
    scanned("KuCoin Spot Three", exchange="kucoin"),
)


def text(*exceptions, limits=""):
    entries = (
        "  - " + "\n    ".join(f"{name}: {value}" for name, value in one.items() if value) + "\n"
        for one in exceptions
    )
    head = f"apiVersion: bfaudit/v1\nkind: Exceptions\n{limits}exceptions:"
    return "\n".join([head, *entries]) if exceptions else f"{head} []\n"


def judged(*exceptions, now=NOW, limits="", fleet=FLEET):
    asked = load([("exceptions.yaml", text(*exceptions, limits=limits))], SEVERITIES)
    return decide(evaluate(snapshot(*fleet), BASELINE, now), asked, now)


def excepted(audit):
    return {(r.rule.id, r.connection): r.exception for r in audit.results if r.exception}


def findings(audit):
    return [(r.rule.id, r.connection) for r in audit.results if r.rule.id in RULES]


def message(audit):
    (one,) = (r for r in audit.results if r.rule.id in RULES)
    return one.judgement.message


def test_applied():
    """The finding keeps its outcome, carries the exception, and no longer counts as a failure."""
    before, after = evaluate(snapshot(*FLEET), BASELINE, NOW), judged(GOOD)

    assert {("ip-restricted", "MEXC Spot Main"): "EXC-1"} == excepted(after)
    assert [] == findings(after)
    assert [r.outcome for r in before.results] == [r.outcome for r in after.results]
    assert 1 == summary(after).excepted
    assert summary(before).failed_by_severity[Severity.HIGH] - 1 == summary(after).failed_by_severity[Severity.HIGH]  # fmt: skip
    assert ["EXC-1"] == [each.id for each in after.exceptions]


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        (datetime(2026, 12, 1, 23, 59, 59, 999999, tzinfo=UTC), True),
        (datetime(2026, 12, 2, tzinfo=UTC), False),
        (datetime(2026, 11, 1, tzinfo=UTC), True),
        (datetime(2026, 10, 31, 23, 59, tzinfo=UTC), False),
    ],
)
def test_until_the_end_of_the_day(moment, holds):
    """It holds from the first moment of its first day to the last of its last, in UTC."""

    assert holds is bool(excepted(judged(GOOD, now=moment)))


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ({"expires": "2026-11-21"}, "exception-expired", "until 2026-11-21"),
        ({"expires": "2027-02-01"}, "exception-too-long", "lasts 92 days; for a high rule 90"),
        ({"reason": ""}, "exception-incomplete", "lacks `reason`"),
        ({"type": "", "ticket": ""}, "exception-incomplete", "lacks `type`, `ticket`"),
        ({"expires": ""}, "exception-incomplete", "lacks `expires`"),
        ({"created": ""}, "exception-incomplete", "lacks `created`"),
        ({"approved_by": ""}, "exception-incomplete", "lacks `approved_by`"),
        ({"approved_by": "[alice]"}, "exception-incomplete", "not approved yet"),
        ({"approved_by": '[" ALICE "]'}, "exception-incomplete", "not approved yet"),
        ({"approved_by": "[ａｌｉｃｅ]"}, "exception-incomplete", "not approved yet"),
        ({"approved_by": "[аlice]"}, "exception-incomplete", "name аlice mixes scripts"),
        ({"approved_by": "[bob, Bоb]"}, "exception-incomplete", "name Bоb mixes scripts"),
        ({"requested_by": "bοb"}, "exception-incomplete", "name bοb mixes scripts"),
        ({"created": "2026-11-23"}, "exception-incomplete", "from 2026-11-23 only"),
        ({"select": "{connection: MEXC Spot Mian}"}, "exception-unmatched", 'did you mean "MEXC Spot Main"'),
        ({"select": "{account: Main}"}, "exception-unmatched", "No audited connection"),
        ({"select": "{connection: KuCoin Spot Two}"}, "exception-ineffective", "None of its rules fails"),
    ],
)  # fmt: skip
def test_findings_of_their_own(change, rule, said):
    """What is not in force, or not needed, is told in the exceptions file and applies to nothing."""
    audit = judged({**GOOD, **change})

    assert [rule] == [name for name, _ in findings(audit)]
    assert said in message(audit)
    assert {} == excepted(audit)
    (result,) = (r for r in audit.results if r.rule.id == rule)
    assert ("exceptions.yaml", 4) == (result.place.file, result.place.line)
    assert Outcome.FAIL is result.outcome
    assert RULES[rule] in audit.rules


@pytest.mark.parametrize(
    "name",
    ["Анна Смирнова", "Дарʼя", "Άννα", "山田エミ", "佐々木ゆり", "김민준", "José Ñúñez", "ｂｏｂ", "Anna Иванова", "Zoë-2", "Ødegård"],
)  # fmt: skip
def test_a_name_of_one_script_is_a_name(name):
    """Each word in its own: no way to write is another's suspect."""

    assert [] == findings(judged({**GOOD, "approved_by": f"[{name}]"}))


def test_a_name_that_is_nobodys():
    """What is excepted stays excepted; the name would wait for the next connection that is called so."""
    names = "[MEXC Spot Main, MEXC Spot Mian, MEXC Spot Mian]"
    audit = judged({**GOOD, "select": f"{{connection: {names}}}"})

    assert {("ip-restricted", "MEXC Spot Main"): "EXC-1"} == excepted(audit)
    assert ["exception-unmatched"] == [name for name, _ in findings(audit)]
    assert 'called MEXC Spot Mian: did you mean "MEXC Spot Main"' in message(audit)


def test_what_is_unknown_keeps_its_exception():
    """A connection without an answer may fail again: its exception is not called needless."""
    audit = judged({**GOOD, "select": "{connection: KuCoin Spot Three}"})

    assert [] == findings(audit)
    assert {} == excepted(audit)


def test_only_failures_are_excepted():
    """Unknown stays unknown."""
    audit = judged({**GOOD, "select": "{exchange: [mexc, kucoin]}"})

    assert {("ip-restricted", "MEXC Spot Main")} == set(excepted(audit))


CRITICAL = {**GOOD, "rules": "[no-withdraw]", "approved_by": "[bob, carol]"}
RICH = (scanned(known={"permissions.withdraw": "granted"}),)


@pytest.mark.parametrize(
    ("approvers", "holds"), [("[bob, carol]", True), ("[bob]", False), ("[bob, Bob]", False)]
)
def test_critical_needs_two(approvers, holds):
    """Two others approve a critical rule; the same person is one."""

    assert holds is bool(excepted(judged({**CRITICAL, "approved_by": approvers}, fleet=RICH)))


def test_critical_needs_names():
    """A rule that became critical since is not excepted for whoever comes to that exchange."""
    asked = load([("e.yaml", text({**CRITICAL, "select": "{exchange: mexc}"}))])
    audit = decide(evaluate(snapshot(*RICH), BASELINE, NOW), asked, NOW)

    assert {} == excepted(audit)
    assert "names no connection" in message(audit)


def test_the_worst_rule_decides():
    """An exception from several rules needs what the worst of them needs."""
    both = {**CRITICAL, "rules": "[name-is-clear, no-withdraw]", "expires": "2026-12-02"}

    assert ["exception-too-long"] == [name for name, _ in findings(judged(both, fleet=RICH))]


def test_limits_of_the_file():
    """A file may ask for more, or for less, for everybody to see."""
    limits = "limits: {approvers: {high: 2}, days: {high: 20}}\n"

    assert ["exception-too-long", "exception-incomplete"] == [n for n, _ in findings(judged(GOOD, limits=limits))]  # fmt: skip


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ("{connection: MEXC Spot Main}", {"MEXC Spot Main"}),
        ("{connection: MEXC}", set()),
        ("{connection: '*'}", set()),
        ("{connection: 'glob:*Spot*'}", {"MEXC Spot Main"}),
        ("{connection: 're:MEXC.*'}", {"MEXC Spot Main"}),
        ("{connection: 're:Spot'}", set()),
        ("{exchange: mexc, account: main}", {"MEXC Spot Main"}),
        ("{exchange: mexc, account: other}", set()),
        ("{tag: b}", {"MEXC Spot Main"}),
        ("{label: bot}", {"MEXC Spot Main"}),
        ("{connection: [MEXC Spot Main, MEXC Spot Main]}", {"MEXC Spot Main"}),
    ],
)
def test_select(select, names):
    """Exact unless a pattern is asked for; every field must match."""

    assert names == {name for _, name in excepted(judged({**GOOD, "select": select}))}


def test_patterns_take_linear_time():
    """A pattern that would hang a backtracking engine is answered at once."""
    long = scanned("a" * 5000, known=OPEN)

    audit = judged({**GOOD, "select": "{connection: 're:(a+)+$b'}"}, fleet=(long,))

    assert {} == excepted(audit)


@pytest.mark.parametrize(
    ("change", "said", "hint"),
    [
        ({"select": "{}"}, "every connection", "select"),
        ({"select": ""}, '"select" is missing', None),
        ({"rules": "[ip-restrictd]"}, "no loaded policy has a rule", "ip-restricted"),
        ({"rules": "['*']"}, "no loaded policy has a rule", None),
        ({"rules": "[]"}, "empty", None),
        ({"select": "{conection: x}"}, "unknown field", "connection"),
        ({"select": "{connection: 're:('}"}, "not a pattern", None),
        ({"select": "{connection: 're:a)|(b'}"}, "not a pattern", None),
        ({"select": "{connection: 'glob:'}"}, "pattern is empty", None),
        ({"rules": "[no-withdraw]", "select": "{connection: 'glob:*'}"}, "critical rule", "name each"),
        ({"rules": "[no-withdraw]", "select": "{exchange: 're:.*'}"}, "critical rule", "name each"),
        ({"rules": "[no-withdraw]", "select": "{environment: production}"}, "names no connection", "name each"),
        ({"type": "wontfix"}, "wontfix", None),
        ({"expires": "soon"}, "not a date", None),
        ({"expires": "2026-02-30"}, "no day", None),
        ({"expires": "2026-10-01"}, "expires before", None),
        ({"approved_by": "bob"}, "list", None),
        ({"owner": "x"}, "unknown field", None),
    ],
)  # fmt: skip
def test_mistakes(change, said, hint):
    """What cannot be meant stops the run, with its place."""
    with pytest.raises(InvalidInput) as caught:
        load([("exceptions.yaml", text({**GOOD, **change}))], SEVERITIES)

    (problem,) = caught.value.problems
    assert said in problem.message
    assert (hint or "") in (problem.hint or "")
    assert "exceptions.yaml" == problem.place.file


def test_all_mistakes_of_all_files():
    """Mistakes do not hide each other; an id is unique over files."""
    broken = text({**GOOD, "rules": "[nope]", "expires": "soon"}, GOOD)
    with pytest.raises(InvalidInput) as caught:
        load([("a.yaml", broken), ("b.yaml", text(GOOD))], SEVERITIES)

    assert 4 == len(caught.value.problems)
    assert {"a.yaml", "b.yaml"} == {problem.place.file for problem in caught.value.problems}


@pytest.mark.parametrize("limits", ["limits: {approvers: {critical: 0}}\n", "limits: {days: {higt: 3}}\n", "limits: {}\n"])  # fmt: skip
def test_limits_that_are_none(limits):
    """No file does without approval."""
    with pytest.raises(InvalidInput):
        load([("exceptions.yaml", text(GOOD, limits=limits))], SEVERITIES)


def test_order_identity_and_exit_code():
    """Findings on exceptions stand in the total order, have identities of their own, and make a run fail."""
    expired = {**GOOD, "expires": "2026-11-20"}
    audit = judged(expired, {**expired, "id": "EXC-2"}, {**expired, "id": "EXC-3", "select": "{exchange: [mexc, kucoin]}"})  # fmt: skip

    keys = [(-r.rule.severity, r.rule.id, r.connection) for r in audit.results]
    assert keys == sorted(keys)
    assert [("exception-expired", name) for name in ("EXC-3", "MEXC Spot Main", "MEXC Spot Main")] == findings(audit)  # fmt: skip
    assert len(audit.results) == len({r.fingerprint for r in audit.results})
    assert 1 == exit_code(audit, fail_on=FailOn(Severity.HIGH), max_unknown=100.0, exit_zero=False)


def test_a_second_exception_changes_nothing():
    """The first exception of the files is the one that is named."""
    audit = judged(GOOD, {**GOOD, "id": "EXC-2"})

    assert {("ip-restricted", "MEXC Spot Main"): "EXC-1"} == excepted(audit)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_can_write_it(name):
    """Findings on exceptions that select no single connection are written like all others."""
    audit = judged(GOOD, {**GOOD, "id": "EXC-2", "expires": "2026-11-20", "select": "{exchange: [mexc, kucoin]}"})  # fmt: skip

    assert FORMATS[name].render(audit, Options())


@pytest.mark.parametrize("name", ["html", "json", "markdown", "text"])
def test_what_stands_behind_it_is_shown(name):
    """Reason, ticket, approvers and end are shown beside the finding."""
    made = FORMATS[name].render(judged(GOOD), Options(width=160))
    shown = made.decode() if isinstance(made, bytes) else made

    for word in ("EXC-1", "vendor egress has no fixed address", "SEC-412", "alice", "bob", "2026-12-01"):  # fmt: skip
        assert word in shown


def test_a_report_keeps_them():
    """Read back, a JSON report has the same exceptions and the same findings."""
    audit = judged(GOOD, {**GOOD, "id": "EXC-2", "expires": "2026-11-20", "select": "{exchange: [mexc, kucoin]}"})  # fmt: skip

    again = reports.read(reports.render(audit, Options()), "report.json").audit

    assert audit.exceptions == again.exceptions
    assert [r.fingerprint for r in audit.results] == [r.fingerprint for r in again.results]


def test_many_exceptions_stay_cheap():
    """A thousand exceptions by name look at a thousand connections, not at a million."""
    fleet = tuple(scanned(f"Name {n}", known=OPEN) for n in range(300))
    some = [{**GOOD, "id": f"E{n}", "select": f"{{connection: Name {n}}}"} for n in range(300)]

    assert 300 == len(excepted(judged(*some, fleet=fleet)))


def test_a_year_is_enough_for_low():
    """The longest life goes with the least severity."""
    low = {**GOOD, "rules": "[name-is-clear]", "expires": str(date(2026, 11, 1) + timedelta(days=365))}  # fmt: skip

    audit = judged({**low, "select": "{connection: x}"}, fleet=(scanned("x"),))

    assert {("name-is-clear", "x"): "EXC-1"} == excepted(audit)


def test_the_page_and_the_file_that_init_writes_show_what_holds():
    """Their examples are in force as they stand, and the page's tables are those of the code."""
    page = (ROOT / "docs" / "exceptions.md").read_text("utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    ours = "".join(
        line.removeprefix("#")
        for line in EXCEPTIONS.splitlines(keepends=True)
        if line.startswith("#  ")
    )
    written = EXCEPTIONS.replace("exceptions: []\n", f"exceptions:\n{ours}")
    for text, day in ((shown, "2026-11-22"), (written, "2026-11-22")):
        ((one, limits),) = load([("exceptions.yaml", text)], SEVERITIES)

        assert [] == list(_not_in_force(one, limits, SEVERITIES, date.fromisoformat(day)))
    for severity in Severity:
        row = next(
            line for line in page.splitlines() if line.startswith("|") and severity.word in line
        )
        assert row.endswith(f"| {APPROVERS[severity]} | {DAYS[severity]} |")
    for rule in RULES:
        assert f"| `{rule}` | {RULES[rule].severity.word} |" in page
