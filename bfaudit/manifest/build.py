"""A checked connection of a manifest -> `Connection`."""

from array import array
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import repeat
from sys import intern
from typing import Any

from bfaudit.documents import Document
from bfaudit.manifest import fields
from bfaudit.model import Attestation, Connection, Json, Place

_NESTED = ("credentials", "attestations")


class FieldPlaces(Mapping[str, Place]):
    """Where the fields of a connection are declared: its own, else those of `defaults`; a hundred bytes, not their text."""

    __slots__ = ("_columns", "_file", "_lines", "_names")

    def __init__(self, names: tuple[str, ...], places: Iterable[Place], file: str) -> None:
        self._names = names
        self._file = file
        self._lines = array("I")
        self._columns = array("I")
        for place in places:
            self._lines.append(place.line)
            self._columns.append(place.column)

    def __getitem__(self, name: str) -> Place:
        try:
            at = self._names.index(name)
        except ValueError:
            raise KeyError(name) from None
        return Place(self._file, self._lines[at], self._columns[at])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def items(self) -> ItemsView[str, Place]:
        """All of them, in one go: reports ask for the places of a whole fleet."""
        places = map(Place, repeat(self._file), self._lines, self._columns)
        return dict(zip(self._names, places, strict=True)).items()

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self.items()),)


def _places(document: Document, index: int) -> FieldPlaces:
    data = document.data
    own, others = data["connections"][index], data.get("defaults", {})
    offsets: dict[str, int] = {}
    of_own, of_others = document.keys_of(own), document.keys_of(others)
    for name in {**others, **own}:
        node, known = (own, of_own) if name in own else (others, of_others)
        offsets[name] = known[name]
        if name in _NESTED:
            inside = document.keys_of(node[name]).items()
            offsets |= {f"{name}.{inner}": offset for inner, offset in inside}
    return FieldPlaces(same(tuple(offsets)), map(document.at, offsets.values()), document.file)


@lru_cache(1 << 12)
def same(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for the same texts: most connections of a fleet have theirs in common."""
    return texts


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return same(tuple(value))


def _date(text: str) -> Json:
    return fields.to_date(text)


def _attestations(value: Mapping[str, Mapping[str, Json]]) -> Mapping[str, Attestation]:
    return {
        name: Attestation(
            by=one["by"],
            on=_date(one["on"]),
            expires=_date(one["expires"]) if "expires" in one else None,
            note=one.get("note"),
        )
        for name, one in value.items()
    }


_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "exchange": intern,
    "requires": _texts,
    "symbols": _texts,
    "tags": _texts,
    "created": _date,
    "expires": _date,
    "attestations": _attestations,
    "account": str,
    "label": str,
    "uid": str,
    "parent": str,
    "balance_cap": str,
}
_FIELDS = frozenset(Connection.__struct_fields__)


def connection(
    document: Document, index: int, servers: Mapping[str, tuple[str, ...]]
) -> Connection:
    """Connection number `index` of a document without mistakes; `servers` has the addresses of each server's name.

    Raises `KeyError` with the name of a server whose own declaration is wrong.
    """
    data = document.data
    merged = {**data.get("defaults", {}), **data["connections"][index]}
    values = {
        name: _CONVERT[name](value) if name in _CONVERT else value
        for name, value in merged.items()
        if name in _FIELDS
    }
    if "servers" in values:
        values["servers"] = _addresses(values["servers"], servers)
    place = document.place(("connections", index))
    return Connection(**values, place=place, places=_places(document, index))


def _addresses(texts: list[str], servers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Names and literal addresses -> addresses, each once."""
    found: dict[str, None] = {}
    for text in texts:
        if text in servers:
            found.update(dict.fromkeys(servers[text]))
        elif isinstance(address := fields.to_address(text), str):
            found[address] = None
        else:
            raise KeyError(text)
    return same(tuple(found))
