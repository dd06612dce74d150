"""Characters that no file may hold: they are invisible, or tools read them in different ways."""

import re
import unicodedata

from bfaudit.documents.document import Document
from bfaudit.documents.limits import MAX_SIZE, MAX_VALUES
from bfaudit.errors import Problem
from bfaudit.model import Place

# A text, of which `re` makes a pattern for a file that is not plain ASCII.
_FORBIDDEN = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e"
    "\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_PLAIN_ASCII = bytes([0x09, 0x0A, 0x0D, *range(0x20, 0x7F)])
_MOST_PROBLEMS = 20
_SEPARATORS = ",:[{\r\n"

_NAMES = {
    "\x00": "a NUL character",
    "\x1b": "an escape character (U+001B)",
    "\ufeff": "a byte order mark (U+FEFF)",
}
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def decode(text: str | bytes, file: str) -> tuple[str, list[Problem]]:
    """The text of a file, or the reason why it cannot be read as one."""
    if len(text) > MAX_SIZE:
        return "", [_whole_file(file, f"more than {MAX_SIZE // 2**20} MiB", "split it")]
    if isinstance(text, str):
        return text, []
    try:
        return text.decode(), []
    except UnicodeDecodeError as error:
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "", [_whole_file(file, "UTF-16 text", "save the file as UTF-8")]
        before = Document(text[: error.start].decode(), file)
        problem = before.problem_at(
            f"byte 0x{text[error.start]:02x} is not UTF-8",
            len(before.text),
            hint="save the file as UTF-8",
        )
        return "", [problem]


def check(document: Document) -> list[Problem]:
    """A problem for each forbidden character of a document, or for too many values."""
    text = document.text
    if len(text) > MAX_VALUES and sum(map(text.count, _SEPARATORS)) > MAX_VALUES:
        return [_whole_file(document.file, f"more than {MAX_VALUES:,} values", "split it")]
    if text.isascii() and not text.encode().translate(None, _PLAIN_ASCII):
        return []
    problems = []
    for found in re.finditer(_FORBIDDEN, text):
        hint = "save the file as UTF-8 without it" if found[0] == "\ufeff" else "remove it"
        problems.append(document.problem_at(_name(found[0]), found.start(), hint=hint))
        if len(problems) == _MOST_PROBLEMS:
            break
    return problems


def forbidden(text: str) -> str | None:
    """The name of the first forbidden character; None where there is none."""
    found = re.search(_FORBIDDEN, text)
    return _name(found[0]) if found else None


def _name(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character in _NAMES:
        return _NAMES[character]
    if character in _BIDI:
        return f"a character that changes the direction of text ({code})"
    if unicodedata.category(character) == "Cs":
        return f"half of a surrogate pair ({code})"
    if unicodedata.category(character) == "Cc":
        return f"a control character ({code})"
    return f"an invisible character ({code})"


def _whole_file(file: str, message: str, hint: str) -> Problem:
    return Problem(message, place=Place(file, 1, 1), hint=hint)
