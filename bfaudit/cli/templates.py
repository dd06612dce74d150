"""Reads a folder of the user's own templates, and says where in them a report went wrong."""

import traceback
from importlib.resources.abc import Traversable
from pathlib import Path

from bfaudit import resources, roots
from bfaudit.errors import BfauditError, InvalidInput, Problem, UsageError
from bfaudit.model import Place

SUFFIXES = (".j2", ".css", ".js")
LARGEST = 16 * 1024 * 1024
"""Bytes of a template."""


def read(folder: str) -> dict[str, str]:
    """The templates of a folder, by name. Raises UsageError for one that would never be used."""
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(
            f"--template {folder}: not a folder",
            hint="it holds templates by the names of ours, such as audit.md.j2",
        )
    found = {
        path.relative_to(root).as_posix(): _text(path, folder)
        for path in sorted(root.rglob("*"))
        if path.name.endswith(SUFFIXES) and (path.is_symlink() or path.is_file())
    }
    shipped = set(_names(resources.templates()))
    if not found:
        raise UsageError(
            f"--template {folder}: holds no template", hint=f"ours are {', '.join(sorted(shipped))}"
        )
    for name in sorted(found.keys() - shipped):
        # A template of a new name is for the others to include.
        if not any(f'"{name}"' in text or f"'{name}'" in text for text in found.values()):
            from difflib import get_close_matches  # noqa: PLC0415 - only a mistake pays for it

            near = get_close_matches(name, sorted(shipped), 1)
            hint = f"did you mean {near[0]}?" if near else f"ours are {', '.join(sorted(shipped))}"
            raise UsageError(
                f"--template {folder}: {name} replaces no template, and none includes it", hint=hint
            )
    _compile(found, folder)
    return found


def _text(path: Path, folder: str) -> str:
    """What a template holds. A link is not followed out of the folder's repository: a report would show what is there."""
    try:
        return roots.read(path, roots.root_of(folder), LARGEST).decode()
    except roots.RefusedFileError as error:
        raise UsageError(
            f"--template {folder}: {path.relative_to(folder)} is not read: {error.message}",
            hint=error.hint,
        ) from None
    except OSError as error:
        why = str(error.strerror)
    except UnicodeDecodeError:
        why = "not UTF-8 text"
    raise UsageError(f"--template {folder}: {path.relative_to(folder)}: {why}")


def _compile(found: dict[str, str], folder: str) -> None:
    """Find mistakes of spelling now, before anything is scanned."""
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415

    from bfaudit.formats.templating import OWN, environment  # noqa: PLC0415

    made = environment(templates=found)
    for name, text in found.items():
        if name.endswith(".j2"):
            try:
                made.compile(text, name, f"{OWN}{name}")
            except TemplateSyntaxError as error:
                raise blamed(error, folder) or error from None


def blamed(error: Exception, folder: str) -> BfauditError | None:
    """The mistake of a user's template behind an error; None where it is not theirs."""
    from jinja2 import TemplateNotFound, TemplateSyntaxError  # noqa: PLC0415

    from bfaudit.formats.templating import OWN  # noqa: PLC0415

    name, line = "", 1
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(OWN):
            name, line = frame.filename.removeprefix(OWN), frame.lineno or 1
    if isinstance(error, TemplateSyntaxError):
        own = (error.filename or "").startswith(OWN)
        name, line = (error.filename or "").removeprefix(OWN) if own else name, error.lineno
    if not name and not isinstance(error, TemplateNotFound):
        return None
    message = f"the template fails: {type(error).__name__}: {str(error) or 'no message'}"
    hint = "docs/templates.md lists what a template is given"
    place = Place(str(Path(folder, name or str(error))), line, 1)
    return InvalidInput([Problem(message, place=place, hint=hint)])


def _names(folder: Traversable, prefix: str = "") -> list[str]:
    names = []
    for entry in folder.iterdir():
        if entry.is_dir():
            names += _names(entry, f"{prefix}{entry.name}/")
        else:
            names.append(f"{prefix}{entry.name}")
    return names
