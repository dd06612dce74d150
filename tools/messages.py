"""Collects every text for people, brings the catalogues of `bfaudit/locale` up to date and compiles them.

`make messages`. A new language is a new folder with an empty `LC_MESSAGES/bfaudit.po`.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from bfaudit import exchanges
from bfaudit.catalogue import LEFT_OUT
from bfaudit.catalogue.pages import ANSWERS
from bfaudit.cli.exit_codes import CODES
from bfaudit.compliance import SIGN_OFF, STATES
from bfaudit.formats import script
from bfaudit.lang.sentences import CONTEXT
from bfaudit.model import Direction, Grant, Json, Outcome, Reason, Severity, Source, Status
from bfaudit.policy.fields import FIELDS
from bfaudit.policy.functions import FUNCTIONS
from bfaudit.report.charts import AGES, LATER, OLDEST, PAST
from bfaudit.report.counts import EXIT_MEANINGS, LET_PASS
from bfaudit.report.findings import KNOWN
from bfaudit.report.review import DECISIONS
from bfaudit.report.thief import REACHED
from tools.sentences import refused, written

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "bfaudit" / "locale"
CODE = (
    "bfaudit/report",
    "bfaudit/formats",
    "bfaudit/compliance",
    "bfaudit/drift",
    "bfaudit/catalogue",
    "bfaudit/cli",
)
KEYWORDS = {"say": None, "plural": (1, 2), "_": None, "ngettext": (1, 2)}
SPOKEN = (
    "bfaudit/scan/status.py", "bfaudit/scan/connection.py", "bfaudit/reach.py", "bfaudit/policy/judge.py",
    "bfaudit/inventory.py", "bfaudit/egress.py", "bfaudit/exceptions.py", "bfaudit/drift/__init__.py",
    "bfaudit/drift/facts.py", "bfaudit/compliance/__init__.py", "bfaudit/scan/genuine.py", "bfaudit/credentials/plugins.py",
)  # fmt: skip
"""Where sentences are made before anybody knows in which language they will be read; the adapters, and what makes
evidence of fields, are found by themselves."""

MAKES_EVIDENCE = "Evidence("
MEANINGS = "fields.py"
"""Says what each field means, for policy authors; the few reasons in it are among those below."""

NAME = re.compile(r"[a-z_]+\.[a-z_*]+|--[a-z]+")
"""An origin of a field that is no text: the path of a fact, or an option."""

WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in every header: a catalogue that says the same has the same bytes."""

Message = tuple[str | tuple[str, str], str, str | None]
"""A message, or its singular and plural; the file it is from; its context."""

JOINED = (
    "{path} was refused: {detail}", "{detail}. {exchange} saw {address}.", "{says} (the sources do not agree on it)",
    "{says} (unknown whether it applies)", "{n} others", "lists {what}", "was {shown}; {why}",
    "the key now has the permission {permission}", "the key no longer has the permission {permission}",
    "a holder of the key now reaches {permission}", "a holder of the key no longer reaches {permission}",
    "label {old}, now {new}", "the key belongs to account {old}, now {new}", "master account {old}, now {new}",
    "bound to application {old}, now {new}", "signs by {old}, now {new}",
    "nothing is known of its key before: {status}, now: {status2}", "nothing is known of its key before: {status}",
    "nothing is known of its key now: {status}", "{exchange} was asked at its own address in one scan, redirected in the other",
    "the account is now a master account", "the account is no longer a master account",
    "No audited connection matches it: {hint}", "no answer", "nothing", "somebody else", "not asked",
    "this connection has no fingerprint of its key", "the exchange did not tell the account",
    "{name} ended with {code}.", "{name} was ended by signal {code}.",
    "Vault has no {path}, or its last version was deleted.", "the login", "not a path", "not a command",
    "no such file or directory", "permission denied", "not a directory", "is a directory", "exec format error",
    "no such device or address", "too many levels of symbolic links", "file name too long", "this scan did not record it",
    "the reference to the key could not be resolved",
    "one of the joined snapshots does not tell which client signed its requests",
    *(status.value for status in Status), *(f"{status.value} ({{id}})" for status in Status),
)  # fmt: skip
"""Sentences that the source joins from parts, as a reader gets them."""

