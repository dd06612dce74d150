"""Frameworks from their YAML: the controls that rules give evidence for, as their publishers title them. Pure."""

from msgspec import Struct

from bfaudit import documents
from bfaudit.documents import shape as shapes
from bfaudit.documents.shape import Shape
from bfaudit.errors import InvalidInput, Problem

SHAPE = Shape(
    "framework",
    "Framework",
    "start with `apiVersion: bfaudit/v1`, `kind: Framework`, `id:`, `title:`, `controls:`",
)


class Control(Struct, frozen=True):
    """One control of a framework."""

    id: str
    title: str
    """As published."""
    uncovered: str = ""
    """What of it no rule can judge, and why."""
    attestations: tuple[str, ...] = ()
    """What vouches for the part that no rule can judge."""


class Framework(Struct, frozen=True, kw_only=True):
    """One framework, in one version."""

    id: str
    title: str
    version: str
    publisher: str = ""
    analogy: str = ""
    """Why it applies by analogy only; empty where it applies as it is."""
    note: str = ""
    source: str
    controls: tuple[Control, ...]

    @property
    def name(self) -> str:
        """Title and version."""
        return self.title if self.version in self.title else f"{self.title} {self.version}"

    @property
    def titles(self) -> dict[str, str]:
        """The title of each control by its id."""
        return {control.id: control.title for control in self.controls}


def load(text: str | bytes, file: str) -> Framework:
    """The framework that a file holds; raises `InvalidInput` with every mistake in it."""
    document, problems = documents.read(text, file)
    problems = problems or shapes.check(document, SHAPE)
    if not problems:
        problems = list(_twice(document))
    if problems:
        raise InvalidInput(problems)
    data = document.data
    controls = tuple(
        Control(
            id=one["id"],
            title=one["title"],
            uncovered=one.get("uncovered", ""),
            attestations=tuple(one.get("attestations", ())),
        )
        for one in data["controls"]
    )
    more = {name: data.get(name, "") for name in ("publisher", "analogy", "note")}
    return Framework(
        id=data["id"], title=data["title"], version=data["version"], source=data["source"],
        controls=controls, **more,
    )  # fmt: skip


def _twice(document: documents.Document) -> list[Problem]:
    seen: set[str] = set()
    found = []
    for number, one in enumerate(document.data["controls"]):
        if one["id"] in seen:
            path = ("controls", number, "id")
            found.append(document.problem(f"`{one['id']}` is listed twice", path))
        seen.add(one["id"])
    return found
