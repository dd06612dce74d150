"""The report for a terminal: findings as a compiler shows errors, then what is unknown, the fleet, and the sum."""

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from bfaudit.formats.base import Format, Options
from bfaudit.model import Audit, Outcome, Place
from bfaudit.report import ConnectionView, Finding, Gap, ReportView, build
from bfaudit.report.counts import EXIT_MEANINGS, SEVERITIES
from bfaudit.report.findings import Observed, alike
from bfaudit.report.wording import count, listed, visible

LISTED = 10
"""How many connections one finding names before it counts the rest."""

NARROW = 40
"""The least width that is written for."""

NOTHING: Mapping[str, str] = {}

ROWS = 60
"""How many connections the table of the fleet shows; of a bigger fleet those of most concern."""

STYLES: Mapping[str, str] = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "blue",
    "info": "cyan",
    "unknown": "bold magenta",
    "error": "bold magenta",
    "rejected": "bold magenta",
    "good": "green",
    "bad": "red",
    "unsure": "magenta",
    "clean": "bold green",
    "findings": "bold red",
    "incomplete": "bold magenta",
    "empty": "bold magenta",
}


def render(audit: Audit, options: Options) -> str:
    """The report, as wide as the terminal; with ANSI colours only where they are asked for."""
    console = Console(
        file=StringIO(),
        width=max(options.width, NARROW),
        force_terminal=options.color,
        color_system="standard" if options.color else None,
        no_color=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    view = build(audit)
    with console.capture() as written:
        for part in _parts(view, options):
            console.print(part)
    text = written.get()
    return text if options.color else "\n".join(map(str.rstrip, text.split("\n")))


def _parts(view: ReportView, options: Options) -> Iterator[RenderableType]:
    if view.redirected:
        where = ", ".join(f"{exchange.id} at {exchange.url}" for exchange in view.redirected)
        why = "this says nothing about the real exchange"
        yield _text(("redirected:", STYLES["unknown"]), f" asked elsewhere, {why}: {where}")
        yield Text()
    for change in view.changes:
        yield _text(("changed:", STYLES["unknown"]), f" {change.connection}: {change.text}")
    if view.changes:
        yield Text()
    for group in view.findings:
        for run in alike(group.findings):
            yield from _finding(run, options)
    for gap in view.gaps:
        yield from _gap(gap)
    for group in view.excepted:
        for run in alike(group.findings):
            yield _text(
                ("excepted", "dim"), f"[{group.rule.id}] {group.rule.title}: "
                f"{_names(run)}  ({run[0].exception})",
            )  # fmt: skip
    for each in view.exceptions:
        if each.terms:
            yield _notes([("exception", f"{each.id}: {each.terms}")])
    if view.excepted:
        yield Text()
    for rejected in view.rejected:
        yield _title("rejected", "", rejected.name, 1)
        yield _text(("  --> ", "blue"), str(rejected.place))
        yield _notes([("because", rejected.error)])
    yield from _fleet(view)
    yield from _sum(view, options)


def _finding(run: Sequence[Finding], options: Options) -> Iterator[RenderableType]:
    first, rule = run[0], run[0].rule
    yield _title(rule.severity, rule.id, first.message, len(run))
    yield from _places(run, options.sources, max(options.width, NARROW))
    notes = [("expected", first.expected)]
    notes += [("actual", _seen(seen)) for seen in first.observed]
    notes += [("fix", first.fix)]
    notes += [("controls", " · ".join(f"{name} {ids}" for name, ids in rule.controls))]
    notes += [("explain", f"bfaudit rules show {rule.id}")]
    yield _notes(notes)


def _gap(gap: Gap) -> Iterator[RenderableType]:
    if len(gap.rules) == 1:
        only = gap.rules[0]
        yield _title(gap.outcome, only.id, f"No answer: {only.title}", len(gap.findings))
    else:
        what = f"{count(len(gap.rules), 'rule')} without an answer"
        yield _title(gap.outcome, "", what, len(gap.findings))
    yield from _places(gap.findings)
    notes = [
        ("because", f"{why} ({', '.join(fields)})" if fields else why)
        for why, fields in gap.reasons
    ]
    stake = ", ".join(f"{rule.id} ({rule.severity})" for rule in gap.rules)
    yield _notes([*notes, ("at stake", stake)])


def _title(word: str, rule: str, message: str, connections: int) -> Text:
    many = f" ({connections:,} connections)" if connections > 1 else ""
    code = f"{word}[{rule}]" if rule else f"{word}:"
    return _text((code, STYLES[word]), (f" {message}", "bold"), many)


def _places(
    run: Sequence[Finding], sources: Mapping[str, str] = NOTHING, width: int = 0
) -> Iterator[RenderableType]:
    yield _arrows(run[:1])
    if source := _excerpt(run[0].place, sources, width):
        yield source
    if len(run) > 1:
        yield _arrows(run[1:LISTED])
    if len(run) > LISTED:
        more = f"      and {len(run) - LISTED:,} more: the JSON and HTML reports name them"
        yield _text((more, "italic"))


def _arrows(run: Sequence[Finding]) -> Table:
    lines = Table.grid(padding=0)
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for finding in run:
        lines.add_row(
            _text(("  --> ", "blue")),
            _text(f"{finding.place}  ", (finding.connection, "bold"), f" on {finding.exchange}"),
        )
    return lines


def _excerpt(place: Place, sources: Mapping[str, str], width: int) -> Text | None:
    """The line of a manifest with carets; None where it is not at hand, or too long to be one line."""
    lines = sources.get(place.file, "").split("\n")
    if not 1 <= place.line <= len(lines):
        return None
    source = lines[place.line - 1].rstrip().replace("\t", " ")
    before, marked = visible(source[: place.column - 1]), visible(source[place.column - 1 :])
    if not marked or cell_len(before) + cell_len(marked) + 8 > width:
        return None
    margin = f"{'':>3} | "
    return _text(
        (f"{margin}\n{place.line:>3} | ", "blue"), f"{before}{marked}\n",
        (margin, "blue"), " " * cell_len(before), ("^" * cell_len(marked), "red"),
        raw=True,
    )  # fmt: skip


def _notes(notes: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in notes:
        if text:
            grid.add_row(_text(("   = ", "blue"), f"{label:<10}"), _text(text))
    grid.add_row("", "")
    return grid


def _seen(seen: Observed) -> str:
    gap = seen.unknown and f"not known: {seen.unknown}"
    notes = "; ".join(filter(None, (seen.source, seen.limitation, gap)))
    return f"{seen.field} = {seen.value}" + (f"  ({notes})" if notes else "")


def _names(run: Sequence[Finding]) -> str:
    rest = len(run) - LISTED
    names = [finding.connection for finding in run[:LISTED]]
    return listed([*names, f"{rest:,} more"] if rest > 0 else names)


def _fleet(view: ReportView) -> Iterator[RenderableType]:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for title in ("Connection", "Exchange", "Status", "Key may", "Findings"):
        table.add_column(title, overflow="fold")
    every = view.connections
    shown = sorted(every, key=_concern)[:ROWS] if len(every) > ROWS else every
    for each in shown:
        table.add_row(*_row(each))
    if shown:
        yield table
    if hidden := len(every) - len(shown):
        yield _text((f"and {count(hidden, 'connection')} of no greater concern", "italic"))
    if every:
        yield Text()


def _concern(each: ConnectionView) -> tuple[int, bool, int]:
    """The worst first: by finding, by status, by what is unknown."""
    worst = SEVERITIES.index(each.worst) if each.worst else len(SEVERITIES)
    return worst, each.tone == "good", -each.unanswered


def _row(each: ConnectionView) -> Iterator[Text]:
    style = STYLES[each.tone]
    yield _text(each.name)
    yield _text(each.exchange)
    yield _text((f"{each.mark} {each.status}", style), f" ({each.reason})" if each.reason else "")
    unsure = sum(permission.grant == "unknown" for permission in each.permissions)
    yield _text(", ".join(filter(None, (*each.granted, f"{unsure} unknown" if unsure else ""))))
    parts: list[tuple[str, str]] = []
    for word, number in each.findings.items():
        parts += [(f"{number} {word}", STYLES[word]), (", ", "")]
    if each.unanswered:
        parts += [(f"{each.unanswered} unknown", STYLES["unknown"]), (", ", "")]
    yield _text(*parts[:-1]) if parts else _text("none")


def _sum(view: ReportView, options: Options) -> Iterator[RenderableType]:
    counts = view.counts
    outcomes = counts.outcomes
    applicable = counts.answered + counts.unanswered
    statuses = listed([f"{number:,} {word}" for word, number in counts.statuses.items() if number])
    yield Line(style="dim")
    yield _text((view.verdict.headline, STYLES[view.verdict.tone]), f". {view.verdict.sentence}")
    yield _text(
        f"Checks: {outcomes[Outcome.FAIL]:,} failed ({counts.excepted:,} excepted), "
        f"{outcomes[Outcome.UNKNOWN]:,} unknown, {count(outcomes[Outcome.ERROR], 'error')}; not shown: "
        f"{outcomes[Outcome.PASS]:,} passed, {outcomes[Outcome.NOT_APPLICABLE]:,} not applicable"
    )
    yield _text(
        f"Coverage: {view.coverage} ({counts.answered:,} of {applicable:,} checks answered)"
    )
    if statuses:
        yield _text(f"Connections: {statuses}")
    if options.exit_code is not None:
        yield _text(f"Exit {options.exit_code}: {EXIT_MEANINGS.get(options.exit_code, 'reserved')}")


def _text(*parts: str | tuple[str, str], raw: bool = False) -> Text:
    """Styled text, its invisible characters spelt out; `raw` where that is done."""
    text = Text(overflow="fold")
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        text.append(words if raw else visible(words), style)
    return text


FORMAT = Format(id="text", suffix="txt", title="Text for a terminal", render=render)
