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
from bfaudit.formats.terminal import STYLES, notes, styled
from bfaudit.lang import Language
from bfaudit.model import Audit, Outcome, Place
from bfaudit.report import ConnectionView, Finding, Gap, ReportView, build
from bfaudit.report.counts import EXIT_MEANINGS, LET_PASS, SEVERITIES
from bfaudit.report.findings import Observed, alike
from bfaudit.report.gaps import unanswered
from bfaudit.report.wording import visible

LISTED = 10
"""How many connections one finding names before it counts the rest."""

NARROW = 40
"""The least width that is written for."""

NOTHING: Mapping[str, str] = {}

ROWS = 60
"""How many connections the table of the fleet shows; of a bigger fleet those of most concern."""


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
    view = build(audit, options.language)
    with console.capture() as written:
        for part in _parts(view, options):
            console.print(part)
    text = written.get()
    return text if options.color else "\n".join(map(str.rstrip, text.split("\n")))


def _parts(view: ReportView, options: Options) -> Iterator[RenderableType]:
    lang, say = options.language, options.language.say
    if view.redirected:
        where = ", ".join(
            say("{exchange} at {url}", exchange=exchange.id, url=exchange.url)
            for exchange in view.redirected
        )
        told = say(
            "asked elsewhere, this says nothing about the real exchange: {where}", where=where
        )
        yield styled((say("redirected:"), STYLES["unknown"]), f" {told}")
        yield Text()
    for change in view.changes:
        yield styled((say("changed:"), STYLES["unknown"]), f" {change.connection}: {change.text}")
    if view.changes:
        yield Text()
    for group in view.findings:
        for run in alike(group.findings):
            yield from _finding(run, options)
    for gap in view.gaps:
        yield from _gap(gap, lang)
    for group in view.excepted:
        for run in alike(group.findings):
            yield styled(
                (say("excepted"), "dim"), f"[{group.rule.id}] {group.rule.title}: "
                f"{_names(run, lang)}  ({run[0].exception})",
            )  # fmt: skip
    for each in view.exceptions:
        if each.terms:
            yield notes([(say("exception"), f"{each.id}: {each.terms}")])
    if view.excepted:
        yield Text()
    yield from _overridden(view, lang)
    for rejected in view.rejected:
        yield _title("rejected", "", rejected.name, 1, lang)
        yield styled(("  --> ", "blue"), str(rejected.place))
        yield notes([(say("because"), rejected.error)])
    yield from _fleet(view, lang)
    yield from _sum(view, options)


def _overridden(view: ReportView, lang: Language) -> Iterator[RenderableType]:
    """The rules that policies changed: what is judged by other rules than the packs' own has to be seen."""
    for rule in view.overridden:
        for each in rule.overridden:
            what = f"{each.field} = {each.now}" if each.now else lang.say("switched off")
            word = lang.say("overridden")
            yield styled(
                (word, STYLES["unknown"]), f"[{rule.id}] {rule.title}: {what} ({each.why})"
            )
    if view.overridden:
        yield Text()


def _finding(run: Sequence[Finding], options: Options) -> Iterator[RenderableType]:
    first, rule, lang = run[0], run[0].rule, options.language
    say = lang.say
    yield _title(rule.severity, rule.id, first.message, len(run), lang)
    yield from _places(run, lang, options.sources, max(options.width, NARROW))
    told = [(say("expected"), first.expected)]
    told += [(say("actual"), _seen(seen, lang)) for seen in first.observed]
    told += [(say("fix"), first.fix)]
    told += [(say("controls"), " · ".join(f"{name} {ids}" for name, ids in rule.controls))]
    told += [(say("explain"), f"bfaudit rules show {rule.id}")]
    yield notes(told)


def _gap(gap: Gap, lang: Language) -> Iterator[RenderableType]:
    if len(gap.rules) == 1:
        only = gap.rules[0]
        what = lang.say("No answer: {title}", title=only.title)
        yield _title(gap.outcome, only.id, what, len(gap.findings), lang)
    else:
        yield _title(gap.outcome, "", unanswered(len(gap.rules), lang), len(gap.findings), lang)
    yield from _places(gap.findings, lang)
    told = [
        (lang.say("because"), f"{why} ({', '.join(fields)})" if fields else why)
        for why, fields in gap.reasons
    ]
    stake = ", ".join(f"{rule.id} ({lang.say(rule.severity)})" for rule in gap.rules)
    yield notes([*told, (lang.say("at stake"), stake)])


def _title(word: str, rule: str, message: str, connections: int, lang: Language) -> Text:
    many = ""
    if connections > 1:
        many = lang.plural(" ({n} connection)", " ({n} connections)", connections)
    code = f"{lang.say(word)}[{rule}]" if rule else f"{lang.say(word)}:"
    return styled((code, STYLES[word]), (f" {message}", "bold"), many)


