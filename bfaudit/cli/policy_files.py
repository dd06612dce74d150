"""The files of `bfaudit policy`: cases and policies side by side, and the beginnings of a rule."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from bfaudit import documents
from bfaudit.cli.output import write
from bfaudit.errors import UsageError
from bfaudit.policy.cases import Ran
from bfaudit.policy.load import load
from bfaudit.policy.read import packs, read
from bfaudit.policy.rules import Policy
from bfaudit.policy.testing import updated

Text = tuple[str, bytes]

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def collect(sources: Sequence[str], named: Sequence[str]) -> tuple[list[Text], Sequence[Policy]]:
    """The case files of folders and files, and the policies to test: named, else beside them, else every pack."""
    files = [file for source in sources for file in _files(source)]
    cases: list[Text] = []
    beside: list[str] = []
    for file in dict.fromkeys(files):
        try:
            text = file.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from None
        document, _ = documents.read(text, str(file))
        kind = document.data.get("kind") if isinstance(document.data, dict) else None
        if kind == "Policy":
            beside.append(str(file))
        elif kind is None:
            cases.append((str(file), text))
    if named:
        return cases, read(named)
    if beside:
        return cases, read(beside)
    # Each pack as it is by itself: an override of one pack is no change of another.
    return cases, [policy for name in packs() for policy in read([name]) if policy.id == name]


def _files(source: str) -> list[Path]:
    path = Path(source)
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file())
    if not path.is_file():
        raise UsageError(f"no file or folder {source}")
    return [path]


def pattern(text: str) -> str:
    """A regular expression of the command line."""
    try:
        re.compile(text)
    except re.error as error:
        raise UsageError(f"--run {text!r} is no regular expression: {error}") from None
    return text


def update(texts: Sequence[Text], wrong: Sequence[Ran]) -> None:
    """Write into the files of cases what the rules say."""
    by_file: defaultdict[str, list[Ran]] = defaultdict(list)
    for each in wrong:
        by_file[each.place.file].append(each)
    for file, text in texts:
        if file in by_file:
            write(file, updated(text.decode(), by_file[file]).encode())


_POLICY = """\
apiVersion: bfaudit/v1
kind: Policy
id: {id}
title: What {id} asks for

rules:
  - id: {id}
    title: Key is older than allowed             # the violation, as a sentence
    severity: high
    params:
      max_days:
        type: int
        default: 90
        description: The age in days from which a key must be replaced.
    applies: connection.lifecycle == "active"    # `bfaudit fields` lists what a rule may read
    require: key.age_days <= params.max_days
    message: "The key is {{key.age_days}} days old (allowed: {{params.max_days}})."
    expected: "at most {{params.max_days}} days old"
    rationale: Say why the rule is there, with the incident or the source.
    remediation:
      text: Say what to do.
"""

_CASES = """\
rule: {id}
cases:
  - name: as old as allowed
    facts: {{key.created_at: 2026-08-24}}        # the audit is of 2026-11-22, unless a case gives `now`
    outcome: pass
  - name: a day too old
    facts: {{key.created_at: 2026-08-23}}
    outcome: fail
    message: "91 days old (allowed: 90)"
  - name: the age is not told
    unknown: {{key.created_at: not told}}
    outcome: unknown
  - name: retired
    connection: {{lifecycle: retired}}
    facts: {{key.created_at: 2020-01-01}}
    outcome: not-applicable
"""


def scaffold(name: str) -> dict[str, str]:
    """The files of a new rule, by name; raises `UsageError` for an id that none can have."""
    if not _ID.fullmatch(name) or len(name) > 80:
        raise UsageError(
            f"{name!r} cannot be the id of a rule",
            hint="lower-case words and digits, joined by `-`",
        )
    files = {f"{name}.yaml": _POLICY.format(id=name), f"{name}.cases.yaml": _CASES.format(id=name)}
    load([(f"{name}.yaml", files[f"{name}.yaml"])])
    return files
