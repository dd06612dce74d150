"""The rules of an audit, with what became of each over all connections."""

from collections.abc import Sequence

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Audit, Outcome, Rule
from bfaudit.report.findings import Overridden, RuleView
from bfaudit.report.wording import paragraph, show
from bfaudit.results import Results, Run


def rule_views(audit: Audit, lang: Language = ENGLISH) -> tuple[RuleView, ...]:
    """The rules, worst first."""
    runs: dict[str, list[Run]] = {rule.id: [] for rule in audit.rules}
    for run in Results.of(audit.results).runs:
        runs[run.rule.id].append(run)
    return tuple(
        _view(rule, runs[rule.id], lang)
        for rule in sorted(audit.rules, key=lambda rule: (-rule.severity, rule.id))
    )


def left_out(audit: Audit, lang: Language = ENGLISH) -> tuple[RuleView, ...]:
    """The rules that a policy switched off, worst first."""
    rules = sorted(audit.left_out, key=lambda rule: (-rule.severity, rule.id))
    return tuple(_view(rule, (), lang) for rule in rules)


def _view(rule: Rule, runs: Sequence[Run], lang: Language) -> RuleView:
    return RuleView(
        id=rule.id,
        policy=rule.policy,
        title=lang.sentence(paragraph(rule.title)),
        severity=rule.severity.word,
        rationale=lang.sentence(paragraph(rule.rationale)),
        references=tuple(map(lang.sentence, rule.references)),
        controls=tuple((name, ", ".join(ids)) for name, ids in rule.controls.items()),
        outcomes={outcome.value: sum(run.outcomes[outcome] for run in runs) for outcome in Outcome},
        passed=tuple(one.connection for run in runs for one in run.having({Outcome.PASS})),
        place=rule.place,
        overridden=tuple(
            Overridden(name, _now(rule, name, lang), lang.sentence(paragraph(why)))
            for name, why in rule.overridden.items()
        ),
    )


def _now(rule: Rule, field: str, lang: Language) -> str:
    """The value in force of a field that a policy changed."""
    if field == "enabled":
        return ""
    if field == "severity":
        return lang.say(rule.severity.word)
    kind, _, name = field.partition(".")
    return show(rule.params.get(name) if kind == "params" else getattr(rule, field))
