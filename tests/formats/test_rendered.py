"""What each report looks like, kept as a file beside this one with the report's own suffix."""

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from bfaudit.formats import FORMATS
from tests.formats.conftest import rendered
from tests.report.samples import SAMPLES

EXTENSIONS = {
    suffix: type(
        f"{suffix.title()}Extension",
        (SingleFileSnapshotExtension,),
        {"_write_mode": WriteMode.TEXT, "file_extension": suffix},
    )
    for suffix in sorted({each.suffix for each in FORMATS.values()})
}


@pytest.mark.parametrize("sample", list(SAMPLES))
@pytest.mark.parametrize("format_id", ["html", "json", "markdown", "text"])
def test_report(format_id, sample, snapshot):
    """Each sample in each format."""
    kept = snapshot.use_extension(EXTENSIONS[FORMATS[format_id].suffix])

    assert rendered(format_id, sample) == kept


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("color", [False, True])
def test_terminal(width, color, snapshot):
    """The terminal's report at both widths, plain and in colour."""
    assert rendered("text", "failing", width=width, color=color) == snapshot.use_extension(
        EXTENSIONS["txt"]
    )
