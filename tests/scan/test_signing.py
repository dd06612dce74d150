"""What leaves is what ccxt itself would have signed: the helpers that are replaced for speed change nothing."""

import asyncio
import base64
import time

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bfaudit.exchanges import known
from bfaudit.scan import clients
from bfaudit.scan.transport import Wire
from tests.scan.fleet import NOBODY

NOW = 1_780_000_000
CREDENTIALS = {
    "key": f"account-{'a' * 16}",
    "secret": base64.b64encode(b"s" * 24).decode(),
    "passphrase": "p-1",
}
KUCOINS = ("KC-API-PARTNER", "KC-API-PARTNER-SIGN", "KC-API-PARTNER-VERIFY")
"""By these ccxt says that it sent a request, with a signature of its own; an audit does not."""

PLAIN = st.one_of(st.integers(), st.text("abcXYZ0189", min_size=1))
ANY = st.one_of(
    PLAIN, st.text(), st.booleans(), st.floats(allow_nan=False), st.sampled_from("é²٣%+&=/ ")
)
NAMES = st.text("abcdefgXYZ", min_size=1)


def _signed(client, read, name):
    try:
        # A nonce may count upwards with each signature.
        return client.sign(*clients.endpoint(name, read), {**read.params, "coin": "USDT", "t": 1})
    except Exception as error:  # noqa: BLE001 - a secret of another form: then both refuse it
        return type(error)


async def _both(exchange):
    adapter = known()[exchange]
    async with Wire(NOBODY) as wire:
        made = clients.template(exchange, adapter, wire, None, seconds=1.0, probes=True)
        ours = clients.view(made, CREDENTIALS)
        roles = {clients.ROLES[role]: text for role, text in CREDENTIALS.items()}
        theirs = getattr(clients.ccxt, exchange)(roles)
        try:
            reads = [*adapter.reads, *(one for pair in adapter.tests.values() for one in pair)]
            return [(_signed(ours, one, ours), _signed(theirs, one, ours)) for one in reads]
        finally:
            await theirs.close()


@pytest.fixture
def _stopped(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: float(NOW))
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 10**9)
    for name in ("uuid", "uuid16", "uuid22"):
        monkeypatch.setattr(clients.ccxt.Exchange, name, staticmethod(lambda *_length: "u" * 36))


@pytest.mark.usefixtures("_stopped")
@pytest.mark.parametrize("exchange", sorted(known()))
def test_a_request_is_signed_as_ccxt_signs_it(exchange):
    """Every read of every exchange, with parameters that need no quoting."""
    for ours, theirs in asyncio.run(_both(exchange)):
        assert isinstance(theirs, dict)
        if theirs["headers"]:
            for name in KUCOINS:
                theirs["headers"].pop(name, None)

        assert ours == theirs


@given(st.dictionaries(NAMES, ANY))
def test_a_query_is_quoted_as_ccxt_quotes_it(params):
    """Whatever stands in it."""
    assert ccxt.Exchange.urlencode(params) == clients._Reads.urlencode(params)
    assert ccxt.Exchange.rawencode(params) == clients._Reads.rawencode(params)


@given(
    st.dictionaries(
        NAMES, ANY | st.none() | st.just("") | st.lists(ANY) | st.dictionaries(NAMES, ANY)
    ),
    st.one_of(NAMES, st.integers(), st.none()),
    st.one_of(st.none(), ANY),
)
def test_what_stands_in_a_dictionary_is_found_as_ccxt_finds_it(held, key, default):
    """Where it is there, is not, is empty, or is of another type; and in what is no dictionary."""
    for one in (*held, key):
        for holder in (held, list(held.values()), None, "text"):
            for name in ("safe_string", "safe_value"):
                theirs = getattr(ccxt.Exchange, name)(holder, one, default)
                ours = getattr(clients._Reads, name)(holder, one, default)

                assert (type(theirs), theirs) == (type(ours), ours)


@given(st.dictionaries(NAMES, PLAIN), st.booleans())
def test_a_query_with_further_wishes_is_ccxts_own(params, listed):
    """A sequence is spelled out, and an order kept, where ccxt's caller asks for it."""
    assert ccxt.Exchange.urlencode(params, listed) == clients._Reads.urlencode(params, listed)


@given(st.binary(), st.binary(min_size=1), st.sampled_from(sorted(clients._ONE_SHOT.values())),
       st.sampled_from(("hex", "base64", "binary")))  # fmt: skip
def test_a_signature_is_ccxts_own(message, secret, algorithm, digest):
    """Every algorithm in every writing."""
    chosen = next(one for one, name in clients._ONE_SHOT.items() if name == algorithm)

    assert ccxt.Exchange.hmac(message, secret, chosen, digest) == clients._Reads.hmac(
        message, secret, chosen, digest
    )
