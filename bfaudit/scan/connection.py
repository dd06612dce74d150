"""One connection: resolve its credentials, ask, parse, judge; what remains is free of secrets."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from msgspec.structs import replace

from bfaudit.credentials import split
from bfaudit.credentials.resolving import Resolver
from bfaudit.errors import CredentialError
from bfaudit.exchanges.base import Adapter, Context, Listing, Reply
from bfaudit.facts import FactsBuilder
from bfaudit.model import (
    Connection,
    Fact,
    Facts,
    Inventory,
    ListedKey,
    Reason,
    RequestMade,
    Scanned,
    Source,
)
from bfaudit.reach import conclude
from bfaudit.scan import clients
from bfaudit.scan.asking import Asking, Exchange
from bfaudit.scan.options import Options
from bfaudit.scan.scrub import hide, scrub
from bfaudit.scan.status import Answer, judge_connection, refusal

FINGERPRINT_VARIABLE = "BFAUDIT_FINGERPRINT_KEY"
LONG_ENOUGH_TO_SHOW = 16
"""Keys shorter than this are not shown at all, not even their last four characters."""


ENOUGH_TO_TELL = 4
"""Fewer characters, of a masked key, may be those of any key: BingX shows two at either end."""


async def scan_connection(
    exchange: Exchange, connection: Connection, options: Options, resolver: Resolver
) -> Scanned:
    """Ask about one connection."""
    now = datetime.now(UTC)
    try:
        secrets = await resolver.secrets(connection)
    except CredentialError as error:
        answer = refusal(Reason.UNRESOLVED_CREDENTIAL, f"{error.message.rstrip('.')}.")
        return _scanned(connection, answer, now)
    revealed = {role: secret.reveal() for role, secret in secrets.items()}
    values = list(revealed.values())
    asking = Asking(
        exchange,
        clients.view(exchange.template, revealed),
        connection.account or connection.name,
        wants_uid=connection.uid is not None or options.connection_test,
    )
    key = asking.key
    adapter = exchange.adapter
    await adapter.fetch(asking)
    if options.connection_test and _works(asking):
        await _connection_test(adapter, connection, asking)
    context = Context(now, lambda text: _is_own(text, key), _kind(revealed["secret"]))
    inventory = None
    if connection.inventory and adapter.lists and _works(asking):
        await adapter.lists.fetch(asking)
        listing = adapter.lists.parse(asking.replies, context)
        inventory = _inventory(listing, adapter.lists.covers, options.environ, values)
    facts = scrub(conclude(adapter, adapter.parse(asking.replies, context), now), values)
    answer = judge_connection(adapter, connection, asking.replies, facts, now)
    return _scanned(
        connection,
        replace(answer, detail=hide(answer.detail, values)),  # the exchange's own code is in it
        now,
        facts=_with_tests(facts, asking.replies),
        fingerprint=fingerprint(key, options.environ),
        fingerprint_key=fingerprint_key(options.environ),
        requests=tuple(asking.made),
        inventory=inventory,
        scheme=lambda text: text.partition(":")[0],  # what was resolved is a reference
    )


def _works(asking: Asking) -> bool:
    return any(reply.ok for reply in asking.replies.values())


def _tail(key: str) -> str:
    """The last characters of a listed key, where it is long enough and they are not masked."""
    tail = key[-4:]
    return tail if len(key) >= LONG_ENOUGH_TO_SHOW and "*" not in tail else ""


def _inventory(
    listing: Listing, covers: str, environ: Mapping[str, str], secrets: Sequence[str]
) -> Inventory:
    """A listing without the text of its keys."""
    keys = tuple(
        ListedKey(
            owner=hide(one.owner, secrets),
            fingerprint=None if "*" in one.key or not one.key else fingerprint(one.key, environ),
            shown=_tail(one.key),
            label=one.label and hide(one.label, secrets),
            uid=one.uid and hide(one.uid, secrets),
            request=one.request,
            facts=scrub(one.facts, secrets),
        )
        for one in listing.keys
    )
    incomplete = listing.incomplete and hide(listing.incomplete, secrets)
    return Inventory(keys=keys, covers=covers, incomplete=incomplete)


def _scanned(
    connection: Connection,
    answer: Answer,
    at: datetime,
    *,
    facts: Facts | None = None,
    fingerprint: str | None = None,
    fingerprint_key: str | None = None,
    requests: tuple[RequestMade, ...] = (),
    inventory: Inventory | None = None,
    scheme: Callable[[str], str] = lambda text: split(text)[0],
) -> Scanned:
    return Scanned(
        connection=connection,
        status=answer.status,
        reason=answer.reason,
        detail=answer.detail,
        advice=answer.advice,
        scanned_at=at,
        fingerprint=fingerprint,
        fingerprint_key=fingerprint_key,
        schemes={role: scheme(text) for role, text in connection.credentials.items()},
        facts=facts or FactsBuilder("").build({}, "the credential could not be resolved"),
        requests=requests,
        inventory=inventory,
    )


async def _connection_test(adapter: Adapter, connection: Connection, asking: Asking) -> None:
    """One balance read and one order read, of the market that the connection trades.

    `Adapter.tests` may name a pair for keys of one kind: `spot:unified` where the read `unified` answered.
    """
    market = "futures" if _futures_only(connection) else "spot"
    kinds = [f"{market}:{label}" for label, reply in asking.replies.items() if reply.ok]
    name = next((kind for kind in (*kinds, market) if kind in adapter.tests), "spot")
    for label, read in zip(("test.balance", "test.orders"), adapter.tests[name], strict=False):
        await asking(read, label=label)


def _futures_only(connection: Connection) -> bool:
    return "futures" in connection.requires and "trade" not in connection.requires


def _with_tests(facts: Facts, replies: Mapping[str, Reply]) -> Facts:
    made = {
        label: Fact(
            reply.verdict.reason.value if reply.verdict else "ok", Source.PROBE, reply.read.path
        )
        for label, reply in replies.items()
        if label.startswith("test.")
    }
    return Facts({**facts.known, **made}, facts.unknown) if made else facts


def fingerprint(key: str, environ: Mapping[str, str]) -> str:
    """The identity of an API key in snapshots and reports, equal wherever the same key is used.

    Keyed by BFAUDIT_FINGERPRINT_KEY, so that nobody outside can tell whether a key he knows is in a report.
    """
    mac = _mac(_pepper(environ)).copy()
    mac.update(key.encode("utf-8", "replace"))
    return mac.hexdigest()[:20]


def fingerprint_key(environ: Mapping[str, str]) -> str:
    """What tells one key of fingerprints from another: fingerprints that were made with different ones cannot be compared."""
    return _told_apart(_pepper(environ))


@lru_cache(4)
def _mac(pepper: bytes) -> hmac.HMAC:
    return hmac.new(pepper, digestmod="sha256")


@lru_cache(4)
def _told_apart(pepper: bytes) -> str:
    return hmac.digest(pepper, b"bfaudit-fingerprint-key/1", "sha256").hex()[:8]


def _pepper(environ: Mapping[str, str]) -> bytes:
    return (environ.get(FINGERPRINT_VARIABLE) or "bfaudit-fingerprint/1").encode()


def _is_own(text: str, key: str) -> bool:
    """Whether a key as an exchange shows it, with `*` for what it hides, is the key."""
    if "*" not in text:
        return hmac.compare_digest(text.encode(), key.encode())
    head, tail = text[: text.index("*")], text[text.rindex("*") + 1 :]
    tells = len(head) + len(tail) >= ENOUGH_TO_TELL
    return tells and key.startswith(head) and key.endswith(tail)


def _kind(text: str) -> str:
    """How a secret signs, by its form, as ccxt tells them apart."""
    if "PRIVATE KEY" not in text:
        return "hmac"
    if "EC PRIVATE KEY" in text:
        return "ecdsa"
    return "rsa" if len(text) > 240 else "ed25519"
