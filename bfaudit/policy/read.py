"""Reads policy files: a source is the name of a built-in policy, a file, a folder or a glob."""

from collections.abc import Iterator, Sequence
from glob import glob
from importlib.resources.abc import Traversable
from pathlib import Path

from bfaudit import resources
from bfaudit.errors import UsageError
from bfaudit.manifest.words import did_you_mean
from bfaudit.policy.load import load
from bfaudit.policy.rules import Policy

_SUFFIXES = (".yaml", ".yml")


def read(sources: Sequence[str]) -> tuple[Policy, ...]:
    """The policies of all sources, each file once; raises `UsageError` for a source that is nothing."""
    texts: dict[str, tuple[str, str | bytes]] = {}
    for source in sources:
        for identity, file, text in _texts(source):
            texts.setdefault(identity, (file, text))
    return load(texts.values())


def packs() -> dict[str, Traversable]:
    """The built-in policies by name, those in folders as `folder/name`."""
    return dict(sorted(_packs(resources.policies(), "")))


def _packs(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _packs(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIXES):
            yield prefix + entry.name.rpartition(".")[0], entry


def _texts(source: str) -> Iterator[tuple[str, str, bytes]]:
    """Identity, shown name and content of each file of a source."""
    pack = packs().get(source)
    if pack is not None:
        yield f"pack:{source}", f"policies/{source}.yaml", pack.read_bytes()
        return
    found = list(_paths(source))
    if not found:
        hint = did_you_mean(source, list(packs())) or f"built-in policies: {', '.join(packs())}"
        raise UsageError(f"no policy, file or folder `{source}`", hint=hint)
    for path in found:
        yield str(path.resolve()), str(path), _bytes(path)


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
