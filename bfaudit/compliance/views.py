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
from bfaudit.model import Audit, Json
from bfaudit.policy.frameworks import Framework
from bfaudit.report.wording import count, moment, visible
from bfaudit.sealed import plain, seal

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
    view = compliance(audit, framework)
    width = max(60, options.width)
    lines: list[str] = []

    def say(text: str, indent: int = 0) -> None:
        pad = " " * indent
        lines.extend(textwrap.wrap(visible(text), width, initial_indent=pad, subsequent_indent=pad + "  ",
                                   break_long_words=False, break_on_hyphens=False))  # fmt: skip

    say(framework.name)
    for text in _about(view):
        say(text)
    for control in view.controls:
        lines.append("")
        say(f"{control.state:<10}  {control.id}  {control.title}")
        for text in _details(control):
            say(text, 4)
    lines.append("")
    say(", ".join(f"{number} {state}" for state, number in view.states.items() if number))
    say(f"Snapshot {options.digest_of(audit.snapshot)}; scanned {moment(view.scanned)}, judged {moment(view.generated)}.")  # fmt: skip
    lines += [
        "",
        *(f"{who:<12} ______________________  Date ____________" for who in view.sign_off),
    ]
    return "\n".join(lines) + "\n"


def _about(view: Compliance) -> Iterator[str]:
    one = view.framework
    if one.analogy:
        yield f"By analogy only: {one.analogy}"
    if one.note:
        yield one.note
    if view.redirected:
        yield f"NOT THE REAL EXCHANGE: {', '.join(view.redirected)} was asked elsewhere than at its own address."
    yield f"{count(view.connections, 'connection')}, policies: {', '.join(view.policies)}. An unknown is never a pass."


def _details(control: ControlView) -> Iterator[str]:
    for rule in control.rules:
        yield f"{rule.id} ({rule.severity}): {_counts(rule)}"
        for name, why in rule.overridden:
            yield f"  changed: {name} {why}"
        for one in rule.open[:NAMES]:
            under = f" [exception {one.exception}]" if one.exception else ""
            yield f"  {one.outcome}: {one.connection}: {one.message}{under}"
        if len(rule.open) > NAMES:
            yield f"  and {len(rule.open) - NAMES} more"
    for said in control.attestations:
        yield f"attested `{said.name}`: {said.vouched} of {said.total}{_by_whom(said.by, said.ends)}"
    for text in control.uncovered:
        yield f"not covered: {text}"


def _by_whom(by: tuple[str, ...], ends: object) -> str:
    return (f", by {', '.join(by)}" if by else "") + (f", until {ends}" if ends else "")


def _counts(rule: RuleLine) -> str:
    told = ", ".join(f"{number} {name}" for name, number in rule.outcomes.items() if number)
    return (told or "no connection") + (f", {rule.excepted} excepted" if rule.excepted else "")


def _markdown(framework: Framework, audit: Audit, options: Options) -> str:
    page = environment(cell, options.templates).get_template(TEMPLATES["markdown"])
    return page.render(**_context(framework, audit, options))


def _html(framework: Framework, audit: Audit, options: Options) -> str:
    style = source("audit.css", options.templates) + source("compliance.css", options.templates)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = environment(templates=options.templates).get_template(TEMPLATES["html"])
    shown = Markup(style)  # noqa: S704 - files of ours, or of the user's
    return page.render(
        **_context(framework, audit, options), style=shown, style_hash=f"sha256-{digest}"
    )


def _context(framework: Framework, audit: Audit, options: Options) -> dict[str, object]:
    return {
        "view": compliance(audit, framework),
        "states": STATES,
        "names": NAMES,
        "counts": _counts,
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
