"""`bfaudit baseline`: the known findings of a fleet, written only when asked."""

import sys
from pathlib import Path
from typing import Any

import click

from bfaudit.cli import options
from bfaudit.cli.gate_options import admitted
from bfaudit.cli.output import write

_source = click.argument("source", metavar="SNAPSHOT|REPORT.json")
_judging = options.several(options.policy, options.exceptions, admitted)


@click.group("baseline")
def command() -> None:
    """Keep the known findings of a fleet in a file, so that only new ones fail.

    A finding is known by its rule and its connection: moved lines and renamed files change nothing. One that is worse
    is new: with a permission, an address or a key more than it listed, or a rule whose severity was raised.
    """


@command.command("create")
@_source
@click.option("--output", "-o", required=True, metavar="FILE", help="Where the baseline goes.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@_judging
def create(source: str, output: str, force: bool, **given: Any) -> None:
    """Write every finding of a snapshot, or of a JSON report, as known."""
    from bfaudit import baseline  # noqa: PLC0415
    from bfaudit.errors import UsageError  # noqa: PLC0415

    if Path(output).exists() and not force:
        raise UsageError(
            f"{output} is there already",
            hint="drop what is gone with `bfaudit baseline prune`, or replace it with --force",
        )
    made = baseline.created(_audit(source, given))
    write(output, baseline.encode(made))
    print(f"{_count(len(made.findings))} known from now on: {output}", file=sys.stderr)


@command.command("prune")
@click.argument("file", metavar="BASELINE")
@_source
@_judging
def prune(file: str, source: str, **given: Any) -> None:
    """Drop from BASELINE what a snapshot, or a JSON report, shows to be gone. Nothing is added.

    What it cannot show is kept: results without an answer, and connections that it does not hold because of a selection.
    """
    from bfaudit import baseline  # noqa: PLC0415
    from bfaudit.cli import gating  # noqa: PLC0415
    from bfaudit.cli.problems import visible  # noqa: PLC0415

    before = gating.read_baseline(file)
    left, gone = (pruned := baseline.pruned(before, _audit(source, given))).baseline, pruned.gone
    for known in gone:
        print(visible(f"gone: {known.rule} on {known.connection}"), file=sys.stderr)
    if gone:
        write(file, baseline.encode(left))
    print(f"{len(gone)} gone, {_count(len(left.findings))} still known", file=sys.stderr)


@command.command("show")
@click.argument("file", metavar="BASELINE")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def show(file: str, form: str) -> None:
    """Print the known findings, worst first."""
    from bfaudit import baseline  # noqa: PLC0415
    from bfaudit.cli import gating  # noqa: PLC0415
    from bfaudit.cli.problems import visible  # noqa: PLC0415

    known = gating.read_baseline(file)
    if form == "json":
        sys.stdout.buffer.write(baseline.encode(known))
        return
    for one in known.findings:
        click.echo(
            visible(f"{one.severity}[{one.rule}] {one.connection}, since {one.since:%Y-%m-%d}")
        )
        click.echo(visible(f"  {one.message}"))
    click.echo(f"{_count(len(known.findings))} known")


def _audit(source: str, given: dict[str, Any]) -> Any:
    """The judged snapshot, or the report as it was judged."""
    from bfaudit import sealed  # noqa: PLC0415
    from bfaudit import snapshot as snapshots  # noqa: PLC0415
    from bfaudit.cli import gating, pipeline  # noqa: PLC0415
    from bfaudit.egress import address  # noqa: PLC0415
    from bfaudit.errors import UsageError  # noqa: PLC0415
    from bfaudit.formats import json as reports  # noqa: PLC0415

    data = gating.read(source)
    if sealed.schema_in(data) == reports.SCHEMA:
        if any(map(options.typed, ("policies", "exceptions", "hosts"))):
            raise UsageError(
                f"{source} is a report: it is judged already",
                hint="give the snapshot, or leave --policy, --exceptions and --from out",
            )
        return reports.read(data, source).audit
    seen = snapshots.decode(data, source)
    policies = pipeline.policies(given["policies"])
    excepted = pipeline.exceptions(given["exceptions"], policies)
    return pipeline.judge(seen, policies, excepted, tuple(map(address, given["hosts"])))


def _count(number: int) -> str:
    return f"{number} finding{'' if number == 1 else 's'}"
