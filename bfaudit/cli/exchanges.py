"""`bfaudit exchanges`: what each exchange tells, and what is asked of it."""

import click


@click.group("exchanges")
def command() -> None:
    """Show which exchanges are supported, what each tells, and every request that is sent."""


@command.command("list")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
def list_command(form: str) -> None:
    """List the exchanges and what each tells a key about itself."""
    from bfaudit import support  # noqa: PLC0415
    from bfaudit.exchanges import known  # noqa: PLC0415

    if form == "markdown":
        click.echo(support.markdown(known()), nl=False)
        return
    rows = support.matrix(known())
    if form == "json":
        import msgspec  # noqa: PLC0415

        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "exchange", "support", "permissions", "told beside them"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        told = ", ".join(name for path, name in support.VISIBLE if row.visible[path])
        table.add_row(
            "\n".join((row.id, *row.realms)), row.title, row.support, row.permissions, told or "–"
        )
    Console(markup=False, emoji=False).print(table)


@command.command("show")
@click.argument("exchange")
def show_command(exchange: str) -> None:
    """Show one EXCHANGE: its requests, what it never tells, its rules for keys, how to create a correct one."""
    from difflib import get_close_matches  # noqa: PLC0415

    from bfaudit import errors, support  # noqa: PLC0415
    from bfaudit.exchanges import known  # noqa: PLC0415

    adapter = known().get(exchange.lower())
    if adapter is None:
        near = get_close_matches(exchange.lower(), known(), 1)
        raise errors.UsageError(
            f"unknown exchange {exchange!r}",
            hint=f"did you mean {near[0]}?" if near else "see `bfaudit exchanges list`",
        )
    from rich.console import Console  # noqa: PLC0415
    from rich.markdown import Markdown  # noqa: PLC0415

    Console().print(Markdown("\n".join(support.section(adapter))))
