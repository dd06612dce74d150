"""`bfaudit merge`: the snapshots of several hosts as one."""

import sys
from datetime import UTC, datetime

import click

from bfaudit.cli.output import write


@click.command("merge")
@click.argument("files", nargs=-1, required=True, metavar="SNAPSHOT...")
@click.option(
    "--output",
    "-o",
    default="-",
    metavar="FILE",
    help="Where the merged snapshot goes; `-` is the standard output.",
)
@click.option(
    "--keep-going",
    is_flag=True,
    envvar="BFAUDIT_KEEP_GOING",
    help="Let the newest win where snapshots contradict each other.",
)
def command(files: tuple[str, ...], output: str, keep_going: bool) -> int:
    """Join snapshots, of several hosts or times, into one: one entry per connection, the newest wins.

    Where one name stands for different keys or exchanges nothing is written, unless --keep-going. Scan with the same
    BFAUDIT_FINGERPRINT_KEY on every host: else one key in two snapshots is not recognised, which is a conflict too.
    A snapshot from the future is refused.
    """
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import gating, pipeline  # noqa: PLC0415
    from bfaudit.cli.problems import visible  # noqa: PLC0415
    from bfaudit.errors import UsageError  # noqa: PLC0415
    from bfaudit.merge import Named, merge  # noqa: PLC0415

    read = zip(files, gating.read_snapshots(*files), strict=True)
    parts = [Named(file, each) for file, each in read if each is not None]
    for file, each in parts:
        if early := gating.from_the_future(each, datetime.now(UTC)):
            raise UsageError(
                f"{file}: {early}",
                hint="set the clock of the host that made it, and scan there again: it would win over every other",
            )
    merged = merge(parts)
    for conflict in merged.conflicts:
        print(f"conflict: {visible(conflict)}", file=sys.stderr)
    if merged.conflicts and not keep_going:
        raise UsageError(
            "the snapshots contradict each other: see above",
            hint="rename one of two, scan again where a key was replaced or fingerprints are incomparable, or let the newest win: --keep-going",
        )
    data = snapshots.encode(merged.snapshot)
    write(output, data)
    return pipeline.scan_code(
        merged.snapshot, {(one.status, one.reason) for one in merged.snapshot.connections}
    )
