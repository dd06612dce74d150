"""Fields of where a scan sent its requests, and of the client that signed them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from bfaudit.model import ClientUsed, ExchangeScanned, Source
from bfaudit.policy.evidence import Evidence, Subject

_UNSEEN = "compiled copies of its files, and what runs before it, are not compared"


def redirected(subject: Subject) -> Evidence:
    """Known where all scans that were joined agree: which of them asked this key, a snapshot does not tell."""
    return _agreed(subject, lambda one: one.redirected)


def host(subject: Subject) -> Evidence:
    """The host, without its port."""
    return _agreed(subject, lambda one: _host(one.url))


def refused_hosts(subject: Subject) -> Evidence:
    """Those of every scan that was joined."""
    asked = _asked(subject)
    if not asked:
        return _unrecorded()
    found = dict.fromkeys(name for one in asked for name in one.refused_hosts)
    return Evidence(tuple(found), None, Source.PROBE)


def _asked(subject: Subject) -> list[ExchangeScanned]:
    return subject.fleet.ran.exchanges.get(subject.connection.exchange, [])


def _agreed(subject: Subject, value: Callable[[ExchangeScanned], Any]) -> Evidence:
    values = list(dict.fromkeys(map(value, _asked(subject))))
    if not values:
        return _unrecorded()
    if len(values) > 1:
        hosts = " and ".join(_host(one.url) for one in _asked(subject))
        why = f"the snapshot joins scans that asked {hosts}, and does not tell which asked this key"
        return Evidence(unknown=why, source=Source.PROBE)
    return Evidence(values[0], None, Source.PROBE)


def _unrecorded() -> Evidence:
    return Evidence(unknown="the scan did not record where it sent the requests")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def genuine(subject: Subject) -> Evidence:
    """False as soon as one difference is certain."""

    def told(client: ClientUsed) -> Evidence:
        unknown = None if client.differs else client.unknown
        value = None if unknown else not client.differs
        return Evidence(value, unknown, Source.PROBE, None, _UNSEEN)

    return _client(subject, told)


def differs(subject: Subject) -> Evidence:
    return _client(
        subject,
        lambda client: Evidence(client.differs, client.unknown, Source.PROBE, None, _UNSEEN),
    )


def known_bad(subject: Subject) -> Evidence:
    return _client(subject, lambda client: Evidence(client.known_bad, None, Source.PROBE))


def _client(subject: Subject, told: Callable[[ClientUsed], Evidence]) -> Evidence:
    client = subject.fleet.ran.client
    if client is None:
        return Evidence(unknown="the scan did not record which client signed its requests")
    return told(client)