EXCEPTION_TYPES = (
    "risk-accepted", "false-positive", "compensating-control", "not-applicable", "remediation-scheduled",
)  # fmt: skip
VOCABULARY = (
    *(severity.word for severity in Severity), *(outcome.value for outcome in Outcome), *(grant.value for grant in Grant),
    *(status.value for status in Status), *(reason.value for reason in Reason), *(source.value for source in Source), *(direction.value for direction in Direction),
    *STATES, *STATES.values(), *SIGN_OFF, *DECISIONS, *AGES, OLDEST, PAST, LATER, KNOWN, "reserved", *REACHED.values(), *EXIT_MEANINGS.values(), *LET_PASS.values(),
    "passed", "failed", "excepted", "rejected", "active", "retired", "never", "none", "and", "or", "ok",
    "command line", "exceptions file", *ANSWERS, "status only", *CODES.values(), *LEFT_OUT.values(),
    *(each for each in LEFT_OUT if " " in each), "the snapshot", *EXCEPTION_TYPES,
)  # fmt: skip
"""Words that reports show by their value."""

COUNTED = (
    *(severity.word for severity in Severity), *(outcome.value for outcome in Outcome), *STATES,
    *(status.value for status in Status), "excepted",
)  # fmt: skip
VALUES = (
    "yes", "no", "none", "unknown", "and", "and more", "{names}, and {n} more",
    *(status.value for status in Status),
    *(severity.word for severity in Severity),
)  # fmt: skip
"""Words of ours that stand within the sentences of rules."""


def collected() -> Catalog:
    """The template of every catalogue: all messages of the source."""
    made = Catalog(project="bfaudit", creation_date=WRITTEN, charset="utf-8", fuzzy=False)
    for message, file, context in messages():
        made.add(message, locations=[(file, 0)], context=context)
    return made


def messages() -> Iterator[Message]:
    """Every message, its file and its context."""
    yield from _code()
    yield from _templates()
    yield from ((word, "tools/messages.py", None) for word in VOCABULARY)
    yield from ((_counting(word), "tools/messages.py", None) for word in COUNTED)
    yield ",", "bfaudit/lang/__init__.py", "thousands separator"
    yield from ((word, "tools/messages.py", "value") for word in VALUES)
    yield from ((text, "tools/messages.py", CONTEXT) for text in JOINED)
    yield from _meanings()
    yield from _spoken()
    yield from _policies()
    yield from _examples()


def _counting(word: str) -> tuple[str, str]:
    return f"{{n}} {word}", f"{{n}} {word}"


def _files(*names: str, suffix: str) -> Iterator[tuple[Path, str]]:
    for name in names:
        path = ROOT / name
        for each in sorted(path.rglob(f"*{suffix}")) if path.is_dir() else [path]:
            yield each, each.relative_to(ROOT).as_posix()


def _code() -> Iterator[Message]:
    for path, file in _files(*CODE, suffix=".py"):
        with path.open("rb") as stream:
            for _, message, _, _ in extract("python", stream, KEYWORDS):
                yield _pair(message), file, None


def _templates() -> Iterator[Message]:
    for path, file in _files("reports/templates", suffix=".j2"):
        with path.open("rb") as stream:
            options = {"trim_blocks": "true", "lstrip_blocks": "true"}
            for _, _, message, _ in babel_extract(stream, tuple(KEYWORDS), (), options):
                yield _pair(message), file, None
    for path, file in _files("reports/templates", suffix=".js"):
        yield from ((each, file, None) for each in script.messages(path.read_text("utf-8")))


def _pair(message: str | Iterable[str | None] | None) -> str | tuple[str, str]:
    """What an extractor found, as a message or a pair; it gives None for arguments that are no text."""
    if isinstance(message, str):
        return message
    texts = [text for text in message or () if text is not None]
    return (texts[0], texts[1]) if len(texts) > 1 else texts[0]


