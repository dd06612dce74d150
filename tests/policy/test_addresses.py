"""Allowlists against servers: masks prove nothing, and rule out much."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bfaudit.policy.addresses import compare, network

SERVER = "203.0.113.10"
ADDRESSES = st.integers(0, 2**32 - 1).map(lambda number: str(ipaddress.IPv4Address(number)))


@pytest.mark.parametrize(
    ("entry", "may_be"),
    [
        ("203.0.113.*", True),
        ("203.0.*.10", True),
        ("203.**.10", True),
        ("203.**.154", False),
        ("***.***.113.10", True),
        ("20*.0.113.1*", True),
        ("204.**.10", False),
        ("*", True),
        ("2001:db8:*::1", True),
        ("bot.example", True),
        ("203.0.*.0/24", True),
        ("*." * 40, True),
    ],
)
def test_masks(entry, may_be):
    """A mask may stand for several octets; what may be the server leaves both questions open."""
    coverage = compare((entry,), (SERVER,))

    assert coverage.missing == (((), (SERVER,)) if may_be else ((SERVER,), ()))
    assert coverage.unexpected == (((), (entry,)) if may_be else ((entry,), ()))


@given(ADDRESSES, st.sets(st.integers(0, 3), min_size=1))
def test_a_mask_never_rules_out_its_address(address, masked):
    """However an exchange masks the octets of a server, the server is not missing."""
    octets = ["*" if at in masked else octet for at, octet in enumerate(address.split("."))]
    entry = ".".join(octets)

    coverage = compare((entry,), (address,))

    assert coverage.missing.certain == coverage.unexpected.certain == ()


@pytest.mark.parametrize(
    ("entry", "broad"),
    [
        ("203.0.113.10", False),
        ("198.51.100.7", False),
        ("0.0.0.0/0", True),
        ("::/0", True),
        ("203.0.113.10/31", True),
        ("192.168.1.1", True),
        ("fe80::1", True),
        ("10.**.1", True),
        ("203.**.1", False),
        ("192.*.*.1", None),
        ("nonsense", None),
    ],
)
def test_broad(entry, broad):
    """Too broad: all the world, private addresses, ranges wider than the server they cover."""
    certain, possible = compare((entry,), (SERVER,)).broad

    assert broad is (True if certain else None if possible else False)


def test_a_private_server_that_is_declared_is_no_surprise():
    """What the manifest declares is as declared."""

    assert compare(("10.0.0.5",), ("10.0.0.5",)).broad == ((), ())


@pytest.mark.parametrize("world", ["0.0.0.0/0", "::/0"])
def test_all_the_world_is_broad_even_where_it_is_declared(world):
    """No manifest makes it a server."""

    assert compare((world,), (world,)).broad.certain == (world,)


def test_parts_cover_a_range():
    """Two adjacent entries cover the range they make; a hole is missing."""

    assert (
        compare(("203.0.113.0/25", "203.0.113.128/25"), ("203.0.113.0/24",)).missing.certain == ()
    )
    assert compare(("203.0.113.0/25",), ("203.0.113.0/24",)).missing.certain == ("203.0.113.0/24",)


def test_wide_servers_against_masks_stay_open():
    """A range too wide to try every address of is not decided by a mask."""

    assert compare(("10.**.1",), ("203.0.0.0/16",)).missing.possible == ("203.0.0.0/16",)


def test_an_unreadable_server_decides_nothing():
    """What cannot be read is neither missing nor covered."""

    assert compare((SERVER,), ("nonsense",)) == (((), ("nonsense",)), ((), (SERVER,)), ((), ()))


def test_addresses_of_both_families():
    """Mapped addresses are what they map to; host bits are ignored."""

    assert network("::ffff:203.0.113.10") == network(SERVER)
    assert network("203.0.113.10/24") == network("203.0.113.0/24")
    assert network(" 2001:db8::1 ") is not None
    assert network("") is None
