"""The example fleet as a scan recorded it, judged at a fixed time."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

import bfaudit
from bfaudit import snapshot as snapshots
from bfaudit.evaluate import evaluate
from bfaudit.formats import FORMATS, Options
from bfaudit.lang import language
from bfaudit.policy.read import read

SNAPSHOT = Path(__file__).with_name("fleet.snapshot.json")
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PACKS = (
    "baseline",
    "strict",
    "inventory",
    "drift",
    "lifecycle",
    "trade-drain",
    "governance",
    "segregation",
)


@pytest.fixture(autouse=True)
def _version(monkeypatch):
    """A release does not change the rendered reports."""
    monkeypatch.setattr(bfaudit, "__version__", "1.2.3")


@cache
def audited(*packs):
    """The example fleet, judged by some packs."""
    snapshot = snapshots.decode(SNAPSHOT.read_bytes(), SNAPSHOT.name)
    return evaluate(snapshot, read(packs or PACKS), NOW)


def rendered(form, code, audit=None, **options):
    """An audit in a format and a language, as text."""
    told = {"language": language(code), "exit_code": 1, **options}
    made = FORMATS[form].render(audited() if audit is None else audit, Options(**told))
    return made if isinstance(made, str) else made.decode()
