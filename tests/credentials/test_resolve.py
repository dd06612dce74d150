"""References -> secrets."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from bfaudit.credentials import SCHEMES, ResolveContext, Secret, resolve, split
from bfaudit.errors import CredentialError

CANARY = "canary" * 3


def _write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def _resolve(reference: str, folder: Path | None = None, **environ: str) -> Secret:
    manifest = str(folder / "fleet.yaml") if folder else "-"
    return resolve(reference, ResolveContext(environ, manifest))


def test_the_schemes_are_the_files_of_the_folder() -> None:
    """Each scheme is found by its file and says how it is written."""
    assert {"env", "file"} <= set(SCHEMES)
    assert all(scheme.name == name for name, scheme in SCHEMES.items())
    assert all(scheme.syntax.startswith(f"{name}:") for name, scheme in SCHEMES.items())


@pytest.mark.parametrize(
    ("reference", "parts"),
    [("env:A", ("env", "A")), ("file:a:b#C", ("file", "a:b#C")), ("file:/x", ("file", "/x"))],
)
def test_split(reference: str, parts: tuple[str, str]) -> None:
    """The scheme and the rest."""
    assert parts == split(reference)


@pytest.mark.parametrize(
    "reference", [CANARY, "", ":", f"{CANARY}:x", f"env:{CANARY} x", "file:#x"]
)
def test_what_is_not_a_reference_is_not_echoed(reference: str) -> None:
    """It may be the secret itself."""
    for use in (split, _resolve):
        with pytest.raises(CredentialError) as caught:
            use(reference)

        assert CANARY not in f"{caught.value!r}{caught.value.hint}"


def test_environment() -> None:
    """A variable of the environment given, white space at its ends removed."""
    assert CANARY == _resolve("env:MY_KEY", MY_KEY=f" {CANARY}\n").reveal()


@pytest.mark.parametrize(
    ("environ", "message"),
    [({}, "MY_KEY is not set"), ({"MY_KEY": ""}, "MY_KEY is empty"), ({"MY_KEY": " "}, "is empty")],
)
def test_environment_without_it(environ: dict[str, str], message: str) -> None:
    """The error names the variable."""
    with pytest.raises(CredentialError, match=message):
        _resolve("env:MY_KEY", **environ)


LINES = """
# comment
export EXPORTED=one two # comment
SINGLE='it # is "so"' # comment
DOUBLE="a\\"b\\nc # d"
 SPACED =  value
HASH=a#b
DOTTED.KEY-1=x
EMPTY=
BLANK=" "
TWICE=first
TWICE=second
not a line
JOINED='it'"'"'s' # comment
PEM="-----BEGIN X-----
INSIDE=trap
-----END X-----" # comment
INSIDE=real
FOLDED="one \\
line"
OPEN="abc
JUNK='abc' def
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EXPORTED", "one two"),
        ("SINGLE", 'it # is "so"'),
        ("DOUBLE", 'a"b\nc # d'),
        ("SPACED", "value"),
        ("HASH", "a#b"),
        ("DOTTED.KEY-1", "x"),
        ("TWICE", "second"),
        ("JOINED", "it's"),
        ("PEM", "-----BEGIN X-----\nINSIDE=trap\n-----END X-----"),
        ("INSIDE", "real"),
        ("FOLDED", "one line"),
    ],
)
def test_lines_of_a_file(tmp_path: Path, key: str, value: str) -> None:
    """KEY=VALUE lines are read as a shell reads them."""
    _write(tmp_path / "x.env", LINES)
    _write(tmp_path / "dos.env", "\ufeff" + LINES.replace("\n", "\r\n"))
    if key != "FOLDED":
        dos = _resolve(f"file:dos.env#{key}", tmp_path).reveal()

        assert value == dos.replace("\r\n", "\n")

    assert value == _resolve(f"file:x.env#{key}", tmp_path).reveal()


