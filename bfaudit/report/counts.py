"""What an audit adds up to, and the verdict in words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bfaudit.evaluate import summary
from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Audit, Outcome, Severity, Status

SEVERITIES = tuple(severity.word for severity in sorted(Severity, reverse=True))
"""The words of severity, worst first."""

EXIT_MEANINGS: Mapping[int, str] = {
    0: "complete and clean",
    1: "findings at or above the threshold",
    2: "invalid input: nothing was audited, or rejected connections were left out",
    3: "nothing to audit",
    4: "incomplete: something could not be checked",
    5: "an integrity check failed",
    70: "a bug in bfaudit",
    130: "interrupted",
}
LET_PASS: Mapping[str, str] = {
    "findings": "the findings are within what this run lets pass",
    "incomplete": "what is not known is within what this run lets pass",
    "empty": "nothing was audited, and this run lets that pass",
}
"""What 0 means where an audit is not clean, by the tone of its verdict: a threshold, a baseline or --exit-zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an audit adds up to."""

    connections: int
    outcomes: Mapping[str, int]
    """By outcome, all five. Excepted findings count as `fail`."""
    failed_by_severity: Mapping[str, int]
    """Findings without an exception, by severity, worst first, all five."""
    findings: int
    """Their sum."""
    excepted: int
    unseen: int
    """Connections whose key could not be looked at."""
    unselected: int
    """Connections of the fleet that a selection left out of this audit."""
    coverage: float
    """The share of applicable checks with an answer: pass or fail."""
    statuses: Mapping[str, int]
    """By status of the connection test, all five."""

    @property
    def answered(self) -> int:
        """Checks that passed or failed."""
        return self.outcomes[Outcome.PASS] + self.outcomes[Outcome.FAIL]

    @property
    def unanswered(self) -> int:
        """Checks that ended without an answer."""
        return self.outcomes[Outcome.UNKNOWN] + self.outcomes[Outcome.ERROR]


class Verdict(NamedTuple):
    """What an audit comes to."""

    tone: str
    """`clean`, `findings`, `incomplete` or `empty`."""
    headline: str
    sentence: str


def tally(audit: Audit) -> Counts:
    """The counts of an audit: the same in every format."""
    summed = summary(audit)
    statuses = Counter(scanned.status for scanned in audit.snapshot.connections)
    return Counts(
        connections=len(audit.snapshot.connections),
        outcomes={outcome.value: number for outcome, number in summed.outcomes.items()},
        failed_by_severity={each.word: n for each, n in summed.failed_by_severity.items()},
        findings=sum(summed.failed_by_severity.values()),
        excepted=summed.excepted,
        unseen=summed.unseen,
        unselected=audit.snapshot.unselected,
        coverage=round(summed.coverage, 4),
        statuses={status.value: statuses[status] for status in Status},
    )


def verdict(audit: Audit, counts: Counts, lang: Language = ENGLISH) -> Verdict:
    """What an audit comes to, in words."""
    say, plural = lang.say, lang.plural
    answered, unanswered = counts.answered, counts.unanswered
    left_out = len(audit.snapshot.rejected)
    gaps = [
        text
        for text, holds in (
            (say("the scan was interrupted"), audit.snapshot.interrupted),
            (
                plural(
                    "{n} connection could not be audited",
                    "{n} connections could not be audited",
                    left_out,
                ),
                left_out,
            ),
            (
                plural(
                    "{n} key could not be looked at",
                    "{n} keys could not be looked at",
                    counts.unseen,
                ),
                counts.unseen,
            ),
            (
                plural(
                    "{n} check ended without an answer",
                    "{n} checks ended without an answer",
                    unanswered,
                ),
                unanswered,
            ),
        )
        if holds
    ]
    told = lang.listed(gaps)
    but = f" {told[0].upper()}{told[1:]}." if gaps else ""
    connections = plural("{n} connection", "{n} connections", counts.connections)
    looked_at = f"{connections}, {plural('{n} rule', '{n} rules', len(audit.rules))}"
    if counts.unselected:
        looked_at += plural(
            ", {n} connection not selected", ", {n} connections not selected", counts.unselected
        )
    waived = say(", {n} more under exception", n=counts.excepted) if counts.excepted else ""
    if counts.findings:
        if audit.baselined:
            known = sum(result.fingerprint in audit.baselined for result in audit.results)
            waived += plural(
                ", {n} finding known by the baseline", ", {n} findings known by the baseline", known
            )
        worst = lang.listed(
            lang.counted(n, word) for word, n in counts.failed_by_severity.items() if n
        )
        headline = plural(
            "{n} finding: {worst}", "{n} findings: {worst}", counts.findings, worst=worst
        )
        return Verdict("findings", headline, f"{looked_at}{waived}.{but}")
    if not answered and not unanswered:
        nothing = say("No rule applied to {looked_at}.", looked_at=looked_at)
        return Verdict("empty", say("Nothing was audited"), f"{nothing}{but}")
    if gaps:
        return Verdict(
            "incomplete", say("No findings, but incomplete"), f"{looked_at}{waived}.{but}"
        )
    done = say("All {n} applicable checks have an answer", n=answered)
    return Verdict("clean", say("No findings"), f"{looked_at}{waived}. {done}.")
