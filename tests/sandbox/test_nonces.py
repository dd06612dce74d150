"""Exchanges that count requests: a nonce that is not above the last one is refused, per key."""

import pytest

from bfaudit.sandbox import Sandbox

READS = {
    "kraken": ("privatePostGetApiKeyInfo", "EAPI:Invalid nonce"),
    "bitfinex": ("privatePostAuthRPermissions", "nonce: small"),
}


def _stop_counting(client):
    client.incrementing_nonce = lambda: 1_700_000_000_000


@pytest.mark.parametrize("exchange", sorted(READS))
def test_a_nonce_is_used_once(ask, one_key, exchange):
    """The same number again is refused, though its signature is right."""
    call, text = READS[exchange]
    with Sandbox(one_key(exchange, permissions=())) as box:
        first = ask(box, exchange, call, change=_stop_counting)
        again = ask(box, exchange, call, change=_stop_counting)

        assert text not in repr(first.body)
        assert text in repr(again.body)
        assert [True, True] == [record.verified for record in box.requests]
