"""The field catalogue: every variable that a rule may read. The source of type checks, editor schema and documentation."""

from collections.abc import Mapping
from typing import NamedTuple

from bfaudit.facts import REACHES
from bfaudit.model import PERMISSIONS, Reason, Source
from bfaudit.policy import bases, derived, endpoints, history, inventories
from bfaudit.policy import getters as by
from bfaudit.policy.bases import Basis
from bfaudit.policy.evidence import Evidence, utc
from bfaudit.policy.fleet import NO_KEY

BOOL, INT, STRING, TIME, LIST = "bool", "int", "string", "timestamp", "list(string)"


class Field(NamedTuple):
    """One variable of the rule language."""

    name: str
    type: str
    """Its CEL type."""
    meaning: str
    origin: str
    """Where it comes from: the manifest, a fact of the exchange by its path, or how it is worked out."""
    get: by.Getter
    basis: Basis | None = None
    """What the evidence rests on; None where it is as quick to get the evidence itself."""
    worse_by_more: bool = False
    """Whether it lists what a rule minds: with one item more it is another finding than the one that a baseline knows."""


def _texts(value: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(item) for item in value)


_CONNECTION = (
    *(
        Field(f"connection.{name}", STRING, meaning, "manifest", by.declared(name), bases.declared(name))
        for name, meaning in (
            ("name", "the name of the connection, unique in the fleet"),
            ("exchange", "the exchange, by its id"),
            ("account", "the account or sub-account, in the team's own word; empty where undeclared"),
            ("strategy", "the strategy that trades with it; empty where undeclared"),
            ("lifecycle", "`active` or `retired`"),
            ("environment", "the environment, such as `production`; empty where undeclared"),
            ("owner", "who answers for it; empty where undeclared"),
            ("purpose", "what it is for, such as `treasury`; empty where undeclared"),
            ("vendor", "the third party that uses it; empty where undeclared"),
            ("label", "the name the key should have at the exchange; empty where undeclared"),
            ("uid", "the account id it should belong to; empty where undeclared"),
            ("parent", "the master account id it should belong to; empty where undeclared"),
            ("balance_cap", "how much the account may hold, in words; empty where undeclared"),
        )
    ),
    *(
        Field(f"connection.{name}", LIST, meaning, "manifest", by.declared_list(name), bases.declared(name))
        for name, meaning in (
            ("requires", "the permissions it needs"),
            ("servers", "the addresses its key must be bound to, server names resolved"),
            ("tags", "its tags"),
            ("symbols", "the trading pairs it needs; empty where undeclared"),
        )
    ),
    Field("connection.words", LIST, "the words of its name in lower case: parted by spaces, `-` and `_`, dots left out",
          "manifest", by.words, bases.declared("name")),
    Field("connection.context_words", LIST, "the words of its account, strategy, purpose and vendor and the coins of its "
          "symbols, as in `connection.words`", "manifest", by.context_words,
          bases.declared("account", "strategy", "purpose", "vendor", "symbols")),
    Field("connection.created", TIME, "when the key was created, as declared", "manifest", by.declared_day("created"),
          bases.declared("created")),
    Field("connection.expires", TIME, "when the connection ends, as declared", "manifest", by.declared_day("expires"),
          bases.declared("expires")),
    Field("connection.ended", BOOL, "whether the declared end of the connection is past; false where none is declared",
          "manifest: expires", derived.ended, bases.declared("expires")),
    Field("connection.ties", LIST, "what it hangs on, in lower case: `exchange:ID`, `account:NAME`, `owner:NAME`, "
          "`vendor:NAME`, `server:ADDRESS`, `tag:NAME`", "manifest", derived.ties,
          bases.declared("exchange", "account", "owner", "vendor", "servers", "tags")),
    Field("connection.credential_schemes", LIST, "how its credentials are referred to, such as `env` and `file`",
          "manifest: the schemes of `credentials`", by.schemes),
    Field("connection.references_only", BOOL, "whether every credential is a reference, none a literal secret",
          "manifest: the schemes of `credentials`", by.references_only),
)  # fmt: skip

