"""What a scan keeps: into a journal next to nothing for each key, however large the fleet."""

import asyncio
import gc
import json
import os
import tracemalloc

import pytest

from bfaudit.exchanges import known
from bfaudit.journal import Journal
from bfaudit.scan import runner
from bfaudit.scan.answer import read
from bfaudit.scan.options import Options
from bfaudit.scan.transport import Wire
from tests.scan.fleet import connection

LONG = bool(os.environ.get("BFAUDIT_TEST_LONG"))
FEW, MANY = (1_000, 20_000) if LONG else (300, 1_300)
RECORD = {
    "code": "200000",
    "data": {"remark": "bot", "permission": "General,Spot", "ipWhitelist": "203.0.113.7", "createdAt": 1790000000000, "uid": 1, "isMaster": True},
}  # fmt: skip


@pytest.fixture
def fresh():
    """The collector as in a fresh process: what other tests left behind puts its full rounds off."""
    gc.collect()
    gc.freeze()
    gc.collect()
    yield
    gc.unfreeze()


def _kept(keys, monkeypatch):
    """Bytes that a scan of so many keys still holds at its end, and held at most."""

    async def send(_wire, _scheme, _host, target, *_rest):
        time = target.endswith("timestamp")
        return read(200, b'{"code":"200000","data":1}' if time else json.dumps(RECORD).encode(), {})

    monkeypatch.setattr(Wire, "send", send)
    fleet = [connection("kucoin", f"K{number}", account=f"a{number}") for number in range(keys)]
    environ = {f"K{number}_{role}": f"{role}-of-{number:08}-x" for number in range(keys) for role in ("KEY", "SECRET", "PASSPHRASE")}  # fmt: skip
    options = Options(environ=environ, rate_limits=False)
    with Journal() as journal:
        tracemalloc.start()
        try:
            snapshot = asyncio.run(runner.scan(fleet, known(), options, into=journal))
            most = tracemalloc.get_traced_memory()[1]
            gc.collect()
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        rows = list(journal.rows())
    assert () == snapshot.connections
    assert keys == len(rows) == sum(journal.ended.values())
    assert f"kucoin K{keys - 1}" == json.loads(rows[-1])["name"]
    return held, most


@pytest.mark.usefixtures("fresh")
def test_memory_does_not_grow_with_the_fleet(monkeypatch):
    """A key leaves a few hundred bytes behind: where its line begins, the mark of its secret, caches that are bounded."""
    _kept(MANY, monkeypatch)  # what is made once is made now, and what is remembered by name
    few, most_few = _kept(FEW, monkeypatch)
    many, most_many = _kept(MANY, monkeypatch)

    assert (many - few) / (MANY - FEW) < 300
    assert (most_many - most_few) / (MANY - FEW) < 1_200
