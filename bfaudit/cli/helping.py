"""Help as rich-click shows it, which is loaded for who asks: every other command line is click's alone."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich_click import RichContext


class Context(click.Context):
    """click's own, but for the look of help and usage."""

    def get_help(self) -> str:
        """The help of a command, coloured or not as rich finds right: click takes no colour away."""
        self.color = True
        return _rich(self).get_help()

    def get_usage(self) -> str:
        """The line of usage that stands above a mistake."""
        return _rich(self).get_usage()


def use(command: click.Command) -> None:
    """Let a command, or every command of a group, show its help so."""
    command.context_class = Context
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        use(inner)


def _rich(of: click.Context) -> "RichContext":
    """The same command line, with the same command as rich-click has it."""
    from rich_click import RichCommand, RichContext, RichGroup  # noqa: PLC0415

    command, settings = of.command, of.command.context_settings
    given: dict[str, Any] = {
        "name": command.name,
        "callback": command.callback,
        "params": command.params,
        "help": command.help,
    }
    rich = (
        RichGroup(commands=_commands(command, of), **given)
        if isinstance(command, click.Group)
        else RichCommand(**given)
    )
    return RichContext(rich, info_name=of.info_name, parent=of.parent, **settings)


def _commands(group: click.Group, context: click.Context) -> dict[str, click.Command]:
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}
