"""How a command that judges ends: what counts as a failure, what as incomplete, and which of them wins."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from bfaudit.errors import UsageError
from bfaudit.evaluate import summary
from bfaudit.model import Audit, Outcome, Result, Rule, Severity
from bfaudit.results import Results
from bfaudit.words import did_you_mean


class FailOn(Struct, frozen=True):
    """What makes a finding a failure: its severity, or its rule."""

    severity: Severity | None = Severity.HIGH
    """This severity and above; None where only rules count."""
    rules: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, words: Sequence[str], rules: Iterable[str], switched_off: Iterable[str] = ()
    ) -> "FailOn":
        """What severities and rule ids mean together. Raises `UsageError` for a word that is neither."""
        severities = {each.word: each for each in Severity}
        known = set(rules)
        named = [word for word in words if word not in severities]
        for word in named:
            if word in set(switched_off):
                raise UsageError(
                    f"--fail-on {word}: the policy switches that rule off, so it cannot fail"
                )
            if word not in known:
                hint = did_you_mean(word, [*severities, *sorted(known)])
                raise UsageError(
                    f"--fail-on {word!r} is neither a severity nor a rule of the policies",
                    hint=hint or f"severities: {', '.join(severities)}",
                )
        levels = [severities[word] for word in words if word in severities]
        if not words:
            return cls()
        return cls(min(levels) if levels else None, frozenset(named))

    def has(self, rule: Rule) -> bool:
        """Whether what a rule finds is a failure, were nobody to know of it."""
        severe = self.severity is not None and rule.severity >= self.severity
        return severe or rule.id in self.rules


def failures(audit: Audit, fail_on: FailOn) -> list[Result]:
    """The new findings for which a command ends with 1."""
    runs = filter(lambda run: fail_on.has(run.rule), Results.of(audit.results).runs)
    return [
        result
        for run in runs
        for result in run.having({Outcome.FAIL})
        if result.exception is None and result.fingerprint not in audit.baselined
    ]


def exit_code(
    audit: Audit,
    *,
    fail_on: FailOn,
    max_unknown: float | None,
    exit_zero: bool = False,
    allow_empty: bool = False,
    gaps: int = 0,
) -> int:
    """How the command ends.

    `max_unknown` is a number of results (`int`), or a percentage of those that ask for an answer (`float`); None
    allows none. A connection that could not be looked at counts as one more, among both. `gaps` are what is missing beside: a
    snapshot that is too old, a connection that it should hold. No number of unknowns excuses them.
    """
    if audit.snapshot.interrupted:
        return 130
    if audit.snapshot.rejected:
        return 2
    counts = summary(audit)
    unanswered = counts.outcomes[Outcome.UNKNOWN] + counts.outcomes[Outcome.ERROR]
    asked = unanswered + counts.outcomes[Outcome.PASS] + counts.outcomes[Outcome.FAIL]
    if not asked and not gaps and not allow_empty:
        return 3
    if exit_zero:
        return 0
    if failures(audit, fail_on):
        return 1
    allowed = max_unknown or 0
    if isinstance(allowed, float):
        allowed = (asked + counts.unseen) * allowed / 100
    return 4 if gaps or unanswered + counts.unseen > allowed else 0
