"""`bfaudit plan`: what a scan would send, without sending it."""

from typing import Any

import click

from bfaudit.cli import options
from bfaudit.cli.gate_options import selecting
from bfaudit.words import count


@click.command("plan")
@options.manifests
@selecting
@options.keep_going
@click.option("--connection-test", is_flag=True, help="Plan the reads of --connection-test too.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(manifests: tuple[str, ...], connection_test: bool, form: str, **given: Any) -> None:
    """Print every request that a scan of MANIFEST... would send, and how long the limits make it last.

    Nothing is sent and no credential is read. A refused key is asked further reads that narrow the cause.
    """
    import asyncio  # noqa: PLC0415

    from bfaudit import support  # noqa: PLC0415
    from bfaudit.cli.selecting import load_selected  # noqa: PLC0415
    from bfaudit.exchanges import known  # noqa: PLC0415
    from bfaudit.exchanges.rehearsal import rehearse  # noqa: PLC0415

    loaded = load_selected(manifests, given).loaded
    plans = []
    for exchange in dict.fromkeys(one.exchange for one in loaded.connections):
        adapter = known()[exchange]
        here = [one for one in loaded.connections if one.exchange == exchange]
        reads = asyncio.run(rehearse(adapter, wants_uid=connection_test))
        if connection_test:
            reads = [*reads, *adapter.tests["spot"]]
        listers = sum(one.inventory for one in here)
        plans.append(support.plan(adapter, [one.account or one.name for one in here], reads, listers))  # fmt: skip
    if form == "json":
        import msgspec  # noqa: PLC0415

        click.echo(msgspec.json.format(msgspec.json.encode(plans)).decode())
        return
    for made in plans:
        least = (
            f"at least {made.seconds:.0f} s: {made.wall}"
            if made.seconds
            else "within the limits at once"
        )
        click.echo(f"{made.title}: {count(made.connections, 'connection')}, {least}")
        for path, times, weight in (("the public time", 1, 1.0), *made.requests):
            click.echo(f"  {times:>7} x {path}  (weight {weight:g})")
        for path, weight in made.lists:
            click.echo(f"  {'n':>7} x {path}  (weight {weight:g}; inventory)")
    total = sum(1 + sum(count for _, count, _ in made.requests) for made in plans)
    listers = sum(made.listers for made in plans)
    more = (
        f", and what {count(listers, 'inventory', 'inventories')} take{'s' if listers == 1 else ''}: a request for each page of sub-accounts and for the keys of each"
        if listers
        else ""
    )
    click.echo(f"{count(total, 'request')} in all{more}. Nothing was sent.")
