"""The secrets of a scan's connections, each resolved when its connection's turn comes, and kept by nobody here."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from bfaudit import redact
from bfaudit.credentials import ResolveContext, Scheme, Secret, fetched, parse
from bfaudit.credentials.cache import Cache
from bfaudit.errors import CredentialError
from bfaudit.model import Connection

TOGETHER = 16
"""References that are waited for at once: enough for a vault, and not too much for it."""
SECONDS = 60.0
"""How long one reference may take; a keyring may have to ask its owner."""


class Resolver:
    """Resolves the references of one scan; made when it begins, closed when it ends.

    What several references are read from (a secrets file, a path of a vault) is read once, and kept in a bounded cache
    that `close` empties. No `Secret` is kept: it lives as long as whoever asked for it holds it.
    """

    def __init__(
        self, environ: Mapping[str, str], *, allow_exec: bool = False, together: int = TOGETHER
    ) -> None:
        self._environ = environ
        self._allow_exec = allow_exec
        self._together = together
        self._cache = Cache()
        self._contexts: dict[str, ResolveContext] = {}
        self._known = redact.known()
        self._threads: ThreadPoolExecutor | None = None
        self._turns = asyncio.Semaphore(together)

    async def secrets(self, connection: Connection) -> dict[str, Secret]:
        """The secrets of a connection by their role. Raises the CredentialError of the first that cannot be had.

        Only a scheme that blocks is awaited, in a thread; `env:` and `file:` answer at once.
        """
        context = self._context(connection.place.file)
        found: dict[str, Secret] = {}
        waited: list[tuple[str, Scheme, str]] = []
        for role, text in connection.credentials.items():
            scheme, rest = parse(text)
            if scheme.blocking:
                waited.append((role, scheme, rest))
            else:
                found[role] = fetched(scheme, rest, context)
        if waited:
            told = await asyncio.gather(
                *(self._in_thread(scheme, rest, context) for _, scheme, rest in waited)
            )
            for (role, _, _), one in zip(waited, told, strict=True):
                if isinstance(one, CredentialError):
                    # A new one: raising the one that `told` holds would tie the secrets in it to the error.
                    raise CredentialError(one.message, hint=one.hint)
                found[role] = one
        for role, secret in found.items():
            self._known.note(role, secret.reveal())
        return found

    def _context(self, manifest: str) -> ResolveContext:
        context = self._contexts.get(manifest)
        if context is None:
            context = ResolveContext(self._environ, manifest, self._allow_exec, self._cache)
            self._contexts[manifest] = context
        return context

    async def _in_thread(
        self, scheme: Scheme, rest: str, context: ResolveContext
    ) -> Secret | CredentialError:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._together, "bfaudit-credentials")
        loop = asyncio.get_running_loop()
        async with self._turns:
            try:
                async with asyncio.timeout(SECONDS):
                    return await loop.run_in_executor(self._threads, fetched, scheme, rest, context)
            except TimeoutError:
                return CredentialError(
                    f"`{scheme.name}:` did not answer within {SECONDS:g} seconds"
                )
            except CredentialError as error:
                return CredentialError(error.message, hint=error.hint)  # without its frames

    def close(self) -> None:
        """Forget what was read. A thread that still waits ends by itself, and what it brings is dropped."""
        self._cache.clear()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
