"""Policies and exceptions from strangers: told what is wrong, never a traceback, never a hang, never all the memory."""

import copy
import tracemalloc
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bfaudit.errors import InvalidInput
from bfaudit.evaluate import evaluate
from bfaudit.exceptions import decide
from bfaudit.model import Severity
from bfaudit.policy import exceptions, load
from tests.evaluate.fleets import NOW, scanned, snapshot

BASELINE = yaml.safe_load((Path(__file__).parents[2] / "policies" / "baseline.yaml").read_bytes())
SMALL = {**BASELINE, "rules": BASELINE["rules"][:2]}
EXCEPTIONS = {
    "apiVersion": "bfaudit/v1",
    "kind": "Exceptions",
    "limits": {"approvers": {"high": 2}, "days": {"high": 30}},
    "exceptions": [
        {
            "id": "E-1",
            "rules": ["ip-restricted"],
            "select": {"connection": "re:MEXC.*", "exchange": ["mexc", "glob:k*"]},
            "type": "risk-accepted",
            "reason": "because",
            "ticket": "T-1",
            "requested_by": "alice",
            "approved_by": ["bob", "carol"],
            "created": "2026-11-01",
            "expires": "2026-11-30",
        }
    ],
}
SEVERITIES = {"ip-restricted": Severity.HIGH, "no-withdraw": Severity.CRITICAL}
ODD = st.sampled_from(
    ["", " ", "\0", "\x1b[2J", "re:(", "re:(a+)+$", "glob:[", "{key.nope}", "{", "}", "(" * 500, "a" * 20_000, "key.can.trade &&",
     "1 / 0 == 1", "'\\ud800' == ''", "2026-99-99", "0001-01-01", "9999-12-31", "*", "../../x", "true", "params.x"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | ODD, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def paths(data, at=()):
    yield at
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()  # fmt: skip
    for step, value in items:
        yield from paths(value, (*at, step))


def changed(data, path, value, drop):
    """The data with one part replaced, or left out."""
    if not path:
        return value
    made = copy.deepcopy(data)
    node = made
    for step in path[:-1]:
        node = node[step]
    if drop:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return made


def edits(data):
    return st.builds(changed, st.just(data), st.sampled_from(list(paths(data))), VALUES, st.booleans())  # fmt: skip


def text(data):
    try:
        return msgspec.json.encode(data)
    except (UnicodeEncodeError, OverflowError):
        return repr(data).encode("utf-8", "replace")


def told(read):
    """What was read, and what was wrong with it."""
    try:
        return read(), []
    except InvalidInput as error:
        return None, error.problems


FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))


@FUZZ
@given(edits(SMALL))
def test_changed_policies(data):
    """A policy with one part replaced loads and judges, or its mistakes are told."""
    policies, problems = told(lambda: load.load([("fuzz.yaml", text(data))]))

    assert all(problem.place.file == "fuzz.yaml" for problem in problems)
    assert policies is not None or problems
    evaluate(snapshot(scanned(), scanned("b")), policies or (), NOW)


@FUZZ
@given(edits(EXCEPTIONS))
def test_changed_exceptions(data):
    """An exceptions file with one part replaced is decided, or its mistakes are told."""
    policies = load.load([("baseline.yaml", text(SMALL))])
    asked, problems = told(lambda: exceptions.load([("fuzz.yaml", text(data))], SEVERITIES))
    fleet = snapshot(scanned(known={"network.ip_restricted": False}), scanned("b"))

    audit = decide(evaluate(fleet, policies, NOW), asked or (), NOW)

    assert asked is not None or problems
    in_force = {None, *(each.id for each in audit.exceptions)}
    assert all(result.exception in in_force for result in audit.results)


@FUZZ
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")))
@pytest.mark.parametrize("reader", [load.load, exceptions.load])
def test_any_bytes(reader, data):
    """What is no document of ours is a mistake."""
    with pytest.raises(InvalidInput):
        reader([("fuzz.yaml", data)])


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)


@pytest.mark.parametrize("reader", [load.load, exceptions.load])
@pytest.mark.parametrize("data", [BOMB, "[" * 100_000, "{a: " * 5_000, "- " * 50_000, "a: " + "x" * 1_000_000])  # fmt: skip
def test_bombs(reader, data):
    """A few bytes cannot ask for much memory."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput):
            reader([("bomb.yaml", data)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 200_000_000


def test_an_expression_that_would_not_end():
    """Loops in loops are given up, and the rule is an error, not a pass."""
    loops = "connection.tags.all(a, " * 6 + "true" + ")" * 6
    data = {**SMALL, "rules": [{"id": "loop", "title": "Loops", "severity": "low", "require": loops}]}  # fmt: skip
    policies = load.load([("loop.yaml", text(data))])

    (result,) = evaluate(
        snapshot(scanned(tags=tuple(f"t{n}" for n in range(100)))), policies, NOW
    ).results

    assert "error" == result.outcome
