"""`python -m bfaudit`."""


def main() -> None:
    """Run the command line."""
    from bfaudit.cli import run  # noqa: PLC0415 - nothing heavy before the version is known

    run()


if __name__ == "__main__":
    main()
