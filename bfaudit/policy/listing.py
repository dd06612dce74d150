"""What ships, read: every policy as it is by itself, the frameworks, and the cases of the rules where they are at hand."""

from bfaudit import documents, resources
from bfaudit.policy.frameworks import Framework
from bfaudit.policy.read import frameworks, packs, read, read_framework
from bfaudit.policy.rules import Policy


def shipped() -> tuple[Policy, ...]:
    """The built-in policies, `baseline` first, none changed by the overrides of another."""
    names = sorted(packs(), key=lambda name: (name != "baseline", name))
    return tuple(
        policy
        for name in names
        for policy in read([name])
        if policy.file == f"policies/{name}.yaml"
    )


def shipped_frameworks() -> dict[str, Framework]:
    """The built-in frameworks by id."""
    return {name: read_framework(name) for name in frameworks()}


def shipped_cases() -> dict[str, tuple[tuple[str, str], ...]]:
    """Name and outcome of the cases of each built-in rule; none where only the wheel is there."""
    folder = resources.cases()
    if not folder.is_dir():
        return {}
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for entry in folder.iterdir():
        if entry.name.endswith(".yaml"):
            data = documents.parse(entry.read_bytes(), entry.name).data
            found[data["rule"]] = tuple((case["name"], case["outcome"]) for case in data["cases"])
    return found
