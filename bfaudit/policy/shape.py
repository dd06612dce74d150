"""The shape of a policy."""

from typing import TYPE_CHECKING

import jsonschema_rs

from bfaudit.documents import Document
from bfaudit.documents import shape as shapes
from bfaudit.documents.shape import Shape, Steps
from bfaudit.errors import Problem
from bfaudit.model import Json
from bfaudit.words import quoted

if TYPE_CHECKING:
    from jsonschema import ValidationError


def validator() -> jsonschema_rs.Draft202012Validator:
    """The fast validator of policies."""
    return shapes.validator("policy")


def check(document: Document) -> list[Problem]:
    """Everything that is not of a policy's shape."""
    return shapes.check(document, SHAPE)


def _say(document: Document, error: "ValidationError", path: Steps) -> Problem | None:
    if error.validator == "anyOf" and not path:
        return document.problem('"rules" is missing', path)
    if error.validator == "minProperties" and path[:1] == ("overrides",):
        if "reason" not in _plain(error.instance):  # told as such too; one mistake is one problem
            expected = "Why the rule is changed: every report shows it."
            return document.problem('"reason" is missing', path, expected=expected)
        return document.problem("this changes nothing", path, expected="what the override changes")
    if error.validator != "pattern":
        return None
    if "propertyNames" in list(error.absolute_schema_path):
        at = (*path, str(error.instance))
        return document.problem(f"{quoted(error.instance)} cannot be a name here", at, key=True)
    if path[-1] == "id":
        expected = "lower-case words and digits, joined by `-`"
        return document.problem(
            f"{quoted(error.instance)} cannot be an id", path, expected=expected
        )
    return document.problem(f"{quoted(error.instance)} is not the address of a page", path)


def _plain(value: object) -> Json:
    """What jsonschema says of itself, typed as what it is: decoded JSON."""
    return value


SHAPE = Shape(
    "policy",
    "Policy",
    "start with `apiVersion: bfaudit/v1`, `kind: Policy`, `id:`, `title:`, `rules:`",
    _say,
)
