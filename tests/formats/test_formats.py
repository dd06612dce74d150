"""Every format says the same, says it safely, and says it twice alike."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import jsonschema_rs
import pytest
from msgspec.structs import replace

from bfaudit import schemas
from bfaudit.formats import FORMATS, Options
from bfaudit.formats.json import SCHEMA
from bfaudit.formats.markdown import LIMIT, cell
from bfaudit.model import Outcome
from bfaudit.report import build
from bfaudit.sealed import digest_of, unseal
from tests.formats.conftest import rendered
from tests.report.samples import FILE, HOSTILE, SAMPLES, audit, failing, result, scanned
from tests.report.samples import RULES as ALL_RULES

each_sample = pytest.mark.parametrize("sample", list(SAMPLES))
each_format = pytest.mark.parametrize("format_id", list(FORMATS))
VALIDATOR = jsonschema_rs.Draft202012Validator(schemas.load("report"), validate_formats=True)


class Page(HTMLParser):
    """The elements of a page, without its style and script."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.links = []
        self.text = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data):
        if self.elements[-1:] and self.elements[-1][0] not in {"style", "script"}:
            self.text.append(data)


class TestEveryFormat:
    @each_format
    @each_sample
    def test_is_deterministic(self, format_id, sample):
        """Two renderings of equal audits are equal."""
        first = FORMATS[format_id].render(SAMPLES[sample](), Options())

        assert first == FORMATS[format_id].render(SAMPLES[sample](), Options())

    @each_format
    def test_shows_nothing_invisible(self, format_id):
        """No control, bidi or zero-width character of a stranger's text survives."""
        text = rendered(format_id, "hostile")
        if format_id == "json":
            text = text.encode("ascii", "backslashreplace").decode()
        if FORMATS[format_id].suffix in ("csv", "ics"):
            text = text.replace("\r\n", "\n")

        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f]", text
        )

    @each_format
    def test_names_a_redirected_exchange(self, format_id):
        """A report about a sandbox cannot be mistaken for one about an exchange."""
        text = rendered(format_id, "redirected").replace("&#8203;", "").replace("\r\n ", "")

        assert "http://127.0.0.1:8080" in text
        assert "redirected" in text or "real exchange" in text

    @pytest.mark.parametrize("format_id", ["html", "text", "markdown"])
    @each_sample
    def test_counts_are_the_same(self, format_id, sample):
        """Findings by severity, unknowns, passes and coverage are those of the JSON report."""
        summary = json.loads(rendered("json", sample))["summary"]
        view = build(SAMPLES[sample]())
        text = rendered(format_id, sample)
        unanswered = summary["outcomes"]["unknown"] + summary["outcomes"]["error"]
        numbers = {
            "html": re.findall(r"<b>([\d,]+)( %)?</b>", text)[:7],
            "markdown": re.findall(r"(?m)^\|( \d+ \|)+", text),
            "text": re.findall(r"Checks: (\d+) failed \((\d+) excepted\), (\d+) unknown", text),
        }[format_id]
        failed = sum(summary["failed_by_severity"].values())

        assert failed == sum(len(group.findings) for group in view.findings)
        assert unanswered == view.counts.unanswered
        match format_id:
            case "html":
                told = [int(number) for number, _ in numbers]
                assert [*summary["failed_by_severity"].values(), unanswered] == told[:6]
                assert summary["outcomes"]["pass"] == told[6]
            case "markdown":
                row = [
                    *summary["failed_by_severity"].values(),
                    unanswered,
                    summary["outcomes"]["pass"],
                ]
                assert f"| {' | '.join(map(str, row))} | {summary['excepted']} |" in text
            case "text":
                outcomes = summary["outcomes"]
                expected = (outcomes["fail"], summary["excepted"], outcomes["unknown"])
                assert [tuple(map(str, expected))] == numbers

    def test_discovery(self):
        """Each file of the folder is one format; the folder is the list."""
        assert all(word == made.id and made.title and made.suffix for word, made in FORMATS.items())


class TestJson:
    @each_sample
    def test_fits_its_schema(self, sample):
        """The report is what its schema promises."""
        VALIDATOR.validate(json.loads(rendered("json", sample)))

    @each_sample
    def test_is_sealed(self, sample):
        """Its digest is that of its content, and is verified on reading."""
        text = rendered("json", sample)

        assert unseal(SCHEMA, text.encode(), "x")["digest"] == digest_of(json.loads(text))

    def test_names_the_snapshot(self):
        """Without the file's own digest, that of the snapshot written again stands for it."""
        report = json.loads(rendered("json", "failing", snapshot_digest=None))

        assert re.fullmatch("sha256:[0-9a-f]{64}", report["snapshot"]["digest"])
        assert report["snapshot"]["digest"] != report["digest"]

    def test_results(self):
        """A result carries what it takes to act on it."""
        results = json.loads(rendered("json", "failing"))["results"]
        failed = next(each for each in results if each["outcome"] == "fail")
        missing = next(each for each in results if each["outcome"] == "unknown")
        passed = next(each for each in results if each["outcome"] == "pass")

        assert {"key.can.withdraw": True} == failed["actual"]
        assert "GET /api/v3/account" == failed["evidence"]["key.can.withdraw"]["request"]
        assert {"file": FILE, "line": 6, "column": 15} == failed["location"]
        assert {"key.can.withdraw": None} == missing["actual"]
        assert "unknown-key" in missing["unknown"]["key.can.withdraw"]
        assert "evidence" not in passed

    def test_what_is_the_same_for_a_rule_stands_with_the_rule(self):
        """What to do, why, and for which framework, is told once."""
        report = json.loads(rendered("json", "failing"))
        rule = report["rules"][0]

        assert rule["remediation"]["mexc"].startswith("Open API Management")
        assert {"rationale", "controls", "references", "message"} <= set(rule)
        assert not {"remediation", "controls", "title"} & set(report["results"][0])

    def test_connections_are_those_of_the_snapshot(self):
        """One definition for both, so that a report holds all that a snapshot holds."""
        ours, theirs = schemas.load("report")["$defs"], schemas.load("snapshot")["$defs"]

        assert {name: ours.get(name) for name in theirs} == theirs


