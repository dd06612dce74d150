"""YAML -> data with places."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bfaudit.documents import MAX_ALIASED, MAX_DEPTH, MAX_SIZE, parse, read
from bfaudit.errors import InvalidInput
from bfaudit.model import Place


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("Off", "Off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-7", -7),
        ("0", 0),
        ("0o14", 12),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("2026-11-01", "2026-11-01"),
        ("203.0.113.10", "203.0.113.10"),
        ("'012'", "012"),
        ('"no"', "no"),
        ("- x", ["x"]),
        ("tokyo-1", "tokyo-1"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    """Words stay texts and only what the core schema calls a number is one."""
    assert value == parse(text, "f").data


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, '"a" is given twice; first at f:1:1'),
        ("{a: {b: 1, b: 2}}", 1, 12, '"b" is given twice; first at f:1:6'),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "merge keys"),
        ("a: 012", 1, 4, "leading zeros"),
        ("a: [1, -08]", 1, 8, "leading zeros"),
        ("a: 01.5", 1, 4, "leading zeros"),
        ("a: .inf", 1, 4, "finite"),
        ("a: -.INF", 1, 4, "finite"),
        ("a: .nan", 1, 4, "finite"),
        ("a: 1e999", 1, 4, "finite"),
        ("a: " + "9" * 50, 1, 4, "a number this long"),
        ("a: !!str 1", 1, 4, "tags are not allowed"),
        ("a: !x {b: 1}", 1, 4, "tags are not allowed"),
        ("a: !<tag:yaml.org,2002:python/object:os.system> x", 1, 4, "tags are not allowed"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        ("1: a", 1, 1, "must be a text"),
        ("a: 1\n? [x]\n: 2\n", 2, 3, "must be a text"),
        ("null: a", 1, 1, "must be a text"),
        ("true: a", 1, 1, "must be a text"),
        ("a:\n\tb: 1\n", 2, 1, "a tab"),
        ("a: 1\nb: \x00\n", 2, 4, "a NUL character"),
        ('a: "\\0"', 1, 4, "an escape for a NUL character"),
        ('a: "x\\u202e"', 1, 4, "direction of text (U+202E)"),
        ("é: \u202ehi", 1, 4, "direction of text (U+202E)"),
        ("a: \u2028x", 1, 4, "invisible character (U+2028)"),
        ("a: \x85x", 1, 4, "control character (U+0085)"),
        ("\ufeffa: 1", 1, 1, "a byte order mark"),
        ("a: \udc80", 1, 4, "half of a surrogate pair (U+DC80)"),
        ('a: "\\ud83d"', 1, 7, "half of a surrogate pair"),
        ("a: \x1b[31m", 1, 4, "escape character (U+001B)"),
        ('a: 1\nb: "abc\nc: 2\n', 2, 4, "quotes are not closed"),
        ("a: b: c\n", 1, 5, "`: ` is not allowed here"),
        ("a: [1, 2\nb: 3\n", 2, 2, "a `,` or `]` is missing"),
        ("a: {b: 1\nc\n", 3, 1, "a `,` or `}` is missing"),
        ("a: @x\n", 1, 4, "may not start with this character"),
        ("a:\n  - 1\n b: 2\n", 3, 2, "does not fit"),
        ('a: "\\q"\n', 1, 5, "unknown escape"),
        ("a: &a [*a]\n", 1, 8, "an alias of a value that it is a part of"),
        ("a: *zz\n", 1, 4, "an alias of nothing"),
        ("[" * (MAX_DEPTH + 1), 1, MAX_DEPTH + 1, "inside each other"),
        ("%YAML 3.0\n---\na: 1\n", 1, 1, "not 1.2"),
    ],
)
def test_each_mistake_is_told_with_its_place(text: str, line: int, column: int, words: str) -> None:
    """One problem, at the character that is wrong."""
    with pytest.raises(InvalidInput) as caught:
        parse(text, "f")

    (problem,) = caught.value.problems
    assert words in problem.message
    assert Place("f", line, column) == problem.place


@pytest.mark.parametrize(
    ("data", "line", "column", "words"),
    [
        (b"a: 1\nb: \xff", 2, 4, "byte 0xff is not UTF-8"),
        ("é: ".encode() + b"\xe9", 1, 4, "byte 0xe9 is not UTF-8"),
        ("a: 1".encode("utf-16"), 1, 1, "UTF-16"),
        (b"\xef\xbb\xbfa: 1", 1, 1, "byte order mark"),
    ],
)
def test_bytes_must_be_utf_8(data: bytes, line: int, column: int, words: str) -> None:
    """The place is counted in characters."""
    (problem,) = read(data, "f")[1]

    assert words in problem.message
    assert Place("f", line, column) == problem.place


def test_every_problem_is_found_in_one_go() -> None:
    """A mistake does not hide the next one."""
    problems = read("a: 012\na: 1\nb: !x 1\n2: 3\nc: {<<: 1}\n", "f")[1]

    assert [1, 2, 3, 4, 5] == [problem.place.line for problem in problems if problem.place]


def test_a_document_has_a_largest_size() -> None:
    """What is larger than the bound is not even looked at."""
    (problem,) = read(b" " * (MAX_SIZE + 1), "f")[1]

    assert "64 MiB" in problem.message


def test_endless_mistakes_end() -> None:
    """A hostile file cannot make a problem of each of its lines."""
    assert 1000 == len(read("a: 1\n" * 5000, "f")[1])


def _bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


def test_aliases_repeat_a_bounded_number_of_values() -> None:
    """An alias bomb stops when the bound is reached, however large it would get."""
    (problem,) = read(_bomb(30), "f")[1]

    assert f"{MAX_ALIASED:,}" in problem.message
    assert problem.place is not None
    assert problem.place.line == 5


def test_aliases_may_not_nest_deeper_than_lists() -> None:
    """A chain of aliases is as deep as what it stands for."""
    chain = "\n".join(
        ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 5))]
    )

    assert "inside each other" in read(chain, "f")[1][0].message


def test_a_few_aliases_are_fine() -> None:
    """An alias repeats its value and has a place of its own."""
    document = parse("a: &x [1, {b: 2}]\nc: *x\nd: &y text\ne: [*y, *x]\n", "f")

    assert {"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": "text", "e": ["text", [1, {"b": 2}]]} == (
        document.data
    )
    assert Place("f", 2, 4) == document.place(["c"])
    assert Place("f", 1, 8) == document.place(["c", 0])
    assert Place("f", 4, 9) == document.place(["e", 1])


def test_places() -> None:
    """Keys and values, in block and flow style, with wide characters and Windows line ends."""
    document = parse(
        "é: 1\r\nlist:\r\n  - name: x\r\n    other: {a: 1, b: [2, 3]}\r\n  - y\r\n", "f"
    )
    cases = {
        (): (1, 1),
        ("é",): (1, 4),
        ("list",): (3, 3),
        ("list", 0): (3, 5),
        ("list", 0, "name"): (3, 11),
        ("list", 0, "other", "b", 1): (4, 26),
        ("list", 1): (5, 5),
        ("list", 7): (3, 3),
        ("list", 0, "missing"): (3, 5),
        ("é", "below"): (1, 4),
    }

    assert {path: Place("f", *at) for path, at in cases.items()} == {
        path: document.place(path) for path in cases
    }
    assert Place("f", 4, 5) == document.place(("list", 0, "other"), key=True)
    assert "    other: {a: 1, b: [2, 3]}" == document.excerpt(4)


def test_places_inside_texts_of_every_style() -> None:
    """The place of a character of a value, through escapes, folds and indentation."""
    document = parse(
        "a: plain text # no\n"
        'b: "q\\u00e9\\n x\\\n   y"\n'
        "c: 'it''s me'\n"
        "d: |2\n    lit eral\n   two\n"
        "e: >- # why\n  fold\n  ed text\n"
        "f: multi\n  line\n"
        "g: &anchor text\n",
        "f",
    )
    cases = [
        ("a", "text", 1, 10),
        ("b", "é", 2, 6),
        ("b", "x", 2, 15),
        ("b", "y", 3, 4),
        ("c", "s me", 4, 9),
        ("c", "me", 4, 11),
        ("d", "eral", 6, 9),
        ("d", "two", 7, 4),
        ("e", "ed", 10, 3),
        ("e", "text", 10, 6),
        ("f", "line", 12, 3),
        ("g", "ext", 13, 13),
    ]
    for key, word, line, column in cases:
        offset = document.data[key].index(word)

        assert Place("f", line, column) == document.inside([key], offset), (key, word)
    assert Place("f", 1, 14) == document.inside(["a"], 10)
    assert Place("f", 1, 8) == document.inside(["a"], 5 - 1)


def test_a_problem_marks_the_whole_word() -> None:
    """The caret is as wide as the key or value it stands under."""
    document = parse('some: {field: [one, "t w o"]}\nplain: a b:c # d\nempty:\n', "f")
    widths = {
        (("some",), True): 4,
        (("some", "field"), True): 5,
        (("some", "field", 0), False): 3,
        (("some", "field", 1), False): 7,
        (("plain",), False): 5,
        (("empty",), False): 1,
    }

    assert widths == {
        (path, key): document.problem("m", path, key=key).width for path, key in widths
    }


def test_parts_own_their_lines() -> None:
    """A place belongs to the item of a list, or to the field, that starts before it."""
    document = parse("# top\na: 1\nlist:\n  - x: 1\n    y: 2\n  - z\nend:\n  b: 1\n", "f")
    owners = {
        (1, 1): (),
        (2, 4): ("a",),
        (3, 1): ("list",),
        (5, 5): ("list", 0),
        (6, 5): ("list", 1),
        (8, 3): ("end",),
    }

    assert owners == {at: document.part_at(Place("f", *at)) for at in owners}
    assert () == document.part_at(None)


@settings(deadline=None)
@given(st.text() | st.text("abc:-[]{}&*!|>'\"#%@`\\ \n\t,?~0x.<") | st.binary())
def test_nothing_but_invalid_input_is_ever_raised(text: str | bytes) -> None:
    """Any text is either read or refused with places."""
    problems = []
    try:
        json.dumps(parse(text, "f").data)
    except InvalidInput as error:
        problems = error.problems or [None]

    assert all(problem.place for problem in problems)


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]))
_KEYS = _TEXTS.filter(lambda text: text != "<<" and len(text) < 100)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | _TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner),
    max_leaves=30,
)


def _flow(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)


def _block(data: object) -> str:
    return yaml.safe_dump(data, allow_unicode=True, default_style='"', sort_keys=False)


@settings(deadline=None)
@given(_JSON)
def test_json_is_read_as_pyyaml_reads_it(data: object) -> None:
    """On documents without the differences of YAML 1.1, both agree."""
    text = _flow(data)

    assert yaml.safe_load(text) == parse(text, "f").data == data


@settings(deadline=None)
@given(st.recursive(_TEXTS, lambda i: st.lists(i) | st.dictionaries(_KEYS, i), max_leaves=30))
def test_every_offset_of_every_text_has_a_place(data: object) -> None:
    """Characters that are not blank are found at their own place in whatever style PyYAML writes."""
    for write in (_flow, _block):
        document = parse(write(data), "f")
        lines = document.text.split("\n")
        for path, text in _texts(document.data, ()):
            for offset, character in enumerate(text):
                place = document.inside(path, offset)
                if character.isalnum():
                    line = lines[place.line - 1]
                    assert line[place.column - 1] in (character, "\\")


def _texts(node: object, path: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, str):
        return [(path, node)]
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in _texts(value, (*path, key))]
    if isinstance(node, list):
        return [found for i, value in enumerate(node) for found in _texts(value, (*path, i))]
    return []


def test_reading_costs_one_call_per_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large fleet is read without a Python call per value: only unusual scalars take one, once each."""
    from bfaudit.documents import events

    calls = []
    resolve = events.scalars.resolve
    monkeypatch.setattr(events.scalars, "resolve", lambda text: calls.append(text) or resolve(text))
    parse("".join(f"- {{name: x{n}, on: 2026-11-01, n: 5}}\n" for n in range(2000)), "f")

    assert {"2026-11-01", "5"} | {"name"} >= set(calls) - {"n"}
    assert len(calls) <= 5
