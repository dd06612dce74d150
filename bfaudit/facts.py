"""The catalogue of facts that a scan can learn of a key: one line per fact, the source of schemas, fields and docs."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from bfaudit.model import PERMISSIONS, Fact, Facts, Grant, Source

T = TypeVar("T")


class Kind(StrEnum):
    """The type of a fact's value."""

    GRANT = "grant"
    BOOL = "bool"
    TEXT = "text"
    TIME = "time"
    TEXTS = "texts"


class FactSpec(Struct, frozen=True):
    """One fact: its path in snapshot and report, its type, what it means."""

    path: str
    kind: Kind
    meaning: str


REACHES = ("manage_keys", "ip_list", "transfer", "withdraw")
"""What a holder of a key may reach beyond the key's own permissions."""

FACTS: Mapping[str, FactSpec] = {
    spec.path: spec
    for spec in (
        *(
            FactSpec(f"permissions.{word}", Kind.GRANT, f"whether the key has `{word}`")
            for word in PERMISSIONS
        ),
        FactSpec(
            "network.ip_restricted", Kind.BOOL, "whether the key works from listed addresses only"
        ),
        FactSpec(
            "network.ip_allowlist",
            Kind.TEXTS,
            "the addresses the key works from; octets may be masked by `*`",
        ),
        FactSpec("key.label", Kind.TEXT, "the name the key has at the exchange"),
        FactSpec("key.created_at", Kind.TIME, "when the key was created"),
        FactSpec(
            "key.expires_at", Kind.TIME, "when the key stops working; none where it does not expire"
        ),
        FactSpec(
            "key.last_used_at", Kind.TIME, "when the key was last used; none where it never was"
        ),
        FactSpec("key.state", Kind.TEXT, "`active`, `expired` or `disabled`, as the exchange says"),
        FactSpec("key.type", Kind.TEXT, "how the key signs: `hmac`, `rsa`, `ed25519` or `ecdsa`"),
        FactSpec(
            "key.third_party",
            Kind.TEXT,
            "the application the key is bound to; none for a personal key",
        ),
        FactSpec(
            "key.symbols",
            Kind.TEXTS,
            "the trading pairs the key is limited to; none where it is not limited",
        ),
        FactSpec("account_facts.uid", Kind.TEXT, "the exchange account that the key belongs to"),
        FactSpec(
            "account_facts.parent_uid", Kind.TEXT, "its master account; none for a master account"
        ),
        FactSpec("account_facts.is_master", Kind.BOOL, "whether the account is a master account"),
        FactSpec(
            "key.lapses_at", Kind.TIME, "when the exchange's own rules end the key; none: never"
        ),
        *(
            FactSpec(f"reach.{word}", Kind.GRANT, f"whether a holder of the key can reach `{word}`")
            for word in REACHES
        ),
        FactSpec("reach.exits", Kind.TEXTS, "other ways by which value can leave the account"),
        FactSpec("test.balance", Kind.TEXT, "how the balance read of the connection test ended"),
        FactSpec("test.orders", Kind.TEXT, "how the order read of the connection test ended"),
    )
}


_OTHER = "permissions.other:"
_UNTOLD = tuple(path for path in FACTS if not path.startswith("test."))
"""What is unknown, for a reason, where no exchange tells it."""
_PERMISSION_PATHS = {word: f"permissions.{word}" for word in PERMISSIONS}
_SPEAKS_OF = {
    "trade": "trad|spot|unif",
    "margin": "margin|unif",
    "futures": "futur|contract|perp|swap|deriv|deliver|unif",
    "options": "option",
    "transfer": "transfer|wallet",
    "withdraw": "withdraw|payout|wallet",
    "manage_keys": "api_?key|account|sub_?(user|member)|manag|mgt",
}
"""What a permission's name contains in small letters, whatever the exchange calls it."""
_SPEAKS = re.compile("|".join(_SPEAKS_OF.values()))


def beyond(paths: Mapping[str, object]) -> list[str]:
    """Those paths that the catalogue does not have: permissions by an exchange's own names."""
    if paths.keys() <= FACTS.keys():
        return []
    return [path for path in paths if path not in FACTS]


def spec_of(path: str) -> FactSpec | None:
    """The catalogue entry of a path; `permissions.other:<name>` counts as a grant."""
    if path.startswith(_OTHER):
        return FactSpec(path, Kind.GRANT, "a permission by the exchange's own name")
    return FACTS.get(path)


