"""The field catalogue: what each field says of a connection, and what it rests on."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from bfaudit.facts import FACTS, Kind
from bfaudit.model import (
    PERMISSIONS,
    Attestation,
    Connection,
    Fact,
    Facts,
    Grant,
    Reason,
    Source,
    Status,
)
from bfaudit.policy.cel import PARAM_TYPES
from bfaudit.policy.evidence import Evidence, Subject
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.fleet import Fleet
from tests.evaluate.fleets import NOW, scanned

EXAMPLES = {
    Kind.GRANT: (Grant.GRANTED, Grant.DENIED),
    Kind.BOOL: (True, False),
    Kind.TEXT: ("a", "b"),
    Kind.TIME: (NOW - timedelta(days=9), NOW - timedelta(days=99)),
    Kind.TEXTS: (("203.0.113.10",), ("198.51.100.7", "203.**.10")),
}


def subject(one, *others):
    return Subject(one, 0, Fleet([one, *others]), NOW)


def see(name, one, *others):
    return FIELDS[name].get(subject(one, *others))


def value(name, *args, **more):
    return see(name, scanned(*args, **more)).value


def kind(path):
    return FACTS[path].kind if path in FACTS else Kind.GRANT


PATHS = [*(path for path in FACTS if not path.startswith("test.")), "permissions.other:earn"]
FULL = scanned(
    known={path: Fact(EXAMPLES[kind(path)][0], request="GET /a") for path in PATHS},
    servers=("203.0.113.10",),
    attestations={"two_factor": Attestation("alice", date(2026, 11, 1))},
)
NEVER = replace(FULL, facts=Facts({p: replace(f, value=None) for p, f in FULL.facts.known.items() if kind(p) is not Kind.GRANT}))  # fmt: skip
UNUSED = scanned(known={"key.last_used_at": None}, unknown={"key.created_at": "not told"})
SILENT = scanned(unknown=dict.fromkeys(PATHS, "not told"), servers=("203.0.113.10",))


def with_fact(one, path, fact):
    known = {name: known for name, known in one.facts.known.items() if name != path}
    return replace(one, facts=replace(one.facts, known=known | ({path: fact} if fact else {})))


def changes(one):
    """The connection with one thing changed, for every thing that a field may read."""
    for path in PATHS:
        first, second = (Fact(example) for example in EXAMPLES[kind(path)])
        yield from (
            with_fact(one, path, fact)
            for fact in (
                None, first, second, replace(first, source=Source.PROBE), replace(first, request="GET /b"),
                replace(first, limitation="as of yesterday"),
            )
        )  # fmt: skip
        silent = with_fact(one, path, None)
        yield replace(
            silent, facts=replace(silent.facts, unknown={**one.facts.unknown, path: "other"})
        )
    for status in Status:
        for reason in (None, *(reason for reason in Reason if reason.status is status)):
            yield replace(one, status=status, reason=reason)
    yield from (
        replace(one, schemes=schemes) for schemes in ({}, {"key": "literal"}, {"key": "file"})
    )
    declared = {
        "exchange": "kucoin", "lifecycle": "retired", "requires": ("read", "futures"), "tags": ("a",), "symbols": ("BTC/USDT",),
        "servers": ("198.51.100.7",), "created": date(2026, 1, 1), "expires": date(2027, 1, 1), "attestations": {},
        **dict.fromkeys(("account", "strategy", "environment", "owner", "purpose", "vendor", "label", "uid", "parent"), "x"),
    }  # fmt: skip
    for name, changed in declared.items():
        yield replace(one, connection=replace(one.connection, **{name: changed}))
    yield replace(one, connection=replace(one.connection, name="Another Name"))


@pytest.mark.parametrize(
    "base", [FULL, SILENT, NEVER, UNUSED], ids=["full", "silent", "never", "unused"]
)
@pytest.mark.parametrize("field", [f for f in FIELDS.values() if f.basis], ids=lambda f: f.name)
def test_a_basis_holds_all_that_its_fields_read(field, base):
    """Whatever changes the evidence of a field changes what it rests on: else connections would share it wrongly."""
    basis, evidence = field.basis(subject(base)), field.get(subject(base))

    for changed in changes(base):
        if field.basis(subject(changed)) == basis:
            assert field.get(subject(changed)) == evidence, changed


@pytest.mark.parametrize(
    "base", [FULL, SILENT, NEVER, UNUSED], ids=["full", "silent", "never", "unused"]
)
@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda f: f.name)
def test_evidence_is_sound(field, base):
    """Every field answers for every connection: hashable, of its type, unknown only with a reason."""
    types = {"bool": bool, "int": int, "string": str, "timestamp": datetime, "list(string)": tuple}

    for one in (base, *changes(base)):
        evidence = field.get(subject(one))
        hash(evidence)
        assert evidence.unknown != ""
        if evidence.judged:
            assert type(evidence.value) is types[field.type]
            assert evidence.source


def test_the_catalogue_is_complete():
    """Every fact and every permission has a field; types and texts are in order."""
    origins = " ".join(field.origin for field in FIELDS.values())

    assert all(f"key.can.{word}" in FIELDS for word in PERMISSIONS)
    assert all(path in origins for path in FACTS if not path.startswith("test."))
    assert {"timestamp", *PARAM_TYPES.values()} == {field.type for field in FIELDS.values()}
    assert all(field.meaning and not field.meaning.endswith(".") for field in FIELDS.values())


def test_every_declaration_can_be_read():
    """What a manifest declares is a field, but for free text and what only people read."""
    unread = {"place", "places", "notes", "balance_cap", "credentials", "attestations", "inventory"}

    assert {
        f"connection.{name}" for name in Connection.__struct_fields__ if name not in unread
    } <= FIELDS.keys()


ACCEPTED = [(Status.ONLINE, None), (Status.ONLINE, Reason.PERMISSIONS_UNKNOWN)] + [
    (Status.NO_TRADING_PERMISSION, reason)
    for reason in (Reason.MISSING_PERMISSION, Reason.ACCOUNT_RESTRICTED)
]


@pytest.mark.parametrize("reason", list(Reason))
def test_what_a_status_shows(reason):
    """Only an acceptance shows that a key is alive, and only a definite refusal that it is not."""
    one = scanned(status=reason.status, reason=reason)
    refused = reason.status is Status.INVALID_KEY and reason not in (
        Reason.AMBIGUOUS,
        Reason.UNRESOLVED_CREDENTIAL,
    )
    dead = reason in (Reason.UNKNOWN_KEY, Reason.EXPIRED, Reason.DISABLED)
    accepted = (reason.status, reason) in ACCEPTED
    down = reason.status is Status.EXCHANGE_UNAVAILABLE

    assert see("status.authenticates", one).value is (
        True if accepted else False if refused else None
    )
    assert see("status.dead", one).value is (False if accepted else True if dead else None)
    unsure = down or reason is Reason.PERMISSIONS_UNKNOWN
    assert see("status.online", one).value is (None if unsure else reason.status is Status.ONLINE)
    assert (str(reason.status), str(reason)) == (
        see("status.word", one).value,
        see("status.reason", one).value,
    )


def test_account_flags_are_not_permissions():
    """No evidence for a permission is unknown, whatever else is known of the account."""

    assert see("key.can.withdraw", with_fact(FULL, "permissions.withdraw", None)).value is None


def test_days():
    """Age and idleness are full days; a clock that is behind does not make them negative."""
    born = {"key.created_at": NOW - timedelta(days=3, hours=23)}

    assert 3 == value("key.age_days", known=born)
    assert 0 == value("key.age_days", known={"key.created_at": NOW + timedelta(hours=1)})
    assert 3 == value("key.idle_days", known={**born, "key.last_used_at": None})
    assert value("key.idle_days", known=born) is None
    assert 1 == value("key.idle_days", known={"key.last_used_at": datetime(2026, 11, 21, 11)})


def test_a_declared_age_is_told_as_such():
    """The manifest's date stands in, and says that nobody confirms it."""
    evidence = see("key.age_days", scanned(created=date(2026, 11, 1)))

    assert 21 == evidence.value
    assert ("manifest", True) == (evidence.source, "does not confirm" in evidence.limitation)


