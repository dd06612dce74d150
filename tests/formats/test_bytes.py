"""The bytes of every report, pinned: what makes reports faster changes nothing in them.

A change that is meant renews the pins: `pytest tests/formats/test_bytes.py --snapshot-update`.
"""

import random
from datetime import date, timedelta
from functools import cache
from hashlib import sha256

import msgspec
import pytest
from msgspec.structs import replace

from bfaudit import baseline, egress
from bfaudit.evaluate import evaluate
from bfaudit.exceptions import Asked, decide
from bfaudit.formats import FORMATS, Options
from bfaudit.model import (
    ApprovedException,
    Change,
    ClientUsed,
    Direction,
    Place,
    Reason,
    Rejected,
    Severity,
    Status,
)
from bfaudit.policy.load import load
from tests.formats.fleets import NASTY
from tests.lang.conftest import audited
from tests.report import samples

SIZE = 80
RULES = [
    ("no-withdraw", "critical", "!key.can.withdraw", 'connection.lifecycle == "active"'),
    ("ip-restricted", "high", "network.ip_restricted && size(network.allowlist) < 3", "true"),
    ("named-as-declared", "high", "key.label == connection.name", "true"),
    ("own-account", "medium", "size(fleet.same_account) == 0", 'connection.exchange != "kucoin"'),
    ("young", "low", "key.age_days < params.days", "true"),
    ("broken", "low", "1 / (key.age_days - key.age_days) == 1", "true"),
    ("told", "info", "network.admits_others && key.can.margin", 'status.word != "Invalid key"'),
    ("online", "info", 'status.word == "Online"', "true"),
]


def policies():
    """Rules that end in every way, and one whose texts try to break out."""
    rules = [
        {"id": name, "title": f"Not so: {name}", "severity": severity, "require": require, "applies": applies,
         "params": {"days": {"type": "int", "default": 200}}, "remediation": {"text": "Do so.", "mexc": "Do `so` | now."},
         "message": "{connection.name}: {key.label} is <b>not</b> it", "controls": {"soc2": ["CC6.1"]}}
        for name, severity, require, applies in RULES
    ]  # fmt: skip
    rules[-1] |= {"title": "<script>alert(1)</script> ](x)", "rationale": "a|b\n# c"}
    rules[4] |= {"on_unknown": "fail"}
    policy = {"apiVersion": "bfaudit/v1", "kind": "Policy", "id": "own", "title": "Ours"}
    return load([("own.yaml", msgspec.json.encode({**policy, "rules": rules}))])


def connection(number, chance):
    """One of a fleet: its name may be hostile, its key fine, dead or out of reach."""
    status, reason = chance.choice([
        *[(Status.ONLINE, None)] * 6, (Status.INVALID_KEY, Reason.UNKNOWN_KEY),
        (Status.EXCHANGE_UNAVAILABLE, Reason.TIMEOUT), (Status.INVALID_KEY, Reason.UNRESOLVED_CREDENTIAL),
    ])  # fmt: skip
    nasty = chance.random() < 0.3
    return samples.scanned(
        f"{chance.choice(NASTY)[:200]} {number}" if nasty else f"MEXC Spot {number:03}",
        chance.choice(["mexc", "kucoin", "okx"]),
        status=status,
        reason=reason,
        line=number * 9 + 4,
        label=chance.choice([None, "bot", *NASTY[:3]]),
        grants=chance.choice(["read trade", "read", "read trade withdraw"]),
        age=chance.choice([10, 190, 400]),
        addresses=chance.choice([None, ("203.0.113.10",), ("203.0.113.10", "0.0.0.0/0")]),
        fingerprint=None if reason is Reason.UNRESOLVED_CREDENTIAL else f"{chance.randrange(90):x}",
    )


