"""What the terminal's report is written with: colours, styled text, labelled notes."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from bfaudit.report.wording import visible

LABEL = 10
"""The least width of the labels of notes."""

STYLES: Mapping[str, str] = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "blue",
    "info": "cyan",
    "unknown": "bold magenta",
    "error": "bold magenta",
    "rejected": "bold magenta",
    "good": "green",
    "bad": "red",
    "unsure": "magenta",
    "clean": "bold green",
    "findings": "bold red",
    "incomplete": "bold magenta",
    "empty": "bold magenta",
}


def styled(*parts: str | tuple[str, str], raw: bool = False) -> Text:
    """Styled text, its invisible characters spelt out; `raw` where that is done."""
    text = Text(overflow="fold")
    for part in parts:
        words, style = (part, "") if isinstance(part, str) else part
        text.append(words if raw else visible(words), style)
    return text


def notes(notes: Sequence[tuple[str, str]]) -> Table:
    """Labelled texts below what they belong to; those that are empty are left out."""
    grid = Table.grid(padding=0)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    width = max((len(label) + 1 for label, _ in notes), default=0)
    for label, text in notes:
        if text:
            grid.add_row(styled(("   = ", "blue"), f"{label:<{max(width, LABEL)}}"), styled(text))
    grid.add_row("", "")
    return grid
