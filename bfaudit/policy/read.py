"""Reads policy files: a source is the name of a built-in policy, a file, a folder or a glob."""

from collections.abc import Iterator, Sequence
from glob import has_magic
from importlib.resources.abc import Traversable
from pathlib import Path

from bfaudit import resources, roots
from bfaudit.documents import MAX_SIZE
from bfaudit.errors import UsageError
from bfaudit.policy.extends import Source, gather
from bfaudit.policy.frameworks import Framework
from bfaudit.policy.frameworks import load as load_framework
from bfaudit.policy.load import assemble
from bfaudit.policy.rules import Policy
from bfaudit.words import did_you_mean

_SUFFIXES = (".yaml", ".yml")

FRAMEWORKS = "frameworks"
"""The folder of policies/ that holds no policies but frameworks."""


def read(sources: Sequence[str]) -> tuple[Policy, ...]:
    """The policies of all sources and what they extend, each file once, the extended ones first.

    Raises `UsageError` for a source that is nothing.
    """
    known = list(packs())
    named = [text for source in sources for text in _named(source, known)]
    gathered = gather(named, _extended, known)
    if not gathered and sources:
        raise UsageError(f"no policy in `{sources[0]}`", hint=f"built-in policies: {', '.join(known)}")  # fmt: skip
    return assemble(gathered)


def packs() -> dict[str, Traversable]:
    """The built-in policies by name, those in folders as `folder/name`."""
    return dict(sorted(_packs(resources.policies(), "")))


def frameworks() -> dict[str, Traversable]:
    """The built-in frameworks by name."""
    folder = resources.policies() / FRAMEWORKS
    files = (entry for entry in folder.iterdir() if entry.name.endswith(_SUFFIXES))
    return dict(sorted((entry.name.rpartition(".")[0], entry) for entry in files))


def read_framework(source: str) -> Framework:
    """A built-in framework by its name, or one from a file; raises `UsageError` for neither."""
    known = frameworks()
    if source in known:
        return load_framework(known[source].read_bytes(), f"policies/{FRAMEWORKS}/{source}.yaml")
    path = Path(source)
    if not path.is_file():
        hint = did_you_mean(source, known) or f"built-in frameworks: {', '.join(known)}"
        raise UsageError(f"no framework or file `{source}`", hint=hint)
    return load_framework(_bytes(path), str(path))


def _packs(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if prefix or entry.name != FRAMEWORKS:
                yield from _packs(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIXES):
            yield prefix + entry.name.rpartition(".")[0], entry


def _named(name: str, known: Sequence[str]) -> Iterator[Source]:
    """The files that an argument of the command line stands for."""
    if name in known:
        yield _pack(name)
        return
    found = list(_paths(name))
    if not found:
        hint = did_you_mean(name, known) or f"built-in policies: {', '.join(known)}"
        raise UsageError(f"no policy, file or folder `{name}`", hint=hint)
    listed, root = not Path(name).is_file(), roots.root_of(_base(name))
    for path in found:
        yield Source(str(path.resolve()), str(path), _bytes(path, root), listed, root)


def _extended(name: str, by: Source) -> Sequence[Source]:
    """The file that a policy extends: a built-in one by its name, else a file from the folder of that policy.

    Raises `RefusedFileError` for one that lies out of the root of who extends it, whether or not it is there.
    """
    if name in packs():
        return [_pack(name)]
    if by.root is None:  # a built-in one
        return []
    path = Path(by.file).parent / name
    try:
        text = roots.read(path, by.root, MAX_SIZE)
    except (OSError, ValueError):
        return []
    return [Source(str(path.resolve()), str(path), text, root=by.root)]


def _pack(name: str) -> Source:
    entry = packs()[name]
    identity = str(entry.resolve()) if isinstance(entry, Path) else f"pack:{name}"
    return Source(identity, f"policies/{name}.yaml", entry.read_bytes())


def _paths(source: str) -> Iterator[Path]:
    path, base = Path(source), _base(source)
    try:
        if path.is_dir():
            yield from roots.documents_in(path, _SUFFIXES)
        elif path.exists():
            yield path
        elif has_magic(source):
            yield from roots.found(base, str(path.relative_to(base)))
    except roots.RefusedFileError as error:
        raise UsageError(f"`{source}`: {error.message}", hint=error.hint) from None
    except (
        ValueError,
        NotImplementedError,
        OSError,
    ):  # the first two are pathlib's for patterns that it does not take
        return


def _base(source: str) -> Path:
    """What a user named: a path, or the part of a pattern before its first wildcard."""
    path = Path(source)
    while has_magic(str(path)) and not path.exists():
        path = path.parent
    return path


def _bytes(path: Path, root: Path | None = None) -> bytes:
    try:
        return roots.read(path, root or roots.root_of(path), MAX_SIZE)
    except roots.RefusedFileError as error:
        raise UsageError(f"cannot read `{path}`: {error.message}", hint=error.hint) from None
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from error
