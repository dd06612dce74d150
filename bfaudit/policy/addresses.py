"""Addresses of IP allowlists: what they cover of the declared servers, masked entries included.

Exchanges mask octets, and one mask may swallow several: `203.**.154`. A masked entry never proves that it is an
address; it only shows that it may be one. What it may decide either way stays open.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_network
from typing import NamedTuple

Network = IPv4Network | IPv6Network

# Documentation ranges are left out on purpose: no exchange lists them, every example does.
_PRIVATE: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip

_MASKED = re.compile(r"(?=.*\*)[0-9.*]{1,45}", re.ASCII)
_MASK = re.compile(r"\*+")

_ENUMERABLE = 256
"""How many addresses of a declared range are tried against a mask; wider ranges stay open."""


class Split(NamedTuple):
    """The items of which something certainly holds, and those of which it may."""

    certain: tuple[str, ...]
    possible: tuple[str, ...]


class Coverage(NamedTuple):
    """How an allowlist compares with the declared servers."""

    missing: Split
    """Servers that no entry covers."""
    unexpected: Split
    """Entries that are not within any server."""
    broad: Split
    """Entries for all the world, for private addresses, or wider than the server they cover."""


@lru_cache(65536)
def network(text: str) -> Network | None:
    """The network that a text names, host bits ignored; None for anything else."""
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    if isinstance(found, IPv6Network) and found.prefixlen >= 96:
        mapped = IPv6Address(found.network_address).ipv4_mapped
        if mapped is not None:
            return ip_network((mapped, found.prefixlen - 96))
    return found


def within(inner: Network, outer: Network) -> bool:
    """Whether every address of one network is in the other."""
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return False


def private(net: Network) -> bool:
    """Whether no address of a network is reachable from the internet."""
    return any(within(net, other) for other in _PRIVATE)


@lru_cache(4096)
def compare(allowlist: tuple[str, ...], servers: tuple[str, ...]) -> Coverage:
    """How an allowlist compares with the declared servers."""
    allowed, open_entries = _read(allowlist)
    declared, open_servers = _read(servers)

    def missing(server: str) -> bool | None:
        net = network(server)
        if net is None:
            return None
        if any(within(net, entry) for entry in allowed):
            return False
        return None if any(may_be(entry, net) for entry in open_entries) else True

    def unexpected(entry: str) -> bool | None:
        net = network(entry)
        if net is None:
            other = _MASKED.fullmatch(entry) and not any(may_be(entry, s) for s in declared)
            return True if other and not open_servers else None
        if any(within(net, server) for server in declared):
            return False
        return None if open_servers else True

    return Coverage(
        _split(servers, missing),
        _split(allowlist, unexpected),
        _split(allowlist, lambda entry: _broad(entry, declared)),
    )


def _read(texts: tuple[str, ...]) -> tuple[list[Network], list[str]]:
    """The networks that the texts name, adjacent ones joined, and the texts that name none."""
    found = [(text, network(text)) for text in texts]
    old = collapse_addresses(net for _, net in found if isinstance(net, IPv4Network))
    new = collapse_addresses(net for _, net in found if isinstance(net, IPv6Network))
    return [*old, *new], [text for text, net in found if net is None]


def _split(items: tuple[str, ...], holds: Callable[[str], bool | None]) -> Split:
    verdicts = [(item, holds(item)) for item in items]
    return Split(
        tuple(item for item, verdict in verdicts if verdict),
        tuple(item for item, verdict in verdicts if verdict is None),
    )


def masked(entry: str) -> bool:
    """Whether an entry is an address with masked octets."""
    return _MASKED.fullmatch(entry) is not None


def may_be(entry: str, net: Network) -> bool:
    """Whether an entry that names no network may still stand for an address of one."""
    if not _MASKED.fullmatch(entry):
        return True
    if isinstance(net, IPv6Network):
        return False
    if net.num_addresses > _ENUMERABLE:
        return True
    pattern = re.compile("[0-9.]*".join(re.escape(part) for part in _MASK.split(entry)))
    return any(pattern.fullmatch(str(address)) for address in net)


def may_be_in(entry: str, net: Network) -> bool:
    """Whether a masked entry may stand for an address of a network, however wide that is."""
    lead = _lead(entry)
    return lead is not None and lead.overlaps(net) and may_be(entry, net)


def _broad(entry: str, declared: list[Network]) -> bool | None:
    net = network(entry)
    if net is None:
        lead = _lead(entry)
        if lead is None:
            return None
        if private(lead):
            return True
        return None if any(lead.overlaps(other) for other in _PRIVATE) else False
    if net.prefixlen == 0:
        return True
    if any(within(net, server) for server in declared):
        return False
    wide = any(within(server, net) for server in declared)
    return wide or any(net.overlaps(other) for other in _PRIVATE)


def _lead(entry: str) -> Network | None:
    """The range that the octets before the first mask leave; None where the entry is no masked address."""
    if not _MASKED.fullmatch(entry):
        return None
    octets = entry.split("*", 1)[0].split(".")[:-1]
    filled = ".".join([*octets, *["0"] * (4 - len(octets))])
    return network(f"{filled}/{8 * len(octets)}") if len(octets) < 4 else None
