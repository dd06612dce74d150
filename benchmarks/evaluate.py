"""Rule evaluations a second: a fleet of realistic variety x the baseline rules, copied until there are enough.

Beside it, on the same fleet: plain Python lambdas of the same rules with the same results and evidence, and the engine
called naively for every connection and rule. Ratios say more than seconds: machines differ, and others work on them too.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from bfaudit import documents, resources
from bfaudit.evaluate import evaluate
from bfaudit.model import (
    PERMISSIONS,
    Attestation,
    Connection,
    Fact,
    Facts,
    Grant,
    Judgement,
    Outcome,
    Place,
    Reason,
    Result,
    Scanned,
    Snapshot,
    Status,
)
from bfaudit.policy.cel import speakable
from bfaudit.policy.evidence import Subject
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.fleet import Fleet
from bfaudit.policy.load import load
from bfaudit.policy.read import packs, read
from bfaudit.policy.rules import Policy

NOW = datetime(2026, 11, 22, tzinfo=UTC)
EXCHANGES = ("mexc", "kucoin", "binance", "okx", "bybit")


def fleet(size: int) -> Snapshot:
    """Connections of five exchanges: names, ages, addresses and grants differ, a few are down or invalid."""
    chance = random.Random(7)
    return Snapshot(
        generated_at=NOW, connections=tuple(connection(number, chance) for number in range(size))
    )


def connection(number: int, chance: random.Random) -> Scanned:
    exchange = chance.choice(EXCHANGES)
    server = f"203.0.113.{number % 40}"
    declared = Connection(
        name=f"{exchange} Spot {number:05}",
        exchange=exchange,
        strategy=f"strategy-{number % 900}",
        account=f"sub-{number % 400}",
        requires=("read", "trade"),
        servers=(server,),
        attestations={"two_factor": Attestation(by="alice", on=date(2026, 11, 1))},
        place=Place("fleet.yaml", number * 12 + 1, 5),
    )
    request = f"GET /{exchange}/key"
    known = {
        f"permissions.{word}": Fact(
            Grant.GRANTED if word in ("read", "trade") or chance.random() < 0.02 else Grant.DENIED,
            request=request,
        )
        for word in PERMISSIONS[: chance.choice((6, 8, 8, 8))]
    }
    known["network.ip_restricted"] = Fact(chance.random() < 0.9, request=request)
    known["network.ip_allowlist"] = Fact((server,), request=request)
    known["key.created_at"] = Fact(
        NOW - timedelta(minutes=chance.randrange(400_000)), request=request
    )
    online = chance.random() < 0.97
    return Scanned(
        connection=declared,
        status=Status.ONLINE if online else Status.INVALID_KEY,
        reason=None if online else Reason.UNKNOWN_KEY,
        scanned_at=NOW,
        fingerprint=f"{number if chance.random() < 0.99 else 0:x}",
        schemes={"key": "env", "secret": "env"},
        facts=Facts(known, {}) if online else Facts(),
    )


def policies(rules: int) -> list[Policy]:
    """Baseline, and copies of it without the one rule on names, until there are enough rules."""
    text = (resources.policies() / "baseline.yaml").read_text("utf-8")
    data = documents.parse(text, "baseline.yaml").data
    made: list[Policy] = []
    while sum(len(policy.rules) for policy in made) < rules:
        copy = msgspec.json.decode(msgspec.json.encode(data))
        copy["id"] = f"copy{len(made)}"
        if made:  # names differ all over a fleet; one rule on them is realistic, five are not
            copy["rules"] = [rule for rule in copy["rules"] if rule["id"] != "name-is-clear"]
        for rule in copy["rules"]:
            rule["id"] = f"copy{len(made)}-{rule['id']}"
        made += load([("baseline.yaml", msgspec.json.encode(copy))])
    return made


def naive(snapshot: Snapshot, by: list[Policy]) -> int:
    """The engine asked for every connection and rule, with evidence and results and nothing remembered."""
    return _each(
        snapshot,
        by,
        lambda rule, values: (
            rule.applies.evaluate(values) is not True or rule.require.evaluate(values) is True
        ),
    )


LAMBDAS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "no-withdraw": lambda v: v["connection.purpose"] == "treasury" or not v["key.can.withdraw"],
    "ip-restricted": lambda v: v["network.ip_restricted"],
    "ip-covers-servers": lambda v: v["network.covers_servers"] and not v["network.admits_others"] and not v["network.too_broad"],
    "unique-key-per-strategy": lambda v: len(v["fleet.same_key"]) == 0,
    "no-stale-keys": lambda v: v["key.age_days"] <= 180 and (not v["key.last_use_known"] or v["key.idle_days"] <= 45),
    "permissions-as-required": lambda v: not v["key.exceeds"] and not v["key.lacks"],
    "futures-only-if-needed": lambda v: not any(v[f"key.can.{w}"] and w not in v["connection.requires"] for w in ("futures", "margin", "options")),
    "online": lambda v: v["status.word"] == "Online",
    "two-factor-attested": lambda v: v["attestation.two_factor"],
    "secret-is-reference": lambda v: v["connection.references_only"],
    "retired-key-is-dead": lambda v: v["status.dead"],
    "name-is-clear": lambda v: len(v["connection.words"]) >= 2 and any(w in v["connection.context_words"] or v["connection.exchange"].startswith(w) for w in v["connection.words"]),
}  # fmt: skip


def lambdas(snapshot: Snapshot, by: list[Policy]) -> int:
    """The same rules as plain Python closures, with the same evidence and results."""

    def ask(rule: Any, values: dict[str, Any]) -> bool:
        try:
            return LAMBDAS[rule.rule.id.partition("-")[2]](values)
        except KeyError:  # not known
            return False

    return _each(snapshot, by, ask)


def _each(snapshot: Snapshot, by: list[Policy], ask: Callable[[Any, dict[str, Any]], bool]) -> int:
    shared = Fleet(snapshot.connections)
    results = []
    for at, one in enumerate(snapshot.connections):
        subject = Subject(one, at, shared, NOW)
        for policy in by:
            for rule in policy.rules:
                seen = {name: FIELDS[name].get(subject) for name in rule.reads}
                values = {n: speakable(e.value) for n, e in seen.items() if e.judged}
                outcome = Outcome.PASS if ask(rule, values) else Outcome.FAIL
                observed = tuple(e.observed(name) for name, e in seen.items())
                judged = Judgement(outcome, "", "", observed)
                results.append(Result(rule.rule, one.connection.name, judged, one.connection.place))
    return looked_at(results)


def ours(snapshot: Snapshot, by: Sequence[Policy]) -> int:
    """What bfaudit says of each, looked at one by one."""
    return looked_at(evaluate(snapshot, by, NOW).results)


def looked_at(results: Sequence[Result]) -> int:
    """How many results there are, each one and its evidence taken in hand: they may be made only then."""
    evidence = sum(len(one.judgement.observations) for one in results)
    assert evidence > len(results)
    return len(results)


def rate(work: Callable[[], int], times: int) -> float:
    """Results a second of CPU, the best of several times."""
    best = 0.0
    for _ in range(times):
        start = time.process_time()
        number = work()
        best = max(best, number / (time.process_time() - start))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--rules", type=int, default=50)
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    by = policies(args.rules)
    whole, part = fleet(args.connections), fleet(max(1, args.connections // 20))
    mine = rate(lambda: ours(whole, by), args.times)
    plain = rate(lambda: lambdas(part, by), 2)
    engine = rate(lambda: naive(part, by), 2)
    different = read(list(packs()))
    other = rate(lambda: ours(whole, different), args.times)
    rules, others = (sum(len(policy.rules) for policy in some) for some in (by, different))
    print(f"{args.connections:,} connections x {rules} rules, per second of CPU:")
    print(f"  bfaudit                {mine:12,.0f}")
    print(f"  all {others} built-in rules  {other:12,.0f}")
    print(f"  plain Python lambdas   {plain:12,.0f}   bfaudit is {mine / plain:.1f} times as fast")
    print(
        f"  the engine, naively    {engine:12,.0f}   bfaudit is {mine / engine:.1f} times as fast"
    )
    print("cost by size (a result of the whole fleet = 1.00):")
    for share in (8, 4, 2, 1):
        size = max(1, args.connections // share)
        some = fleet(size)
        speed = rate(partial(ours, some, by), 3)
        print(f"  {size:>8,} connections   {mine / speed:.2f}")


if __name__ == "__main__":
    main()
