"""Runs first use as a new user would and writes it to docs/first-use.md: the wheel in a new environment, each command timed.

`make first-use`. A test runs the same commands and compares all but the times.
"""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "first-use.md"
SCRIPT = ROOT / "docs" / "transcripts" / "first-use.sh"
SHOWN = re.compile(r"(?s)(?<=```console\n)(.*?)(?=```)")


def transcript(folder: Path) -> str:
    """What the commands say, from the installation of the wheel on, in an empty folder."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(  # noqa: S603 - our own words
        build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    work = folder / "work"
    work.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BFAUDIT_")}
    path = f"{folder / 'venv' / 'bin'}:{kept['PATH']}"
    env = {**kept, "PATH": path, "BFAUDIT_SOURCE": str(wheel), "COLUMNS": "100"}
    done = subprocess.run(  # noqa: S603 - our own words
        ["bash", SCRIPT],  # noqa: S607 - the bash of who runs it
        cwd=work,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def written(page: str, said: str) -> str:
    """The page with another transcript."""
    lines = "\n".join(line.rstrip() for line in said.strip().splitlines())
    return SHOWN.sub(lambda _: f"{lines}\n", page, count=1)


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        PAGE.write_text(written(PAGE.read_text("utf-8"), transcript(Path(place))), "utf-8")
