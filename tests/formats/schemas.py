"""The official schemas, which lie beside the checkout: missing, a visible skip, and in CI a failure once the folder is there."""

import json
import os
from functools import cache

import jsonschema_rs
import pytest

from tests.cli.harness import ROOT

FOLDER = ROOT.parent / "shared" / "schemas"


def official(name):
    """The path of an official schema."""
    path = FOLDER / name
    if not path.exists():
        text = f"the official schema {name} is not at {FOLDER}"
        (pytest.fail if os.environ.get("CI") and FOLDER.is_dir() else pytest.skip)(text)
    return path


@cache
def _validator(path, kind):
    # Its regular expressions know `\p{L}`, which those of Python do not.
    return kind(json.loads(path.read_text("utf-8")))


def mistakes(name, kind, document):
    """What an official JSON Schema finds wrong with a document."""
    validator = _validator(official(name), getattr(jsonschema_rs, kind))
    return [
        f"{error.instance_path}: {error.message}"[:300] for error in validator.iter_errors(document)
    ]
