"""Manifests -> connections, and every mistake with its place."""

import copy
import pickle
from datetime import date

import pytest

from bfaudit.errors import InvalidInput
from bfaudit.manifest import load as load_files
from bfaudit.model import Attestation, Place
from tests.manifest.fleets import CREDENTIALS, KNOWN, connection, load, manifest, told


def test_every_field_reaches_the_connection() -> None:
    """A connection with all fields, defaults merged and server names resolved."""
    text = manifest(
        """name: MEXC Spot Main
exchange: mexc
account: main
strategy: spot-main
requires: [read, trade, "other:earn"]
servers: [tokyo-1, 198.51.100.0/28, 2001:DB8::1/128, tokyo-1a]
credentials: {key: env:A, secret: file:x.env#B}
lifecycle: retired
attestations: {two_factor: {by: alice, on: 2026-11-01, expires: 2027-05-01, note: x}}
purpose: trading
vendor: none
symbols: [BTC/USDT]
created: 2026-01-15
label: 42
uid: 12345678
parent: "0012"
tags: [a, b]
expires: 2027-01-15
balance_cap: 5000
notes: >
  two
  lines
inventory: true""",
        top="servers:\n  tokyo-1: [203.0.113.10]\n  tokyo-1a: [203.0.113.10, 203.0.113.11/32]\n"
        "defaults: {environment: production, owner: desk, purpose: other, tags: [c]}\n",
    )
    loaded = load(text)

    assert [] == loaded.problems
    (found,) = loaded.connections
    assert found.name == "MEXC Spot Main"
    assert found.requires == ("read", "trade", "other:earn")
    assert found.servers == ("203.0.113.10", "198.51.100.0/28", "2001:db8::1", "203.0.113.11")
    assert found.credentials == {"key": "env:A", "secret": "file:x.env#B"}
    assert found.attestations == {
        "two_factor": Attestation("alice", date(2026, 11, 1), date(2027, 5, 1), "x")
    }
    assert (found.label, found.uid, found.parent) == ("42", "12345678", "0012")
    assert (found.created, found.expires) == (date(2026, 1, 15), date(2027, 1, 15))
    assert (found.purpose, found.owner, found.environment) == ("trading", "desk", "production")
    assert (found.tags, found.symbols) == (("a", "b"), ("BTC/USDT",))
    assert (found.balance_cap, found.lifecycle) == ("5000", "retired")
    assert found.place == Place("a.yaml", 8, 5)
    assert found.places["requires"] == Place("a.yaml", 12, 5)
    assert found.places["credentials.secret"] == Place("a.yaml", 14, 31)
    assert found.places["attestations.two_factor"] == Place("a.yaml", 16, 20)
    assert found.places["owner"] == Place("a.yaml", 6, 37)
    assert list(dict(found.places).items()) == list(found.places.items())


def test_places_are_a_mapping_that_can_be_copied() -> None:
    """The places of fields are looked up when asked for; a copy of them is a plain dict."""
    (found,) = load(manifest(connection("attestations: {x: {by: a, on: 2026-01-01}}"))).connections
    names = ["name", "exchange", "credentials", "credentials.key", "credentials.secret"]

    assert [*names, "attestations", "attestations.x"] == list(found.places)
    assert len(found.places) == 7
    assert "owner" not in found.places
    assert "credentials.passphrase" not in found.places
    assert dict(found.places) == pickle.loads(pickle.dumps(found)).places
    assert dict(found.places) == copy.deepcopy(found).places


def _named(name: str) -> str:
    return f"name: {name}\nexchange: mexc\n{CREDENTIALS}"


