"""What policies change of the rules of others. A policy that extends another has the last word over it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bfaudit.documents import Document, Path
from bfaudit.policy.extends import Gathered
from bfaudit.policy.rules import shown


class Change(NamedTuple):
    """One override: one rule, as one policy wants it."""

    source: Gathered
    path: Path
    data: Mapping[str, Any]

    @property
    def document(self) -> Document:
        """Where it is written."""
        return self.source.document

    @property
    def why(self) -> str:
        """Who changes it and why, for people."""
        return f"{self.document.data['id']}: {' '.join(self.data['reason'].split())}"


class Changed(NamedTuple):
    """A value of a rule that an override gives."""

    value: Any
    document: Document
    path: Path
    why: str


def changes_of(source: Gathered) -> Mapping[str, Change]:
    """The overrides of one policy, by rule."""
    return {
        name: Change(source, ("overrides", name), data)
        for name, data in source.document.data.get("overrides", {}).items()
    }


def contradicts(before: Sequence[Change], change: Change) -> Change | None:
    """An earlier override of the same rule by a policy that this one does not extend."""
    return next((one for one in before if one.source.identity not in change.source.below), None)


def settle(changes: Sequence[Change], name: str) -> Changed | None:
    """The last word on one field of a rule."""
    for change in reversed(changes):
        if name in change.data:
            return Changed(change.data[name], change.document, (*change.path, name), change.why)
    return None


def settle_param(changes: Sequence[Change], name: str) -> Changed | None:
    """The last word on one parameter of a rule."""
    for change in reversed(changes):
        if name in change.data.get("params", {}):
            value, path = change.data["params"][name], (*change.path, "params", name)
            return Changed(value, change.document, path, change.why)
    return None


def told(before: Any, why: str) -> str:
    """What a report says of a value that an override replaced."""
    return f"was {shown(before)}; {why}"
