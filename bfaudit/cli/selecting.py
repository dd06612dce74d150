"""What a command is about: the connections that its options select."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from bfaudit import roots
from bfaudit.cli import pipeline
from bfaudit.cli.stopping import Stop
from bfaudit.errors import NothingToAudit, UsageError
from bfaudit.manifest import LoadedManifests
from bfaudit.model import Connection, Place, Rejected, Snapshot
from bfaudit.selection import Selection, changed, selected

_FIELDS = ("only", "strategy", "exchange", "environment")


class Fleet(NamedTuple):
    """The connections that a command is about."""

    loaded: LoadedManifests
    rest: tuple[Connection, ...] = ()
    """Those that a selection left out."""


class Part(NamedTuple):
    """The connections of a snapshot that a command is about."""

    names: frozenset[str]
    rejected: tuple[Rejected, ...]
    gaps: tuple[str, ...] = ()
    """What the snapshot should hold, and does not."""


def load_selected(manifests: Sequence[str], given: Mapping[str, Any]) -> Fleet:
    """The selected connections of some manifests. Raises NothingToAudit for none, unless that is allowed."""
    try:
        loaded = pipeline.load_fleet(manifests, keep_going=given["keep_going"])
        selection = _selection(given, loaded.connections, loaded.files)
        if not selection:
            return Fleet(loaded)
        kept = selected(selection, loaded.connections, loaded.rejected)
        rejected = tuple(filter(selection.may_have, loaded.rejected))
    except NothingToAudit as error:
        if not given["allow_empty"]:
            raise
        print(f"nothing to audit: {error.message}", file=sys.stderr)
        return Fleet(LoadedManifests((), [], (), ()))
    names = {one.name for one in kept}
    rest = tuple(one for one in loaded.connections if one.name not in names)
    return Fleet(replace(loaded, connections=kept, rejected=rejected), rest)


def scan_selected(
    manifests: Sequence[str], given: Mapping[str, Any], stop: Stop | None = None, **more: Any
) -> Snapshot:
    """The selected connections of some manifests, scanned as the options say."""
    loaded, rest = load_selected(manifests, given)
    options = {name: given[name] for name in pipeline.SCANNING}
    return pipeline.scan_fleet(loaded, rest=rest, stop=stop, **options, **more)


def part_of(snapshot: Snapshot, given: Mapping[str, Any]) -> Part | None:
    """The selected connections of a snapshot; None for all. Raises NothingToAudit for none, unless that is allowed."""
    declared = [scanned.connection for scanned in snapshot.connections]
    now = _working_tree(declared, given["changed_since"])
    selection = _selection(given, now, sorted({one.place.file for one in now}))
    if not selection:
        return None
    gaps = _gaps(selection, declared, now)
    try:
        kept = selected(selection, declared, snapshot.rejected)
    except NothingToAudit as error:
        if not gaps and not given["allow_empty"]:
            raise
        print(f"nothing to audit: {error.message}", file=sys.stderr)
        kept = ()
    rejected = tuple(filter(selection.may_have, snapshot.rejected))
    return Part(frozenset(one.name for one in kept), rejected, gaps)


def _selection(
    given: Mapping[str, Any], connections: Sequence[Connection], files: Sequence[str]
) -> Selection:
    since = given["changed_since"]
    names = None
    if since:
        from bfaudit.cli.revision import connections_at  # noqa: PLC0415

        names = changed(connections_at(since, files), connections)
    return Selection(**{name: tuple(given[name]) for name in _FIELDS}, changed=names)


def _working_tree(declared: Sequence[Connection], since: str | None) -> tuple[Connection, ...]:
    """The connections as the manifests that a snapshot names declare them now; none where that is not asked."""
    if not since:
        return ()
    files = sorted({one.place.file for one in declared})
    # Whoever made the snapshot named the files: none but those around the current folder.
    here = [file for file in files if roots.lies_within(file, roots.root_of(Path.cwd()))]
    if files and not here:
        raise UsageError(
            f"--changed-since {since}: {files[0]}, which the snapshot names, is not here",
            hint="run it in the folder that the scan was run in",
        )
    return pipeline.load_fleet(here, keep_going=False).connections


def _gaps(
    selection: Selection, declared: Sequence[Connection], now: Sequence[Connection]
) -> tuple[str, ...]:
    """The changed connections that the snapshot does not show as they are declared now."""
    scanned = {one.name: _offline(one) for one in declared}
    gaps = []
    for one in now:
        if not selection.has(one):
            continue
        if one.name not in scanned:
            gaps.append(f"{one.name} has changed, and the snapshot does not hold it")
        elif scanned[one.name] != _offline(one):
            gaps.append(f"{one.name} has changed since it was scanned")
    return tuple(gaps)


def _offline(connection: Connection) -> Connection:
    """What a snapshot keeps of a declaration."""
    return replace(connection, credentials={}, place=Place("", 1, 1), places={})