def _meanings() -> Iterator[Message]:
    """What the fields and functions of the rule language mean; an origin that is but a name is no text."""
    for field in FIELDS.values():
        yield field.meaning, f"bfaudit/policy/{MEANINGS}", None
        if not NAME.fullmatch(field.origin):
            yield field.origin, f"bfaudit/policy/{MEANINGS}", None
    for function in FUNCTIONS:
        yield " ".join(function.meaning.split()), "bfaudit/policy/functions.py", None


def _spoken() -> Iterator[Message]:
    titles = sorted({each.title for each in exchanges.known().values()}, key=len, reverse=True)
    evidence = [
        file
        for path, file in _files("bfaudit/policy", suffix=".py")
        if path.name != MEANINGS and MAKES_EVIDENCE in path.read_text("utf-8")
    ]
    for path, file in _files(*SPOKEN, *evidence, suffix=".py"):
        yield from ((text, file, CONTEXT) for text in written(path.read_text("utf-8")))
    for path, file in _files("bfaudit/exchanges", suffix=".py"):
        texts = written(path.read_text("utf-8"), titles)
        yield from ((text, file, CONTEXT) for text in texts)
    for path, file in _files("bfaudit/credentials", suffix=".py"):
        yield from ((text, file, CONTEXT) for text in refused(path.read_text("utf-8")))


def _policies() -> Iterator[Message]:
    for path, file in _files("policies", suffix=".yaml"):
        data = yaml.safe_load(path.read_text("utf-8"))
        yield from ((" ".join(text.split()), file, CONTEXT) for text in _prose(data) if text)


def _examples() -> Iterator[Message]:
    for path, file in _files("examples", suffix=".scenario.yaml"):
        data = yaml.safe_load(path.read_text("utf-8"))
        yield from (
            (one["says"], file, CONTEXT) for one in data.get("planted", ()) if one.get("says")
        )


def _prose(data: Json) -> Iterator[str]:
    """The texts of a policy or a framework that a report shows; a framework's titles are the words of its publisher."""
    names = ("title", "description") if data["kind"] == "Policy" else ("note", "analogy")
    yield from (str(data.get(name, "")) for name in names)
    yield from (control.get("uncovered", "") for control in data.get("controls", ()))
    for rule in data.get("rules", ()):
        yield from (rule.get(name, "") for name in ("title", "message", "expected", "rationale"))
        yield from rule.get("remediation", {}).values()
        yield from (each for each in rule.get("references", ()) if not each.startswith("http"))
    yield from (each["reason"] for each in data.get("overrides", {}).values())


def updated(file: Path, template: Catalog) -> Catalog:
    """A catalogue with every message of the template and no other; what is new is untranslated."""
    with file.open("rb") as stream:
        catalog = read_po(stream, locale=file.parts[-3])
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.project, catalog.version = "bfaudit", ""
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    catalog.revision_date = WRITTEN
    return catalog


def text_of(catalog: Catalog) -> bytes:
    """A catalogue as it is committed."""
    out = BytesIO()
    write_po(out, catalog, width=120, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """A catalogue as gettext reads it."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def catalogues() -> list[Path]:
    """The catalogue of every language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/bfaudit.po"))


def main() -> int:
    """Write everything anew; says what is still to be translated."""
    template = collected()
    left = []
    for file in catalogues():
        catalog = updated(file, template)
        file.write_bytes(text_of(catalog))
        file.with_suffix(".mo").write_bytes(compiled(catalog))
        left += [
            f"{file.relative_to(ROOT)}: to translate: {message.id}\n"
            for message in catalog
            if message.id and (message.fuzzy or not all(_strings(message.string)))
        ]
    sys.stdout.writelines(left)
    return 1 if left else 0


def _strings(told: object) -> tuple[str, ...]:
    return tuple(told) if isinstance(told, (tuple, list)) else (str(told or ""),)


if __name__ == "__main__":
    sys.exit(main())
