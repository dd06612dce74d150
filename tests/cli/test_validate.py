"""`bfaudit validate`."""

import pytest

from bfaudit.cli import run
from tests.manifest.fleets import connection, manifest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder as the current one, without colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def _run(*arguments):
    with pytest.raises(SystemExit) as stop:
        run(["validate", *arguments])
    return stop.value.code


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([manifest(connection())], "1 connection in 1 file is valid\n"),
        (
            [manifest(connection(), connection(name="B")), manifest(connection(name="C"))],
            "3 connections in 2 files are valid\n",
        ),
    ],
)
def test_valid_manifests(folder, capsys, texts, said) -> None:
    """One line, and 0."""
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)

    assert _run(".") == 0
    assert ("", said) == tuple(reversed(capsys.readouterr()))


def test_mistakes_are_listed_on_stderr(folder, capsys) -> None:
    """Every mistake of every file, and 2."""
    (folder / "a.yaml").write_text(manifest(connection("requries: []")))
    (folder / "b.yaml").write_text("a: [")

    assert _run("a.yaml", "b.yaml", "c.yaml") == 2
    out, err = capsys.readouterr()
    assert out == ""
    for words in ("a.yaml:7:5", 'did you mean "requires"?', "b.yaml:1:5", "c.yaml", "3 problems"):
        assert words in err


@pytest.mark.parametrize("text", [manifest(), None])
def test_nothing_declared(folder, capsys, text) -> None:
    """An empty fleet, or an empty folder, ends with 3."""
    if text is not None:
        (folder / "a.yaml").write_text(text)

    assert _run(".") == 3
    assert "no connection is declared" in capsys.readouterr().err
