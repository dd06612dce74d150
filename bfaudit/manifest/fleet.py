"""All manifests of a run -> connections, problems, and what was rejected for them. Pure: texts in, values out."""

from collections.abc import Iterable, Sequence
from itertools import islice

from msgspec import Struct

from bfaudit import documents
from bfaudit.collector import paused
from bfaudit.documents import Document
from bfaudit.documents.limits import MAX_PROBLEMS
from bfaudit.errors import Problem
from bfaudit.literals import shown
from bfaudit.manifest import build, fields, shape
from bfaudit.manifest.checks import Checker, Known
from bfaudit.model import Connection, Json, Place, Rejected


class LoadedManifests(Struct, frozen=True):
    """What the manifests of a run declare."""

    connections: tuple[Connection, ...]
    problems: list[Problem]
    rejected: tuple[Rejected, ...]
    """The connections, or whole files, that problems kept out."""
    files: tuple[str, ...]


class _Checked(Struct, frozen=True):
    """One file, looked at."""

    document: Document
    checker: Checker
    problems: list[Problem]

    @property
    def declared(self) -> Sequence[Json]:
        """The connections as they are written; none where that cannot be told."""
        data = self.document.data
        found = data.get("connections") if isinstance(data, dict) else None
        return found if isinstance(found, list) else ()


def assemble(
    sources: Iterable[tuple[str, str | bytes]], known: Known, problems: Sequence[Problem] = ()
) -> LoadedManifests:
    """Read and check every file; `problems` are those met on the way to them."""
    with paused():
        return _assemble(sources, known, problems)


def _assemble(
    sources: Iterable[tuple[str, str | bytes]], known: Known, problems: Sequence[Problem]
) -> LoadedManifests:
    files = [_check(file, text, known) for file, text in sources]
    _unique_names(files)
    for checked in files:
        _cut(checked)
    found = list(problems)
    rejected = [_rejected(problem.place.file, problem) for problem in problems if problem.place]
    connections: list[Connection] = []
    for checked in files:
        found += checked.problems
        _sort_out(checked, connections, rejected)
    names = tuple(checked.document.file for checked in files)
    return LoadedManifests(tuple(connections), found, tuple(rejected), names)


def _check(file: str, text: str | bytes, known: Known) -> _Checked:
    document, problems = documents.read(text, file)
    checker = Checker(document, known)
    if document.data is not None or not problems:
        wrong_shape = shape.check(document)
        problems += wrong_shape
        if isinstance(document.data, dict) and document.data.get("kind") in ("Manifest", None):
            problems += islice(checker.problems(), MAX_PROBLEMS + 1)
    if problems:
        _conceal(problems, checker.hidden_lines())
    return _Checked(document, checker, problems)


def _cut(checked: _Checked) -> None:
    """Of very many problems the first few, and what stands for the others."""
    checked.problems.sort(key=_position)
    if len(checked.problems) > MAX_PROBLEMS:
        del checked.problems[MAX_PROBLEMS:]
        checked.problems.insert(0, checked.document.too_many())


def _conceal(problems: list[Problem], lines: set[int]) -> None:
    """Drop the source lines that hold a secret."""
    for problem in problems:
        if problem.place and problem.place.line in lines:
            problem.excerpt = ""


def _unique_names(files: Iterable[_Checked]) -> None:
    first: dict[str, tuple[_Checked, int]] = {}
    for checked in files:
        for index, declared in enumerate(checked.declared):
            name = declared.get("name") if isinstance(declared, dict) else None
            if not isinstance(name, str) or not (normal := fields.normal_name(name)):
                continue
            if normal not in first:
                first[normal] = (checked, index)
                continue
            other, at = first[normal]
            place = other.document.place(("connections", at, "name"))
            message = f'"{shown(name)}" is the name of another connection too: {place}'
            path = ("connections", index, "name")
            hint = "names must differ in more than case and spaces"
            checked.problems.append(checked.document.problem(message, path, hint=hint))


def _sort_out(checked: _Checked, connections: list[Connection], rejected: list[Rejected]) -> None:
    """Build what has no problem; reject what has one, or all where it concerns the whole file."""
    whole, by_index, in_servers = _blame(checked)
    if whole and not checked.declared:
        rejected.append(_rejected(checked.document.file, whole))
    for index, declared in enumerate(checked.declared):
        cause = whole or by_index.get(index)
        if cause is None:
            try:
                connections.append(
                    build.connection(checked.document, index, checked.checker.servers)
                )
            except KeyError:
                cause = in_servers
        if cause is not None:
            name = declared.get("name") if isinstance(declared, dict) else None
            title = shown(name) if isinstance(name, str) and name else f"connection {index + 1}"
            place = checked.document.place(("connections", index))
            rejected.append(Rejected(title, place, cause.message))


def _blame(checked: _Checked) -> tuple[Problem | None, dict[int, Problem], Problem | None]:
    """The first problem of the whole file, of each connection, of the servers."""
    whole = in_servers = None
    by_index: dict[int, Problem] = {}
    for problem in checked.problems:
        match checked.document.part_at(problem.place):
            case ("connections", int(index)):
                by_index.setdefault(index, problem)
            case ("servers",):
                in_servers = in_servers or problem
            case _:
                whole = whole or problem
    return whole, by_index, in_servers


def _rejected(name: str, problem: Problem) -> Rejected:
    return Rejected(name, problem.place or Place(name, 1, 1), problem.message)


def _position(problem: Problem) -> tuple[int, int]:
    return (problem.place.line, problem.place.column) if problem.place else (0, 0)
