"""What a snapshot tells of the scan as a whole: which client signed, and where the requests of each exchange went."""

from collections.abc import Mapping
from functools import cached_property

from bfaudit.model import ClientUsed, ExchangeScanned, Snapshot


class ScanRun:
    """The scan of a snapshot, or the scans that were joined in it."""

    def __init__(
        self, client: ClientUsed | None = None, exchanges: tuple[ExchangeScanned, ...] = ()
    ) -> None:
        self.client = client
        self._exchanges = exchanges

    @classmethod
    def of(cls, snapshot: Snapshot) -> "ScanRun":
        """The scan that made a snapshot."""
        return cls(snapshot.client, snapshot.exchanges)

    @cached_property
    def exchanges(self) -> Mapping[str, list[ExchangeScanned]]:
        """What was done with each exchange, by its id; several entries where scans were joined."""
        found: dict[str, list[ExchangeScanned]] = {}
        for one in self._exchanges:
            found.setdefault(one.id, []).append(one)
        return found


NOT_TOLD = ScanRun()
