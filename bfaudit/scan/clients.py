"""ccxt, kept to what it is needed for: it signs. One template per exchange, one view per key.

A view shares everything with its template but its credentials and its `options`: it costs 4 us and 4 KB where a
constructor costs 2 ms and 250 KB. Credentials are never swapped on a shared instance, because ccxt signs after awaits.
"""

import hashlib
import hmac
import logging
import re
import time
from binascii import b2a_base64
from collections.abc import Mapping
from types import FunctionType
from typing import Any
from urllib.parse import urlsplit

import ccxt.async_support as ccxt
from ccxt.base.types import Entry

from bfaudit.exchanges.base import NOTHING, Adapter, Read
from bfaudit.model import Reason
from bfaudit.scan import urls
from bfaudit.scan.answer import Raw
from bfaudit.scan.transport import Wire, WriteRefusedError

# At DEBUG this logger writes signed requests with their headers.
logging.getLogger("ccxt").setLevel(logging.WARNING)

Client = Any
"""An exchange object of ccxt, which makes its methods at run time."""

_URL = re.compile(r"([a-z]+)://([^/?#]+)(/[^?#]*)(?:\?[^#]*)?")
"""Scheme, host with port and path of a URL."""
_ENOUGH = 256
"""Addresses of one exchange of which it is remembered that they may be read."""
_NOT_SENT = Raw(failure=Reason.BLOCKED)
_ONE_SHOT = {hashlib.sha256: "sha256", hashlib.sha384: "sha384", hashlib.sha512: "sha512"}

OFFSET = "timeDifference"
"""ccxt's option for how far our clock is ahead of the exchange's, in milliseconds."""
ROLES = {"key": "apiKey", "secret": "secret", "passphrase": "password"}


def _plain_query(params: Mapping[str, Any]) -> str | None:
    """A query of numbers and ASCII letters, which stand in a URL as they are; None for any other."""
    for value in params.values():
        if type(value) is not int and not (
            type(value) is str and value.isascii() and value.isalnum()
        ):
            return None
    return "&".join([f"{name}={value}" for name, value in params.items()])


def local_milliseconds() -> int:
    """The clock of this host, in milliseconds since 1970."""
    return int(time.time() * 1000)


