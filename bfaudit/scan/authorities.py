"""The certificate authorities that a scan trusts."""

import ssl
from concurrent.futures import Future, ThreadPoolExecutor

from bfaudit.errors import UsageError


def trusted(ca_file: str | None) -> ssl.SSLContext:
    """A context that trusts a file of authorities, or the built-in bundle. Raises UsageError for a file that is none."""
    import certifi  # noqa: PLC0415 - slow, and so with what it waits for

    try:
        return ssl.create_default_context(cafile=ca_file or certifi.where())
    except OSError as error:  # of which ssl.SSLError is one
        why = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(
            f"--ca-file {ca_file}: {why}", hint="name a file of certificates in PEM"
        ) from None


def ahead(ca_file: str | None) -> Future[ssl.SSLContext]:
    """The same in a thread: OpenSSL reads for 25 ms without the interpreter, which can import meanwhile."""
    threads = ThreadPoolExecutor(1)
    reading = threads.submit(trusted, ca_file)
    threads.shutdown(wait=False)
    return reading
