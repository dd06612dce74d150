"""`file:PATH#KEY`: a secret in a file that only its owner can read; without `#KEY` the whole file."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bfaudit import roots
from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.credentials.secret import Secret
from bfaudit.errors import CredentialError

_LARGEST = 1024 * 1024
_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*")
_PIECE = r"""'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"]++"""
_QUOTED = re.compile(
    rf"""(?=['"])((?:{_PIECE})++)(?:[ \t]+\#[^\n]*)?[ \t\r]*(?=\n|\Z)""", re.DOTALL
)
"""A value that begins with quotes, up to the end of its last line: a private key has several."""
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\n": ""}


def _resolve(rest: str, context: ResolveContext) -> Secret:
    name, _, key = rest.partition("#")
    place = (str(context.folder), name)
    text = context.once(("file", *place), lambda: _read(name, context).strip())
    if key:
        fields = context.once(("fields", *place), lambda: _fields(text, name))
        if key not in fields:
            raise CredentialError(f"{name} has no {key}")
        found = fields[key]
        if found is _BROKEN:
            raise CredentialError(
                f"{key} in {name} has quotes that are not closed, or more behind them",
                hint="write it as for a shell, or the whole secret into a file of its own",
            )
        if not isinstance(found, str):
            raise CredentialError(f"{key} in {name} is not a text")
        text = found.strip()
    if not text:
        raise CredentialError(f"{key} in {name} is empty" if key else f"{name} is empty")
    return Secret(text)


def _read(name: str, context: ResolveContext) -> str:
    try:
        path = context.folder / Path(name).expanduser()
        if not roots.may_hold_secrets(path):
            raise CredentialError(
                f"{name} is not read: --untrusted lets `file:` read in the folders of --root only"
            )
        # Non-blocking: a pipe is refused, not waited for. What was opened is what is judged: no race.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise CredentialError(f"{name} cannot be read: {str(reason).lower()}") from None
    try:
        _refuse_shared(os.fstat(handle), name)
        with open(handle, "rb", closefd=False) as file:
            data = file.read(_LARGEST + 1)
    finally:
        os.close(handle)
    if len(data) > _LARGEST:
        raise CredentialError(f"{name} is larger than 1 MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CredentialError(f"{name} is not UTF-8 text") from None


def _refuse_shared(state: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise CredentialError(f"{name} is not a file")
    if state.st_mode & 0o077:
        raise CredentialError(
            f"{name} can be read by others (mode {state.st_mode & 0o777:04o})",
            hint=f"chmod 600 {name}",
        )


def _fields(text: str, name: str) -> Mapping[str, Any]:
    """The values of a JSON object, else of KEY=VALUE lines, the last of each key, as a shell would see it."""
    if not text.startswith("{"):
        return dict(_lines(text))
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise CredentialError(f"{name} starts like JSON but is not") from None


_BROKEN = object()
"""The value of a key whose quotes say nothing."""


def _lines(text: str) -> Iterator[tuple[str, object]]:
    at = 0
    while at < len(text):
        end = text.find("\n", at) % (len(text) + 1)
        if name := _NAME.match(text, at):
            rest = text[name.end() : end]
            quoted = _QUOTED.match(text, name.end())
            if quoted:
                end = quoted.end()
                yield name[1], "".join(map(_unquoted, re.findall(_PIECE, quoted[1], re.DOTALL)))
            elif rest.startswith(("'", '"')):
                yield name[1], _BROKEN
            else:
                yield name[1], re.split(r"(?:^|\s)#", rest, maxsplit=1)[0]
        at = end + 1


def _unquoted(piece: str) -> str:
    if piece.startswith('"'):
        return re.sub(r"(?s)\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), piece[1:-1])
    return piece[1:-1] if piece.startswith("'") else piece


SCHEME = Scheme(
    name="file",
    syntax="file:PATH or file:PATH#KEY",
    form=r"[^#\0\r\n]+(?:#[^\0\r\n]+)?",
    resolve=_resolve,
)
