"""Policies from their YAML: schema, parameters, expressions and texts checked; every mistake told in one run."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bfaudit import documents
from bfaudit.documents import Document, Path
from bfaudit.errors import InvalidInput, Problem
from bfaudit.manifest.words import did_you_mean
from bfaudit.model import Connection, Outcome, Place, Rule, Severity
from bfaudit.policy import cel, shape
from bfaudit.policy.cel import CompileError, Expression
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.rules import CompiledRule, Policy, Text, shown

BLAMABLE = tuple(name for name in Connection.__struct_fields__ if name not in ("place", "places"))
"""The fields of the manifest that a rule may blame."""

_KINDS = {"bool": "`true` or `false`", "int": "a whole number", "string": "a text", "list": "a list of texts"}  # fmt: skip


def load(texts: Iterable[tuple[str, str | bytes]]) -> tuple[Policy, ...]:
    """The policies that files hold, given as name and text; raises `InvalidInput` with every mistake in them."""
    loader = _Loader()
    for file, text in texts:
        loader.add(*documents.read(text, file))
    policies = loader.policies()
    if loader.problems:
        raise InvalidInput(loader.problems)
    return policies


class _Override(NamedTuple):
    document: Document
    path: Path
    data: Mapping[str, Any]


class _Loader:
    """Collects documents, then compiles their rules; `problems` fills on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._documents: list[Document] = []
        self._places: dict[str, Place] = {}
        self._override_places: dict[str, Place] = {}
        self._overrides: dict[str, _Override] = {}

    def add(self, document: Document, problems: list[Problem]) -> None:
        """Take in one document, if it has the shape of a policy."""
        problems = problems or shape.check(document)
        self.problems += problems
        if problems:
            return
        self._documents.append(document)
        for number, rule in enumerate(document.data.get("rules", ())):
            self._once(self._places, document, ("rules", number, "id"), rule["id"])
        for name, data in document.data.get("overrides", {}).items():
            path = ("overrides", name)
            self._once(self._override_places, document, path, name, key=True)
            self._overrides.setdefault(name, _Override(document, path, data))

    def policies(self) -> tuple[Policy, ...]:
        """The policies of all documents, overrides applied."""
        for name, override in self._overrides.items():
            if name not in self._places:
                hint = did_you_mean(name, list(self._places))
                self._wrong(override.document, f"no loaded policy has a rule `{name}`", override.path, key=True, hint=hint)  # fmt: skip
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
        rules = (
            self._rule(document, ("rules", number), raw)
            for number, raw in enumerate(data.get("rules", ()))
        )
        return Policy(
            id=data["id"],
            title=data["title"],
            file=document.file,
            rules=tuple(rule for rule in rules if rule is not None),
        )

    def _rule(self, document: Document, path: Path, raw: Mapping[str, Any]) -> CompiledRule | None:
        override = self._overrides.get(raw["id"])
        changed: Mapping[str, Any] = override.data if override else {}
        before = len(self.problems)
        types = {name: param["type"] for name, param in raw.get("params", {}).items()}
        params = self._params(document, path, raw, override)
        applies = self._expression(
            document, (*path, "applies"), raw.get("applies", "true"), params, types
        )
        require = self._expression(document, (*path, "require"), raw["require"], params, types)
        self._texts(document, path, raw, types)
        blames = raw.get("blames")
        if blames is not None and blames.split(".")[0] not in BLAMABLE:
            hint = did_you_mean(blames, BLAMABLE)
            self._wrong(
                document, f"a manifest has no field `{blames}`", (*path, "blames"), hint=hint
            )
        if len(self.problems) > before or applies is None or require is None:
            return None
        if changed.get("enabled") is False:
            return None
        message, expected = Text.of(raw.get("message", raw["title"])), raw.get("expected")
        used = {*applies.reads, *require.reads, *message.fields}
        used.update(Text.of(expected).fields if expected else ())
        return CompiledRule(
            rule=Rule(
                id=raw["id"],
                policy=document.data["id"],
                title=Text.of(raw["title"]).fill(
                    lambda name: shown(params[name.partition(".")[2]])
                ),
                severity=Severity.of(changed.get("severity", raw["severity"])),
                applies=applies.source,
                require=require.source,
                message=raw.get("message", raw["title"]),
                params=params,
                rationale=raw.get("rationale", ""),
                remediation=raw.get("remediation", {}),
                references=tuple(raw.get("references", ())),
                controls={name: tuple(ids) for name, ids in raw.get("controls", {}).items()},
                on_unknown=Outcome(changed.get("on_unknown", raw.get("on_unknown", "unknown"))),
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
        self, document: Document, path: Path, raw: Mapping[str, Any], override: _Override | None
    ) -> dict[str, Any]:
        declared = raw.get("params", {})
        values = {name: param["default"] for name, param in declared.items()}
        for name, param in declared.items():
            self._fits(
                document, (*path, "params", name, "default"), param["default"], param["type"]
            )
        for name, value in (override.data.get("params", {}) if override else {}).items():
            assert override is not None  # noqa: S101
            at = (*override.path, "params", name)
            if name not in declared:
                message = f"the rule `{raw['id']}` has no parameter `{name}`"
                hint = did_you_mean(name, list(declared))
                self._wrong(override.document, message, at, key=True, hint=hint)
            elif self._fits(override.document, at, value, declared[name]["type"]):
                values[name] = value
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
