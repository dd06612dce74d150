"""The compliance view as text, Markdown, HTML and JSON: what `--framework` puts in the place of these formats."""

import hashlib
import textwrap
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec
from markupsafe import Markup

from bfaudit.compliance import STATES, Compliance, ControlView, RuleLine, compliance
from bfaudit.formats import FORMATS
from bfaudit.formats.base import Format, Options
from bfaudit.formats.markdown import cell
from bfaudit.formats.templating import environment, source
from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Audit, Json
from bfaudit.policy.frameworks import Framework
from bfaudit.report.wording import moment, paragraph, visible
from bfaudit.sealed import plain, seal
from bfaudit.snapshot import rejected_row

SCHEMA = "bfaudit-compliance/1"

NAMES = 10
"""How many open results of one rule a view for people lists; the JSON has all."""

TEMPLATES = {"markdown": "compliance.md.j2", "html": "compliance.html.j2"}


def formats(framework: Framework) -> Mapping[str, Format]:
    """The formats that show an audit by the controls of a framework, by their usual ids."""
    writers: Mapping[str, Callable[[Framework, Audit, Options], str | bytes]] = {
        "text": _text,
        "markdown": _markdown,
        "html": _html,
        "json": _json,
    }
    return {
        name: Format(
            id=name,
            suffix=FORMATS[name].suffix,
            title=f"{FORMATS[name].title}, by control",
            render=partial(write, framework),
        )
        for name, write in writers.items()
    }


def _text(framework: Framework, audit: Audit, options: Options) -> str:
    view, lang = compliance(audit, framework), options.language
    width = max(60, options.width)
    lines: list[str] = []

    def put(text: str, indent: int = 0) -> None:
        pad = " " * indent
        lines.extend(textwrap.wrap(visible(text), width, initial_indent=pad, subsequent_indent=pad + "  ",
                                   break_long_words=False, break_on_hyphens=False))  # fmt: skip

    put(framework.name)
    for text in _about(view, lang):
        put(text)
    column = max(len(lang.say(state)) for state in STATES)
    for control in view.controls:
        lines.append("")
        put(f"{lang.say(control.state):<{column}}  {control.id}  {control.title}")
        for text in _details(control, lang):
            put(text, 4)
    lines.append("")
    put(
        ", ".join(
            lang.counted(number, state, n=str(number))
            for state, number in view.states.items()
            if number
        )
    )
    put(
        lang.say(
            "Snapshot {digest}; scanned {scanned}, judged {judged}.",
            digest=options.digest_of(audit.snapshot),
            scanned=moment(view.scanned),
            judged=moment(view.generated),
        )
    )
    lines.append("")
    for who in view.sign_off:
        role, date = lang.say(who), lang.say("Date")
        lines.append(f"{role:<12} ______________________  {date} ____________")
    return "\n".join(lines) + "\n"


def _about(view: Compliance, lang: Language) -> Iterator[str]:
    framework, say = view.framework, lang.say
    if framework.analogy:
        yield say("By analogy only: {text}", text=_told(lang, framework.analogy))
    if framework.note:
        yield _told(lang, framework.note)
    if view.redirected:
        yield say(
            "NOT THE REAL EXCHANGE: {names} was asked elsewhere than at its own address.",
            names=", ".join(view.redirected),
        )
    if view.interrupted:
        yield f"{say('The scan was interrupted:')} {say('connections are missing.')}"
    if view.unselected:
        yield lang.plural(
            "{n} more connection of the fleet was not selected: nothing here is about it.",
            "{n} more connections of the fleet were not selected: nothing here is about them.",
            view.unselected,
        )
    for one in view.rejected[:NAMES]:
        yield f"{one.name}: {say('left out: {why}', why=one.error)}"
    if len(view.rejected) > NAMES:
        yield say("{n} more", n=str(len(view.rejected) - NAMES))
    yield lang.plural(
        "{n} connection, policies: {policies}. An unknown is never a pass.",
        "{n} connections, policies: {policies}. An unknown is never a pass.",
        view.connections,
        policies=", ".join(view.policies),
    )


