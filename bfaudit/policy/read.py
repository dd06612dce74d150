"""Reads policy files: a source is the name of a built-in policy, a file, a folder or a glob."""

from collections.abc import Iterator, Sequence
from glob import glob
from importlib.resources.abc import Traversable
from pathlib import Path

from bfaudit import resources
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
    listed = not Path(name).is_file()
    for path in found:
        yield Source(str(path.resolve()), str(path), _bytes(path), listed)


def _extended(name: str, file: str) -> Sequence[Source]:
    """The file that a policy extends: a built-in one by its name, else a file from the folder of that policy."""
    if name in packs():
        return [_pack(name)]
    path = Path(file).parent / name
    return [Source(str(path.resolve()), str(path), _bytes(path))] if path.is_file() else []


def _pack(name: str) -> Source:
    entry = packs()[name]
    identity = str(entry.resolve()) if isinstance(entry, Path) else f"pack:{name}"
    return Source(identity, f"policies/{name}.yaml", entry.read_bytes())


def _paths(source: str) -> Iterator[Path]:
    path = Path(source)
    if path.is_dir():
        yield from sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
    elif path.is_file():
        yield path
    else:
        found = glob(source, recursive=True)  # noqa: PTH207 - takes absolute patterns too
        yield from sorted(p for p in map(Path, found) if p.is_file())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from error
