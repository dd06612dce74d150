"""The shell of the manifest: paths, folders, globs and standard input -> the bytes of files."""

import sys
from collections.abc import Callable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import NamedTuple

from bfaudit.documents import MAX_SIZE
from bfaudit.errors import Problem
from bfaudit.model import Place

_SUFFIXES = frozenset({".yaml", ".yml"})


class Source(NamedTuple):
    """One file: its name as the user knows it, and what is in it."""

    file: str
    text: bytes


def standard_input() -> bytes:
    """What is piped in, as far as a document may be long."""
    return sys.stdin.buffer.read(MAX_SIZE + 1)


def collect(
    sources: Sequence[str], stdin: Callable[[], bytes]
) -> tuple[list[Source], list[Problem]]:
    """The files that paths, folders, globs and `-` stand for, each once; a problem for each that is not there."""
    found: dict[str, Source] = {}
    problems: list[Problem] = []
    for source in sources:
        if source == "-":
            found.setdefault("-", Source("<stdin>", stdin()))
            continue
        paths = _files(source)
        if paths is None:
            hint = "no file matches this pattern" if has_magic(source) else "check the path"
            problems.append(_unreadable(source, "no such file or folder", hint))
        for path in paths or ():
            try:
                identity = str(path.resolve())
                if identity not in found:
                    found[identity] = Source(str(path), _read(path))
            except (OSError, RuntimeError) as error:
                reason = getattr(error, "strerror", None) or "it cannot be read"
                problems.append(_unreadable(str(path), str(reason).lower(), None))
    return list(found.values()), problems


def _files(source: str) -> list[Path] | None:
    """The files of a path, folder or glob in order; None where there is none such."""
    path = Path(source)
    try:
        if path.is_dir():
            return sorted(_yaml_in(path))
        if path.exists() or not has_magic(source):
            return [path] if path.exists() else None
        matches = sorted(Path(name) for name in glob(source, recursive=True))  # noqa: PTH207 - absolute patterns too
    except (OSError, ValueError):
        return None
    files = [file for match in matches for file in (_files(str(match)) or ())]
    return files or None


def _yaml_in(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in _SUFFIXES and not hidden and path.is_file():
            yield path


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_SIZE + 1)


def _unreadable(file: str, message: str, hint: str | None) -> Problem:
    return Problem(message, place=Place(file, 1, 1), hint=hint)