MISTAKES = [
    # (lines of a connection, place of the mistake, words of the message, words of expected or hint)
    (connection("requries: [read]"), "7:5", 'unknown field "requries"', 'did you mean "requires"?'),
    (connection("requires: [raed]"), "7:16", 'unknown permission "raed"', 'did you mean "read"?'),
    (connection("requires: [READ]"), "7:16", 'unknown permission "READ"', 'did you mean "read"?'),
    (connection('requires: ["other:X"]'), "7:16", "is not a permission", "a-z 0-9"),
    (connection('requires: ["other:x\\n"]'), "7:16", "", ""),
    (connection("requires: [read, read]"), "7:22", '"read" is listed twice', ""),
    (connection("requires: read"), "7:15", "must be a list, not a text", "put it in [ ]"),
    (connection("requires: [no]"), "7:16", 'unknown permission "no"', "one of: read"),
    (connection("requires: [1]"), "7:16", 'an item of "requires"', "quotes"),
    (connection("requires:"), "7:14", "must be a list, not nothing", ""),
    (connection("lifecycle: yes"), "7:16", 'unknown lifecycle "yes"', "active, retired"),
    (connection("inventory: yes"), "7:16", "must be true or false", "a text in YAML 1.2"),
    (connection("notes: no\nowner: true"), "8:12", '"owner" must be a text', "quotes"),
    (connection("notes:"), "7:11", '"notes" must be a text, not nothing', ""),
    (connection("uid: 0123"), "7:10", "leading zeros", "quotes"),
    (connection("uid: 1.5"), "7:10", '"uid" must be a text or a whole number', ""),
    (connection("uid: 1.0"), "7:10", "read as the number 1.0", "quotes"),
    (connection("account: 12e3"), "7:14", "read as the number 12000.0", "quotes"),
    (connection("label: 0x1f"), "7:12", "read as the number 31", "quotes"),
    (connection("parent: 0o17"), "7:13", "read as the number 15", "quotes"),
    (connection("parent: true"), "7:13", '"parent" must be a text or a whole number', ""),
    (connection('owner: ""'), "7:12", '"owner" is empty', ""),
    (connection("name: B"), "7:5", '"name" is given twice; first at a.yaml:4:5', ""),
    (_named('" "'), "4:11", "the name is empty", "clear name"),
    (_named("5"), "4:11", '"name" must be a text', "quotes"),
    (_named('"a\\tb"'), "4:11", "one line", ""),
    (_named("x" * 201), "4:11", "longer than 200", ""),
    (f"exchange: mexc\n{CREDENTIALS}", "4:5", '"name" is missing', "MEXC Spot Main"),
    (f"name: A\n{CREDENTIALS}", "4:5", '"exchange" is missing', "exchange: mexc"),
    ("name: A\nexchange: mexc", "4:5", '"credentials" is missing', "{key: env:"),
    (f"name: A\nexchange: mexcc\n{CREDENTIALS}", "5:15", "unknown exchange", '"mexc"?'),
    (f"name: A\nexchange: MEXC\n{CREDENTIALS}", "5:15", "unknown exchange", '"mexc"?'),
    (f"name: A\nexchange: zzz\n{CREDENTIALS}", "5:15", "unknown exchange", "mexc, kucoin"),
    (
        f"name: A\nexchange: kucoin\n{CREDENTIALS}",
        "6:5",
        'kucoin needs a passphrase: "passphrase" is missing',
        "add `passphrase: env:NAME`",
    ),
    (
        "name: A\nexchange: mexc\ncredentials: {key: env:A, secret: env:B, passphrase: env:C}",
        "6:46",
        "mexc has no passphrase",
        "remove it",
    ),
    (
        "name: A\nexchange: mexc\ncredentials: {key: env:A}",
        "6:5",
        'mexc needs a secret: "secret" is missing',
        "add",
    ),
    ("name: A\nexchange: mexc\ncredentials: env:A", "6:18", "must be a mapping of fields", ""),
    (connection("servers: [tokio-1]"), "7:15", 'unknown server "tokio-1"', "declare it under"),
    (connection("servers: [300.1.1.1]"), "7:15", "is not an address", "IPv4 or IPv6"),
    (connection("servers: [10.0.0.1/8]"), "7:15", "bits set", '"10.0.0.0/8"'),
    (connection("servers: ['fe80::1%eth0']"), "7:15", "is not an address", ""),
    (connection("servers: ['2001:db8::1/64']"), "7:15", "bits set", '"2001:db8::/64"'),
    (connection("servers: 10.0.0.1"), "7:14", "must be a list", "put it in [ ]"),
    (connection("created: 2026-13-01"), "7:14", "there is no day", "YYYY-MM-DD"),
    (connection("created: 01.11.2026"), "7:14", "is not a date", "YYYY-MM-DD"),
    (connection("expires: 20261101"), "7:14", '"expires" must be a text', ""),
    (connection("expires: 2026-W01-1"), "7:14", "is not a date", "YYYY-MM-DD"),
    (
        connection("attestations:\n  x: {by: a, on: 2026-11-01, expires: 2026-10-31}"),
        "8:43",
        "expires before the day it was given on",
        "",
    ),
    (connection("attestations:\n  x: {by: a}"), "8:10", '"on" is missing', "on: 2026-11-01"),
    (
        connection("attestations:\n  x: {by: a, on: x}"),
        "8:22",
        "is not a date",
        "",
    ),
    (connection("attestations:\n  X: {by: a, on: 2026-11-01}"), "8:7", "cannot be a name", ""),
    ("5", "4:5", "must be a mapping of fields, not a number", ""),
]