def _places(
    run: Sequence[Finding], lang: Language, sources: Mapping[str, str] = NOTHING, width: int = 0
) -> Iterator[RenderableType]:
    yield _arrows(run[:1], lang)
    if source := _excerpt(run[0].place, sources, width):
        yield source
    if len(run) > 1:
        yield _arrows(run[1:LISTED], lang)
    if len(run) > LISTED:
        more = lang.say("and {n} more: the JSON and HTML reports name them", n=len(run) - LISTED)
        yield styled((f"      {more}", "italic"))


def _arrows(run: Sequence[Finding], lang: Language) -> Table:
    lines = Table.grid(padding=0)
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for finding in run:
        lines.add_row(
            styled(("  --> ", "blue")),
            styled(
                f"{finding.place}  ",
                (finding.connection, "bold"),
                lang.say(" on {exchange}", exchange=finding.exchange) if finding.exchange else "",
            ),
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
    return styled(
        (f"{margin}\n{place.line:>3} | ", "blue"), f"{before}{marked}\n",
        (margin, "blue"), " " * cell_len(before), ("^" * cell_len(marked), "red"),
        raw=True,
    )  # fmt: skip


def _seen(seen: Observed, lang: Language) -> str:
    gap = seen.unknown and lang.say("not known: {why}", why=seen.unknown)
    about = "; ".join(filter(None, (seen.source, seen.limitation, gap)))
    return f"{seen.field} = {seen.value}" + (f"  ({about})" if about else "")


def _names(run: Sequence[Finding], lang: Language) -> str:
    rest = len(run) - LISTED
    names = [finding.connection for finding in run[:LISTED]]
    return lang.listed([*names, lang.say("{n} more", n=rest)] if rest > 0 else names)


def _fleet(view: ReportView, lang: Language) -> Iterator[RenderableType]:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    say = lang.say
    for title in (
        say("Connection"),
        say("Exchange"),
        say("Status"),
        say("Key may"),
        say("Findings"),
    ):
        table.add_column(title, overflow="fold")
    every = view.connections
    shown = sorted(every, key=_concern)[:ROWS] if len(every) > ROWS else every
    for each in shown:
        table.add_row(*_row(each, lang))
    if shown:
        yield table
    if hidden := len(every) - len(shown):
        less = lang.plural(
            "and {n} connection of no greater concern",
            "and {n} connections of no greater concern",
            hidden,
        )
        yield styled((less, "italic"))
    if every:
        yield Text()


def _concern(each: ConnectionView) -> tuple[int, bool, int]:
    """The worst first: by finding, by status, by what is unknown."""
    worst = SEVERITIES.index(each.worst) if each.worst else len(SEVERITIES)
    return worst, each.tone == "good", -each.unanswered


def _row(each: ConnectionView, lang: Language) -> Iterator[Text]:
    style = STYLES[each.tone]
    yield styled(each.name)
    yield styled(each.exchange)
    reason = f" ({lang.say(each.reason)})" if each.reason else ""
    yield styled((f"{each.mark} {lang.say(each.status)}", style), reason)
    unsure = sum(permission.grant == "unknown" for permission in each.permissions)
    some = lang.counted(unsure, "unknown") if unsure else ""
    yield styled(", ".join(filter(None, (*each.granted, some))))
    parts: list[tuple[str, str]] = []
    for word, number in each.findings.items():
        parts += [(lang.counted(number, word), STYLES[word]), (", ", "")]
    if each.unanswered:
        parts += [(lang.counted(each.unanswered, "unknown"), STYLES["unknown"]), (", ", "")]
    yield styled(*parts[:-1]) if parts else styled(lang.say("none"))


def _sum(view: ReportView, options: Options) -> Iterator[RenderableType]:
    counts, lang = view.counts, options.language
    outcomes, say, plural = counts.outcomes, lang.say, lang.plural
    applicable = counts.answered + counts.unanswered
    statuses = lang.listed(lang.counted(n, word) for word, n in counts.statuses.items() if n)
    yield Line(style="dim")
    yield styled((view.verdict.headline, STYLES[view.verdict.tone]), f". {view.verdict.sentence}")
    yield styled(
        say(
            "Checks: {failed} failed ({excepted} excepted), {unknown} unknown, {errors}; "
            "not shown: {passed} passed, {other} not applicable",
            failed=outcomes[Outcome.FAIL],
            excepted=counts.excepted,
            unknown=outcomes[Outcome.UNKNOWN],
            errors=plural("{n} error", "{n} errors", outcomes[Outcome.ERROR]),
            passed=outcomes[Outcome.PASS],
            other=outcomes[Outcome.NOT_APPLICABLE],
        )
    )
    yield styled(
        say(
            "Coverage: {coverage} ({answered} of {applicable} checks answered)",
            coverage=view.coverage,
            answered=counts.answered,
            applicable=applicable,
        )
    )
    if statuses:
        yield styled(say("Connections: {statuses}", statuses=statuses))
    if options.exit_code is not None:
        passed = LET_PASS.get(view.verdict.tone) if options.exit_code == 0 else None
        meaning = say(passed or EXIT_MEANINGS.get(options.exit_code, "reserved"))
        yield styled(say("Exit {code}: {meaning}", code=options.exit_code, meaning=meaning))


FORMAT = Format(id="text", suffix="txt", title="Text for a terminal", render=render)
