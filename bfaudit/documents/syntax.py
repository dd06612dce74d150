"""What libyaml says of broken syntax, in words that help."""

from yaml import MarkedYAMLError, YAMLError

from bfaudit.documents.document import Document
from bfaudit.errors import Problem

# (in libyaml's words, in ours, what to do)
_KNOWN = (
    ("found a tab character", "a tab where YAML wants spaces", "indent with spaces"),
    (
        "mapping values are not allowed",
        "`: ` is not allowed here",
        "check the indentation; put quotes around a text that holds `: `",
    ),
    (
        "could not find expected ':'",
        "a `:` is missing after this field's name",
        "write `name: value`; put quotes around a text of several lines",
    ),
    (
        "did not find expected key",
        "this does not fit what stands above it",
        "check the indentation and the quotes",
    ),
    (
        "did not find expected '-' indicator",
        "a list item must start with `- `",
        "align it with the items above",
    ),
    ("did not find expected ',' or ']'", "a `,` or `]` is missing", None),
    ("did not find expected ',' or '}'", "a `,` or `}` is missing", None),
    ("found unexpected end of stream", "the quotes are not closed", "close the quotes"),
    ("found unexpected document indicator", "`---` or `...` inside quotes", "close the quotes"),
    (
        "did not find expected <document start>",
        "a second document, or text that belongs to nothing",
        "check the indentation; one document per file",
    ),
    (
        "block sequence entries are not allowed",
        "a list item is not allowed here",
        "start the list on a line of its own",
    ),
    (
        "cannot start any token",
        "a text may not start with this character",
        "put the text in quotes",
    ),
    ("found unknown escape", "an unknown escape", "in double quotes, write a backslash as `\\\\`"),
    (
        "found invalid Unicode character escape",
        "an escape for half of a surrogate pair, or for no character at all",
        "write the character itself, or `\\U` with eight digits",
    ),
    ("incompatible YAML document", "a YAML version that is not 1.2", "remove the directive"),
)


def explain(document: Document, error: YAMLError) -> Problem:
    """A problem at the place where libyaml gave up."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return document.problem_at("not valid YAML", 0)
    said, offset = str(error.problem), min(error.problem_mark.index, len(document.text))
    if "cannot start any token" in said and document.text.startswith("\t", offset):
        said = "found a tab character"
    if "unexpected end of stream" in said and error.context_mark is not None:
        offset = error.context_mark.index
    for words, message, hint in _KNOWN:
        if words in said:
            return document.problem_at(f"not valid YAML: {message}", offset, hint=hint)
    return document.problem_at(f"not valid YAML: {said}", offset)
