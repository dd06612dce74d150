"""The order of the files: those that take longest begin first, so that no worker waits for one of them at the end."""

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


def pytest_collection_modifyitems(items):
    """By file; the order within a file stays."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
