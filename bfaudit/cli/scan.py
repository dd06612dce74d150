"""`bfaudit scan`: ask the exchanges, and save what they said without judging it."""

import sys
from pathlib import Path
from typing import Any

import rich_click as click
from msgspec.structs import replace

from bfaudit.cli import options
from bfaudit.cli.audit import SCANNING
from bfaudit.cli.gate_options import selecting


@click.command("scan")
@options.manifests
@selecting
@click.option(
    "--output",
    "-o",
    default="-",
    metavar="FILE",
    envvar="BFAUDIT_SNAPSHOT_OUT",
    help="Where the snapshot goes; `-` is the standard output.",
)
@click.option(
    "--journal",
    metavar="FILE",
    envvar="BFAUDIT_JOURNAL",
    help="Keep every finished connection here at once, so that a killed scan can go on.",
)
@click.option("--resume", is_flag=True, help="Go on with the scan of --journal; ask no key twice.")
@options.keep_going
@options.scanning
def command(manifests: tuple[str, ...], output: str, **given: Any) -> int:
    """Scan every connection of MANIFEST... and write a snapshot, free of secrets.

    The snapshot can be judged anywhere with `bfaudit check`, without secrets and without a network.
    """
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import pipeline  # noqa: PLC0415
    from bfaudit.cli.selecting import load_selected  # noqa: PLC0415

    loaded, unselected = load_selected(manifests, given)
    journal = given["journal"]
    snapshot = pipeline.scan_fleet(
        loaded,
        **{name: given[name] for name in SCANNING},
        journal=journal,
        resume=given["resume"],
    )
    snapshot = replace(snapshot, unselected=unselected)
    data = snapshots.encode(snapshot)
    if output == "-":
        sys.stdout.buffer.write(data)
    else:
        pipeline.write(output, data)
    if journal and not snapshot.interrupted:
        Path(journal).unlink(missing_ok=True)
    code = pipeline.scan_code(snapshot)
    return 0 if code == 3 and given["allow_empty"] else code