@pytest.mark.parametrize(
    ("lines", "place", "message", "advice"), MISTAKES, ids=[case[2] or case[0] for case in MISTAKES]
)
def test_each_mistake_of_a_connection(lines: str, place: str, message: str, advice: str) -> None:
    """One problem, where it is, saying what was expected."""
    (problem,) = load(manifest(lines)).problems

    assert f"a.yaml:{place}" == str(problem.place)
    assert message in problem.message
    assert advice in f"{problem.expected} {problem.hint}"


TOPS = [
    ("servers: {a: [203.0.113.10/24]}\n", "3:15", "bits set", '"203.0.113.0/24"'),
    ("servers: {a: []}\n", "3:14", '"a" is empty', ""),
    ("servers: {a: 203.0.113.10}\n", "3:14", "must be a list", "put it in [ ]"),
    ("servers: {1a: [203.0.113.10]}\n", "3:11", '"1a" cannot be a name', "starts with a letter"),
    ("sevrers: {}\n", "3:1", 'unknown field "sevrers"', '"servers"?'),
    ("defaults: {name: x}\n", "3:12", 'unknown field "name"', "one of: exchange"),
    ("defaults: {ownr: x}\n", "3:12", 'unknown field "ownr"', '"owner"?'),
    ("defaults: {exchange: mexcc}\n", "3:22", "unknown exchange", '"mexc"?'),
    ("defaults: {servers: [nope]}\n", "3:22", 'unknown server "nope"', ""),
    ("defaults: {created: soon}\n", "3:21", "is not a date", ""),
]


@pytest.mark.parametrize(("top", "place", "message", "advice"), TOPS)
def test_each_mistake_of_a_file(top: str, place: str, message: str, advice: str) -> None:
    """A mistake outside the connections is told once, whatever number of connections there is."""
    loaded = load(manifest(connection(), connection(name="B"), top=top))

    (problem,) = loaded.problems
    assert f"a.yaml:{place}" == str(problem.place)
    assert message in problem.message
    assert advice in f"{problem.expected} {problem.hint}"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "the file is empty, not a manifest", "apiVersion"),
        ("- a", "this is a list, not a manifest", "apiVersion"),
        ("apiVersion: bfaudit/v1\nkind: Policy\nid: x\n", "this is a Policy", "--policy"),
        ("apiVersion: bfaudit/v1\nkind: Exceptions\n", "this is an Exceptions", "--exceptions"),
        ("kind: Scenario\naccounts: {}\n", "this is a Scenario", "bfaudit sandbox"),
        (manifest().replace("Manifest", "Manifesto"), "unknown kind", '"Manifest"?'),
        (manifest().replace("v1", "v2"), 'unknown apiVersion "bfaudit/v2"', "bfaudit/v1"),
        (manifest().replace("connections: []", "x: 1"), "", ""),
    ],
)
def test_what_is_not_a_manifest(text: str, message: str, hint: str) -> None:
    """A file of another kind is told as such, with what to do."""
    problems = load(text).problems

    assert message in problems[0].message
    assert hint in f"{problems[0].hint}"


