"""Who is asking: the checks that exchanges make of a request, each in its own order and words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bfaudit.sandbox.book import Held
from bfaudit.sandbox.call import Answer, Call, Refused


class Wrong(StrEnum):
    """What a check finds. Each exchange has its own order of checks, and its own words."""

    MISSING = "missing"
    """A header or parameter of the signature is not there."""
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    """No such key; a deleted one too."""
    WINDOW = "window"
    """The caller asks for too long a validity."""
    CLOCK = "clock"
    SIGNATURE = "signature"
    PASSPHRASE = "passphrase"
    EXPIRED = "expired"
    FROZEN = "frozen"
    ACCOUNT = "account"
    """The whole account is suspended."""
    IP = "ip"
    PERMISSION = "permission"


class Refuse(Protocol):
    """An exchange's answer to a failed check; `needs` is the permission that the endpoint asks for."""

    def __call__(self, call: Call, wrong: Wrong, needs: str) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How one family of endpoints tells who is asking. Every function answers whether all is well."""

    key: Callable[[Call], str | None]
    """The key that the request names."""
    signed: Callable[[Call, Held], bool]
    timely: Callable[[Call], bool]
    refuse: Refuse
    complete: Callable[[Call], bool] = lambda _call: True
    well_formed: Callable[[str], bool] = lambda _text: True
    window: Callable[[Call], bool] = lambda _call: True
    passphrase: Callable[[Call, Held], bool] = lambda _call, _held: True
    tolerates: frozenset[Wrong] = frozenset()
    """Checks that its exchange does not make."""
    order: tuple[Wrong, ...] = tuple(Wrong)


def check(scheme: Scheme, call: Call, needs: str) -> None:
    """Make the checks of a scheme, in its order; raises `Refused` with the answer to the first that fails."""
    for wrong in scheme.order:
        if wrong not in scheme.tolerates and _CHECKS[wrong](scheme, call, needs):
            raise Refused(scheme.refuse(call, wrong, needs))
        if wrong is Wrong.SIGNATURE:
            call.verified = call.key is not None


def _lacks(_scheme: Scheme, call: Call, needs: str) -> bool:
    return bool(needs) and not any(token in call.held.permissions for token in needs.split("|"))


_CHECKS: Mapping[Wrong, Callable[[Scheme, Call, str], bool]] = {
    Wrong.MISSING: lambda scheme, call, _: not scheme.key(call) or not scheme.complete(call),
    Wrong.MALFORMED: lambda scheme, call, _: not scheme.well_formed(scheme.key(call) or ""),
    Wrong.UNKNOWN: lambda _, call, __: call.key is None or call.key.key.state == "deleted",
    Wrong.WINDOW: lambda scheme, call, _: not scheme.window(call),
    Wrong.CLOCK: lambda scheme, call, _: not scheme.timely(call),
    Wrong.SIGNATURE: lambda scheme, call, _: not scheme.signed(call, call.held),
    Wrong.PASSPHRASE: lambda scheme, call, _: not scheme.passphrase(call, call.held),
    Wrong.EXPIRED: lambda _, call, __: call.held.expired,
    Wrong.FROZEN: lambda _, call, __: call.held.key.state == "frozen",
    Wrong.ACCOUNT: lambda _, call, __: call.account.frozen,
    Wrong.IP: lambda _, call, __: not call.held.allows(call.address),
    Wrong.PERMISSION: _lacks,
}
