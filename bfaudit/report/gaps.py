"""What has no answer, joined by reason: one key that does not work hides many rules in the same way."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import PERMISSIONS, Outcome
from bfaudit.report.findings import Finding, RuleView

_LISTED = re.compile(rf"^((?:{'|'.join(PERMISSIONS)}|other:[^,]+)(?:, )?)+: ")


class Gap(NamedTuple):
    """Rules without an answer on the same connections, for the same reasons."""

    outcome: str
    rules: tuple[RuleView, ...]
    reasons: tuple[tuple[str, tuple[str, ...]], ...]
    """Why, and the fields that it hides."""
    findings: tuple[Finding, ...]
    """One per connection."""
    heading: str
    """What nobody can tell."""


def gaps(findings: Iterable[Finding], lang: Language = ENGLISH) -> tuple[Gap, ...]:
    """The gaps of an audit, in the order of their worst rule."""
    hidden: dict[tuple[object, ...], tuple[tuple[str, str], ...]] = {}
    by_reason: dict[tuple[str, str, tuple[str, ...]], list[Finding]] = {}
    for each in findings:
        look = (each.outcome, each.observed, each.message if each.outcome == Outcome.ERROR else "")
        if look not in hidden:
            hidden[look] = tuple(_hidden(each))
        reasons = tuple(dict.fromkeys(why for why, _ in hidden[look]))
        by_reason.setdefault((each.connection, each.outcome, reasons), []).append(each)
    together: dict[object, list[list[Finding]]] = {}
    for (_, outcome, reasons), run in by_reason.items():
        rules = tuple(each.rule.id for each in run)
        together.setdefault((outcome, reasons, rules), []).append(run)
    return tuple(_gap(runs, lang) for runs in together.values())


def reason(text: str) -> str:
    """Why something is not known, without the permissions that it is said of."""
    return _LISTED.sub("", text, count=1)


def _hidden(finding: Finding) -> Iterable[tuple[str, str]]:
    """Each reason with a field that it hides."""
    if finding.outcome == Outcome.ERROR:
        return [(finding.message, "")]
    return [
        (reason(part), seen.field)
        for seen in finding.missing
        for part in (seen.unknown or "").split("; ")
    ]


def _gap(runs: list[list[Finding]], lang: Language) -> Gap:
    fields: dict[str, list[str]] = {}
    for each in runs[0]:
        for why, field in _hidden(each):
            fields.setdefault(why, []).append(field)
    rules = tuple(each.rule for each in runs[0])
    return Gap(
        outcome=runs[0][0].outcome,
        rules=rules,
        reasons=tuple(
            (why, tuple(dict.fromkeys(filter(None, names)))) for why, names in fields.items()
        ),
        findings=tuple(run[0] for run in runs),
        heading=f"{rules[0].title}?" if len(rules) == 1 else unanswered(len(rules), lang),
    )


def unanswered(rules: int, lang: Language) -> str:
    """What is to be said of several rules that have no answer."""
    return lang.plural("{n} rule without an answer", "{n} rules without an answer", rules)