_STATUS = (
    Field("status.online", BOOL, "whether the status is `Online`; unknown where the exchange is unavailable, "
          "or a required permission is unknown",
          "connection test", by.online),
    Field("status.word", STRING, "the status: `Online`, `Invalid key`, `No trading permission`, `IP not allowed` or "
          "`Exchange unavailable`", "connection test", lambda s: by.tested(str(s.scanned.status))),
    Field("status.reason", STRING, "the reason that refines the status; empty for none", "connection test",
          lambda s: by.tested(str(s.scanned.reason or ""))),
    Field("status.authenticates", BOOL, "whether the exchange accepted the key; unknown where the refusal is ambiguous "
          "or the key was not looked at", "connection test", by.authenticates),
    Field("status.dead", BOOL, "whether the key certainly no longer exists, is expired or disabled; a wrong secret or "
          "address does not show it", "connection test", by.dead),
    Field("status.address_refused", BOOL, "whether the exchange refused this host's address; unknown where it was not asked "
          "or did not get so far", "connection test", derived.refused_for(Reason.IP_NOT_ALLOWED)),
    Field("status.restricted", BOOL, "whether the account is suspended, not opened for the product, or its region not "
          "served", "connection test", derived.refused_for(Reason.ACCOUNT_RESTRICTED, Reason.REGION_BLOCKED)),
    Field("status.clock_skewed", BOOL, "whether the exchange refused this host's clock", "connection test",
          derived.refused_for(Reason.CLOCK_SKEW)),
)  # fmt: skip

