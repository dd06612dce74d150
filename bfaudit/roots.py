"""Reads files that others may have written: regular files within the roots, bounded in bytes.

A folder or a pattern may lead to links, a policy may extend another file by its path, and whoever opens a pull request
writes both. What they lead to must lie within a root: the repository around what the user named, else the folder that
the user named, and the folders of `--root`. Otherwise a message about the file would tell what is in it.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_STREAM = re.compile(r"/dev/(?:stdin|fd/\d+)|/proc/self/fd/\d+")
"""What a shell hands over as a file: `<(command)`."""
MAX_FILES = 10_000
"""Files of one folder or pattern."""
HINT = "what others wrote must not lead to other files; allow the folder with --root"


class RefusedFileError(Exception):
    """A file that is not read; `message` and `hint` say why, and nothing of what is in it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Terms(NamedTuple):
    """What the command line says of files; nothing that a manifest, a policy or a found configuration can say."""

    folders: tuple[Path, ...] = ()
    """More folders that files may be read in: `--root`."""
    strict: bool = False
    """Whether manifests and policies are somebody else's: `--untrusted`."""


_terms = [Terms()]


def terms() -> Terms:
    """What holds in this run."""
    return _terms[0]


def allow(folders: Iterable[str]) -> None:
    """Let files be read in these folders too, and in no others that were allowed before."""
    _terms[0] = terms()._replace(folders=tuple(Path(folder).resolve() for folder in folders))


def confine(strict: bool) -> None:
    """Whether this run is over somebody else's manifests and policies."""
    _terms[0] = terms()._replace(strict=strict)


def may_hold_secrets(path: Path) -> bool:
    """Whether a manifest may refer to a file: anywhere, but of somebody else's manifest in the folders of `--root` only."""
    return not terms().strict or _within(path.resolve(), terms().folders)


def is_stream(path: str) -> bool:
    """Whether a path is a stream of this process: the standard input, or what a shell hands over."""
    return _STREAM.fullmatch(path) is not None


def root_of(named: str | Path) -> Path:
    """The root of what a user named: the repository that it lies in by its name, else its folder.

    Links are not followed on the way up, so that a link within a repository cannot choose another root.
    """
    path = Path(os.path.abspath(named))  # noqa: PTH100 - without following links
    folder = path if path.is_dir() and not path.is_symlink() else path.parent
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            return above.resolve()
    return (path if path.is_dir() else path.parent).resolve()


def lies_within(path: str | Path, root: Path) -> bool:
    """Whether there is a file at a path, within a root."""
    try:
        return _within(_real(Path(path)), (root, *terms().folders)) and Path(path).is_file()
    except (RefusedFileError, OSError, ValueError):
        return False


def read(path: str | Path, root: Path, limit: int) -> bytes:
    """What a file holds, up to one byte more than `limit`; raises `RefusedFileError` and `OSError`."""
    if _STREAM.fullmatch(str(path)):
        with Path(path).open("rb") as stream:
            return stream.read(limit + 1)
    real = _real(Path(path))
    if not _within(real, (root, *terms().folders)):
        raise RefusedFileError(f"it lies outside {_name(root)}", HINT)
    # What was opened is what is judged, and a pipe is not waited for.
    handle = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    with open(handle, "rb") as file:  # noqa: PTH123 - it is open
        told = os.fstat(handle)
        if not stat.S_ISREG(told.st_mode):
            raise RefusedFileError(
                "it is no regular file", "name a file, or `-` for the standard input"
            )
        if told.st_size > limit:
            raise RefusedFileError(f"it is larger than {limit // 2**20} MiB", "split it")
        return file.read(limit + 1)


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _real(path: Path) -> Path:
    """Where a path leads, whether or not there is a file: what is outside is refused either way."""
    try:
        return path.resolve()
    except RuntimeError:  # links in a circle
        raise RefusedFileError("it is a link that leads nowhere") from None


def _name(root: Path) -> str:
    relative = os.path.relpath(root)
    return "the current folder" if relative == "." else f"`{relative}`"


def found(folder: Path, pattern: str) -> list[Path]:
    """The files below a folder that match a pattern, in order."""
    return [path for path in matching(folder, pattern) if path.is_file()]


def documents_in(folder: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """All in a folder that is named like a document, be it a link that leads nowhere: reading says so. None is passed over.

    Raises `RefusedFileError` for a folder that cannot be read.
    """
    for path in (folder, *matching(folder, "**/*")):
        if not path.is_dir():
            if path.suffix.lower() in suffixes:
                yield path
        elif not path.is_symlink() and not os.access(path, os.R_OK | os.X_OK):
            message = "this folder cannot be read" if path == folder else f"its folder {path} cannot be read"  # fmt: skip
            raise RefusedFileError(message, "what lies there is not known")


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files and folders below a folder that match a pattern, in order; `**` does not follow links.

    Hidden ones are left out. Raises `RefusedFileError` for too many.
    """
    some: list[Path] = []
    for path in folder.glob(pattern):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        some.append(path)
        if len(some) > MAX_FILES:
            raise RefusedFileError(f"more than {MAX_FILES:,} files", "name a smaller folder")
    return sorted(some)
