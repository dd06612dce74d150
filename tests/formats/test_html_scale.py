"""The HTML report of a big fleet: part of it stands in the page, the script draws the rest, and nothing is hidden."""

import json
import re

import pytest
from playwright.sync_api import expect

from bfaudit.formats import FORMATS, Options
from bfaudit.formats.html import SHOWN
from bfaudit.model import Outcome
from bfaudit.report import build
from bfaudit.report.embedded import embed
from tests.report.samples import BOUND, WITHDRAW, audit, result, saw, scanned

OPTIONS = Options(snapshot_digest=f"sha256:{'0' * 64}")
SIZE = 1200


def fleet(size):
    """Each connection may withdraw; each third works from any address, for all that is known."""
    scans = tuple(
        scanned(f"Bot {index:05}", ("mexc", "kucoin")[index % 2], line=index + 1, age=index % 700)
        for index in range(size)
    )
    return audit(
        scans,
        [
            result(WITHDRAW, each, Outcome.FAIL, saw("key.can.withdraw", True, each))
            for each in scans
        ]
        + [result(BOUND, each, Outcome.UNKNOWN) for each in scans[::3]],
    )


def data_of(text):
    return json.loads(re.search(r'(?s)id="data">(.*?)</script>', text)[1])


class TestFile:
    def test_bound(self):
        """The page itself holds a part, its data all; what a reader without JavaScript misses is said."""
        text = FORMATS["html"].render(fleet(SIZE), OPTIONS)

        assert SHOWN == text.count('class="item" id="f-')
        assert SIZE == len(data_of(text)["findings"]) == len(data_of(text)["fleet"])
        assert f"{SHOWN} findings stand here; {SIZE - SHOWN:,} more are in this file" in text
        assert "JSON report only" not in text

    def test_left_out(self):
        """What does not fit is counted, and the worst is kept."""
        view = build(fleet(SIZE))
        whole, small = embed(view), embed(view, size=60_000)

        assert {"fleet": SIZE, "findings": SIZE, "excepted": 0, "gaps": 1} == whole.rows
        assert len(small.text) <= 60_000
        assert 0 < small.rows["findings"] < SIZE
        assert "id" not in json.loads(small.text)

    def test_says_what_is_left_out(self, monkeypatch):
        """The page names the number that only the JSON report has."""
        monkeypatch.setattr(
            "bfaudit.formats.html.embed", lambda view, **more: embed(view, rows=1000, **more)
        )
        text = FORMATS["html"].render(fleet(SIZE), OPTIONS)
        told = re.findall(r"<strong>([\d,]+) more (\w+) would make this file too big", text)

        assert ["connections", "findings"] == [noun for _, noun in told]
        kept = data_of(text)
        assert SIZE - len(kept["findings"]) == int(told[1][0].replace(",", ""))

    def test_data_cannot_leave_its_element(self):
        """Nothing in it ends a script, a comment or a line."""
        text = embed(build(audit((scanned("</script><!--\u2028\u2029&"),), []))).text

        assert not set("<>&\u2028\u2029") & set(text)
        assert "</script><!--\\u{2028}\\u{2029}&" in json.loads(text)["texts"]


@pytest.mark.browser
class TestBrowser:
    def test_draws_the_rest(self, show):
        """More rows come on demand, and a filter looks through all of them."""
        page = show(fleet(SIZE))
        items = page.locator("[data-list=findings] details.item")
        before = items.count()
        page.locator("[data-more=findings] button").click()
        after = items.count()
        focused = page.evaluate("document.activeElement.closest('.item').id === "
                                f"document.querySelectorAll('[data-list=findings] .item')[{before}].id")  # fmt: skip
        page.fill("[name=text]", "bot 01199")
        expect(page.locator("#shown")).not_to_be_empty(timeout=30_000)

        assert (SHOWN, True) == (before, after > before)
        assert focused
        assert 1 == page.locator("[data-list=findings] .group").count()
        assert 1 == items.count()
        assert page.inner_text("#shown").startswith("2 of 2,401")

    def test_permalink_beyond_the_bound(self, show):
        """A finding that the page does not hold yet is drawn where its address is opened."""
        judged = fleet(SIZE)
        fingerprint = judged.results[SIZE - 1].fingerprint
        page = show(judged, anchor=f"#f-{fingerprint}")

        assert page.locator(f"#f-{fingerprint} .evidence").is_visible()

    def test_sorts_all(self, show):
        """Sorting takes in the rows that are not drawn."""
        page = show(fleet(SIZE))
        page.get_by_role("button", name="Connection").click()
        page.get_by_role("button", name="Connection").click()

        assert page.locator(".fleet .item th").first.inner_text().startswith(f"Bot {SIZE - 1:05}")

    def test_prints_more(self, show):
        """Paper gets more than the screen, and says what it lacks."""
        page = show(fleet(SIZE))
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")

        assert 1000 == page.locator("[data-list=findings] details.item").count()
        assert "1,000 of 1,200 drawn" in page.inner_text("[data-more=findings]")
