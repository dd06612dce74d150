"""Policies from YAML: every mistake is told at its place, and what is right is compiled."""

import textwrap

import pytest

from bfaudit.errors import InvalidInput, UsageError
from bfaudit.model import Outcome, Severity
from bfaudit.policy.load import load
from bfaudit.policy.read import packs, read

HEAD = """\
apiVersion: bfaudit/v1
kind: Policy
id: own
title: Our rules
"""
RULE = """\
rules:
  - id: a-rule
    title: Something is wrong
    severity: high
"""


def policy(text, head=HEAD):
    return head + textwrap.dedent(text)


def rule(text):
    return HEAD + RULE + textwrap.indent(textwrap.dedent(text), "    ")


def problems(*texts):
    with pytest.raises(InvalidInput) as caught:
        load([(f"{number}.yaml", text) for number, text in enumerate(texts)])
    return caught.value.problems


def only(text):
    found = problems(text)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


@pytest.mark.parametrize("name", ["exception-expired", "exception-of-ours", "egress-allowed"])
def test_reserved_ids(name):
    """They name rules that bfaudit brings itself: one of a policy would be taken for them."""
    problem = only(rule("require: key.age_days < 3\n").replace("a-rule", name))

    assert f"`{name}` is reserved" == problem.message
    assert (6, 9) == (problem.place.line, problem.place.column)


def test_ids_that_only_look_reserved():
    """`exceptions-reviewed` is nobody's."""
    (loaded,) = load([("p.yaml", rule("require: key.age_days < 3\n").replace("a-rule", "exceptions-reviewed"))])  # fmt: skip

    assert ["exceptions-reviewed"] == [one.rule.id for one in loaded.rules]


def test_a_rule_as_loaded():
    """Defaults are filled in, parameters are values, texts of titles are complete."""
    text = rule("""\
        params: {days: {type: int, default: 3}}
        require: key.age_days < params.days
        remediation: {text: Do it., mexc: Do it there.}
        controls: {soc2: [CC6.1], our-own-framework: [X-1]}
        """).replace("Something is wrong", "Older than {params.days} days")

    (loaded,) = load([("p.yaml", text)])
    (compiled,) = loaded.rules

    assert "own" == loaded.id == compiled.rule.policy
    assert "Older than 3 days" == compiled.rule.title
    assert {"days": 3} == compiled.rule.params
    assert "true" == compiled.rule.applies
    assert Outcome.UNKNOWN is compiled.rule.on_unknown
    assert {"soc2": ("CC6.1",), "our-own-framework": ("X-1",)} == compiled.rule.controls
    assert "p.yaml:6:9" == str(compiled.rule.place)
    assert ("key.age_days",) == compiled.reads


def test_a_misspelt_field():
    """Line and column are those of the name within the expression; the caret is as wide as it."""
    problem = only(rule('require: "!key.can.withdrw"'))

    assert "0.yaml:9:16: unknown field `key.can.withdrw`" == str(problem)
    assert '    require: "!key.can.withdrw"' == problem.excerpt
    assert len("key.can.withdrw") == problem.width
    assert 'did you mean "key.can.withdraw"?' == problem.hint


def test_a_mistake_in_a_folded_expression():
    """The place is right in every style of YAML."""
    problem = only(
        rule("""\
        require: >-
          key.can.trade
          && key.can.wthdraw
        """)
    )

    assert (11, 10) == (problem.place.line, problem.place.column)


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("require: key.age_days", "9:14", "where a condition is wanted", "compare"),
        ("require: 'true'\napplies: connection.owner", "10:14", "where a condition", ""),
        ("require: params.days > 3", "9:14", "unknown field `params.days`", ""),
        ("require: 'true'\nparams: {days: {type: int, default: '3'}}", "10:41", "another type", ""),
        ("require: 'true'\nparams: {days: {type: int, default: true}}", "10:41", "another type", ""),
        ("require: 'true'\nparams: {Days: {type: int, default: 3}}", "10:14", "cannot be a name", ""),
        ("require: 'true'\nmessage: Is {key.agedays} old", "10:18", "no field", "key.age_days"),
        ("require: 'true'\nexpected: Is {nothing}", "10:19", "no field", ""),
        ("require: 'true'\nblames: requirs", "10:13", "no field `requirs`", "requires"),
        ("require: 'true'\nblame: requires", "10:5", "unknown field", "blames"),
        ("require: 'true'\non_unknown: fial", "10:17", "unknown on_unknown", "fail"),
        ("require: 'true'\nreferences: [nowhere]", "10:18", "not the address of a page", ""),
        ("require: 'true'\nremediation: {mexc: Do it}", "10:18", '"text" is missing', ""),
        ("require: true", "9:14", "must be a text, not true or false", "quotes"),
        ("require: ''", "9:14", '"require" is empty', ""),
        ("applies: 'true'", "6:5", '"require" is missing', ""),
    ],
)  # fmt: skip
def test_mistakes(text, place, message, hint):
    """Each mistake is told at its place."""
    problem = only(rule(text))

    assert f"0.yaml:{place}" == str(problem.place)
    assert message in problem.message
    assert hint in (problem.hint or "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("[]", "this is a list"),
        (HEAD, '"rules" is missing'),
        (HEAD + "rules: []", '"rules" is empty'),
        (rule("require: 'true'").replace("Policy", "Manifest"), "this is a Manifest, not a Policy"),
        (rule("require: 'true'").replace("a-rule", "A Rule"), "cannot be an id"),
        (rule("require: 'true'").replace("high", "hihg"), 'unknown severity "hihg"'),
        (rule("require: 'true'").replace("Something is wrong", "Is {key.label}"), "no parameter"),
        (rule("require: 'true'").replace("title: Our", "titel: Our"), "unknown field"),
    ],
)
def test_wrong_files(text, message):
    """What is no policy is told as such."""

    assert message in problems(text)[0].message


