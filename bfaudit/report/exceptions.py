"""The exceptions that findings are under, with what stands behind each."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from bfaudit.model import ApprovedException, Audit
from bfaudit.report.wording import count, listed, paragraph


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

    @property
    def terms(self) -> str:
        """All that stands behind it, in one sentence; empty where only its id is known."""
        if not self.expires:
            return ""
        return (
            f"{self.type} until {self.expires} ({self.left} left): {self.reason} "
            f"({self.ticket}, asked by {self.requested_by}, approved by {self.approved_by})"
        )


def exception_views(audit: Audit, used: Iterable[str | None]) -> tuple[ExceptionView, ...]:
    """The exceptions in force, the most used first; `used` has the exception of each finding."""
    numbers = Counter(each for each in used if each is not None)
    known = {each.id: each for each in audit.exceptions}
    ids = [*(name for name, _ in numbers.most_common()), *(i for i in known if i not in numbers)]
    return tuple(
        _view(known[name], numbers[name], audit) if name in known else ExceptionView(name, numbers[name])
        for name in ids
    )  # fmt: skip


def _view(each: ApprovedException, findings: int, audit: Audit) -> ExceptionView:
    left = (each.expires - audit.generated_at.date()).days + 1 if each.expires else 0
    return ExceptionView(
        id=each.id,
        findings=findings,
        type=each.type,
        reason=paragraph(each.reason).rstrip("."),
        ticket=each.ticket,
        requested_by=each.requested_by,
        approved_by=listed(list(each.approved_by)),
        created=str(each.created or ""),
        expires=str(each.expires or ""),
        left=count(left, "day"),
    )
