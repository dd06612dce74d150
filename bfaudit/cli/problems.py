"""Problems as text for people: where, the source line, what was expected, what to do."""

import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterator
from typing import IO

from bfaudit import redact
from bfaudit.errors import BfauditError, InvalidInput, Problem

NARROWEST = 80
_MARKS = {"\t": " "}
_RED, _BLUE, _BOLD, _PLAIN = "\x1b[1;31m", "\x1b[34m", "\x1b[1m", "\x1b[0m"


def show(error: BfauditError, stream: IO[str] | None = None) -> None:
    """Print an error to stderr, in the terminal's width and colours."""
    out = sys.stderr if stream is None else stream
    width = shutil.get_terminal_size((100, 24)).columns
    text = redact.known().hide(render(error, width=width, color=_wants_color(out)))
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def render(error: BfauditError, *, width: int = 100, color: bool = False) -> str:
    """An error as text; of invalid input every problem, then how many there are."""
    width = max(NARROWEST, width)
    if isinstance(error, InvalidInput):
        blocks = [_block(problem, width) for problem in error.problems]
        text = "\n\n".join([*blocks, f"fatal: nothing was audited: {error.message}"])
    else:
        text = _block(error, width)
    return _colored(text) if color else text


def visible(text: str) -> str:
    """Text that cannot move the cursor, change its direction or hide: what is not printable is written out."""
    text = "".join(_MARKS.get(c, c) for c in text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _block(error: BfauditError, width: int) -> str:
    return "\n".join(_lines(error, width))


def _lines(error: BfauditError, width: int) -> Iterator[str]:
    yield from _wrapped("error: ", error.message, width)
    if error.place is None:
        if error.hint:
            yield from _wrapped("help: ", error.hint, width)
        return
    number = str(error.place.line)
    margin = " " * len(number)
    yield f"{margin}--> {visible(str(error.place))}"
    expected = getattr(error, "expected", None)
    told = f"expected {expected}" if expected else ""
    if isinstance(error, Problem) and error.excerpt:
        line, caret = _window(error, width - len(number) - 4)
        yield f"{margin} |"
        yield f"{number} | {line}"
        first = f"{margin} | {caret}"
        room = len(first) + 1 + len(told)
        if told and room <= width:
            yield f"{first} {visible(told)}"
        else:
            yield first
            yield from _wrapped(f"{margin} = ", told, width) if told else ()
    elif told:
        yield from _wrapped(f"{margin} = ", told, width)
    if error.hint:
        yield from _wrapped(f"{margin} = help: ", error.hint, width)


def _wrapped(start: str, text: str, width: int) -> Iterator[str]:
    """Lines of at most `width`, broken between words only, so that a name is never cut."""
    indent = " " * len(start)
    yield from textwrap.wrap(
        visible(text),
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [start.rstrip()]


def _window(problem: Problem, room: int) -> tuple[str, str]:
    """The source line, or the part of it around the caret, and the caret's line below."""
    at = (problem.place.column if problem.place else 1) - 1
    before, marked, after = (
        visible(problem.excerpt[:at]),
        visible(problem.excerpt[at : at + problem.width]),
        visible(problem.excerpt[at + problem.width :]),
    )
    if _cells(before + marked + after) > room:
        before = _cut(before, room // 3, keep_end=True)
        marked = _cut(marked, room - _cells(before) - 1)
        after = _cut(after, room - _cells(before) - _cells(marked))
    return f"{before}{marked}{after}", " " * _cells(before) + "^" * max(1, _cells(marked))


def _cut(text: str, room: int, *, keep_end: bool = False) -> str:
    if _cells(text) <= room:
        return text
    if room < 2:
        return ""
    kept = list(text[-room:] if keep_end else text[:room])
    while kept and _cells("".join(kept)) >= room:
        kept.pop(0 if keep_end else -1)
    return f"…{''.join(kept)}" if keep_end else f"{''.join(kept)}…"


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _wants_color(stream: IO[str]) -> bool:
    """https://no-color.org and https://force-color.org, else whether it is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _colored(text: str) -> str:
    text = re.sub(r"(?m)^(error|fatal)(: .*)$", rf"{_RED}\1{_PLAIN}{_BOLD}\2{_PLAIN}", text)
    return re.sub(r"(?m)^( *\d* *(?:-->|\||=))", rf"{_BLUE}\1{_PLAIN}", text)