_KEY = (
    *(
        Field(f"key.can.{word}", BOOL, f"whether the key has `{word}`", f"permissions.{word}", by.grant(f"permissions.{word}"))
        for word in PERMISSIONS
    ),
    Field("key.exceeds", BOOL, "whether the key has any permission beyond `connection.requires` and `read`",
          "permissions.*", by.held(lambda s: s.excess)),
    Field("key.excess", LIST, "the permissions it has beyond `connection.requires` and `read`; known once every other "
          "permission is", "permissions.*", by.held_list(lambda s: s.excess), worse_by_more=True),
    Field("key.excess_possible", LIST, "the permissions beyond `connection.requires` of which nothing is known",
          "permissions.*", by.held_possible(lambda s: s.excess)),
    Field("key.lacks", BOOL, "whether a required permission is denied", "permissions.*", by.held(lambda s: s.lack)),
    Field("key.missing", LIST, "the required permissions that are denied; known once every required one is",
          "permissions.*", by.held_list(lambda s: s.lack), worse_by_more=True),
    Field("key.missing_possible", LIST, "the required permissions of which nothing is known", "permissions.*",
          by.held_possible(lambda s: s.lack)),
    Field("key.created", TIME, "when the key was created", "key.created_at", by.fact("key.created_at", utc)),
    Field("key.born", TIME, "when the key was created", "key.created_at, else the manifest's `created`", by.born),
    Field("key.expires", TIME, "when the key stops working; has no value where it never does, see `key.expires_ever`",
          "key.expires_at", by.fact("key.expires_at", utc)),
    Field("key.expires_ever", BOOL, "whether the key expires at all", "key.expires_at", by.fact_exists("key.expires_at")),
    Field("key.days_to_expiry", INT, "full days until the key stops working, negative once it has; has no value where it "
          "never does, see `key.expires_ever`", "key.expires_at", derived.days_until("key.expires_at")),
    Field("key.last_used", TIME, "when the key was last used; has no value where it never was, see `key.ever_used`",
          "key.last_used_at", by.fact("key.last_used_at", utc)),
    Field("key.ever_used", BOOL, "whether the key was ever used", "key.last_used_at", by.fact_exists("key.last_used_at")),
    Field("key.last_use_known", BOOL, "whether the exchange tells when the key was last used; a rule that reads it takes "
          "silence for an answer, on purpose", "key.last_used_at", by.last_use_known),
    Field("key.age_days", INT, "full days since the key was created", "key.created_at, else the manifest's `created`",
          by.age_days),
    Field("key.idle_days", INT, "full days since the key was last used, or created where it never was",
          "key.last_used_at", by.idle_days),
    Field("key.lapses", TIME, "when the exchange's own rules end the key; has no value where they never do, see "
          "`key.lapses_ever`", "key.lapses_at", by.fact("key.lapses_at", utc)),
    Field("key.lapses_ever", BOOL, "whether the exchange's own rules end the key", "key.lapses_at",
          by.fact_exists("key.lapses_at")),
    Field("key.days_to_lapse", INT, "full days until the exchange's own rules end the key; has no value where they never "
          "do, see `key.lapses_ever`", "key.lapses_at", derived.days_until("key.lapses_at")),
    Field("key.unobserved", LIST, "the permission words of which nothing is known; a rule that reads it takes silence for "
          "an answer, on purpose", "of all permissions", derived.unobserved),
    Field("key.contradictions", LIST, "how the connection test contradicts what the exchange says of the key",
          "test.balance and test.orders, compared with permissions.read", derived.contradictions, worse_by_more=True),
    Field("key.label_matches", BOOL, "whether the key's name at the exchange has the words of `connection.label`, or of "
          "`connection.name` where no label is declared", "key.label, compared with the manifest", derived.label_matches),
    Field("key.bound_to_vendor", BOOL, "whether the application that the key is bound to is the declared vendor",
          "key.third_party, compared with `connection.vendor`", derived.bound_to_vendor),
    Field("key.label", STRING, "the name of the key at the exchange", "key.label", by.fact("key.label", str, "")),
    Field("key.state", STRING, "`active`, `expired` or `disabled`, as the exchange says", "key.state",
          by.fact("key.state", str, "")),
    Field("key.type", STRING, "how the key signs: `hmac`, `rsa`, `ed25519` or `ecdsa`", "key.type",
          by.fact("key.type", str, "")),
    Field("key.third_party", STRING, "the application the key is bound to; empty for a personal key", "key.third_party",
          by.fact("key.third_party", str, "")),
    Field("key.symbols", LIST, "the trading pairs the key is limited to; has no value where it is not, see "
          "`key.symbols_limited`", "key.symbols", by.fact("key.symbols", _texts)),
    Field("key.symbols_limited", BOOL, "whether the key is limited to certain trading pairs", "key.symbols",
          by.fact_exists("key.symbols")),
)  # fmt: skip

_LIST = "network.ip_allowlist"
_COMPARED = "network.ip_allowlist, compared with `connection.servers`"

_NETWORK = (
    Field("network.ip_restricted", BOOL, "whether the key works from listed addresses only", "network.ip_restricted",
          by.fact("network.ip_restricted", bool)),
    Field("network.allowlist", LIST, "the addresses the key works from; octets may be masked by `*`", _LIST,
          by.fact(_LIST, _texts), worse_by_more=True),
    Field("network.covers_servers", BOOL, "whether the allowlist covers every declared server", _COMPARED,
          by.covered(lambda c: c.missing, by.none)),
    Field("network.missing_servers", LIST, "the declared servers that no entry covers", _COMPARED,
          by.covered(lambda c: c.missing, by.certain), worse_by_more=True),
    Field("network.admits_others", BOOL, "whether any entry is not within a declared server", _COMPARED,
          by.covered(lambda c: c.unexpected, by.some, "the manifest declares no `servers`")),
    Field("network.unexpected", LIST, "the entries that are not within any declared server", _COMPARED,
          by.covered(lambda c: c.unexpected, by.certain, "the manifest declares no `servers`"), worse_by_more=True),
    Field("network.too_broad", BOOL, "whether any entry is for all the world, private or reserved, or wider than the "
          "server it covers", _COMPARED, by.covered(lambda c: c.broad, by.some)),
    Field("network.broad", LIST, "the entries that are for all the world, private or reserved, or wider than the server "
          "they cover", _COMPARED, by.covered(lambda c: c.broad, by.certain), worse_by_more=True),
)  # fmt: skip

