"""libcurl on an event loop, by its interface for sockets: https://curl.se/libcurl/c/libcurl-multi.html.

`pycurl.AsyncCurlMulti` does the same wherever Python runs, for a sixth more of what a scan costs: it adds each socket to
the loop, and takes it out, for every request. Here the loop looks at one descriptor, behind which are all sockets.
"""

import asyncio
import select
from contextlib import suppress

import pycurl

_EVENTS = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
"""What libcurl waits for, as epoll says it."""
_READY = {
    0: pycurl.CSELECT_ERR,
    select.EPOLLIN: pycurl.CSELECT_IN,
    select.EPOLLOUT: pycurl.CSELECT_OUT,
    select.EPOLLIN | select.EPOLLOUT: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}
"""What came, as libcurl says it."""
_EITHER = select.EPOLLIN | select.EPOLLOUT


class Transfers:
    """Many transfers at once, and the connections between them. Must be made, used and closed in one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._waiting: dict[pycurl.Curl, asyncio.Future[None]] = {}
        self._sockets: set[int] = set()
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), self._on_ready)
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._due: float | None = None
        """When libcurl wants to be called, if nothing comes before."""

    def setopt(self, option: int, value: object) -> None:
        """Set an option of libcurl's multi handle."""
        self._multi.setopt(option, value)

    def perform(self, curl: pycurl.Curl) -> "asyncio.Future[None]":
        """Begin a transfer. Its future raises `pycurl.error` where it fails."""
        future = self._waiting[curl] = self._loop.create_future()
        self._multi.add_handle(curl)
        return future

    async def aclose(self) -> None:
        """End all transfers and connections."""
        for timer in (self._soon, self._later):
            if timer is not None:
                timer.cancel()
        for curl in self._waiting:
            self._multi.remove_handle(curl)
        self._loop.remove_reader(self._epoll.fileno())
        self._multi.close()
        self._epoll.close()

    def _on_socket(self, wanted: int, descriptor: int, *_: object) -> None:
        if wanted == pycurl.POLL_REMOVE:
            self._sockets.discard(descriptor)
            with suppress(OSError):  # closed already
                self._epoll.unregister(descriptor)
        elif descriptor in self._sockets:
            self._epoll.modify(descriptor, _EVENTS[wanted])
        else:
            self._sockets.add(descriptor)
            self._epoll.register(descriptor, _EVENTS[wanted])

    def _on_ready(self) -> None:
        for descriptor, events in self._epoll.poll(0):
            # What came for one may have been the end of another.
            if descriptor in self._sockets:
                self._multi.socket_action(descriptor, _READY[events & _EITHER])
        self._tell()

    def _on_timer(self, milliseconds: int) -> None:
        if milliseconds == 0:
            if self._soon is None:  # all that begin in this turn of the loop begin together
                self._soon = self._loop.call_soon(self._at_once)
        elif milliseconds < 0:
            self._due = None
        else:
            self._due = due = self._loop.time() + milliseconds / 1000
            if self._later is not None and self._later.when() > due:
                self._later.cancel()
                self._later = None
            # One that comes too early looks again: most deadlines move away.
            if self._later is None:
                self._later = self._loop.call_at(due, self._in_time)

    def _at_once(self) -> None:
        self._soon = None
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._tell()

    def _in_time(self) -> None:
        self._later = None
        if self._due is None:
            return
        if self._due > self._loop.time():
            self._later = self._loop.call_at(self._due, self._in_time)
        else:
            self._at_once()

    def _tell(self) -> None:
        more = 1
        while more:
            more, finished, failed = self._multi.info_read()
            for curl in finished:
                if not (future := self._taken(curl)).done():
                    future.set_result(None)
            for curl, number, text in failed:
                if not (future := self._taken(curl)).done():
                    future.set_exception(pycurl.error(number, text))

    def _taken(self, curl: pycurl.Curl) -> "asyncio.Future[None]":
        self._multi.remove_handle(curl)
        return self._waiting.pop(curl)
