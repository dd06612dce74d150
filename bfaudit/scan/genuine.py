"""Whether the client that signs is the genuine one, and whether anything beside it is known to steal.

The list of the client's files (RECORD, https://packaging.python.org/en/latest/specifications/recording-installed-packages/)
is compared with the one of the release that the lock file pins, and the files that this process has imported with that
list. Compiled copies (`.pyc`), and what changes code in memory, are not looked at.
"""

import base64
import csv
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from types import ModuleType

from bfaudit import documents
from bfaudit.model import ClientUsed

CLIENT = "ccxt"
VERSION = "4.5.90"
"""The release that pyproject.toml and the lock file pin."""
FILES = "b7907ea9ecdbceea565d0d5eac6ecc7cbd73f9cdefcf3b73e22cbe80a789d770"
"""SHA-256 over the lines `path,hash` of the Python files of that release, sorted."""
MOST_DIFFERENCES = 20


def client() -> ClientUsed:
    """What is installed and imported here."""
    bad = tuple(sorted(_known_bad(installed(sys.path))))
    try:
        found = distribution(CLIENT)
    except PackageNotFoundError:
        why = f"{CLIENT} was not installed as a package"
        return ClientUsed(name=CLIENT, unknown=why, known_bad=bad)
    name = f"{CLIENT} {found.version}"
    hashes = listed(found)
    if not hashes:
        why = f"the installed {CLIENT} has no list of its files"
        return ClientUsed(name=name, unknown=why, known_bad=bad)
    root = Path(str(found.locate_file("")))
    differences = tuple(_differences(found.version, hashes, root, tuple(sys.modules.items())))
    return ClientUsed(name=name, differs=differences[:MOST_DIFFERENCES], known_bad=bad)


def _differences(
    version: str, hashes: Mapping[str, str], root: Path, modules: Iterable[tuple[str, ModuleType]]
) -> Iterator[str]:
    if version != VERSION:
        yield f"version {version} instead of {VERSION}"
    elif digest(hashes) != FILES:
        yield "the list of its files"
    yield from altered(hashes, root, modules)


def listed(found: Distribution) -> dict[str, str]:
    """The hash of each Python file of the client, as its RECORD says; empty where there is none that can be read."""
    rows = csv.reader((found.read_text("RECORD") or "").splitlines())
    try:
        return {
            path: value.removeprefix("sha256=")
            for path, value, *_ in rows
            if path.startswith(f"{CLIENT}/") and path.endswith(".py")
        }
    except (ValueError, csv.Error):
        return {}


def digest(hashes: Mapping[str, str]) -> str:
    """One hash for a whole list."""
    lines = (f"{path},{value}\n" for path, value in sorted(hashes.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def altered(
    hashes: Mapping[str, str], root: Path, modules: Iterable[tuple[str, ModuleType]]
) -> Iterator[str]:
    """The imported modules of the client whose file is not as listed, by path."""
    for name, module in modules:
        if name.partition(".")[0] != CLIENT:
            continue
        file = getattr(module, "__file__", None)
        if not file:
            continue
        try:
            path = Path(file).relative_to(root).as_posix()
        except ValueError:
            yield f"{name} comes from another place than the installed {CLIENT}"
            continue
        if hashes.get(path) != _hash(file):
            yield path


def _hash(file: str) -> str | None:
    """The hash of a file as RECORD writes it; None where the file cannot be read."""
    try:
        told = Path(file).stat()
        return _hash_of(file, told.st_size, told.st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _hash_of(file: str, _size: int, _modified: int) -> str:
    with Path(file).open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode()


def installed(path: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name and version of each package on a path, by the folders that installers leave: none of them is opened."""
    for folder in path:
        try:
            entries = [entry.name for entry in Path(folder or ".").iterdir()]
        except OSError:
            continue
        for entry in entries:
            stem, dot, suffix = entry.rpartition(".")
            if dot and suffix in ("dist-info", "egg-info"):
                name, _, version = stem.partition("-")
                yield _plain(name), version.partition("-")[0]


def _known_bad(packages: Iterable[tuple[str, str]]) -> Iterator[str]:
    bad = known_bad()
    for name, version in packages:
        if name in bad and (not bad[name] or version in bad[name]):
            yield f"{name} {version}".strip()


@cache
def known_bad() -> Mapping[str, tuple[str, ...]]:
    """The packages that are known to be malicious, and in which versions; empty for all."""
    file = "known_bad.yaml"
    data = documents.parse(files("bfaudit.scan").joinpath(file).read_bytes(), file).data
    return {_plain(one["name"]): tuple(one.get("versions", ())) for one in data["packages"]}


def _plain(name: str) -> str:
    """A name as installers compare it: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()
