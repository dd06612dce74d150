"""What an audit adds up to, and the verdict in words."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bfaudit.evaluate import summary
from bfaudit.model import Audit, Outcome, Severity, Status
from bfaudit.report.wording import count, listed

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
        coverage=round(summed.coverage, 4),
        statuses={status.value: statuses[status] for status in Status},
    )


def verdict(audit: Audit, counts: Counts) -> Verdict:
    answered, unanswered = counts.answered, counts.unanswered
    left_out = len(audit.snapshot.rejected)
    gaps = [
        text
        for text, holds in (
            ("the scan was interrupted", audit.snapshot.interrupted),
            (f"{count(left_out, 'connection')} could not be audited", left_out),
            (f"{count(counts.unseen, 'key')} could not be looked at", counts.unseen),
            (f"{count(unanswered, 'check')} ended without an answer", unanswered),
        )
        if holds
    ]
    but = f" {listed(gaps)[0].upper()}{listed(gaps)[1:]}." if gaps else ""
    looked_at = f"{count(counts.connections, 'connection')}, {count(len(audit.rules), 'rule')}"
    waived = f", {counts.excepted:,} more under exception" if counts.excepted else ""
    if counts.findings:
        if audit.baselined:
            known = sum(result.fingerprint in audit.baselined for result in audit.results)
            waived += f", {count(known, 'finding')} known by the baseline"
        worst = listed([f"{n:,} {word}" for word, n in counts.failed_by_severity.items() if n])
        headline = f"{count(counts.findings, 'finding')}: {worst}"
        return Verdict("findings", headline, f"{looked_at}{waived}.{but}")
    if not answered and not unanswered:
        return Verdict("empty", "Nothing was audited", f"No rule applied to {looked_at}.{but}")
    if gaps:
        return Verdict("incomplete", "No findings, but incomplete", f"{looked_at}{waived}.{but}")
    done = f"All {answered:,} applicable checks have an answer"
    return Verdict("clean", "No findings", f"{looked_at}{waived}. {done}.")
