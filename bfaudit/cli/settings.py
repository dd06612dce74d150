"""Settings: every option also as BFAUDIT_*, and in `bfaudit.toml` or `[tool.bfaudit]` of pyproject.toml.

A setting's key is its variable without `BFAUDIT_`, in lower case with dashes: `fail-on` holds for every command that has
it, `[scan] output` (BFAUDIT_SCAN_OUTPUT) for one. The command line wins, then the environment, the file, the default.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from glob import has_magic
from pathlib import Path
from typing import Any, NamedTuple

import click

from bfaudit import literals, roots
from bfaudit.errors import InvalidInput, Problem, UsageError
from bfaudit.model import Place
from bfaudit.words import did_you_mean

FILE = "bfaudit.toml"
PYPROJECT = "pyproject.toml"
PREFIX = "BFAUDIT_"
_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
UNTRUSTED = "BFAUDIT_UNTRUSTED"
NONE = "none"
LARGEST = 1024 * 1024

NO_SETTINGS = frozenset({"help", "version", "config", "root", "untrusted", "yes", "force"})
"""Options that only a command line can give."""

NOT_FROM_FILES: Mapping[str, str] = {
    "exchange-url": "give it on the command line, or as BFAUDIT_EXCHANGE_URL_<ID>",
    "ca-file": "give it on the command line, or as BFAUDIT_CA_FILE",
    "on-finding": "give it on the command line, or as BFAUDIT_WATCH_ON_FINDING",
}
"""What a file that is merely found may not decide: where signed requests go, whom they trust, what is run."""

Key = tuple[str, ...]


class Option(NamedTuple):
    """One option of one command, and its keys."""

    command: Key
    option: click.Option
    specific: Key
    general: Key | None
    """Where it has the same meaning for several commands; None where it is its command's own."""

    @property
    def name(self) -> str:
        """Its long name, without dashes."""
        return self.specific[-1]


class Entry(NamedTuple):
    """One value of a configuration file."""

    value: Any
    place: Place


class Config(NamedTuple):
    """A configuration file, checked."""

    file: str
    entries: Mapping[Key, Entry]


def long_name(option: click.Option) -> str:
    """The long name of an option, without dashes; empty where it has none."""
    return max((each for each in option.opts if each.startswith("--")), key=len, default="")[2:]


def attach(command: click.Command, path: Key) -> None:
    """Let every option of a command be given as BFAUDIT_* too, and a configuration file be named."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            attach(command.commands[name], (*path, name))
        return
    options = [param for param in command.params if isinstance(param, click.Option)]
    shared = False
    for option in options:
        name = long_name(option)
        if not name or name in NO_SETTINGS or isinstance(option.envvar, list):
            continue
        own = variable((*path, name))
        shared = shared or option.envvar is not None
        option.envvar = [own, option.envvar] if isinstance(option.envvar, str) else [own]
    if shared:
        command.params += _confining()
    if shared and not any(map(_is_config, options)):
        command.params.append(
            click.Option(
                ["--config"],
                metavar=f"FILE|{NONE}",
                envvar="BFAUDIT_CONFIG",
                expose_value=False,
                help=f"Read this configuration, or {NONE}. [default: the nearest {FILE} or {PYPROJECT}]",
            )
        )


def _confining() -> list[click.Parameter]:
    """What only a command line or the environment can say of the files that may be read."""
    return [
        click.Option(
            ["--root"],
            multiple=True,
            metavar="FOLDER",
            type=click.Path(exists=True, file_okay=False),
            envvar="BFAUDIT_ROOT",
            expose_value=False,
            callback=lambda _context, _option, folders: roots.allow(folders),
            help="Let manifests and policies lead to files here too; repeatable.",
        ),
        click.Option(
            ["--untrusted"],
            is_flag=True,
            envvar=UNTRUSTED,
            expose_value=False,
            callback=lambda _context, _option, strict: roots.confine(strict),
            help="Somebody else wrote manifests and policies: confine what they can reach.",
        ),
    ]


def _is_config(option: click.Option) -> bool:
    return long_name(option) == "config"


def variable(key: Key) -> str:
    """The environment variable of a key."""
    return PREFIX + "_".join(key).replace("-", "_").upper()


def options_of(command: click.Command, path: Key) -> Iterator[Option]:
    """Every option of a command that is a setting; of a group those of its commands."""
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from options_of(command.commands[name], (*path, name))
        return
    for option in command.params:
        if isinstance(option, click.Option) and isinstance(option.envvar, list):
            shared = [name for name in option.envvar[1:] if name.startswith(PREFIX)]
            general = (
                (shared[0].removeprefix(PREFIX).lower().replace("_", "-"),) if shared else None
            )
            yield Option(path, option, (*path, long_name(option)), general)


def every() -> list[Option]:
    """Every option of every command."""
    from bfaudit.cli import commands, group  # noqa: PLC0415 - it imports this

    root = group()
    found: list[Option] = []
    for name in commands():
        command = root.get_command(click.Context(root), name)
        if command is not None:
            found += options_of(command, (name,))
    return found


def defaults(name: str, command: click.Command, args: Sequence[str]) -> dict[str, Any]:
    """What the configuration file says for a command, as click's `default_map` of the group around it."""
    config = load(command, args)
    if config is None:
        return {}
    made: dict[str, Any] = {}
    for option in options_of(command, (name,)):
        for key in (option.specific, option.general):
            if key is not None and key in config.entries and option.option.name:
                inner = made
                for step in option.command:
                    inner = inner.setdefault(step, {})
                inner[option.option.name] = config.entries[key].value
                break
    return made


