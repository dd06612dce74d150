"""What joined snapshots tell of the clients that signed, and of the hosts that were asked."""

from datetime import UTC, datetime

import pytest

from bfaudit import snapshot as snapshots
from bfaudit.merge import Named, merge
from bfaudit.model import ClientUsed, ExchangeScanned, Snapshot

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = ClientUsed(name="ccxt 1")
BAD = ClientUsed(name="ccxt 2", differs=("ccxt/x.py",), known_bad=("evil 1",))
BLIND = ClientUsed(name="ccxt 1", unknown="no list")


def of(client=None, *exchanges):
    return Snapshot(generated_at=NOW, connections=(), client=client, exchanges=exchanges)


def joined(*parts):
    return merge([Named(f"{number}.json", part) for number, part in enumerate(parts)]).snapshot


@pytest.mark.parametrize(
    ("clients", "expected"),
    [
        ((None, None), None),
        ((GOOD, GOOD), GOOD),
        ((GOOD, BAD), ClientUsed(name="ccxt 1, ccxt 2", differs=BAD.differs, known_bad=BAD.known_bad)),
        ((GOOD, BLIND), BLIND),
    ],
)  # fmt: skip
def test_what_is_wrong_on_any_host_is_wrong(clients, expected):
    """And what any host does not tell is unknown."""
    assert expected == joined(*map(of, clients)).client


def test_a_snapshot_that_tells_nothing_makes_the_whole_unknown():
    """Never a pass by joining it with one that does."""
    found = joined(of(GOOD), of())

    assert "does not tell" in found.client.unknown
    assert () == found.client.differs


def test_refused_hosts_are_kept():
    """Of each exchange those of all scans."""
    one = ExchangeScanned(id="x", url="https://x.example", refused_hosts=("b.example",))
    other = ExchangeScanned(id="x", url="https://x.example", refused_hosts=("a.example",))
    (found,) = joined(of(GOOD, one), of(GOOD, other)).exchanges

    assert ("a.example", "b.example") == found.refused_hosts


@pytest.mark.parametrize("client", [None, GOOD, BAD, BLIND])
def test_a_snapshot_keeps_them(client):
    """Written and read again, they are the same; an empty list is not written."""
    exchange = ExchangeScanned(id="x", url="https://x.example", refused_hosts=("b.example",))
    made = of(client, exchange, ExchangeScanned(id="y", url="https://y.example"))
    data = snapshots.encode(made)
    read = snapshots.decode(data, "x.json")

    assert (client, made.exchanges) == (read.client, read.exchanges)
    assert 1 == data.count(b"refused_hosts")
