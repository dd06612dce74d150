"""The schema of manifests: complete for editors, and the same to both validators."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bfaudit import schemas
from bfaudit.documents import parse
from bfaudit.manifest import shape
from bfaudit.model import PERMISSIONS, Connection
from tests.manifest.fleets import connection, manifest
from tests.manifest.test_manifest import MISTAKES, TOPS

SCHEMA = schemas.load("manifest")
EXPLAINING = Draft202012Validator(SCHEMA)


def _properties(node, path=()):
    """Every property of the schema with its path, references followed."""
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            if path[:1] in (("if",), ("else",)):
                continue
            target = SCHEMA["$defs"][value["$ref"].split("/")[-1]] if "$ref" in value else value
            yield (*path, name), target
        for name, value in node.items():
            yield from _properties(value, (*path, name))


def test_it_is_a_schema() -> None:
    """It is valid by its own draft."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("path", "about"), list(_properties(SCHEMA)))
def test_every_property_says_what_it_is(path, about) -> None:
    """Editors show a title, a description that is a sentence, and examples."""
    assert about["title"]
    assert about["description"].endswith(".")
    assert about["examples"]


@pytest.mark.parametrize(("path", "about"), list(_properties(SCHEMA)))
def test_every_example_is_valid(path, about) -> None:
    """What editors offer is accepted."""
    validator = Draft202012Validator({**about, "$defs": SCHEMA["$defs"]})

    assert [] == [
        error.message for example in about["examples"] for error in validator.iter_errors(example)
    ]


def test_every_object_is_closed() -> None:
    """A misspelt field is never let through."""
    objects = [
        node
        for node in [SCHEMA, SCHEMA["properties"]["defaults"], *SCHEMA["$defs"].values()]
        if node.get("type") == "object"
    ]

    assert len(objects) >= 6
    assert all("additionalProperties" in node for node in objects)


def test_it_declares_what_a_connection_has() -> None:
    """Schema and model have the same fields."""
    declared = set(SCHEMA["$defs"]["connection"]["properties"])
    identity = {"name", "credentials", "label", "uid"}

    assert set(Connection.__struct_fields__) - {"place", "places"} <= declared
    assert declared - identity == set(SCHEMA["properties"]["defaults"]["properties"])
    assert list(PERMISSIONS) == SCHEMA["$defs"]["requires"]["items"]["else"]["enum"]


CORPUS = [
    manifest(),
    manifest(connection()),
    *(manifest(case[0]) for case in MISTAKES),
    *(manifest(connection(), top=case[0]) for case in TOPS),
    *("{}", "[]", "5", "null", "true", "connections: {}", "connections: 5", "kind: 1"),
]


def _readable(text):
    from bfaudit.documents import read

    document, problems = read(text, "f")
    return None if problems else document.data


@pytest.mark.parametrize("text", CORPUS)
def test_both_validators_agree(text) -> None:
    """The gate and the explanations judge alike, and name the same places."""
    data = _readable(text)
    if "other:x\\n" in text:
        pytest.skip("`$` before a line end is the one known difference; the gate decides")

    ours = {tuple(error.instance_path) for error in shape.validator().iter_errors(data)}
    theirs = {tuple(error.absolute_path) for error in EXPLAINING.iter_errors(data)}
    assert shape.validator().is_valid(data) == EXPLAINING.is_valid(data)
    assert ours == theirs


_WORDS = st.sampled_from(["name", "exchange", "read", "other:x", "", "env:A", "Manifest", "a b"])
_VALUES = st.recursive(
    _WORDS | st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-9, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)
_FIELDS = sorted(SCHEMA["$defs"]["connection"]["properties"])


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=6), _VALUES, _VALUES)
def test_both_validators_agree_on_anything(fields, defaults, servers) -> None:
    """Whatever a field holds, both say the same of it, and it can be explained."""
    data = copy.deepcopy(parse(manifest(connection()), "f").data)
    data["connections"][0].update(fields)
    data.update(defaults=defaults, servers=servers)

    assert shape.validator().is_valid(data) == EXPLAINING.is_valid(data)
    import json

    document = parse(json.dumps(data), "f")
    if document.data == data:
        assert bool(shape.check(document)) != EXPLAINING.is_valid(data)
