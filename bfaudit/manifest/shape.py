"""The shape of a manifest: jsonschema-rs says whether it is right, `jsonschema` and this module say what is wrong.

A valid fleet never pays for explanations; of an invalid one only the connections that are wrong are looked at again.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import jsonschema_rs

from bfaudit import schemas
from bfaudit.documents import Document
from bfaudit.documents.scalars import is_ambiguous
from bfaudit.errors import Problem
from bfaudit.literals import shown
from bfaudit.manifest.words import did_you_mean, kind_of, one_of, quoted, wanted
from bfaudit.model import Json

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path = tuple[str | int, ...]

_OTHER_KINDS = {
    "Policy": "pass it with --policy",
    "Exceptions": "pass it with --exceptions",
    "Scenario": "pass it to `bfaudit sandbox`",
}


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    """The fast validator of manifests."""
    return jsonschema_rs.Draft202012Validator(schemas.load("manifest"))


def check(document: Document) -> list[Problem]:
    """Everything that is not of a manifest's shape."""
    data = document.data
    if not isinstance(data, dict):
        hint = "start with `apiVersion: bfaudit/v1`, `kind: Manifest`, `connections:`"
        what = "the file is empty" if data is None else f"this is {kind_of(data)}"
        return [document.problem(f"{what}, not a manifest", (), hint=hint)]
    kind = data.get("kind")
    if isinstance(kind, str) and kind in _OTHER_KINDS:
        message = f"this is {'an' if kind[0] in 'AE' else 'a'} {kind}, not a Manifest"
        return [document.problem(message, ("kind",), hint=_OTHER_KINDS[kind])]
    if validator().is_valid(data):
        return []
    return _explain_all(document)


def _explain_all(document: Document) -> list[Problem]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, seldom needed

    wrong = [tuple(error.instance_path) for error in validator().iter_errors(document.data)]
    items = sorted({index for path in wrong if (index := _connection(path)) is not None})
    part = dict(document.data)
    if items:
        part["connections"] = [part["connections"][item] for item in items]
    problems: dict[object, Problem] = {}
    for error in Draft202012Validator(schemas.load("manifest")).iter_errors(part):
        path: Path = tuple(error.absolute_path)
        if (index := _connection(path)) is not None:
            path = ("connections", items[index], *path[2:])
        for problem in _explain(document, error, path):
            problems.setdefault((problem.place, problem.message), problem)
    # NOTE: the gate decides; should `jsonschema` not see it, the place is still told.
    return list(problems.values()) or [document.problem("not valid here", path) for path in wrong]


def _connection(path: Path) -> int | None:
    """The number of the connection that a path leads into."""
    match path:
        case ("connections", int(index), *_):
            return index
        case _:
            return None


def _explain(document: Document, error: "ValidationError", path: Path) -> Iterator[Problem]:
    found = _plain(error.instance)
    limit, schema = _plain(error.validator_value), _plain(error.schema)
    match error.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            for name in found:
                if name not in known:
                    yield _unknown_field(document, (*path, name), known)
        case "required":
            for name in limit:
                if name not in found:
                    yield document.problem(
                        f'"{name}" is missing', path, expected=_told(name, schema)
                    )
        case "enum" | "const":
            words = limit if error.validator == "enum" else [limit]
            yield document.problem(
                f"unknown {_field(path)} {quoted(found)}",
                path,
                expected=one_of(words),
                hint=did_you_mean(found, words),
            )
        case "type":
            hint = _how_to_write(found, limit)
            message = f"{_title(path)} must be {wanted(limit)}, not {kind_of(found)}"
            yield document.problem(message, path, hint=hint)
        case "uniqueItems":
            index = next(i for i, item in enumerate(found) if item in found[:i])
            yield document.problem(f"{quoted(found[index])} is listed twice", (*path, index))
        case "pattern" if "propertyNames" in list(error.absolute_schema_path):
            message = f"{quoted(found)} cannot be a name here"
            yield document.problem(
                message, (*path, found), key=True, expected="a name that starts with a letter"
            )
        case _:
            yield _bounded(document, error, path)


def _bounded(document: Document, error: "ValidationError", path: Path) -> Problem:
    match error.validator:
        case "minLength" | "minItems" | "minProperties":
            return document.problem(f"{_title(path)} is empty", path)
        case "maxLength":
            message = f"{_title(path)} is longer than {error.validator_value} characters"
            return document.problem(message, path)
        case "pattern" if path[-1] == "name":
            return document.problem(
                "the name is empty", path, hint="give the connection a clear name"
            )
        case "pattern":
            expected = "`other:` and the exchange's own name, of a-z 0-9 _ . -"
            return document.problem(
                f"{quoted(error.instance)} is not a permission", path, expected=expected
            )
        case _:
            return document.problem("not valid here", path)


def _unknown_field(document: Document, path: Path, known: list[str]) -> Problem:
    name = str(path[-1])
    return document.problem(
        f"unknown field {quoted(name)}",
        path,
        key=True,
        expected=one_of(known),
        hint=did_you_mean(name, known),
    )


def _field(path: Path) -> str:
    """What a single value is called in a message."""
    names = [step for step in path if isinstance(step, str)]
    return {"requires": "permission"}.get(names[-1], names[-1])


def _title(path: Path) -> str:
    """A field, or an item of a list, as the subject of a sentence."""
    match path:
        case (*_, str(name), int()):
            return f'an item of "{shown(name)}"'
        case (*_, str(name)):
            return f'"{shown(name)}"'
        case _:
            return "this"


def _plain(value: object) -> Json:
    """What jsonschema says of itself, typed as what it is: decoded JSON."""
    return value


def _told(name: str, schema: Json) -> str | None:
    """What the schema says of a field that is missing."""
    whole = schemas.load("manifest")
    about = schema.get("properties", {}).get(name) or whole["$defs"].get(name) or {}
    if "$ref" in about:
        about = whole["$defs"][about["$ref"].rpartition("/")[2]]
    examples = about.get("examples", [])
    if examples and isinstance(examples[0], str):
        return f"`{name}: {examples[0]}`, for example"
    if examples and isinstance(examples[0], dict):
        inside = ", ".join(f"{key}: {value}" for key, value in examples[0].items())
        return f"`{name}: {{{inside}}}`, for example"
    return None


def _how_to_write(found: Json, kinds: str | list[str]) -> str | None:
    wants = [kinds] if isinstance(kinds, str) else kinds
    if "array" in wants and isinstance(found, str):
        return "write it as a list: put it in [ ]"
    if "boolean" in wants and isinstance(found, str) and is_ambiguous(found):
        return "write `true` or `false`: this word is a text in YAML 1.2"
    if "string" in wants and isinstance(found, bool | int | float):
        return "put it in quotes"
    return None
