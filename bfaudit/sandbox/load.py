"""Reads scenarios, and says where they are wrong."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec

from bfaudit import documents
from bfaudit.documents import Document, shape
from bfaudit.errors import InvalidInput
from bfaudit.sandbox.exchanges import sites
from bfaudit.sandbox.scenario import Account, Key, Scenario, created_at, expires_at

Steps = tuple[str | int, ...]
Mistake = tuple[Steps, str, str | None]
"""Where in the scenario, what is wrong, a hint."""

_SHAPE = shape.Shape(
    "scenario", "Scenario", "start with `apiVersion: bfaudit/v1`, `kind: Scenario`, `accounts:`"
)


def load_scenario(source: str | Path) -> Scenario:
    """Read a scenario from a file, or from text where `source` has more than one line.

    Raises `InvalidInput` with every mistake and its place.
    """
    if isinstance(source, str) and "\n" in source:
        document = documents.parse(source, "<scenario>")
    else:
        document = documents.parse(Path(source).read_bytes(), str(source))
    if problems := shape.check(document, _SHAPE):
        raise InvalidInput(problems)
    try:
        scenario = msgspec.convert(document.data, Scenario)
    except msgspec.ValidationError as error:  # a moment, which the schema takes for any text
        message, _, path = str(error).partition(" - at ")
        steps, hint = _parse_path(path.strip("`")), "write it as 2026-11-01T00:00:00Z"
        raise InvalidInput([document.problem(message, steps, hint=hint)]) from None
    raise_mistakes(scenario, document)
    return scenario


def raise_mistakes(scenario: Scenario, document: Document | None = None) -> None:
    """Raise `InvalidInput` where types are right but the scenario cannot be played."""
    written = document or Document("", "<scenario>")
    problems = [written.problem(text, path, hint=hint) for path, text, hint in _mistakes(scenario)]
    if problems:
        raise InvalidInput(problems)


def _parse_path(path: str) -> Steps:
    return tuple(
        int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path)
    )


def _mistakes(scenario: Scenario) -> Iterator[Mistake]:
    known = sites()
    for at, exchange in _exchanges_named(scenario):
        if exchange not in known:
            close = get_close_matches(exchange, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"it knows {', '.join(known)}"
            yield at, f"the sandbox does not know the exchange {exchange!r}", hint
    yield from _mistakes_of_addresses(scenario)
    yield from _mistakes_of_names(scenario)
    yield from _mistakes_of_moments(scenario)
    for at, exchange, modes in _modes_named(scenario):
        site = known.get(exchange)
        for mode in modes:
            if site and mode not in site.modes:
                hint = f"it has {', '.join(site.modes) or 'none'}"
                yield at, f"{exchange} has no mode {mode!r}", hint


def _exchanges_named(scenario: Scenario) -> Iterator[tuple[Steps, str]]:
    for index, account in enumerate(scenario.accounts):
        yield ("accounts", index, "exchange"), account.exchange
    for index, fault in enumerate(scenario.faults):
        if fault.exchange is not None:
            yield ("faults", index, "exchange"), fault.exchange
    for exchange in scenario.modes:
        yield ("modes", exchange), exchange
    for exchange in scenario.clock_offset_ms:
        yield ("clock_offset_ms", exchange), exchange


def _modes_named(scenario: Scenario) -> Iterator[tuple[Steps, str, tuple[str, ...]]]:
    for exchange, modes in scenario.modes.items():
        yield ("modes", exchange), exchange, modes
    for at, account, key in _keys(scenario):
        yield (*at, "modes"), account.exchange, key.modes


def _keys(scenario: Scenario) -> Iterator[tuple[Steps, Account, Key]]:
    for index, account in enumerate(scenario.accounts):
        for number, key in enumerate(account.keys):
            yield ("accounts", index, "keys", number), account, key


def _mistakes_of_addresses(scenario: Scenario) -> Iterator[Mistake]:
    try:
        ip_address(scenario.seen_as)
    except ValueError:
        yield ("seen_as",), f"{scenario.seen_as!r} is not an IP address", None
    for at, _account, key in _keys(scenario):
        for number, address in enumerate(key.ips):
            try:
                ip_network(address, strict=False)
            except ValueError:
                yield (*at, "ips", number), f"{address!r} is neither an IP address nor a CIDR", None


def _mistakes_of_moments(scenario: Scenario) -> Iterator[Mistake]:
    now = scenario.moment()
    for at, _account, key in _keys(scenario):
        for field, moment in (("age_days", created_at), ("expires_in_days", expires_at)):
            try:
                moment(key, now)
            except (OverflowError, ValueError):
                yield (*at, field), "no calendar has this day", "count the days from today"


def _mistakes_of_names(scenario: Scenario) -> Iterator[Mistake]:
    accounts: set[tuple[str, str]] = set()
    for index, account in enumerate(scenario.accounts):
        if (account.exchange, account.name) in accounts:
            yield (
                ("accounts", index, "name"),
                f"{account.exchange} has two accounts {account.name!r}",
                None,
            )
        accounts.add((account.exchange, account.name))
    for index, account in enumerate(scenario.accounts):
        if account.parent is not None and (account.exchange, account.parent) not in accounts:
            yield (
                ("accounts", index, "parent"),
                f"{account.exchange} has no account {account.parent!r}",
                None,
            )
    keys: set[tuple[str, str]] = set()
    prefixes: set[str] = set()
    for at, account, key in _keys(scenario):
        if (account.exchange, key.name) in keys:
            yield (*at, "name"), f"{account.exchange} has two keys {key.name!r}", None
        keys.add((account.exchange, key.name))
        for prefix in key.prefixes:
            if prefix in prefixes:
                yield (*at, "env"), f"two keys have the environment prefix {prefix}", None
            prefixes.add(prefix)


def scenario_schema() -> Mapping[str, Any]:
    """The JSON Schema of a scenario, for editors; `bfaudit/schemas/scenario.schema.json` is this."""
    schema = msgspec.json.schema(Scenario)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
