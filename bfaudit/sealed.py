"""The JSON documents that bfaudit writes: sealed by a digest, with facts nested by group. Snapshot and report share it.

The digest is SHA-256 over the document without its `digest`, as JSON with sorted keys and no spaces:
`jq -cjS 'del(.digest)' file.json | sha256sum` says the same.
"""

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from bfaudit.errors import IntegrityError, InvalidInput, Problem
from bfaudit.facts import FACTS, FactSpec, Kind, spec_of
from bfaudit.model import Fact, Facts, Grant, Json, Place, Source

NOT_RECORDED = "this scan did not record it"
"""The reason written for a fact of the catalogue that a scan says nothing about, not even why."""

UNRESOLVED = "the reference to the key could not be resolved"
"""Why a connection has no fingerprint."""

Moment = Annotated[datetime, Meta(tz=True)]
"""A time with its zone; written in UTC."""

_TYPES: Mapping[Kind, Any] = {
    Kind.GRANT: Grant,
    Kind.BOOL: bool | None,
    Kind.TEXT: str | None,
    Kind.TIME: Moment | None,
    Kind.TEXTS: tuple[str, ...] | None,
}


class Tool(Struct, frozen=True):
    """What wrote a document."""

    name: str
    version: str


class Seal(Struct, frozen=True):
    """What every document starts with."""

    schema: str
    digest: str


class Location(Struct, frozen=True):
    """A place in a manifest; line and column count from 1."""

    file: str
    line: int
    column: int

    @classmethod
    def of(cls, place: Place) -> "Location":
        """The location of a place."""
        return cls(place.file, place.line, place.column)

    def place(self) -> Place:
        """The place it names."""
        return Place(self.file, self.line, self.column)


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


def nest(facts: Facts, fingerprint: str | None) -> Nested:
    """Facts as a document holds them; the fingerprint of the key joins its group."""
    groups: dict[str, dict[str, Json]] = {}
    unknown: dict[str, str] = {}
    evidence: dict[str, Evidence] = {}
    others = sorted({*facts.known, *facts.unknown} - FACTS.keys())
    for path in (*FACTS, *others):
        group, _, name = path.partition(".")
        values = groups.setdefault(group, {"fingerprint": fingerprint} if group == "key" else {})
        fact = facts.known.get(path)
        why = facts.unknown.get(path)
        if fact is not None:
            values[name] = plain(fact.value)
            evidence[path] = Evidence(fact.source, fact.request, fact.limitation, fact.via)
        elif why is not None or group != "test":
            # A connection test leaves facts of its own only where one was asked for.
            spec = spec_of(path)
            is_grant = spec is not None and spec.kind is Kind.GRANT
            values[name] = Grant.UNKNOWN.value if is_grant else None
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


def plain(value: Any) -> Json:
    """A value as JSON holds it; times in UTC."""
    return msgspec.to_builtins(utc(value) if isinstance(value, datetime) else value)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def digest_of(content: Mapping[str, Json]) -> str:
    """The digest of a document's content."""
    body = {name: value for name, value in content.items() if name != "digest"}
    return f"sha256:{hashlib.sha256(msgspec.json.encode(body, order='sorted')).hexdigest()}"


def seal(schema: str, content: Mapping[str, Json], lined: Container[str] = ()) -> bytes:
    """The document of a schema, with its digest; the same bytes for the same content.

    The lists that `lined` names stand one item to a line.
    """
    body: dict[str, Json] = {"schema": schema, **content}
    try:
        digest = digest_of(body)
    except UnicodeEncodeError:
        # Lone surrogates, which an exchange's JSON may spell, are no Unicode text.
        body = speakable(msgspec.to_builtins(body))
        digest = digest_of(body)
    sealed = {"schema": schema, "digest": digest, **body}
    parts = (
        b"  %b: %b" % (msgspec.json.encode(name), _written(value, name in lined))
        for name, value in sealed.items()
    )
    return b"{\n%b\n}\n" % b",\n".join(parts)


