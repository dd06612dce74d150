"""What `init`, `connect` and `import` share: questions, answers, and files that are not overwritten."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bfaudit import exchanges, literals
from bfaudit.errors import UsageError
from bfaudit.model import PERMISSIONS
from bfaudit.words import did_you_mean

if TYPE_CHECKING:
    from bfaudit.exchanges.base import Adapter


def asked(question: str, check: Callable[[str], str], default: str | None = None) -> str:
    """An answer that passes a check; asks again until it does."""
    while True:
        answer = click.prompt(question, default=default, show_default=bool(default), err=True)
        try:
            return check(str(answer).strip())
        except UsageError as error:
            click.echo(f"  {error.message}{f'; {error.hint}' if error.hint else ''}", err=True)


def interactive(*, yes: bool) -> bool:
    """Whether there is somebody to ask. Raises UsageError where a script forgot --yes."""
    if yes:
        return False
    if not sys.stdin.isatty() and not os.environ.get("BFAUDIT_ASK"):
        raise UsageError(
            "there is no terminal to ask questions on",
            hint="give --yes and say everything by options",
        )
    return True


def exchange(word: str) -> str:
    """The id of a supported exchange."""
    known = {name.casefold(): name for name in exchanges.known()}
    if (found := known.get(word.casefold())) is not None:
        return found
    if word.casefold() in exchanges.unsupported():
        raise UsageError(f"{word} is not supported: {exchanges.unsupported()[word.casefold()]}")
    hint = did_you_mean(word, known) or "`bfaudit exchanges list` has them all"
    raise UsageError(f"unknown exchange {literals.shown(word)!r}", hint=hint)


def adapter(name: str) -> "Adapter":
    """All that is known of a supported exchange."""
    return exchanges.known()[name]


def permissions(text: str) -> tuple[str, ...]:
    """Permission words, separated by commas or spaces."""
    words = tuple(dict.fromkeys(re.split(r"[,\s]+", text.strip())))
    for word in words:
        if word not in PERMISSIONS and not re.fullmatch(r"other:[a-z0-9_.-]+", word):
            hint = did_you_mean(word, PERMISSIONS) or f"one of: {', '.join(PERMISSIONS)}"
            raise UsageError(f"{literals.shown(word)!r} is not a permission", hint=hint)
    return words


def plain(text: str) -> str:
    """A text of one line that holds no secret."""
    if literals.is_secret(text):
        raise UsageError(
            "that looks like a key or a secret", hint="it is shown now: delete it at the exchange"
        )
    if not text or not text.isprintable():
        raise UsageError("expected a text of one line")
    return text


def words(text: str) -> list[str]:
    """The items of a list that was typed with commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def title(start: str, strategy: str) -> str:
    """A clear name for a connection: the exchange's, then the strategy's words."""
    return " ".join([start, *(word.capitalize() for word in re.split(r"[\s_-]+", strategy) if word)])  # fmt: skip


def addresses(given: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Servers from NAME=IP[,IP...] options."""
    from bfaudit.manifest.fields import Mistake, to_address  # noqa: PLC0415

    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        name, equals, values = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]*", name.strip()):
            raise UsageError(f"{literals.shown(text)!r} is not NAME=ADDRESS")
        for value in words(values):
            if isinstance(mistake := to_address(value), Mistake):
                raise UsageError(mistake.message, hint=mistake.hint or mistake.expected)
        found[name.strip()] = tuple(words(values))
        if not found[name.strip()]:
            raise UsageError(f"{literals.shown(text)!r} has no address")
    return found


def refuse_existing(paths: Sequence[Path], *, force: bool) -> None:
    """Raise UsageError where a file is there already."""
    there = [str(path) for path in paths if path.exists()]
    if there and not force:
        raise UsageError(
            f"{there[0]} exists, and nothing was written",
            hint=f"--force overwrites {', '.join(there)}",
        )
