"""The functions that rules may call beside those of CEL and its strings extension. All are total: no argument is an error."""

from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from bfaudit.policy.addresses import masked, may_be_in, network, private, within

_LARGEST = 2**63 - 1


class Function(NamedTuple):
    """One function: its name, its signatures as CEL types, what it says."""

    name: str
    takes: tuple[tuple[str, ...], ...]
    gives: str
    meaning: str
    call: Callable[..., Any]


def cidr_contains(outer: str | list[str], inner: str) -> bool:
    """Whether an address or network is within a network, or one of several; what is no address is in none."""
    net = network(inner)
    outers = [outer] if isinstance(outer, str) else outer
    return net is not None and any(
        within(net, found) for found in map(network, outers) if found is not None
    )


def cidr_size(text: str) -> int:
    """How many addresses a network has; 0 for what is no address."""
    net = network(text)
    return 0 if net is None else min(net.num_addresses, _LARGEST)


def is_private(text: str) -> bool:
    """Whether an address or network is private or reserved; false for what is no address."""
    net = network(text)
    return net is not None and private(net)


def is_masked(text: str) -> bool:
    """Whether an entry of an IP list has hidden octets, such as `203.**.154`, so that it names no address."""
    return masked(text)


def mask_admits(entry: str, address: str) -> bool:
    """Whether a masked entry may stand for an address, or one of a network; never proves it. False for what is not masked."""
    net = network(address)
    return net is not None and may_be_in(entry, net)


def age(since: datetime, until: datetime) -> int:
    """The full days from one time to another, such as `age(key.born, now)`; 0 where the first is the later."""
    return max(0, (until - since).days)


def wildcard(text: str, pattern: str) -> bool:
    """Whether a text matches a wildcard (`*`, `?`, `[abc]`), case included."""
    return fnmatchcase(text, pattern)


def matches_any(text: str, patterns: list[str]) -> bool:
    """Whether a text matches one of several wildcards (`*`, `?`, `[abc]`), case included."""
    return any(fnmatchcase(text, pattern) for pattern in patterns)


FUNCTIONS = tuple(
    Function(call.__name__, takes, gives, (call.__doc__ or "").strip(), call)
    for call, takes, gives in (
        (cidr_contains, (("string", "string"), ("list(string)", "string")), "bool"),
        (cidr_size, (("string",),), "int"),
        (is_private, (("string",),), "bool"),
        (is_masked, (("string",),), "bool"),
        (mask_admits, (("string", "string"),), "bool"),
        (age, (("timestamp", "timestamp"),), "int"),
        (wildcard, (("string", "string"),), "bool"),
        (matches_any, (("string", "list(string)"),), "bool"),
    )
)
