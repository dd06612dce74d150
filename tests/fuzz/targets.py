"""Everything that reads what somebody else wrote, as one list: what it is fed with, and the errors it may raise.

A target is fed with seeds that were changed a little; it raises nothing but the errors that it documents.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bfaudit import snapshot as snapshots
from bfaudit.credentials.file import _fields
from bfaudit.errors import BfauditError, CredentialError, IntegrityError, InvalidInput
from bfaudit.evaluate import evaluate
from bfaudit.formats import FORMATS, Options
from bfaudit.formats import json as reports
from bfaudit.model import Snapshot
from bfaudit.policy import cel, exceptions, frameworks, load
from bfaudit.policy.cel import CompileError
from bfaudit.sealed import seal
from tests.evaluate.fleets import NOW, scanned, snapshot
from tests.exchanges import test_total as adapters
from tests.manifest.fleets import KNOWN, assemble
from tests.policy.test_fuzz import EXCEPTIONS, SMALL
from tests.report.samples import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
RULES = load.load([("small.yaml", json.dumps(SMALL).encode())])


class Target(NamedTuple):
    """One reader."""

    seeds: Callable[[], Sequence[bytes]]
    feed: Callable[[bytes], object]
    expected: tuple[type[Exception], ...]
    """The errors that it documents."""


def _files(pattern: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [path.read_bytes() for path in sorted(ROOT.glob(pattern))]


def _manifest(data: bytes) -> None:
    loaded = assemble([("fuzz.yaml", data)], KNOWN)

    assert loaded.connections or loaded.problems or b"connections" in data
    assert all(problem.place.file == "fuzz.yaml" for problem in loaded.problems)


def _policy(data: bytes) -> None:
    evaluate(snapshot(scanned(), scanned("b")), load.load([("fuzz.yaml", data)]), NOW)


def _expression(data: bytes) -> None:
    asked = cel.compile(data.decode("utf-8", "surrogateescape"), {}, {})
    asked.evaluate({})


def _expressions() -> Sequence[bytes]:
    rules = [rule for policy in RULES for rule in policy.rules]
    return [text.encode() for rule in rules for text in (rule.applies.source, rule.require.source)]


@cache
def _recorded() -> dict[bytes, str]:
    """The bodies of recorded successes, and whose they are."""
    found = {}
    for exchange in adapters.RECORDED:
        for bodies in adapters._successes(adapters.ADAPTERS[exchange]):
            found[msgspec.json.encode(bodies)] = exchange
    return found


def _replies(data: bytes) -> None:
    """One body for every read of every adapter, at every kind of status; a recorded set to its own adapter too."""
    try:
        bodies = json.loads(data)
    except (ValueError, RecursionError):
        bodies = {}
    for adapter in adapters.ADAPTERS.values():
        for status in (200, 400, 403):
            made = {read.label: (status, data) for read in adapter.reads}
            if isinstance(bodies, dict):
                own = bodies.keys() & made.keys()
                made |= {label: (status, _encoded(bodies[label])) for label in own}
            adapters._check(adapter.parse(adapters._replies(adapter, made), adapters.CONTEXT))


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _sealed(schema: str, data: bytes) -> bytes | None:
    """A document with a digest that fits what it says, so that it is read beyond its digest."""
    try:
        content = json.loads(data)
        return seal(schema, {k: v for k, v in content.items() if k not in ("schema", "digest")})
    except (ValueError, RecursionError, AttributeError, TypeError, OverflowError, msgspec.MsgspecError):  # fmt: skip
        return None


def _snapshot(data: bytes) -> Snapshot:
    sealed = _sealed(snapshots.SCHEMA, data)
    return snapshots.decode(data if sealed is None else sealed, "fuzz.json")


def _report(data: bytes) -> object:
    sealed = _sealed(reports.SCHEMA, data)
    return reports.read(data if sealed is None else sealed, "fuzz.json")


def _formats(data: bytes) -> None:
    """Whatever a snapshot or a report says, every format can write it down."""
    audit = evaluate(_snapshot(data), RULES, NOW)
    for name, one in FORMATS.items():
        if not one.printed and name not in _SLOW:
            one.render(audit, Options())


_SLOW = frozenset({"oscal"})


def _snapshots() -> Sequence[bytes]:
    return [snapshots.encode(make().snapshot) for make in SAMPLES.values()]


def _reports() -> Sequence[bytes]:
    made = [FORMATS["json"].render(make(), Options()) for make in SAMPLES.values()]
    return [text if isinstance(text, bytes) else text.encode() for text in made]


TARGETS: dict[str, Target] = {
    "manifest": Target(_files("examples/backfuture.yaml"), _manifest, ()),
    "policy": Target(lambda: [json.dumps(SMALL, indent=1).encode()], _policy, (InvalidInput,)),
    "exceptions": Target(
        lambda: [json.dumps(EXCEPTIONS, indent=1).encode()],
        lambda data: exceptions.load([("fuzz.yaml", data)]),
        (InvalidInput,),
    ),
    "framework": Target(
        _files("policies/frameworks/soc2.yaml"),
        lambda data: frameworks.load(data, "fuzz.yaml"),
        (InvalidInput,),
    ),
    "expression": Target(_expressions, _expression, (CompileError,)),
    "replies": Target(lambda: list(_recorded()), _replies, ()),
    "secrets": Target(
        lambda: [b"export KEY='a b' # c\nSECRET=\"x\\n\"\n", b'{"KEY": "a", "n": 1}'],
        lambda data: _fields(data.decode("utf-8", "replace"), "fuzz"),
        (CredentialError,),
    ),
    "snapshot": Target(_snapshots, _snapshot, (InvalidInput, IntegrityError)),
    "report": Target(_reports, _report, (InvalidInput, IntegrityError)),
    "formats": Target(_snapshots, _formats, (BfauditError,)),
}
