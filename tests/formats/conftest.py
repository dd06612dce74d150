"""Renders every sample in every format, once per run, and opens reports in a real browser."""

import os
import shutil
from functools import cache

import pytest

import bfaudit
from bfaudit.formats import FORMATS, Options
from bfaudit.lang import language
from tests.report.samples import FILE, MANIFEST, SAMPLES

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
)

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


@pytest.fixture(scope="module")
def chromium():
    """A browser; missing, it is a failure in CI and a skip elsewhere.

    For one module only: playwright keeps an event loop running, in which nothing else can start its own.
    """
    path = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGS))
        yield browser
        browser.close()


@pytest.fixture
def show(chromium, tmp_path):
    """Opens a sample's report from disk, and fails on any noise, request or script of a stranger."""
    noise, asked, pages = [], [], []

    def opened(sample, format_id="html", anchor="", lang="en", **context):
        """`sample` is the name of one, or an audit."""
        file = tmp_path / f"report{len(pages)}.html"
        judged = SAMPLES[sample]() if isinstance(sample, str) else sample
        file.write_text(
            FORMATS[format_id].render(judged, Options(language=language(lang))), "utf-8"
        )
        page = chromium.new_context(**context).new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: noise.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{file.as_uri()}{anchor}")
        pages.append(file.as_uri())
        return page

    yield opened
    assert [] == noise
    assert set(pages) >= {url.partition("#")[0] for url in asked if url != "data:,"}
