"""The boundaries of the architecture, held by reading the code."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bfaudit.exchanges import known

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "bfaudit"
CORE = (
    "model",
    "errors.py",
    "facts.py",
    "snapshot",
    "evaluate.py",
    "results.py",
    "pieces.py",
    "sealed.py",
    "nested.py",
    "words.py",
    "lang",
    "support.py",
    "catalogue",
    "compliance",
    "report",
    "formats",
    "policy",
    "documents",
    "manifest",
    "exchanges",
)
READS_FILES = {"manifest/reader.py", "policy/read.py", "scan/status.py"}
SHELL_ONLY = {"ccxt", "aiohttp", "pycurl", "asyncio", "click", "rich_click", "os", "time"}


def _files(*parts):
    for part in parts:
        path = PACKAGE / part
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    "path", list(_files(*CORE)), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_core_does_no_io(path):
    """The core imports nothing that reaches outside, but for the readers that hand it texts."""
    allowed = {"os"} if path.relative_to(PACKAGE).as_posix() in READS_FILES else set()

    assert set() == set(_imports(path)) & (SHELL_ONLY - allowed)


def test_ccxt_is_imported_in_scan_only():
    """Only `scan/` touches ccxt; the rest of bfaudit cannot tell that it exists."""
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if "ccxt" in set(_imports(path))
    }

    assert users == {"scan"}


def test_secrets_are_revealed_in_scan_only():
    """`Secret.reveal()` has no caller outside `scan/`."""
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if ".reveal()" in path.read_text("utf-8") and "credentials" not in path.parts
    }

    assert users == {"scan"}


def test_printing_is_for_the_command_line_only():
    """Nothing outside `cli/` prints or exits."""
    users = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in ("print", "exit", "input"):
                    users.add(path.relative_to(PACKAGE).parts[0])
            elif isinstance(node, ast.Name) and node.id == "SystemExit":
                users.add(path.relative_to(PACKAGE).parts[0])

    assert users <= {"cli"}


def test_exchange_names_stay_in_their_folders():
    """No exchange is named in code outside `exchanges/` and `sandbox/`: adding one touches nothing else."""
    names = re.compile(rf"\b({'|'.join(sorted(known()))})\b", re.IGNORECASE)
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in ("exchanges", "sandbox"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            texts = [node.value] if isinstance(node, ast.Constant) and id(node) not in said else []
            texts += [node.id] if isinstance(node, ast.Name) else []
            where = path.relative_to(PACKAGE)
            found += [
                f"{where}:{node.lineno}: {text[:60]}"
                for text in texts
                if isinstance(text, str) and names.search(text)
            ]

    assert found == []


def test_the_sandbox_shares_no_code_with_the_adapters():
    """A sandbox that parsed with the adapter's code would prove nothing about it."""
    for path in _files("sandbox"):
        text = path.read_text("utf-8")

        assert "bfaudit.exchanges" not in text
        assert "bfaudit.scan" not in text
        assert "ccxt" not in set(_imports(path))


HEAVY = {"ccxt", "aiohttp", "pycurl", "sqlalchemy", "jinja2", "asyncio", "rich"}


def _imported(*arguments):
    code = (
        "import sys\n"
        "from bfaudit.cli import run\n"
        "try:\n    run(sys.argv[1:])\n"
        "except SystemExit as stop:\n    code = stop.code\n"
        "print(code, *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    code, *names = done.stdout.splitlines()[-1].split()
    return int(code), set(names), done.stderr


def test_the_version_imports_nothing_heavy():
    """`--version` answers before anything is imported."""
    code, names, _ = _imported("--version")

    assert code == 0
    assert set() == names & (HEAVY | {"click", "yaml", "msgspec", "jsonschema"})


def test_validating_imports_nothing_heavy():
    """`validate` needs no exchange, no network and no database."""
    code, names, errors = _imported("validate", "examples/backfuture.yaml")

    assert code == 0, errors
    assert set() == names & {"ccxt", "aiohttp", "sqlalchemy", "jinja2", "asyncio", "jsonschema"}
