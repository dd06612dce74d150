"""`bfaudit audit`: validate, scan, evaluate and report in one run."""

from typing import Any

import click

from bfaudit.cli import options, report_options
from bfaudit.cli.gate_options import gating, selecting
from bfaudit.cli.output import write


@click.command("audit")
@options.manifests
@selecting
@options.judging
@gating
@report_options.reporting
@click.option(
    "--snapshot-out",
    metavar="FILE",
    envvar="BFAUDIT_SNAPSHOT_OUT",
    help="Also save what was scanned, free of secrets, for `bfaudit check`.",
)
@options.keep_going
@options.scanning
def command(manifests: tuple[str, ...], **given: Any) -> int:
    """Scan every connection of MANIFEST... and judge it by policy.

    A manifest is a file, a folder, a glob, or `-` for the standard input. Only reads are sent.
    """
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import gating as gates  # noqa: PLC0415
    from bfaudit.cli import reporting  # noqa: PLC0415
    from bfaudit.cli.selecting import scan_selected  # noqa: PLC0415

    (previous,) = gates.read_snapshots(given["previous"])
    wanted = reporting.pairs(given["formats"], given["outputs"])
    chosen = reporting.chosen(given)
    terms = gates.terms(given, previous)
    snapshot = scan_selected(manifests, given, meanwhile=lambda: reporting.prepare(wanted))
    snapshot = terms.remembered(snapshot)
    if given["snapshot_out"]:
        write(given["snapshot_out"], snapshots.encode(snapshot))
    audit = terms.judged(snapshot)
    ends_with = terms.code(audit)
    reporting.report(audit, wanted, reporting.sources_of(snapshot), ends_with, chosen)
    return ends_with
