"""The builder: libyaml's events -> data and marks, and every problem on the way."""

from collections.abc import Callable
from typing import Any, NamedTuple

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bfaudit import literals
from bfaudit.collector import paused
from bfaudit.documents import characters, scalars, syntax
from bfaudit.documents.document import Document
from bfaudit.documents.limits import MAX_ALIASED, MAX_DEPTH, MAX_PROBLEMS
from bfaudit.errors import Problem
from bfaudit.model import Json

_MOST_RESOLVED = 10_000


Event = Any
"""An event of libyaml: which class it has decides what it holds."""


class _Skip:
    """Stands for a key that was refused: its value is read and forgotten."""


_SKIP = _Skip()


class _StopError(Exception):
    """There is no point in reading on."""


class _Extent(NamedTuple):
    """How much an anchored value adds where it is repeated."""

    nodes: int
    depth: int


def build(text: str | bytes, file: str) -> tuple[Document, list[Problem]]:
    """The document, as far as it could be read, and every problem found."""
    text, problems = characters.decode(text, file)
    document = Document(text, file)
    if problems or (problems := characters.check(document)):
        return document, problems
    builder = _Builder(document)
    try:
        with paused():
            builder.run()
    except _StopError:
        pass
    except YAMLError as error:
        builder.problems.append(syntax.explain(document, error))
    return document, builder.problems


class _Builder:
    """Reads one document; `problems` fills on the way."""

    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._parser = CParser(document.text)
        self._resolved: dict[str, Json] = {}
        """The plain scalars seen: most are repeated over and over."""
        self._anchors: dict[str, Json] = {}
        self._open: dict[int, str] = {}
        self._extents: dict[int, _Extent] = {}
        self._kept: list[Json] = []
        """Keeps what was measured alive: a measure is known by the id of its value."""
        self._aliased = 0

    def run(self) -> None:  # noqa: PLR0915 - the hot loop: a call per event would cost half as much again
        """Read to the end of the stream."""
        # The loop is the cost of loading a large fleet: no calls but for the rare cases.
        get_event: Callable[[], Event] = self._parser.get_event
        all_marks = self._document.marks
        may_not_be_text, resolved = scalars.MAY_NOT_BE_TEXT, self._resolved
        unfinished = self._open
        escaped = "\\" in self._document.text
        decorated = "&" in self._document.text or "!" in self._document.text
        root: list[Json] = []
        node: Json = root
        marks: list[int] = []
        key: Json = None
        stack: list[tuple[Json, list[int], Json]] = []
        while True:
            event = get_event()
            kind = event.__class__
            if kind is ScalarEvent:
                value: Json = event.value
                if not event.style:
                    if value[:1] in may_not_be_text:
                        value = resolved[value] if value in resolved else self._plain(event)
                elif escaped and event.style == '"':
                    self._escapes(event)
            elif kind is MappingStartEvent:
                value = {}
            elif kind is SequenceStartEvent:
                value = []
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                if unfinished and id(node) in unfinished:
                    self._close(node)
                node, marks, key = stack.pop()
                continue
            elif kind is AliasEvent:
                value = self._alias(event, len(stack))
            elif kind is StreamEndEvent:
                self._document.data = root[0] if root else None
                return
            else:
                if kind is DocumentStartEvent and root:
                    self._second_document(event)
                continue
            at = event.start_mark.index
            if decorated and kind is not AliasEvent:
                self._properties(event, value)
            if node.__class__ is list:
                node.append(value)
                marks.append(at)
            elif key is None:
                key = value
                if value.__class__ is not str or value in node or value == "<<":
                    self._bad_key(value, at, node, marks)
                    key = _SKIP
                else:
                    marks.append(at)
            else:
                if key is not _SKIP:
                    node[key] = value
                    marks.append(at)
                key = None
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    self._too_deep(at)
                stack.append((node, marks, key))
                node, key = value, None
                marks = all_marks[id(value)] = [at]

    def _plain(self, event: Event) -> Json:
        try:
            value = scalars.resolve(event.value)
        except scalars.RefusedScalarError as error:
            self._add(f"{error}", event.start_mark.index, hint="put it in quotes to keep it a text")
            return event.value
        if len(self._resolved) < _MOST_RESOLVED:
            self._resolved[event.value] = value
        return value

    def _escapes(self, event: Event) -> None:
        if (what := characters.forbidden(event.value)) is not None:
            self._add(f"an escape for {what}, which no text may hold", event.start_mark.index)
        source = self._document.text[event.start_mark.index : event.end_mark.index]
        if "\\" in source and literals.is_secret(event.value) and not literals.is_secret(source):
            lines = range(event.start_mark.line + 1, event.end_mark.line + 2)
            self._document.hidden.update(lines)
            hint = "put the secret into a variable or a file"
            self._add(
                "this looks like a key or secret in escapes", event.start_mark.index, hint=hint
            )

    def _properties(self, event: Event, value: Json) -> None:
        at = event.start_mark.index
        if event.tag is not None:
            self._add("tags are not allowed", at, hint="remove it; put quotes around a text")
        if event.anchor is not None:
            self._anchors[event.anchor] = value
            if value.__class__ in (dict, list):
                self._open[id(value)] = event.anchor

    def _close(self, node: Json) -> None:
        del self._open[id(node)]
        self._measure(node)

    def _measure(self, node: Json) -> _Extent:
        if node.__class__ not in (dict, list):
            return _Extent(1, 0)
        known = self._extents.get(id(node))
        if known is None:
            inside = [
                self._measure(item) for item in (node.values() if isinstance(node, dict) else node)
            ]
            nodes = 1 + sum(extent.nodes for extent in inside)
            known = _Extent(nodes, 1 + max((extent.depth for extent in inside), default=0))
            self._extents[id(node)] = known
            self._kept.append(node)
        return known

    def _alias(self, event: Event, depth: int) -> Json:
        name, at = event.anchor, event.start_mark.index
        if name not in self._anchors:
            self._add("an alias of nothing: no anchor before it has this name", at)
            return None
        value = self._anchors[name]
        if id(value) in self._open:
            self._add("an alias of a value that it is a part of", at)
            return None
        nodes, below = self._measure(value)
        self._aliased += nodes
        if self._aliased > MAX_ALIASED:
            self._stop(f"aliases repeat more than {MAX_ALIASED:,} values", at)
        if depth + below > MAX_DEPTH:
            self._too_deep(at)
        return value

    def _bad_key(self, key: Json, at: int, node: dict[str, Json], marks: list[int]) -> None:
        if key.__class__ is not str:
            hint = None if isinstance(key, dict | list) else "put it in quotes"
            self._add("the name of a field must be a text", at, hint=hint)
        elif key == "<<":
            self._add(
                "merge keys are not allowed", at, hint="write the fields out, or use `defaults`"
            )
        else:
            first = self._document.at(marks[1 + 2 * list(node).index(key)])
            self._add(f'"{literals.shown(key)}" is given twice; first at {first}', at)

    def _second_document(self, event: Event) -> None:
        hint = "put each document in a file of its own"
        self._stop("a second document in the same file", event.start_mark.index, hint)

    def _too_deep(self, at: int) -> None:
        self._stop(f"more than {MAX_DEPTH} lists and mappings inside each other", at)

    def _add(self, message: str, at: int, *, hint: str | None = None) -> None:
        self.problems.append(self._document.problem_at(message, at, hint=hint))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _StopError

    def _stop(self, message: str, at: int, hint: str | None = None) -> None:
        self._add(message, at, hint=hint)
        raise _StopError
