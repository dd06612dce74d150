"""The cost model of docs/scale.md: what it says is what the limiter does, on a clock that jumps."""

import math
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import scale  # noqa: E402

KEYS = 10_000 if os.environ.get("BFAUDIT_TEST_LONG") else 1_200
ADAPTERS = scale.adapters()


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.id)
def test_a_scan_takes_what_the_model_says_and_nothing_is_refused(adapter):
    """Exact windows at arrival and uneven answers: no request too many, no window left unused."""
    seen = scale.simulate(adapter, KEYS)

    assert 0 == seen.rejected
    assert KEYS * len(scale.reads_of(adapter)) == seen.sent
    assert seen.seconds == pytest.approx(scale.modelled(adapter, KEYS, math.inf), rel=0.05, abs=0.5)


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.id)
def test_many_keys_of_one_account_are_not_refused_either(adapter):
    """Limits by account hold where three accounts have all the keys."""
    assert 0 == scale.simulate(adapter, KEYS // 10, accounts=3).rejected


def test_the_page_shows_the_table_as_it_is():
    """docs/scale.md is what benchmarks/scale.py prints: `make docs` writes it anew."""
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    shown = re.search(f"{scale.BEGIN}\n(.*?)\n?{scale.END}", page, re.DOTALL)

    assert shown
    assert "\n".join(scale.rows()) == shown[1]
