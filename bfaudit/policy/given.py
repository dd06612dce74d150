"""Connections as the cases of rules give them: small facts, or a whole manifest and what a scan left of it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from bfaudit.credentials import SCHEMES
from bfaudit.documents import Document, Path
from bfaudit.errors import InvalidInput
from bfaudit.facts import FACTS, Kind, spec_of
from bfaudit.manifest import Known, assemble
from bfaudit.model import (
    Connection,
    Fact,
    Facts,
    Grant,
    History,
    Inventory,
    ListedKey,
    Reason,
    Scanned,
    Source,
    Status,
)
from bfaudit.words import did_you_mean

_TYPES: Mapping[Kind, Any] = {
    Kind.GRANT: Grant, Kind.BOOL: bool | None, Kind.TEXT: str | None, Kind.TIME: datetime | None,
    Kind.TEXTS: tuple[str, ...] | None,
}  # fmt: skip
_AT = re.compile(r"(.*) - at `\$(.*)`", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class GivenKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One key of a listing."""

    owner: str
    key: str | None = None
    """The text that stands for the key, as in `Given.key`; null where it is masked."""
    label: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class GivenListing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a connection listed."""

    keys: tuple[GivenKey, ...] = ()
    incomplete: str | None = None


class GivenClient(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The client that signed the requests of the scan."""

    name: str = "client 1"
    differs: tuple[str, ...] = ()
    unknown: str | None = None
    known_bad: tuple[str, ...] = ()


class GivenAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One exchange as a whole, as the scan asked it."""

    id: str = "anywhere"
    url: str = "https://api.example.org"
    redirected: bool = False
    refused_hosts: tuple[str, ...] = ()


class Given(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One connection of a case, as its scan left it."""

    connection: dict[str, Any] = field(default_factory=dict)
    status: Status = Status.ONLINE
    reason: Reason | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    key: str | None = ""
    schemes: dict[str, str] = field(default_factory=lambda: {"key": "env", "secret": "env"})
    inventory: GivenListing | None = None
    history: History | None = None


def fleet_of(
    document: Document,
    path: Path,
    manifest: Mapping[str, Any],
    seen: Mapping[str, Given],
    now: datetime,
) -> list[Scanned]:
    """The connections of a whole manifest, with what was seen of each by its name."""
    raw = {"apiVersion": "bfaudit/v1", "kind": "Manifest", **manifest}
    declared = raw.get("connections")
    listed = (
        [one for one in declared if isinstance(one, dict)] if isinstance(declared, list) else []
    )
    roles = {str(one.get("exchange")): list(one.get("credentials") or ()) for one in listed}
    loaded = assemble([(document.file, msgspec.json.encode(raw))], Known(roles, SCHEMES))
    at = (*path, "manifest")
    problems = [document.problem(each.message, at, hint=each.hint) for each in loaded.problems]
    names = [one.name for one in loaded.connections]
    for name in seen:
        if name not in names:
            hint = did_you_mean(name, names)
            where = (*path, "snapshot", name)
            problems.append(document.problem("no such connection", where, key=True, hint=hint))
    if problems or not names:
        raise InvalidInput(problems or [document.problem("there is no connection", at)])
    return [
        replace(
            scanned_of(document, (*path, "snapshot", one.name), seen.get(one.name, Given()), one.name, now),
            connection=replace(one, place=document.place(at), places={}),
        )
        for one in loaded.connections
    ]  # fmt: skip


def scanned_of(document: Document, path: Path, given: Given, name: str, now: datetime) -> Scanned:
    """A connection with what was seen of it; a mistake is told at its place."""
    for each in given.connection:
        if each not in Connection.__struct_fields__:
            hint = did_you_mean(each, Connection.__struct_fields__)
            at = (*path, "connection", each)
            raise InvalidInput([document.problem("no such field", at, key=True, hint=hint)])
    place = msgspec.to_builtins(document.place(path))
    declared = {"name": name, "exchange": "anywhere", "place": place, **given.connection}
    connection = read_as(document, (*path, "connection"), declared, Connection)
    return Scanned(
        connection=connection,
        status=given.status,
        reason=given.reason,
        scanned_at=now,
        fingerprint=f"key of {connection.name}" if given.key == "" else given.key,
        schemes=given.schemes,
        facts=Facts(
            {
                name: Fact(_value(document, (*path, "facts", name), name, value))
                for name, value in given.facts.items()
            },
            given.unknown,
        ),
        inventory=_inventory(document, (*path, "inventory"), given.inventory),
        history=given.history,
    )


def _inventory(document: Document, path: Path, given: GivenListing | None) -> Inventory | None:
    if given is None:
        return None
    keys = tuple(
        ListedKey(
            owner=one.owner,
            fingerprint=one.key,
            label=one.label,
            request="GET /keys",
            facts=Facts(
                {
                    name: Fact(
                        _value(document, (*path, "keys", number, "facts", name), name, value),
                        Source.INVENTORY,
                    )
                    for name, value in one.facts.items()
                }
            ),
        )
        for number, one in enumerate(given.keys)
    )
    return Inventory(keys=keys, covers="the keys of sub-accounts", incomplete=given.incomplete)


def _value(document: Document, path: Path, name: str, value: Any) -> Any:
    spec = spec_of(name)
    if spec is None:
        hint = did_you_mean(name, list(FACTS))
        raise InvalidInput([document.problem("no such fact", path, key=True, hint=hint)])
    if spec.kind is Kind.TIME and isinstance(value, str) and _DAY.fullmatch(value):
        value += "T00:00:00Z"
    return read_as(document, path, value, _TYPES[spec.kind])


def read_as(document: Document, path: Path, value: Any, kind: Any) -> Any:
    """The value as what it should be; what msgspec finds wrong is told at its place."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = _AT.fullmatch(str(error))
        steps = re.findall(r"\[(\d+)\]|\.([^.\[]+)", found[2]) if found else []
        at = (*path, *(int(number) if number else name for number, name in steps))
        raise InvalidInput([document.problem(found[1] if found else str(error), at)]) from error
