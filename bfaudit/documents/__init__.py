"""YAML text -> plain data with the place of every value.

YAML 1.2 core schema, restricted: one document, text keys, no tags, no merge keys, bounded in size, depth and aliases.
What YAML 1.1 reads differently (`012`) is refused; words such as `no` and `on` are texts.
"""

from bfaudit.documents.document import Document, Part, Path
from bfaudit.documents.events import build
from bfaudit.documents.limits import MAX_ALIASED, MAX_DEPTH, MAX_SIZE
from bfaudit.errors import InvalidInput, Problem

__all__ = ["MAX_ALIASED", "MAX_DEPTH", "MAX_SIZE", "Document", "Part", "Path", "parse", "read"]


def parse(text: str | bytes, file: str) -> Document:
    """The document in `text`; raises `InvalidInput` with every problem found."""
    document, problems = read(text, file)
    if problems:
        raise InvalidInput(problems)
    return document


def read(text: str | bytes, file: str) -> tuple[Document, list[Problem]]:
    """The document, as far as it could be read, and every problem found."""
    return build(text, file)
