"""`bfaudit report`: write what was scanned or judged once more, in other formats."""

import sys
from pathlib import Path
from typing import Any

import rich_click as click

from bfaudit.cli import options


@click.command("report")
@click.argument("source", metavar="SNAPSHOT|REPORT.json")
@options.judging
@options.reporting
def command(source: str, **given: Any) -> int:
    """Write a snapshot, or a JSON report, in other formats: no scan, no secret, no network. `-` is the standard input.

    A report keeps its verdicts and its dates; a snapshot is judged by --policy, now. The exit code is that of an audit.
    """
    from bfaudit import errors, sealed  # noqa: PLC0415
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import pipeline  # noqa: PLC0415
    from bfaudit.formats import json as reports  # noqa: PLC0415

    wanted = pipeline.pairs(given["formats"], given["outputs"])
    chosen = pipeline.chosen(given)
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise errors.UsageError(f"cannot read {source}: {error.strerror}") from None
    if sealed.schema_in(data) == reports.SCHEMA:
        if given["policies"]:
            raise errors.UsageError(
                f"{source} is a report: it is judged already, so --policy has nothing to do",
                hint="give the snapshot that `bfaudit scan` wrote, or leave --policy out",
            )
        if given["exceptions"]:
            raise errors.UsageError(
                f"{source} is a report: it is judged already, so --exceptions has nothing to do",
                hint="give the snapshot that `bfaudit scan` wrote, or leave --exceptions out",
            )
        audit, chosen["snapshot_digest"] = reports.read(data, source)
    else:
        policies = pipeline.policies(given["policies"])
        excepted = pipeline.exceptions(given["exceptions"], policies)
        audit = pipeline.judge(snapshots.decode(data, source), policies, excepted)
    ends_with = pipeline.code(
        audit,
        fail_on=given["fail_on"],
        max_unknown=given["max_unknown"],
        exit_zero=given["exit_zero"],
    )
    pipeline.report(audit, wanted, pipeline.sources_of(audit.snapshot), ends_with, chosen)
    return ends_with
