"""Puts the page's script into a language: its texts are marked in the source, and become plain literals.

| in the source | becomes |
|---|---|
| `_("text")` | the text |
| ``_t(`a ${value} b`)`` | the text around the values, which are `{0}`, `{1}`, ... in the catalogue |
| `many(number, _n("{n} one", "{n} others"))` | a number with its noun |
| `_word(value, condition)` | the value, as a word of ours where the condition holds |
| `_tag("en")` | the tag of the language |

In English the source's own words stand there, without a look-up.
"""

import json
import re
from collections.abc import Callable, Iterator

from bfaudit.lang import ENGLISH, Language

_MANY = re.compile(r'many\(([^()]*), _n\("([^"]*)", "([^"]*)"\)\)')
_TEXT = re.compile(r'\b_\("([^"]*)"\)')
_TEMPLATE = re.compile(r"\b_t\(`([^`]*)`\)")
_VALUE = re.compile(r"\$\{((?:[^{}]|\{n\})*)\}")
_WORD = re.compile(r"\b_word\((\w+), ([^()]*)\)")
_TAG = '_tag("en")'
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "`": "\\u0060", "$": "\\u0024"}


def spoken(script: str, lang: Language) -> str:
    """The script in a language."""
    script = _TEMPLATE.sub(_template(lang), script)
    script = _MANY.sub(_english_many if lang is ENGLISH else _many(lang), script)
    script = _TEXT.sub(lambda found: f'"{_escaped(lang.say(found[1]))}"', script)
    script = _WORD.sub(r"\1" if lang is ENGLISH else r"((\2) && data.words[\1] || \1)", script)
    return script.replace(_TAG, f'"{lang.code}"')


def messages(script: str) -> Iterator[str | tuple[str, str]]:
    """The texts of a script, for the catalogues; those that count as a pair."""
    yield from (found[1] for found in _TEXT.finditer(script))
    yield from (_message(found[1]) for found in _TEMPLATE.finditer(script))
    yield from ((found[2], found[3]) for found in _MANY.finditer(script))


def _message(template: str) -> str:
    numbers = iter(range(len(template)))
    return _VALUE.sub(lambda _: f"{{{next(numbers)}}}", template)


def _template(lang: Language) -> Callable[[re.Match[str]], str]:
    def put(found: re.Match[str]) -> str:
        values = [f"${{{value}}}" for value in _VALUE.findall(found[1])]
        told = lang.say(_message(found[1]))
        parts = re.split(r"\{(\d)\}", told)
        return f"`{''.join(values[int(part)] if at % 2 else _escaped(part) for at, part in enumerate(parts))}`"

    return put


def _english_many(found: re.Match[str]) -> str:
    return f'many({found[1]}, "{found[2].removeprefix("{n} ")}")'


def _many(lang: Language) -> Callable[[re.Match[str]], str]:
    def put(found: re.Match[str]) -> str:
        one, other = (
            _escaped(lang.plural(found[2], found[3], number).replace(str(number), "{n}", 1))
            for number in (1, 2)
        )
        told = f'(n === 1 ? "{one}" : "{other}").replace("{{n}}", n.toLocaleString({_TAG}))'
        return f"((n) => {told})({found[1]})"

    return put


def _escaped(text: str) -> str:
    """A text for a literal that it cannot end, nor the script's element."""
    made = json.dumps(text, ensure_ascii=False)[1:-1]
    return "".join(_ESCAPED.get(char, char) for char in made)
