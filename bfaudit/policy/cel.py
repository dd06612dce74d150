"""The adapter around the CEL engine (`cel-expr-python`): typed compilation, and three-valued evaluation.

Unknown evidence is a variable left out: the engine absorbs its error in `&&` and `||` as Kleene's logic does, and what
is left at the end is unknown. Defects of engine 0.1.3 that are covered here: texts are cut at NUL, lone surrogates
raise, naive times are local times, the first and last moments of `datetime` are refused, `None` and tuples too.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from bfaudit.policy.fields import FIELDS
from bfaudit.policy.functions import FUNCTIONS
from bfaudit.policy.protobuf import references
from bfaudit.words import did_you_mean

PARAM_TYPES: Mapping[str, str] = {
    "bool": "bool",
    "int": "int",
    "string": "string",
    "list": "list(string)",
}
"""The CEL type of each type of parameter."""

_TYPES: Mapping[str, cel.Type] = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "string": cel.Type.STRING,
    "timestamp": cel.Type.TIMESTAMP,
    "list(string)": cel.Type.List(cel.Type.STRING),
}
_LONGEST = 10_000
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")
_MISSING = re.compile(r'UNKNOWN: No value with name "([^"]+)" found in Activation')
_MISTAKE = re.compile(r"^(?:INVALID_ARGUMENT: )?ERROR: <input>:(\d+):(\d+): (.*)$", re.MULTILINE)
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'.*")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '(.*)'")
_OPERATOR = re.compile(r"^_?(@in|[^\w@]+|\?_:)_?$")


class Unknown(NamedTuple):
    """The answer hangs on fields that are not known; the first is the one that the engine missed."""

    names: tuple[str, ...]


class Failure(NamedTuple):
    """The expression cannot be evaluated on these values, for a reason other than missing evidence."""

    text: str


Answer = bool | Unknown | Failure


class Mistake(NamedTuple):
    """One mistake in an expression; `offset` counts its characters from 0, `width` how many of them are wrong."""

    offset: int
    message: str
    hint: str | None = None
    width: int = 1


class CompileError(Exception):
    """The expression is not one that could be evaluated."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(mistakes[0].message)
        self.mistakes = mistakes


class Expression:
    """A compiled condition."""

    def __init__(self, source: str, program: cel.Expression, params: Mapping[str, Any]) -> None:
        self.source = source
        names = references(program.serialize())
        self.reads = tuple(name for name in FIELDS if name in names)
        """The fields it uses, in the order of the catalogue."""
        self._program = program
        self._params = {name: value for name, value in params.items() if name in names}

    def evaluate(self, values: Mapping[str, Any]) -> Answer:
        """What it says of fields, by name, that went through `speakable`; a field that is not known is left out."""
        data = {name: values[name] for name in self.reads if name in values}
        data.update(self._params)
        try:
            answer = self._program.eval(None, data).value()  # by name, it takes a tenth longer
        except RuntimeError as error:  # the budget of iterations
            return Failure(_plain(str(error)))
        if answer is True or answer is False:
            return bool(answer)
        missed = _MISSING.fullmatch(str(answer))
        if missed and missed[1] in self.reads and missed[1] not in values:
            others = (name for name in self.reads if name not in values and name != missed[1])
            return Unknown((missed[1], *others))
        return Failure(_plain(str(answer)))


def compile(  # noqa: A001
    source: str, params: Mapping[str, Any], types: Mapping[str, str]
) -> Expression:
    """The condition that a text spells; `types` are the types of its parameters. Raises `CompileError`."""
    if len(source) > _LONGEST:
        raise CompileError([Mistake(0, f"an expression of more than {_LONGEST:,} characters")])
    if (odd := _UNSPEAKABLE.search(source)) is not None:
        raise CompileError([Mistake(odd.start(), "a NUL or half a surrogate pair")])
    variables = tuple((f"params.{name}", PARAM_TYPES[kind]) for name, kind in types.items())
    try:
        program = _environment(variables).compile(source)
    except RuntimeError as error:
        names = [*FIELDS, *(name for name, _ in variables)]
        raise CompileError(_mistakes(source, str(error), names)) from None
    found = str(program.return_type())
    if found != "BOOL":
        message = f"an expression of type {_type(found)}, where a condition is wanted"
        raise CompileError([Mistake(0, message, "compare it with something")])
    return Expression(
        source, program, {f"params.{name}": speakable(value) for name, value in params.items()}
    )


