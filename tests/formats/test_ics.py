"""The lapse calendar: RFC 5545 line by line, one event per known end, one day for what nobody knows."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from bfaudit.formats import FORMATS, Options
from bfaudit.formats.ics import fold
from bfaudit.model import Fact, Facts
from tests.formats.fleets import NASTY, audits
from tests.report.samples import SAMPLES, audit, scanned

END = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


def ending(name, **ends):
    scan = scanned(name)
    known = {**scan.facts.known, **{f"key.{path}": Fact(value) for path, value in ends.items()}}
    unknown = {path: why for path, why in scan.facts.unknown.items() if path not in known}
    return replace(scan, facts=Facts(known, unknown))


def calendar(made):
    """The lines, unfolded, with every component closed in its order."""
    text = FORMATS["ics"].render(made, Options())
    assert text.endswith("END:VCALENDAR\r\n")
    raw = text.removesuffix("\r\n").split("\r\n")
    assert all(len(line.encode()) <= 75 and "\n" not in line and "\r" not in line for line in raw)
    lines = text.removesuffix("\r\n").replace("\r\n ", "").split("\r\n")
    opened = []
    for line in lines:
        word, _, value = line.partition(":")
        assert word.split(";")[0].replace("-", "").isalpha()
        if word == "BEGIN":
            opened.append(value)
        elif word == "END":
            assert opened.pop() == value
    assert not opened
    return lines


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_shape(sample):
    """Each sample, the one without any connection included."""
    assert "BEGIN:VTIMEZONE" in calendar(SAMPLES[sample]())


@given(audits())
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_generated_fleets(made):
    """No name makes an event of its own."""
    lines = calendar(made)

    assert bool(made.snapshot.connections) == lines.count("BEGIN:VEVENT")


def test_events():
    """A key that expires and lapses has two events; one that never ends has none; unknown is not never."""
    scans = (
        ending("Both", expires_at=END, lapses_at=END),
        ending("Never", expires_at=None, lapses_at=None),
        ending("Half known", expires_at=None),
    )
    lines = calendar(audit(scans, []))

    assert 3 == lines.count("BEGIN:VEVENT")
    assert 2 == lines.count("DTSTART:20270102T030405Z")
    assert "SUMMARY:Key expires: Both (mexc)" in lines
    assert "SUMMARY:Key lapses: Both (mexc)" in lines
    assert "SUMMARY:Not known when they end: 1 key" in lines
    assert any(line.startswith("DESCRIPTION:Half known (mexc): key.lapses_at") for line in lines)
    assert not any("Never (" in line for line in lines)


def test_identifiers_are_unique_and_last():
    """The same event of a later run has the same identifier."""
    scans = tuple(ending(name, expires_at=END, lapses_at=END) for name in NASTY)
    made = audit(scans, [])
    uids = [line for line in calendar(made) if line.startswith("UID:")]
    later = [line for line in calendar(replace(made, generated_at=END)) if line.startswith("UID:")]

    assert 2 * len(NASTY) == len(uids) == len(set(uids))
    assert uids == later


def test_folding_splits_no_character():
    """Each part is at most 75 octets, and whole text."""
    parts = list(fold("SUMMARY:" + "ä€😀" * 60))

    assert all(len(part.encode()) <= 75 for part in parts)
    assert "SUMMARY:" + "ä€😀" * 60 == parts[0] + "".join(part[1:] for part in parts[1:])
