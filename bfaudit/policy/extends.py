"""Which policies a run loads: those that are named and those that they extend, the extended ones first. Pure."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bfaudit import documents
from bfaudit.documents import Document
from bfaudit.errors import Problem
from bfaudit.literals import shown
from bfaudit.roots import RefusedFileError
from bfaudit.words import did_you_mean

DEEPEST = 20
"""How long a chain of policies that extend each other may be."""


class Source(NamedTuple):
    """One file that may be a policy."""

    identity: str
    """Tells one file from another, however they are named."""
    file: str
    """Its name for people."""
    text: str | bytes
    listed: bool = False
    """Whether a folder or a glob led to it: a framework that is found so is no mistake."""
    root: Path | None = None
    """The folder that what it extends must lie in; None for what extends no file."""


Find = Callable[[str, Source], Sequence[Source]]
"""What a name stands for in a file: nothing, or the files."""


class Gathered(NamedTuple):
    """One document of a run."""

    identity: str
    document: Document
    problems: list[Problem]
    below: frozenset[str]
    """The identities of all that it extends, directly or not."""


def gather(sources: Iterable[Source], find: Find, known: Sequence[str]) -> list[Gathered]:
    """Every document once, each after those that it extends; `known` are the names to suggest."""
    walk = _Walk(find, known)
    for source in sources:
        walk.visit(source, ())
    return list(walk.done.values())


class _Walk:
    """Visits policies depth first."""

    def __init__(self, find: Find, known: Sequence[str]) -> None:
        self.done: dict[str, Gathered] = {}
        self._find = find
        self._known = known

    def visit(self, source: Source, chain: tuple[str, ...]) -> frozenset[str]:
        """Take in a source and all that it extends; answers with the identities of both."""
        if source.identity in self.done:
            found = self.done[source.identity]
            return found.below | {found.identity}
        document, problems = documents.read(source.text, source.file)
        if source.listed and not problems and _kind(document) == "Framework":
            return frozenset()
        below: set[str] = set()
        for number, name in enumerate([] if problems else _extended(document)):
            path = ("extends", number)
            try:
                targets = self._find(name, source)
            except RefusedFileError as error:
                message = f"`{shown(name)}` is not read: {error.message}"
                problems.append(document.problem(message, path, hint=error.hint))
                continue
            if not targets:
                hint = did_you_mean(name, self._known) or f"built-in policies: {', '.join(self._known)}"  # fmt: skip
                problems.append(document.problem(f"no policy or file `{name}`", path, hint=hint))
            for target in targets:
                if target.identity in (*chain, source.identity):
                    problems.append(document.problem(f"`{name}` extends this policy in turn: a cycle", path))  # fmt: skip
                elif len(chain) >= DEEPEST:
                    problems.append(document.problem(f"more than {DEEPEST} policies that extend each other", path))  # fmt: skip
                else:
                    below |= self.visit(target, (*chain, source.identity))
        self.done[source.identity] = Gathered(source.identity, document, problems, frozenset(below))
        return frozenset(below) | {source.identity}


def _kind(document: Document) -> object:
    return document.data.get("kind") if isinstance(document.data, dict) else None


def _extended(document: Document) -> list[str]:
    """The names that a document extends, as far as they are names; its shape is checked later."""
    names = document.data.get("extends") if isinstance(document.data, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
