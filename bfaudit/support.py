"""What bfaudit can learn from each exchange, as data for `bfaudit exchanges` and the docs. Made from the adapters."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from bfaudit.exchanges.base import Adapter, Limit, Read, Step
from bfaudit.facts import FACTS

VISIBLE = (
    ("network.ip_allowlist", "IP list"),
    ("key.created_at", "created"),
    ("key.expires_at", "expires"),
    ("key.last_used_at", "last used"),
    ("key.label", "label"),
    ("account_facts.uid", "account"),
    ("account_facts.is_master", "master"),
)


class Row(Struct, frozen=True):
    """One exchange in the support matrix."""

    id: str
    title: str
    support: str
    realms: tuple[str, ...]
    permissions: str
    visible: Mapping[str, bool]
    lists: str | None = None
    """Which keys a master key can list; None where none can."""


def adapters(known: Mapping[str, Adapter]) -> tuple[Adapter, ...]:
    """Every adapter once, full support first, then by id."""
    every = {adapter.id: adapter for adapter in known.values()}.values()
    return tuple(sorted(every, key=lambda one: (one.support != "full", one.id)))


def matrix(known: Mapping[str, Adapter]) -> tuple[Row, ...]:
    """The support matrix: what each exchange tells a key about itself."""
    return tuple(
        Row(
            adapter.id,
            adapter.title,
            adapter.support,
            tuple(adapter.realms),
            _permissions(adapter),
            {path: path not in adapter.untold and adapter.support == "full" for path, _ in VISIBLE},
            adapter.lists.covers if adapter.lists else None,
        )
        for adapter in adapters(known)
    )


def _permissions(adapter: Adapter) -> str:
    if adapter.support != "full":
        return "unknown"
    untold = [path for path in adapter.untold if path.startswith("permissions.")]
    return "all" if not untold else f"all but {', '.join(p.split('.')[1] for p in untold)}"


def markdown(known: Mapping[str, Adapter]) -> str:
    """The support table and one section per exchange, as docs/exchanges.md has it."""
    lines = [
        "# Exchanges",
        "",
        "What each exchange tells an API key about itself, and every request that bfaudit can send.",
        "This page is written by `bfaudit exchanges list --format markdown`.",
        "",
        "| exchange | support | permissions | "
        + " | ".join((*(name for _, name in VISIBLE), "lists keys"))
        + " |",
        "|---|---|---|" + "---|" * (len(VISIBLE) + 1),
    ]
    for row in matrix(known):
        names = ", ".join(f"`{name}`" for name in (row.id, *row.realms))
        told = " | ".join("yes" if row.visible[path] else "–" for path, _ in VISIBLE)
        told += f" | {'yes' if row.lists else '–'}"
        lines.append(f"| {row.title} ({names}) | {row.support} | {row.permissions} | {told} |")
    for adapter in adapters(known):
        if adapter.support == "full":
            lines += ["", *section(adapter)]
    return "\n".join(lines) + "\n"


def section(adapter: Adapter) -> Iterator[str]:
    """One exchange in full, as lines of Markdown."""
    yield f"## {adapter.title}"
    yield ""
    yield f"Credentials: {', '.join(f'`{role}`' for role in adapter.credentials)}. Host: `{adapter.host}`."
    yield ""
    yield from _requests(adapter.reads)
    if adapter.lists:
        yield ""
        yield f"With `inventory: true` a key lists {adapter.lists.covers}:"
        yield ""
        yield from _requests(adapter.lists.reads)
    yield ""
    yield f"Limits: {'; '.join(limit(one) for one in adapter.limits)}."
    for title, items in (
        ("How to create a correct key", _numbered(adapter.how_to)),
        (
            "How it ends keys by itself",
            (f"* {one.says} ([source]({one.source}))" for one in adapter.lapses),
        ),
        ("What a holder can reach beyond the key's permissions", map(_step, adapter.steps)),
        (
            "What it never tells",
            (f"* {meaning(path)}: {why}" for path, why in adapter.untold.items()),
        ),
        ("What its answer leaves open", (f"* {why}" for why in sorted(adapter.left_open))),
        ("Sources", (f"* <{link}>" for link in adapter.links)),
    ):
        told = list(items)
        if told:
            yield ""
            yield f"**{title}**"
            yield ""
            yield from told


def _requests(reads: Iterable[Read]) -> Iterator[str]:
    yield "| request | needs | weight |"
    yield "|---|---|---|"
    for read in reads:
        yield f"| `{read.path}` | {read.needs or '–'} | {read.weight:g} ({read.pool}) |"


def _step(step: Step) -> str:
    doubt = "" if step.certain else " (sources disagree)"
    return f"* {step.reach}: {step.says}{doubt} ([source]({step.source}))"


def _numbered(steps: Iterable[str]) -> Iterator[str]:
    return (f"{number}. {step}" for number, step in enumerate(steps, 1))


def limit(one: Limit) -> str:
    """A limit in words."""
    of = "requests" if one.pool is None else f"of `{one.pool}`"
    return f"{one.units:g} {of} in {one.seconds:g} s per {one.scope.value.upper()}"


def meaning(path: str) -> str:
    """A fact's path with what it means."""
    spec = FACTS.get(path)
    return f"`{path}`" if spec is None else f"`{path}` ({spec.meaning})"


class Planned(Struct, frozen=True):
    """What a scan would send to one exchange."""

    exchange: str
    title: str
    connections: int
    requests: tuple[tuple[str, int, float], ...]
    """(request, how often, weight each); the public time first."""
    seconds: float
    """The least time that the documented limits allow, without the network's own."""
    wall: str
    """The limit that decides."""
    listers: int = 0
    """How many of the keys list others too."""
    lists: tuple[tuple[str, float], ...] = ()
    """(request, weight each) of such a listing, sent as often as there are pages, sub-accounts and keys."""


def plan(
    adapter: Adapter, accounts: Iterable[str], reads: Iterable[Read], listers: int = 0
) -> Planned:
    """What a scan of keys of these accounts would send, each the same reads, where nothing is refused."""
    names = list(accounts)
    sent = list(reads)
    seconds, wall = 0.0, "none"
    busiest = max((names.count(name) for name in set(names)), default=0)
    for one in adapter.limits:
        weight = sum(map(one.takes, sent))
        keys = len(names) if one.scope.value == "ip" else busiest if one.scope.value == "uid" else 1
        needed = max(0.0, (weight * keys - one.units) / one.units * one.seconds)
        if needed > seconds:
            seconds, wall = needed, limit(one)
    rows = tuple((read.path, len(names), read.weight) for read in sent)
    listing = adapter.lists.reads if adapter.lists and listers else ()
    pages = tuple((read.path, read.weight) for read in listing)
    return Planned(
        adapter.id, adapter.title, len(names), rows, seconds, wall, listers if pages else 0, pages
    )
