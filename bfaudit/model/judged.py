"""How it was judged: rules, their results on connections, changes since an earlier snapshot, the audit of all."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from bfaudit.model.declared import ApprovedException, Place
from bfaudit.model.seen import Snapshot
from bfaudit.model.words import Direction, Outcome, Severity


class Rule(Struct, frozen=True, kw_only=True):
    """One rule of a policy, as loaded; its expressions are compiled by `bfaudit.policy`."""

    id: str
    policy: str
    title: str
    """The violation, as a sentence."""
    severity: Severity
    applies: str = "true"
    require: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    """The values of its parameters, defaults replaced by overrides."""
    rationale: str = ""
    remediation: Mapping[str, str] = field(default_factory=dict)
    """What to do: `text` for all, and by exchange id where it differs."""
    references: tuple[str, ...] = ()
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on_unknown: Outcome = Outcome.UNKNOWN
    overridden: Mapping[str, str] = field(default_factory=dict)
    """What an override changed, by field or `params.<name>`: the value before, which policy changed it, and why."""
    place: Place


class Observation(Struct, frozen=True, omit_defaults=True, gc=False):
    """One field that a rule read of a connection."""

    field: str
    value: Any = None
    """The value as shown to people and machines; None with `unknown` set means that it is not known."""
    unknown: str | None = None
    """Why it is not known; None where it is."""
    source: str | None = None
    request: str | None = None
    limitation: str | None = None


class Judgement(Struct, frozen=True, gc=False):
    """How a rule judges one distinct input; shared by every connection with that input."""

    outcome: Outcome
    message: str
    expected: str
    observations: tuple[Observation, ...] = ()


class Result(Struct, frozen=True, gc=False):
    """One rule on one connection."""

    rule: Rule
    connection: str
    judgement: Judgement
    place: Place
    """The manifest line that promised otherwise: of the field that the rule reads, else of the connection."""
    exception: str | None = None
    """The id of the exception that a finding is under."""
    identity: str | None = None
    """A fingerprint of its own, where rule and connection do not tell it apart."""

    @property
    def fingerprint(self) -> str:
        """Stable identity of the finding: rule and connection, not file or line."""
        return self.identity or fingerprint(self.rule.id, self.connection)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the judgement."""
        return self.judgement.outcome


def fingerprint(rule: str, on: str) -> str:
    """The stable identity of a finding: 32 hexadecimal digits."""
    return half(rule) + half(on)


@lru_cache(1 << 16)
def half(identity: str) -> str:
    """What a rule, or a connection, has in common in all fingerprints: 16 digits."""
    from hashlib import sha256  # noqa: PLC0415 - brings OpenSSL

    # Surrogates, which a name may hold, are kept apart.
    return sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Change(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that is not as it was in an earlier snapshot."""

    kind: str
    """What kind of change, such as `permission-widened`."""
    connection: str
    severity: Severity
    direction: Direction
    text: str
    """The change as a sentence."""
    path: str | None = None
    """The fact that changed; None where it is no single one."""
    before: Any = None
    after: Any = None

    @property
    def tone(self) -> str:
        """How a report shows it: `worse`, `better` or `other`."""
        tones = {Direction.WIDENED: "worse", Direction.NARROWED: "better"}
        return tones.get(self.direction, "other")


class Audit(Struct, frozen=True, kw_only=True):
    """A judged snapshot: everything that a report shows."""

    snapshot: Snapshot
    generated_at: datetime
    results: Sequence[Result]
    """`bfaudit.results.Results`, or any other sequence, in a total order: severity descending, rule, connection."""
    rules: tuple[Rule, ...]
    policies: tuple[str, ...]
    left_out: tuple[Rule, ...] = ()
    """The rules that an override switched off; `overridden["enabled"]` says why."""
    baselined: frozenset[str] = frozenset()
    """The fingerprints of known findings: shown as known, and no reason to end with 1."""
    changes: tuple[Change, ...] = ()
    """What changed since an earlier snapshot, worst first; empty where none was given."""
    exceptions: tuple[ApprovedException, ...] = ()
    """The exceptions in force; those that are not are findings of their own."""
