"""Writes manifests for people: a new one, or one connection more in one that is there, whose text stays as it is."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import yaml

from bfaudit.errors import UsageError

MODELINE = "# yaml-language-server: $schema={schema}\n"

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._+/-]*[A-Za-z0-9]|[A-Za-z]|\d+(\.\d+){3}(/\d+)?")
_REFERENCE = re.compile(r"[a-z]+:[A-Za-z0-9_./~#-]+")


class Draft(NamedTuple):
    """One connection to be written."""

    name: str
    exchange: str
    account: str = "main"
    strategy: str = ""
    requires: tuple[str, ...] = ("read", "trade")
    servers: tuple[str, ...] = ()
    credentials: Mapping[str, str] = {}
    """References by role, never secrets."""
    owner: str = ""
    purpose: str = ""
    label: str = ""
    two_factor: tuple[str, date] | None = None
    """Who has checked that the account has two-factor sign-in, and when."""


def variables(name: str, roles: Iterable[str]) -> dict[str, str]:
    """References to environment variables named after a connection."""
    words = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "CONNECTION"
    start = words if not words[0].isdigit() else f"KEY_{words}"
    return {role: f"env:{start}_{role.upper()}" for role in roles}


def scalar(value: str) -> str:
    """A text as YAML has it, in quotes where a reader could take it for something else."""
    if _REFERENCE.fullmatch(value):
        return value
    if _PLAIN.fullmatch(value) and "  " not in value:
        try:
            if yaml.safe_load(value) == value:
                return value
        except yaml.YAMLError:
            pass
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _flow(values: Iterable[str]) -> str:
    return f"[{', '.join(map(scalar, values))}]"


def entry(draft: Draft, indent: str = "  ") -> str:
    """One item of `connections:`."""
    fields: list[tuple[str, str]] = [("name", scalar(draft.name)), ("exchange", scalar(draft.exchange))]  # fmt: skip
    told = ((name, getattr(draft, name)) for name in ("account", "strategy", "owner", "purpose", "label"))  # fmt: skip
    fields += [(name, scalar(value)) for name, value in told if value]
    fields.append(("requires", _flow(draft.requires)))
    if draft.servers:
        fields.append(("servers", _flow(draft.servers)))
    lines = [f"{name}: {value}" for name, value in fields]
    lines.append("credentials:")
    lines += [f"  {role}: {scalar(where)}" for role, where in draft.credentials.items()]
    if draft.two_factor:
        by, on = draft.two_factor
        # Half a year: long enough to be kept, short enough to be looked at again.
        expires = date.fromordinal(on.toordinal() + 182)
        lines.append("attestations:")
        lines.append(f"  two_factor: {{by: {scalar(by)}, on: {on}, expires: {expires}}}")
    first, *others = lines
    return "".join([f"{indent}- {first}\n", *(f"{indent}  {line}\n" for line in others)])


def fresh(
    drafts: Sequence[Draft],
    *,
    schema: str | None = None,
    servers: Mapping[str, Sequence[str]] | None = None,
    comment: str = "",
) -> str:
    """A manifest of its own."""
    parts = [MODELINE.format(schema=schema)] if schema else []
    parts += [f"# {line}".rstrip() + "\n" for line in comment.splitlines()]
    parts.append("apiVersion: bfaudit/v1\nkind: Manifest\n")
    if servers:
        parts.append("\n# Where your bots run, by the public address that the exchange sees.\nservers:\n")  # fmt: skip
        parts += [f"  {name}: {_flow(addresses)}\n" for name, addresses in servers.items()]
    parts.append("\nconnections:\n" if drafts else "\nconnections: []\n")
    parts.append("\n".join(map(entry, drafts)))
    return "".join(parts)


def appended(text: str, draft: Draft) -> str:
    """A manifest with one connection more, after the last one; everything else keeps its bytes.

    `text` is a manifest without mistakes. Raises UsageError where its list is written in one line.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    listed = next(value for key, value in node.value if key.value == "connections")
    lines = text.splitlines(keepends=True)
    if node.flow_style or (listed.flow_style and listed.value):
        raise UsageError(
            "the connections stand in one [list], which has no place for another",
            hint="write them as lines that start with `- name:`",
        )
    if not listed.value:
        start, end = listed.start_mark.index, listed.end_mark.index
        rest = text.find("\n", end) + 1 or len(text)
        remark = text[end:rest].rstrip("\r\n")
        made = f"{remark}\n{entry(draft)}".replace("\n", newline)
        return text[:start].rstrip(" ") + made + text[rest:]
    at = _last_line(listed)
    kept = any(_keeps(each, lines) for each in _scalars(listed) if _last_line(each) == at)
    # PyYAML counts the empty lines after a block of text as its own.
    while not kept and not lines[at].strip():
        at -= 1
    indent = " " * listed.start_mark.column
    made = entry(draft, indent).replace("\n", newline)
    before = lines[: at + 1]
    if before and not before[-1].endswith(("\n", "\r")):
        before[-1] += newline
    spaced = newline if not kept and _spaced(lines, listed) else ""
    return "".join([*before, spaced, made, *lines[at + 1 :]])


def _last_line(node: Any) -> int:
    """The number, from 0, of the last line that belongs to a node; PyYAML's own mark is past what follows it."""
    if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False):
        mark = node.end_mark
        return int(mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line)  # fmt: skip
    own = int(node.start_mark.line)
    return max([own, *map(_last_line, _children(node))])


def _children(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value)


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    else:
        for child in _children(node):
            yield from _scalars(child)


def _keeps(scalar: Any, lines: Sequence[str]) -> bool:
    """Whether the blank lines at the end of a text belong to it: a block with `+` in its head, or that ends in spaces."""
    if scalar.style not in ("|", ">"):
        return False
    start = scalar.start_mark
    return (
        "+" in lines[start.line][start.column :]
        or scalar.value.rstrip("\n").rpartition("\n")[2].isspace()
    )


def _spaced(lines: Sequence[str], listed: Any) -> bool:
    """Whether an empty line stands between connections."""
    if len(listed.value) < 2:
        return True
    first, second = listed.value[:2]
    between = lines[_last_line(first) + 1 : second.start_mark.line]
    return any(not line.strip() for line in between)
