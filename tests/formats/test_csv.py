"""CSV: one row per result, no formula, no cell that breaks out."""

import csv
import io

import pytest

from bfaudit.formats import FORMATS, Options
from bfaudit.formats.csv import COLUMNS, cell
from bfaudit.model import Outcome
from tests.formats.fleets import NASTY
from tests.report.samples import SAMPLES, WITHDRAW, audit, result, scanned

FORMULAS = tuple("=+-@\t\r＝＋－＠")


def rows(made):
    text = FORMATS["csv"].render(made, Options())
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("sample", list(SAMPLES))
def test_shape(sample):
    """As many cells in every row as the header has, and no formula among them."""
    head, *found = rows(SAMPLES[sample]())

    assert list(COLUMNS) == head
    assert all(len(COLUMNS) == len(row) for row in found)
    assert not [text for row in found for text in row if text.startswith(FORMULAS)]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\n=1"]
)
def test_formulas_become_text(text):
    """What a spreadsheet would calculate starts with an apostrophe."""
    assert cell(text).startswith("'")


def test_hostile_names_stay_in_their_cell():
    """Separators, quotes and line ends are text."""
    scans = tuple(scanned(name + ';"\n,') for name in NASTY)
    _, *found = rows(audit(scans, [result(WITHDRAW, scan, Outcome.FAIL) for scan in scans]))

    assert len(NASTY) == len(found)
    assert all('"\\u{a},' in row[4] for row in found)


def test_rejected_connections_follow():
    """A connection that was left out has a row of its own."""
    found = rows(SAMPLES["redirected"]())

    assert ["pass", "not-audited"] == [row[0] for row in found[1:]]
    assert ["http://127.0.0.1:8080", "redirected"] == found[1][-2:]
    assert "Old Bot" == found[2][4]
