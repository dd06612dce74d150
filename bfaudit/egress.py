"""The egress check: whether the server about to be deployed to is on the list of each key. Pure."""

from collections.abc import Sequence
from ipaddress import ip_network

from msgspec.structs import replace

from bfaudit.errors import UsageError
from bfaudit.model import (
    Audit,
    Judgement,
    Observation,
    Outcome,
    Place,
    Result,
    Rule,
    Scanned,
    Severity,
)
from bfaudit.policy import addresses
from bfaudit.results import Results

RULE = Rule(
    id="egress-allowed",
    policy="command line",
    title="Key refuses the server to deploy to",
    severity=Severity.HIGH,
    applies='connection.lifecycle == "active"',
    require="!network.ip_restricted || cidr_contains(network.allowlist, egress.address)",
    message="The key refuses requests from the server.",
    rationale=(
        "A strategy that is deployed to a server its key does not admit cannot manage the positions that it has open."
    ),
    remediation={
        "text": "Add the address of the server to the IP list of the key, or deploy to a server that is on it."
    },
    controls={"nist-800-53-r5": ("SC-7(5)",), "iso-27001-2022": ("A.8.20",), "soc2": ("CC6.6",)},
    place=Place("--from", 1, 1),
)
"""The rule as reports show it. It comes with `--from`, not with a policy."""

OBSERVED = "egress.address"
"""What a result lists beside fields: the addresses that were asked for."""
READS = ("network.ip_restricted", "network.allowlist")
"""The fields that it reads."""

_LIST, _RESTRICTED = "network.ip_allowlist", "network.ip_restricted"


def address(text: str) -> str:
    """An address or network of the command line. Raises `UsageError` for anything else."""
    try:
        ip_network(text.strip(), strict=False)
    except ValueError:
        raise UsageError(
            f"--from {text!r} is no address", hint="give an IP such as 203.0.113.10, or a CIDR"
        ) from None
    return text.strip()


def checked(audit: Audit, hosts: Sequence[str]) -> Audit:
    """The audit with one result more per connection: whether its key admits every one of the hosts."""
    scans = sorted(audit.snapshot.connections, key=lambda one: one.connection.name)
    mine = Results.of(result(scanned, tuple(hosts)) for scanned in scans)
    results = Results.sorted([*Results.of(audit.results).runs, *mine.runs])
    rules = sorted((*audit.rules, RULE), key=lambda one: (-one.severity, one.id))
    return replace(audit, results=results, rules=tuple(rules))


def result(scanned: Scanned, hosts: tuple[str, ...]) -> Result:
    """Whether a key admits every host: its answer may hang on masked entries."""
    connection = scanned.connection
    outcome, message = _verdict(scanned, hosts)
    expected = f"the key admits {', '.join(hosts)}"
    seen = (*(_observed(scanned, path) for path in (_RESTRICTED, _LIST)), _egress(hosts))
    place = connection.places.get("servers", connection.place)
    return Result(RULE, connection.name, Judgement(outcome, message, expected, seen), place)


def _verdict(scanned: Scanned, hosts: tuple[str, ...]) -> tuple[Outcome, str]:
    if scanned.connection.lifecycle != "active":
        return Outcome.NOT_APPLICABLE, "The rule does not apply."
    restricted, listed = scanned.facts.get(_RESTRICTED), scanned.facts.get(_LIST)
    entries = tuple(listed.value) if listed is not None and listed.value else ()
    if restricted is not None and restricted.value is False and not entries:
        return Outcome.PASS, "As expected: the key works from any address."
    if listed is None or listed.value is None:
        return Outcome.UNKNOWN, f"Not known: network.allowlist ({_why(scanned)})."
    missing = addresses.compare(entries, hosts).missing
    if missing.certain:
        refused = ", ".join(missing.certain)
        return Outcome.FAIL, f"The IP list of the key does not admit {refused}."
    if missing.possible:
        open_ones = ", ".join(missing.possible)
        return Outcome.UNKNOWN, f"Not known: masked or unreadable entries leave open: {open_ones}."
    return Outcome.PASS, "As expected."


def _why(scanned: Scanned) -> str:
    return scanned.facts.unknown.get(_LIST) or f"status {scanned.status}: the scan did not see it"


def _observed(scanned: Scanned, path: str) -> Observation:
    field = "network.allowlist" if path == _LIST else path
    fact = scanned.facts.get(path)
    if fact is None or (path == _LIST and fact.value is None):
        return Observation(field, unknown=scanned.facts.unknown.get(path) or _why(scanned))
    return Observation(field, fact.value, None, str(fact.source), fact.request, fact.limitation)


def _egress(hosts: tuple[str, ...]) -> Observation:
    return Observation(OBSERVED, hosts, None, "command line")
