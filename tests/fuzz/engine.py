"""Feeds targets with seeds that were changed a little, for some seconds; every input can be made again by its number."""

import random
import time
from collections.abc import Iterator, Sequence

from tests.fuzz.targets import Target

TOKENS = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", "\u202e".encode(), b"\\u202e", b"\\ud800", b"\\u0000", b"\r", b"\t"),
    *(b"null", b"true", b"-1", b"0", b"1e999", b"NaN", b"9" * 40, b'""', b"[]", b"{}", b"*", b"&a ", b"*a", b"<<: ", b"!!x "),
    *(b"<script>", b"|x|", b"=1+1", b"::error::", b"]]>", b"${{7*7}}", b"{{7*7}}", b"../../etc/passwd", b"2026-99-99"),
    *(b"(" * 300, b"[" * 300, b"a" * 5000, b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-23:59", b"&&", b"||", b"!"),
)  # fmt: skip


def inputs(name: str, seeds: Sequence[bytes], start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Endless changed seeds, numbered; the seeds themselves first."""
    number = start
    while True:
        yield number, made(name, seeds, number)
        number += 1


def made(name: str, seeds: Sequence[bytes], number: int) -> bytes:
    """Input number so-and-so of a target: the same in every run."""
    if number < len(seeds):
        return seeds[number]
    chance = random.Random(f"{name}:{number}")
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        _change(data, seeds, chance)
    return bytes(data)


def _change(data: bytearray, seeds: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    to = min(len(data), at + chance.choice((1, 2, 4, 16, 64, 512)))
    match chance.randrange(7):
        case 0:
            data[at:to] = b""
        case 1:
            data[at:at] = chance.choice(TOKENS)
        case 2:
            data[at:to] = chance.choice(TOKENS)
        case 3:
            data[at:to] = bytes(chance.randrange(256) for _ in range(to - at))
        case 4:
            data[at:at] = data[at:to] * chance.choice((1, 2, 50))
        case 5:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at:to] = other[start : start + chance.choice((4, 64, 512))]
        case _:
            _replace_value(data, at, chance)


def _replace_value(data: bytearray, at: int, chance: random.Random) -> None:
    """Put a token in the place of the next value, so that the document around it stays whole."""
    start = data.find(b": ", at)
    start = start + 2 if start >= 0 else data.find(b":", at) + 1
    ends = [end for mark in (b",", b"\n", b"}", b"]") if (end := data.find(mark, start)) >= 0]
    if start > 0 and ends:
        token = chance.choice(TOKENS)
        quoted = token if chance.random() < 0.4 else b'"' + token.replace(b'"', b"") + b'"'
        data[start : min(ends)] = quoted


def run(name: str, target: Target, seconds: float, start: int = 0) -> int:
    """Feed a target for some seconds, its seeds in any case; how many inputs it took.

    Raises AssertionError with the number of the input for an error that the target does not document, and for one that
    took longer than ten seconds.
    """
    seeds = target.seeds()
    ends = time.monotonic() + seconds
    number = start
    for number, data in inputs(name, seeds, start):
        began = time.monotonic()
        if began > ends and number - start >= len(seeds):
            break
        try:
            target.feed(data)
        except target.expected:
            pass
        except Exception as error:
            raise AssertionError(
                f"{name}, input {number}: {type(error).__name__}: {error}"
            ) from error
        took = time.monotonic() - began
        assert took < 10, f"{name}, input {number}: {took:.1f} s"
    return number - start
