"""Renders every sample in every format, once per run."""

from functools import cache

import pytest

import bfaudit
from bfaudit.formats import FORMATS, Options
from tests.report.samples import FILE, MANIFEST, SAMPLES

DIGEST = f"sha256:{'0123456789abcdef' * 4}"


@pytest.fixture(autouse=True)
def _version(monkeypatch):
    """A release does not change the rendered reports."""
    monkeypatch.setattr(bfaudit, "__version__", "1.2.3")
    rendered.cache_clear()


@cache
def rendered(format_id, sample, **options):
    """A sample in a format, as text."""
    told = {"sources": {FILE: MANIFEST}, "exit_code": 1, "snapshot_digest": DIGEST, **options}
    text = FORMATS[format_id].render(SAMPLES[sample](), Options(**told))
    return text if isinstance(text, str) else text.decode()