class FactsBuilder:
    """Collects facts while an exchange's answers are parsed; what nobody sets ends up unknown, with a reason."""

    def __init__(self, request: str, source: Source = Source.INTROSPECTION) -> None:
        self._request = request
        self._source = source
        self._known: dict[str, Fact] = {}
        self._unknown: dict[str, str] = {}

    def know(self, path: str, value: Any, *, request: str | None = None, limitation: str | None = None,
             source: Source | None = None) -> None:  # fmt: skip
        """Record a fact; `None` as value means none or never. The path must be in the catalogue."""
        if path not in FACTS and not path.startswith(_OTHER):
            raise KeyError(path)
        self._unknown.pop(path, None)
        self._known[path] = Fact(
            value, source or self._source, request or self._request, limitation
        )

    def grant(self, permission: str, granted: bool | None, *, why_unknown: str = "", request: str | None = None,
              limitation: str | None = None, source: Source | None = None) -> None:  # fmt: skip
        """Record a permission: True is granted, False is denied, None is unknown for the given reason."""
        path = _PERMISSION_PATHS.get(permission) or f"permissions.{permission}"
        if granted is None:
            self.unknown(path, why_unknown)
        else:
            value = Grant.GRANTED if granted else Grant.DENIED
            self.know(path, value, request=request, limitation=limitation, source=source)

    def doubt(self, title: str, tokens: Iterable[str], together: Sequence[str] = ()) -> None:
        """Take back every denial of a permission that one of these tokens, which no documentation knows, may name.

        Where the exchange grants some permissions `together`, a token that may name one of them may name all.
        """
        for token in sorted(token for token in tokens if _SPEAKS.search(token.lower())):
            said = token.lower()
            named = {word for word, pattern in _SPEAKS_OF.items() if re.search(pattern, said)}
            for word in sorted(named.union(together) if named.intersection(together) else named):
                fact = self._known.get(_PERMISSION_PATHS[word])
                if fact and fact.value is Grant.DENIED:
                    why = f"{title} names a permission that its documentation does not know: {token[:64]}"
                    self.unknown(_PERMISSION_PATHS[word], why)

    def confirm(self, other: Facts, otherwise: str) -> None:
        """Compare with a second record of the same key: what the two disagree about is unknown."""
        for path, fact in other.known.items():
            mine = self._known.get(path)
            if mine is None and path.startswith(_OTHER):
                self._known[path] = fact
            elif mine is not None and not _same(mine.value, fact.value):
                self.unknown(path, otherwise)

    def switches(self, title: str, strange: Mapping[str, Any]) -> None:
        """Record what an answer of booleans says beyond its documentation: what is on is a permission of that name.

        What is not off, in whatever form, may be one.
        """
        on = [name for name, value in strange.items() if value is True or value == "true"]
        for name in sorted(on):
            self.grant(f"other:{name[:64]}", granted=True)
        self.doubt(
            title, [name for name, value in strange.items() if value not in (False, "false")]
        )

    def text(self, path: str, value: Any) -> None:
        """Record a text, bounded; null and an empty one say that there is none, anything else says nothing."""
        if value is None or isinstance(value, str):
            self.know(path, value[:200] or None if value else None)

    def shared(self, part: Callable[["FactsBuilder", T], None], told: T) -> None:
        """Record what `part` makes of JSON that many keys have in common, such as a list of permissions.

        It is worked out once; `part` may look at nothing else.
        """
        try:
            same = msgspec.json.encode(told)  # tells `true` from `1`, which are equal as values
        except (ValueError, OverflowError, RecursionError):  # no key of a sane answer
            part(self, told)
            return
        about = part, self._request, self._source, same
        found = _SHARED.get(about)
        if found is None:
            found = FactsBuilder(self._request, self._source)
            part(found, told)
            if len(_SHARED) >= _ENOUGH:
                _SHARED.clear()
            if len(same) < _LONG:
                _SHARED[about] = found
        for mine, new in ((self._unknown, found._known), (self._known, found._unknown)):
            if mine and new:
                for path in mine.keys() & new.keys():
                    del mine[path]
        self._known.update(found._known)
        self._unknown.update(found._unknown)

    def unknown(self, path: str, why: str) -> None:
        """Say why a fact is not known."""
        self._known.pop(path, None)
        self._unknown[path] = why

    def build(self, untold: Mapping[str, str], otherwise: str) -> Facts:
        """The facts; every path of the catalogue not set is unknown, for the reason in `untold` or `otherwise`."""
        known, unknown = self._known, self._unknown
        for path in _UNTOLD:
            if path not in known and path not in unknown:
                unknown[path] = untold.get(path, otherwise)
        return Facts(known, unknown)


def _same(one: Any, other: Any) -> bool:
    lists = isinstance(one, tuple) and isinstance(other, tuple)
    return set(one) == set(other) if lists else bool(one == other)


_SHARED: dict[object, FactsBuilder] = {}
_ENOUGH = 4096
_LONG = 4096
