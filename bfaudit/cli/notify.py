"""Tells the world of new and resolved findings: a program that is run, or a webhook that is signed."""

import os
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import Message
from hashlib import sha256
from http.client import HTTPException
from ipaddress import ip_address
from shutil import which
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from bfaudit import __version__
from bfaudit.credentials import Secret
from bfaudit.errors import UsageError

SECONDS = 30
MOST_PENDING = 100
SIGNATURE = "X-Bfaudit-Signature"


class Hook(NamedTuple):
    """Whom to tell. `pending` are messages that did not arrive; they are tried again with the next one."""

    words: tuple[str, ...]
    """The program and its arguments; empty for a webhook."""
    url: str
    mark: str
    """Tells it from others in a file; a URL cannot be read from it."""
    pending: list[bytes]

    @property
    def name(self) -> str:
        """For people: without the URL's path, which often is the secret of a webhook."""
        return f"exec:{self.words[0]}" if self.words else (urlsplit(self.url).hostname or "")


def hook(text: str) -> Hook:
    """What an `--on-finding` says. Raises UsageError for what is neither, and for a program that is not there."""
    mark = sha256(text.encode()).hexdigest()[:16]
    if text.startswith("exec:"):
        try:
            words = tuple(shlex.split(text.removeprefix("exec:")))
        except ValueError:
            words = ()
        if not words:
            raise UsageError("--on-finding exec: names no program", hint="exec:PROGRAM ARGUMENT...")
        if which(words[0]) is None:
            raise UsageError(
                f"--on-finding: `{words[0]}` is not a program that can be run",
                hint="give its path, or make it executable (chmod +x)",
            )
        return Hook(words, "", mark, [])
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http"):
        raise UsageError("--on-finding is neither exec:PROGRAM nor an https:// URL")
    if parts.username or parts.password:
        raise UsageError(
            "--on-finding: a URL with a user or password is not accepted",
            hint="sign what is posted: --webhook-secret",
        )
    if parts.scheme == "http" and not _loopback(host):
        raise UsageError("--on-finding: plain http is accepted for loopback only", hint="use https")
    return Hook((), text, mark, [])


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def tell(hooks: Sequence[Hook], body: bytes | None, secret: Secret | None, hidden: frozenset[str]) -> None:  # fmt: skip
    """Deliver a message, and those that are pending, to every hook; a hook that fails does not end the watch.

    `hidden` are the environment variables that hold credentials: no program that is run gets them.
    """
    for one in hooks:
        if body is not None:
            one.pending.append(body)
            del one.pending[:-MOST_PENDING]
        while one.pending:
            failure = _run(one, one.pending[0], hidden) if one.words else _post(one, one.pending[0], secret)  # fmt: skip
            if failure:
                print(f"warning: {one.name} was not told: {failure}; tried again next time", file=sys.stderr)  # fmt: skip
                break
            one.pending.pop(0)


def _run(one: Hook, body: bytes, hidden: frozenset[str]) -> str | None:
    environment: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if name not in hidden
    }
    try:
        done = subprocess.run(  # noqa: S603 - no shell; the operator's own program
            one.words,
            input=body,
            env=environment,
            stdout=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {SECONDS} s"
    except OSError as error:
        return str(error.strerror)
    return f"it ended with {done.returncode}" if done.returncode else None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook that moved is told so; what is signed goes to no other place."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:  # fmt: skip
        return None


def _post(one: Hook, body: bytes, secret: Secret | None) -> str | None:
    headers: dict[str, str] = {
        "Content-Type": "application/json",
        "User-Agent": f"bfaudit/{__version__}",
    }
    if secret is not None:
        headers[SIGNATURE] = sign(secret, body, int(time.time()))
    request = urllib.request.Request(one.url, body, headers)  # noqa: S310 - checked by `hook`
    opener: Any = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return None if 200 <= answer.status < 300 else f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        error.close()
        return f"HTTP {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        cause = getattr(
            error, "reason", error
        )  # of a URLError; only the system's own words are told
        return (isinstance(cause, OSError) and cause.strerror) or type(cause).__name__


def sign(secret: Secret, body: bytes, at: int) -> str:
    """`t=<unix time>,v1=<HMAC-SHA256 of "<unix time>.<body>">`: the time keeps an old message from being sent again."""
    return f"t={at},v1={secret.signature(b'%d.%b' % (at, body))}"