@pytest.mark.parametrize("lines", ["uid: 5", "uid: &x 5\nparent: *x", "uid: '0x1f'", "uid: -7"])
def test_whole_numbers_are_texts(lines: str) -> None:
    """Where a text is wanted a number may stand that is written as its text would be."""
    loaded = load(manifest(connection(lines)))

    assert [] == list(told(loaded))
    assert loaded.connections[0].uid in ("5", "0x1f", "-7")


def test_no_connections_is_valid() -> None:
    """An empty list is no mistake; whether that is enough is for the command to say."""
    loaded = load(manifest())

    assert ((), [], ()) == (loaded.connections, loaded.problems, loaded.rejected)
    assert ("a.yaml",) == loaded.files


def test_names_are_unique_over_the_whole_fleet() -> None:
    """Case, width and spaces do not make names different; both places are told."""
    loaded = load(
        manifest(connection(name="Mexc Spot")), manifest(connection(name="ＭＥＸＣ  spot"))
    )

    (problem,) = loaded.problems
    assert "b.yaml:4:11" == str(problem.place)
    assert "a.yaml:4:11" in problem.message


def test_an_exchange_may_stand_in_defaults() -> None:
    """A fleet of one exchange names it once, and its credential roles are checked all the same."""
    text = manifest(f"name: A\n{CREDENTIALS}", top="defaults: {exchange: kucoin}\n")

    assert ['a.yaml:6:5: kucoin needs a passphrase: "passphrase" is missing'] == told(load(text))


def test_all_mistakes_of_all_files_are_told_in_order() -> None:
    """One run shows everything there is to repair."""
    loaded = load(
        manifest(connection("requries: []"), connection("created: x", name="B")),
        "a: [",
        manifest(connection("a: 1\na: 2\nservers: [x]", name="C")),
    )

    assert ["a.yaml:7", "a.yaml:11", "b.yaml:1", "c.yaml:7", "c.yaml:8", "c.yaml:9"] == [
        str(problem.place).rpartition(":")[0] for problem in loaded.problems
    ]


def test_valid_connections_survive_the_others() -> None:
    """What is wrong is rejected by name, or by number where it has none; the rest is kept."""
    loaded = load(
        manifest(
            connection(),
            connection("requries: []", name="B"),
            "exchange: mexc",
            connection("servers: [bad]", name="D"),
            connection("servers: [good]", name="E"),
            connection("x: 1\nx: 2", name="F"),
            top="servers: {bad: [x], good: [203.0.113.1]}\n",
        ),
        manifest(connection(name="G"), top="defaults: 1\n"),
        "[",
    )

    assert ["A", "E"] == [found.name for found in loaded.connections]
    assert ["B", "connection 3", "D", "F", "G", "c.yaml"] == [row.name for row in loaded.rejected]
    assert ["unknown field", '"name" is missing', '"x" is not an address'] == [
        row.error.removesuffix(' "requries"') for row in loaded.rejected[:3]
    ]
    assert Place("a.yaml", 8, 5) == loaded.rejected[0].place


def test_an_alias_shares_a_value() -> None:
    """Aliases are a way to write a value once."""
    loaded = load(
        manifest(connection("servers: &s [203.0.113.1]"), connection("servers: *s", name="B"))
    )

    assert [("203.0.113.1",)] * 2 == [found.servers for found in loaded.connections]


