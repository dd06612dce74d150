"""What can go wrong on the way back: each fault turns an answer into a worse one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import msgspec

from bfaudit.model import Json
from bfaudit.sandbox.call import Answer, Call
from bfaudit.sandbox.scenario import Fault
from bfaudit.sandbox.site import Site, trouble

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>|{{7*7}}\x1b[31m\x1b]0;owned\x07\r\n"
    '::error file=x::owned\n=HYPERLINK("http://evil.test")\u202etxt.exe\u2028\x00`$(id)`[x](javascript:0)'
)
"""A label that tries HTML, templates, terminals, CI commands, spreadsheets, text direction and Markdown."""

LABELS = frozenset(
    {"note", "remark", "remarks", "label", "name", "apiName", "subName", "subAccount", "msg"}
)
_ENVELOPE = frozenset({"code", "success", "retCode", "status", "ok"})

_PAGE = (
    b"<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1>"
    b"<p>Request blocked.</p></body></html>"
)

Effect = Callable[[Fault, Site, Answer], Answer]


class Faults:
    """The faults of a scenario, and how often each has struck."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = [(fault, [0]) for fault in faults]

    def strike(self, site: Site, call: Call, answer: Answer) -> Answer:
        """The answer as the first fault that matches leaves it."""
        for fault, struck in self._faults:
            if (fault.times is None or struck[0] < fault.times) and _matches(fault, call):
                struck[0] += 1
                return _EFFECTS[fault.kind](fault, site, answer)
        return answer


def _matches(fault: Fault, call: Call) -> bool:
    return (
        fault.exchange in (None, call.book.exchange)
        and (fault.key is None or (call.key is not None and call.key.name == fault.key))
        and fnmatchcase(call.path, fault.path)
    )


def encoded(answer: Answer) -> bytes:
    """The body as it goes over the wire."""
    return answer.body if isinstance(answer.body, bytes) else msgspec.json.encode(answer.body)


def _over_limit(fault: Fault, site: Site, _answer: Answer) -> Answer:
    return trouble(site, fault.kind, retry_after=fault.seconds)


def _in_trouble(fault: Fault, site: Site, _answer: Answer) -> Answer:
    return trouble(site, fault.kind)


def _web_page(status: int) -> Effect:
    return lambda _fault, _site, _answer: Answer(_PAGE, status, content_type="text/html")


def _truncated(_fault: Fault, _site: Site, answer: Answer) -> Answer:
    body = encoded(answer)
    return replace(answer, body=body[: len(body) // 2])


def _wrong_type(fault: Fault, _site: Site, answer: Answer) -> Answer:
    body = _leaves(answer.body, _other_type) if fault.body is None else fault.body
    return replace(answer, body=body)


def _huge(fault: Fault, _site: Site, answer: Answer) -> Answer:
    padding = "A" * fault.bytes
    body = {**answer.body, "padding": padding} if isinstance(answer.body, dict) else [padding]
    return replace(answer, body=body)


def _leaves(value: Json, change: Callable[[str, Json], Json], name: str = "") -> Json:
    if isinstance(value, dict):
        return {
            key: item if key in _ENVELOPE and not name else _leaves(item, change, key)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_leaves(item, change, name or "[]") for item in value]
    return change(name, value)


def _other_type(_name: str, value: Json) -> Json:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return [value]
        case str():
            return {"value": value}
        case _:
            return 0


_EFFECTS: Mapping[str, Effect] = {
    "rate-limit": _over_limit,
    "ban": _over_limit,
    "maintenance": _in_trouble,
    "region-451": _in_trouble,
    "server-error": _in_trouble,
    "html-403": _web_page(403),
    "html-200": _web_page(200),
    "slow": lambda fault, _site, answer: replace(answer, delay=fault.seconds),
    "reset": lambda _fault, _site, answer: replace(answer, reset=True),
    "truncated": _truncated,
    "empty": lambda _fault, _site, answer: replace(answer, body=b""),
    "wrong-type": _wrong_type,
    "null-fields": lambda _fault, _site, answer: replace(
        answer, body=_leaves(answer.body, lambda _name, _value: None)
    ),
    "huge": _huge,
    "hostile-label": lambda _fault, _site, answer: replace(
        answer,
        body=_leaves(answer.body, lambda name, value: HOSTILE if name in LABELS else value),
    ),
}
