"""What a schema cannot say of one manifest: its dates, addresses, exchanges and credential references."""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Protocol

from msgspec import Struct

from bfaudit import literals
from bfaudit.documents import Document
from bfaudit.errors import Problem
from bfaudit.manifest import fields
from bfaudit.model import Json
from bfaudit.words import did_you_mean, one_of, quoted

Path = tuple[str | int, ...]

_REFERENCE = re.compile(r"([a-z][a-z0-9+.-]*):(.*)", re.DOTALL)
_TEXTS = ("account", "label", "uid", "parent")
"""The fields that may be written as a whole number, and are a text."""
_MOST_NAMES = 100
"""How many servers a hint is sought among."""
_SECRET_HINT = "put the secret into a variable or a file, and write `env:NAME` or `file:PATH` here"


class Scheme(Protocol):
    """What a check needs to know of a credential scheme."""

    @property
    def syntax(self) -> str: ...
    @property
    def form(self) -> str: ...


class Known(Struct, frozen=True):
    """What the rest of bfaudit supports."""

    exchanges: Mapping[str, Collection[str]]
    """The credential roles that each exchange needs, by its id."""
    schemes: Mapping[str, Scheme]
    unsupported: Mapping[str, str] = {}
    """Why an exchange that ccxt knows is not supported, by its id."""


