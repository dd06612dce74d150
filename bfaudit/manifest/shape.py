"""The shape of a manifest. Of an invalid fleet only the connections that are wrong are explained."""

from typing import TYPE_CHECKING

import jsonschema_rs

from bfaudit.documents import Document
from bfaudit.documents import shape as shapes
from bfaudit.documents.limits import MAX_PROBLEMS
from bfaudit.documents.shape import Shape, Steps
from bfaudit.errors import Problem
from bfaudit.model import Json
from bfaudit.words import quoted

if TYPE_CHECKING:
    from jsonschema import ValidationError


_HEAD = {"apiVersion": "bfaudit/v1", "kind": "Manifest"}
_AT_ONCE = 1000


def validator() -> jsonschema_rs.Draft202012Validator:
    """The fast validator of manifests."""
    return shapes.validator("manifest")


def check(document: Document) -> list[Problem]:
    """Everything that is not of a manifest's shape."""
    wrong = shapes.other_kind(document, SHAPE)
    if wrong is not None:
        return [wrong]
    return [] if validator().is_valid(document.data) else _explain_all(document)


def _explain_all(document: Document) -> list[Problem]:
    items = _wrong(document.data.get("connections"))
    part = dict(document.data)
    if isinstance(part.get("connections"), list):
        part["connections"] = [part["connections"][item] for item in items]

    def at(path: Steps) -> Steps:
        index = _connection(path)
        return path if index is None or not items else ("connections", items[index], *path[2:])

    problems = shapes.explain(document, SHAPE, part, at)
    return [*problems, document.too_many()] if len(items) > MAX_PROBLEMS else problems


def _wrong(connections: Json) -> list[int]:
    """The numbers of the connections that are wrong, the first so many: the validator looks for every mistake at once."""
    if not isinstance(connections, list):
        return []
    found: set[int] = set()
    for start in range(0, len(connections), _AT_ONCE):
        some = {**_HEAD, "connections": connections[start : start + _AT_ONCE]}
        if validator().is_valid(some):
            continue
        wrong = shapes.wrong_paths("manifest", some)
        found |= {start + index for path in wrong if (index := _connection(path)) is not None}
        if len(found) > MAX_PROBLEMS:
            break
    return sorted(found)


def _connection(path: Steps) -> int | None:
    """The number of the connection that a path leads into."""
    match path:
        case ("connections", int(index), *_):
            return index
        case _:
            return None


def _say(document: Document, error: "ValidationError", path: Steps) -> Problem | None:
    if error.validator != "pattern" or "propertyNames" in list(error.absolute_schema_path):
        return None
    if path[-1] == "name":
        hint = "give the connection a clear name"
        return document.problem("the name is empty", path, hint=hint)
    expected = "`other:` and the exchange's own name, of a-z 0-9 _ . -"
    return document.problem(
        f"{quoted(error.instance)} is not a permission", path, expected=expected
    )


SHAPE = Shape(
    "manifest",
    "Manifest",
    "start with `apiVersion: bfaudit/v1`, `kind: Manifest`, `connections:`",
    _say,
)
