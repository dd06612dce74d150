"""`bfaudit check`: judge a snapshot offline."""

from typing import Any

import rich_click as click

from bfaudit.cli import options
from bfaudit.cli.gate_options import Duration, gating, selecting


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
@options.reporting
def command(snapshot: str, **given: Any) -> int:
    """Judge a SNAPSHOT by policy: no secret, no network. `-` is the standard input."""
    from bfaudit.cli import gating as gates  # noqa: PLC0415
    from bfaudit.cli import pipeline  # noqa: PLC0415
    from bfaudit.cli.selecting import part_of  # noqa: PLC0415

    wanted = pipeline.pairs(given["formats"], given["outputs"])
    chosen = pipeline.chosen(given)
    policies = pipeline.policies(given["policies"])
    excepted = pipeline.exceptions(given["exceptions"], policies)
    terms = gates.terms(given, policies)
    seen = gates.read_snapshot(snapshot)
    part = part_of(seen, given)
    audit = terms.mark(pipeline.judge(terms.remembered(seen), policies, excepted), part)
    gaps = [*(part.gaps if part else ()), *gates.too_old(audit.snapshot, given["max_age"])]
    ends_with = terms.code(audit, gaps)
    pipeline.report(audit, wanted, pipeline.sources_of(audit.snapshot), ends_with, chosen)
    return ends_with
