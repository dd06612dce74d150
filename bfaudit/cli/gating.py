"""What makes a run fail: the files and words of the gate, read before anything is asked, and how the run ends by them."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from stat import S_ISBLK, S_ISCHR
from typing import IO, Any, NamedTuple, TypeVar

from msgspec.structs import replace

from bfaudit import baseline as baselines
from bfaudit import roots
from bfaudit import snapshot as snapshots
from bfaudit.baseline import Baseline
from bfaudit.cli import pipeline
from bfaudit.cli.problems import visible
from bfaudit.cli.selecting import Part
from bfaudit.egress import RULE, address
from bfaudit.errors import BfauditError, IntegrityError, UsageError
from bfaudit.gate import FailOn, exit_code, failures
from bfaudit.model import Audit, Outcome, Snapshot
from bfaudit.sealed import digest_in
from bfaudit.selection import narrowed

T = TypeVar("T")

LARGEST = 4 * 2**30
"""Bytes of a snapshot or report: 500,000 connections."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far ahead of this host's clock a scan may be."""


class Terms(NamedTuple):
    """What the options of judgement and of the gate say."""

    policies: Any
    exceptions: Any
    fail_on: FailOn
    max_unknown: float
    exit_zero: bool
    allow_empty: bool
    hosts: tuple[str, ...]
    baseline: Baseline | None
    previous: Snapshot | None

    def remembered(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with its history."""
        if self.previous is None:
            return snapshot
        from bfaudit.drift.history import remembered  # noqa: PLC0415 - only for who compares

        return remembered(snapshot, self.previous)

    def judged(self, snapshot: Snapshot, part: Part | None = None) -> Audit:
        """The audit of a snapshot, or of a part of it, with the changes, and with what is known marked."""
        audit = pipeline.judge(snapshot, self.policies, self.exceptions, self.hosts)
        if self.previous is not None:
            from bfaudit.drift import compare  # noqa: PLC0415 - only for who compares

            audit = replace(audit, changes=compare(self.previous, snapshot))
        if part is not None:
            audit = narrowed(audit, part.names, part.rejected)
        elif snapshot.unselected:
            # Findings about exceptions of connections that were left out say nothing here.
            names = {scanned.connection.name for scanned in snapshot.connections}
            audit = narrowed(audit, names, snapshot.rejected)
        return baselines.applied(audit, self.baseline) if self.baseline is not None else audit

    def code(self, audit: Audit, gaps: Sequence[str] = ()) -> int:
        """How the run ends; what stderr should say of it is said."""
        for gap in gaps:
            print(f"incomplete: {visible(gap)}", file=sys.stderr)
        if self.baseline is not None:
            print(_known(audit, self.baseline, self.fail_on), file=sys.stderr)
        return exit_code(
            audit,
            fail_on=self.fail_on,
            max_unknown=self.max_unknown,
            exit_zero=self.exit_zero,
            allow_empty=self.allow_empty,
            gaps=len(gaps),
        )


def terms(given: Mapping[str, Any], previous: Snapshot | None) -> Terms:
    """The terms that the options describe. Raises where a file is missing or a rule unknown, before anything is asked."""
    hosts = tuple(map(address, given["hosts"]))
    policies = pipeline.policies(given["policies"])
    rules = [rule.rule.id for policy in policies for rule in policy.rules]
    off = [rule.id for policy in policies for rule in policy.left_out]
    return Terms(
        policies=policies,
        exceptions=pipeline.exceptions(given["exceptions"], policies),
        fail_on=FailOn.of(given["fail_on"], [*rules, *([RULE.id] if hosts else ())], off),
        max_unknown=given["max_unknown"],
        exit_zero=given["exit_zero"],
        allow_empty=given["allow_empty"],
        hosts=hosts,
        baseline=read_baseline(given["baseline"]) if given["baseline"] else None,
        previous=previous,
    )


def read_snapshots(*files: str | None) -> list[Snapshot | None]:
    """The snapshots that arguments name; None for none."""
    return every(*(partial(read_snapshot, file) if file else _none for file in files))


def _none() -> None:
    return None


def every(*reads: Callable[[], T]) -> list[T]:
    """What several reads give. Where more than one fails, a file that was altered is told first."""
    wrong: list[BfauditError] = []
    found: list[T] = []
    for read_one in reads:
        try:
            found.append(read_one())
        except BfauditError as error:
            wrong.append(error)
    if wrong:
        raise next((each for each in wrong if isinstance(each, IntegrityError)), wrong[0])
    return found


def read_to_judge(file: str, previous: str | None) -> tuple[Snapshot, str, Snapshot | None]:
    """A snapshot, the digest that its file has, and an earlier one: reports name the file that is there."""
    reads: tuple[Callable[[], Any], ...] = (
        partial(read_digested, file),
        partial(read_snapshot, previous) if previous else _none,
    )
    (seen, digest), before = every(*reads)
    return seen, digest, before


def read_digested(file: str) -> tuple[Snapshot, str]:
    """A snapshot and its digest."""
    data = read(file)
    return snapshots.decode(data, file), digest_in(data)


def read_snapshot(file: str) -> Snapshot:
    """A snapshot; `-` is the standard input."""
    return snapshots.decode(read(file), file)


def read_baseline(file: str) -> Baseline:
    """A baseline that must be there."""
    return baselines.decode(read(file, "make it with `bfaudit baseline create`"), file)


def read(file: str, hint: str | None = None) -> bytes:
    """The content of a file that an argument names; `-` is the standard input.

    A link may have been made by others: what has no end, or is larger than any snapshot, is refused.
    """
    try:
        if file == "-" or roots.is_stream(file):
            return _all_of(sys.stdin.buffer if file == "-" else Path(file).open("rb"), file)
        with Path(file).open("rb") as source:
            told = os.fstat(source.fileno())
            if S_ISCHR(told.st_mode) or S_ISBLK(told.st_mode):
                raise UsageError(f"cannot read {file}: it is a device")
            return _all_of(source, file) if told.st_size > LARGEST else source.read()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint=hint) from None


def _all_of(source: IO[bytes], file: str) -> bytes:
    read_so_far = bytearray()
    while piece := source.read(1024 * 1024):
        read_so_far += piece
        if len(read_so_far) > LARGEST:
            raise UsageError(f"cannot read {file}: it is larger than {LARGEST // 2**30} GiB")
    return bytes(read_so_far)


def too_old(snapshot: Snapshot, most: timedelta | None) -> list[str]:
    """What is wrong with the age of a snapshot; its oldest connection counts, for a merged one may hold any."""
    if most is None or not snapshot.connections:
        return []
    now = datetime.now(UTC)
    ages = {one.connection.name: now - one.scanned_at for one in snapshot.connections}
    old = [name for name, age in ages.items() if age > most]
    wrong = []
    if old:
        worst = max(old, key=lambda name: ages[name])
        others = f" and {len(old) - 1} more" if len(old) > 1 else ""
        wrong.append(
            f"the snapshot is older than {_span(most)}: {worst}{others}, scanned {_span(ages[worst])} ago"
        )
    if early := from_the_future(snapshot, now):
        wrong.append(early)
    return wrong


def from_the_future(snapshot: Snapshot, now: datetime) -> str | None:
    """Why a snapshot cannot have been made by now, and so must not pass for fresh; None where it can."""
    made = {one.connection.name: one.scanned_at for one in snapshot.connections}
    made["its `generated_at`"] = snapshot.generated_at
    early = [name for name, moment in made.items() if moment > now + CLOCKS_DIFFER]
    return f"the snapshot is from the future: {early[0]}; a clock is wrong" if early else None


def _span(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _known(audit: Audit, baseline: Baseline, fail_on: FailOn) -> str:
    """How a baseline and an audit compare, in one line."""
    findings = [
        one for one in audit.results if one.outcome is Outcome.FAIL and one.exception is None
    ]
    new = [one for one in findings if one.fingerprint not in audit.baselined]
    gone = len(baselines.pruned(baseline, audit).gone)
    failing = len(failures(audit, fail_on))
    told = f"baseline: {len(findings) - len(new)} known, {len(new)} new, {failing} of them failing"
    return f"{told}; {gone} gone: `bfaudit baseline prune` drops them" if gone else told