def speakable(value: Any) -> Any:
    """A value as the engine takes it without harm."""
    if value is True or value is False:
        return value
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return _UNSPEAKABLE.sub("\ufffd", value)
    if isinstance(value, list | tuple):
        text = "".join(value)
        if text.isascii() and "\0" not in text:
            return list(value)
        return [speakable(item) for item in value]
    if isinstance(value, int):
        return min(max(value, -(2**63)), 2**63 - 1)
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return min(max(aware, _FIRST), _LAST).astimezone(UTC)
    return value


@lru_cache(256)
def _environment(params: tuple[tuple[str, str], ...]) -> cel.Env:
    fields = {field.name: _TYPES[field.type] for field in FIELDS.values()}
    return cel.NewEnv(
        variables=fields | {name: _TYPES[kind] for name, kind in params},
        functions=[
            cel.FunctionDecl(
                function.name,
                [
                    cel.Overload(
                        f"{function.name}_{number}",
                        _TYPES[function.gives],
                        [_TYPES[kind] for kind in takes],
                        False,
                        function.call,
                    )
                    for number, takes in enumerate(function.takes)
                ],
            )
            for function in FUNCTIONS
        ],
        extensions=[ext_strings.ExtStrings()],
    )


def _mistakes(source: str, text: str, variables: list[str]) -> list[Mistake]:
    lines = source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: list[Mistake] = []
    for match in _MISTAKE.finditer(text):
        row, column, said = (
            int(match[1]),
            int(match[2]),
            match[3].removesuffix(" [INVALID_ARGUMENT]"),
        )
        offset = min(starts[row - 1] + column - 1, len(source))
        found.append(_explain(source, offset, said, variables))
        if said.startswith("Syntax error: "):
            break  # what follows one is guesswork
    return found or [Mistake(0, _plain(text))]


def _explain(source: str, offset: int, said: str, variables: list[str]) -> Mistake:
    """One mistake in words that help; the engine points at the last dot of a name, or at the bracket after it."""
    if undeclared := _UNDECLARED.fullmatch(said):
        name = undeclared[1]
        spans = (m.span() for m in re.finditer(re.escape(name), source))
        start, end = next(((a, b) for a, b in spans if a <= offset <= b), (offset, offset))
        called = source[end : end + 1] == "("
        if called and name in _CALLABLE:
            return Mistake(start, f"`{name}` does not take these arguments")
        candidates = list(_CALLABLE) if called else variables
        return Mistake(
            start,
            f"unknown {'function' if called else 'field'} `{name}`",
            did_you_mean(name, candidates),
            len(name),
        )
    if overload := _OVERLOAD.fullmatch(said):
        operator = _OPERATOR.match(overload[1])
        name = operator[1].lstrip("@").replace("?_:", "? :") if operator else overload[1]
        types = (
            overload[2]
            .removeprefix("(")
            .removesuffix(")")
            .replace("google.protobuf.Timestamp", "timestamp")
        )
        return Mistake(offset, f"`{name}` does not take ({types})")
    if said.startswith("Syntax error: "):
        return Mistake(
            offset, f"not an expression: {_syntax(said)}", _HINTS.get(_word(source, offset))
        )
    return Mistake(offset, said)


_CALLABLE = {
    *(function.name for function in FUNCTIONS), "size", "matches", "contains", "startsWith", "endsWith", "exists", "all",
    "exists_one", "filter", "map", "has", "duration", "timestamp", "int", "string", "lowerAscii", "upperAscii", "split",
    "join", "replace", "trim", "substring", "indexOf", "charAt", "format", "getFullYear", "getMonth", "getDate", "getHours",
}  # fmt: skip
"""The names that may be called, for suggestions."""

_HINTS = {"and": "write `&&`", "or": "write `||`", "not": "write `!`", "=": "write `==`"}


def _word(source: str, offset: int) -> str:
    """The word that a syntax error is at, or just behind."""
    words = [m for m in re.finditer(r"\w+|=", source) if m.start() <= offset]
    return next((m[0] for m in words[-2:] if m[0] in _HINTS), "")


def _syntax(said: str) -> str:
    text = said.removeprefix("Syntax error: ").split(" expecting ")[0]
    return text.replace("mismatched input ", "unexpected ").replace("extraneous input ", "unexpected ").replace(
        "'<EOF>'", "end"
    )  # fmt: skip


def _type(name: str) -> str:
    return name.lower().replace("<", "(").replace(">", ")")


def _plain(text: str) -> str:
    """An error of the engine without its status words."""
    return re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", text)
