"""The checks of a configuration file: unknown keys, wrong types, values that the option would refuse, secrets."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from bfaudit import literals
from bfaudit.cli.settings import NOT_FROM_FILES, Entry, Key, Option, suggestion
from bfaudit.errors import Problem
from bfaudit.model import Place
from bfaudit.words import kind_of

_HEADER = re.compile(r"\s*(\[\[?\s*)([^\]#]+?)\s*\]")
_KEY = re.compile(r"""(\s*)((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")  # fmt: skip


class Checks:
    """One configuration file under examination; `problems` grows."""

    def __init__(
        self,
        file: str,
        text: str,
        prefix: Key,
        options: Sequence[Option],
        folder: Path,
        root: Path | None = None,
    ) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = text.splitlines()
        self._prefix = prefix
        self._places = dict(reversed(list(_places(self._lines))))
        self._folder = folder
        self._root = root
        self._known: dict[Key, list[Option]] = {}
        for option in options:
            for key in (option.specific, option.general):
                if key is not None:
                    self._known.setdefault(key, []).append(option)

    def entries(self, table: Any) -> dict[Key, Entry]:
        """Every value by its key, ready for click."""
        found: dict[Key, Entry] = {}
        if not isinstance(table, dict):
            self._problem((), f"{kind_of(table)} instead of a table")
            return found
        for key, value in _leaves(table, ()):
            if any(literals.is_secret(text) for text in _texts(value)):
                self._problem(key, "a secret in the configuration", "no setting takes a secret: replace the key, it is known now")  # fmt: skip
            elif key in self._known:
                self._take(key, value, found)
            else:
                self._unknown(key)
        return found

    def _take(self, key: Key, value: Any, found: dict[Key, Entry]) -> None:
        first = self._known[key][0]
        if first.name in NOT_FROM_FILES:
            self._problem(key, f"`{first.name}` cannot stand in a configuration file", NOT_FROM_FILES[first.name])  # fmt: skip
            return
        try:
            ready = self._ready(first.option, value)
            for option in self._known[key]:
                context = click.Context(click.Command(option.command[-1]))
                option.option.type_cast_value(context, ready)
        except click.BadParameter as error:
            expected = error.message.rstrip(".")
            self._problem(key, f"`{'.'.join(key)}`: {expected[0].lower()}{expected[1:]}")
        else:
            found[key] = Entry(ready, self._place(key))

    def _ready(self, option: click.Option, value: Any) -> Any:
        """A value in the form that click takes; paths start at the configuration's folder."""
        if option.is_flag and not option.count:
            if not isinstance(value, bool):
                raise click.BadParameter("expected true or false")
            return value
        if option.multiple:
            items = value if isinstance(value, list) else [value]
        elif isinstance(value, list):
            raise click.BadParameter("expected one value, not a list")
        else:
            items = [value]
        if any(isinstance(item, bool) or not isinstance(item, str | int | float) for item in items):
            raise click.BadParameter("expected a text or a number")
        made = [self._located(option, item) for item in items]
        return made if option.multiple else made[0]

    def _located(self, option: click.Option, value: Any) -> Any:
        kinds = set((option.metavar or "").split("|"))
        if not isinstance(value, str) or not kinds & {"FILE", "FOLDER"} or value in ("-", ""):
            return value
        path = self._folder / value
        if self._root is not None and not path.resolve().is_relative_to(self._root):
            raise click.BadParameter("a path out of the repository: name the file by --config, or give it on the command line")  # fmt: skip
        if kinds <= {"FILE", "FOLDER"} or path.exists():
            relative = os.path.relpath(path)
            return str(path) if relative.startswith("..") else relative
        return value

    def _unknown(self, key: Key) -> None:
        if key[-1] in NOT_FROM_FILES:
            self._problem(key, f"`{key[-1]}` cannot stand in a configuration file", NOT_FROM_FILES[key[-1]])  # fmt: skip
            return
        known = list(self._known)
        for depth in range(1, len(key)):
            if not any(each[:depth] == key[:depth] and len(each) > depth for each in known):
                key = key[:depth]
                break
        what = f"unknown setting `{'.'.join(literals.shown(word) for word in key)}`"
        self._problem(key, what, suggestion(key, known))

    def _place(self, key: Key) -> Place:
        full = (*self._prefix, *key)
        while full and full not in self._places:
            full = full[:-1]
        line, column = self._places.get(full, (1, 1))
        return Place(self._file, line, column)

    def _problem(self, key: Key, message: str, hint: str | None = None) -> None:
        place = self._place(key)
        line = self._lines[place.line - 1] if self._lines else ""
        self.problems.append(
            Problem(message, place=place, excerpt=literals.mask(line), hint=hint, width=len(key[-1]) if key else 1)
        )  # fmt: skip


def _leaves(table: dict[str, Any], path: Key) -> Iterator[tuple[Key, Any]]:
    for name, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _places(lines: Sequence[str]) -> Iterator[tuple[Key, tuple[int, int]]]:
    """Where keys and tables stand; the standard library's parser does not tell."""
    table: Key = ()
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            table = _path(header[2])
            yield table, (number, header.start(2) + 1)
        elif key := _KEY.match(line):
            path = (*table, *_path(key[2]))
            yield path, (number, key.start(2) + 1)


def _path(dotted: str) -> Key:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", dotted))  # fmt: skip
