"""The JSON documents that bfaudit writes: sealed by a digest. Those that may be long come in pieces.

The digest is SHA-256 over the document without its `digest`, as JSON with sorted keys and no spaces:
`jq -cjS 'del(.digest)' file.json | sha256sum` says the same.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from bfaudit.errors import IntegrityError, InvalidInput, Problem
from bfaudit.model import Json, Place
from bfaudit.pieces import Piece, bracketed, whole

Moment = Annotated[datetime, Meta(tz=True)]
"""A time with its zone; written in UTC."""


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


_READY = frozenset({str, bool, int, type(None)})
"""Types that JSON has."""


def plain(value: Any) -> Json:
    """A value as JSON holds it; times in UTC."""
    if value.__class__ in _READY:
        return value
    return msgspec.to_builtins(utc(value) if isinstance(value, datetime) else value)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Listed(NamedTuple):
    """A list of any length in a document: its items as JSON, a comma before each. Both may be asked for again."""

    written: Callable[[], Iterable[Piece]]
    """As they are to stand, the comma followed by `NEXT`."""
    ordered: Callable[[], Iterable[Piece]]
    """With sorted keys and no spaces, for the digest."""


NEXT = b"\n    "
"""What stands before each item of a list."""


def listing(items: Iterable[Json]) -> Listed:
    """A list, one item to a line."""
    return Listed(
        lambda: (b"," + NEXT + encoded(item) for item in items),
        lambda: (b"," + encoded(item, ordered=True) for item in items),
    )


NO_LISTS: Mapping[str, Listed] = MappingProxyType({})


def seal(schema: str, content: Mapping[str, Json]) -> bytes:
    """The document of a schema, with its digest; the same bytes for the same content."""
    return whole(sealing(schema, content))


def sealing(
    schema: str, content: Mapping[str, Json], lists: Mapping[str, Listed] = NO_LISTS
) -> Iterator[Piece]:
    """The document in pieces. Lists of any length stand last in it, and are made twice: the digest stands before them."""
    body = body_of(schema, content)
    head = {"schema": schema, "digest": digest_of(body, lists), **body}
    begins = b"{\n"
    for key, value in head.items():
        # No line ends within a string of JSON, so every one is between its parts.
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).replace(b"\n", b"\n  ")
        yield b"%b  %b: %b" % (begins, msgspec.json.encode(key), text)
        begins = b",\n"
    for key, listed in lists.items():
        yield b"%b  %b: " % (begins, msgspec.json.encode(key))
        yield from bracketed(listed.written(), b"\n  ]")
    yield b"\n}\n"


def body_of(schema: str, content: Mapping[str, Json]) -> dict[str, Json]:
    """What a document holds beside its lists and its digest, as plain values."""
    # Lone surrogates, which an exchange's JSON may spell, are no Unicode text.
    body: dict[str, Json] = speakable(msgspec.to_builtins({"schema": schema, **content}))
    return body


def digest_of(content: Mapping[str, Json], lists: Mapping[str, Listed] = NO_LISTS) -> str:
    """The digest of a document's content."""
    digest = hashlib.sha256()
    begins = b"{"
    for key in sorted({*content, *lists} - {"digest"}):
        digest.update(begins + msgspec.json.encode(key) + b":")
        begins = b","
        if key in lists:
            for piece in bracketed(lists[key].ordered(), b"]"):
                digest.update(bytes(piece))
        else:
            digest.update(msgspec.json.encode(content[key], order="sorted"))
    digest.update(b"}")
    return f"sha256:{digest.hexdigest()}"


_encode = msgspec.json.Encoder().encode
_encode_ordered = msgspec.json.Encoder(order="sorted").encode


def encoded(value: Json, *, ordered: bool = False) -> bytes:
    """A value as JSON; lone surrogates, which an exchange's JSON may spell, are replaced: they are no Unicode text."""
    encode = _encode_ordered if ordered else _encode
    try:
        return encode(value)
    except UnicodeEncodeError:
        return encode(speakable(msgspec.to_builtins(value)))


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
