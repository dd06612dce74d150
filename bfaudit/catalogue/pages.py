"""The catalogue as Markdown: one rule, all rules, the fields, the policies. The docs are these texts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bfaudit.catalogue import LEFT_OUT, RuleInfo, titled
from bfaudit.policy.cel import PARAM_TYPES
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.frameworks import Framework
from bfaudit.policy.functions import FUNCTIONS
from bfaudit.policy.rules import Policy

Frameworks = Mapping[str, Framework]


def one_rule(info: RuleInfo, frameworks: Frameworks, level: int = 2) -> Iterator[str]:
    """Everything about one rule, as lines."""
    rule = info.rule
    yield f"{'#' * level} `{rule.id}`"
    yield ""
    yield f"**{rule.title}.** Severity {rule.severity.word}, policy `{info.pack}`."
    yield ""
    yield f"Expects {info.expected}." if info.expected != rule.require else "Expects:"
    yield ""
    yield "```cel"
    if rule.applies != "true":
        yield f"applies: {_line(rule.applies)}"
    yield f"require: {_line(rule.require)}"
    yield "```"
    if rule.rationale:
        yield ""
        yield f"**Why.** {_line(rule.rationale)}"
    for link in rule.references:
        yield f"* <{link}>"
    yield ""
    yield f"**Evidence.** {', '.join(f'`{name}`' for name in info.reads) or 'none'}."
    yield ""
    yield f"**Who can answer.** {_who(info)}"
    if rule.remediation:
        yield ""
        yield f"**Fix.** {_line(rule.remediation.get('text', ''))}"
        yield ""
        yield from (f"* `{name}`: {_line(text)}" for name, text in rule.remediation.items() if name != "text")  # fmt: skip
    yield from _section("Controls", (f"* {name}: {control} {title}".rstrip() for name, control, title in titled(rule, frameworks)))  # fmt: skip
    yield from _section("Cases", (f"* {outcome}: {name}" for name, outcome in info.cases))
    yield from _section("Override", _override(info) if info.policed else ())


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    told = list(lines)
    if told:
        yield ""
        yield f"**{title}.**"
        yield ""
        yield from told


def _line(text: str) -> str:
    return " ".join(text.split())


def _who(info: RuleInfo) -> str:
    if not info.facts:
        return "Every exchange: the manifest, the connection test or the fleet decides."
    by_word: dict[str, list[str]] = {}
    for one in info.answers:
        lacks = f" (not {', '.join(f'`{path}`' for path in one.untold)})" if one.answers == "in part" else ""  # fmt: skip
        by_word.setdefault(one.answers, []).append(one.title + lacks)
    parts = [f"{word}: {', '.join(by_word[word])}" for word in ("yes", "in part", "no") if word in by_word]  # fmt: skip
    return f"{'; '.join(parts)}. Where only the status is known: unknown."


def _override(info: RuleInfo) -> Iterator[str]:
    yield "```yaml"
    yield f"extends: [{info.pack}]"
    yield "overrides:"
    yield f"  {info.rule.id}:"
    yield "    reason: why it is another for you"
    if info.rule.params:
        values = ", ".join(f"{name}: {_yaml(value)}" for name, value in info.rule.params.items())
        yield f"    params: {{{values}}}"
    else:
        yield f"    severity: {info.rule.severity.word}"
    yield "```"


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    text = str(value)
    plain = text.replace("-", "").replace("_", "").isalnum() and not text[0].isdigit()
    return text if isinstance(value, int) or plain else f'"{text}"'


def rule_table(infos: Sequence[RuleInfo], exchange: str | None = None) -> Iterator[str]:
    """The rules as a table; with what an exchange can answer, where one is given."""
    more = [f" {exchange} answers |", "---|"] if exchange else ["", ""]
    yield f"| rule | severity | the violation |{more[0]}"
    yield f"|---|---|---|{more[1]}"
    for info in infos:
        found = info.answer(exchange) if exchange else None
        last = f" {found.answers if found else 'status only'} |" if exchange else ""
        yield f"| [`{info.rule.id}`](#{info.rule.id}) | {info.rule.severity.word} | {info.rule.title} |{last}"


def rules_page(
    policies: Sequence[Policy], infos: Sequence[RuleInfo], frameworks: Frameworks
) -> str:
    """The whole of docs/rules.md."""
    lines = [
        "# Rules",
        "",
        "Every rule that ships, with what it checks, why, what evidence it needs, who can answer, and how to fix it.",
        "This page is written by `bfaudit rules list --format markdown`.",
        "",
        "Rules are switched off or changed by `overrides` of a policy of your own, each with a reason; see the end of each rule.",
    ]
    for policy in policies:
        own = [info for info in infos if info.pack == policy.id]
        lines += ["", f"## Policy `{policy.id}`: {policy.title}", ""]
        lines += [_line(policy.description), ""] if policy.description else []
        lines += [f"Extends {_names(policy.extends)}.", ""] if policy.extends else []
        lines += [*rule_table(own)]
    lines += ["", "## The rules in full"]
    for info in infos:
        lines += ["", *one_rule(info, frameworks, 3)]
    lines += ["", "## What no rule judges", ""]
    lines += [f"* {name}: {why}" for name, why in LEFT_OUT.items()]
    lines += ["", "## Frameworks", "", "| id | framework | controls |", "|---|---|---|"]
    for framework in frameworks.values():
        by = f" By analogy: {framework.analogy}" if framework.analogy else ""
        lines.append(f"| `{framework.id}` | {framework.name}.{by} | {len(framework.controls)} |")  # fmt: skip
    lines += ["", "`bfaudit audit --framework ID` shows an audit by the controls of one."]
    return "\n".join(lines) + "\n"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def policies_page(policies: Sequence[Policy], frameworks: Frameworks) -> str:
    """The policies and frameworks that ship, as tables."""
    lines = ["| policy | rules | what it asks for |", "|---|---|---|"]
    for policy in policies:
        extends = f" Extends {_names(policy.extends)}." if policy.extends else ""
        lines.append(f"| `{policy.id}` | {len(policy.rules)} | {policy.title}.{extends} |")
    lines += ["", "| framework | controls | version |", "|---|---|---|"]
    lines += [f"| `{one.id}` | {len(one.controls)} | {one.name} |" for one in frameworks.values()]
    return "\n".join(lines) + "\n"


def fields_page() -> str:
    """The whole of docs/fields.md."""
    lines = [
        "# Fields",
        "",
        "Every variable that a rule may read, and every function it may call.",
        "This page is written by `bfaudit fields --format markdown`.",
        "",
        "Conditions are [CEL](https://cel.dev). A field that is not known is left out: `false && unknown` is false,",
        "`true || unknown` is true, all else is unknown, and the rule's outcome names what is missing. Messages take fields",
        "and parameters in braces: `{key.age_days}`, `{params.days}`.",
        "",
        "## Fields of a connection",
        "",
        "| field | type | meaning | from |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{one.name}` | {one.type} | {_cell(one.meaning)} | {_cell(one.origin)} |"
        for one in FIELDS.values()
    ]
    lines += ["", "## Functions", "", "Beside those of CEL and its strings extension:", ""]
    lines += ["| function | gives | meaning |", "|---|---|---|"]
    for function in FUNCTIONS:
        forms = "<br>".join(f"`{function.name}({', '.join(kinds)})`" for kinds in function.takes)
        lines.append(f"| {forms} | {function.gives} | {_cell(_line(function.meaning))} |")
    lines += ["", "## Parameters", "", "A rule reads its own parameters as `params.NAME`.", ""]
    lines += ["| `type` | in CEL |", "|---|---|"]
    lines += [f"| `{name}` | {kind} |" for name, kind in PARAM_TYPES.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
