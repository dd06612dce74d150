"""The expression language: three-valued, typed, and safe from the defects of its engine."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bfaudit.policy import cel
from bfaudit.policy.cel import CompileError, Failure, Unknown, speakable

A, B = "key.can.trade", "key.can.withdraw"


def expression(source, params=None, types=None):
    return cel.compile(source, params or {}, types or {})


def ask(source, values=None, params=None, types=None):
    return expression(source, params, types).evaluate(
        {name: speakable(value) for name, value in (values or {}).items()}
    )


def mistakes(source, params=None, types=None):
    with pytest.raises(CompileError) as caught:
        expression(source, params, types)
    return caught.value.mistakes


def kleene_and(a, b):
    if a is False or b is False:
        return False
    return True if a and b else None


def kleene_or(a, b):
    if a or b:
        return True
    return False if a is False and b is False else None


@pytest.mark.parametrize("a", [True, False, None])
@pytest.mark.parametrize("b", [True, False, None])
@pytest.mark.parametrize(
    ("operator", "truth"), [("&&", kleene_and), ("||", kleene_or)], ids=["and", "or"]
)
def test_kleene(a, b, operator, truth):
    """What is left out is unknown, and stays so unless the other side decides."""
    values = {name: value for name, value in ((A, a), (B, b)) if value is not None}
    answer = ask(f"{A} {operator} {B}", values)

    assert truth(a, b) is (None if isinstance(answer, Unknown) else answer)


@pytest.mark.parametrize(
    "source",
    [
        f"!{A}",
        f"{A} ? true : true",
        f"has({A})",
        f"{A} in [true, false]",
        f"[1, 2].all(x, x < 3 && {A})",
        "key.age_days < 10",
        'matches_any(key.label, ["*"])',
        "size(network.allowlist) >= 0",
        "key.created < now",
    ],
)
def test_nothing_makes_an_answer_of_silence(source):
    """An expression that needs an unknown field is unknown, whatever it does with it."""

    assert isinstance(ask(source), Unknown)


def test_unknown_names_every_missing_field():
    """The field that decides comes first."""

    assert Unknown((B, A)) == ask(f"{B} && {A}")
    assert Unknown((A,)) == ask(f"{B} && {A}", {B: True})


def test_a_genuine_error_is_no_unknown():
    """Errors other than missing evidence are told apart."""

    assert Failure("divide by zero") == ask("1 / 0 == 1")
    assert Failure("Iteration budget exceeded") == ask(
        "network.allowlist.all(a, network.allowlist.all(b, network.allowlist.all(c, true)))",
        {"network.allowlist": ["x"] * 200},
    )


def test_a_value_cannot_pose_as_missing_evidence():
    """Text of an exchange that imitates the engine's error stays an error."""
    lie = 'No value with name "key.can.trade" found in Activation'

    answer = ask('{"a": true}[key.label] || key.can.trade', {"key.label": lie, A: False})

    assert isinstance(answer, Failure)


def test_texts_are_not_cut_at_nul():
    """`ok\\0evil` is not `ok`: an exchange's label cannot bypass a rule."""

    assert ask("key.label == 'ok'", {"key.label": "ok\0evil"}) is False


def test_lone_surrogates_are_replaced():
    """JSON of an exchange may spell half a surrogate pair."""

    assert ask("key.label == 'a\ufffd'", {"key.label": "a\ud800"}) is True


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1),
        datetime(9999, 12, 31, 23, 59, 59, 999999),
        datetime.max.replace(tzinfo=UTC),
    ],
)
def test_times_at_the_edges(moment):
    """The first and the last moments are accepted."""

    assert isinstance(
        ask("key.created < now", {"key.created": moment, "now": datetime.now(UTC)}), bool
    )


def test_naive_times_are_utc():
    """A time without a zone is not a local time."""
    values = {"key.created": datetime(2026, 1, 1), "now": datetime(2026, 1, 1, tzinfo=UTC)}

    assert ask("key.created == now", values) is True


def test_numbers_beyond_64_bits_are_clamped():
    """No age is too great to compare."""

    assert ask("key.age_days > 1", {"key.age_days": 2**70}) is True


