"""The shape of a policy: jsonschema-rs says whether it is right, `jsonschema` and this module say what is wrong."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import jsonschema_rs

from bfaudit import schemas
from bfaudit.documents import Document
from bfaudit.errors import Problem
from bfaudit.manifest.words import did_you_mean, kind_of, one_of, quoted, wanted
from bfaudit.model import Json

if TYPE_CHECKING:
    from jsonschema import ValidationError

Path = tuple[str | int, ...]


@cache
def validator() -> jsonschema_rs.Draft202012Validator:
    """The fast validator of policies."""
    return jsonschema_rs.Draft202012Validator(schemas.load("policy"))


def check(document: Document) -> list[Problem]:
    """Everything that is not of a policy's shape."""
    data = document.data
    if not isinstance(data, dict):
        hint = "start with `apiVersion: bfaudit/v1`, `kind: Policy`, `id:`, `title:`, `rules:`"
        what = "the file is empty" if data is None else f"this is {kind_of(data)}"
        return [document.problem(f"{what}, not a policy", (), hint=hint)]
    if validator().is_valid(data):
        return []
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, seldom needed

    problems: dict[object, Problem] = {}
    for error in Draft202012Validator(schemas.load("policy")).iter_errors(data):
        for problem in _explain(document, error, tuple(error.absolute_path)):
            problems.setdefault((problem.place, problem.message), problem)
    return list(problems.values())


def _explain(document: Document, error: "ValidationError", path: Path) -> Iterator[Problem]:
    found, limit, schema = (
        _plain(error.instance),
        _plain(error.validator_value),
        _plain(error.schema),
    )
    match error.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            for name in found:
                if name not in known:
                    yield document.problem(
                        f"unknown field {quoted(name)}",
                        (*path, name),
                        key=True,
                        expected=one_of(known),
                        hint=did_you_mean(name, known),
                    )
        case "required":
            for name in limit:
                if name not in found:
                    told = schema.get("properties", {}).get(name, {}).get("description")
                    yield document.problem(f'"{name}" is missing', path, expected=told)
        case "anyOf":
            yield document.problem('"rules" is missing', path)
        case "enum" | "const":
            words = limit if error.validator == "enum" else [limit]
            message = f"{quoted(found)} is not known here"
            hint = did_you_mean(found, words)
            yield document.problem(message, path, expected=one_of(words), hint=hint)
        case "type":
            message = f"this is {kind_of(found)}" if found is not None else "a value is missing"
            yield document.problem(message, path, expected=wanted(limit))
        case _ if "propertyNames" in error.absolute_schema_path:
            yield document.problem(
                f"{quoted(found)} cannot be a name here", (*path, found), key=True
            )
        case "pattern" if path[-1] == "id":
            told = "lower-case words and digits, joined by `-`"
            yield document.problem(f"{quoted(found)} cannot be an id", path, expected=told)
        case "pattern":
            yield document.problem(f"{quoted(found)} is not the address of a page", path)
        case "minLength" | "minItems" | "minProperties":
            yield document.problem("this is empty", path)
        case "maxLength":
            yield document.problem(f"longer than {limit} characters", path)
        case _:
            yield document.problem("not valid here", path)


def _plain(value: object) -> Json:
    """What jsonschema says of itself, typed as what it is: decoded JSON."""
    return value