def sealing(
    schema: str, content: Mapping[str, Json], name: str, rows: Callable[[], Iterable[bytes]]
) -> Iterator[bytes]:
    """The same document in pieces, with a last list, `name`, of any length.

    `rows` gives its items as JSON; it is called twice, because the digest stands before them.
    """
    body: dict[str, Json] = speakable({"schema": schema, **content})
    digest = hashlib.sha256()
    for piece in _sorted(body, name, rows):
        digest.update(piece)
    head = {"schema": schema, "digest": f"sha256:{digest.hexdigest()}", **body}
    yield b"{\n"
    for key, value in head.items():
        yield b"  %b: %b,\n" % (msgspec.json.encode(key), _written(value, lined=False))
    yield b"  %b: [" % msgspec.json.encode(name)
    begins, ends = b"\n    ", b"]\n}\n"
    for row in rows():
        yield begins + msgspec.json.format(row, indent=2).replace(b"\n", b"\n    ")
        begins, ends = b",\n    ", b"\n  ]\n}\n"
    yield ends


def _sorted(
    body: Mapping[str, Json], name: str, rows: Callable[[], Iterable[bytes]]
) -> Iterator[bytes]:
    """What the digest is made of."""
    begins = b"{"
    for key in sorted([*body, name]):
        yield begins + msgspec.json.encode(key) + b":"
        begins = b","
        if key != name:
            yield msgspec.json.encode(body[key], order="sorted")
            continue
        opens = b"["
        for row in rows():
            yield opens + msgspec.json.encode(msgspec.json.decode(row), order="sorted")
            opens = b","
        yield b"]" if opens == b"," else b"[]"
    yield b"}"


def encoded(value: Json) -> bytes:
    """A value as JSON; lone surrogates, which an exchange's JSON may spell, are replaced: they are no Unicode text."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(speakable(msgspec.to_builtins(value)))


def _written(value: Json, lined: bool) -> bytes:
    if lined and value:
        return b"[\n    %b\n  ]" % b",\n    ".join(map(msgspec.json.encode, value))
    # No line ends within a string of JSON, so every one is between its parts.
    return msgspec.json.format(msgspec.json.encode(value), indent=2).replace(b"\n", b"\n  ")


def digest_in(data: bytes) -> str:
    """The digest that a sealed document states."""
    return msgspec.json.decode(data, type=Seal).digest


def schema_in(data: bytes) -> str | None:
    """The schema that a document says it follows; None where it says nothing that can be read."""
    try:
        return msgspec.json.decode(data, type=Seal).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def unseal(schema: str, data: bytes, file: str) -> dict[str, Json]:
    """The content of a sealed document, once its schema and digest are verified."""
    try:
        content: Json = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(file, f"not JSON: {error}", "Is the file complete?") from error
    except RecursionError as error:
        raise invalid(file, "nested more deeply than any document of bfaudit") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != schema or not isinstance(content, dict):
        raise invalid(file, f"the schema is not `{schema}`", _other_schema(found, schema))
    try:
        intact = content.get("digest") == digest_of(content)
    except (RecursionError, OverflowError, UnicodeEncodeError) as error:
        raise invalid(file, "holds values that no document of bfaudit holds") from error
    if not intact:
        raise IntegrityError(
            "the content does not match its digest: the file was altered or is damaged"
            if "digest" in content
            else "the digest is missing: nothing shows that the file was not altered",
            place=Place(file, 1, 1),
            hint="Make the file again with `bfaudit scan`, and do not edit it.",
        )
    return content


def invalid(file: str, message: str, hint: str | None = None) -> InvalidInput:
    """The error for a document that is not what it should be."""
    return InvalidInput([Problem(message, place=Place(file, 1, 1), hint=hint)])


def _other_schema(found: Json, wanted: str) -> str:
    kind, _, _ = wanted.partition("/")
    if isinstance(found, str) and found.startswith(f"{kind}/") and len(found) < 40:
        return f"It is a `{found}` of a later bfaudit: upgrade bfaudit to read it."
    if isinstance(found, str) and found.startswith("bfaudit-") and len(found) < 40:
        return f"It is a `{found}`: pass the file that `bfaudit scan` wrote."
    return "Pass the file that `bfaudit scan` wrote."


def speakable(value: Json) -> Json:
    """The same value with every lone surrogate, which is no Unicode text, replaced."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {speakable(name): speakable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [speakable(item) for item in value]
    return value
