"""`python -m bfaudit`."""

import gc

STAY = 200_000
"""Objects that all imports together make."""


def main() -> None:
    """Run the command line, and end the process with its code."""
    from bfaudit.cli import run  # noqa: PLC0415 - nothing heavy before the version is known
    from bfaudit.collector import rare  # noqa: PLC0415

    with rare(STAY):  # looking for garbage among them takes a fifth of a short run
        try:
            run()
        finally:
            gc.freeze()  # nor is there any need to look at the end: the system takes it all back


if __name__ == "__main__":
    main()
