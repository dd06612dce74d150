"""`bfaudit check`: judge a snapshot offline."""

import sys
from pathlib import Path
from typing import Any

import rich_click as click

from bfaudit.cli import options


@click.command("check")
@click.argument("snapshot", metavar="SNAPSHOT")
@options.judging
@options.reporting
def command(snapshot: str, **given: Any) -> int:
    """Judge a SNAPSHOT by policy: no secret, no network. `-` is the standard input."""
    from bfaudit import errors  # noqa: PLC0415
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import pipeline  # noqa: PLC0415

    wanted = pipeline.pairs(given["formats"], given["outputs"])
    policies = pipeline.policies(given["policies"])
    try:
        standard = snapshot == "-"
        data = sys.stdin.buffer.read() if standard else Path(snapshot).read_bytes()
    except OSError as error:
        raise errors.UsageError(f"cannot read {snapshot}: {error.strerror}") from None
    seen = snapshots.decode(data, snapshot)
    audit = pipeline.judge(seen, policies)
    ends_with = pipeline.code(
        audit,
        fail_on=given["fail_on"],
        max_unknown=given["max_unknown"],
        exit_zero=given["exit_zero"],
    )
    pipeline.report(audit, wanted, pipeline.sources_of(seen), ends_with)
    return ends_with
