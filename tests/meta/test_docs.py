"""The committed pages are what their commands would write."""

from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from bfaudit import schemas, support
from bfaudit.catalogue import catalogue, pages
from bfaudit.exchanges import known
from bfaudit.policy.listing import shipped, shipped_cases, shipped_frameworks

ROOT = Path(__file__).resolve().parents[2]


def _rules():
    policies = shipped()
    infos = catalogue(policies, known(), shipped_cases())
    return pages.rules_page(policies, infos, shipped_frameworks())


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("rules", _rules),
        ("fields", pages.fields_page),
        ("exchanges", lambda: support.markdown(known())),
    ],
)
def test_a_page_is_up_to_date(name, write):
    """Else run `make docs`."""

    assert (ROOT / "docs" / f"{name}.md").read_text("utf-8") == write()


@pytest.mark.parametrize("kind", ["policy", "framework"])
def test_an_editor_can_use_the_schema(kind):
    """Every field is described, the schema is one, and the packs that name it name a file that is there."""
    schema = schemas.load(kind)
    jsonschema_rs.meta.validate(schema)
    bare = []

    def walk(node, path):
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                if "description" not in field:
                    bare.append(f"{path}.{name}")
            for name, inner in node.items():
                walk(inner, f"{path}.{name}")

    walk(schema, kind)
    files = (ROOT / "policies").glob("frameworks/*.yaml" if kind == "framework" else "*.yaml")
    for path in files:
        first = path.read_text("utf-8").splitlines()[0]
        if "$schema=" in first:
            assert (path.parent / first.partition("$schema=")[2]).resolve().is_file()
        assert jsonschema_rs.validator_for(schema).is_valid(yaml.safe_load(path.read_text("utf-8")))

    assert [] == bare
