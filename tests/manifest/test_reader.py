"""Which files a name stands for, and that none of them is passed over in silence."""

import os
import sys
from pathlib import Path

import pytest

from bfaudit.manifest import reader
from tests.manifest.fleets import connection, manifest


def _told(*sources: str, stdin=lambda: b"") -> list[str]:
    _, problems = reader.collect(sources, stdin)
    return [str(problem) for problem in problems]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one manifest, two levels down."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.yaml").write_text(manifest(connection()))
    return tmp_path / "a"


def test_a_link_that_leads_nowhere_is_told(folder: Path) -> None:
    """A manifest that is not there any more is not fewer keys to audit."""
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    (folder / "circle.yaml").symlink_to("circle.yaml")
    (folder / "gone.txt").symlink_to(folder / "nowhere")

    assert [
        f"{folder}/circle.yaml:1:1: it cannot be read",
        f"{folder}/gone.yaml:1:1: no such file or directory",
    ] == _told(str(folder))


@pytest.mark.parametrize("closed", ["", "b"])
def test_a_folder_that_cannot_be_read_is_told(
    folder: Path, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies in it is not known, which is not nothing."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder / closed and access(path, mode))  # fmt: skip

    (told,) = _told(str(folder))
    assert told.startswith(f"{folder}:1:1: ")
    assert told.endswith("folder cannot be read" if not closed else "b cannot be read")


@pytest.mark.parametrize("source", ["x" * 5000, "x/" * 5000, "*" * 5000])
def test_a_name_that_is_too_long_is_told(source: str) -> None:
    """It is the user's mistake."""
    (told,) = _told(source)

    assert told.startswith(f"{source}:1:1: ")


def test_an_empty_name_is_not_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a variable that is not set."""
    monkeypatch.chdir(folder)

    assert [":1:1: no such file or folder"] == _told("")


def test_a_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has no such file then."""
    monkeypatch.setattr(sys, "stdin", None)

    assert ["<stdin>:1:1: it is closed"] == _told("-", stdin=reader.standard_input)


def test_a_standard_input_that_is_a_folder_is_told(folder: Path) -> None:
    """As `bfaudit validate - < folder` has it."""
    assert ["<stdin>:1:1: is a directory"] == _told("-", stdin=folder.read_bytes)
