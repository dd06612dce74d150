"""`exec:PROGRAM ARGUMENT...`: a secret that a program prints. Runs only with `--allow-exec`: see docs/credentials.md."""

import os
import select
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from bfaudit import literals
from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.credentials.secret import Secret
from bfaudit.errors import CredentialError

SECONDS = 10.0
"""How long a program may take, with all that it starts."""
LARGEST = 64 * 1024
PASSED = "BFAUDIT_EXEC_ENV"
"""The variable that names more variables that programs get, with commas."""
KEPT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
        *("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS"),
        *("GNUPGHOME", "SSH_AUTH_SOCK", "PASSWORD_STORE_DIR"),
    }
)
"""What a password store's own program needs. No credential of another reference is among it."""


def _resolve(rest: str, context: ResolveContext) -> Secret:
    if not context.allow_exec:
        raise CredentialError(
            "`exec:` may not run programs here",
            hint="--allow-exec lets it; a manifest, or a configuration beside it, cannot",
        )
    text = context.once(("exec", rest), lambda: _run(shlex.split(rest), context.environ))
    return Secret(text)


def _run(argv: list[str], environ: Mapping[str, str]) -> str:
    program = _program(argv[0], environ)
    name = literals.shown(Path(program).name)
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and only where the user allows it
            [program, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may say anything, the secret too
            cwd="/",  # not the manifest's folder: what lies there is not trusted
            env=_environment(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not a command").lower()
        raise CredentialError(f"{name} cannot be run: {reason}") from None
    with process:
        try:
            data = _read(process, name)
        except BaseException:
            _kill(process)
            raise
    if process.returncode:
        raise CredentialError(f"{name} {_ended(process.returncode)}", hint="run it by hand")
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        raise CredentialError(f"{name} printed what is not UTF-8 text") from None
    if not text:
        raise CredentialError(f"{name} printed nothing")
    return text


def _program(word: str, environ: Mapping[str, str]) -> str:
    """The program's absolute path. A relative one would be whatever lies in the current folder."""
    if "/" in word:
        if not Path(word).is_absolute():
            raise CredentialError(
                "`exec:` takes a program's name or absolute path, not a relative one"
            )
        return word
    folders = [
        each for each in environ.get("PATH", "").split(os.pathsep) if Path(each).is_absolute()
    ]
    found = shutil.which(word, path=os.pathsep.join(folders)) if folders else None
    if found is None:
        raise CredentialError(f"`{literals.shown(word)}` is not a program on the PATH")
    return found


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = KEPT | {name.strip() for name in environ.get(PASSED, "").split(",")}
    return {name: value for name, value in environ.items() if name in names}


def _read(process: subprocess.Popen[bytes], name: str) -> bytes:
    """What it prints until it ends."""
    deadline = time.monotonic() + SECONDS
    late = CredentialError(f"{name} did not end within {SECONDS:g} seconds")
    if process.stdout is None:
        raise AssertionError("its output is a pipe")
    pipe = process.stdout.fileno()
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    data = b""
    while True:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise late
        part = os.read(pipe, LARGEST)
        if not part:
            break
        data += part
        if len(data) > LARGEST:
            raise CredentialError(f"{name} printed more than {LARGEST // 1024} KiB")
    try:
        process.wait(max(0.01, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise late from None
    return data


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and everything that it started. It was not waited for yet, so its group is still its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _ended(code: int) -> str:
    return f"ended with {code}" if code > 0 else f"was ended by signal {-code}"


SCHEME = Scheme(
    name="exec",
    syntax="exec:PROGRAM ARGUMENT...",
    form=r"""(?!\s)(?:[^'"\\\0\r\n]|\\[^\0\r\n]|'[^'\0\r\n]*'|"(?:[^"\\\0\r\n]|\\[^\0\r\n])*")+""",
    resolve=_resolve,
    blocking=True,
)
