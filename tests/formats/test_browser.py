"""The HTML report in a real browser: visible, quiet, inert, filterable."""

import os
import shutil

import pytest

from bfaudit.formats import FORMATS, Options
from tests.report.samples import HOSTILE, SAMPLES

pytestmark = pytest.mark.browser
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
)


@pytest.fixture(scope="module")
def chromium():
    """A browser; missing, it is a failure in CI and a skip elsewhere."""
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

    def opened(sample, **context):
        file = tmp_path / f"{sample}.html"
        file.write_text(FORMATS["html"].render(SAMPLES[sample](), Options()), "utf-8")
        page = chromium.new_context(**context).new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: noise.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        pages.append(file.as_uri())
        return page

    yield opened
    assert [] == noise
    assert set(pages) >= {url.partition("#")[0] for url in asked if url != "data:,"}


def visible(page, selector):
    return page.locator(f"{selector}:visible").count()


@pytest.mark.parametrize("sample", list(SAMPLES))
@pytest.mark.parametrize("width", [1280, 390])
def test_opens_quietly(show, sample, width):
    """No error, no request, nothing wider than the window."""
    page = show(sample, viewport={"width": width, "height": 900})

    assert page.locator("h1").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_findings_are_visible(show):
    """Findings, unknowns and the fleet are on the page; details open on a click."""
    page = show("failing")
    first = page.locator("details.item").first
    first.locator("summary").click()

    assert 8 == visible(page, "section[aria-labelledby=findings] details.item")
    assert 5 == visible(page, "table.fleet tbody tr")
    assert first.locator(".evidence").is_visible()


def test_filters(show):
    """Severity, exchange, outcome and words narrow what is shown; reset shows all again."""
    page = show("failing")
    every = visible(page, ".item")
    page.select_option("[name=severity]", "critical")
    critical = visible(page, "details.item")
    page.select_option("[name=severity]", "")
    page.select_option("[name=exchange]", "kucoin")
    kucoin = visible(page, "table.fleet tbody tr")
    page.select_option("[name=exchange]", "")
    page.select_option("[name=outcome]", "unknown")
    failed = visible(page, "details.item")
    page.select_option("[name=outcome]", "")
    page.fill("[name=text]", "recovery withdraw")
    found = visible(page, "details.item")
    told = page.inner_text("#shown")
    page.click("button[type=reset]")
    page.wait_for_function("document.getElementById('shown').textContent === ''")

    assert (2, 2, 0, 1) == (critical, kucoin, failed, found)
    assert told.endswith(f"of {every} shown")
    assert every == visible(page, ".item")


def test_permalink(show):
    """The link of a finding opens it."""
    page = show("failing")
    page.locator(".first a").first.click()
    page.wait_for_selector("details.item[open]")

    assert page.locator("details.item[open]").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme(show, scheme):
    """The page follows the system, and the button turns it over."""
    page = show("failing", color_scheme=scheme)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert before != after


def test_without_script(show):
    """All content is there without JavaScript; only the filters are not."""
    page = show("failing", java_script_enabled=False)

    assert 8 == visible(page, "section[aria-labelledby=findings] details.item")
    assert 0 == visible(page, "#filters")


def test_hostile_texts_are_inert(show):
    """What strangers wrote is text: no element, no handler, no dialog came of it."""
    page = show("hostile")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")

    assert len(HOSTILE) == page.locator("table.fleet tbody tr").count()
    assert 1 == page.locator("script").count()
    assert 0 == page.locator("img, iframe, a[href^=javascript]").count()
    assert "<script>alert(1)</script>" in page.inner_text("table.fleet")
    assert r"\u{202e}txt.exe" in page.inner_text("table.fleet")


def test_prints(show):
    """On paper every detail is open and no control is left."""
    page = show("failing")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert 0 == visible(page, "#filters")
    assert 0 == page.locator("details:not([open])").count()