class _Reads:
    """Replaces ccxt's own sending: nothing but reads leaves, and what comes back is not judged by ccxt."""

    bf_adapter: Adapter
    bf_prefix: str
    bf_reads: re.Pattern[str]
    bf_posts: frozenset[str]
    bf_wire: Wire
    bf_endpoints: dict[str, tuple[str, list[str], str]]
    """What `endpoint` found, by the name of the call."""
    bf_decided: dict[tuple[str, str, bool], tuple[str, str, str]]
    """What may leave, by its URL without the query, its method, and whether it is signed for a key."""
    bf_hosts: frozenset[str]
    """The only hosts that requests may go to."""
    bf_strangers: set[str]
    """Other hosts that ccxt wanted to send requests to."""
    bf_seconds: float
    bf_view: type
    bf_raw = False
    bf_corrects = True
    """Whether ccxt takes the clock's offset off the nonce itself: it does where it declares the option."""
    options: dict[str, Any]

    def milliseconds(self) -> int:
        """The exchange's time; our own where ccxt corrects it afterwards."""
        return local_milliseconds() - (0 if self.bf_corrects else self.options[OFFSET])

    def seconds(self) -> int:
        """The exchange's time: ccxt never corrects this one."""
        return (local_milliseconds() - int(self.options.get(OFFSET) or 0)) // 1000

    async def fetch(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> Any:
        """Send what ccxt signed. Raises WriteRefusedError for anything but a known read, before it leaves."""
        base, mark, query = url.partition("?")
        may = self.bf_decided.get((base, method, self.bf_raw))
        if may is None or "#" in query:
            may = self._decide(url, base, method)
            if may is None:
                return _NOT_SENT if self.bf_raw else None
        scheme, host, path = may
        raw = await self.bf_wire.send(
            scheme, host, f"{path}{mark}{query}", method, headers, body, self.bf_seconds
        )
        return raw if self.bf_raw else raw.body

    def _decide(self, url: str, base: str, method: str) -> tuple[str, str, str] | None:
        """Scheme, host and path of a request that may leave; None for one to a stranger."""
        parts = _URL.fullmatch(url)
        if parts is None:
            raise WriteRefusedError(f"{method} of what is no URL to {self.bf_adapter.title}")
        scheme, host, path = parts.groups()
        if host not in self.bf_hosts:
            self.bf_strangers.add(host)
            return None
        read = path.removeprefix(self.bf_prefix)
        if not self.bf_may(method, read):
            raise WriteRefusedError(f"{method} {read} is not a read of {self.bf_adapter.title}")
        if len(self.bf_decided) < _ENOUGH:
            self.bf_decided[base, method, self.bf_raw] = scheme, host, path
        return scheme, host, path

    def bf_may(self, method: str, path: str) -> bool:
        """Whether a request may leave: a listed read, or, without credentials, any GET.

        The method alone would not do: some exchanges take orders and withdrawals by GET.
        """
        if method == "POST":
            return path in self.bf_posts
        return method == "GET" and (not self.bf_raw or self.bf_reads.fullmatch(path) is not None)

    def check_required_credentials(self, *_: object) -> bool:
        """A manifest without one of them is not scanned: ccxt need not look again for every request."""
        return True

    @staticmethod
    def hmac(request: bytes, secret: bytes, algorithm: Any = hashlib.sha256, digest: str = "hex") -> Any:  # fmt: skip
        """ccxt's own signature, made in one call of OpenSSL: five times as fast."""
        name = _ONE_SHOT.get(algorithm)
        if name is None:
            return ccxt.Exchange.hmac(request, secret, algorithm, digest)
        binary = hmac.digest(secret, request, name)
        if digest == "hex":
            return binary.hex()
        return b2a_base64(binary, newline=False).decode() if digest == "base64" else binary

    @staticmethod
    def safe_string(holder: Any, key: Any, default_value: Any = None) -> Any:
        """ccxt's own lookup of a text or number as text, without an exception where there is none."""
        if type(holder) is not dict or type(key) is not str:
            return ccxt.Exchange.safe_string(holder, key, default_value)
        value = holder.get(key)
        if type(value) is str:
            return value or default_value
        return str(value) if type(value) is int or type(value) is float else default_value

    @staticmethod
    def safe_value(holder: Any, key: Any, default_value: Any = None) -> Any:
        """ccxt's own lookup of what is neither null nor empty, without an exception where there is none."""
        if type(holder) is not dict or type(key) is not str:
            return ccxt.Exchange.safe_value(holder, key, default_value)
        value = holder.get(key)
        return default_value if value is None or value == "" else value

    @staticmethod
    def urlencode(params: Mapping[str, Any] = NOTHING, *how: Any) -> str:
        """ccxt's own query; what needs no quoting is not looked at letter by letter."""
        plain = None if how else _plain_query(params)
        return str(ccxt.Exchange.urlencode(params, *how)) if plain is None else plain

    @staticmethod
    def rawencode(params: Mapping[str, Any] = NOTHING, *how: Any) -> str:
        """ccxt's own query that is not quoted."""
        plain = None if how else _plain_query(params)
        return str(ccxt.Exchange.rawencode(params, *how)) if plain is None else plain

    def __del__(self) -> None:
        """ccxt complains here about sessions that it does not own."""


def template(
    exchange: str,
    adapter: Adapter,
    wire: Wire,
    override: str | None,
    *,
    seconds: float,
    probes: bool,
) -> Client:
    """The one ccxt object of an exchange; without credentials."""
    cls = type(exchange, (_Reads, getattr(ccxt, exchange)), {"bf_adapter": adapter})
    client = cls(
        {
            "enableRateLimit": False,
            "options": {"maxRetriesOnFailure": 0},
        }
    )
    client.options.pop("partner", None)  # a second signature, which says that ccxt sent the request
    if OFFSET not in client.options:
        client.options[OFFSET] = 0
        client.bf_corrects = False
    client.bf_seconds = seconds
    client.bf_reads = _paths(adapter)
    client.bf_posts = adapter.posts | adapter.harmless_tests if probes else adapter.posts
    client.bf_wire = wire
    client.bf_endpoints = {}
    client.bf_decided = {}
    client.bf_prefix = urlsplit(override).path if override else ""
    client.bf_hosts = frozenset({urlsplit(override).netloc}) if override else adapter.official
    client.bf_strangers = set()
    if override:
        client.urls["api"] = urls.redirect(client.urls["api"], override)
    client.bf_view = _view_class(client)
    return client


def _view_class(of: Client) -> type:
    """The class of an exchange's views: the template's own state is the class's, theirs are credentials and options."""
    state = {
        name: staticmethod(value) if isinstance(value, FunctionType) else value
        for name, value in vars(of).items()
    }
    return type(type(of).__name__, (type(of),), {**state, "bf_raw": True})


def _paths(adapter: Adapter) -> re.Pattern[str]:
    """Every path that an adapter reads by GET; `{name}` in one stands for one part of a path."""
    reads = [*adapter.reads, *(read for pair in adapter.tests.values() for read in pair)]
    reads += adapter.lists.reads if adapter.lists else ()
    paths = {read.path.split(" ", 1)[1] for read in reads if read.method == "GET"}
    parts = (re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) for path in sorted(paths))
    return re.compile("|".join(parts))


def view(of: Client, credentials: Mapping[str, str]) -> Client:
    """A client for one key. Revealed secrets live as long as it does."""
    client: Client = object.__new__(of.bf_view)
    client.options = dict(of.options)
    for role, value in credentials.items():
        # A PEM key out of JSON or one line of an environment file has its line breaks written as \\n.
        pem = value.startswith("-----BEGIN")
        setattr(client, ROLES[role], value.replace("\\n", "\n") if pem else value)
    return client


def endpoint(client: Client, read: Read) -> tuple[str, list[str], str]:
    """Path, sections and method of a read, as ccxt's `sign` wants them."""
    if not isinstance(read.call, str):
        path, sections = read.call
        return path, list(sections), read.method
    found: tuple[str, list[str], str] | None = client.bf_endpoints.get(read.call)
    if found is None:
        # A constructor leaves functions in place of some of them, on the class that it makes.
        declared = (vars(of).get(read.call) for of in type(client).__mro__)
        entry = next(one for one in declared if isinstance(one, Entry))
        found = client.bf_endpoints[read.call] = entry.path, entry.api, entry.method
    return found


def error_class(client: Client, raw: Raw, url: str) -> str | None:
    """The class that ccxt would raise for an answer: the last resort for codes that no table knows."""
    try:
        client.handle_errors(raw.http, "", url, "GET", {}, raw.text, raw.body, {}, None)
    except Exception as error:  # noqa: BLE001 - whatever ccxt does with a hostile body, only the name counts
        return type(error).__name__
    return None
