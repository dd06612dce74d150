"""Fields of what master keys' listings show of a fleet."""

from bfaudit import inventory
from bfaudit.model import Source
from bfaudit.policy.evidence import Evidence, Subject, tells


def lists_keys(subject: Subject) -> Evidence:
    return Evidence(subject.connection.inventory, None, Source.MANIFEST)


def undeclared_keys(subject: Subject) -> Evidence:
    """Those that are certain decide, even where the listing is not whole."""
    scanned = subject.scanned
    found = inventory.undeclared(scanned, subject.fleet.fingerprints)
    if found is None:
        return Evidence(unknown=inventory.why_unknown(scanned), source=Source.INVENTORY)
    blind = subject.fleet.unnamed(subject.position)
    if 0 < len(found) <= blind:
        why = f"they may be those of the {blind} connections whose key is not known here"
        return Evidence(found, why, Source.INVENTORY, _request(subject))
    limits = [f"lists {scanned.inventory.covers}"] if scanned.inventory else []
    if scanned.inventory and scanned.inventory.incomplete:
        limits.append(f"not whole: {scanned.inventory.incomplete}")
    return Evidence(found, None, Source.INVENTORY, _request(subject), "; ".join(limits))


def _request(subject: Subject) -> str | None:
    keys = subject.scanned.inventory.keys if subject.scanned.inventory else ()
    return keys[0].request if keys else None


def listed(subject: Subject) -> Evidence:
    """Silence is taken for an answer: a listing that is masked or not whole shows what it shows."""
    shown = (subject.scanned.fingerprint or "") in subject.fleet.listed
    return Evidence(shown, None, Source.INVENTORY)


def inventory_drift(subject: Subject) -> Evidence:
    """Differences that are certain decide; there are none only where the key tells all that its exchange tells of keys."""
    found = inventory.drift(subject.scanned, subject.fleet.listed)
    if found is None:
        return Evidence(unknown="no master key's listing shows this key", source=Source.INVENTORY)
    silent = inventory.listed_only(subject.scanned, subject.fleet.listed)
    untold = [path for path in silent if tells(subject.connection.exchange, path)]
    if untold and not found:
        paths = ", ".join(untold)
        return Evidence(unknown=f"the key itself does not tell: {paths}", source=Source.INVENTORY)
    shown = subject.fleet.listed[subject.scanned.fingerprint or ""]
    return Evidence(found, None, Source.INVENTORY, shown.request)