def _details(control: ControlView, lang: Language) -> Iterator[str]:
    say = lang.say
    for rule in control.rules:
        yield f"{rule.id} ({say(rule.severity)}): {_counts(rule, lang)}"
        for name, why in rule.overridden:
            yield say("  changed: {field} {why}", field=name, why=_told(lang, why))
        for one in rule.open[:NAMES]:
            under = say(" [exception {id}]", id=one.exception) if one.exception else ""
            yield f"  {say(one.outcome)}: {one.connection}: {_told(lang, one.message)}{under}"
        if len(rule.open) > NAMES:
            yield say("  and {n} more", n=str(len(rule.open) - NAMES))
    for said in control.attestations:
        by = say(", by {names}", names=", ".join(said.by)) if said.by else ""
        until = say(", until {day}", day=said.ends) if said.ends else ""
        told = say("attested `{name}`: {vouched} of {total}", name=said.name, vouched=str(said.vouched), total=str(said.total))  # fmt: skip
        yield f"{told}{by}{until}"
    for text in control.uncovered:
        yield say("not covered: {text}", text=_told(lang, text))


def _told(lang: Language, text: str) -> str:
    """A text of a policy, a framework or a scan, in a language."""
    return text if lang is ENGLISH else lang.sentence(paragraph(text))


def _counts(rule: RuleLine, lang: Language) -> str:
    told = ", ".join(
        lang.counted(number, name, n=str(number))
        for name, number in rule.outcomes.items()
        if number
    )
    excepted = lang.counted(rule.excepted, "excepted", n=str(rule.excepted))
    return (told or lang.say("no connection")) + (f", {excepted}" if rule.excepted else "")


def _markdown(framework: Framework, audit: Audit, options: Options) -> str:
    page = environment(cell, options.templates, options.language).get_template(
        TEMPLATES["markdown"]
    )
    return page.render(**_context(framework, audit, options))


def _html(framework: Framework, audit: Audit, options: Options) -> str:
    style = source("audit.css", options.templates) + source("compliance.css", options.templates)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    made = environment(templates=options.templates, lang=options.language)
    page = made.get_template(TEMPLATES["html"])
    shown = Markup(style)  # noqa: S704 - files of ours, or of the user's
    return page.render(
        **_context(framework, audit, options), style=shown, style_hash=f"sha256-{digest}"
    )


def _context(framework: Framework, audit: Audit, options: Options) -> dict[str, object]:
    return {
        "view": compliance(audit, framework),
        "states": STATES,
        "names": NAMES,
        "counts": partial(_counts, lang=options.language),
        "told": partial(_told, options.language),
        "digest": options.digest_of(audit.snapshot),
    }


def _json(framework: Framework, audit: Audit, options: Options) -> bytes:
    view = compliance(audit, framework)
    content: dict[str, Json] = {
        "tool": {"name": "bfaudit", "version": view.version},
        "generated_at": plain(view.generated),
        "snapshot": {
            "generated_at": plain(view.scanned),
            "digest": options.digest_of(audit.snapshot),
        },
        "framework": {
            name: value
            for name, value in msgspec.to_builtins(framework).items()
            if name != "controls"
        },
        "policies": list(view.policies),
        "redirected": list(view.redirected),
        "connections": view.connections,
        "interrupted": view.interrupted,
        "unselected": view.unselected,
        "rejected": list(map(rejected_row, view.rejected)),
        "states": dict(view.states),
        "controls": [_control(control) for control in view.controls],
        "sign_off": [{"role": who, "name": None, "date": None} for who in view.sign_off],
    }
    return seal(SCHEMA, msgspec.to_builtins(content))


def _control(control: ControlView) -> Json:
    return {
        "id": control.id,
        "title": control.title,
        "state": control.state,
        "uncovered": control.uncovered,
        "attestations": [said._asdict() for said in control.attestations],
        "rules": [
            {
                "id": rule.id,
                "policy": rule.policy,
                "title": rule.title,
                "severity": rule.severity,
                "outcomes": rule.outcomes,
                "excepted": rule.excepted,
                "evidence": rule.evidence,
                "overridden": dict(rule.overridden),
                "open": [one._asdict() for one in rule.open],
            }
            for rule in control.rules
        ],
    }