class TestHtml:
    @each_sample
    def test_has_no_stranger_in_it(self, sample):
        """Elements, attributes and links are the template's own: no text became markup."""
        page = Page(rendered("html", sample))
        tags = {tag for tag, _ in page.elements}

        assert 2 == sum(tag == "script" for tag, _ in page.elements)  # one of data, one of ours
        assert not tags & {"img", "iframe", "object", "embed", "base"}
        assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
        assert not [name for _, attrs in page.elements for name in attrs if name == "style"]
        assert {"#", "h", "d"} >= {link[0] for link in page.links}
        assert not [link for link in page.links if link.startswith("data:") and link != "data:,"]

    @each_sample
    def test_headings_and_ids(self, sample):
        """One title, no level skipped, no id twice, no link into nothing."""
        page = Page(rendered("html", sample))
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]

        assert 1 == levels.count(1)
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert len(ids) == len(set(ids))
        assert {link[1:] for link in page.links if link.startswith("#")} <= set(ids)

    def test_allows_its_own_script_only(self):
        """The policy names the hashes of the one style and the one script."""
        text = rendered("html", "failing")
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]

        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy

    def test_says_what_is_unknown_and_why(self):
        """Each reason for not knowing is on the page, with what is at stake."""
        text = rendered("html", "unanswered")

        assert "Coinbase does not tell network.ip_restricted" in text
        assert "No findings, but incomplete" in text


class TestMarkdown:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_cell(self, text):
        """A cell stays one cell of plain text."""
        safe = cell(text)

        assert "\n" not in safe
        assert not re.search(r"(?<!\\)[|`*_\[\]]", safe.replace("\\\\", ""))
        assert not re.search(r"[<>]|@\w|#\w|://|www\.|mailto:", safe.replace("&#8203;", "\u200b"))

    def test_table_rows_have_equal_cells(self):
        """No row of any table gains a cell from a name."""
        for block in rendered("markdown", "hostile").split("\n\n"):
            rows = [line.replace("\\\\", "") for line in block.split("\n") if line.startswith("|")]
            bars = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]

            assert len(set(bars)) <= 1

    def test_fits_a_comment(self):
        """A fleet too big for a comment is cut at a row, and what is left out is counted."""
        scans = tuple(scanned(f"Bot {index:05}", label=f"label {index}") for index in range(1500))
        results = [
            result(rule, scan, Outcome.FAIL, message=f"{rule.title} on {scan.connection.name}")
            for rule in ALL_RULES[:2]
            for scan in scans
        ]
        text = FORMATS["markdown"].render(audit(scans, results), Options())

        assert LIMIT * 0.9 < len(text.encode()) <= LIMIT
        assert re.search(r"\*\d{4} more: see the JSON or HTML report\.\*", text)


class TestText:
    def test_excerpt(self):
        """The manifest's line stands below its place, marked, where its text is at hand."""
        text = rendered("text", "failing")

        assert "  6 |     requires: [read, trade]\n    |               ^^^^^^^^^^^^^\n" in text

    def test_without_sources(self):
        """Elsewhere the place alone has to do."""
        text = FORMATS["text"].render(failing(), Options())

        assert "connections/fleet.yaml:6:15" in text
        assert "^^^" not in text

    @pytest.mark.parametrize("width", [40, 80, 160])
    @each_sample
    def test_keeps_within_the_width(self, width, sample):
        """No line is longer than the terminal, and no name is cut."""
        text = FORMATS["text"].render(SAMPLES[sample](), Options(width=width))

        assert all(len(line) <= width for line in text.split("\n"))
        assert "…" not in text

    def test_many_alike(self):
        """A finding on many connections is told once, with the first of them and the number of the rest."""
        scans = tuple(scanned(f"Bot {index:05}", line=index + 1) for index in range(500))
        judged = audit(scans, [result(ALL_RULES[0], scan, Outcome.FAIL) for scan in scans])
        text = FORMATS["text"].render(judged, Options(width=100))

        assert 1 == text.count("critical[no-withdraw]")
        assert "(500 connections)" in text
        assert "and 490 more" in text

    def test_big_fleet(self):
        """Of a big fleet the table shows the connections of most concern, and counts the others."""
        scans = tuple(scanned(f"Bot {index:05}") for index in range(500))
        judged = audit(scans, [result(ALL_RULES[0], scans[400], Outcome.FAIL)])
        text = FORMATS["text"].render(judged, Options())

        assert "Bot 00400" in text.partition("Connection  Exchange")[2].split("\n")[2]
        assert "and 440 connections of no greater concern" in text

    def test_exit_code(self):
        """What the exit code means is said in words, where it is known."""
        assert "Exit 1: findings at or above" in rendered("text", "failing")
        assert "Exit" not in FORMATS["text"].render(failing(), Options())


def test_no_snapshot_is_too_strange():
    """A connection without place, facts or requests still renders everywhere."""
    bare = replace(failing().snapshot.connections[0], requests=(), fingerprint=None, detail="")
    for made in FORMATS.values():
        assert isinstance(made.render(audit((bare,), []), Options()), (str, bytes))
