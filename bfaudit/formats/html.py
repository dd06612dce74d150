"""The HTML report: one file that needs nothing else, for people who judge, fix or prove."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup

from bfaudit.formats.base import Format, Options
from bfaudit.formats.templating import environment, source
from bfaudit.model import PERMISSIONS, Audit, Outcome
from bfaudit.report import build
from bfaudit.report.counts import SEVERITIES, Counts

SHOWN_PASSES = 50
"""How many connections that passed a rule are named."""


class Bar(NamedTuple):
    """A part of the bar of checks."""

    word: str
    x: int
    width: int


def render(audit: Audit, options: Options) -> str:
    """The report. Its policy allows no script, style or image but its own."""
    style, script = source("audit.css"), source("audit.js")
    view = build(audit)
    page = environment().get_template("audit.html.j2")
    return page.render(
        view=view,
        severities=SEVERITIES,
        permissions=PERMISSIONS,
        bars=tuple(_bars(view.counts)),
        shown_passes=SHOWN_PASSES,
        digest=options.digest_of(audit.snapshot),
        style=Markup(style),  # noqa: S704 - a file of ours
        script=Markup(script),  # noqa: S704 - a file of ours
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _bars(counts: Counts) -> Iterator[Bar]:
    """The checks as parts of a bar, a thousand wide."""
    parts = {
        "fail": counts.findings,
        "excepted": counts.excepted,
        "unknown": counts.unanswered,
        "pass": counts.outcomes[Outcome.PASS],
    }
    total = sum(parts.values()) or 1
    done = 0
    for word, number in parts.items():
        yield Bar(word, done * 1000 // total, -(-number * 1000 // total))
        done += number


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


FORMAT = Format(id="html", suffix="html", title="HTML, one file for people", render=render)
