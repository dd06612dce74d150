"""The rules of an audit, with what became of each over all connections."""

from collections.abc import Sequence
from itertools import groupby

from bfaudit.model import Audit, Outcome, Result, Rule
from bfaudit.report.findings import RuleView
from bfaudit.report.wording import paragraph


def rule_views(audit: Audit) -> tuple[RuleView, ...]:
    """The rules, worst first."""
    results: dict[str, list[Result]] = {rule.id: [] for rule in audit.rules}
    for name, run in groupby(audit.results, key=lambda result: result.rule.id):
        results[name] += run
    return tuple(
        _view(rule, results[rule.id])
        for rule in sorted(audit.rules, key=lambda rule: (-rule.severity, rule.id))
    )


def _view(rule: Rule, results: Sequence[Result]) -> RuleView:
    outcomes = [result.judgement.outcome for result in results]
    return RuleView(
        id=rule.id,
        policy=rule.policy,
        title=paragraph(rule.title),
        severity=rule.severity.word,
        rationale=paragraph(rule.rationale),
        references=rule.references,
        controls=tuple((name, ", ".join(ids)) for name, ids in rule.controls.items()),
        outcomes={outcome.value: outcomes.count(outcome) for outcome in Outcome},
        passed=tuple(
            [result.connection for result in results if result.judgement.outcome is Outcome.PASS]
        ),
    )
