"""Policies from their YAML: schema, parameters, expressions and texts checked; every mistake told in one run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from bfaudit.documents import Document, Path
from bfaudit.egress import RULE as EGRESS
from bfaudit.errors import InvalidInput, Problem
from bfaudit.model import Connection, Outcome, Place, Rule, Severity
from bfaudit.policy import cel, shape
from bfaudit.policy.cel import CompileError, Expression
from bfaudit.policy.extends import Gathered, Source, gather
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.overrides import Change, changes_of, contradicts, settle, settle_param, told
from bfaudit.policy.rules import CompiledRule, Policy, Text, shown
from bfaudit.words import did_you_mean

BLAMABLE = tuple(name for name in Connection.__struct_fields__ if name not in ("place", "places"))
"""The fields of the manifest that a rule may blame."""

RESERVED = "exception-"
"""What the ids of bfaudit's own rules on exceptions start with."""

_KINDS = {"bool": "`true` or `false`", "int": "a whole number", "string": "a text", "list": "a list of texts"}  # fmt: skip


def load(texts: Iterable[tuple[str, str | bytes]]) -> tuple[Policy, ...]:
    """The policies that files hold, given as name and text; raises `InvalidInput` with every mistake in them."""
    sources = [Source(f"{number}", file, text) for number, (file, text) in enumerate(texts)]
    return assemble(gather(sources, lambda _name, _file: (), ()))


def assemble(gathered: Iterable[Gathered]) -> tuple[Policy, ...]:
    """The policies of documents; raises `InvalidInput` with every mistake in them."""
    loader = _Loader()
    for one in gathered:
        loader.add(one)
    policies = loader.policies()
    if loader.problems:
        raise InvalidInput(loader.problems)
    return policies