_ACCOUNT = (
    Field("account.uid", STRING, "the account that the key belongs to", "account_facts.uid",
          by.fact("account_facts.uid", str, "")),
    Field("account.parent_uid", STRING, "its master account; empty for a master account", "account_facts.parent_uid",
          by.fact("account_facts.parent_uid", str, "")),
    Field("account.is_master", BOOL, "whether the account is a master account", "account_facts.is_master",
          by.fact("account_facts.is_master", bool)),
    Field("account.uid_matches", BOOL, "whether the account is the one declared as `uid`",
          "account_facts.uid, compared with `connection.uid`", by.uid_matches),
    Field("account.parent_matches", BOOL, "whether its master account is the one declared as `parent`",
          "account_facts.parent_uid, compared with `connection.parent`", derived.parent_matches),
    Field("attestation.two_factor", BOOL, "whether two-factor login is vouched for today", "manifest: attestations",
          lambda s: Evidence("two_factor" in by.attested(s), None, Source.ATTESTATION)),
    Field("attestation.current", LIST, "what is vouched for today: dated, not in the future, not expired",
          "manifest: attestations", lambda s: Evidence(by.attested(s), None, Source.ATTESTATION)),
    Field("attestation.lapsed", LIST, "what is attested but does not count today: expired, or dated in the future",
          "manifest: attestations", derived.attestations(derived.lapsed), worse_by_more=True),
    Field("attestation.endless", LIST, "what is attested without an end", "manifest: attestations",
          derived.attestations(derived.endless), worse_by_more=True),
    Field("attestation.access_review_days", INT, "full days since the attestation `access_review`, while it counts",
          "manifest: attestations", derived.attested_days("access_review")),
)  # fmt: skip

_REACH = (
    *(
        Field(f"reach.{word}", BOOL, f"whether a holder of the key can reach `{word}`, by whatever way",
              f"reach.{word}", by.grant(f"reach.{word}"))
        for word in REACHES
    ),
    Field("reach.exits", LIST, "other ways by which value can leave the account", "reach.exits",
          by.fact("reach.exits", _texts, ()), worse_by_more=True),
)  # fmt: skip