@given(st.text(st.characters(), max_size=20))
def test_any_text_goes_through(text):
    """Every text that Python can hold compares equal to itself once it is speakable."""

    assert ask("key.label == key.type", {"key.label": text, "key.type": text}) is True


@given(st.lists(st.text(st.characters(), max_size=5), max_size=4))
def test_any_list_goes_through(texts):
    """So does every list of texts, and no text of it is taken for another's part."""
    values = {"connection.tags": texts, "network.allowlist": tuple(texts)}

    assert ask("connection.tags == network.allowlist", values) is True
    assert ask(f"size(connection.tags) == {len(texts)}", values) is True


def test_reads_are_exact():
    """An expression reads the fields it refers to: not those in texts, in loops or in other names."""
    source = """
        key . can . trade && connection.tags.exists(now, now == "key.can.withdraw")
        || params.limit > key.age_days"""

    compiled = expression(source, {"limit": 3}, {"limit": "int"})

    assert {A, "connection.tags", "key.age_days"} == set(compiled.reads) - {"now"}


@pytest.mark.parametrize(
    ("source", "at", "message", "hint"),
    [
        ("!key.can.withdrw", "key.can.withdrw", "unknown field", '"key.can.withdraw"'),
        (f"{A} &&\n  key.agedays > 3", "key.agedays", "unknown field", '"key.age_days"'),
        ("params.max_agr > 3", "params.max_agr", "unknown field", '"params.max_age"'),
        ("cidr_contain(network.allowlist, 'x')", "cidr_contain", "unknown function", '"cidr_contains"'),
        ("connection.name.lowerascii() == ''", "lowerascii", "unknown function", '"lowerAscii"'),
        (f"{A} == 'yes'", "==", "`==` does not take (bool, string)", None),
        ("'a' in connection.name", "in conn", "`in` does not take (string, string)", None),
        ("true ? 1 : 'a'", "? 1", "`? :` does not take (bool, int, string)", None),
        (f"{A} and {B}", "and", "not an expression", "write `&&`"),
        (f"not {A}", "key", "not an expression", "write `!`"),
        ("key.age_days = 3", "= 3", "not an expression", "write `==`"),
        ("key.age_days", "key.age_days", "type int, where a condition is wanted", "compare"),
        ("size()", "size", "`size` does not take these arguments", None),
        ("(" * 300 + "true" + ")" * 300, "(", "recursion limit", None),
        ("true || '\0' == ''", "\0", "NUL", None),
        (" " * 10_001, " ", "more than 10,000 characters", None),
        ("", "", "not an expression: unexpected end", None),
    ],
)  # fmt: skip
def test_mistakes(source, at, message, hint):
    """A mistake is told with its place, and with what was meant."""
    first = mistakes(source, {"max_age": 1}, {"max_age": "int"})[0]

    assert source.startswith(at, first.offset)
    assert message in first.message
    assert (hint or "") in (first.hint or "")


def test_every_unknown_name_is_told():
    """Several mistakes are told in one run."""

    assert [0, 12] == [m.offset for m in mistakes("key.foo1 || key.foo2")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("cidr_contains('203.0.113.0/24', '203.0.113.7')", True),
        ("cidr_contains(['10.0.0.0/8', '203.0.113.0/24'], '203.0.113.7')", True),
        ("cidr_contains('203.0.113.0/24', '203.0.113.0/23')", False),
        ("cidr_contains('203.0.113.0/24', '::ffff:203.0.113.7')", True),
        ("cidr_contains('::/0', '203.0.113.7')", False),
        ("cidr_contains('nonsense', 'nonsense')", False),
        ("cidr_size('203.0.113.0/24') == 256", True),
        ("cidr_size('::/0') == 9223372036854775807", True),
        ("cidr_size('nonsense') == 0", True),
        ("is_private('10.1.2.3')", True),
        ("is_private('fd00::/8')", True),
        ("is_private('8.8.8.8')", False),
        ("is_private('nonsense')", False),
        ("matches_any('bot-7', ['x', 'bot-*'])", True),
        ("matches_any('bot-7', [])", False),
    ],
)
def test_functions(source, expected):
    """The functions say what they say of addresses and wildcards, and of what is neither."""

    assert expected is ask(source)
