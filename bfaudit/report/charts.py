"""The charts of the overview as finished values: each is a table whose rows have a bar, so that it reads without one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from bfaudit.lang import ENGLISH, Language
from bfaudit.report.connections import ConnectionView
from bfaudit.report.counts import SEVERITIES
from bfaudit.sealed import utc

SCALE = 1000
"""How wide the longest bar is."""

LINES = 12
"""How many exchanges, or months, have a bar of their own."""

NAMED = 3
"""How many connections a line of the calendar names."""

AGES: Mapping[str, int] = {
    "under 30 days": 30,
    "30 to 89 days": 90,
    "90 to 179 days": 180,
    "180 to 364 days": 365,
}
"""Ages by their end, in days."""

OLDEST = "a year and more"

PAST, LATER = "in the past", "later"
UNDATED = ("never", "unknown")


class Part(NamedTuple):
    """A part of a bar."""

    word: str
    """What it counts: a severity, `unknown`, or the tone of the bar."""
    number: int
    x: int
    width: int


class Line(NamedTuple):
    """A row of a chart."""

    label: str
    total: int
    parts: tuple[Part, ...]
    note: str


class Chart(NamedTuple):
    """One chart."""

    id: str
    title: str
    label: str
    """What its rows are."""
    parted: bool
    """Whether the parts of its bars have meanings of their own."""
    lines: tuple[Line, ...]


def charts(
    connections: Sequence[ConnectionView], now: datetime, lang: Language = ENGLISH
) -> tuple[Chart, ...]:
    """Findings by exchange, age of keys, when they end."""
    return (
        _by_exchange(connections, lang),
        _ages(connections, lang),
        _calendar(connections, utc(now), lang),
    )


def _by_exchange(connections: Iterable[ConnectionView], lang: Language) -> Chart:
    found: dict[str, Counter[str]] = {}
    for each in connections:
        counter = found.setdefault(each.exchange, Counter())
        counter.update(each.findings)
        counter["unknown"] += each.unanswered
    words = (*SEVERITIES, "unknown")

    def concern(exchange: str) -> tuple[object, ...]:
        return (*(-found[exchange][word] for word in words), exchange)

    rows = [(name, found[name], "") for name in sorted(found, key=concern)]
    if len(rows) > LINES:
        rest = Counter[str]()
        for _, counter, _ in rows[LINES - 1 :]:
            rest.update(counter)
        others = lang.plural("{n} other", "{n} others", len(rows) - LINES + 1)
        rows[LINES - 1 :] = [(others, rest, "")]
    title, label = lang.say("Findings by exchange"), lang.say("Exchange")
    return Chart("by-exchange", title, label, True, _lines(rows, words))


def _ages(connections: Iterable[ConnectionView], lang: Language) -> Chart:
    found = Counter(_age(each.age_days) for each in connections)
    rows = [
        (lang.say(label), Counter({"unknown" if label == "unknown" else "plain": found[label]}), "")
        for label in (*AGES, OLDEST, "unknown")
    ]
    title, label = lang.say("Age of keys"), lang.say("Age")
    return Chart("ages", title, label, False, _lines(rows, ("plain", "unknown")))


def _age(days: int | None) -> str:
    if days is None:
        return "unknown"
    return next((label for label, end in AGES.items() if days < end), OLDEST)


def _calendar(connections: Iterable[ConnectionView], now: datetime, lang: Language) -> Chart:
    """By month; those that are over first, then what has no date."""
    found: dict[str, list[str]] = {}
    for each in connections:
        at = each.ends_at
        if at is None:
            label = "unknown" if each.ends == lang.say("unknown") else "never"
        else:
            label = PAST if at < now else f"{at:%Y-%m}"
        found.setdefault(label, []).append(each.name)
    dated = sorted(set(found) - {*UNDATED, PAST})
    shown = [PAST] * (PAST in found) + dated[:LINES]
    if len(dated) > LINES:
        found[LATER] = [name for month in dated[LINES:] for name in found[month]]
        shown.append(LATER)
    rows = [
        (
            lang.say(label),
            Counter({_tone(label): len(found[label])}),
            _named(found[label], label, lang),
        )
        for label in (*shown, *UNDATED)
        if label in found
    ]
    lines = _lines(rows, ("high", "plain", "unknown"))
    return Chart("calendar", lang.say("When keys end"), lang.say("Month"), False, lines)


def _tone(label: str) -> str:
    return {PAST: "high", "unknown": "unknown"}.get(label, "plain")


def _named(names: Sequence[str], label: str, lang: Language) -> str:
    if label in UNDATED:
        return ""
    more = len(names) - NAMED
    others = lang.plural(" and {n} other", " and {n} others", more) if more > 0 else ""
    return ", ".join(names[:NAMED]) + others


def _lines(rows: Sequence[tuple[str, Counter[str], str]], words: Sequence[str]) -> tuple[Line, ...]:
    longest = max((counter.total() for _, counter, _ in rows), default=0) or 1
    lines = []
    for label, counter, note in rows:
        parts, done = [], 0
        for word in words:
            if number := counter[word]:
                x, end = done * SCALE // longest, (done + number) * SCALE // longest
                parts.append(Part(word, number, x, max(end - x, 2)))
                done += number
        lines.append(Line(label, counter.total(), tuple(parts), note))
    return tuple(lines)
