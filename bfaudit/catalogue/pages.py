"""The catalogue as Markdown: one rule, all rules, the fields, the policies. The docs are these texts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bfaudit.catalogue import LEFT_OUT, RuleInfo, titled
from bfaudit.lang import ENGLISH, Language
from bfaudit.policy.cel import PARAM_TYPES
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.frameworks import Framework
from bfaudit.policy.functions import FUNCTIONS
from bfaudit.policy.rules import Policy

Frameworks = Mapping[str, Framework]

ANSWERS = ("yes", "in part", "no")
"""What an exchange can answer of a rule, the best first."""


def one_rule(
    info: RuleInfo, frameworks: Frameworks, lang: Language = ENGLISH, level: int = 2
) -> Iterator[str]:
    """Everything about one rule, as lines."""
    rule, say, sentence = info.rule, lang.say, lang.sentence
    yield f"{'#' * level} `{rule.id}`"
    yield ""
    severity = say("Severity {severity}, policy `{policy}`.", severity=say(rule.severity.word), policy=info.pack)  # fmt: skip
    yield f"**{sentence(_line(rule.title))}.** {severity}"
    yield ""
    told = info.expected != rule.require
    yield say("Expects {what}.", what=sentence(_line(info.expected))) if told else say("Expects:")
    yield ""
    yield "```cel"
    if rule.applies != "true":
        yield f"applies: {_line(rule.applies)}"
    yield f"require: {_line(rule.require)}"
    yield "```"
    if rule.rationale:
        yield ""
        yield _about(say("Why"), sentence(_line(rule.rationale)))
    for link in rule.references:
        yield f"* <{link}>"
    yield ""
    yield _about(say("Evidence"), f"{_names(info.reads) or say('none')}.")
    yield ""
    yield _about(say("Who can answer"), _who(info, lang))
    if rule.remediation:
        fixes = {name: sentence(_line(text)) for name, text in rule.remediation.items()}
        yield ""
        yield _about(say("Fix"), fixes.pop("text", ""))
        yield ""
        yield from (f"* `{name}`: {text}" for name, text in fixes.items())
    yield from _section(say("Controls"), (f"* {name}: {control} {title}".rstrip() for name, control, title in titled(rule, frameworks)))  # fmt: skip
    yield from _section(say("Cases"), (f"* {say(outcome)}: {name}" for name, outcome in info.cases))
    yield from _section(say("Override"), _override(info, lang) if info.policed else ())


def _about(what: str, text: str) -> str:
    return f"**{what}.** {text}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    told = list(lines)
    if told:
        yield ""
        yield f"**{title}.**"
        yield ""
        yield from told


def _line(text: str) -> str:
    return " ".join(text.split())


def _who(info: RuleInfo, lang: Language) -> str:
    say = lang.say
    if not info.facts:
        return say("Every exchange: the manifest, the connection test or the fleet decides.")
    by_word: dict[str, list[str]] = {}
    for one in info.answers:
        untold = ", ".join(f"`{path}`" for path in one.untold)
        lacks = say(" (not {names})", names=untold) if one.answers == "in part" else ""
        by_word.setdefault(one.answers, []).append(one.title + lacks)
    parts = [f"{say(word)}: {', '.join(by_word[word])}" for word in ANSWERS if word in by_word]
    last = say("Where only the status is known: unknown.")
    return f"{'; '.join(parts)}. {last}"


def _override(info: RuleInfo, lang: Language) -> Iterator[str]:
    yield "```yaml"
    yield f"extends: [{info.pack}]"
    yield "overrides:"
    yield f"  {info.rule.id}:"
    yield "    reason: " + lang.say("why it is another for you")
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


def answers(info: RuleInfo, exchange: str, lang: Language = ENGLISH) -> str:
    """What an exchange can answer of a rule, in a word or two."""
    found = info.answer(exchange)
    return lang.say(found.answers if found else "status only")


def rule_table(
    infos: Sequence[RuleInfo], exchange: str | None = None, lang: Language = ENGLISH
) -> Iterator[str]:
    """The rules as a table; with what an exchange can answer, where one is given."""
    say = lang.say
    headings = [say("rule"), say("severity"), say("the violation")]
    if exchange:
        headings.append(say("{exchange} answers", exchange=exchange))
    yield from _head(*headings)
    for info in infos:
        last = f" {answers(info, exchange, lang)} |" if exchange else ""
        title = lang.sentence(_line(info.rule.title))
        yield f"| [`{info.rule.id}`](#{info.rule.id}) | {say(info.rule.severity.word)} | {title} |{last}"


def _head(*headings: str) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"


def rules_page(
    policies: Sequence[Policy],
    infos: Sequence[RuleInfo],
    frameworks: Frameworks,
    lang: Language = ENGLISH,
) -> str:
    """The whole of docs/rules.md."""
    say, sentence = lang.say, lang.sentence
    lines = [
        "# " + say("Rules"),
        "",
        say("Every rule that ships, with what it checks, why, what evidence it needs, who can answer, and how to fix it."),
        say("This page is written by `{command}`.", command="bfaudit rules list --format markdown"),
        "",
        say("Rules are switched off or changed by `overrides` of a policy of your own, each with a reason; see the end of each rule."),
    ]  # fmt: skip
    for policy in policies:
        own = [info for info in infos if info.pack == policy.id]
        title = say("Policy `{id}`: {title}", id=policy.id, title=sentence(_line(policy.title)))
        lines += ["", f"## {title}", ""]
        lines += [sentence(_line(policy.description)), ""] if policy.description else []
        lines += [say("Extends {names}.", names=_names(policy.extends)), ""] if policy.extends else []  # fmt: skip
        lines += [*rule_table(own, lang=lang)]
    lines += ["", "## " + say("The rules in full")]
    for info in infos:
        lines += ["", *one_rule(info, frameworks, lang, 3)]
    lines += ["", "## " + say("What no rule judges"), ""]
    lines += [f"* {say(name)}: {say(why)}" for name, why in LEFT_OUT.items()]
    lines += ["", "## " + say("Frameworks"), ""]
    lines += _head("id", say("framework"), say("controls"))
    for framework in frameworks.values():
        name, why = f"{framework.name}.", sentence(_line(framework.analogy))
        name += " " + say("By analogy: {why}", why=why) if why else ""
        lines.append(f"| `{framework.id}` | {name} | {len(framework.controls)} |")
    lines += ["", say("`bfaudit audit --framework ID` shows an audit by the controls of one.")]
    return "\n".join(lines) + "\n"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def policies_page(
    policies: Sequence[Policy], frameworks: Frameworks, lang: Language = ENGLISH
) -> str:
    """The policies and frameworks that ship, as tables."""
    say = lang.say
    lines = [*_head(say("policy"), say("rules"), say("what it asks for"))]
    for policy in policies:
        extends = f" {say('Extends {names}.', names=_names(policy.extends))}" if policy.extends else ""  # fmt: skip
        title = lang.sentence(_line(policy.title))
        lines.append(f"| `{policy.id}` | {len(policy.rules)} | {title}.{extends} |")
    lines += ["", *_head(say("framework"), say("controls"), say("version"))]
    lines += [f"| `{one.id}` | {len(one.controls)} | {one.name} |" for one in frameworks.values()]
    return "\n".join(lines) + "\n"


def fields_page(lang: Language = ENGLISH) -> str:
    """The whole of docs/fields.md."""
    say = lang.say
    lines = [
        "# " + say("Fields"),
        "",
        say("Every variable that a rule may read, and every function it may call."),
        say("This page is written by `{command}`.", command="bfaudit fields --format markdown"),
        "",
        say(
            "Conditions are [CEL](https://cel.dev). A field that is not known is left out: `false && unknown` is false,\n"
            "`true || unknown` is true, all else is unknown, and the rule's outcome names what is missing. Messages take fields\n"
            "and parameters in braces: `{key.age_days}`, `{params.days}`."
        ),
        "",
        "## " + say("Fields of a connection"),
        "",
        *_head(say("field"), say("type"), say("meaning"), say("from")),
    ]  # fmt: skip
    lines += [
        f"| `{one.name}` | {one.type} | {_cell(say(one.meaning))} | {_cell(say(one.origin))} |"
        for one in FIELDS.values()
    ]
    lines += ["", "## " + say("Functions"), ""]
    lines += [say("Beside those of CEL and its strings extension:"), ""]
    lines += _head(say("function"), say("gives"), say("meaning"))
    for function in FUNCTIONS:
        forms = "<br>".join(f"`{function.name}({', '.join(kinds)})`" for kinds in function.takes)
        lines.append(f"| {forms} | {function.gives} | {_cell(say(_line(function.meaning)))} |")
    lines += ["", "## " + say("Parameters"), ""]
    lines += [say("A rule reads its own parameters as `params.NAME`."), ""]
    lines += _head("`type`", say("in CEL"))
    lines += [f"| `{name}` | {kind} |" for name, kind in PARAM_TYPES.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
