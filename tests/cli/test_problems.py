"""Problems as text."""

import io

import pytest

from bfaudit.cli.problems import render, show
from bfaudit.errors import InvalidInput, NothingToAudit, Problem, UsageError
from bfaudit.model import Place

PLACE = Place("connections/a.yaml", 14, 5)


def _problem(**more) -> Problem:
    given = {
        "place": PLACE,
        "excerpt": "    requries: [read, trade]",
        "expected": "one of: name, exchange",
        "hint": 'did you mean "requires"?',
        "width": 8,
    }
    return Problem('unknown field "requries"', **{**given, **more})


def test_a_problem_shows_place_line_and_advice() -> None:
    """The caret stands under what is wrong."""
    assert (
        render(_problem())
        == """\
error: unknown field "requries"
  --> connections/a.yaml:14:5
   |
14 |     requries: [read, trade]
   |     ^^^^^^^^ expected one of: name, exchange
   = help: did you mean "requires"?"""
    )


def test_without_an_excerpt_there_is_no_line() -> None:
    """A hidden line leaves the place and the advice."""
    assert (
        render(_problem(excerpt=""))
        == """\
error: unknown field "requries"
  --> connections/a.yaml:14:5
   = expected one of: name, exchange
   = help: did you mean "requires"?"""
    )


def test_long_choices_are_wrapped_and_names_kept_whole() -> None:
    """Nothing is wider than the terminal, and no name is cut, however narrow it is."""
    names = [f"field_number_{n}" for n in range(30)] + ["x" * 200]
    text = render(_problem(expected=f"one of: {', '.join(names)}"), width=20)

    assert all(name in text for name in names)
    assert all(len(line) <= 80 or "x" * 200 in line for line in text.splitlines())


def test_a_long_line_is_shown_around_the_caret() -> None:
    """A source line of any length fits, with the caret in view."""
    line = "a" * 500 + " MARK " + "b" * 500
    text = render(_problem(excerpt=line, place=Place("f", 1, 502), width=4), width=80)
    _, _, _, source, caret = text.splitlines()[:5] if "|" in text.splitlines()[2] else [""] * 5
    source, caret = (row for row in text.splitlines() if row.startswith(("1 |", "  | ")))

    assert len(source) <= 80
    assert source[caret.index("^") : caret.rindex("^") + 1] == "MARK"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202eevil", "\\u202eevil"),
        ("a\nb", "a\\x0ab"),
        ("\x07", "\\x07"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_hostile_text_is_written_out(hostile: str, shown: str) -> None:
    """Control characters reach the terminal in messages, lines and file names as text only."""
    place = Place(hostile, 1, 1)
    text = render(Problem(hostile, place=place, excerpt=hostile, expected=hostile, hint=hostile))

    assert text.replace("\n", "").isprintable()
    assert text.count(shown) == 5


def test_wide_characters_move_the_caret() -> None:
    """The caret is placed by columns of the terminal."""
    text = render(_problem(excerpt="漢字: x", place=Place("f", 1, 5), width=1, expected=None))

    assert "  |       ^" in text.splitlines()


def test_invalid_input_lists_every_problem() -> None:
    """Each problem is a block, and the end says that nothing was audited."""
    text = render(InvalidInput([_problem(), _problem()]))

    assert text.count("error: unknown field") == 2
    assert text.endswith("fatal: nothing was audited: 2 problems in the input")


def test_other_errors_have_message_and_help() -> None:
    """Errors of no file are two lines."""
    assert render(NothingToAudit("no connection", hint="add one")) == (
        "error: no connection\nhelp: add one"
    )
    assert render(UsageError("bad")) == "error: bad"


@pytest.mark.parametrize(
    ("environ", "terminal", "colored"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_colour_is_for_those_who_want_it(monkeypatch, environ, terminal, colored) -> None:
    """A terminal gets colour, a file does not, and the environment decides over both."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    show(_problem(), stream)

    assert ("\x1b[" in stream.getvalue()) == colored


def test_a_stream_that_cannot_write_it_gets_escapes() -> None:
    """An ASCII terminal is no reason to fail."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show(_problem(excerpt="é requries", width=1, expected="ü"), stream)
    stream.flush()

    assert b"\\xfc" in stream.buffer.getvalue()
