"""Bodies made worse: what an exchange, or somebody in between, may make of a documented answer."""

import json
from collections.abc import Callable
from typing import Any

ENVELOPE = frozenset({"code", "success", "retCode", "status", "ok", "jsonrpc"})
"""What says at the top of an answer that it is a success; left alone where only evidence is spoilt."""

Change = Callable[[Any], Any]


class Raw(str):
    """Text that stands in JSON as it is."""

    __slots__ = ()


def spelt(value: Any, pairs: Callable[[str, Any], list[tuple[str, Any]]] = lambda k, v: [(k, v)], colon: str = ":") -> str:  # fmt: skip
    """A value as JSON; `pairs` are what each member of an object becomes."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        members = (pair for key, item in value.items() for pair in pairs(key, item))
        texts = (
            f"{key if isinstance(key, Raw) else json.dumps(key)}{colon}{spelt(item, pairs, colon)}"
            for key, item in members
        )
        return "{" + ",".join(texts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(spelt(item, pairs, colon) for item in value) + "]"
    return json.dumps(value)


def leaves(value: Any, change: Change, name: str = "", *, top: bool = True) -> Any:
    """The value with every leaf changed, but for those of the envelope."""
    if isinstance(value, dict):
        return {
            key: item if top and key in ENVELOPE else leaves(item, change, key, top=False)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [leaves(item, change, name, top=False) for item in value]
    return change(value)


def body(change: Change) -> Callable[[bytes], bytes]:
    """A change of every leaf, as a change of the bytes."""
    return lambda data: spelt(leaves(json.loads(data), change)).encode()


def harmless(value: Any) -> Any:
    """A value of the same type that grants nothing."""
    return type(value)() if value is not None else None


def twice(first: Change, second: Change, *, colon: str = ":", key: Change = str) -> Callable[[bytes], bytes]:  # fmt: skip
    """Every member of every object stands there twice, the second time under a key spelt by `key`."""

    def pairs(name: str, value: Any) -> list[tuple[str, Any]]:
        return [(name, first(value)), (key(name), second(value))]

    return lambda data: spelt(json.loads(data), pairs, colon).encode()


def escaped(key: str) -> Raw:
    """The same key, spelt by escapes."""
    return Raw('"' + "".join(f"\\u{ord(each):04x}" for each in key) + '"')


def extra(member: str) -> Callable[[bytes], bytes]:
    """A member more at the top, or an item more where the answer is a list."""

    def change(data: bytes) -> bytes:
        comma = b"," if len(data.strip()) > 2 else b""
        if data.startswith(b"{"):
            return b'{"x":' + member.encode() + comma + data[1:]
        return data[:-1] + comma + member.encode() + b"]"

    return change


def cut(eighths: int) -> Callable[[bytes], bytes]:
    """So many eighths of the body, never all of it."""
    return lambda data: data[: len(data) * eighths // 8]


def within(error: dict[str, Any]) -> Callable[[bytes], bytes]:
    """The success envelope with an error as its content."""

    def change(data: bytes) -> bytes:
        value = json.loads(data)
        if isinstance(value, list):
            return json.dumps([error]).encode()
        inner = {key: item if key in ENVELOPE else error for key, item in value.items()}
        return json.dumps(inner).encode()

    return change


def other_container(value: Any) -> Any:
    """Objects as lists of their values, lists as objects by number."""
    if isinstance(value, dict):
        return [other_container(item) for item in value.values()]
    if isinstance(value, list):
        return {str(number): other_container(item) for number, item in enumerate(value)}
    return value


def contents(change: Change) -> Callable[[bytes], bytes]:
    """A change of what the envelope holds."""

    def changed(data: bytes) -> bytes:
        value = json.loads(data)
        if isinstance(value, dict):
            kept = {k: v if k in ENVELOPE else change(v) for k, v in value.items()}
            return json.dumps(kept).encode()
        return json.dumps([change(item) for item in value]).encode()

    return changed
