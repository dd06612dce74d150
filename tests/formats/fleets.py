"""Audits made at random: any mix of outcomes, severities and exceptions, with texts that try to break out."""

from hypothesis import strategies as st

from bfaudit.model import Outcome, Place, Rejected, Severity
from tests.report import samples

NASTY = (
    *samples.HOSTILE,
    "::error file=x::owned",
    "%0A::error::owned",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(1)",
    "\tTAB",
    "]]>",
    "&amp;<!--",
    "a\r\nBEGIN:VEVENT",
    'x"} 1\nbfaudit_findings{severity="critical"} 0',
    "\ufffe\uffff",
    "end\u2028line\u2029",
)

texts = st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=20))
outcomes = st.sampled_from(list(Outcome))


@st.composite
def audits(draw):
    """An audit of a few connections by a few rules."""
    names = draw(
        st.lists(
            texts, min_size=0, max_size=4, unique_by=lambda text: text.encode("utf-16", "replace")
        )
    )
    scans = tuple(
        samples.scanned(
            name,
            draw(st.sampled_from(["mexc", "kucoin", "a:b"])),
            line=draw(st.integers(1, 99)),
            detail=draw(texts),
            fingerprint=draw(texts),
        )
        for name in names
    )
    rules = tuple(
        samples.rule(
            f"rule-{at}",
            draw(st.sampled_from(list(Severity))),
            draw(texts),
            draw(texts),
            rationale=draw(texts),
        )
        for at in range(draw(st.integers(0, 3)))
    )
    results = []
    for rule in rules:
        for scan in scans:
            outcome = draw(outcomes)
            excepted = outcome is Outcome.FAIL and draw(st.booleans())
            seen = (
                samples.missing("key.label", draw(texts))
                if outcome is Outcome.UNKNOWN
                else samples.saw("key.label", draw(texts), scan)
            )
            results.append(
                samples.result(
                    rule,
                    scan,
                    outcome,
                    seen,
                    exception=draw(texts) if excepted else None,
                    message=draw(texts),
                )
            )
    rejected = tuple(
        Rejected(draw(texts), Place(draw(texts), 1, 1), draw(texts))
        for _ in range(draw(st.integers(0, 1)))
    )
    made = samples.audit(scans, results, rejected=rejected, interrupted=draw(st.booleans()))
    order = sorted(rules, key=lambda rule: (-rule.severity, rule.id))
    return type(made)(
        snapshot=made.snapshot,
        generated_at=made.generated_at,
        results=made.results,
        rules=tuple(order),
        policies=made.policies,
    )
