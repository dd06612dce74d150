"""Manifests as they were at a git revision, so that a run may be about what has changed since."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from bfaudit import exchanges
from bfaudit.credentials import SCHEMES
from bfaudit.errors import UsageError
from bfaudit.manifest import Known, assemble
from bfaudit.model import Connection

SECONDS = 60


def connections_at(revision: str, files: Sequence[str]) -> tuple[Connection, ...]:
    """What some manifests declared at a revision, as far as it was valid. Raises UsageError where git cannot tell."""
    if revision.startswith("-"):
        raise UsageError(f"--changed-since {revision!r} is no revision")
    texts = []
    for file in files:
        path = Path(file)
        if not path.is_file():
            raise UsageError(
                f"--changed-since: {file} is no file", hint="the standard input has no revisions"
            )
        before = _before(revision, path)
        if before is not None:
            texts.append((file, before))
    known = Known(exchanges.credentials_of(), SCHEMES, exchanges.unsupported())
    return assemble(texts, known).connections


def _before(revision: str, path: Path) -> bytes | None:
    """A file at a revision, under the name that it had; None where it was not there."""
    folder = path.parent
    if _git(folder, "rev-parse", "--git-dir") is None:
        raise UsageError(f"--changed-since: {path} is in no git repository")
    if _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise UsageError(
            f"--changed-since {revision!r} is no revision of the repository of {path}",
            hint="a shallow clone lacks older ones: fetch it, or clone with its history",
        )
    told = _git(folder, "show", "--no-textconv", f"{revision}:./{path.name}")
    if told is None:
        former = _renamed(folder, revision, path.name)
        return (
            None
            if former is None
            else _git(folder, "show", "--no-textconv", f"{revision}:{former}")
        )
    return told


def _renamed(folder: Path, revision: str, name: str) -> str | None:
    """The former path of a file that was renamed since a revision, from the top of the repository."""
    prefix = _git(folder, "rev-parse", "--show-prefix")
    listed = _git(
        folder,
        "diff",
        "--no-ext-diff",
        "--name-status",
        "--find-renames",
        "--diff-filter=R",
        "-z",
        revision,
    )
    if prefix is None or not listed:
        return None
    parts = listed.decode("utf-8", "surrogateescape").split("\0")
    here = prefix.decode("utf-8", "surrogateescape").removesuffix("\n") + name
    triples = zip(parts[0::3], parts[1::3], parts[2::3], strict=False)
    return next((old for _, old, new in triples if new == here), None)


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git says; None where it refuses."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell; a revision is no option
            ["git", *arguments],  # noqa: S607 - the git of the user
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UsageError("--changed-since needs git, and none is installed") from None
    except (OSError, subprocess.TimeoutExpired):
        raise UsageError("--changed-since: git does not answer") from None
    return done.stdout if done.returncode == 0 else None