def test_valid_fleets_never_import_the_slow_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The explaining validator looks at wrong connections only, however many there are."""
    import jsonschema

    seen = []
    real = jsonschema.Draft202012Validator

    def spy(schema: object) -> object:
        validator = real(schema)
        inner = validator.iter_errors
        return type("Spy", (), {"iter_errors": lambda _, data: seen.append(data) or inner(data)})()

    monkeypatch.setattr(jsonschema, "Draft202012Validator", spy)
    good = [connection(name=f"C{n}") for n in range(50)]

    assert [] == load(manifest(*good)).problems
    assert [] == seen
    assert len(load(manifest(*good, connection("x: 1"), *good)).problems) == 51
    assert [1] == [len(data["connections"]) for data in seen]


class TestSources:
    """Paths, folders, globs and standard input."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """A folder of manifests, as the current one."""
        monkeypatch.chdir(tmp_path)
        for name in ("b.yaml", "a.yml", "sub/c.yaml", ".hidden.yaml", ".git/d.yaml", "e.txt"):
            path = tmp_path / "fleet" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(manifest(connection(name=name)))
        return tmp_path

    @pytest.mark.parametrize(
        ("sources", "files"),
        [
            (["fleet"], ["fleet/a.yml", "fleet/b.yaml", "fleet/sub/c.yaml"]),
            (["fleet/b.yaml", "fleet"], ["fleet/b.yaml", "fleet/a.yml", "fleet/sub/c.yaml"]),
            (["fleet/*.yaml"], ["fleet/b.yaml"]),
            (["fleet/**/*.yaml"], ["fleet/b.yaml", "fleet/sub/c.yaml"]),
            (["fleet/e.txt"], ["fleet/e.txt"]),
            (["fleet/.hidden.yaml"], ["fleet/.hidden.yaml"]),
            (["-", "-", "fleet/./b.yaml"], ["<stdin>", "fleet/b.yaml"]),
        ],
    )
    def test_are_read_once_and_in_order(self, folder, sources, files) -> None:
        """Hidden files are skipped unless named; a file given twice is one."""
        stdin = manifest(connection(name="piped")).encode()

        assert tuple(files) == load_files(sources, KNOWN.exchanges, stdin=lambda: stdin).files

    @pytest.mark.parametrize(
        ("source", "message", "hint"),
        [
            ("nope.yaml", "no such file or folder", "check the path"),
            ("nope/*.yaml", "no such file or folder", "no file matches"),
            ("a\0b", "no such file or folder", "check the path"),
        ],
    )
    def test_that_are_missing_are_problems(self, folder, source, message, hint) -> None:
        """A missing path is told with the mistakes of the others."""
        with pytest.raises(InvalidInput) as caught:
            load_files(["fleet", source], KNOWN.exchanges)

        (problem,) = caught.value.problems
        assert message == problem.message
        assert hint in str(problem.hint)
        assert problem.place is not None
        assert source == problem.place.file

    def test_may_be_an_empty_folder(self, folder) -> None:
        """A folder without manifests is nothing to audit rather than a mistake."""
        (folder / "empty").mkdir()

        assert () == load_files(["empty"], KNOWN.exchanges).connections

    def test_keep_going_returns_what_is_valid(self, folder) -> None:
        """Without it every problem is raised; with it the valid connections are there too."""
        (folder / "fleet/bad.yaml").write_text(manifest(connection("x: 1", name="bad")))
        with pytest.raises(InvalidInput):
            load_files(["fleet"], KNOWN.exchanges)
        loaded = load_files(["fleet", "nope"], KNOWN.exchanges, keep_going=True)

        assert 3 == len(loaded.connections)
        assert ["nope", "bad"] == [row.name for row in loaded.rejected]
