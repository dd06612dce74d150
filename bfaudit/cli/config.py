"""`bfaudit config`: what the settings are, and where each comes from."""

import os
from collections.abc import Iterator
from typing import Any

import click

from bfaudit import literals
from bfaudit.cli import settings


@click.group("config")
def command() -> None:
    """Show the settings that a run would have."""


@command.command("show")
@click.argument("manifests", nargs=-1, metavar="[MANIFEST...]")
@click.option("--all", "everything", is_flag=True, help="Also list the settings of single commands that nobody has set.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)  # fmt: skip
@click.option("--config", "named", metavar="FILE|none", envvar="BFAUDIT_CONFIG", help="Show this configuration.")  # fmt: skip
@click.pass_context
def show(
    context: click.Context,
    manifests: tuple[str, ...],
    everything: bool,
    form: str,
    named: str | None,
) -> None:
    """Print every setting, its value, and where the value comes from: environment, file:line or default.

    A file is looked for upward from MANIFEST, else from the current folder. The command line of a run wins over all.
    """
    args = [*([f"--config={named}"] if named else []), *manifests]
    config = settings.load(context.command, args)
    rows = list(_rows(config, everything=everything))
    if form == "json":
        import msgspec  # noqa: PLC0415

        data = {
            "file": config.file if config else None,
            "settings": [dict(zip(("key", "value", "from"), row, strict=True)) for row in rows],
            "unknown": _unknown(),
        }
        click.echo(msgspec.json.format(msgspec.json.encode(data)).decode())
        return
    click.echo(f"configuration: {config.file if config else 'none found'}\n")
    shown = [(key, _text(value), where) for key, value, where in rows]
    widths = [max((len(row[column]) for row in shown), default=0) for column in (0, 1)]
    for key, value, where in shown:
        click.echo(f"{key:{widths[0]}}  {value:{widths[1]}}  {where}")
    for name, hint in _unknown().items():
        click.echo(f"\nwarning: {name} is set, and is no setting{f': {hint}' if hint else ''}")


def _rows(config: settings.Config | None, *, everything: bool) -> Iterator[tuple[str, Any, str]]:
    """(key, value, where from), the shared settings first."""
    options = [each for each in settings.every() if each.command[0] != "config"]
    shared: dict[settings.Key, settings.Option] = {}
    for option in options:
        if option.general is not None:
            shared.setdefault(option.general, option)
    for key, option in sorted(shared.items()):
        value, where = _value(config, key, settings.variable(key)) or (
            option.option.get_default(click.Context(click.Command("show")), call=True),
            "default",
        )
        yield ".".join(key), _plain(value), where
    for name, value in sorted(os.environ.items()):
        if name.startswith("BFAUDIT_EXCHANGE_URL_") and value:
            yield f"exchange-url.{name.rpartition('_')[2].lower()}", _plain(value), name
    for option in sorted(options, key=lambda each: each.specific):
        if set_here := _value(config, option.specific, settings.variable(option.specific)):
            yield ".".join(option.specific), _plain(set_here[0]), set_here[1]
        elif everything and option.general is None:
            default = option.option.get_default(click.Context(click.Command("show")), call=True)
            yield ".".join(option.specific), _plain(default), "default"


def _value(
    config: settings.Config | None, key: settings.Key, variable: str
) -> tuple[Any, str] | None:
    if os.environ.get(variable):
        return os.environ[variable], variable
    if config is not None and key in config.entries:
        entry = config.entries[key]
        return entry.value, f"{entry.place.file}:{entry.place.line}"
    return None


def _plain(value: Any) -> Any:
    """A value to show: nothing that looks like a secret, and none of click's own marks."""
    if isinstance(value, str):
        return literals.shown(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float) else None


def _text(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _unknown() -> dict[str, str | None]:
    """Variables that look like settings and are none, with what was meant."""
    from bfaudit.words import did_you_mean  # noqa: PLC0415

    known = {"BFAUDIT_CONFIG", *OTHERS}
    for option in settings.every():
        known.add(settings.variable(option.specific))
        if option.general is not None:
            known.add(settings.variable(option.general))
    return {
        name: did_you_mean(name, known)
        for name in sorted(os.environ)
        if name.startswith(settings.PREFIX)
        and name not in known
        and not name.startswith("BFAUDIT_EXCHANGE_URL_")
    }


OTHERS = ("BFAUDIT_CHROMIUM", "BFAUDIT_EXEC_ENV", "BFAUDIT_FINGERPRINT_KEY")
"""Variables that have no option."""
