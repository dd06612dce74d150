"""The scalars of YAML 1.2's core schema, and where their characters stand in the source."""

import math
import re
from collections.abc import Iterator

from bfaudit.model import Json

MAY_NOT_BE_TEXT = "0123456789+-.~nNtTfF"
"""First characters of plain scalars that may be something else than text; the empty scalar is null."""

_WORDS: dict[str, Json] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER = re.compile(
    r"(?P<int>[-+]?(?:0|[1-9][0-9]*)) | (?P<octal>0o[0-7]+) | (?P<hex>0x[0-9a-fA-F]+)"
    r"| (?P<leading>[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?)"
    r"| (?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"| (?P<special>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))",
    re.VERBOSE,
)
_LONGEST_NUMBER = 40
_AMBIGUOUS = re.compile(r"(?i)y|n|yes|no|on|off")


class RefusedScalarError(ValueError):
    """A plain scalar that readers of YAML disagree on; its text says why."""


def resolve(text: str) -> Json:
    """The value of a plain scalar; raises `RefusedScalarError` where it must be written in another way."""
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    if len(text) > _LONGEST_NUMBER:
        raise RefusedScalarError("a number this long loses digits in many programs")
    match match.lastgroup:
        case "int":
            return int(text)
        case "octal":
            return int(text, 0)
        case "hex":
            return int(text, 0)
        case "float" if math.isfinite(number := float(text)):
            return number
        case "leading":
            raise RefusedScalarError(
                "a number with leading zeros: octal to some, decimal to others"
            )
        case _:
            raise RefusedScalarError("a number must be finite")


def is_ambiguous(text: str) -> bool:
    """Whether YAML 1.1 reads this text as a boolean: `yes`, `no`, `on`, `off`, `y`, `n`."""
    return _AMBIGUOUS.fullmatch(text) is not None


def line_starts(text: str) -> list[int]:
    """The offsets at which lines start, with every kind of line end."""
    return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]


# Texts, of which `re` makes patterns for who has made a mistake.
_TOKEN = r""""(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|[&*][^\s,\]}]+|[|>][-+0-9]*|[\[\]{},]|[^\s,\[\]{}]+?(?=:?(?:[\s,\[\]{}]|$))"""
_PLAIN = r"(?:[^\s:#]|:(?=\S)|(?<=\S)#|[ ]+(?=[^\s#]))+"


def width(line: str, column: int) -> int:
    """How many characters of a source line the scalar at `column` (from 0) takes; 1 where there is none."""
    rest = line[column:]
    if rest[:1] in "\"'[]{}&*|>":
        found = re.match(_TOKEN, rest)
    else:
        found = re.match(
            _PLAIN, rest if not _in_flow(line, column) else re.split(r"[,\]}]", rest)[0]
        )
    return max(1, len(found[0].rstrip())) if found else 1


def _in_flow(line: str, column: int) -> bool:
    before = line[:column]
    return before.count("[") + before.count("{") > before.count("]") + before.count("}")


_HEAD = re.compile(r"(?:[&!]\S*\s+)*")
_BLOCK_HEAD = re.compile(r"[|>][^\r\n]*(?:\r\n|\r|\n)?")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n|.)|.", re.DOTALL)
_BLANK = " \t\r\n"
# Escapes that stand for white space, or for nothing: they are not counted.
_BLANK_ESCAPES = frozenset(["\\n", "\\t", "\\r", "\\ ", "\\\t", "\\\n", "\\\r", "\\\r\n"])


def source_offset(text: str, start: int, value: str, offset: int) -> int:
    """The offset in `text` of character `offset` of the scalar `value` that starts at `start`.

    All styles keep the characters that are not blank, in their order: the n-th of them in the value is the n-th in
    the source.
    """
    before = sum(c not in _BLANK for c in value[:offset])
    blanks = offset - len(value[:offset].rstrip(_BLANK))
    visible = offset < len(value) and value[offset] not in _BLANK
    last = start
    for count, (at, end) in enumerate(_visible(text, start)):
        if count == before and visible:
            return at
        if count == before:
            break
        last = end
    return min(last + blanks, len(text))


def _visible(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of each character of a scalar's source that is not blank."""
    found = _HEAD.match(text, start)
    start = found.end() if found else start
    style = text[start : start + 1]
    if style and style in "|>":
        head = _BLOCK_HEAD.match(text, start)
        start = head.end() if head else start
    elif style and style in "\"'":
        start += 1
    if style == '"':
        tokens = ((m.start(), m.end()) for m in _ESCAPE.finditer(text, start))
        return (
            (a, b) for a, b in tokens if text[a] not in _BLANK and text[a:b] not in _BLANK_ESCAPES
        )
    if style == "'":
        pairs = ((m.start(), m.end()) for m in re.finditer(r"''|.", text[start:], re.DOTALL))
        return ((start + a, start + b) for a, b in pairs if text[start + a] not in _BLANK)
    return ((at, at + 1) for at in range(start, len(text)) if text[at] not in _BLANK)
