"""`bfaudit import`: a manifest from what a team already has. Secrets are not copied, only told where to move."""  # noqa: N999 - the command is called so

from pathlib import Path

import click

from bfaudit.cli import asking
from bfaudit.cli.output import write
from bfaudit.errors import InvalidInput, UsageError
from bfaudit.manifest import writing

_LARGEST = 1024 * 1024
KINDS = ("freqtrade", "hummingbot", "env", "csv")


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--from", "kind", type=click.Choice(KINDS), required=True, help="What FILE is: a bot's configuration, a list or folder of connectors, a .env, a table.")  # fmt: skip
@click.option("--output", "-o", metavar="FILE", help="Where the manifest goes; `-` is the standard output. [default: connections/<kind>.yaml]")  # fmt: skip
@click.option("--owner", metavar="NAME", help="Who answers for the keys.")
@click.option("--force", is_flag=True, help="Overwrite the manifest that is there.")
def command(source: Path, kind: str, output: str | None, owner: str | None, *, force: bool) -> None:
    """Write a manifest with references for the keys that FILE speaks of. No secret is copied or shown.

    What is found in the clear is named by its place, with the variable that it should be moved to.
    """
    from bfaudit import credentials, exchanges, manifest, migrate  # noqa: PLC0415

    place = output or f"connections/{kind}.yaml"
    if place != "-":
        asking.refuse_existing([Path(place)], force=force)
    known = {name: adapter.title for name, adapter in exchanges.known().items()}
    found = migrate.READERS[kind](_read(source), known, exchanges.credentials_of())
    for note in found.skipped:
        click.echo(f"skipped  {note}", err=True)
    if not found.drafts:
        raise UsageError(
            f"{source}: no key of an exchange that bfaudit supports",
            hint=f"is it what --from {kind} expects?",
        )
    drafts = [draft._replace(owner=draft.owner or owner or "") for draft in found.drafts]
    text = writing.fresh(
        migrate.distinct(drafts),
        comment=f"Imported from {source.name} ({kind}). Check `requires`, add `servers`.",
    )
    loaded = manifest.assemble(
        [(place, text.encode())], manifest.Known(exchanges.credentials_of(), credentials.SCHEMES, {})
    )  # fmt: skip
    if loaded.problems:
        raise InvalidInput(loaded.problems)
    if place == "-":
        click.echo(text, nl=False)
    else:
        write(place, text.encode())
        click.echo(f"wrote {place}: {len(drafts)} connection{'s' * (len(drafts) != 1)}", err=True)
    for secret in found.secrets:
        click.echo(f"move     {secret.place}  ->  environment variable {secret.variable}", err=True)
    if found.secrets:
        click.echo("\nThese were in the clear, so others may have them: replace the keys when you move them.", err=True)  # fmt: skip


def _read(source: Path) -> list[tuple[str, str]]:
    """(name, text) of a file, or of the files of a folder."""
    paths = sorted(source.glob("*.y*ml")) if source.is_dir() else [source]
    try:
        found = [(str(path), _bytes(path)) for path in paths]
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from None
    if any(len(data) > _LARGEST for _, data in found):
        raise UsageError(f"{source} is larger than 1 MiB")
    try:
        return [(name, data.decode("utf-8-sig")) for name, data in found]
    except UnicodeDecodeError:
        raise UsageError(f"{source} is not UTF-8 text") from None


def _bytes(path: Path) -> bytes:
    """One more than may be: a device has no end."""
    with path.open("rb") as file:
        return file.read(_LARGEST + 1)
