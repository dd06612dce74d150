"""The command line: one file per command; the only place that prints or exits."""

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from bfaudit import __version__

if TYPE_CHECKING:
    import click

_HELPERS = frozenset(
    {
        "__init__",
        "asking",
        "durations",
        "gate_options",
        "gating",
        "helping",
        "notify",
        "logs",
        "options",
        "output",
        "pipeline",
        "policy_files",
        "printing",
        "problems",
        "progress",
        "report_options",
        "reporting",
        "revision",
        "rounds",
        "scaffold",
        "selecting",
        "settings",
        "settings_checks",
        "stopping",
        "templates",
        "trust",
    }
)

SUMMARY = "Audits what crypto-exchange API keys may do, against policy written as code."


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words in (["--version"], ["-V"]):
        print(f"bfaudit {__version__}")
        raise SystemExit(0)
    for stream in (sys.stdout, sys.stderr):
        # What a terminal's encoding does not have is spelt out: no reason to fail.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    raise SystemExit(_run(words))


def _run(words: list[str]) -> int:
    from bfaudit import redact  # noqa: PLC0415
    from bfaudit.cli import logs  # noqa: PLC0415

    with redact.run(), logs.redacted():
        return _ended(words)


def _ended(words: list[str]) -> int:
    from click import Abort  # noqa: PLC0415
    from click.exceptions import ClickException, Exit, NoArgsIsHelpError  # noqa: PLC0415

    from bfaudit.errors import BfauditError  # noqa: PLC0415

    try:
        result = group().main(args=words, prog_name="bfaudit", standalone_mode=False)
    except BfauditError as error:
        from bfaudit.cli.problems import show  # noqa: PLC0415

        show(error)
        return error.exit_code
    except NoArgsIsHelpError as error:
        print(error.message)
        return error.exit_code
    except ClickException as error:
        error.show()
        return 2
    except Exit as stop:
        return stop.exit_code
    except (Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        from errno import EDQUOT, EIO, ENOSPC  # noqa: PLC0415

        if error.errno not in (EDQUOT, EIO, ENOSPC):
            bug(error, loud="-vv" in words)
            return 70
        from bfaudit.cli.output import discard  # noqa: PLC0415

        discard()
        print(f"error: cannot write: {error.strerror}", file=sys.stderr)
        return 2
    except Exception as error:  # noqa: BLE001 - the one boundary behind which a bug may not show what it held
        bug(error, loud="-vv" in words)
        return 70
    return result if isinstance(result, int) else 0


def bug(error: Exception, *, loud: bool) -> None:
    """Name a bug without its message: it may hold what an exchange or a secret store sent."""
    from bfaudit.cli.logs import frames  # noqa: PLC0415

    stack = frames(error.__traceback__)
    where = f" at {stack[-1].strip()}" if stack else ""
    print(f"fatal: a bug in bfaudit {__version__}: {type(error).__name__}{where}", file=sys.stderr)
    if loud:
        print("\n".join(stack), file=sys.stderr)
    else:
        print("help: run again with -vv for the stack, and report it", file=sys.stderr)


@cache
def commands() -> list[str]:
    """The names of all commands: the files of this folder."""
    names = {path.stem for path in Path(__file__).parent.glob("*.py")} - _HELPERS
    return sorted(name.replace("_", "-") for name in names)


def group() -> "click.Group":
    """The group of all commands, each imported when it is used."""
    import click  # noqa: PLC0415

    from bfaudit.cli import helping, settings  # noqa: PLC0415

    class Commands(click.Group):
        context_class = helping.Context

        def list_commands(self, ctx: click.Context) -> list[str]:
            return commands()

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in commands():
                return None
            module = import_module(f"bfaudit.cli.{cmd_name.replace('-', '_')}")
            command: click.Command | None = getattr(module, "command", None)
            if command is not None:
                settings.attach(command, (cmd_name,))
                helping.use(command)
            return command

        def resolve_command(
            self, ctx: click.Context, args: list[str]
        ) -> tuple[str | None, click.Command | None, list[str]]:
            name = args[0]
            if self.get_command(ctx, name) is None and not name.startswith("-"):
                from difflib import get_close_matches  # noqa: PLC0415

                near = get_close_matches(name, commands(), 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                ctx.fail(f"No such command {name!r}.{hint}")
            found, command, rest = super().resolve_command(ctx, args)
            asks_help = {"-h", "--help"} & set(rest)
            if command is not None and not ctx.resilient_parsing and not asks_help:
                ctx.default_map = settings.defaults(name, command, rest)
            return found, command, rest

    @click.group(
        cls=Commands, help=SUMMARY, context_settings={"help_option_names": ["-h", "--help"]}
    )
    @click.version_option(__version__, "-V", "--version", message="bfaudit %(version)s")
    def bfaudit() -> None:
        pass

    return bfaudit
