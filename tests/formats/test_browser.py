"""The HTML report in a real browser: visible, quiet, inert, filterable."""

from importlib import resources

import pytest

from tests.report.samples import HOSTILE, SAMPLES

pytestmark = pytest.mark.browser


def visible(page, selector):
    return page.locator(f"{selector}:visible").count()


def choose(page, **controls):
    """Set controls of the filters, and no others."""
    page.evaluate(
        """(controls) => {
            const form = document.getElementById('filters');
            for (const each of form.elements) if (each.name) each.value = controls[each.name] ?? '';
            form.requestSubmit();
        }""",
        controls,
    )


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
    assert 5 == visible(page, "table.fleet tbody.item")
    assert first.locator(".evidence").is_visible()


def test_filters(show):
    """Severity, exchange, outcome and words narrow what is shown; reset shows all again."""
    page = show("failing")
    every = visible(page, ".item")

    def shown(selector, **controls):
        choose(page, **controls)
        return visible(page, selector)

    assert 2 == shown("details.item", severity="critical")
    assert 2 == shown("table.fleet .item", exchange="kucoin")
    assert 1 == shown("table.fleet .item", strategy="mexc-spot-main")
    assert 2 == shown("table.fleet .item", rule="no-withdraw", outcome="unknown")
    assert 0 == shown("details.item", outcome="unknown")
    assert 1 == shown("details.item", excepted="yes")
    assert 8 == shown("details.item", excepted="no")
    assert 1 == shown("details.item", text="recovery withdraw")
    assert page.inner_text("#shown").endswith(f"of {every} shown")

    page.click("button[type=reset]")
    page.wait_for_function("document.getElementById('shown').textContent === ''")

    assert every == visible(page, ".item")


@pytest.mark.parametrize(
    ("by", "groups"),
    [("severity", 5), ("exchange", 2), ("connection", 5), ("", 6)],
)
def test_groups(show, by, groups):
    """Findings stand by severity, exchange, connection or rule, and none is lost."""
    page = show("failing")
    choose(page, group=by)

    assert groups == visible(page, "[data-list=findings] .group")
    assert 8 == visible(page, "[data-list=findings] details.item")


def test_finnish(show):
    """The script counts and groups in the language of the page; its filters still take the words of JSON."""
    page = show("failing", lang="fi", viewport={"width": 390, "height": 900})
    heads = page.locator("section[aria-labelledby=findings] .group > header")
    choose(page, severity="critical", group="severity")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert ["kriittinen"] == heads.locator("h3").all_inner_texts()
    assert "2 löydöstä" in heads.inner_text()
    assert "näytetään" in page.locator("#shown").inner_text()


@pytest.mark.parametrize("lang", ["en", "fi"])
def test_drawn_rows_are_those_of_the_file(show, lang):
    """What the script draws is, letter by letter, what the template wrote."""
    page = show("failing", lang=lang)
    texts = """() => [...document.querySelectorAll('.list > .group, .fleet .item')]
        .map((node) => node.textContent.replace(/\\s+/g, ' ').trim())"""
    labels = (
        "() => [...document.querySelectorAll('.fleet [aria-label]')].map((each) => each.ariaLabel)"
    )
    written = page.evaluate(texts), page.evaluate(labels)
    choose(page, text="")

    assert written == (page.evaluate(texts), page.evaluate(labels))


def test_sorts(show):
    """A heading of the fleet's table sorts by its column, then the other way, then not."""
    page = show("failing")
    button = page.get_by_role("button", name="Key, age")
    orders = []
    for _ in range(3):
        button.click()
        orders.append(page.locator(".fleet .item th .name:first-child").first.inner_text())
        orders.append(page.get_attribute("th[data-sort=age]", "aria-sort"))

    assert ["Recovery PRO Connection", "ascending", "BTC ETH New Groups", "descending"] == orders[
        :4
    ]
    assert ["MEXC Spot Main", None] == orders[4:]


def test_permalink_of_filters(show):
    """The address holds the state of the filters, and brings it back."""
    page = show("failing")
    choose(page, severity="high", group="exchange", sort="-name")
    anchor = page.evaluate("location.hash")
    again = show("failing", anchor=anchor)

    assert "#severity=high&group=exchange&sort=-name" == anchor
    assert "high" == again.input_value("[name=severity]")
    assert 3 == visible(again, "[data-list=findings] details.item")
    assert 2 == visible(again, "[data-list=findings] .group")


def test_keyboard(show):
    """Everything opens and moves without a mouse."""
    page = show("failing")
    page.focus("[data-list=findings] .item:first-child summary")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.parentElement.id")
    second = page.locator("[data-list=findings] details.item").nth(1).get_attribute("id")
    page.fill("[name=text]", "nothing has this name")
    page.focus("[name=text]")
    page.keyboard.press("Escape")

    assert second == focused
    assert page.locator("details.item[open] .evidence").first.is_visible()
    assert "" == page.input_value("[name=text]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("format_id", "sample"),
    [
        ("html", "failing"),
        ("html", "unanswered"),
        ("html", "redirected"),
        ("access-review", "failing"),
    ],
)
def test_accessible(show, scheme, format_id, sample):
    """axe-core finds no violation of WCAG 2.2 AA: details closed and open, in both schemes."""
    page = show(sample, format_id, color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate((resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("(values) => axe.run(document, {runOnly: {type: 'tag', values}})", tags)
    told = [
        (
            each["id"],
            each["impact"],
            each["nodes"][0]["html"][:200],
            each["nodes"][0]["failureSummary"],
        )
        for each in found["violations"]
    ]

    assert [] == told
    assert found["passes"]


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

    assert len(HOSTILE) == page.locator("table.fleet tbody.item").count()
    assert 2 == page.locator("script").count()
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
