"""Policies that take over others and change them: the last word, its reason, and every way to get it wrong."""

import pytest

from bfaudit.errors import InvalidInput
from bfaudit.model import Outcome, Severity
from bfaudit.policy.read import read

HEAD = "apiVersion: bfaudit/v1\nkind: Policy\nid: {id}\ntitle: Ours\n"
RULES = """\
rules:
  - id: a-rule
    title: Older than {params.days} days
    severity: high
    params: {days: {type: int, default: 3}}
    applies: connection.lifecycle == "active"
    require: key.age_days < params.days
"""


@pytest.fixture
def write(tmp_path):
    """Writes a policy file and answers with its path."""

    def do(name, text):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD.format(id=name.rpartition("/")[2]) + text)
        return str(path)

    return do


def problems(*sources):
    with pytest.raises(InvalidInput) as caught:
        read(sources)
    return caught.value.problems


def rules(policies):
    return {rule.rule.id: rule.rule for policy in policies for rule in policy.rules}


def test_a_policy_brings_what_it_extends(write):
    """By the name of a pack or of a file beside it; the extended ones come first, and each once."""
    write("base", RULES)
    ours = write("ours", "extends: [baseline, base.yaml]\n")

    found = read([ours, "baseline"])

    assert ["baseline", "base", "ours"] == [policy.id for policy in found]
    assert {"a-rule", "no-withdraw"} <= rules(found).keys()
    assert ("baseline", "base.yaml") == found[-1].extends


def test_every_override_leaves_its_trace(write):
    """What it was, who changed it, and why; an untouched rule has none."""
    write("base", RULES)
    ours = write("ours", """\
extends: [base.yaml]
overrides:
  a-rule:
    reason: >-
      we have
      our ways
    severity: low
    on_unknown: fail
    applies: "true"
    params: {days: 9}
""")  # fmt: skip

    rule = rules(read([ours]))["a-rule"]

    assert (Severity.LOW, Outcome.FAIL, "true", {"days": 9}) == (
        rule.severity, rule.on_unknown, rule.applies, rule.params,
    )  # fmt: skip
    assert "Older than 9 days" == rule.title
    assert {
        "severity": "was high; ours: we have our ways",
        "on_unknown": "was unknown; ours: we have our ways",
        "applies": 'was connection.lifecycle == "active"; ours: we have our ways',
        "params.days": "was 3; ours: we have our ways",
    } == rule.overridden
    assert {} == rules(read(["baseline"]))["no-withdraw"].overridden


def test_who_extends_has_the_last_word(write):
    """Over a policy that it extends, in either order of the command line; what it does not change stays."""
    write("base", RULES)
    middle = write("middle", "extends: [base.yaml]\noverrides: {a-rule: {reason: m, severity: low, params: {days: 5}}}\n")  # fmt: skip
    top = write("top", "extends: [middle.yaml]\noverrides: {a-rule: {reason: t, params: {days: 7}}}\n")  # fmt: skip

    for sources in ((top, middle), (middle, top)):
        rule = rules(read(sources))["a-rule"]

        assert ({"days": 7}, Severity.LOW) == (rule.params, rule.severity)
        assert "was 3; top: t" == rule.overridden["params.days"]


def test_a_rule_that_is_switched_off_is_named(write):
    """It judges nothing, and reports can say who left it out and why; another policy may switch it on again."""
    off = write("off", "extends: [baseline]\noverrides: {online: {reason: no network here, enabled: false}}\n")  # fmt: skip
    on = write("on", "extends: [off.yaml]\noverrides: {online: {reason: there is, enabled: true}}\n")  # fmt: skip

    baseline = read([off])[0]

    assert "online" not in rules([baseline])
    assert [("online", {"enabled": "off: no network here"})] == [
        (rule.id, rule.overridden) for rule in baseline.left_out
    ]
    assert "online" in rules(read([on]))


@pytest.mark.parametrize(
    ("text", "message", "hint", "place"),
    [
        ("extends: [basline]", "no policy or file `basline`", 'did you mean "baseline"?', "5:11"),
        ("extends: [nothing.yaml]", "no policy or file", "built-in policies", "5:11"),
        ("extends: [ours.yaml]", "a cycle", "", "5:11"),
        ("extends: baseline", "must be a list, not a text", "[ ]", "5:10"),
        ("extends: [baseline, baseline]", "listed twice", "", "5:21"),
        ("extends: [baseline]\noverrides: {no-withdrw: {reason: a, severity: low}}", "no loaded policy has a rule", '"no-withdraw"', "6:13"),
        ("extends: [baseline]\noverrides: {no-withdraw: {severity: low}}", '"reason" is missing', "", "6:26"),
        ("extends: [baseline]\noverrides: {no-withdraw: {reason: ' ', severity: low}}", '"reason" is empty', "", "6:35"),
        ("extends: [baseline]\noverrides: {no-withdraw: {reason: a}}", "this changes nothing", "", "6:26"),
        ("extends: [baseline]\noverrides: {no-withdraw: {reason: a, applies: conection.name}}", "unknown field", "", "6:47"),
        ("extends: [baseline]\noverrides: {no-withdraw: {reason: a, applies: connection.name}}", "where a condition is wanted", "", "6:47"),
        ("extends: [baseline]\noverrides: {no-stale-keys: {reason: a, params: {max_age: 9}}}", "has no parameter", "max_age_days", "6:49"),
        ("extends: [baseline]\noverrides: {no-stale-keys: {reason: a, params: {max_age_days: x}}}", "of another type", "", "6:63"),
    ],
)  # fmt: skip
def test_mistakes(write, text, message, hint, place):
    """Each is told at its place, in the file that makes it."""
    (problem,) = problems(write("ours", text + "\n"))

    assert message in problem.message
    assert hint in (problem.hint or "")
    assert f"{problem.place}".endswith(f"ours.yaml:{place}")


def test_a_cycle_of_several(write):
    """It is told once, where it closes."""
    a = write("a", "extends: [b.yaml]\n" + RULES)
    write("b", "extends: [c.yaml]\n")
    write("c", "extends: [a.yaml]\n")

    (problem,) = problems(a)

    assert "a cycle" in problem.message
    assert f"{problem.place}".endswith("c.yaml:5:11")


def test_policies_that_do_not_extend_each_other_contradict_each_other(write):
    """Neither has the last word."""
    one = write("one", "extends: [baseline]\noverrides: {online: {reason: a, severity: low}}\n")
    two = write("two", "extends: [baseline]\noverrides: {online: {reason: b, severity: info}}\n")

    (problem,) = problems(one, two)

    assert "`online` is changed twice; first at" in problem.message


def test_a_long_chain_ends(write):
    """A chain that nobody would write is a mistake, not a stack overflow."""
    for number in range(30):
        last = write(f"p{number}", f"extends: [p{number - 1}.yaml]\n" if number else RULES)

    assert any("more than 20 policies" in problem.message for problem in problems(last))


def test_a_framework_in_a_folder_is_no_policy(write, tmp_path):
    """A folder may hold both; named by itself it is the wrong kind."""
    write("mine", RULES)
    folder = tmp_path / "frameworks"
    folder.mkdir()
    (folder / "x.yaml").write_text("apiVersion: bfaudit/v1\nkind: Framework\nid: x\n")

    assert ["mine"] == [policy.id for policy in read([str(tmp_path)])]
    (problem,) = problems(str(folder / "x.yaml"))
    assert "this is a Framework, not a Policy" == problem.message
