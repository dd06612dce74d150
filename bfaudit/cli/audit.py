"""`bfaudit audit`: validate, scan, evaluate and report in one run."""

from typing import Any

import rich_click as click

from bfaudit.cli import options
from bfaudit.cli.gate_options import gating, selecting

SCANNING = (
    "exchange_urls",
    "connection_test",
    "allow_probes",
    "workers",
    "timeout",
    "deadline",
    "ca_file",
    "quiet",
    "verbose",
)


@click.command("audit")
@options.manifests
@selecting
@options.judging
@gating
@options.reporting
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
    from bfaudit.cli import pipeline  # noqa: PLC0415
    from bfaudit.cli.selecting import load_selected  # noqa: PLC0415

    wanted = pipeline.pairs(given["formats"], given["outputs"])
    chosen = pipeline.chosen(given)
    loaded, unselected = load_selected(manifests, given)
    policies = pipeline.policies(given["policies"])
    excepted = pipeline.exceptions(given["exceptions"], policies)
    terms = gates.terms(given, policies)
    scanned = pipeline.scan_fleet(loaded, **{name: given[name] for name in SCANNING})
    snapshot = terms.remembered(scanned, unselected)
    if given["snapshot_out"]:
        pipeline.write(given["snapshot_out"], snapshots.encode(snapshot))
    audit = terms.mark(pipeline.judge(snapshot, policies, excepted))
    ends_with = terms.code(audit)
    pipeline.report(audit, wanted, pipeline.sources_of(snapshot), ends_with, chosen)
    return ends_with
