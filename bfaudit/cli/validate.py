"""`bfaudit validate`: check manifests, policies and exceptions without a request, a secret or a network."""

import click

from bfaudit import exchanges
from bfaudit.cli import options
from bfaudit.errors import InvalidInput, NothingToAudit
from bfaudit.manifest import load


@click.command("validate")
@options.manifests
@click.option(
    "--policy",
    "policies",
    multiple=True,
    envvar="BFAUDIT_POLICY",
    metavar="PACK|FILE|FOLDER",
    help="Policy to check too; repeatable.",
)
@options.exceptions
def command(
    manifests: tuple[str, ...], policies: tuple[str, ...], exceptions: tuple[str, ...]
) -> None:
    """Check manifests, policies and exceptions, and list every mistake with its place."""
    problems = []
    loaded = load(
        manifests, exchanges.credentials_of(), unsupported=exchanges.unsupported(), keep_going=True
    )
    problems += loaded.problems
    by = None
    if policies:
        from bfaudit.policy.read import read  # noqa: PLC0415 - brings the expression engine

        try:
            by = read(policies)
        except InvalidInput as error:
            problems += error.problems
    if exceptions:
        from bfaudit.cli import pipeline  # noqa: PLC0415

        try:
            pipeline.exceptions(exceptions, by)
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)
    if not loaded.connections:
        raise NothingToAudit("no connection is declared", hint="add one under `connections:`")
    click.echo(
        f"{_count(loaded.connections, 'connection')} in {_count(loaded.files, 'file')} {_are(loaded.connections)} valid"
    )


def _count(items: tuple[object, ...], word: str) -> str:
    return f"{len(items)} {word}{'' if len(items) == 1 else 's'}"


def _are(items: tuple[object, ...]) -> str:
    return "is" if len(items) == 1 else "are"
