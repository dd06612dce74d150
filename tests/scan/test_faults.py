"""Every fault by every exchange: each ends in its status, in time, without a traceback and without a false word."""

import asyncio
import os
import time
import tracemalloc
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bfaudit.evaluate import evaluate
from bfaudit.exchanges import known
from bfaudit.model import Outcome, Reason, Scanned, Snapshot, Status
from bfaudit.policy import read as policies
from bfaudit.sandbox import Sandbox
from bfaudit.scan.asking import Patience
from bfaudit.scan.options import Options
from bfaudit.scan.runner import scan
from tests.scan.certificates import contexts
from tests.scan.faults import FAULTS
from tests.scan.fourteen import FOURTEEN, fourteen_connections, fourteen_scenario
from tests.scan.front import Answer, Front, Strike, Talk, front
from tests.scan.striking import GONE, SAME, Fault, answer, reset, wire

POLICIES = policies.read(tuple(policies.packs()))
PATIENT = Patience(request_seconds=15.0, connection_seconds=20.0, tries=2, longest_pause=1.0)
BRIEF = Patience(request_seconds=0.7, connection_seconds=1.2, tries=2, longest_pause=1.0)
SLACK = 12.0
"""Seconds for the machine: a deadline is the scan's own, and hundreds of scans run at once."""
NOW = datetime.now(UTC)
AT_ONCE = 6
TRUE = answer("none", SAME)
CLOSED = Fault("port-closed", TRUE.strike, GONE)
NAMELESS = Fault("dns-failure", TRUE.strike, GONE)
EVERY = (*FAULTS, CLOSED, NAMELESS)


@dataclass
class Matrix:
    """What every scan ended with."""

    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    complaints: list[dict[str, Any]] = field(default_factory=list)
    """What the event loop had to say: exceptions that nobody took."""
    passes: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def of(self, fault: str) -> dict[str, Scanned]:
        """The scan of each exchange."""
        return {one.connection.exchange: one for one in self.snapshots[fault].connections}

    def passed(self, fault: str) -> set[tuple[str, str]]:
        """The rules of all packs that are passed, and by which connection."""
        if fault not in self.passes:
            results = evaluate(self.snapshots[fault], POLICIES, NOW).results
            self.passes[fault] = {
                (one.rule.id, one.connection) for one in results if one.outcome is Outcome.PASS
            }
        return self.passes[fault]


def patience(fault: Fault) -> Patience:
    return BRIEF if "timeout" in fault.expected else PATIENT


async def _base(fault: Fault, before: Front, servers: dict[str, Any]) -> str:
    if fault is NAMELESS:
        return "https://exchange.invalid"
    port = await before.listen(
        fault.name,
        fault.strike,
        context=servers[fault.tls] if fault.tls else None,
        greet=fault.strike if fault.greets else None,
    )
    if fault is CLOSED:
        await before.shut(fault.name)
    return f"https://localhost:{port}" if fault.tls else f"http://127.0.0.1:{port}"


async def _run(box: Sandbox, folder: Path) -> Matrix:
    seen = Matrix()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: seen.complaints.append(told))
    authority, servers = contexts(folder)
    connections = fourteen_connections()
    room = {BRIEF: asyncio.Semaphore(100), PATIENT: asyncio.Semaphore(AT_ONCE)}
    async with front(int(box.url.rpartition(":")[2])) as before:
        await before.listen("other", TRUE.strike)

        async def one(fault: Fault) -> None:
            how = patience(fault)
            async with room[how]:
                base = await _base(fault, before, servers)
                options = Options(
                    urls={each: f"{base}/{each}" for each in FOURTEEN},
                    environ=box.environment,
                    patience=how,
                    ca_file=str(authority),
                    rate_limits=False,
                )
                started = time.monotonic()
                seen.snapshots[fault.name] = await scan(connections, known(), options)
                seen.seconds[fault.name] = time.monotonic() - started

        await one(TRUE)
        await asyncio.gather(*(one(each) for each in EVERY if patience(each) is PATIENT))
        await asyncio.gather(*(one(each) for each in EVERY if patience(each) is BRIEF))
        seen.requests = before.requests
    return seen


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    """Every exchange through every fault, once."""
    with Sandbox(fourteen_scenario()) as box:
        return asyncio.run(_run(box, tmp_path_factory.mktemp("tls")))


def _told(one: Scanned) -> dict[str, Any]:
    """What a scan says of a key, but for what moves with the clock or with our requests."""
    moving = ("key.lapses_at", "key.last_used_at")
    return {path: fact.value for path, fact in one.facts.known.items() if path not in moving}


def _ended(one: Scanned, true: Scanned) -> set[str]:
    """Every word of `Expected` that describes a scan, beside the same scan without the fault."""
    words = {one.reason.value if one.reason else "none"}
    told = _told(one)
    if (one.status, one.reason, told) == (true.status, true.reason, _told(true)):
        words.add("same")
    if one.status in (Status.ONLINE, true.status) and told.items() <= _told(true).items():
        words.add("part")
    return words


