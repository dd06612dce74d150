"""`bfaudit audit`: validate, scan, evaluate and report in one run."""

from typing import Any

import rich_click as click

from bfaudit.cli import options

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
@options.judging
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
    from bfaudit.cli import pipeline  # noqa: PLC0415

    wanted = pipeline.pairs(given["formats"], given["outputs"])
    loaded = pipeline.load_fleet(manifests, keep_going=given["keep_going"])
    policies = pipeline.policies(given["policies"])
    snapshot = pipeline.scan_fleet(loaded, **{name: given[name] for name in SCANNING})
    if given["snapshot_out"]:
        pipeline.write(given["snapshot_out"], snapshots.encode(snapshot))
    audit = pipeline.judge(snapshot, policies)
    ends_with = pipeline.code(
        audit,
        fail_on=given["fail_on"],
        max_unknown=given["max_unknown"],
        exit_zero=given["exit_zero"],
    )
    pipeline.report(audit, wanted, pipeline.sources_of(snapshot), ends_with)
    return ends_with
