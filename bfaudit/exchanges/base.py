"""What an exchange adapter is: one constant of type `Adapter` in one small file of this folder."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, field

from bfaudit.model import Facts, Json, Reason, Word

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Scope(Word):
    """What a rate limit is counted by."""

    IP = "ip"
    UID = "uid"
    KEY = "key"


class Limit(Struct, frozen=True):
    """At most `units` of weight in any `seconds`, for each `scope`, over the reads of one `pool`."""

    units: float
    seconds: float
    scope: Scope
    pool: str | None = "default"
    """None counts every read of the exchange as one unit, whatever its weight."""

    def takes(self, read: "Read") -> float:
        """How much of it one read uses up."""
        if self.pool is None:
            return 1.0
        return read.weight if self.pool in (read.pool, read.pool.partition("/")[0]) else 0.0


class Read(Struct, frozen=True, kw_only=True):
    """One read request that an adapter may send."""

    label: str
    """The name its reply has in `Replies`."""
    path: str
    """Method and path as documented, such as `GET /api/v3/apiKeyInfo`."""
    call: str | tuple[str, tuple[str, ...]]
    """The implicit ccxt method, or (path, api sections) where ccxt has none."""
    params: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    pool: str = "default"
    """What it counts for; `default/x` counts for `default` too."""
    needs: str = ""
    """The permission that the exchange asks for, by its own name; empty for none."""
    expects: tuple[str, ...] = ()
    """Dotted paths, one of which every documented success has; `[]` is a list, `[].x` its first item's x. Empty: any JSON."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.path.split(" ", 1)[0]


class Form(Word):
    """What came back."""

    JSON = "json"
    TEXT = "text"
    """Neither JSON nor HTML: truncated JSON among them."""
    HTML = "html"
    EMPTY = "empty"
    NONE = "none"
    """No answer at all."""


class Verdict(Struct, frozen=True):
    """Why a reply is not the documented success."""

    reason: Reason
    code: str
    """The exchange's own code, or the HTTP status, or empty where there was no answer."""
    say: str
    """What it means, in our words; never the exchange's text."""
    seen_ip: str | None = None
    """The caller's address, where the exchange names it."""


class Reply(Struct, frozen=True, kw_only=True):
    """One answer, as it came. `body` is what a party that is not trusted sent."""

    read: Read
    http: int | None = None
    form: Form = Form.NONE
    body: Json = None
    failure: Reason | None = None
    """Why there was no answer, for a failure below HTTP."""
    error_class: str | None = None
    """The class ccxt would raise for it: the last thing to look at."""
    retry_after: float | None = None
    verdict: Verdict | None = None
    """None for the documented success."""

    @property
    def ok(self) -> bool:
        """Whether it is the documented success."""
        return self.verdict is None

    def refused(self, *reasons: Reason) -> bool:
        """Whether it was refused for one of these reasons."""
        return self.verdict is not None and self.verdict.reason in reasons


Replies = Mapping[str, Reply]
"""The replies of one connection, by the label of their read."""


class Ask(Protocol):
    """What `fetch` is given: sends one read for the connection being scanned, and keeps the reply."""

    key: str
    """The API key's public text, for exchanges that want it as a parameter."""
    wants_uid: bool
    """Whether the account's uid is worth an expensive read: the manifest declares it, or a connection test runs."""

    async def __call__(
        self, read: Read, params: Mapping[str, Any] = NOTHING, *, label: str | None = None
    ) -> Reply: ...


class Context(Struct, frozen=True):
    """What `parse` may know beside the replies."""

    now: datetime
    own_key: Callable[[str], bool] = lambda _text: False
    """Whether a text is the key being scanned; `*` in it stands for masked characters."""
    secret_kind: str | None = None
    """How the secret signs, as seen from its form: `hmac`, `rsa`, `ed25519`, `ecdsa`."""


class Refusal(Struct, frozen=True, kw_only=True):
    """One row of an error table: the exchange's own code, and a pattern of its text where codes are shared."""

    codes: tuple[str, ...]
    reason: Reason
    say: str
    text: str | None = None
    """A regular expression that the message must match (any case); None for any message."""
    http: int | None = None
    """The HTTP status that it comes with, where that tells rows apart."""
    reads: tuple[str, ...] = ()
    """The labels of the reads that it is about, where one answer means different things; empty: any."""


class Lapse(Struct, frozen=True, kw_only=True):
    """A rule by which the exchange itself ends a key after some days."""

    days: int
    counts_from: str
    """`created` or `use` (the last authenticated call, our own scan included)."""
    any_of: tuple[str, ...] = ()
    """It ends keys with any of these permissions; empty for every key."""
    unbound_only: bool = True
    """It ends only keys without an IP list."""
    says: str
    """The rule as published, in our words, with what is uncertain about it."""
    source: str
    """The page it is published on."""
    certain: bool = True
    """False where sources disagree or the current wording is not confirmed."""