class Checker:
    """Checks one manifest whose YAML could be read; whatever has the wrong type is the schema's to tell."""

    def __init__(self, document: Document, known: Known) -> None:
        self.document = document
        self.servers: dict[str, tuple[str, ...]] = {}
        """The addresses of each valid server, by its name."""
        self._known = known
        data = document.data if isinstance(document.data, dict) else {}
        self._declared = _mapping(data.get("servers"))
        self._defaults = _mapping(data.get("defaults"))
        connections = data.get("connections")
        self._connections = connections if isinstance(connections, list) else []
        self._resolved: set[tuple[str, ...]] = set()

    def problems(self) -> Iterator[Problem]:
        """Every mistake of the file."""
        yield from self._literals()
        yield from self._servers()
        yield from self._fields(("defaults",), self._defaults)
        for index, connection in enumerate(self._connections):
            if isinstance(connection, dict):
                path = ("connections", index)
                yield from self._fields(path, connection)
                yield from self._credentials(path, connection)

    def hidden_lines(self) -> set[int]:
        """The lines that hold a credential which is not a reference: they are never shown."""
        hidden: set[int] = set()
        for index, connection in enumerate(self._connections):
            path = ("connections", index, "credentials")
            credentials = _mapping(connection).get("credentials")
            if not isinstance(credentials, dict):
                hidden |= self._lines(path, credentials)
                continue
            for role, value in credentials.items():
                if not self._is_reference(value):
                    hidden |= self._lines((*path, role), value)
        return hidden

    def _lines(self, path: Path, value: Json) -> set[int]:
        """The lines that a value takes; of a list or mapping the first."""
        if value is None:
            return set()
        last = len(value) - 1 if isinstance(value, str) else 0
        first = self.document.place(path).line
        return set(range(first, self.document.inside(path, max(0, last)).line + 1))

    def _literals(self) -> Iterator[Problem]:
        spans = list(literals.find(self.document.text))
        told = self.hidden_lines() if spans else set()
        for span in spans:
            if self.document.at(span.start).line not in told:
                message = f"this looks like {span.what}"
                yield self.document.problem_at(message, span.start, hint=_SECRET_HINT)

    def _servers(self) -> Iterator[Problem]:
        for name, addresses in self._declared.items():
            if not isinstance(addresses, list):
                continue
            found = [fields.to_address(item) for item in addresses if isinstance(item, str)]
            good = tuple(item for item in found if isinstance(item, str))
            if len(good) == len(addresses):
                self.servers[name] = good
            for index, item in enumerate(found):
                if isinstance(item, fields.Mistake):
                    yield self._mistake(item, ("servers", name, index))

    def _fields(self, path: Path, values: Mapping[str, Json]) -> Iterator[Problem]:
        exchange = values.get("exchange")
        if isinstance(exchange, str) and exchange and exchange not in self._known.exchanges:
            known = self._known.exchanges
            yield self._problem(
                f"unknown exchange {quoted(exchange)}",
                (*path, "exchange"),
                expected=one_of(known),
                hint=self._known.unsupported.get(exchange) or did_you_mean(exchange, known),
            )
        for name in _TEXTS:
            if name in values:
                yield from self._as_written((*path, name), values[name])
        for day in ("created", "expires"):
            if day in values:
                yield from self._date((*path, day), values[day])
        if "attestations" in values:
            for what, attestation in _mapping(values["attestations"]).items():
                yield from self._attestation((*path, "attestations", what), _mapping(attestation))
        if "servers" in values:
            yield from self._bound_to((*path, "servers"), values["servers"])
        title: Json = values.get("name")
        if isinstance(title, str) and not title.isprintable():
            yield self._problem("a name is one line of printable text", (*path, "name"))

    def _as_written(self, path: Path, value: Json) -> Iterator[Problem]:
        """A whole number of another spelling (`0x1f`, `12e3`, `1.0`) would be another text."""
        if isinstance(value, float):
            same = not value.is_integer()  # which is the schema's to tell
        elif isinstance(value, int) and not isinstance(value, bool):
            heads = (str(value), "&", "*")
            same = self.document.text.startswith(heads, self.document.offset(path))
        else:
            return
        if not same:
            message = f'"{path[-1]}" is a text, and this is read as the number {value}'
            yield self._problem(message, path, hint="put it in quotes")

    def _date(self, path: Path, value: Json) -> Iterator[Problem]:
        if isinstance(value, str) and isinstance(found := fields.to_date(value), fields.Mistake):
            yield self._mistake(found, path)

    def _attestation(self, path: Path, attestation: Mapping[str, Json]) -> Iterator[Problem]:
        on, expires = attestation.get("on"), attestation.get("expires")
        yield from self._date((*path, "on"), on)
        yield from self._date((*path, "expires"), expires)
        # Days written as YYYY-MM-DD sort like days.
        if isinstance(on, str) and isinstance(expires, str) and expires < on:
            message = "the attestation expires before the day it was given on"
            yield self._problem(message, (*path, "expires"))

    def _bound_to(self, path: Path, servers: Json) -> Iterator[Problem]:
        if not isinstance(servers, list) or not all(isinstance(item, str) for item in servers):
            return
        if (key := tuple(servers)) in self._resolved:
            return
        problems = [
            problem
            for index, item in enumerate(servers)
            if item not in self._declared
            for problem in self._server((*path, index), item)
        ]
        if not problems:
            self._resolved.add(key)
        yield from problems

    def _server(self, path: Path, text: str) -> Iterator[Problem]:
        found = fields.to_address(text)
        if isinstance(found, str) or not text:
            return
        if fields.looks_like_address(text) or found.hint:
            yield self._mistake(found, path)
            return
        names = list(islice(self._declared, _MOST_NAMES))
        yield self._problem(
            f"unknown server {quoted(text)}",
            path,
            expected=one_of([*names, "an IP address or CIDR"]),
            hint=did_you_mean(text, names) or "declare it under `servers:` of this file",
        )

    def _credentials(self, path: Path, connection: Mapping[str, Json]) -> Iterator[Problem]:
        if "credentials" not in connection:
            return
        credentials = connection["credentials"]
        if not isinstance(credentials, dict):
            return
        at = (*path, "credentials")
        for role, value in credentials.items():
            if isinstance(value, str) and not self._is_reference(value):
                yield self._no_reference((*at, role), value)
        exchange = connection.get("exchange", self._defaults.get("exchange"))
        roles = self._known.exchanges.get(exchange) if isinstance(exchange, str) else None
        if roles is None or credentials.keys() == set(roles):
            return
        for role in roles:
            if role not in credentials:
                message = f'{exchange} needs a {role}: "{role}" is missing'
                yield self._problem(message, at, key=True, hint=f"add `{role}: env:NAME`")
        for role in ("key", "secret", "passphrase"):
            if role in credentials and role not in roles:
                message = f"{exchange} has no {role}"
                yield self._problem(message, (*at, role), key=True, hint="remove it")

    def _is_reference(self, value: Json) -> bool:
        match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if match is None or (scheme := self._known.schemes.get(match[1])) is None:
            return False
        return re.fullmatch(scheme.form, match[2]) is not None

    def _no_reference(self, path: Path, value: str) -> Problem:
        schemes = self._known.schemes
        expected = one_of(scheme.syntax for scheme in schemes.values())
        match = _REFERENCE.fullmatch(value)
        if match and match[1] in schemes:
            message = f"this is not a complete `{match[1]}:` reference"
            return self._problem(message, path, expected=schemes[match[1]].syntax, show=False)
        if match and (hint := did_you_mean(match[1], schemes)):
            message = "this credential scheme is not known"
            return self._problem(message, path, expected=expected, hint=hint, show=False)
        message = "this is not a credential reference but perhaps a secret"
        return self._problem(message, path, expected=expected, hint=_SECRET_HINT, show=False)

    def _mistake(self, mistake: fields.Mistake, path: Path) -> Problem:
        message, expected, hint = mistake
        return self._problem(message, path, expected=expected, hint=hint)

    def _problem(
        self,
        message: str,
        path: Path,
        *,
        key: bool = False,
        expected: str | None = None,
        hint: str | None = None,
        show: bool = True,
    ) -> Problem:
        return self.document.problem(
            message, path, key=key, expected=expected, hint=hint, show=show
        )


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
