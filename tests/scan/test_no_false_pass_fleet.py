"""Over a fleet too: what an exchange told of one key and withholds of another never turns a fail into a pass."""

from itertools import product

import pytest
from msgspec.structs import replace

from bfaudit.model import Connection, Facts, Outcome, Place, Scanned
from tests.scan import test_no_false_pass as alone
from tests.scan.fourteen import FOURTEEN

WHO = ((0,), (1,), (0, 1))


def _pair(exchange):
    """Two keys of one account at one exchange, each fact of them known, declared as if they had nothing in common."""
    (case,) = alone._widest(exchange)
    one = alone._scans(exchange, case.recording, case.recording["replies"])[0]
    known = dict(one.facts.known)
    known["account_facts.uid"] = replace(next(iter(known.values())), value="7")
    facts = Facts(known, {p: why for p, why in one.facts.unknown.items() if p not in known})
    return tuple(
        _named(one, facts, exchange, number, strategy, environment)
        for number, (strategy, environment) in enumerate((("a", "production"), ("b", "test")))
    )


def _named(one, facts, exchange, number, strategy, environment) -> Scanned:
    connection = Connection(
        name=f"{exchange} Spot {number}", exchange=exchange, account=f"account {number}", strategy=strategy,
        environment=environment, requires=("read", "trade"), place=Place("fleet.yaml", number + 1, 1),
    )  # fmt: skip
    return replace(one, connection=connection, facts=facts, fingerprint=f"key {number}")


def _without(scanned, path):
    known = {name: fact for name, fact in scanned.facts.known.items() if name != path}
    return replace(scanned, facts=Facts(known, {**scanned.facts.unknown, path: "no answer"}))


@pytest.mark.parametrize("exchange", FOURTEEN if alone.LONG else ("kucoin", "okx", "gate"))
def test_what_is_withheld_of_either_key_passes_no_rule(exchange):
    """Each fact, of one of them, of the other, of both."""
    pair = _pair(exchange)
    told = alone._outcomes(pair, alone.POLICIES)
    assert Outcome.FAIL is told["unique-subaccount", pair[0].connection.name]
    assert Outcome.FAIL is told["env-isolation", pair[1].connection.name]
    for path, who in product(sorted(pair[0].facts.known), WHO):
        struck = tuple(_without(one, path) if n in who else one for n, one in enumerate(pair))
        for at, outcome in alone._outcomes(struck, alone.POLICIES).items():
            assert not (told[at] is Outcome.FAIL and outcome is Outcome.PASS), (at, path, who)
