"""`bfaudit report`: write what was scanned or judged once more, in other formats."""

from typing import Any

import click

from bfaudit.cli import options, report_options


@click.command("report")
@click.argument("source", metavar="SNAPSHOT|REPORT.json")
@options.judging
@report_options.reporting
def command(source: str, **given: Any) -> int:
    """Write a snapshot, or a JSON report, in other formats: no scan, no secret, no network. `-` is the standard input.

    A report keeps its verdicts and its dates; a snapshot is judged by --policy, now. The exit code is that of an audit.
    """
    from bfaudit import sealed  # noqa: PLC0415
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import gating, pipeline, reporting  # noqa: PLC0415
    from bfaudit.formats import json as reports  # noqa: PLC0415

    data = gating.read(source)
    judged = sealed.schema_in(data) == reports.SCHEMA
    seen: Any = reports.read(data, source) if judged else snapshots.decode(data, source)
    wanted = reporting.pairs(given["formats"], given["outputs"])
    chosen = reporting.chosen(given)
    if judged:
        _refuse(source)
        audit, chosen["snapshot_digest"] = seen
    else:
        policies = pipeline.policies(given["policies"])
        excepted = pipeline.exceptions(given["exceptions"], policies)
        audit = pipeline.judge(seen, policies, excepted)
    ends_with = pipeline.code(
        audit,
        fail_on=given["fail_on"],
        max_unknown=given["max_unknown"],
        exit_zero=given["exit_zero"],
    )
    reporting.report(audit, wanted, reporting.sources_of(audit.snapshot, source), ends_with, chosen)
    return ends_with


def _refuse(source: str) -> None:
    from bfaudit.errors import UsageError  # noqa: PLC0415

    for option, name in (("--policy", "policies"), ("--exceptions", "exceptions")):
        if options.typed(name):
            raise UsageError(
                f"{source} is a report: it is judged already, so {option} has nothing to do",
                hint=f"give the snapshot that `bfaudit scan` wrote, or leave {option} out",
            )
