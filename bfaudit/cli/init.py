"""`bfaudit init`: the files that a team starts with."""

from pathlib import Path

import click

from bfaudit.cli import asking, scaffold
from bfaudit.cli.output import write
from bfaudit.errors import UsageError


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--exchange", "names", multiple=True, metavar="ID", help="Exchange where you have a key; repeatable.")  # fmt: skip
@click.option("--strategy", "strategies", multiple=True, metavar="NAME", help="Strategy or bot, one key for each; repeatable.")  # fmt: skip
@click.option("--server", "servers", multiple=True, metavar="NAME=IP", help="Where the bots run, by public address; repeatable.")  # fmt: skip
@click.option("--owner", metavar="NAME", help="Who answers for the keys.")
@click.option("--ci", type=click.Choice(["github", "gitlab", "none"]), help="Continuous integration to write a file for. [default: by the remote's name]")  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing; for scripts.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(
    folder: Path,
    names: tuple[str, ...],
    strategies: tuple[str, ...],
    servers: tuple[str, ...],
    owner: str | None,
    ci: str | None,
    *,
    yes: bool,
    force: bool,
) -> None:
    """Write a manifest, a policy, exceptions, a configuration and a CI file to FOLDER. No secret is asked for.

    One connection is declared for each strategy at each exchange. Nothing is overwritten without --force.
    """
    chosen = [asking.exchange(name) for name in names]
    named = [asking.plain(name) for name in strategies]
    if asking.interactive(yes=yes):
        chosen, named = _ask(chosen, named)
        if not servers:
            answer = click.prompt("Public address of the host the bots run on (empty: later)", default="", show_default=False, err=True)  # fmt: skip
            servers = (f"server-1={answer.strip()}",) if answer.strip() else ()
        ci = ci or click.prompt("CI file", type=click.Choice(["github", "gitlab", "none"]), default=scaffold.forge(folder), err=True)  # fmt: skip
    if not chosen or not named:
        raise UsageError("--yes needs --exchange and --strategy")
    plan = scaffold.Plan(
        exchanges=tuple(dict.fromkeys(chosen)),
        strategies=tuple(dict.fromkeys(named)),
        servers=asking.addresses(servers),
        owner=asking.plain(owner) if owner else "",
        ci=ci or scaffold.forge(folder),
    )
    files = {folder / name: text for name, text in scaffold.files(plan).items()}
    asking.refuse_existing(list(files), force=force)

    for path, text in files.items():
        write(str(path), text.encode())
        click.echo(f"wrote {path}")
    click.echo(scaffold.next_steps(plan, folder), nl=False)


def _ask(chosen: list[str], named: list[str]) -> tuple[list[str], list[str]]:
    if not chosen:
        answer = asking.asked("Exchanges, by id, with commas", _exchanges)
        chosen = [asking.exchange(word) for word in asking.words(answer)]
    if not named:
        answer = asking.asked("Strategies or bots, with commas", asking.plain, "spot-main")
        named = asking.words(answer)
    return chosen, named


def _exchanges(answer: str) -> str:
    for word in asking.words(answer):
        asking.exchange(word)
    if not asking.words(answer):
        raise UsageError("expected at least one", hint="`bfaudit exchanges list` has them all")
    return answer
