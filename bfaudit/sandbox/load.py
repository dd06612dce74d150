"""Reads scenarios, and says where they are wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bfaudit.errors import InvalidInput, Problem
from bfaudit.model import Place
from bfaudit.sandbox.exchanges import sites
from bfaudit.sandbox.scenario import Account, Key, Scenario

Steps = tuple[str | int, ...]
Mistake = tuple[Steps, str, str | None]
"""Where in the scenario, what is wrong, a hint."""


def load_scenario(source: str | Path) -> Scenario:
    """Read a scenario from a file, or from text where `source` has more than one line.

    Raises `InvalidInput` with every mistake and its place.
    """
    if isinstance(source, str) and "\n" in source:
        name, text = "<scenario>", source
    else:
        name, text = str(source), Path(source).read_text(encoding="utf-8")
    locate = _locator(name, text)
    try:
        scenario = msgspec.convert(yaml.safe_load(text), Scenario)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        problem = Problem(message, place=locate(_parse_path(path.strip("`"))))
        raise InvalidInput([problem]) from None
    raise_mistakes(scenario, locate)
    return scenario


def raise_mistakes(
    scenario: Scenario, locate: Callable[[Steps], Place] = lambda _path: Place("<scenario>", 1, 1)
) -> None:
    """Raise `InvalidInput` where types are right but the scenario cannot be played."""
    problems = [
        Problem(text, place=locate(path), hint=hint) for path, text, hint in _mistakes(scenario)
    ]
    if problems:
        raise InvalidInput(problems)


def _locator(name: str, text: str) -> Callable[[Steps], Place]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)
        raise InvalidInput([Problem(error.problem or "not YAML", place=place)]) from None

    def locate(path: Steps) -> Place:
        node = root
        for step in path:
            node = _child(node, step) or node
        mark = node.start_mark if node else None
        return Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)

    return locate


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        found: yaml.Node = node.value[step]
        return found
    return None


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
