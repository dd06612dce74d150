"""What changed between two scans, in Finnish: in a report and as `bfaudit diff` tells it."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bfaudit.drift import compare, render
from bfaudit.lang import ENGLISH, language
from bfaudit.model import Fact, Grant, Reason, Status
from tests.lang.conftest import audited, rendered


def altered():
    """The example fleet a day later: rights, addresses, names and states changed."""
    snapshot = audited().snapshot
    first, second, third, *rest = snapshot.connections
    wider = {
        **first.facts.known,
        "permissions.withdraw": Fact(Grant.GRANTED),
        "network.ip_restricted": Fact(False),
        "network.ip_allowlist": Fact(()),
        "key.label": Fact("other label"),
    }
    narrower = {**second.facts.known, "permissions.withdraw": Fact(Grant.DENIED)}
    del narrower["network.ip_allowlist"]
    changed = (
        replace(first, facts=replace(first.facts, known=wider)),
        replace(
            second,
            facts=replace(second.facts, known=narrower),
            connection=replace(second.connection, owner="somebody"),
        ),
        replace(third, status=Status.EXCHANGE_UNAVAILABLE, reason=Reason.TIMEOUT),
    )
    later = snapshot.generated_at + timedelta(days=1)
    return replace(snapshot, generated_at=later, connections=(*changed, *rest[1:]))


@pytest.fixture
def told():
    """The changes."""
    old, new = audited().snapshot, altered()
    return render.diff(old, new, compare(old, new), ("sha256:1", "sha256:2"), "1.2.3")


@pytest.mark.parametrize("write", [render.to_text, render.to_markdown])
def test_every_change_is_told(write, told):
    """No line is as it is in English, but those that hold values only."""
    english, finnish = (write(told, lang).splitlines() for lang in (ENGLISH, language("fi")))
    same = [
        line for one, line in zip(english, finnish, strict=True) if one == line and line.strip()
    ]

    assert len(told.changes) > 6
    assert [] == [line for line in same if re.search(r"[a-z]{3}", line)]


def test_a_report_tells_them(told):
    """`--previous` shows them in the language of the report."""
    audit = replace(audited(), changes=told.changes)

    assert "Muutokset edelliseen tilannekuvaan verrattuna" in rendered("markdown", "fi", audit)
    assert "avain toimii nyt mistä tahansa osoitteesta" in rendered("text", "fi", audit)
    assert "the key now works from any address" in rendered("text", "en", audit)


def test_what_is_withheld_twice_is_told():
    """Each reason is a sentence of its own; the paths stay what rules call them."""
    why = "KuCoin did not give the key's own record; HTX did not give the key's own record"
    text = f"cannot be compared: neither scan was told permissions.withdraw, permissions.other:earn: {why}"
    told = language("fi").sentence(text)

    assert "kummallekaan skannaukselle ei kerrottu arvoja permissions.withdraw, permissions.other:earn: " in told  # fmt: skip
    assert not re.search("did not|cannot|neither", told)
