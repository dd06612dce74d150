"""Whether a key that an exchange shows, masked or whole, is the one being scanned."""

import pytest

from bfaudit.scan.connection import _is_own

KEY = "zFk3v9Qw7LmA2xT8bNcR5yHd0PzQ"


@pytest.mark.parametrize("shown", [KEY, "zF*******zQ", "zFk3v9Qw7LmA*****", "****0PzQ"])
def test_it_is(shown):
    """The whole key, and a mask that leaves enough of it."""
    assert _is_own(shown, KEY)


@pytest.mark.parametrize("shown", ["", "*", "******", "z****", "z***Q", "zFk*****", KEY[:-1], KEY.lower(), "aF*******zQ"])  # fmt: skip
def test_it_is_not_known_to_be(shown):
    """A mask that would fit any key is not taken for this one."""
    assert not _is_own(shown, KEY)
