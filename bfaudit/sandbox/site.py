"""What a played exchange is: its endpoints, limits, troubles, and how its credentials look."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bfaudit.model import Json
from bfaudit.sandbox.book import Maker
from bfaudit.sandbox.call import Answer, Call, Refused
from bfaudit.sandbox.checks import Scheme, check


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One request that an exchange serves."""

    path: str
    """Method and path, such as `GET /api/v3/account`."""
    answer: Callable[[Call], Json]
    """The success: JSON, or an `Answer`. May raise `Refused`."""
    scheme: Scheme | None = None
    """None for a public endpoint."""
    needs: str = ""
    """The permission that it asks for, in the exchange's own token; `A|B` for either."""
    weight: float = 1.0
    pool: str = "default"


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `units` of weight in any `seconds`, counted by address, account or key, over one pool."""

    units: float
    seconds: float
    scope: Literal["ip", "uid", "key"] = "ip"
    pool: str = "default"


Trouble = tuple[int, Json]
"""HTTP status and body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One exchange, as the sandbox plays it."""

    id: str
    """Its ccxt id, and the first part of its local path."""
    handler: Callable[[Call], Answer]
    credentials: Maker
    troubles: Mapping[str, Trouble]
    """Its own answers when it is in trouble, by kind of fault: `rate-limit`, `ban`, `maintenance`, ..."""
    quotas: tuple[Quota, ...] = ()
    modes: Mapping[str, str] = field(default_factory=dict)
    """The payload variants that a scenario may ask for, and what each means."""


def routes(*endpoints: Endpoint, otherwise: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """A handler that finds the endpoint, counts it, checks who asks, and answers."""
    table = {endpoint.path: endpoint for endpoint in endpoints}
    if len(table) != len(endpoints):
        raise ValueError("two endpoints have the same path")

    def handle(call: Call) -> Answer:
        endpoint = table.get(f"{call.method} {call.path}")
        if endpoint is None:
            return otherwise(call)
        scheme = endpoint.scheme
        if scheme is not None:
            call.key = call.book.keys.get(scheme.key(call) or "")
        try:
            call.spend(call, endpoint.pool, endpoint.weight)
            if scheme is not None:
                check(scheme, call, endpoint.needs)
            body = endpoint.answer(call)
        except Refused as refused:
            return refused.answer
        return body if isinstance(body, Answer) else Answer(body)

    return handle


def trouble(site: Site, kind: str, *, retry_after: float | None = None) -> Answer:
    """The exchange's own answer when it is in trouble; `retry_after` is in seconds."""
    status, body = site.troubles[kind]
    # RFC 9110: whole seconds
    headers = {} if retry_after is None else {"Retry-After": str(max(1, -int(-retry_after // 1)))}
    return Answer(body, status, headers)