class Step(Struct, frozen=True, kw_only=True):
    """What a holder of a key can reach beyond the key's own permissions."""

    reach: str
    """`manage_keys`, `ip_list`, `transfer`, `withdraw`, or `exit:<name>` (earn, convert, p2p, copy, loan)."""
    any_of: tuple[str, ...]
    """Any of these permissions suffices (words, or `other:<token>`)."""
    master_only: bool = False
    sub_only: bool = False
    bound_only: bool = False
    """Only a key with an IP list can."""
    says: str
    """What can be done and how, naming the endpoint."""
    source: str
    certain: bool = True


class Listed(Struct, frozen=True, kw_only=True):
    """One key as a listing shows it; `key` is its text, which stays in memory for as long as the scan takes."""

    key: str
    """As shown; `*` stands for what is masked."""
    owner: str
    uid: str | None = None
    label: str | None = None
    request: str
    facts: Facts


class Listing(Struct, frozen=True):
    """What a listing showed."""

    keys: tuple[Listed, ...]
    incomplete: str | None = None
    """Why it is not whole: a page was refused, or has a shape that nobody documents."""


class Lists(Struct, frozen=True, kw_only=True):
    """How a master key lists the keys of its account or sub-accounts."""

    reads: tuple[Read, ...]
    covers: str
    """Which keys it can show."""
    fetch: Callable[[Ask], Awaitable[None]]
    """Sends the pages; labels of replies are the adapter's own (`ask(read, params, label=...)`)."""
    parse: Callable[[Replies, Context], Listing]
    """Pure, and total over any JSON. A reply that is not ok makes the listing incomplete."""


class Adapter(Struct, frozen=True, kw_only=True):
    """All that bfaudit knows of one exchange."""

    id: str
    """The ccxt id."""
    realms: Mapping[str, str] = field(default_factory=dict)
    """Other ccxt ids that speak the same protocol for another site, such as `myokx`, and the official URL of each."""
    title: str
    support: str = "full"
    """`full`: the exchange describes the key; `probe`: only refusals tell; `status-only`: whether it works."""
    host: str
    """The official URL that private requests go to."""
    hosts: tuple[str, ...] = ()
    """Other official hosts that requests go to."""
    credentials: tuple[str, ...] = ("key", "secret")
    reads: tuple[Read, ...]
    """Every read that `fetch` may send."""
    fetch: Callable[[Ask], Awaitable[None]]
    """Sends the reads that are needed; looks at verdicts only, parses nothing."""
    parse: Callable[[Replies, Context], Facts]
    """Replies to facts: pure, and total over any JSON."""
    error_of: Callable[[Json], tuple[str, str] | None]
    """(code, message) of an error body; None where the body is the exchange's success envelope."""
    refusals: tuple[Refusal, ...]
    limits: tuple[Limit, ...]
    tests: Mapping[str, tuple[Read, ...]]
    """A harmless balance read and order read (if any is known) for the connection test: for `spot`, and `futures`
    where it differs."""
    retries: Mapping[Reason, int] = field(default_factory=dict)
    """Refusals that this exchange gives by mistake too, and how often a read is sent again after each."""
    untold: Mapping[str, str] = field(default_factory=dict)
    """What this exchange never tells, by path of the fact, and why."""
    left_open: frozenset[str] = frozenset()
    """Why its full answer leaves a permission unknown, however often it is asked; in the words of the facts."""
    tells_life: tuple[str, ...] = ()
    """Facts by which it says that a key is dead which it still answers: without them nobody knows that it lives."""
    links: tuple[str, ...] = ()
    """The official pages that this file is made from."""
    lists: Lists | None = None
    """How it lists keys; None where no key can."""
    lapses: tuple[Lapse, ...] = ()
    steps: tuple[Step, ...] = ()
    how_to: tuple[str, ...] = ()
    """How to create a correct key there, step by step, with the names of its web page."""
    posts: frozenset[str] = frozenset()
    """Exact paths that the exchange serves as reads by POST."""
    harmless_tests: frozenset[str] = frozenset()
    """Exact paths of test orders; sent with `--allow-probes` only."""

    def url(self, exchange: str) -> str:
        """The official URL for a ccxt id: the adapter's own, or one of its realms."""
        return self.realms.get(exchange, self.host)

    @property
    def official(self) -> frozenset[str]:
        """Every host that requests may go to, as URLs write it."""
        urls = (self.host, *self.realms.values())
        return frozenset((*(urlsplit(url).netloc for url in urls), *self.hosts))