_FLEET = (
    Field("fleet.same_key", LIST, "the other connections with the same key", "fingerprints of the fleet",
          by.peers(lambda s: s.fleet.by_key, NO_KEY), worse_by_more=True),
    Field("fleet.same_account", LIST, "the other connections declared for the same account of the exchange",
          "manifest: exchange and account", by.peers(lambda s: s.fleet.by_account, "the manifest declares no `account`"),
          worse_by_more=True),
    Field("fleet.same_uid", LIST, "the other connections whose key belongs to the same account, as the exchange says",
          "account_facts.uid of the fleet", by.peers(lambda s: s.fleet.by_uid, "the exchange did not tell the account"),
          worse_by_more=True),
    Field("fleet.same_name_words", LIST, "the other connections with the same words in their name, in any order or case",
          "manifest: names", by.peers(lambda s: s.fleet.by_words, ""), worse_by_more=True),
    Field("fleet.same_strategy", LIST, "the other active connections for the same exchange, account, strategy and required "
          "permissions", "manifest: exchange, account, strategy, requires", derived.same_strategy, worse_by_more=True),
    Field("fleet.replaced_days", INT, "full days since the newest key of `fleet.same_strategy` was created; 0 where it is "
          "this one", "creation dates of the fleet", derived.replaced_days),
    Field("fleet.other_strategies", LIST, "the other active connections in the same account, told or declared, that serve "
          "another strategy", "accounts and strategies of the fleet", derived.other_strategies, worse_by_more=True),
    Field("fleet.other_environments", LIST, "the other active connections with the same key or in the same account that "
          "declare another environment", "keys, accounts and environments of the fleet", derived.other_environments,
          worse_by_more=True),
    Field("fleet.lists_keys", BOOL, "whether the connection declares `inventory`: its key lists the keys of its account or "
          "sub-accounts", "manifest: inventory", inventories.lists_keys, bases.declared("inventory")),
    Field("fleet.undeclared_keys", LIST, "the keys that it lists and no connection declares, at most 20 of them by name",
          "the listing of the connection's key", inventories.undeclared_keys, worse_by_more=True),
    Field("fleet.listed", BOOL, "whether the listing of another connection's key shows this key; a rule that reads it "
          "takes silence for an answer, on purpose", "the listings of the fleet", inventories.listed),
    Field("fleet.inventory_drift", LIST, "in what the key's own answer and the listing of it differ",
          "the listings of the fleet", inventories.inventory_drift, worse_by_more=True),
    Field("scan.age_days", INT, "full days since the connection was scanned", "the snapshot", derived.scan_age_days),
    Field("scan.redirected", BOOL, "whether the exchange was asked at another address than its own", "the scan of the "
          "exchange", endpoints.redirected),
    Field("scan.host", STRING, "the host that was asked", "the scan of the exchange", endpoints.host),
    Field("scan.refused_hosts", LIST, "hosts that are not the exchange's, to which the client wanted to send requests; "
          "nothing was sent there", "the scan of the exchange", endpoints.refused_hosts, worse_by_more=True),
    Field("scan.client_genuine", BOOL, "whether the client that signed the requests is the pinned one, unaltered",
          "the host of the scan", endpoints.genuine),
    Field("scan.client_differs", LIST, "how that client differs from the pinned one, at most 20 differences",
          "the host of the scan", endpoints.differs, worse_by_more=True),
    Field("scan.known_bad", LIST, "installed packages that are known to be malicious", "the host of the scan",
          endpoints.known_bad, worse_by_more=True),
    Field("now", TIME, "the time of the audit", "the audit", lambda s: Evidence(utc(s.now), None, "audit")),
)  # fmt: skip

_HISTORY = (
    Field("history.compared", BOOL, "whether the earlier snapshot holds the connection; unknown where it does not, and is "
          "not of the whole fleet", "--previous", history.held),
    Field("history.first_seen", TIME, "when a scan first saw this key in this connection", "--previous",
          history.told(lambda told: told.first_seen)),
    Field("history.last_changed", TIME, "when a scan first saw the last change of what the key may do; has no value where "
          "none was seen, see `history.unchanged_days`", "--previous", history.told(lambda told: told.last_changed)),
    Field("history.unchanged_days", INT, "full days since the last change of what the key may do, or since it was first seen",
          "--previous", history.unchanged_days),
    Field("history.wider", BOOL, "whether the key may do more than in the earlier snapshot; unknown for a new connection",
          "--previous", history.wider),
    Field("history.widened", LIST, "what the key may do more than in the earlier snapshot; unknown for a new connection",
          "--previous", history.widened, worse_by_more=True),
    Field("history.last_use_seen", TIME, "the latest use of the key that any scan was told", "--previous",
          history.last_use_seen),
)  # fmt: skip

_ROLE = frozenset(f"connection.{name}" for name in bases.ROLE)


def _based(field: Field) -> Field:
    if field.name in _ROLE:
        return field._replace(basis=bases.declared(*bases.ROLE))
    for origin, basis in (
        ("connection test", bases.status),
        ("permissions.", bases.permissions),
        ("network.", bases.network),
        ("key.last_used_at", bases.last_use),
        ("manifest: attestations", bases.attestations),
        ("manifest: the schemes", bases.credentials),
    ):
        if field.origin.startswith(origin):
            return field._replace(basis=basis)
    return field


FIELDS: Mapping[str, Field] = {
    field.name: _based(field)
    for field in (*_CONNECTION, *_STATUS, *_KEY, *_NETWORK, *_REACH, *_ACCOUNT, *_FLEET, *_HISTORY)
}
"""Every field by its name, in the order of the documentation."""