def test_a_rule_id_is_unique_over_all_policies():
    """Both places are named."""
    text = rule("require: 'true'")

    (problem,) = problems(text, text)

    assert "`a-rule` is given twice; first at 0.yaml:6:9" == problem.message
    assert "1.yaml:6:9" == str(problem.place)


def test_all_problems_in_one_run():
    """Mistakes of several rules and files come together."""
    text = rule("require: key.foo\nmessage: '{bar}'")

    assert 4 == len(problems(text, text.replace("a-rule", "b-rule")))


def test_braces_in_values_are_no_fields():
    """A parameter whose value holds braces is shown as it is."""
    text = rule("""\
        params: {text: {type: string, default: "{key.label}"}}
        require: params.text == ""
        """).replace("Something is wrong", "'{params.text} is wrong'")

    (loaded,) = load([("p.yaml", text)])

    assert "{key.label} is wrong" == loaded.rules[0].rule.title


OVERRIDES = HEAD.replace("own", "stricter")


def test_overrides():
    """A policy changes rules of another: severity, parameters, what unknown comes to."""
    base = rule("params: {days: {type: int, default: 3}}\nrequire: key.age_days < params.days")
    change = (
        "overrides: {a-rule: {reason: ours, severity: low, on_unknown: fail, params: {days: 9}}}"
    )

    changed, stricter = load([("a.yaml", base), ("b.yaml", OVERRIDES + change)])
    (compiled,) = changed.rules

    assert () == stricter.rules
    assert (Severity.LOW, Outcome.FAIL) == (compiled.rule.severity, compiled.rule.on_unknown)
    assert compiled.require.evaluate({"key.age_days": 8}) is True


def test_a_rule_may_be_left_out():
    """`enabled: false` leaves a rule out."""
    base = rule("require: 'true'")

    loaded, _ = load(
        [
            ("a.yaml", base),
            ("b.yaml", OVERRIDES + "overrides: {a-rule: {reason: ours, enabled: false}}"),
        ]
    )

    assert () == loaded.rules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("a-rul: {reason: ours, severity: low}", "no loaded policy has a rule `a-rul`"),
        ("a-rule: {reason: ours, params: {dayz: 9}}", "has no parameter `dayz`"),
        ("a-rule: {reason: ours, params: {days: nine}}", "a value of another type"),
        ("a-rule: {reason: ours, severty: low}", "unknown field"),
    ],
)
def test_wrong_overrides(change, message):
    """A change that fits nothing is a mistake in the file that asks for it."""
    base = rule("params: {days: {type: int, default: 3}}\nrequire: key.age_days < params.days")

    (problem,) = problems(base, OVERRIDES + f"overrides: {{{change}}}")

    assert message in problem.message
    assert "1.yaml" == problem.place.file


def test_the_same_rule_cannot_be_changed_twice():
    """Two files that change one rule contradict each other."""
    change = "overrides: {a-rule: {reason: ours, severity: low}}"

    (problem,) = problems(rule("require: 'true'"), OVERRIDES + change, OVERRIDES + change)

    assert "first at 1.yaml:5:13" in problem.message


def test_sources(tmp_path):
    """A source is a pack, a file, a folder or a glob; a file counts once."""
    folder = tmp_path / "mine" / "deep"
    folder.mkdir(parents=True)
    file = folder / "own.yaml"
    file.write_text(rule("require: 'true'"))
    (folder / "README.md").write_text("no policy")

    for source in (file, tmp_path, f"{tmp_path}/**/*.yaml", tmp_path / "mine"):
        assert ["own"] == [policy.id for policy in read([str(source), str(file)])]
    assert ["baseline", "own"] == [policy.id for policy in read(["baseline", str(file)])]


def test_a_source_that_is_nothing(tmp_path):
    """A misspelt pack is told with the nearest; an empty folder is nothing too."""
    with pytest.raises(UsageError) as caught:
        read(["basline"])

    assert 'did you mean "baseline"?' == caught.value.hint

    with pytest.raises(UsageError) as caught:
        read([str(tmp_path)])

    assert "baseline" in str(caught.value.hint)
    assert "baseline" in packs()


def test_a_policy_that_is_gone_is_not_passed_over(tmp_path):
    """A link in a folder that leads nowhere was a policy once."""
    (tmp_path / "own.yaml").write_text(rule("require: 'true'"))
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")

    with pytest.raises(UsageError, match=r"gone\.yaml"):
        read([str(tmp_path)])


def test_bytes_that_are_no_text(tmp_path):
    """A file that is not UTF-8 is a mistake, not a crash."""
    (tmp_path / "a.yaml").write_bytes(b"id: \xff")

    with pytest.raises(InvalidInput):
        read([str(tmp_path)])


@pytest.mark.parametrize(
    "compiled",
    [compiled for policy in read(list(packs())) for compiled in policy.rules],
    ids=lambda rule: rule.rule.id,
)
def test_built_in_rules_are_complete(compiled):
    """Every rule says why, what to do, where to read more, and which controls it serves."""
    rule = compiled.rule

    assert rule.rationale.endswith(".")
    assert all(text.endswith(".") for text in rule.remediation.values())
    assert rule.references
    assert rule.controls
    assert not any(text.endswith(".") for text in (rule.title, "".join(compiled.expected.parts)))
    assert rule.message.endswith(".")
