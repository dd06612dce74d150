"""YAML -> Connection: every manifest of a run is read, and every mistake in all of them is found in one go."""

from collections.abc import Callable, Collection, Mapping, Sequence

from bfaudit.credentials import SCHEMES
from bfaudit.errors import InvalidInput
from bfaudit.manifest.checks import Known
from bfaudit.manifest.fleet import LoadedManifests, assemble
from bfaudit.manifest.reader import Source, collect, standard_input

__all__ = ["Known", "LoadedManifests", "Source", "assemble", "load"]


def load(
    sources: Sequence[str],
    exchanges: Mapping[str, Collection[str]],
    *,
    unsupported: Mapping[str, str] | None = None,
    keep_going: bool = False,
    stdin: Callable[[], bytes] = standard_input,
) -> LoadedManifests:
    """The connections declared in files, folders, globs and `-`; `exchanges` has the credential roles by exchange id.

    Raises `InvalidInput` with every problem; with `keep_going` returns the valid connections, the problems and what
    was rejected for them.
    """
    texts, problems = collect(sources, stdin)
    loaded = assemble(texts, Known(exchanges, SCHEMES, unsupported or {}), problems)
    if loaded.problems and not keep_going:
        raise InvalidInput(list(loaded.problems))
    return loaded