def exception(name, rule, **more):
    """One that holds, but for what `more` changes."""
    return Asked(ApprovedException(**{
        "id": name, "rules": (rule,), "select": {"exchange": ("mexc",)}, "type": "risk-accepted", "ticket": "S-1",
        "reason": "a|b <i>", "requested_by": "alice", "approved_by": ("bob", "carol"), "created": date(2026, 11, 1),
        "expires": date(2026, 12, 1), "place": Place("exceptions.yaml", 3, 5), **more,
    }))  # fmt: skip


@cache
def generated():
    """A fleet of every kind of result, with exceptions, a baseline, an egress check, rejected connections and changes."""
    chance = random.Random(8)
    scans = tuple(connection(number, chance) for number in range(SIZE))
    bare = samples.audit(scans, []).snapshot
    snapshot = replace(
        bare,
        rejected=(Rejected("Odd\u2028One", Place("fleet.yaml", 7, 3), "no `exchange`"),),
        client=ClientUsed(name="ccxt 4.5.64"),
        exchanges=tuple(replace(one, redirected=one.id == "okx") for one in bare.exchanges),
    )
    judged = egress.checked(evaluate(snapshot, policies(), samples.NOW), ("203.0.113.10",))
    asked = [
        exception("EXC-1", "no-withdraw", select={"connection": tuple(each.connection.name for each in scans[:20])}),
        exception("EXC-2", "ip-restricted"),
        exception("EXC-3", "ip-restricted", expires=date(2026, 11, 2)),
        exception("EXC-7", "own-account", select={"exchange": ("okx",)}, expires=date(2026, 11, 3)),
        exception("EXC-4", "online", select={"connection": ("MEXC Spot 001",)}, ticket=""),
        exception("EXC-5", "young", select={"account": ("nowhere",)}),
        exception("EXC-6", "absent"),
    ]  # fmt: skip
    audit = decide(judged, asked, samples.NOW)
    known = baseline.created(audit)
    audit = baseline.applied(audit, replace(known, findings=known.findings[::3]))
    text = "The key may do more\u2028 than before"
    change = Change(kind="permission-widened", connection=scans[0].connection.name, severity=Severity.HIGH,
                    direction=Direction.WIDENED, text=text, path="permissions.trade", before="denied")  # fmt: skip
    return replace(audit, changes=(change,), generated_at=samples.NOW + timedelta(seconds=0.5))


AUDITS = {
    "demo": lambda: audited("baseline", "inventory"),
    "generated": generated,
    "hostile": samples.SAMPLES["hostile"],
}
OPTIONS = {
    "plain": Options(exit_code=1),
    "told": Options(
        sources={samples.FILE: samples.MANIFEST * 99}, snapshot_digest=f"sha256:{'0' * 64}", root="/srv/repository",
        folder="fleet", sarif_category="night", sarif_include_suppressed=True, junit_file=True, color=True, width=80,
    ),
}  # fmt: skip


def digests(name, options):
    """The digest of an audit in every format."""
    found = {}
    for form in sorted(FORMATS):
        made = FORMATS[form].render(AUDITS[name](), OPTIONS[options])
        found[form] = sha256(made.encode() if isinstance(made, str) else made).hexdigest()
    return found


@pytest.mark.parametrize("options", list(OPTIONS))
@pytest.mark.parametrize("name", list(AUDITS))
def test_every_format(name, options, snapshot):
    """The demo's fleet, a generated one and a hostile one are written byte by byte as before."""
    assert digests(name, options) == snapshot


def test_beyond_the_limit_of_sarif(monkeypatch, snapshot):
    """Which results are kept where there are too many, and how many are said to be left out."""
    monkeypatch.setattr("bfaudit.formats.sarif.LIMIT", 60)
    found = {options: digests("generated", options)["sarif"] for options in OPTIONS}

    assert found == snapshot


def test_the_generated_fleet_has_every_kind_of_result():
    """Each outcome, findings that are known and not, under an exception and about one."""
    audit = generated()

    assert 5 == len({one.outcome for one in audit.results})
    assert {None, "EXC-1", "EXC-2"} == {one.exception for one in audit.results}
    assert 2 < len({one.rule.id for one in audit.results if one.identity})
    assert 0 < len(audit.baselined)
