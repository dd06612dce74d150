"""The access review for people: every key with what it may do, and a place for the decision on it."""

from dataclasses import dataclass

from markupsafe import Markup

from bfaudit.collector import paused
from bfaudit.formats.base import Format, Options
from bfaudit.formats.html import digest_for_policy
from bfaudit.formats.templating import environment, fill, source
from bfaudit.model import Audit
from bfaudit.report.review import DECISIONS, ReviewView, review, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What `access-review.html.j2` is given."""

    review: ReviewView
    """The keys to decide on."""
    sentence: str
    """What there is to decide, in words."""
    decisions: tuple[str, ...]
    """What a reviewer may decide."""
    digest: str
    """The digest of the snapshot."""
    style: Markup
    """The text of `audit.css`, to be inlined."""
    style_hash: str
    """The hash of `style`, for the content security policy."""


def render(audit: Audit, options: Options) -> str:
    """The form. It has no script; boxes can be ticked on the screen or on paper."""
    own = options.templates
    style = source("audit.css", own)
    with paused():
        view = review(audit, options.language)
    context = Context(
        review=view,
        sentence=sentence(view, options.language),
        decisions=DECISIONS,
        digest=options.digest_of(audit.snapshot),
        style=Markup(style),  # noqa: S704 - a file of ours, or of the user's
        style_hash=digest_for_policy(style),
    )
    made = environment(templates=own, lang=options.language)
    return fill(made.get_template("access-review.html.j2"), context)


FORMAT = Format(id="access-review", suffix="html", title="Access review, a form for people", render=render)  # fmt: skip
