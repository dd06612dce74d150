"""`bfaudit check`: judge a snapshot offline."""

from typing import Any

import click

from bfaudit.cli import options, report_options
from bfaudit.cli.durations import Duration
from bfaudit.cli.gate_options import gating, selecting


@click.command("check")
@click.argument("snapshot", metavar="SNAPSHOT")
@selecting
@options.judging
@gating
@click.option(
    "--max-age",
    type=Duration(),
    envvar="BFAUDIT_MAX_AGE",
    help="End with 4 where any connection was scanned longer ago, such as 24h or 7d.",
)
@report_options.reporting
def command(snapshot: str, **given: Any) -> int:
    """Judge a SNAPSHOT by policy: no secret, no network. `-` is the standard input."""
    from bfaudit.cli import gating as gates  # noqa: PLC0415
    from bfaudit.cli import reporting  # noqa: PLC0415
    from bfaudit.cli.selecting import part_of  # noqa: PLC0415

    seen, digest, previous = gates.read_to_judge(snapshot, given["previous"])
    wanted = reporting.pairs(given["formats"], given["outputs"])
    chosen = {**reporting.chosen(given), "snapshot_digest": digest}
    terms = gates.terms(given, previous)
    part = part_of(seen, given)
    audit = terms.judged(terms.remembered(seen), part)
    gaps = [*(part.gaps if part else ()), *gates.too_old(audit.snapshot, given["max_age"])]
    ends_with = terms.code(audit, gaps)
    reporting.report(
        audit, wanted, reporting.sources_of(audit.snapshot, snapshot), ends_with, chosen
    )
    return ends_with
