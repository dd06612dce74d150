"""What a schema cannot say of single fields: addresses, dates, names. Each answers with a value or a mistake."""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from bfaudit.words import quoted


class Mistake(NamedTuple):
    """Why a text is not what it should be."""

    message: str
    expected: str | None = None
    hint: str | None = None


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@lru_cache(4096)
def to_date(text: str) -> date | Mistake:
    """A day written as YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return Mistake(f"{quoted(text)} is not a date", "YYYY-MM-DD, such as 2026-11-01")
    try:
        return date.fromisoformat(text)
    except ValueError:
        return Mistake(f"there is no day {quoted(text)}", "YYYY-MM-DD, such as 2026-11-01")


@lru_cache(4096)
def to_address(text: str) -> str | Mistake:
    """An IP address or network in its usual spelling; a network of one address is that address."""
    try:
        network = ip_network(text)
    except ValueError:
        return _no_address(text)
    if "%" in text:  # a zone has a meaning on one host only
        return Mistake(f"{quoted(text)} is not an address", "an address without a zone")
    return str(network.network_address) if _is_single(network) else str(network)


def looks_like_address(text: str) -> bool:
    """Whether a text is meant as an address rather than as a server's name."""
    return re.fullmatch(r"[0-9.]+(/.*)?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%.*)?(/.*)?", text) is not None


def _no_address(text: str) -> Mistake:
    expected = "an IPv4 or IPv6 address, or a CIDR"
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return Mistake(f"{quoted(text)} is not an address", expected)
    host = text.partition("/")[0]
    hint = f'write "{network}" for the network, or "{ip_address(host)}" for the one address'
    return Mistake(f"{quoted(text)} has bits set beyond its prefix", expected, hint)


def _is_single(network: IPv4Network | IPv6Network) -> bool:
    return network.prefixlen == network.max_prefixlen


def normal_name(name: str) -> str:
    """A name as it is compared: case, width and spaces make no difference."""
    if name.isascii():
        return " ".join(name.lower().split())
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


_EAST_ASIAN = frozenset({
    "BOPOMOFO", "CJK", "HANGUL", "HIRAGANA", "IDEOGRAPHIC", "KATAKANA", "KATAKANA-HIRAGANA",
})  # fmt: skip
"""What begins the names of letters that are written together, in one word."""


def mixes_scripts(name: str) -> bool:
    """Whether a word of a name has letters of several scripts, such as Latin and Cyrillic: it looks like another name."""
    return any(len(_scripts(word)) > 1 for word in normal_name(name).split())


def _scripts(word: str) -> set[str]:
    if word.isascii():
        return set()
    # Unicode names a letter by its script first; modifiers, such as an apostrophe, belong to any.
    names = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
    return {"" if name in _EAST_ASIAN else name for name in names - {"MODIFIER"}}
