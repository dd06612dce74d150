"""Mutation of rules: small changes to a rule's conditions and parameters. A case that notices one has killed it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from bfaudit.policy import cel
from bfaudit.policy.cases import Prepared, with_params
from bfaudit.policy.cel import CompileError, Expression
from bfaudit.policy.rules import CompiledRule

_TOKEN = re.compile(
    r"""(?P<text>[rR]?"(?:\\.|[^"\\])*"|[rR]?'(?:\\.|[^'\\])*')|(?P<name>[A-Za-z_]\w*)|(?P<number>\d[\w.]*)"""
    r"""|(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:()\[\]{},.])|(?P<blank>\s+)"""
)
_OTHER: Mapping[str, tuple[str, ...]] = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
    "&&": ("||",), "||": ("&&",), "exists": ("all",), "all": ("exists",), "true": ("false",), "false": ("true",),
}  # fmt: skip
_OPEN, _CLOSE, _BREAK = "([{", ")]}", (",", "?", ":")


class Token(NamedTuple):
    """One token of an expression."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


class Mutant(NamedTuple):
    """A rule with one small change."""

    rule: CompiledRule
    where: str
    """`applies`, `require` or the name of a parameter."""
    what: str
    """The change, for people."""


def tokens(source: str) -> list[Token]:
    """The tokens of an expression that compiles, without blanks."""
    return [
        Token(str(found.lastgroup), found[0], found.start())
        for found in _TOKEN.finditer(source)
        if found.lastgroup != "blank"
    ]


def operands(source: str) -> list[tuple[int, int, str]]:
    """The operands of `&&` and `||`: start, end and the operator that joins them."""
    found: list[tuple[int, int, str]] = []
    _operands(tokens(source), found)
    return found


def _operands(some: Sequence[Token], found: list[tuple[int, int, str]]) -> None:
    """Splits at the weakest operator outside of brackets, then looks inside of the parts."""
    for separators in (_BREAK, ("||",), ("&&",)):
        parts = _split(some, separators)
        if len(parts) > 1:
            for part in filter(None, parts):
                if separators is not _BREAK:
                    found.append((part[0].start, part[-1].end, separators[0]))
                _operands(part, found)
            return
    depth, start = 0, 0
    for at, token in enumerate(some):
        if token.text in _OPEN:
            depth += 1
            start = at + 1 if depth == 1 else start
        elif token.text in _CLOSE:
            depth -= 1
            if depth == 0 and at > start:
                _operands(some[start:at], found)


def _split(some: Sequence[Token], separators: Sequence[str]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in some:
        depth += (token.text in _OPEN) - (token.text in _CLOSE)
        if depth == 0 and token.text in separators and token.kind == "sign":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def changes(source: str) -> Iterator[tuple[str, str]]:
    """Every small change of an expression: the new source, and what was changed."""
    yield f"!({source})", "negated"
    for token in tokens(source):
        others: tuple[str, ...] = ()
        if token.kind in ("sign", "name"):
            others = _OTHER.get(token.text, ())
        if token.kind == "number" and token.text.isdigit():
            others = (str(int(token.text) + 1), str(int(token.text) - 1))
        if token.text == "!":
            others = ("",)
        for other in others:
            told = f"`{token.text}` at {token.start + 1} " + (f"made `{other}`" if other else "dropped")  # fmt: skip
            yield source[: token.start] + other + source[token.end :], told
    for start, end, operator in operands(source):
        neutral = "true" if operator == "&&" else "false"
        told = " ".join(source[start:end].split())
        yield f"{source[:start]}{neutral}{source[end:]}", f"`{told}` dropped"


def mutants(rule: CompiledRule) -> Iterator[Mutant]:
    """Every mutant of a rule that still compiles and is not the rule itself."""
    seen = {(rule.applies.source, rule.require.source)}
    for where, asked in (("applies", rule.applies), ("require", rule.require)):
        for source, what in changes(asked.source):
            made = _compiled(source, rule.rule.params)
            pair = (source, rule.require.source) if where == "applies" else (rule.applies.source, source)  # fmt: skip
            if made is None or pair in seen:
                continue
            seen.add(pair)
            changed = replace(rule, applies=made) if where == "applies" else replace(rule, require=made)  # fmt: skip
            yield Mutant(changed, where, what)
    for name, value in rule.rule.params.items():
        for other in _others(value):
            yield Mutant(with_params(rule, {name: other}), name, f"`{value}` made `{other}`")


def survivors(rule: CompiledRule, cases: Sequence[Prepared]) -> list[Mutant]:
    """The mutants that none of the rule's cases notices; a case that fails anyway notices nothing."""
    cases = [case for case in cases if case.ask(rule).wrong is None]
    return [
        mutant
        for mutant in mutants(rule)
        if all(case.ask(mutant.rule).wrong is None for case in cases)
    ]


def _others(value: Any) -> tuple[Any, ...]:
    """A parameter's value changed by one; a list emptied."""
    match value:
        case bool():
            return (not value,)
        case int():
            return (value + 1, value - 1)
        case tuple() | list() if value:
            return ((),)
        case _:
            return ()


def _compiled(source: str, params: Mapping[str, Any]) -> Expression | None:
    try:
        return cel.compile(source, params, types_of(params))
    except CompileError:
        return None


def types_of(params: Mapping[str, Any]) -> dict[str, str]:
    """The types of parameters, by their values."""
    kinds = {bool: "bool", int: "int", str: "string"}
    return {name: kinds.get(type(value), "list") for name, value in params.items()}
