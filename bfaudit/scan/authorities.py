"""The certificate authorities that a scan trusts."""

import ssl

from bfaudit.errors import UsageError


def trusted(ca_file: str | None) -> str:
    """The file of the authorities to trust: the one given, else the built-in bundle. Raises UsageError for one that is none."""
    if ca_file is None:
        import certifi  # noqa: PLC0415 - slow

        return certifi.where()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except OSError as error:  # of which ssl.SSLError is one
        why = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(
            f"--ca-file {ca_file}: {why}", hint="name a file of certificates in PEM"
        ) from None
    return ca_file