def test_never_is_not_unknown():
    """A key that never expires, or was never used, has no time, but that is known."""

    assert Evidence(None, None, "introspection", "GET /a") == see("key.expires", NEVER)
    assert see("key.expires_ever", NEVER).value is False
    assert see("key.ever_used", NEVER).value is False
    assert see("key.ever_used", SILENT).value is None
    assert see("key.last_use_known", SILENT).value is False


def test_excess_is_decided_by_what_is_certain():
    """One certain excess decides; the list stays unknown until all is known, and names the certain ones."""
    one = scanned(known={"permissions.transfer": "granted"}, requires=("trade",))

    assert see("key.exceeds", one).value is True
    assert see("key.excess", one).value == ("transfer",)
    assert "withdraw" in see("key.excess", one).unknown
    assert "withdraw" in see("key.excess_possible", one).value
    assert see("key.lacks", one).value is None
    assert see("key.missing_possible", one).value == ("trade",)


def test_a_key_without_restriction_has_no_entries():
    """Not restricted, and no list: nothing is missing, unexpected or broad."""
    one = scanned(known={"network.ip_restricted": False}, servers=("203.0.113.10",))

    for name in ("network.missing_servers", "network.unexpected", "network.broad"):
        assert () == see(name, one).value
    assert see("network.covers_servers", one).value is True
    assert (
        "no `servers`"
        in see("network.unexpected", scanned(known={"network.ip_restricted": False})).unknown
    )