def test_long_lines_take_no_long_time(tmp_path: Path) -> None:
    """A file of a megabyte of spaces, quotes or escapes is read in a moment."""
    for part in (" ", "'", '"', "\\", "\\ ", "'\""):
        _write(tmp_path / "x.env", f"A={part * (10**6 // len(part))}x\nB=b\n")
        with suppress(CredentialError):
            _resolve("file:x.env#A", tmp_path)


def test_json_in_a_file(tmp_path: Path) -> None:
    """A file that starts like a JSON object is one."""
    _write(tmp_path / "x.json", "\ufeff" + json.dumps({"a": CANARY, "n": 5}))

    assert CANARY == _resolve("file:x.json#a", tmp_path).reveal()
    for key, message in (("b", "has no b"), ("n", "n in x.json is not a text")):
        with pytest.raises(CredentialError, match=message):
            _resolve(f"file:x.json#{key}", tmp_path)


def test_a_whole_file(tmp_path: Path) -> None:
    """Without a key the file is the secret: a private key, for example."""
    text = "-----BEGIN X-----\nabc\n-----END X-----"
    _write(tmp_path / "key.pem", f"\n{text}\n\n")

    assert text == _resolve("file:key.pem", tmp_path).reveal()
    assert text == _resolve(f"file:{tmp_path}/key.pem").reveal()


def test_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's home, wherever the manifest is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    _write(tmp_path / "x", CANARY)

    assert CANARY == _resolve("file:~/x", tmp_path / "elsewhere").reveal()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o601])
def test_files_open_to_others_are_refused(tmp_path: Path, mode: int) -> None:
    """Whatever group or world may do with it, and by a link too."""
    path = _write(tmp_path / "x", CANARY, mode)
    (tmp_path / "link").symlink_to(path)
    for name in ("x", "link"):
        with pytest.raises(CredentialError, match=f"{name} can be read by others") as caught:
            _resolve(f"file:{name}", tmp_path)

        assert caught.value.hint == f"chmod 600 {name}"


def test_a_link_to_a_private_file_is_fine(tmp_path: Path) -> None:
    """Secret managers mount files as links."""
    (tmp_path / "link").symlink_to(_write(tmp_path / "x", CANARY, 0o400))

    assert CANARY == _resolve("file:link", tmp_path).reveal()


def _pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe", 0o600)
    return "pipe"


def _large(folder: Path) -> str:
    _write(folder / "large", b"x" * (1024 * 1024 + 1))
    return "large"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: "nope", "nope cannot be read: no such file"),
        (lambda _: "~nobody-of-this-name/x", "cannot be read: not a path"),
        (lambda _: ".", "is not a file"),
        (lambda _: "/dev/null", "is not a file"),
        (_pipe, "pipe is not a file"),
        (_large, "large is larger than 1 MiB"),
        (
            lambda folder: _write(folder / "b", CANARY.encode() + b"\xff").name,
            "b is not UTF-8 text",
        ),
        (lambda folder: _write(folder / "e", " \n").name, "e is empty"),
        (lambda folder: _write(folder / "x", LINES).name + "#EMPTY", "EMPTY in x is empty"),
        (lambda folder: _write(folder / "x", LINES).name + "#BLANK", "BLANK in x is empty"),
        (
            lambda folder: _write(folder / "x", LINES).name + "#OPEN",
            "OPEN in x has quotes that are",
        ),
        (
            lambda folder: _write(folder / "x", LINES).name + "#JUNK",
            "JUNK in x has quotes that are",
        ),
        (lambda folder: _write(folder / "x", LINES).name + "#MISSING", "x has no MISSING"),
        (lambda folder: _write(folder / "x", f"{{{CANARY}").name + "#k", "like JSON but is not"),
        (lambda folder: _write(folder / "x", '{"a":' * 9999).name + "#k", "like JSON but is not"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, make, message: str) -> None:
    """The error names the file and never what is in it."""
    with pytest.raises(CredentialError, match=message) as caught:
        _resolve(f"file:{make(tmp_path)}", tmp_path)

    assert CANARY not in f"{caught.value!r}{caught.value.hint}"
    assert caught.value.__cause__ is None
