"""The Markdown report: short enough for a comment on a pull request, safe in GitHub and GitLab."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bfaudit.collector import paused
from bfaudit.formats.base import Format, Options
from bfaudit.formats.templating import environment, fill
from bfaudit.model import Audit
from bfaudit.report import Finding, ReportView, build
from bfaudit.report.findings import alike
from bfaudit.report.wording import visible

LIMIT = 65_536
"""What GitHub takes as one comment, in bytes to be sure."""

ROWS = LIMIT // 64
"""More rows than this in one table never fit."""

NAMES = 10
"""How many connections one row names."""

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {char: f"\\{char}" for char in r"\`*_{}[]|~$"}
)
# A zero-width space keeps what follows from becoming a mention, a reference or a link.
_MENTION = re.compile(r"([@#!%]|&amp;|\\[~$])(?=\w)")
_LINK = re.compile(r"(?i)(www(?=\.)|(?<=\w):(?=//)|mailto(?=:)|xmpp(?=:))")


def cell(text: str) -> str:
    """Text that stays text in a table cell: no markup, HTML, link, mention or line end."""
    escaped = visible(text).translate(_ESCAPES)
    return _LINK.sub(r"\1&#8203;", _MENTION.sub(r"\1&#8203;", escaped))


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What `audit.md.j2` is given."""

    view: ReportView
    """The audit as finished values."""
    findings: tuple[tuple[Finding, ...], ...]
    """Failed rules, worst first, those that are alike together; without those under an exception."""
    excepted: tuple[tuple[Finding, ...], ...]
    """The same of findings under an exception."""
    rows: int
    """How many rows of each table fit; the rest has to be counted."""
    names: int
    """How many connections one row names."""
    digest: str
    """The digest of the snapshot."""


def render(audit: Audit, options: Options) -> str:
    """The report, with as many rows as fit; what does not is counted."""
    with paused():
        view = build(audit, options.language)
    page = environment(cell, options.templates, options.language).get_template("audit.md.j2")
    findings = tuple(run for group in view.findings for run in alike(group.findings))
    excepted = tuple(run for group in view.excepted for run in alike(group.findings))
    tables = (findings, excepted, view.gaps, view.rejected, view.connections, view.overridden)
    digest = options.digest_of(audit.snapshot)
    most = min(max(map(len, tables)), ROWS)

    def with_rows(rows: int) -> str:
        context = Context(
            view=view,
            findings=findings,
            excepted=excepted,
            rows=rows,
            names=NAMES,
            digest=digest,
        )
        return fill(page, context)

    return _longest(with_rows, most)


def _longest(with_rows: Callable[[int], str], most: int) -> str:
    """The text with the most rows that fits."""
    text = with_rows(most)
    if len(text.encode()) <= LIMIT:
        return text
    fits, too_many = 0, most
    while too_many - fits > 1:
        rows = (fits + too_many) // 2
        if len(with_rows(rows).encode()) <= LIMIT:
            fits = rows
        else:
            too_many = rows
    return with_rows(fits)


FORMAT = Format(id="markdown", suffix="md", title="Markdown for a comment", render=render)
