"""What a reviewer of access decides on: every key, with its owner, purpose, power, last use and last review."""

from datetime import date
from typing import NamedTuple

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Attestation, Audit, Scanned
from bfaudit.report import ConnectionView, ReportView, build
from bfaudit.report.wording import moment

REVIEW = "access_review"
"""The attestation that records a review."""

DECISIONS = ("keep", "change", "revoke")
"""What a reviewer may decide."""


class Review(NamedTuple):
    """The last review that the manifest attests."""

    by: str
    on: str
    expires: str
    note: str
    state: str
    """`valid`, `expired`, or `none` where no review is attested."""
    words: str
    """The review in one line."""


class Entry(NamedTuple):
    """One key to decide on."""

    key: ConnectionView
    lifecycle: str
    environment: str
    requires: str
    granted: str
    excess: str
    """What is granted beyond what the manifest requires."""
    unknown: str
    """The permissions that nobody knows of."""
    review: Review
    asked_at: str
    """The address that was asked, where it is not the exchange's own."""


class ReviewView(NamedTuple):
    """An access review."""

    report: ReportView
    entries: tuple[Entry, ...]
    """By owner, then by name."""
    due: int
    """How many have no valid review."""


def review(audit: Audit, lang: Language = ENGLISH) -> ReviewView:
    """The access review of an audit."""
    report = build(audit, lang)
    elsewhere = {each.id: each.url for each in report.redirected}
    today = audit.generated_at.date()
    entries = [
        _entry(scanned, view, today, elsewhere.get(view.exchange, ""), lang)
        for scanned, view in zip(audit.snapshot.connections, report.connections, strict=True)
    ]
    entries.sort(key=lambda each: (each.key.owner is None, each.key.owner or "", each.key.name))
    due = sum(each.review.state != "valid" for each in entries)
    return ReviewView(report, tuple(entries), due)


def _entry(
    scanned: Scanned, view: ConnectionView, today: date, asked_at: str, lang: Language
) -> Entry:
    every = (*view.permissions, *view.others)
    connection = scanned.connection
    return Entry(
        key=view,
        lifecycle=connection.lifecycle,
        environment=connection.environment or "",
        requires=", ".join(connection.requires),
        granted=", ".join(view.granted),
        excess=", ".join(
            each.word for each in every if each.tone == "excess" and each.word != "read"
        ),
        unknown=", ".join(each.word for each in every if each.grant == "unknown"),
        review=_review(connection.attestations.get(REVIEW), today, lang),
        asked_at=asked_at,
    )


def _review(attested: Attestation | None, today: date, lang: Language) -> Review:
    if attested is None:
        return Review("", "", "", "", "none", lang.say("never attested"))
    ended = attested.expires is not None and attested.expires < today
    on, expires = attested.on.isoformat(), str(attested.expires or "")
    words = lang.say("{day} by {name}", day=on, name=attested.by)
    if expires:
        until = lang.say(", expired {day}", day=expires) if ended else lang.say(", valid until {day}", day=expires)  # fmt: skip
        words += until
    return Review(
        by=attested.by,
        on=on,
        expires=expires,
        note=attested.note or "",
        state="expired" if ended else "valid",
        words=words,
    )


def sentence(view: ReviewView, lang: Language = ENGLISH) -> str:
    """What there is to decide, in words."""
    return lang.say(
        "{due} of {keys} connections have no valid review. As scanned {time}.",
        due=view.due,
        keys=len(view.entries),
        time=moment(view.report.scanned),
    )
