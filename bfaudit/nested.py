"""Facts as the documents hold them: values by group, and by path why one is not known, or where it comes from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from bfaudit.facts import FACTS, FactSpec, Kind, spec_of
from bfaudit.model import Fact, Facts, Grant, Json, Source
from bfaudit.sealed import Moment, plain

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

    groups: dict[str, dict[str, Json]]
    """Values by group and name; null where there is none, or never, or where `unknown` lists the path."""
    unknown: dict[str, str]
    evidence: dict[str, Evidence]
    """By path, for known facts only."""


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
_READY = frozenset({str, bool, int, type(None)})
"""Types that JSON has."""


def nest(facts: Facts, fingerprint: str | None) -> Nested:
    """Facts as a document holds them; the fingerprint of the key joins its group."""
    groups: dict[str, dict[str, Json]] = {group: {} for group in _GROUPS}
    groups["key"]["fingerprint"] = fingerprint
    unknown: dict[str, str] = {}
    evidence: dict[str, Evidence] = {}
    known, reasons = facts.known, facts.unknown
    others = sorted((known.keys() | reasons.keys()) - FACTS.keys())
    for path, group, name, silent, always in (*_SLOTS, *map(_slot, others)):
        fact = known.get(path)
        why = reasons.get(path)
        if fact is not None:
            value = fact.value
            plainly = value if value.__class__ in _READY else plain(value)
            groups.setdefault(group, {})[name] = plainly
            evidence[path] = Evidence(fact.source, fact.request, fact.limitation, fact.via)
        elif why is not None or always:
            groups.setdefault(group, {})[name] = silent
            unknown[path] = NOT_RECORDED if why is None else why
    if fingerprint is None:
        unknown["key.fingerprint"] = UNRESOLVED
    return Nested(groups, unknown, evidence)


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