class _Loader:
    """Collects documents, then compiles their rules; `problems` fills on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._documents: list[Document] = []
        self._places: dict[str, Place] = {}
        self._changes: dict[str, list[Change]] = {}

    def add(self, one: Gathered) -> None:
        """Take in one document, if it has the shape of a policy."""
        document = one.document
        problems = one.problems or shape.check(document)
        self.problems += problems
        if problems:
            return
        self._documents.append(document)
        for number, rule in enumerate(document.data.get("rules", ())):
            path = ("rules", number, "id")
            self._once(self._places, document, path, rule["id"])
            if rule["id"].startswith(RESERVED) or rule["id"] == EGRESS.id:
                hint = "choose another id: it names a rule that bfaudit brings itself"
                self._wrong(document, f"`{rule['id']}` is reserved", path, hint=hint)
        for name, change in changes_of(one).items():
            if not change.data["reason"].strip():
                expected = "why the rule is changed: every report shows it"
                at = (*change.path, "reason")
                self._wrong(document, '"reason" is empty', at, expected=expected)
            before = self._changes.setdefault(name, [])
            other = contradicts(before, change)
            if other is not None:
                first = other.document.place(other.path, key=True)
                message = f"`{name}` is changed twice; first at {first}"
                hint = "let one of the policies extend the other"
                self._wrong(document, message, change.path, key=True, hint=hint)
            before.append(change)

    def policies(self) -> tuple[Policy, ...]:
        """The policies of all documents, overrides applied."""
        for name, changes in self._changes.items():
            if name not in self._places:
                hint = did_you_mean(name, list(self._places))
                for change in changes:
                    self._wrong(change.document, f"no loaded policy has a rule `{name}`", change.path, key=True, hint=hint)  # fmt: skip
        return tuple(map(self._policy, self._documents))

    def _once(
        self,
        places: dict[str, Place],
        document: Document,
        path: Path,
        name: str,
        *,
        key: bool = False,
    ) -> None:
        if name in places:
            self._wrong(
                document, f"`{name}` is given twice; first at {places[name]}", path, key=key
            )
        places.setdefault(name, document.place(path, key=key))

    def _policy(self, document: Document) -> Policy:
        data = document.data
        kept: list[CompiledRule] = []
        left_out: list[Rule] = []
        for number, raw in enumerate(data.get("rules", ())):
            compiled = self._rule(document, ("rules", number), raw)
            if compiled is None:
                continue
            enabled = settle(self._changes.get(raw["id"], ()), "enabled")
            if enabled is None or enabled.value:
                kept.append(compiled)
            else:
                left_out.append(replace(compiled.rule, overridden={"enabled": enabled.why}))
        return Policy(
            id=data["id"],
            title=data["title"],
            file=document.file,
            rules=tuple(kept),
            left_out=tuple(left_out),
            extends=tuple(data.get("extends", ())),
            description=data.get("description", ""),
        )

    def _rule(self, document: Document, path: Path, raw: Mapping[str, Any]) -> CompiledRule | None:
        changes = self._changes.get(raw["id"], ())
        before = len(self.problems)
        types = {name: param["type"] for name, param in raw.get("params", {}).items()}
        overridden: dict[str, str] = {}
        params = self._params(document, path, raw, changes, overridden)
        values = {"applies": "true", "on_unknown": "unknown", **raw}
        at, where = (*path, "applies"), document
        for name in ("severity", "on_unknown", "applies"):
            changed = settle(changes, name)
            if changed is not None:
                overridden[name] = told(values[name], changed.why)
                values[name] = changed.value
                if name == "applies":
                    at, where = tuple(changed.path), changed.document
        applies = self._expression(where, at, values["applies"], params, types)
        require = self._expression(document, (*path, "require"), raw["require"], params, types)
        self._texts(document, path, raw, types)
        blames = raw.get("blames")
        if blames is not None and blames.split(".")[0] not in BLAMABLE:
            hint = did_you_mean(blames, BLAMABLE)
            self._wrong(document, f"a manifest has no field `{blames}`", (*path, "blames"), hint=hint)  # fmt: skip
        if len(self.problems) > before or applies is None or require is None:
            return None
        message, expected = Text.of(raw.get("message", raw["title"])), raw.get("expected")
        used = {*applies.reads, *require.reads, *message.fields}
        used.update(Text.of(expected).fields if expected else ())
        title = Text.of(raw["title"]).fill(lambda name: shown(params[name.partition(".")[2]]))
        return CompiledRule(
            rule=Rule(
                id=raw["id"],
                policy=document.data["id"],
                title=title,
                severity=Severity.of(values["severity"]),
                applies=applies.source,
                require=require.source,
                message=raw.get("message", raw["title"]),
                params=params,
                rationale=raw.get("rationale", ""),
                remediation=raw.get("remediation", {}),
                references=tuple(raw.get("references", ())),
                controls={name: tuple(ids) for name, ids in raw.get("controls", {}).items()},
                on_unknown=Outcome(values["on_unknown"]),
                overridden=overridden,
                place=document.place((*path, "id")),
            ),
            applies=applies,
            require=require,
            message=message,
            expected=Text.of(expected) if expected else Text((require.source,)),
            blames=blames,
            reads=tuple(name for name in FIELDS if name in used),
        )

    def _params(
        self,
        document: Document,
        path: Path,
        raw: Mapping[str, Any],
        changes: Sequence[Change],
        overridden: dict[str, str],
    ) -> dict[str, Any]:
        declared = raw.get("params", {})
        values = {name: param["default"] for name, param in declared.items()}
        for name, param in declared.items():
            at = (*path, "params", name, "default")
            self._fits(document, at, param["default"], param["type"])
            changed = settle_param(changes, name)
            if changed and self._fits(changed.document, changed.path, changed.value, param["type"]):
                overridden[f"params.{name}"] = told(values[name], changed.why)
                values[name] = changed.value
        for change in changes:
            for name in change.data.get("params", {}):
                if name not in declared:
                    message = f"the rule `{raw['id']}` has no parameter `{name}`"
                    hint, at = did_you_mean(name, list(declared)), (*change.path, "params", name)
                    self._wrong(change.document, message, at, key=True, hint=hint)
        return {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}

    def _fits(self, document: Document, path: Path, value: Any, kind: str) -> bool:
        match kind:
            case "bool":
                fits = isinstance(value, bool)
            case "int":
                fits = isinstance(value, int) and not isinstance(value, bool)
            case "string":
                fits = isinstance(value, str)
            case _:
                fits = isinstance(value, list)
        if not fits:
            self._wrong(document, "a value of another type", path, expected=_KINDS[kind])
        return fits

    def _expression(
        self,
        document: Document,
        path: Path,
        source: str,
        params: Mapping[str, Any],
        types: Mapping[str, str],
    ) -> Expression | None:
        try:
            return cel.compile(source, params, types)
        except CompileError as error:
            for offset, message, hint, width in error.mistakes:
                self._inside(document, path, offset, message, hint, width)
            return None

    def _texts(
        self, document: Document, path: Path, raw: Mapping[str, Any], types: Mapping[str, str]
    ) -> None:
        params = [f"params.{name}" for name in types]
        for name, known in (
            ("title", params),
            ("message", [*FIELDS, *params]),
            ("expected", [*FIELDS, *params]),
        ):
            text = Text.of(raw.get(name, ""))
            offset = 0
            for number, part in enumerate(text.parts):
                if number % 2:
                    offset += 1
                    if part not in known:
                        what = "no parameter" if name == "title" else "no field and no parameter"
                        hint = did_you_mean(part, known)
                        self._inside(
                            document, (*path, name), offset, f"`{part}` is {what}", hint, len(part)
                        )
                    offset += 1
                offset += len(part)

    def _inside(
        self,
        document: Document,
        path: Path,
        offset: int,
        message: str,
        hint: str | None,
        width: int,
    ) -> None:
        place = document.inside(path, offset)
        excerpt = document.excerpt(place.line)
        self.problems.append(
            Problem(message, place=place, excerpt=excerpt, hint=hint, width=max(1, width))
        )

    def _wrong(self, document: Document, message: str, path: Path, **more: Any) -> None:
        self.problems.append(document.problem(message, path, **more))
