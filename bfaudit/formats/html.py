"""The HTML report: one file that needs nothing else, for people who judge, fix or prove."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from bfaudit.collector import paused
from bfaudit.formats.base import Format, Options
from bfaudit.formats.script import spoken
from bfaudit.formats.templating import environment, fill, source
from bfaudit.model import PERMISSIONS, Audit, Outcome
from bfaudit.report import ReportView, build
from bfaudit.report.counts import SEVERITIES, Counts
from bfaudit.report.embedded import Embedded, embed

SHOWN_PASSES = 50
"""How many connections that passed a rule are named."""

SHOWN = 150
"""How many rows of each list stand in the page; the script draws more from the data in it."""

SHOWN_NAMES = 20
"""How many connections one gap, or one part of the overview, names."""


class Bar(NamedTuple):
    """A part of the bar of checks."""

    word: str
    x: int
    width: int


class Rest(NamedTuple):
    """What became of the rows of a list."""

    shown: int
    """Those that stand in the page."""
    drawn: int
    """Those that only the script draws."""
    left_out: int
    """Those that the file does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What `audit.html.j2` is given."""

    view: ReportView
    """The audit as finished values."""
    severities: tuple[str, ...]
    """The words of severity, worst first."""
    permissions: tuple[str, ...]
    """The permission words, in the order of every table."""
    bars: tuple[Bar, ...]
    """The checks as parts of a bar, a thousand wide."""
    shown_passes: int
    """How many connections that passed a rule are named."""
    shown: int
    """How many rows of each list stand in the page."""
    shown_names: int
    """How many names one cell holds."""
    rest: Mapping[str, Rest]
    """What became of the rows of `fleet`, `findings`, `excepted` and `gaps`."""
    columns: int
    """How many columns the table of the fleet has."""
    data: Markup
    """The rows for the script, as JSON that cannot end its element."""
    digest: str
    """The digest of the snapshot."""
    style: Markup
    """The text of `audit.css`, to be inlined."""
    script: Markup
    """The text of `audit.js`, to be inlined."""
    style_hash: str
    """The hash of `style`, for the content security policy."""
    script_hash: str
    """The hash of `script`, for the content security policy."""


def render(audit: Audit, options: Options) -> str:
    """The report. Its policy allows no script, style or image but its own."""
    own = options.templates
    lang = options.language
    style, script = source("audit.css", own), spoken(source("audit.js", own), lang)
    with paused():
        view = build(audit, lang)
        embedded = embed(view, lang=lang)
    context = Context(
        view=view,
        severities=SEVERITIES,
        permissions=PERMISSIONS,
        bars=tuple(_bars(view.counts)),
        shown_passes=SHOWN_PASSES,
        shown=SHOWN,
        shown_names=SHOWN_NAMES,
        rest=_rest(view, embedded),
        columns=len(PERMISSIONS) + 6,
        data=Markup(embedded.text),  # noqa: S704 - JSON without < > &
        digest=options.digest_of(audit.snapshot),
        style=Markup(style),  # noqa: S704 - a file of ours, or of the user's
        script=Markup(script),  # noqa: S704 - a file of ours, or of the user's
        style_hash=digest_for_policy(style),
        script_hash=digest_for_policy(script),
    )
    return fill(environment(templates=own, lang=lang).get_template("audit.html.j2"), context)


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


def _rest(view: ReportView, embedded: Embedded) -> dict[str, Rest]:
    """What became of the rows of each list."""
    every = {
        "fleet": len(view.connections),
        "findings": sum(len(group.findings) for group in view.findings),
        "excepted": sum(len(group.findings) for group in view.excepted),
        "gaps": len(view.gaps),
    }
    return {
        name: Rest(
            shown=min(number, SHOWN),
            drawn=max(0, embedded.rows[name] - SHOWN),
            left_out=number - max(embedded.rows[name], min(number, SHOWN)),
        )
        for name, number in every.items()
    }


def digest_for_policy(text: str) -> str:
    """What a content security policy calls an inlined style or script."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


FORMAT = Format(id="html", suffix="html", title="HTML, one file for people", render=render)
