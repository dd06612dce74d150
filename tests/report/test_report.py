"""Finished values: counts, order, words."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bfaudit.formats import FORMATS, Options
from bfaudit.model import Grant, Outcome
from bfaudit.report import build
from bfaudit.report.counts import EXIT_MEANINGS
from bfaudit.report.wording import listed, paragraph, percent, show, visible
from bfaudit.words import count
from tests.report.samples import (
    HOSTILE,
    SAMPLES,
    WITHDRAW,
    audit,
    failing,
    missing,
    redirected,
    result,
    scanned,
)

TONES = {
    "healthy": "clean",
    "failing": "findings",
    "hostile": "findings",
    "unanswered": "incomplete",
    "redirected": "incomplete",
    "empty": "empty",
}


class TestVerdict:
    @pytest.mark.parametrize("sample", list(SAMPLES))
    def test_tone(self, sample):
        """Only an audit in which everything was answered, and passed, is clean."""
        assert TONES[sample] == build(SAMPLES[sample]()).verdict.tone

    def test_gaps(self):
        """What keeps an audit from being complete is named."""
        sentence = build(redirected()).verdict.sentence

        assert "The scan was interrupted and 1 connection could not be audited." in sentence

    def test_excepted_only(self):
        """An exception keeps the verdict clean, and is counted in its sentence."""
        scan = scanned("A")
        verdict = build(
            audit((scan,), [result(WITHDRAW, scan, Outcome.FAIL, exception="EXC-1")])
        ).verdict

        assert "clean" == verdict.tone
        assert "1 more under exception" in verdict.sentence


class TestView:
    def test_partition(self):
        """Every result is counted once, whichever list shows it."""
        view = build(failing())
        shown = sum(len(group.findings) for group in (*view.findings, *view.excepted))
        passed = sum(len(rule.passed) for rule in view.rules)

        assert view.counts.outcomes["fail"] == shown
        assert view.counts.outcomes["pass"] == passed
        assert view.counts.unanswered == sum(
            len(gap.rules) * len(gap.findings) for gap in view.gaps
        )

    def test_first(self):
        """What to do first is the worst, told once for all connections that share it."""
        worst = build(failing()).first[0]

        assert ["MEXC Spot Main", "Recovery PRO Connection"] == [each.connection for each in worst]
        assert worst[0].fix.startswith("Open API Management")

    def test_gaps_join_what_one_reason_hides(self):
        """Connections and rules with the same reasons make one entry."""
        scans = (scanned("A"), scanned("B"))
        gap = missing("key.can.withdraw", "silence")
        (only,) = build(
            audit(scans, [result(WITHDRAW, scan, Outcome.UNKNOWN, gap) for scan in scans])
        ).gaps

        assert ["A", "B"] == [finding.connection for finding in only.findings]
        assert (("silence", ("key.can.withdraw",)),) == only.reasons

    def test_permissions(self):
        """A permission says whether it was asked for."""
        kucoin = build(failing()).connections[1]
        tones = {each.word: each.tone for each in (*kucoin.permissions, *kucoin.others)}

        assert "granted" == tones["futures"]
        assert "denied" == tones["withdraw"]
        assert Grant.UNKNOWN == tones["margin"]
        assert "excess" == tones["other:earn"]
        assert "any address" == kucoin.addresses

    def test_missing_permission(self):
        """A required permission that is denied stands out."""
        (view,) = build(audit((scanned("A", grants="read"),), [])).connections

        assert "missing" == view.permissions[1].tone

    def test_masked(self):
        """A whitelist that is not known is not an empty one."""
        (view,) = build(audit((scanned("A", addresses=()),), [])).connections

        assert "restricted, list unknown" == view.addresses
        assert not view.unrestricted


def test_exit_meanings_are_those_of_the_command():
    """The words of the report and of `bfaudit exit-codes` cover the same codes."""
    from bfaudit.cli.exit_codes import CODES

    assert set(CODES) == set(EXIT_MEANINGS)


class TestWording:
    @given(st.text())
    def test_visible_is_printable(self, text):
        """Nothing that a terminal or an eye could be fooled by is left."""
        assert all(char.isprintable() or char.isspace() for char in visible(text))
        assert not set("\n\r\t\x1b\u202e\u200b\x00") & set(visible(text))

    @pytest.mark.parametrize("text", HOSTILE)
    def test_visible_keeps_what_can_be_seen(self, text):
        """What can be seen stays as it is."""
        assert [char for char in text if char.isprintable()] == [
            char for char in text if char.isprintable() and char in visible(text)
        ]

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "none"),
            (True, "true"),
            (7, "7"),
            ((), "none"),
            (("a", "b"), "a, b"),
            ({"a": None}, "a: none"),
            (date(2026, 1, 5), "2026-01-05"),
            (datetime(2026, 1, 5, 10, 2, 59, tzinfo=UTC), "2026-01-05 10:02 UTC"),
            (Grant.GRANTED, "granted"),
        ],
    )
    def test_show(self, value, text):
        """Values read like words."""
        assert text == show(value)

    @pytest.mark.parametrize(
        ("share", "text"),
        [(0, "0 %"), (0.001, "1 %"), (0.5, "50 %"), (0.999, "99 %"), (1, "100 %")],
    )
    def test_percent(self, share, text):
        """All and none are said of all and none only."""
        assert text == percent(share)

    def test_phrases(self):
        """Counts and lists are phrases."""
        assert "1 key" == count(1, "key")
        assert "2,000 keys" == count(2000, "key")
        assert "a, b and c" == listed(["a", "b", "c"])
        assert "a" == listed(["a"])
        assert "" == listed([])
        assert "a b" == paragraph(" a\n  b\n")


def test_known_findings_say_so():
    """A finding that a baseline file names is shown, and marked."""
    judged = failing()
    found = next(one for one in judged.results if one.outcome == Outcome.FAIL)
    view = build(replace(judged, baselined=frozenset({found.fingerprint})))
    marked = [
        each.fingerprint
        for group in view.findings
        for each in group.findings
        if "the baseline has it" in each.message
    ]

    assert marked == [found.fingerprint]
    assert "1 finding known by the baseline" in view.verdict.sentence


def test_markdown_tells_what_is_not_known_of_a_key():
    """A permission that is not known is no permission that the key lacks: it is counted, as in the other formats."""
    text = FORMATS["markdown"].render(failing(), Options())
    row = next(line for line in text.splitlines() if line.startswith("| KuCoin Spot Backup |"))

    assert "| **8 unknown** |" in row


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ("healthy", "Exit 0: complete and clean"),
        ("failing", "Exit 0: the findings are within what this run lets pass"),
        ("unanswered", "Exit 0: what is not known is within what this run lets pass"),
        ("empty", "Exit 0: nothing was audited, and this run lets that pass"),
    ],
)
def test_zero_is_clean_only_where_it_is(sample, said):
    """A threshold, a baseline or --exit-zero makes 0 of an audit that is not clean: the text says so."""
    text = FORMATS["text"].render(SAMPLES[sample](), Options(exit_code=0))

    assert said == text.rstrip().splitlines()[-1]


TELLING = ["text", "markdown", "html", "access-review", "github", "junit", "sarif", "oscal", "ics"]


@pytest.mark.parametrize("format_id", TELLING)
def test_what_a_selection_left_out_is_told(format_id):
    """A clean part of a fleet is not a clean fleet: every format counts the connections that nobody looked at."""
    whole = SAMPLES["healthy"]()
    part = replace(whole, snapshot=replace(whole.snapshot, unselected=18))
    made = FORMATS[format_id].render(part, Options())
    text = made.decode() if isinstance(made, bytes) else made

    told = r"18 (?:more )?(?:connections )?(?:of the fleet )?(?:were )?not\s+selected"
    assert re.search(told, text)
    assert "Every declared key" not in text
