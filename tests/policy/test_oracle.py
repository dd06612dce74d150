"""The expression engine beside another implementation of CEL: whatever both can say, they say alike."""

from datetime import UTC, datetime

import celpy
import pytest
from celpy import celtypes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bfaudit.policy import cel
from bfaudit.policy.cel import speakable

ORACLE = celpy.Environment()
BOOLS = ["key.can.trade", "key.can.withdraw", "network.ip_restricted"]
INTS = ["key.age_days", "key.idle_days"]
TEXTS = ["connection.purpose", "key.label"]
LISTS = ["connection.tags", "network.allowlist"]
TIMES = ["key.created", "now"]
WORDS = st.sampled_from(["", "a", "ab", "ba", "b-1", "é"])
VALUES = {
    **dict.fromkeys(BOOLS, st.booleans()),
    **dict.fromkeys(INTS, st.integers(-3, 400)),
    **dict.fromkeys(TEXTS, WORDS),
    **dict.fromkeys(LISTS, st.lists(WORDS, max_size=3)),
    **dict.fromkeys(TIMES, st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=0))),
}  # fmt: skip


def quoted(text):
    return f'"{text}"'


NUMBERS = st.recursive(
    st.one_of(
        st.integers(0, 400).map(str),
        st.sampled_from(INTS),
        st.sampled_from(LISTS).map("size({})".format),
        st.sampled_from(TEXTS).map("size({})".format),
    ),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda each: f"({each[0]} {each[1]} {each[2]})"
    ),
    max_leaves=3,
)
STRINGS = st.one_of(st.sampled_from(TEXTS), WORDS.map(quoted))
INSIDE = st.one_of(
    st.tuples(st.sampled_from(["==", "!="]), STRINGS).map(lambda e: f"x {e[0]} {e[1]}"),
    st.tuples(st.sampled_from(["startsWith", "endsWith", "contains"]), WORDS.map(quoted)).map(
        lambda e: f"x.{e[0]}({e[1]})"
    ),
    st.sampled_from(LISTS).map("x in {}".format),
)
ATOMS = st.one_of(
    st.sampled_from(["true", "false", *BOOLS]),
    st.tuples(NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), NUMBERS).map(" ".join),
    st.tuples(STRINGS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), STRINGS).map(" ".join),
    st.tuples(STRINGS, st.sampled_from(["startsWith", "endsWith", "contains"]), STRINGS).map(
        lambda e: f"{e[0]}.{e[1]}({e[2]})"
    ),
    st.tuples(STRINGS, st.sampled_from(LISTS)).map(" in ".join),
    st.tuples(STRINGS, st.lists(WORDS.map(quoted), max_size=3)).map(
        lambda e: f"{e[0]} in [{', '.join(e[1])}]" if e[1] else f"{e[0]} == {e[0]}"
    ),
    st.tuples(st.sampled_from(LISTS), st.sampled_from(["exists", "all", "exists_one"]), INSIDE).map(
        lambda e: f"{e[0]}.{e[1]}(x, {e[2]})"
    ),
    st.tuples(st.sampled_from(TIMES), st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(TIMES)).map(" ".join),
)  # fmt: skip
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map("!({})".format),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
            lambda each: f"({each[0]}) {each[1]} ({each[2]})"
        ),
        st.tuples(inner, inner, inner).map(
            lambda each: f"(({each[0]}) ? ({each[1]}) : ({each[2]}))"
        ),
    ),
    max_leaves=8,
)


def oracle(source, values):
    """What the other implementation says; None where it has no answer."""
    tree = {}
    for name, value in values.items():
        *path, last = name.split(".")
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[last] = value
    context = {name: _typed(value) for name, value in tree.items()}
    program = ORACLE.program(ORACLE.compile(source))
    try:
        return bool(program.evaluate(context))
    except celpy.CELEvalError:
        return None


def _typed(value):
    if isinstance(value, dict):
        return celtypes.MapType({celtypes.StringType(k): _typed(v) for k, v in value.items()})
    if isinstance(value, datetime):
        return celtypes.TimestampType(value)
    return celpy.json_to_cel(value)


def ours(source, values):
    answer = cel.compile(source, {}, {}).evaluate({n: speakable(v) for n, v in values.items()})
    return answer if isinstance(answer, bool) else None


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(CONDITIONS, st.fixed_dictionaries(VALUES))
def test_alike_where_everything_is_known(source, values):
    """Both engines give the same answer."""

    assert oracle(source, values) is ours(source, values)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(
        st.sampled_from(["true", "false", *BOOLS]),
        lambda inner: st.one_of(
            inner.map("!({})".format),
            st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
                lambda each: f"({each[0]}) {each[1]} ({each[2]})"
            ),
        ),
        max_leaves=8,
    ),
    st.fixed_dictionaries({}, optional={name: st.booleans() for name in BOOLS}),
)
def test_alike_where_something_is_not(source, values):
    """What is left out is absorbed, or leaves no answer, in both engines."""

    assert oracle(source, values) is ours(source, values)


def test_the_oracle_can_disagree():
    """The comparison is one: different values give different answers."""

    assert oracle("key.age_days > 3", {"key.age_days": 4}) is True
    assert ours("key.age_days > 3", {"key.age_days": 3}) is False
    assert oracle("key.age_days > 3", {}) is None


@pytest.mark.parametrize("source", ["key.can.trade", "key.age_days > 3", "size(connection.tags) > 0"])  # fmt: skip
def test_silence_is_no_answer(source):
    """Neither makes an answer of what is not there."""

    assert (None, None) == (oracle(source, {}), ours(source, {}))
