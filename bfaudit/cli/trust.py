"""Which configuration may decide what a manifest's author must not: whether `exec:` references run programs."""

import os
from collections.abc import Iterable, Iterator
from glob import has_magic
from pathlib import Path

from bfaudit.cli.settings import Config
from bfaudit.errors import InvalidInput, Problem

NAME = "allow-exec"


def check(config: Config, sources: Iterable[str], *, named: bool) -> None:
    """Raises InvalidInput where a configuration allows `exec:` that whoever writes the manifests may write too.

    It must be named (`--config`, BFAUDIT_CONFIG) and lie outside the repository of every manifest; of one in no
    repository outside its folder, and not in a folder above it, where a found one would be looked for.
    """
    entry = next(
        (one for key, one in config.entries.items() if key[-1] == NAME and one.value), None
    )
    if entry is None or (named and not any(_beside(config.file, one) for one in sources)):
        return
    message = f"`{NAME}` counts only in a configuration that is named and lies outside the manifest's repository"
    hint = (
        f"give --{NAME} on the command line, or keep the file elsewhere and name it with --config"
    )
    raise InvalidInput([Problem(message, place=entry.place, hint=hint)])


def _beside(file: str, source: str) -> bool:
    """Whether a configuration lies in the repository of a manifest; links are followed, and looked at themselves."""
    for manifest in _forms(_folder(source)):
        root = next((one for one in reversed(_upward(manifest)) if (one / ".git").exists()), None)
        for path in _forms(Path(file)):
            if path.is_relative_to(root or manifest):
                return True
            if root is None and manifest.is_relative_to(path.parent):
                return True
    return False


def _forms(path: Path) -> Iterator[Path]:
    yield Path(os.path.abspath(path))  # noqa: PTH100 - `absolute` keeps `..`
    yield path.resolve()


def _upward(folder: Path) -> list[Path]:
    """The outermost repository counts: of a submodule the one that holds it."""
    return [folder, *folder.parents]


def _folder(source: str) -> Path:
    """The folder that a file, a folder, a glob or the standard input stands for."""
    path = Path() if source == "-" else Path(source)
    while has_magic(str(path)) or not path.is_dir():
        if path == path.parent:
            break
        path = path.parent
    return path
