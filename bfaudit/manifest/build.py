"""A checked connection of a manifest -> `Connection`."""

from collections.abc import Callable, ItemsView, Iterator, Mapping
from typing import Any

from bfaudit.documents import Document
from bfaudit.manifest import fields
from bfaudit.model import Attestation, Connection, Json, Place

_NESTED = ("credentials", "attestations")


class FieldPlaces(Mapping[str, Place]):
    """Where the fields of a connection are declared: its own, else those of `defaults`. Looked up when asked for."""

    __slots__ = ("_document", "_index")

    def __init__(self, document: Document, index: int) -> None:
        self._document = document
        self._index = index

    def __getitem__(self, name: str) -> Place:
        steps = name.split(".", 1)
        for start in (("connections", self._index), ("defaults",)):
            values = self._document.value(start)
            if isinstance(values, dict) and steps[0] in values:
                inner = values[steps[0]]
                if len(steps) == 1 or (isinstance(inner, dict) and steps[1] in inner):
                    return self._document.place((*start, *steps), key=True)
                break
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        for name, value in self._fields().items():
            yield name
            if name in _NESTED:
                yield from (f"{name}.{inner}" for inner in value)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items(self) -> ItemsView[str, Place]:
        """All of them, in one go: reports ask for the places of a whole fleet."""
        return dict(self._all()).items()

    def _all(self) -> Iterator[tuple[str, Place]]:
        data = self._document.data
        own, others = data["connections"][self._index], data.get("defaults", {})
        offsets = {id(node): self._document.keys_of(node) for node in (own, others)}
        for name in {**others, **own}:
            node = own if name in own else others
            offset = offsets[id(node)].get(name)
            yield name, self[name] if offset is None else self._document.at(offset)
            if name in _NESTED:
                for inner, at in self._document.keys_of(node[name]).items():
                    yield f"{name}.{inner}", self._document.at(at)

    def __reduce__(self) -> tuple[Any, ...]:
        # The document's places do not outlive this process: a copy is plain.
        return dict, (dict(self),)

    def _fields(self) -> dict[str, Json]:
        data = self._document.data
        return {**data.get("defaults", {}), **data["connections"][self._index]}


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
    "requires": tuple,
    "symbols": tuple,
    "tags": tuple,
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
    return Connection(**values, place=place, places=FieldPlaces(document, index))


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
    return tuple(found)