def load(command: click.Command, args: Sequence[str]) -> Config | None:
    """The configuration that a command line asks for or that is found above its first manifest."""
    given = _given(command, args)
    named = given.get("config") or given.get("named") or os.environ.get("BFAUDIT_CONFIG")
    if named == NONE:
        return None
    listed = given.get("manifests") or given.get("manifest") or "."
    scans = any(param.name == "allow_exec" for param in command.params)
    sources = [listed] if isinstance(listed, str) else [str(each) for each in listed]
    if isinstance(named, str) and named:
        config = read(Path(named), named=True)
        if config is None:
            raise UsageError(f"--config {named}: there is no [tool.bfaudit] in it")
    elif "--untrusted" in args or os.environ.get(UNTRUSTED, "").lower() in _YES:
        return None  # it may be somebody else's too
    else:
        config = find(sources[0])
    if config is not None:
        from bfaudit.cli import trust  # noqa: PLC0415 - it imports this

        trust.check(config, sources if scans or listed != "." else [], named=bool(named))
    return config


def _given(command: click.Command, args: Sequence[str]) -> dict[str, Any]:
    """The words of a command line by parameter, before they are checked."""
    context = click.Context(command, resilient_parsing=True)
    try:
        values, rest, _ = command.make_parser(context).parse_args(list(args))
    except click.UsageError:
        return {}  # click says so in a moment
    if isinstance(command, click.Group) and rest and rest[0] in command.commands:
        return _given(command.commands[rest[0]], rest[1:])
    return {name: value for name, value in values.items() if isinstance(value, str | tuple | list)}


def find(source: str) -> Config | None:
    """The nearest configuration upward from a file, folder or glob; not above the root of its repository."""
    path = Path.cwd() if source == "-" else Path.cwd() / source
    while has_magic(str(path)) or not path.is_dir():
        if path == path.parent:
            return None
        path = path.parent
    for folder in (path, *path.parents):
        for name in (FILE, PYPROJECT):
            if (folder / name).is_file() and (config := read(folder / name)) is not None:
                return config
        if (folder / ".git").exists():
            return None
    return None


def read(path: Path, *, named: bool = False) -> Config | None:
    """A configuration file with every mistake told; None for a pyproject.toml that says nothing of bfaudit.

    One that is merely found, not `named`, may name files of its own repository only: for reading and for writing.
    """
    file = os.path.relpath(path) if path.is_absolute() else str(path)
    file = str(path) if file.startswith("..") else file
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {getattr(error, 'strerror', 'not UTF-8')}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{path} is larger than 1 MiB")
    of_project = path.name == PYPROJECT
    if of_project and "bfaudit" not in text:
        return None
    import tomllib  # noqa: PLC0415 - only for who has a file

    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput([_not_toml(str(error), file, text)]) from None
    prefix: Key = ()
    if of_project:
        table, prefix = table.get("tool", {}).get("bfaudit"), ("tool", "bfaudit")
        if table is None:
            return None
    from bfaudit.cli.settings_checks import Checks  # noqa: PLC0415 - only for who has a file

    root = None if named else roots.root_of(path)
    checks = Checks(file, text, prefix, every(), path.resolve().parent, root)
    entries = checks.entries(table)
    if checks.problems:
        raise InvalidInput(checks.problems)
    return Config(file, entries)


def _not_toml(message: str, file: str, text: str) -> Problem:
    at = re.search(r"\(at line (\d+), column (\d+)\)", message)
    lines = text.splitlines() or [""]
    line, column = (int(at[1]), int(at[2])) if at else (len(lines), 1)
    said = literals.shown(re.sub(r" \(at [^)]*\)", "", message))
    excerpt = literals.mask(lines[min(line, len(lines)) - 1])
    return Problem(f"not TOML: {said}", place=Place(file, line, column), excerpt=excerpt)


def suggestion(key: Key, known: Sequence[Key]) -> str | None:
    """A hint at the key that was meant."""
    *above, word = key
    siblings = {each[len(above)] for each in known if each[: len(above)] == tuple(above) and len(each) > len(above)}  # fmt: skip
    dashed = word.replace("_", "-")
    if dashed in siblings:
        return f'did you mean "{dashed}"?'
    if (dashed,) in known:
        return f"`{dashed}` stands at the top, before any [table]: it holds for every command"
    owners = sorted(".".join(each[:-1]) for each in known if each[-1] == dashed and len(each) > 1)
    if owners and not above:
        return f"it is an option of one command: write it in [{owners[0]}]"
    return did_you_mean(word, sorted(siblings)) or "`bfaudit config show --all` lists every setting"
