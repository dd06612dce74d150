"""What an exchange sends back of a key's own secrets stays out of every fact."""

import pytest

from bfaudit.model import Fact, Facts, Grant
from bfaudit.scan.scrub import hide, scrub
from tests.scan.fleet import scan_one, text_of

KEY, SECRET = "Ab3" * 8, "Xy-9_Z" * 8
OURS = (KEY, SECRET)
GRANTED, DENIED = Fact(Grant.GRANTED), Fact(Grant.DENIED)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("a label", "a label"),
        (SECRET, "***"),
        (f"it is {SECRET}, or {KEY}.", "it is ***, or ***."),
        (SECRET.lower().replace("-", "_"), "***"),
        (f"cut off: {SECRET[:20]}", "cut off: ***"),
        (f"{SECRET}{SECRET}", "******"),
        (f"İß {SECRET} İß", "İß *** İß"),
        (SECRET[:15], SECRET[:15]),
    ],
)
def test_secrets_are_hidden_however_they_are_written(text, hidden):
    """Whole, cut off after 16 characters, in another case, with `-` for `_`, beside letters of any language."""
    assert hidden == hide(text, OURS)


def test_a_secret_that_is_too_short_to_be_told_from_a_word_is_not_looked_for():
    """A passphrase `read` would hide half of every snapshot."""
    assert "read" == hide("read", ["read"])


@pytest.mark.parametrize(
    "facts",
    [
        Facts({f"permissions.other:{SECRET}": GRANTED}),
        Facts({f"permissions.other:{SECRET.lower()[:40]}": GRANTED}),
        Facts({}, {f"permissions.other:{SECRET}": "not told"}),
        Facts({}, {"permissions.trade": f"an unknown permission: {SECRET[:50]}"}),
        Facts({"key.label": Fact(SECRET)}),
        Facts({"key.symbols": Fact(("BTCUSDT", SECRET))}),
    ],
    ids=["name", "name cut off", "name not known", "reason", "value", "list"],
)
def test_no_part_of_facts_holds_a_secret(facts):
    """Values, names of permissions and reasons."""
    clean = repr(scrub(facts, OURS))

    assert "***" in clean
    assert not [one for one in OURS if one[:16].lower() in clean.lower()]


def test_facts_without_a_secret_are_the_same_facts():
    """Nothing is copied where there is nothing to hide."""
    facts = Facts({"key.label": Fact("a label"), "permissions.read": GRANTED})

    assert scrub(facts, OURS) is facts


def test_permissions_whose_names_become_one_are_never_less_than_each():
    """Granted wins over not known, and that over denied."""
    first, second = f"permissions.other:{KEY}", f"permissions.other:{KEY.upper()}"
    one = "permissions.other:***"

    assert {one: GRANTED} == scrub(Facts({first: GRANTED, second: DENIED}), OURS).known
    assert {one: GRANTED} == scrub(Facts({first: DENIED, second: GRANTED}), OURS).known
    for known, unknown in ((first, second), (second, first)):
        mixed = scrub(Facts({known: DENIED}, {unknown: "not told"}), OURS)
        sure = scrub(Facts({known: GRANTED}, {unknown: "not told"}), OURS)

        assert ({}, {one: "not told"}) == (mixed.known, mixed.unknown)
        assert ({one: GRANTED}, {}) == (sure.known, sure.unknown)


def test_an_exchange_that_calls_a_permission_by_the_secret_gains_nothing():
    """Over real HTTP: the token of a permission is the secret itself, and the snapshot does not hold it."""
    plain = scan_one("mexc", {"permissions": ("SPOT_ACCOUNT_READ",)})
    secret = plain.environment["ONE_SECRET"]
    seen = scan_one("mexc", {"permissions": ("SPOT_ACCOUNT_READ", secret)})

    assert Grant.GRANTED == seen.one.facts.known["permissions.other:***"].value
    assert secret not in text_of(seen.snapshot)
