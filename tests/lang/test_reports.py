"""Reports in Finnish: whole, safe, and no machine sees them."""

import html
import re

import pytest
import yaml
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from bfaudit import resources
from bfaudit.compliance.views import formats
from bfaudit.formats import FORMATS, Options
from bfaudit.lang import ENGLISH, codes, language
from bfaudit.model import Status
from bfaudit.policy.read import read_framework
from tests.lang.conftest import audited, rendered
from tests.report.samples import HOSTILE, SAMPLES, hostile

PEOPLE = ("access-review", "html", "markdown", "pdf", "text")
"""The formats that somebody reads."""

MACHINES = sorted(set(FORMATS) - set(PEOPLE))

ENGLISH_WORDS = (
    "a an the and or of is are was with without at from until since before because nothing unknown passed failed "
    "excepted expected actual fix controls explain finding findings connection connections key keys rule rules "
    "severity exchange status outcome coverage checks answered never days day expires lapses critical high medium low "
    "granted denied required scanned judged policies snapshot summary overview method thief could why where"
)
"""Words of which every English report is full, and no Finnish one has any."""

_PAGE = ("<script>alert", "<img", "\x1b[", "\u202e")
DANGEROUS = {
    "access-review": _PAGE,
    "html": _PAGE,
    "pdf": _PAGE,
    "markdown": ("<script", "<img", "\x1b[", "\u202e"),
    "text": ("\x1b[", "\u202e"),
}
"""What would do harm in each format."""

STATUSES = [status.value for status in Status]
"""The guide's words, which stand behind the Finnish ones."""

QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|\([A-Z][^)]*\)")
IDS = re.compile(r"[\w./:{}=%+-]*[._/:{}=%-][\w./:{}=%+-]*")


class Text(SingleFileSnapshotExtension):
    """One file per snapshot, beside the test."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def seen(page):
    """What a page shows and says: no style, script or data; no names, code and addresses of others."""
    page = re.sub(r"<(style|script|template|code|bdi)\b.*?</\1>", " ", page, flags=re.DOTALL)
    said = re.findall(r'(?:aria-label|placeholder)="([^"]*)"', page)
    return [html.unescape(text) for text in (*said, *re.split(r"<[^>]*>", page))]


def english(lines, of_others=()):
    """The words of English in some lines, without what is an id or one of the fleet's own words."""
    found = {}
    for line in lines:
        said = line
        for own in of_others:
            said = said.replace(own, " ")
        words = re.findall(r"[^\W\d_]+", IDS.sub(" ", QUOTED.sub(" ", said)))
        hits = set(words).intersection(ENGLISH_WORDS.split())
        if hits:
            found[line.strip()] = hits
    return found


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_reads(form, snapshot):
    """The example fleet, judged by the baseline: a person who reads Finnish looks at this file."""
    audit = audited("baseline", "inventory")

    assert rendered(form, "fi", audit, width=100) == snapshot.use_extension(Text)


def test_page_reads(snapshot):
    """What the page shows of it, text by text."""
    page = rendered("html", "fi", audited("baseline", "inventory"))
    lines = [" ".join(text.split()) for text in seen(page)]

    assert "\n".join(filter(None, lines)) == snapshot.use_extension(Text)


@pytest.mark.parametrize("form", ["html", "access-review"])
def test_no_english_in_a_page(form):
    """With every pack, every rule and every reason of a scan of sixteen exchanges."""
    names = [one.connection.name for one in audited().snapshot.connections]
    page = rendered(form, "fi")

    assert {} == english(seen(page), [*names, *STATUSES, "severity ="])
    assert '<html lang="fi">' in page
    assert '<html lang="en">' in rendered(form, "en")


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_no_english_in_a_text(form):
    """The same without a page."""
    names = [one.connection.name for one in audited().snapshot.connections]
    facts = re.compile(r"^ +(= havaittu|= lisätietoa|\d* *\|)|^ +-->|^<")
    lines = [
        line for line in rendered(form, "fi", width=1000).splitlines() if not facts.match(line)
    ]

    assert {} == english(lines, [*names, *STATUSES, "severity ="])


def test_the_check_can_fail():
    """It finds the English of an English report."""
    assert len(english(seen(rendered("html", "en")))) > 100


def test_the_script_speaks_it():
    """The page's own texts are in its language, and its filters still look for the words of JSON."""
    page = rendered("html", "fi")

    assert '"Tumma"' in page
    assert 'toLocaleString("fi")' in page
    assert '"words":{' in page
    assert '<option value="critical">kriittinen</option>' in page
    assert not re.search(r"\b_(n|t|tag|word)?\(", page[page.rindex("<script>") :])
    assert '"words":{' not in rendered("html", "en")


@pytest.mark.parametrize("form", MACHINES)
def test_machines_read_english(form):
    """The same bytes, whatever people read."""
    english, finnish = (
        FORMATS[form].render(audited(), Options(language=language(code))) for code in ("en", "fi")
    )

    assert english == finnish


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_by_control(form):
    """A framework's view: its titles are its publisher's words, all else is Finnish; the JSON is for machines."""
    write = formats(read_framework("nist-800-53-r5"))[form].render
    told = [write(audited(), Options(language=language(code))) for code in ("en", "fi")]

    if form == "json":
        assert told[0] == told[1]
    else:
        assert "hallintakeino" in told[1].lower() or form == "text"
        assert "Tuntematon ei koskaan" in told[1] or "tuntematon ei koskaan" in told[1]
        assert "Least Privilege" in told[0]
        assert "Least Privilege" in told[1]


@pytest.mark.parametrize("sample", sorted(SAMPLES))
@pytest.mark.parametrize("form", PEOPLE)
def test_texts_of_others_stay(form, sample):
    """Rules that no catalogue knows are shown as they are written, and every connection by its name."""
    audit = SAMPLES[sample]()
    page = rendered(form, "fi", audit, width=160)

    assert page
    assert "Project-Id" not in page
    if sample == "failing" and form != "access-review":
        assert "Key is older than a year" in page


@pytest.mark.parametrize("form", PEOPLE)
def test_hostile_texts_stay_harmless(form):
    """A name that would be markup is as harmless in Finnish as in English."""
    page = rendered(form, "fi", hostile())

    assert [] == [text for text in DANGEROUS[form] if text in page]
    assert any("<script" in text for text in HOSTILE)


def test_languages_do_not_mix():
    """Reports of one process are each in their own language, in any order."""
    first = {code: rendered("html", code) for code in codes()}
    again = {code: rendered("html", code) for code in reversed(codes())}

    assert first == again
    assert language("fi") is not ENGLISH


def test_templates_of_the_user_can_translate():
    """`_`, `ngettext`, `word` and `lang` are theirs too; values stay harmless."""
    own = {
        "audit.md.j2": '{{ lang }} {{ _("Findings") }} {{ "critical" | word }} '
        '{{ ngettext("{n} finding", "{n} findings", 2) }} {{ _("until {day}", day="<b>*") }} {{ 3 | count("nobody", "nobodies") }}'
    }
    made = FORMATS["markdown"].render(
        audited("baseline"), Options(templates=own, language=language("fi"))
    )

    assert r"fi Löydökset kriittinen 2 löydöstä &lt;b&gt;\* asti 3 nobodies" == made


def test_the_recorded_fleet_is_that_of_the_demonstration():
    """A snapshot that lags behind the example would prove little."""
    manifest = yaml.safe_load((resources.examples() / "backfuture.yaml").read_text("utf-8"))
    recorded = {one.connection.name for one in audited().snapshot.connections}

    assert {one["name"] for one in manifest["connections"]} == recorded