def test_what_masks_leave_open():
    """The entries that leave a question open are named; what is certain is still told."""
    one = scanned(
        known={"network.ip_allowlist": ("203.**.10", "198.51.100.7")}, servers=("203.0.113.10",)
    )

    assert see("network.admits_others", one).value is True
    assert see("network.unexpected", one).value == ("198.51.100.7",)
    assert "203.**.10" in see("network.unexpected", one).unknown
    assert "203.0.113.10" in see("network.covers_servers", one).unknown


def test_uid():
    """Declared and live account are compared; if either is missing it is unknown."""
    live = {"account_facts.uid": "a"}

    assert value("account.uid_matches", known=live, uid="a") is True
    assert value("account.uid_matches", known=live, uid="b") is False
    assert value("account.uid_matches", known=live) is None
    assert value("account.uid_matches", uid="a") is None


def test_the_fleet():
    """What connections share: keys, accounts, words of the name; unknown where there is nothing to compare."""
    known = {"account_facts.uid": "7"}
    one = scanned("MEXC Spot Main", key="k", account="main", known=known)
    two = scanned("main-spot mexc", key="k", account="main", known=known, exchange="mexc")
    other = scanned("KuCoin Spot Main", key=None, account="main", known=known, exchange="kucoin")

    for name in ("fleet.same_key", "fleet.same_account", "fleet.same_uid", "fleet.same_name_words"):
        assert ("main-spot mexc",) == see(name, one, two, other).value
    assert see("fleet.same_key", other, one).value is None
    assert see("fleet.same_account", scanned()).value is None
    assert see("fleet.same_uid", scanned()).value is None


def test_words():
    """Names are words however they are parted; `Gate.io` is one."""

    assert ("gateio", "spot", "main") == value("connection.words", "Gate.io-Spot_Main")
    assert ("falcon", "v2", "btc", "usdt") == value(
        "connection.context_words", strategy="falcon-v2", symbols=("BTC/USDT",)
    )


def test_the_time():
    """`now` is the time of the audit, in UTC."""

    assert datetime(2026, 11, 22, 12, tzinfo=UTC) == see("now", scanned()).value
