"""What templates are given, as a JSON Schema made from the types: the documentation cannot fall behind the code."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from bfaudit.formats import html, markdown
from bfaudit.model import Json

CONTEXTS = {"audit.html.j2": html.Context, "audit.md.j2": markdown.Context}
"""The types of what each template is given; its partials are given the same."""

_SCALARS: Mapping[Any, Mapping[str, str]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}


def schema() -> Json:
    """The schema: per template the names that it may use, and the types behind them."""
    definitions: dict[str, Json] = {}
    properties = {name: _of(kind, definitions) for name, kind in CONTEXTS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:bfaudit:template-context:1",
        "title": "bfaudit template context",
        "description": "What each template is given. Objects are read by attribute, as in `view.verdict.headline`.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """The fields and properties of a type, with their types."""
    hints = get_type_hints(kind)
    if is_dataclass(kind):
        names = [field.name for field in fields(kind)]
    elif issubclass(kind, Struct):
        names = list(kind.__struct_fields__)
    else:
        names = list(getattr(kind, "_fields", ()))
    yield from ((name, hints[name]) for name in names)
    for name, found in vars(kind).items():
        if isinstance(found, property) and found.fget is not None and not name.startswith("_"):
            yield name, get_type_hints(found.fget)["return"]


def structured(kind: Any) -> bool:
    """Whether a type is one of ours, with members."""
    return isinstance(kind, type) and (
        is_dataclass(kind) or issubclass(kind, Struct) or hasattr(kind, "_fields")
    )


def _of(kind: Any, definitions: dict[str, Json]) -> Json:
    if kind in _SCALARS:
        return dict(_SCALARS[kind])
    if structured(kind):
        name = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
        if name not in definitions:
            definitions[name] = {}  # a type may hold itself
            definitions[name] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    if isinstance(kind, type) and issubclass(kind, str):
        return {"type": "string"}
    inner = [each for each in get_args(kind) if each is not Ellipsis]
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return {
            "anyOf": [
                {"type": "null"} if each is NoneType else _of(each, definitions) for each in inner
            ]
        }
    if origin is tuple and len(set(map(str, inner))) > 1:
        return {
            "type": "array",
            "prefixItems": [_of(each, definitions) for each in inner],
            "items": False,
        }
    if origin in (tuple, list):
        return {"type": "array", "items": _of(inner[0], definitions)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1], definitions)}
    return {}


def _object(kind: type, definitions: dict[str, Json]) -> Json:
    told = _docs(kind)
    properties = {}
    for name, type_ in members(kind):
        says = told.get(name)
        properties[name] = _of(type_, definitions) | ({"description": says} if says else {})
    return {
        "type": "object",
        "description": inspect.getdoc(kind) or "",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _docs(kind: type) -> dict[str, str]:
    """The docstrings of the members of a type."""
    body = _classes(inspect.getmodule(kind)).get(kind.__name__, [])
    found = {}
    for one, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(one, ast.FunctionDef):
            found[one.name] = ast.get_docstring(one) or ""
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[one.target.id] = inspect.cleandoc(text.value)
    return found


@cache
def _classes(module: Any) -> dict[str, list[ast.stmt]]:
    tree = ast.parse(inspect.getsource(module))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
