"""The sentences in the source that a report may show: its literals and f-strings that are prose."""

import ast
import re
from collections.abc import Iterator, Sequence

ELSEWHERE = frozenset({
    "applies", "call", "codes", "expects", "help", "hint", "host", "how_to", "id", "label", "links", "metavar", "needs",
    "path", "pool", "reach", "require", "source", "text", "title",
})  # fmt: skip
"""Arguments that no report shows, or that are shown as they are."""

LETTERS = 6
"""The least number of fixed letters that a sentence has."""

REFUSALS = frozenset({"CredentialError", "_RefusedError"})
"""The errors of credential references, whose messages a report shows."""

_OF_REFUSALS = {"lower": "reason", "shown": "program"}
"""Names of values in those: the first is a phrase of ours or the system's, the second none of our words."""

_SLOT = re.compile(r"\{(\w+)\}")
_NAMES = {"title": "exchange", "join": "joined"}
_PATTERN = re.compile(r"\\|\.\?|\)\?|\]\?|\.\{|\|| == | && ")
_REQUEST = re.compile(r"(?:GET|POST|PUT|DELETE) /\S*|https?://.*")


def written(source: str, titles: Sequence[str] = ()) -> list[str]:
    """The sentences of a module, in their order; the titles of exchanges become `{exchange}`."""
    found: dict[str, None] = {}
    for text in _texts(ast.parse(source)):
        said = " ".join(text.split()).removeprefix("; ")
        if titles:
            named = "|".join(map(re.escape, titles))
            said = re.sub(rf"(?<![\w./-])(?:{named})(?![\w/-]|\.\w)", "{exchange}", said)
        if _prose(said):
            found[said] = None
    return list(found)


def refused(source: str) -> list[str]:
    """What a module's `CredentialError`s say, in their order, as a scan makes it the detail of a status: with one full stop."""
    return list(
        dict.fromkeys(
            f"{re.sub(_SLOT, _renamed, text).rstrip('.')}."
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in REFUSALS and node.args
            for text in _said(node.args[0])
            if re.search("[a-z]", re.sub(_SLOT, "", text))
        )
    )


def _renamed(slot: re.Match[str]) -> str:
    return f"{{{_OF_REFUSALS.get(slot[1], slot[1])}}}"


def _said(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield _pattern(node)
        case ast.IfExp(body=body, orelse=other):
            yield from (*_said(body), *_said(other))


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Raise | ast.Assert):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.keyword) and node.arg in ELSEWHERE and not _shown(node):
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield _pattern(node)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def _shown(node: ast.keyword) -> bool:
    """The title of a rule that stands in the code."""
    value = node.value
    return (
        node.arg == "title" and isinstance(value, ast.Constant) and " " in str(value.value).strip()
    )


def _pattern(node: ast.JoinedStr) -> str:
    """An f-string with the places of its values named."""
    names: dict[str, str] = {}
    parts = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            spelt = ast.unparse(part.value)
            if spelt not in names:
                base = _name(part.value)
                same = sum(each.rstrip("0123456789") == base for each in names.values())
                names[spelt] = f"{base}{same + 1}" if same else base
            parts.append(f"{{{names[spelt]}}}")
        elif isinstance(part, ast.Constant):
            parts.append(str(part.value))
    return "".join(parts)


def _name(node: ast.expr) -> str:
    """What stands for a value in a pattern."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            pass
        case _:
            name = "value"
    name = name.strip("_").lower()
    return _NAMES.get(name, name)


def _prose(text: str) -> bool:
    fixed = re.sub(r"\{\w+\}", "", text)
    words = re.findall(r"\b[a-z]{2,}\b", fixed)
    return (
        " " in fixed.strip()
        and bool(words)
        and len(re.findall("[A-Za-z]", fixed)) >= LETTERS
        and not text.endswith((":", "("))
        and not _PATTERN.search(text)
        and not _REQUEST.fullmatch(text)
    )
