"""`exec:` with real programs."""

import os
import shlex
import stat
import sys
import time
from pathlib import Path

import pytest

from bfaudit.credentials import ResolveContext, resolve, split
from bfaudit.credentials import exec as scheme
from bfaudit.errors import CredentialError

CANARY = "c4n4ry0f3x3c"
ENVIRON = {"PATH": os.environ["PATH"]}


def _program(folder: Path, text: str, name: str = "teller") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def _python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def _resolve(command: str, environ=None, *, manifest="-") -> str:
    context = ResolveContext({**ENVIRON, **(environ or {})}, manifest, allow_exec=True)
    return resolve(f"exec:{command}", context).reveal()


def _fails(command, message, environ=None):
    with pytest.raises(CredentialError, match=message) as caught:
        _resolve(str(command), environ)

    assert CANARY not in f"{caught.value!r}{caught.value.hint}"
    assert caught.value.__cause__ is None
    return caught.value


def test_what_a_program_prints(tmp_path):
    """White space at its ends removed; found on the PATH or by its absolute path."""
    path = _program(tmp_path, f"echo; echo ' {CANARY} '")

    assert CANARY == _resolve(str(path))
    assert CANARY == _resolve("teller", {"PATH": f"{tmp_path}:{ENVIRON['PATH']}"})


def test_more_than_one_line(tmp_path):
    """A private key, for example."""
    lines = f"-----BEGIN X-----\n{CANARY}\n-----END X-----"

    assert lines == _resolve(str(_program(tmp_path, f"cat <<'END'\n{lines}\nEND")))


def test_it_is_refused_unless_it_is_allowed(tmp_path):
    """And nothing runs then."""
    path = _program(tmp_path, f"touch {tmp_path}/ran")
    with pytest.raises(CredentialError, match="may not run programs") as caught:
        resolve(f"exec:{path}", ResolveContext(ENVIRON))

    assert "--allow-exec" in str(caught.value.hint)
    assert not (tmp_path / "ran").exists()


def test_there_is_no_shell(tmp_path):
    """Arguments are split as a shell would, and nothing of them is expanded."""
    path = _program(tmp_path, """for each in "$@"; do printf '[%s]' "$each"; done""")
    told = _resolve(f"""{path} 'a b' "c'd" e\\ f $HOME `id` *; touch {tmp_path}/ran | x > y""")

    assert f"[a b][c'd][e f][$HOME][`id`][*;][touch][{tmp_path}/ran][|][x][>][y]" == told
    assert not (tmp_path / "ran").exists()


def test_its_environment(tmp_path):
    """What programs need, and what is named; no other credential."""
    given = {"ONE_SECRET": CANARY, "HOME": "/h", "LD_PRELOAD": "", "WANTED": "w", "TWO": "2"}
    path = _program(tmp_path, "env | cut -d= -f1 | sort | tr '\\n' ' '")
    own = {"_", "PWD", "SHLVL", "OLDPWD"}

    assert {"HOME", "PATH"} == set(_resolve(str(path), given).split()) - own
    named = {**given, "BFAUDIT_EXEC_ENV": "WANTED, TWO,"}
    assert {"HOME", "PATH", "TWO", "WANTED"} == set(_resolve(str(path), named).split()) - own


def test_its_folder_and_its_input(tmp_path):
    """Not the manifest's folder, whose files are not trusted; and nothing to read."""
    path = _program(tmp_path, "pwd; cat; echo end")

    assert "/\nend" == _resolve(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit 3", "teller ended with 3"),
        (f"echo {CANARY}; exit 1", "teller ended with 1"),
        (f"echo {CANARY} >&2; exit 1", "teller ended with 1"),
        ("kill -9 $$", "teller was ended by signal 9"),
        ("", "teller printed nothing"),
        ("echo ' '", "teller printed nothing"),
        (f"echo {CANARY} >&2", "teller printed nothing"),
        (f"printf '{CANARY}\\377'", "teller printed what is not UTF-8 text"),
        ("head -c 70000 /dev/zero", "teller printed more than 64 KiB"),
        ("yes", "teller printed more than 64 KiB"),
    ],
)
def test_what_goes_wrong(tmp_path, text, message, capfd):
    """The error names the program; neither its output nor its stderr is shown."""
    _fails(_program(tmp_path, text), message)
    said = capfd.readouterr()

    assert "" == said.out + said.err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program-here", "`no-such-program-here` is not a program on the PATH"),
        ("/no/such/program", "program cannot be run: no such file"),
        ("/", "cannot be run"),
        ("./teller", "not a relative one"),
        ("../x/teller", "not a relative one"),
        ('""', "is not a program on the PATH"),
    ],
)
def test_what_is_not_found(command, message):
    """A relative path would be whatever lies in the current folder."""
    _fails(command, message)


def test_what_may_not_be_run(tmp_path):
    """Not executable, or no program."""
    path = _program(tmp_path, "")
    path.chmod(stat.S_IRUSR)
    _fails(path, "teller cannot be run: permission denied")
    path.chmod(0o700)
    path.write_bytes(b"\0\1\2")
    _fails(path, "teller cannot be run: exec format error")


def test_the_path_holds_no_relative_folder(tmp_path, monkeypatch):
    """`.` and the empty entry are the current folder: a repository's."""
    monkeypatch.chdir(tmp_path)
    _program(tmp_path, f"echo {CANARY}")
    for path in (".", "", f"{tmp_path.name}:", ":"):
        _fails("teller", "not a program on the PATH", {"PATH": path})


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        # Its child holds the output open, and it has ended.
        "import subprocess; subprocess.Popen(['sleep', '60'])",
        # It closes its output, and goes on.
        "import os, time; os.close(1); time.sleep(60)",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)",
    ],
)
def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path, monkeypatch, code):
    """At its deadline, whatever it does."""
    monkeypatch.setattr(scheme, "SECONDS", 0.7)
    note = tmp_path / "group"
    code = f"import os; open({str(note)!r}, 'w').write(str(os.getpgrp())); {code}"
    started = time.monotonic()
    _fails(_python(code), "did not end within 0.7 seconds")

    assert time.monotonic() - started < 5
    group = int(note.read_text())
    assert group != os.getpgrp()
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)  # until init has reaped the child
    assert _zombies_only(group)


def _zombies_only(group: int) -> bool:
    states = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            states.append(fields[0])
    return set(states) <= {"Z"}


@pytest.mark.parametrize("rest", ["", " ", " x", "x 'y", 'x "y', "x \\", "x\ny", "x\0y"])
def test_what_is_no_command(rest):
    """Told when a manifest is validated; nothing runs for it."""
    with pytest.raises(CredentialError, match="not a complete `exec:` reference"):
        split(f"exec:{rest}")


@pytest.mark.parametrize(
    "rest", ["x", "pass show a/b", 'x \'a b\' "c \\" d" e\\ f', "op read op://v/i/f"]
)
def test_what_is_a_command(rest):
    """And what is split is what `shlex` splits."""
    assert ("exec", rest) == split(f"exec:{rest}")
    assert shlex.split(rest)
