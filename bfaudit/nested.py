"""Facts as the documents hold them: values by group, and by path why one is not known, or where it comes from."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from bfaudit.facts import FACTS, FactSpec, Kind, spec_of
from bfaudit.model import Fact, Facts, Grant, Json, Source
from bfaudit.sealed import Moment, utc

NOT_RECORDED = "this scan did not record it"
"""The reason written for a fact of the catalogue that a scan says nothing about, not even why."""

UNRESOLVED = "the reference to the key could not be resolved"
"""Why a connection has no fingerprint."""

_TYPES: Mapping[Kind, Any] = {
    Kind.GRANT: Grant,
    Kind.BOOL: bool | None,
    Kind.TEXT: str | None,
    Kind.TIME: Moment | None,
    Kind.TEXTS: tuple[str, ...] | None,
}


class Evidence(Struct, frozen=True):
    """Where a known fact comes from, and what that does not prove."""

    source: Source
    request: str | None = None
    limitation: str | None = None
    via: str | None = None
    """How a conclusion follows; null for what the exchange itself says."""


class Nested(NamedTuple):
    """Facts as a document holds them."""

    groups: dict[str, dict[str, Any]]
    """Values by group and name, as msgspec writes them; null where there is none, or never, or where `unknown` lists the path."""
    unknown: Mapping[str, str]
    evidence: Mapping[str, Evidence]
    """By path, for known facts only."""


class Grounds(NamedTuple):
    """What is said of facts beside their values: the same of most keys of an exchange, and made a document's once."""

    known: tuple[tuple[str, Source, str | None, str | None, str | None], ...]
    """Path and evidence of each known fact."""
    unknown: tuple[tuple[str, str], ...]
    unresolved: bool
    """Whether the key has no fingerprint."""


class _Slot(NamedTuple):
    """Where a document holds a fact."""

    path: str
    group: str
    name: str
    silent: Json
    """What stands there where it is not known."""
    always: bool
    """Whether it is there even where nobody says why it is not known."""


def _slot(path: str) -> _Slot:
    group, _, name = path.partition(".")
    spec = spec_of(path)
    is_grant = spec is not None and spec.kind is Kind.GRANT
    # A connection test leaves facts of its own only where one was asked for.
    return _Slot(path, group, name, Grant.UNKNOWN.value if is_grant else None, group != "test")


_SLOTS = tuple(map(_slot, FACTS))
_GROUPS = tuple(dict.fromkeys(slot.group for slot in _SLOTS))


def grounds(facts: Facts, fingerprint: str | None) -> Grounds:
    """What is said of the facts of a key."""
    known = facts.known.items()
    return Grounds(
        tuple([(path, one.source, one.request, one.limitation, one.via) for path, one in known]),
        tuple(facts.unknown.items()),
        fingerprint is None,
    )


def nest(facts: Facts, fingerprint: str | None) -> Nested:
    """Facts as a document holds them; the fingerprint of the key joins its group."""
    return Nested(valued(facts, fingerprint), *spelt(grounds(facts, fingerprint)))


def valued(facts: Facts, fingerprint: str | None) -> dict[str, dict[str, Any]]:
    """The values of facts by group and name, with the fingerprint of the key."""
    groups: dict[str, dict[str, Any]] = {group: {} for group in _GROUPS}
    groups["key"]["fingerprint"] = fingerprint
    known = facts.known
    for path, group, name, silent, _ in _slots(tuple(known), tuple(facts.unknown)):
        fact = known.get(path)
        value = silent if fact is None else fact.value
        groups.setdefault(group, {})[name] = utc(value) if isinstance(value, datetime) else value
    return groups


@lru_cache(256)
def spelt(said: Grounds) -> tuple[Mapping[str, str], Mapping[str, Evidence]]:
    """Why facts are not known, and where the others come from, in the order of a document."""
    known = {
        path: Evidence(source, request, limitation, via)
        for path, source, request, limitation, via in said.known
    }
    reasons = dict(said.unknown)
    slots = _slots(tuple(known), tuple(reasons))
    unknown = {at.path: reasons.get(at.path, NOT_RECORDED) for at in slots if at.path not in known}
    if said.unresolved:
        unknown["key.fingerprint"] = UNRESOLVED
    return unknown, {slot.path: known[slot.path] for slot in slots if slot.path in known}


@lru_cache(256)
def _slots(known: tuple[str, ...], unknown: tuple[str, ...]) -> tuple[_Slot, ...]:
    """The slots that a document has, where these facts are known, and of those something is said."""
    told = {*known, *unknown}
    slots = (*_SLOTS, *map(_slot, sorted(told - FACTS.keys())))
    return tuple(slot for slot in slots if slot.always or slot.path in told)


def flatten(nested: Nested) -> Facts:
    """The facts of a document. What is not of the catalogue, or has no evidence, is no fact.

    A value of the wrong type raises `msgspec.ValidationError`.
    """
    unknown = {
        path: why
        for path, why in nested.unknown.items()
        if why != NOT_RECORDED and spec_of(path) is not None
    }
    known = {}
    for path, evidence in nested.evidence.items():
        spec = spec_of(path)
        if spec is None or path in nested.unknown:
            continue
        group, _, name = path.partition(".")
        value = _value(spec, nested.groups.get(group, {}), name)
        known[path] = Fact(
            value, evidence.source, evidence.request, evidence.limitation, evidence.via
        )
    return Facts(known, unknown)


def told(values: Mapping[str, Json], source: Source, request: str) -> Facts:
    """Facts that one request told, by path; what is not of the catalogue is no fact."""
    specs = {path: spec for path in values if (spec := spec_of(path)) is not None}
    return Facts(
        {path: Fact(_value(spec, values, path), source, request) for path, spec in specs.items()}
    )


def _value(spec: FactSpec, values: Mapping[str, Json], name: str) -> Any:
    try:
        value = msgspec.convert(values[name], _TYPES[spec.kind])
    except (KeyError, msgspec.ValidationError) as error:
        raise msgspec.ValidationError(f"`{spec.path}` is not of kind {spec.kind}") from error
    if value is Grant.UNKNOWN:
        raise msgspec.ValidationError(f"`{spec.path}` has evidence, yet is unknown")
    return value