def test_there_are_enough():
    """At least forty faults, each with a name of its own, by fourteen exchanges."""

    assert len(EVERY) == len({fault.name for fault in EVERY}) >= 40
    assert 14 == len(FOURTEEN)


@pytest.mark.parametrize("exchange", FOURTEEN)
def test_the_keys_are_dangerous(matrix, exchange):
    """Without a fault every key is Online and fails rules: there is something to hide."""
    one = matrix.of("none")[exchange]
    passed = {rule for rule, name in matrix.passed("none") if name == one.connection.name}

    assert Status.ONLINE == one.status
    assert not passed & {"no-withdraw", "ip-restricted", "permissions-as-required"}


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.name)
def test_each_fault(matrix, fault):
    """The expected status at every exchange; nothing known that is not so, and nothing passed that would have failed."""
    true, without = matrix.of("none"), matrix.of("port-closed")
    for exchange, one in matrix.of(fault.name).items():
        ended = _ended(one, true[exchange])
        assert fault.allowed(exchange) & ended, (exchange, one.reason, one.detail, ended)
        if "same" in ended:
            continue
        assert one.status is not Status.INVALID_KEY, (exchange, one)
        assert one.detail or one.status is Status.ONLINE, (exchange, one)
        told = {item for item in _told(one).items() if item != ("key.label", None)}  # null: no name
        beyond = told - _told(true[exchange]).items() - _told(without[exchange]).items()
        assert not beyond, (exchange, beyond)
    passes = matrix.passed(fault.name) - matrix.passed("port-closed") - matrix.passed("none")

    assert not passes


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.name)
def test_each_fault_ends_in_time(matrix, fault):
    """No scan takes longer than it was told to; one more request is for the exchange's clock."""
    how = patience(fault)

    assert matrix.seconds[fault.name] <= how.connection_seconds + how.request_seconds + SLACK


def test_nothing_went_unhandled(matrix):
    """No exception was left for the event loop to complain about."""

    assert [] == matrix.complaints


def test_no_cookie_goes_back_and_no_redirect_is_followed(matrix):
    """A signed request goes to one host, and carries nothing that the host asked to be carried."""
    redirected = [name for name, _ in matrix.requests if name.startswith("redirect-")]

    assert not [head for _, head in matrix.requests if b"\r\ncookie:" in head.lower()]
    assert len(redirected) >= 5 * len(FOURTEEN)
    assert not [name for name, _ in matrix.requests if name == "other"]


REFUSALS = {
    "reset": reset,
    "407": wire("407", lambda _: b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").strike,
    "403": wire("403", lambda _: b"HTTP/1.1 403 Forbidden\r\n\r\n").strike,
}


def _one_scan(box: Sandbox, strike: Strike, base: str = "") -> tuple[Scanned, Front]:
    """One scan of one exchange, with a fault in between; without a base, the fault is the exchange."""

    async def run() -> tuple[Scanned, Front]:
        async with front(int(box.url.rpartition(":")[2])) as before:
            port = await before.listen("fault", strike)
            os.environ["https_proxy"] = f"http://127.0.0.1:{port}"
            url = base or f"http://127.0.0.1:{port}"
            given = Options(urls={"kucoin": f"{url}/kucoin"}, environ=box.environment, patience=PATIENT)  # fmt: skip
            chosen = [one for one in fourteen_connections() if one.exchange == "kucoin"]
            (one,) = (await scan(chosen, known(), given)).connections
            return one, before

    return asyncio.run(run())


@pytest.mark.parametrize("refusal", sorted(REFUSALS))
def test_a_proxy_that_refuses(monkeypatch, refusal):
    """A proxy in between is no exchange: what it says is that nobody was reached."""
    monkeypatch.setenv("https_proxy", "replaced by the scan")
    strike = REFUSALS[refusal]

    async def refuse(talk: Talk) -> None:
        talk.front.answers[talk.request.split(b" ", 2)[1]] = Answer(b"")
        await strike(talk)

    with Sandbox(fourteen_scenario()) as box:
        one, before = _one_scan(box, refuse, "https://exchange.invalid")

    assert (Status.EXCHANGE_UNAVAILABLE, Reason.UNREACHABLE) == (one.status, one.reason), one.detail
    assert before.requests
    assert all(head.startswith(b"CONNECT exchange.invalid:443") for _, head in before.requests)


def test_a_bomb_stays_small(monkeypatch):
    """64 MiB in 64 KiB are given up after the 4 MiB that an answer may have."""
    monkeypatch.setenv("https_proxy", "replaced by the scan")
    bomb = next(fault for fault in FAULTS if fault.name == "gzip-bomb")
    with Sandbox(fourteen_scenario()) as box:
        _one_scan(box, TRUE.strike)
        tracemalloc.start()
        try:
            one, _ = _one_scan(box, bomb.strike)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert Reason.UNEXPECTED_ANSWER == one.reason
    assert peak < 32 << 20
