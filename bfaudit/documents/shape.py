"""The shape of a document: jsonschema-rs says whether it is right, `jsonschema` and this module say what is wrong.

What is valid never pays for explanations.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import jsonschema_rs
import msgspec

from bfaudit import schemas
from bfaudit.documents.document import Document
from bfaudit.documents.limits import MAX_EXPLAINED, MAX_PROBLEMS
from bfaudit.documents.scalars import is_ambiguous
from bfaudit.errors import Problem
from bfaudit.literals import shown
from bfaudit.model import Json
from bfaudit.words import did_you_mean, kind_of, one_of, quoted, wanted

if TYPE_CHECKING:
    from jsonschema import ValidationError

Steps = tuple[str | int, ...]

KINDS: Mapping[str, str] = {
    "Manifest": "name it as MANIFEST, without an option",
    "Policy": "pass it with --policy",
    "Exceptions": "pass it with --exceptions",
    "Framework": "pass it with --framework",
    "Scenario": "pass it with --scenario to `bfaudit sandbox`",
}
"""The kinds of documents, and where each belongs."""


class Shape(NamedTuple):
    """One kind of document, and what it says better of its own mistakes than this module does."""

    schema: str
    """The name of its JSON Schema."""
    kind: str
    """Its `kind`."""
    start: str
    """How to start such a document."""
    say: "Callable[[Document, ValidationError, Steps], Problem | None] | None" = None


@cache
def validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """The fast validator of a schema."""
    return jsonschema_rs.Draft202012Validator(schemas.load(schema))


def check(document: Document, shape: Shape) -> list[Problem]:
    """Everything in a document that is not of its shape."""
    wrong = other_kind(document, shape)
    if wrong is not None:
        return [wrong]
    if validator(shape.schema).is_valid(document.data):
        return []
    return explain(document, shape, document.data)


def other_kind(document: Document, shape: Shape) -> Problem | None:
    """The problem of a document that is of another kind altogether."""
    data = document.data
    if not isinstance(data, dict):
        what = "the file is empty" if data is None else f"this is {kind_of(data)}"
        return document.problem(f"{what}, not {_a(shape.kind.lower())}", (), hint=shape.start)
    kind = data.get("kind")
    if isinstance(kind, str) and kind in KINDS and kind != shape.kind:
        message = f"this is {_a(kind)}, not {_a(shape.kind)}"
        return document.problem(message, ("kind",), hint=KINDS[kind])
    return None


def explain(
    document: Document, shape: Shape, data: Json, at: Callable[[Steps], Steps] = lambda path: path
) -> list[Problem]:
    """What is wrong with data that the schema refuses; `at` leads from a path in it to one in the document."""
    if (large := _too_large(data, at(()))) is not None:
        message = f"not valid, and with more than {MAX_EXPLAINED:,} values too large to say why"
        return [document.problem(message, large, key=True, hint="try it with a part of this")]
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, seldom needed

    problems: dict[object, Problem] = {}
    found = (
        problem
        for error in Draft202012Validator(schemas.load(shape.schema)).iter_errors(data)
        for problem in _explain(document, error, at(tuple(error.absolute_path)), shape)
    )
    for number, problem in enumerate(found):
        if number == MAX_PROBLEMS:
            problems[None] = document.too_many()
            break
        problems.setdefault((problem.place, problem.message), problem)
    # NOTE: the gate decides; should `jsonschema` not see it, the place is still told.
    return list(problems.values()) or [
        document.problem("not valid here", at(tuple(error.instance_path)))
        for error in islice(validator(shape.schema).iter_errors(data), MAX_PROBLEMS + 1)
    ]


def _too_large(data: Json, path: Steps) -> Steps | None:
    """The path of the largest part, where all is too large to explain."""
    sizes = {name: _size(value) for name, value in data.items()}
    if sum(sizes.values()) <= MAX_EXPLAINED:
        return None
    return (*path, max(sizes, key=lambda name: sizes[name]))


def _size(data: Json) -> int:
    """How many values there are in one, counted until they are too many."""
    count, left = 0, [data]
    while left and count <= MAX_EXPLAINED:
        one = left.pop()
        inside = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        count += 1 + len(inside)
        if count <= MAX_EXPLAINED:
            left.extend(item for item in inside if isinstance(item, dict | list))
    return count


def _explain(
    document: Document, error: "ValidationError", path: Steps, shape: Shape
) -> Iterator[Problem]:
    found = _plain(error.instance)
    limit, schema = _plain(error.validator_value), _plain(error.schema)
    own = shape.say(document, error, path) if shape.say else None
    if own is not None:
        yield own
        return
    match error.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            for name in found:
                if name not in known:
                    yield _unknown_field(document, (*path, name), known)
        case "required":
            for name in limit:
                if name not in found:
                    expected = _told(name, schema, shape)
                    yield document.problem(f'"{name}" is missing', path, expected=expected)
        case "enum" | "const":
            words = limit if error.validator == "enum" else [limit]
            message = f"unknown {field(path)} {quoted(found)}"
            hint = did_you_mean(found, words)
            yield document.problem(message, path, expected=one_of(words), hint=hint)
        case "type":
            message = f"{title(path)} must be {wanted(limit)}, not {kind_of(found)}"
            yield document.problem(message, path, hint=_how_to_write(found, limit))
        case "uniqueItems":
            index = _again(found)
            yield document.problem(f"{quoted(found[index])} is listed twice", (*path, index))
        case "pattern" if "propertyNames" in list(error.absolute_schema_path):
            message, told = f"{quoted(found)} cannot be a name here", "a name that starts with a letter"  # fmt: skip
            yield document.problem(message, (*path, found), key=True, expected=told)
        case "minLength" | "minItems" | "minProperties":
            yield document.problem(f"{title(path)} is empty", path)
        case "maxLength":
            yield document.problem(f"{title(path)} is longer than {limit} characters", path)
        case _:
            yield document.problem("not valid here", path)


def _again(items: Json) -> int:
    """The number of the first item that equals one before it."""
    seen: set[bytes] = set()
    for number, item in enumerate(items):
        text = msgspec.json.encode(item, order="sorted")
        if text in seen:
            return number
        seen.add(text)
    return len(items) - 1  # equal by another measure, as 1 and 1.0 are


def _unknown_field(document: Document, path: Steps, known: list[str]) -> Problem:
    name = str(path[-1])
    hint = did_you_mean(name, known)
    message = f"unknown field {quoted(name)}"
    return document.problem(message, path, key=True, expected=one_of(known), hint=hint)


def field(path: Steps) -> str:
    """What a single value is called in a message."""
    names = [step for step in path if isinstance(step, str)]
    return {"requires": "permission"}.get(names[-1], names[-1])


def title(path: Steps) -> str:
    """A field, or an item of a list, as the subject of a sentence."""
    match path:
        case (*_, str(name), int()):
            return f'an item of "{shown(name)}"'
        case (*_, str(name)):
            return f'"{shown(name)}"'
        case _:
            return "this"


def _told(name: str, schema: Json, shape: Shape) -> str | None:
    """What the schema says of a field that is missing."""
    whole = schemas.load(shape.schema)
    about = schema.get("properties", {}).get(name) or whole["$defs"].get(name) or {}
    described = about.get("description")
    if "$ref" in about:
        about = whole["$defs"][about["$ref"].rpartition("/")[2]]
    examples = about.get("examples", [])
    if examples and isinstance(examples[0], str):
        return f"`{name}: {examples[0]}`, for example"
    if examples and isinstance(examples[0], dict):
        inside = ", ".join(f"{key}: {value}" for key, value in examples[0].items())
        return f"`{name}: {{{inside}}}`, for example"
    return str(described) if described and shape.kind != "Manifest" else None


def _how_to_write(found: Json, kinds: str | list[str]) -> str | None:
    wants = [kinds] if isinstance(kinds, str) else kinds
    if "array" in wants and isinstance(found, str):
        return "write it as a list: put it in [ ]"
    if "boolean" in wants and isinstance(found, str) and is_ambiguous(found):
        return "write `true` or `false`: this word is a text in YAML 1.2"
    if "string" in wants and isinstance(found, bool | int | float):
        return "put it in quotes"
    return None


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEae' else 'a'} {noun}"


def _plain(value: object) -> Json:
    """What jsonschema says of itself, typed as what it is: decoded JSON."""
    return value


def wrong_paths(schema: str, data: Json) -> Iterable[Steps]:
    """Where the gate refuses data."""
    return (tuple(error.instance_path) for error in validator(schema).iter_errors(data))
