"""The exceptions that findings are under, with what stands behind each."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import ApprovedException, Audit
from bfaudit.report.wording import paragraph


class ExceptionView(NamedTuple):
    """One exception in force."""

    id: str
    findings: int
    """How many findings are under it."""
    type: str = ""
    reason: str = ""
    ticket: str = ""
    requested_by: str = ""
    approved_by: str = ""
    created: str = ""
    expires: str = ""
    left: str = ""
    """How many days it still holds, today included."""
    terms: str = ""
    """All that stands behind it, in one sentence; empty where only its id is known."""


def exception_views(
    audit: Audit, used: Iterable[str | None], lang: Language = ENGLISH
) -> tuple[ExceptionView, ...]:
    """The exceptions in force, the most used first; `used` has the exception of each finding."""
    numbers = Counter(each for each in used if each is not None)
    known = {each.id: each for each in audit.exceptions}
    ids = [*(name for name, _ in numbers.most_common()), *(i for i in known if i not in numbers)]
    return tuple(
        _view(known[name], numbers[name], audit, lang) if name in known else ExceptionView(name, numbers[name])
        for name in ids
    )  # fmt: skip


def _view(each: ApprovedException, findings: int, audit: Audit, lang: Language) -> ExceptionView:
    days = (each.expires - audit.generated_at.date()).days + 1 if each.expires else 0
    left = lang.plural("{n} day", "{n} days", days)
    kind, expires = lang.say(each.type), str(each.expires or "")
    reason, approvers = paragraph(each.reason).rstrip("."), lang.listed(each.approved_by)
    terms = lang.say(
        "{type} until {expires} ({left} left): {reason} ({ticket}, asked by {asked}, approved by {approved})",
        type=kind, expires=expires, left=left, reason=reason, ticket=each.ticket, asked=each.requested_by,
        approved=approvers,
    )  # fmt: skip
    return ExceptionView(
        id=each.id,
        findings=findings,
        type=kind,
        reason=reason,
        ticket=each.ticket,
        requested_by=each.requested_by,
        approved_by=approvers,
        created=str(each.created or ""),
        expires=expires,
        left=left,
        terms=terms if expires else "",
    )
