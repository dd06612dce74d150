"""What `bfaudit plan` counts: the reads of a key that works."""

import asyncio

import pytest

from bfaudit.exchanges import known
from bfaudit.exchanges.rehearsal import rehearse
from tests.exchanges.recorded import cases, run

SEVERAL = {"htx": ["uid", "info", "sub-users"], "bingx": ["info", "uid", "keys", "subs"]}


RECORDED = sorted({name.split("/")[0] for name, _ in cases()} - {"generic"})


@pytest.mark.parametrize("exchange", RECORDED)
def test_a_rehearsal_is_the_scan_of_a_good_key(exchange):
    """What is planned is what is sent, where one read needs what another found too."""
    adapter = known()[exchange]
    planned = [read.label for read in asyncio.run(rehearse(adapter, wants_uid=False))]
    case = dict(cases())[f"{exchange}/trade-only"]
    sent = run(adapter, {**case, "wants_uid": False})[0].asked

    assert SEVERAL.get(exchange, planned) == planned
    # The recorded account of Bitget is a classic one, which is asked for after the unified ones.
    assert exchange == "bitget" or sent == planned
