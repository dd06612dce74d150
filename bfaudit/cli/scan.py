"""`bfaudit scan`: ask the exchanges, and save what they said without judging it."""

import sys
from typing import Any

import rich_click as click

from bfaudit.cli import options
from bfaudit.cli.audit import SCANNING


@click.command("scan")
@options.manifests
@click.option(
    "--output",
    "-o",
    default="-",
    metavar="FILE",
    envvar="BFAUDIT_SNAPSHOT_OUT",
    help="Where the snapshot goes; `-` is the standard output.",
)
@options.keep_going
@options.scanning
def command(manifests: tuple[str, ...], output: str, **given: Any) -> int:
    """Scan every connection of MANIFEST... and write a snapshot, free of secrets.

    The snapshot can be judged anywhere with `bfaudit check`, without secrets and without a network.
    """
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import pipeline  # noqa: PLC0415

    loaded = pipeline.load_fleet(manifests, keep_going=given["keep_going"])
    snapshot = pipeline.scan_fleet(loaded, **{name: given[name] for name in SCANNING})
    data = snapshots.encode(snapshot)
    if output == "-":
        sys.stdout.buffer.write(data)
    else:
        pipeline.write(output, data)
    return pipeline.scan_code(snapshot)
