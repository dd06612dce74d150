"""The shell of the manifest: paths, folders, globs and standard input -> the bytes of files."""

import sys
from collections.abc import Callable, Sequence
from glob import has_magic
from pathlib import Path
from typing import NamedTuple

from bfaudit import roots
from bfaudit.documents import MAX_SIZE
from bfaudit.errors import Problem
from bfaudit.model import Place

_SUFFIXES = frozenset({".yaml", ".yml"})
MAX_TOTAL = 4 * MAX_SIZE
"""Bytes of all manifests of a run."""


class Source(NamedTuple):
    """One file: its name as the user knows it, and what is in it."""

    file: str
    text: bytes


def standard_input() -> bytes:
    """What is piped in, as far as a document may be long."""
    if sys.stdin is None:
        raise OSError(0, "it is closed")
    return sys.stdin.buffer.read(MAX_SIZE + 1)


def collect(
    sources: Sequence[str], stdin: Callable[[], bytes]
) -> tuple[list[Source], list[Problem]]:
    """The files that paths, folders, globs and `-` stand for, each once; a problem for each that is not there."""
    found: dict[str, Source] = {}
    problems: list[Problem] = []
    left = MAX_TOTAL
    for source in sources:
        if source == "-":
            try:
                found.setdefault("-", Source("<stdin>", stdin()))
            except OSError as error:
                problems.append(_failed("<stdin>", error))
            continue
        try:
            root = roots.root_of(_base(source))
            paths = _files(source)
        except roots.RefusedFileError as error:
            problems.append(_unreadable(source, error.message, error.hint))
            continue
        except OSError as error:  # a name that is too long, a folder above that may not be entered
            problems.append(_failed(source, error))
            continue
        if paths is None:
            hint = "no file matches this pattern" if has_magic(source) else "check the path"
            problems.append(_unreadable(source, "no such file or folder", hint))
        for path in paths or ():
            try:
                identity = str(path.resolve())
                if identity not in found:
                    text = roots.read(path, root, MAX_SIZE)
                    left -= len(text)
                    if left < 0:
                        message = f"all manifests of a run are larger than {MAX_TOTAL // 2**20} MiB"
                        return [], [_unreadable(str(path), message, "audit them in parts")]
                    found[identity] = Source(str(path), text)
            except roots.RefusedFileError as error:
                problems.append(_unreadable(str(path), error.message, error.hint))
            except (OSError, RuntimeError, ValueError) as error:
                problems.append(_failed(str(path), error))
    return list(found.values()), problems


def _files(source: str) -> list[Path] | None:
    """The files of a path, folder or glob in order; None where there is none such."""
    path = Path(source)
    if not source:  # which pathlib takes for the current folder, and is a variable that is not set
        return None
    try:
        if path.is_dir():
            return list(roots.documents_in(path, _SUFFIXES))
        if path.exists() or not has_magic(source):
            return [path] if path.exists() else None
        base = _base(source)
        matches = roots.matching(base, str(path.relative_to(base)))
    except (
        OSError,
        ValueError,
        NotImplementedError,
    ):  # the last two are pathlib's for patterns that it does not take
        return None
    files = [file for match in matches for file in (_files(str(match)) or ())]
    return list(dict.fromkeys(files)) or None


def _base(source: str) -> Path:
    """What a user named: a path, or the part of a pattern before its first wildcard."""
    path = Path(source)
    while has_magic(str(path)) and not path.exists():
        path = path.parent
    return path


def _failed(file: str, error: Exception) -> Problem:
    reason = getattr(error, "strerror", None) or "it cannot be read"
    return _unreadable(file, str(reason).lower(), None)


def _unreadable(file: str, message: str, hint: str | None) -> Problem:
    return Problem(message, place=Place(file, 1, 1), hint=hint)
