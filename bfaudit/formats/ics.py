"""The lapse calendar, RFC 5545: when each key expires or lapses, and of which keys nobody knows."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.formats.rows import Rows
from bfaudit.model import Audit, Scanned
from bfaudit.report.wording import visible
from bfaudit.sealed import utc
from bfaudit.words import count

WARNING_DAYS = 14
"""How long before a key ends its alarm rings."""

ENDINGS = {"key.expires_at": "expires", "key.lapses_at": "lapses"}
"""The facts that end a key, and what they say."""

_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def render(audit: Audit, options: Options) -> str:
    """The calendar. A zone stands first: a calendar without any component is none."""
    rows = Rows(audit, options)
    stamp = _time(audit.generated_at)
    caveats = list(rows.caveats())
    unselected = audit.snapshot.unselected
    part = [f"{count(unselected, 'connection')} of the fleet not selected"] if unselected else []
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//bfaudit//bfaudit {bfaudit.__version__}//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:API keys that end",
        f"X-WR-CALDESC:{_text(chr(10).join([*caveats, *part]) or 'From a bfaudit scan.')}",
        "BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000",
        "TZOFFSETTO:+0000", "TZNAME:UTC", "END:STANDARD", "END:VTIMEZONE",
    ]  # fmt: skip
    for scanned in audit.snapshot.connections:
        for path, word in ENDINGS.items():
            fact = scanned.facts.get(path)
            if fact is not None and isinstance(fact.value, datetime):
                notes = [*caveats, *_notes(scanned, fact.limitation, fact.via)]
                lines += _ending(scanned, word, fact.value, stamp, "\n".join(notes))
    unknown = [scanned for scanned in audit.snapshot.connections if _untold(scanned)]
    if unknown:
        lines += _unknown(unknown, audit.generated_at, caveats)
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in fold(line))


def fold(line: str) -> Iterator[str]:
    """A line in parts of at most 75 octets, as the RFC wants it; no character is split."""
    start, size, room = 0, 0, 75
    for at, char in enumerate(line):
        octets = len(char.encode())
        if size + octets > room:
            yield f"{' ' if start else ''}{line[start:at]}"
            start, size, room = at, 0, 74
        size += octets
    yield f"{' ' if start else ''}{line[start:]}"


def _ending(scanned: Scanned, word: str, at: datetime, stamp: str, notes: str) -> Iterator[str]:
    connection = scanned.connection
    summary = _text(f"Key {word}: {connection.name} ({connection.exchange})")
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid(word, connection.name)}"
    yield f"DTSTAMP:{stamp}"
    yield f"DTSTART:{_time(at)}"
    yield f"SUMMARY:{summary}"
    yield f"DESCRIPTION:{_text(notes)}"
    yield "CATEGORIES:API key"
    yield "TRANSP:TRANSPARENT"
    yield from ("BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{summary}")
    yield from (f"TRIGGER:-P{WARNING_DAYS}D", "END:VALARM", "END:VEVENT")


def _notes(scanned: Scanned, *sources: str | None) -> Iterator[str]:
    connection = scanned.connection
    for name, value in (
        ("Account", connection.account),
        ("Strategy", connection.strategy),
        ("Owner", connection.owner),
        ("Declared at", str(connection.place)),
    ):
        if value:
            yield f"{name}: {value}"
    yield from (source for source in sources if source)


def _untold(scanned: Scanned) -> bool:
    """Whether a fact that would end the key is not known, and none that is known ends it."""
    facts = scanned.facts
    values: list[Any] = [fact.value for path in ENDINGS if (fact := facts.get(path))]
    return len(values) < len(ENDINGS) and not any(isinstance(value, datetime) for value in values)


def _unknown(scans: list[Scanned], now: datetime, caveats: list[str]) -> Iterator[str]:
    """One day with the keys of which nobody knows when they end: unknown is not never."""
    said = [f"{one.connection.name} ({one.connection.exchange}): {_why(one)}" for one in scans]
    today = utc(now)
    yield "BEGIN:VEVENT"
    yield f"UID:{_uid('unknown', '')}"
    yield f"DTSTAMP:{_time(now)}"
    yield f"DTSTART;VALUE=DATE:{today:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{today + timedelta(days=1):%Y%m%d}"
    yield _text(f"SUMMARY:Not known when they end: {count(len(scans), 'key')}")
    yield f"DESCRIPTION:{_text(chr(10).join([*caveats, *said]))}"
    yield from ("CATEGORIES:API key", "TRANSP:TRANSPARENT", "END:VEVENT")


def _why(scanned: Scanned) -> str:
    unknown = scanned.facts.unknown
    reasons = [f"{path}: {unknown[path]}" for path in ENDINGS if path in unknown]
    return "; ".join(reasons) or "not recorded"


def _uid(word: str, name: str) -> str:
    """The same for the same event of a later run, so that a calendar moves it."""
    digest = hashlib.sha256(f"{word}\0{visible(name)}".encode()).hexdigest()
    return f"{digest[:32]}@bfaudit"


def _time(moment: datetime) -> str:
    return f"{utc(moment):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """Text of a property: what is invisible is spelt out, but for the ends of lines."""
    return "\n".join(map(visible, text.split("\n"))).translate(_ESCAPES)


FORMAT = Format(id="ics", suffix="ics", title="Calendar of keys that end", render=render)
