"""PDF: the HTML report, which the command line prints through an installed Chromium."""

from bfaudit.formats import html
from bfaudit.formats.base import Format

FORMAT = Format(
    id="pdf", suffix="pdf", title="PDF, printed by Chromium", render=html.render, printed=True
)
