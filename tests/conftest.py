"""The order of the files: those that take longest begin first, so that no worker waits for one of them at the end.

Nothing that is generated has a deadline: other workers have the processor too, and a first example imports what it needs.
"""

from hypothesis import settings

LONGEST = (
    "test_image.py",
    "test_exit_table.py",
    "test_faults.py",
    "test_browser.py",
    "test_gate.py",
    "test_targets.py",
    "test_html_scale.py",
    "test_no_false_pass.py",
    "test_status.py",
)

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_modifyitems(items):
    """By file; the order within a file stays."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
