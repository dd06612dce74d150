"""The language of a report for people, as a value that is passed along: two reports in two languages never mix.

English is the source: it is the text in the code, the templates and the policies, and the key of every catalogue. A
language is a folder of `bfaudit/locale`; what its catalogue lacks stays English. Machine formats never ask for one.
"""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable

REMEMBERED = 65_536
"""How many sentences of a report a language remembers; most repeat all over a fleet."""

_SEPARATOR = ","


_FILE = "LC_MESSAGES/bfaudit.mo"


def _locale() -> Traversable:
    return files("bfaudit") / "locale"


def _sentences(messages: NullTranslations, word: Callable[[str], str]) -> Callable[[str], str]:
    """The sentences of a catalogue; gettext itself looks up single messages only."""
    messages_by_key = vars(messages).get("_catalog")
    if not messages_by_key:
        return _as_it_is
    from bfaudit.lang.sentences import CONTEXT, Sentences  # noqa: PLC0415 - English does without

    start = f"{CONTEXT}\x04"
    told = {
        key.removeprefix(start): text
        for key, text in messages_by_key.items()
        if isinstance(key, str) and key.startswith(start)
    }
    return lru_cache(REMEMBERED)(Sentences(told, word)) if told else _as_it_is


class Language:
    """One language: its code, its catalogue, and what follows from both."""

    def __init__(self, code: str, messages: NullTranslations) -> None:
        self.code = code
        self._messages = messages
        self._thousands = messages.pgettext("thousands separator", _SEPARATOR)
        self.sentence = _sentences(messages, self.field)
        """A sentence that was made before the language was known, such as a rule's or a scan's; else as it is."""

    def say(self, message: str, **values: object) -> str:
        """A message of ours with its values filled in; whole numbers get their separators, texts stay as they are."""
        told = self._messages.gettext(message) if message else ""  # of nothing it tells its header
        return told.format(**self._shown(values)) if values else told

    def plural(self, one: str, other: str, number: int, **values: object) -> str:
        """A message that counts: `{n}` is the number; `n` among the values says how it is written."""
        told = self._messages.ngettext(one, other, number)
        return told.format(**{"n": self.number(number), **self._shown(values)})

    def counted(self, number: int, word: str, **values: object) -> str:
        """A number of something that one of our words names, such as `2 critical`."""
        return self.plural(f"{{n}} {word}", f"{{n}} {word}", number, **values)

    def number(self, number: int) -> str:
        """A whole number, its thousands parted."""
        return f"{number:,}".replace(_SEPARATOR, self._thousands)

    def listed(self, items: Iterable[str], last: str = "and") -> str:
        """Items as a phrase: `a, b and c`."""
        every = list(items)
        return f" {self.say(last)} ".join(filter(None, (", ".join(every[:-1]), *every[-1:])))

    def field(self, text: str) -> str:
        """A value within a sentence, where it is one of our words; else as it is."""
        return self._messages.pgettext("value", text)

    def _shown(self, values: dict[str, object]) -> dict[str, object]:
        return {
            name: self.number(value) if type(value) is int else value
            for name, value in values.items()
        }


def _as_it_is(text: str) -> str:
    return text


ENGLISH = Language("en", NullTranslations())
"""The language of the source."""


def codes() -> tuple[str, ...]:
    """The codes of every language: English, and the folders of `bfaudit/locale`."""
    found = (entry.name for entry in _locale().iterdir() if (entry / _FILE).is_file())
    return ("en", *sorted(found))


@cache
def language(code: str) -> Language:
    """The language of a code. Raises `KeyError` for one that is not among `codes()`."""
    if code == ENGLISH.code:
        return ENGLISH
    if code not in codes():
        raise KeyError(code)
    with (_locale() / code / _FILE).open("rb") as file:
        return Language(code, GNUTranslations(file))
