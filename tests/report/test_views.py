"""What the overview and the fleet say of keys: thieves, ends, charts, groups, reviews, and what is worth telling."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from bfaudit.model import Attestation, Fact, Facts, Grant, Outcome
from bfaudit.report import build
from bfaudit.report.gaps import reason
from bfaudit.report.review import review
from bfaudit.report.thief import thief
from tests.report.samples import BOUND as ANY
from tests.report.samples import (
    NOW,
    ONLINE,
    WITHDRAW,
    audit,
    failing,
    missing,
    result,
    rule,
    saw,
    scanned,
)


def facts(known, unknown=()):
    return Facts({path: Fact(value) for path, value in known.items()}, dict(unknown))


def with_facts(scan, **known):
    paths = {name.replace("__", "."): Fact(value) for name, value in known.items()}
    return replace(scan, facts=Facts({**scan.facts.known, **paths}, scan.facts.unknown))


class TestThief:
    def test_reached(self):
        """What a documented step reaches is told with the step and its source."""
        via = "universal transfer to a sub-account [https://example.org/docs]"
        known = {"reach.withdraw": Fact(Grant.GRANTED, request="GET /key", via=via)}
        told = thief(Facts(known, {}))
        way = next(each for each in told.ways if each.what == "withdraw funds")

        assert ("granted", "yes", via, "introspection, GET /key") == way[1:]
        assert "granted" == told.worst
        assert told.sentence.startswith("A thief could withdraw funds; unknown: ")

    def test_unknown(self):
        """Silence is not safety."""
        told = thief(facts({}, {"reach.withdraw": "the sources do not agree"}))

        assert "Unknown what a thief could do." == told.sentence
        assert "unknown" == told.worst
        assert "the sources do not agree" in {way.why for way in told.ways}
        assert "the scan did not record it" in {way.why for way in told.ways}

    def test_nothing(self):
        """Where every way is closed, that no way is known is all there is to say."""
        reaches = ("manage_keys", "ip_list", "transfer", "withdraw")
        denied = {f"reach.{word}": Grant.DENIED for word in reaches} | {"reach.exits": ()}
        denied |= {
            f"permissions.{word}": Grant.DENIED
            for word in ("trade", "margin", "futures", "options")
        }
        told = thief(facts(denied))

        assert "No way is known to trade or take funds." == told.sentence
        assert "denied" == told.worst

    def test_exits(self):
        """Other ways out are named."""
        told = thief(facts({"reach.exits": ("earn", "p2p")}))

        assert "yes: earn, p2p" == told.ways[-1].word
        assert "granted" == told.worst

    def test_own_permission(self):
        """A snapshot without conclusions still has the permissions."""
        told = thief(facts({"permissions.withdraw": Grant.GRANTED}))

        assert "A thief could withdraw funds" in told.sentence


class TestEnds:
    @pytest.mark.parametrize(
        ("known", "ends"),
        [
            ({"key__expires_at": datetime(2027, 1, 5, tzinfo=UTC)}, "expires 2027-01-05"),
            (
                {
                    "key__expires_at": datetime(2027, 1, 5, tzinfo=UTC),
                    "key__lapses_at": datetime(2026, 12, 1, tzinfo=UTC),
                },
                "lapses 2026-12-01",
            ),
            ({"key__expires_at": None, "key__lapses_at": None}, "never"),
            ({"key__expires_at": None}, "unknown"),
            ({}, "unknown"),
        ],
    )
    def test_first(self, known, ends):
        """The first end counts; never is said only where both are known."""
        (view,) = build(audit((with_facts(scanned("A"), **known),), [])).connections

        assert ends == view.ends


class TestCharts:
    def test_counts(self):
        """Every chart counts every connection, or every finding, once."""
        view = build(failing())
        by_exchange, ages, calendar = view.charts

        assert view.counts.findings + view.counts.unanswered == sum(
            line.total for line in by_exchange.lines
        )
        assert view.counts.connections == sum(line.total for line in ages.lines)
        assert view.counts.connections == sum(line.total for line in calendar.lines)
        assert all(
            part.x + part.width <= 1000
            for chart in view.charts
            for line in chart.lines
            for part in line.parts
        )

    def test_calendar(self):
        """Months in their order, what is over first, what has no date last."""
        days = (-3, 1, 40, 41, 42, 43, 800)
        scans = [
            with_facts(scanned(f"Bot {index}"), key__expires_at=NOW + timedelta(days=day))
            for index, day in enumerate(days)
        ]
        calendar = build(audit((*scans, scanned("Z")), [])).charts[2]

        assert ["in the past", "2026-11", "2026-12", "2027-01", "2029-01", "unknown"] == [
            line.label for line in calendar.lines
        ]
        assert "Bot 2, Bot 3" == calendar.lines[2].note
        assert "Bot 4, Bot 5" == calendar.lines[3].note

    def test_many(self):
        """Beyond a dozen exchanges, and months, the rest is summed up."""
        scans = tuple(
            with_facts(scanned(f"Bot {index:02}", f"ex{index:02}"),
                       key__expires_at=NOW + timedelta(days=31 * index))
            for index in range(20)
        )  # fmt: skip
        by_exchange, _, calendar = build(audit(scans, [])).charts

        assert "9 others" == by_exchange.lines[-1].label
        assert "later" == calendar.lines[-1].label
        assert 20 == sum(line.total for line in calendar.lines)


class TestShared:
    def test_groups(self):
        """Connections hang together by account and key; the shared key stands first."""
        first, second = (
            with_facts(scanned(name, fingerprint="f1"), account_facts__uid="7") for name in "AB"
        )
        third = with_facts(scanned("C", fingerprint="f2"), account_facts__uid="7")
        lone = with_facts(scanned("D"), account_facts__uid="8")
        (group,) = build(audit((third, first, second, lone), [])).shared.accounts

        assert ("mexc", "7", 3, True) == (
            group.exchange, group.uid, group.connections, group.shares_key,
        )  # fmt: skip
        assert [("f1", ("A", "B")), ("f2", ("C",))] == [
            (key.fingerprint, key.names) for key in group.keys
        ]

    def test_none(self):
        """Connections without a fingerprint share nothing, for all that is known."""
        scans = tuple(scanned(name, fingerprint=None) for name in "AB")

        assert () == build(audit(scans, [])).shared.accounts


class TestFindings:
    def test_connection_test(self):
        """A connection that is not Online is told by what the scan saw, and what it advises."""
        view = build(failing())
        (group,) = (each for each in view.findings if each.rule.id == ONLINE.id)

        assert "code 10072: Invalid key, as the exchange says." in group.findings[0].message
        assert "Copy the values again, or create a new key." == group.findings[0].fix

    def test_other_rules_keep_their_words(self):
        """Only a rule that judges the connection test speaks of it."""
        finding = build(failing()).findings[0].findings[0]

        assert WITHDRAW.message == finding.message

    @pytest.mark.parametrize(
        ("value", "shown"), [("active", False), ("", False), ((), False), ("retired", True)]
    )
    def test_hides_what_explains_nothing(self, value, shown):
        """What only `applies` reads is shown where it is out of the ordinary."""
        judged = rule("x", WITHDRAW.severity, "T", "!key.can.withdraw",
                      applies="connection.lifecycle == 'active'")  # fmt: skip
        scan = scanned("A")
        made = result(judged, scan, Outcome.FAIL, saw("connection.lifecycle", value, scan),
                      saw("key.can.withdraw", "", scan))  # fmt: skip
        (group,) = build(replace(audit((scan,), [made]), rules=(judged,))).findings
        fields = [seen.field for seen in group.findings[0].observed]

        assert shown == ("connection.lifecycle" in fields)
        assert "key.can.withdraw" in fields


class TestGaps:
    def test_reason(self):
        """A reason is the same, whichever permissions it hides."""
        assert "it did not answer" == reason("futures, manage_keys: it did not answer")
        assert "it did not answer" == reason("other:earn: it did not answer")
        assert "GET /key: refused" == reason("GET /key: refused")

    def test_joins_what_differs_by_permission_only(self):
        """Two rules with one reason behind them make one entry."""
        scan = scanned("A")
        results = [
            result(WITHDRAW, scan, Outcome.UNKNOWN, missing("key.can.withdraw", "silence")),
            result(ANY, scan, Outcome.UNKNOWN, missing("key.excess", "futures, margin: silence")),
        ]
        (gap,) = build(audit((scan,), results)).gaps

        assert (("silence", ("key.can.withdraw", "key.excess")),) == gap.reasons
        assert "2 rules without an answer" == gap.heading


class TestReview:
    @pytest.mark.parametrize(
        ("attested", "state", "words"),
        [
            (None, "none", "never attested"),
            (Attestation("alice", date(2026, 11, 1)), "valid", "2026-11-01 by alice"),
            (
                Attestation("alice", date(2026, 1, 1), date(2026, 11, 20)),
                "valid",
                "2026-01-01 by alice, valid until 2026-11-20",
            ),
            (
                Attestation("alice", date(2026, 1, 1), date(2026, 11, 19)),
                "expired",
                "2026-01-01 by alice, expired 2026-11-19",
            ),
        ],
    )
    def test_last(self, attested, state, words):
        """The last review is the manifest's attestation; its last day counts."""
        scan = scanned("A")
        given = {"access_review": attested} if attested else {}
        scan = replace(scan, connection=replace(scan.connection, attestations=given))
        view = review(audit((scan,), []))

        assert (state, words) == (view.entries[0].review.state, view.entries[0].review.words)
        assert (state != "valid") == view.due

    def test_entry(self):
        """A key stands with what it may do beyond its purpose, and what nobody knows."""
        entry = next(each for each in review(failing()).entries if each.key.exchange == "kucoin")

        assert "read, futures, other:earn" == entry.granted
        assert "other:earn" == entry.excess
        assert "margin, options, manage_keys" == entry.unknown
