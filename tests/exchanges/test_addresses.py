"""IP lists as exchanges tell them: bound to nothing, bound to something, or nobody knows."""

import pytest

from bfaudit.exchanges.values import bound_to

ANYWHERE = ("*", "*.*.*.*", "0.0.0.0/0", "::/0", "203.0.113.10/0", "203.0.113.10,0.0.0.0/00")
NOBODY_KNOWS = (
    None, True, 0, {}, [None], [["203.0.113.10"]], "false", "null", "0.0.0.0", "::", "0:0:0:0:0:0:0:0", "0.0.0.0/8", "**.**",
    "*.*", "...", "203.0.113.10 198.51.100.7", "203.0.113.10;198.51.100.7", "203.0.113.10,0.0.0.0", ["203.0.113.10,*"],
)  # fmt: skip
BOUND = (
    "203.0.113.10",
    "203.0.113.0/24",
    "2001:db8::1",
    "203.**.154",
    "10.**.1",
    "203.0.113.1-203.0.113.9",
)


@pytest.mark.parametrize("told", ["", [], [""], " , ", *ANYWHERE, [*ANYWHERE[:-1]]])
def test_bound_to_nothing(told):
    """No list, an empty one and one that admits every address are the same."""
    assert () == bound_to(told)


@pytest.mark.parametrize("told", NOBODY_KNOWS, ids=repr)
def test_nobody_knows(told):
    """What names no address does not say that the key is bound, nor that it is not."""
    assert bound_to(told) is None


@pytest.mark.parametrize("told", BOUND)
def test_bound(told):
    """An address, a network, and an address of which a part is masked."""
    assert (told,) == bound_to(told)
    assert (told, "198.51.100.7") == bound_to([told, "198.51.100.7"])
