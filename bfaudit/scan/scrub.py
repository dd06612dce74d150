"""Keeps a key's own secrets out of what an exchange said of it, should the exchange send one of them back.

Adapters cut long texts and write tokens in lower case, so what is looked for is the beginning of a secret, whatever its
case, with `-` and `_` alike.
"""

from collections.abc import Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from msgspec.structs import replace

from bfaudit.facts import beyond
from bfaudit.model import Fact, Facts, Grant

SHORTEST_SECRET = 6
"""What is shorter is too common to be looked for in an exchange's answers."""
BEGINNING = 16
"""How much of a secret is enough to hide it."""
HIDDEN = "***"
_FOLDING = str.maketrans(ascii_uppercase + "-", ascii_lowercase + "_")


def hide(text: str, secrets: Iterable[str]) -> str:
    """A text of an exchange without the key and its secrets, whole or cut off."""
    if not text:
        return text
    for secret in secrets:
        if len(secret) < SHORTEST_SECRET:
            continue
        same, wanted = _folded(text), _folded(secret)
        start = same.find(wanted[:BEGINNING])
        while start >= 0:
            end = start
            while (
                end < len(text) and end - start < len(secret) and same[end] == wanted[end - start]
            ):
                end += 1
            text = text[:start] + HIDDEN + text[end:]
            same = _folded(text)
            start = same.find(wanted[:BEGINNING], start + len(HIDDEN))
    return text


def scrub(facts: Facts, secrets: Sequence[str]) -> Facts:
    """The facts, with `hide` applied to every text in them: values, the names of permissions, reasons."""
    texts = _folded("\0".join(_texts(facts)))
    beginnings = [_folded(one[:BEGINNING]) for one in secrets if len(one) >= SHORTEST_SECRET]
    if not any(beginning in texts for beginning in beginnings):
        return facts
    known: dict[str, Fact] = {}
    for path, fact in facts.known.items():
        name = hide(path, secrets)
        one = replace(fact, value=_clean(fact.value, secrets))
        if name not in known or one.value == Grant.GRANTED:  # two names may have become one
            known[name] = one
    unknown = {hide(path, secrets): hide(why, secrets) for path, why in facts.unknown.items()}
    for path, fact in list(known.items()):
        if path in unknown and path not in facts.known:
            # One of the names that became one is not known: it is granted, or not known.
            if fact.value == Grant.GRANTED:
                del unknown[path]
            else:
                del known[path]
    return Facts(known, unknown)


def _clean(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, Grant):
        return value
    if isinstance(value, str):
        return hide(value, secrets)
    return tuple(_clean(item, secrets) for item in value) if isinstance(value, tuple) else value


def _folded(text: str) -> str:
    """For comparison, character by character: `lower` would change the length of some texts that are not ASCII."""
    if text.isascii():
        return text.lower().replace("-", "_")
    return text.translate(_FOLDING)


def _texts(facts: Facts) -> list[str]:
    # The names of the catalogue are not an exchange's.
    texts = [*beyond(facts.known), *beyond(facts.unknown), *facts.unknown.values()]
    values = [fact.value for fact in facts.known.values()]
    texts += [value for value in values if type(value) is str]
    for value in values:
        if type(value) is tuple:
            texts += map(str, value)
    return texts
