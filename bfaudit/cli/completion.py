"""`bfaudit completion`: the script by which a shell completes bfaudit's commands and options."""

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    bash: `bfaudit completion bash > ~/.local/share/bash-completion/completions/bfaudit`.
    zsh: `bfaudit completion zsh > _bfaudit`, in a folder of $fpath.
    fish: `bfaudit completion fish > ~/.config/fish/completions/bfaudit.fish`.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    from bfaudit.cli import group  # noqa: PLC0415

    made = get_completion_class(shell)
    if made is None:
        raise AssertionError(f"click completes no {shell}")
    click.echo(made(group(), {}, "bfaudit", "_BFAUDIT_COMPLETE").source(), nl=False)
