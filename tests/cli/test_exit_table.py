"""The table of exit codes, for every command and every format: each case a process of its own."""

import atexit
import json
import signal
import subprocess
import sys
import time
from functools import cache
from threading import Timer

import pytest
from msgspec.structs import replace

from bfaudit.cli import commands
from bfaudit.cli.exit_codes import CODES, PRECEDENCE
from bfaudit.formats import FORMATS
from bfaudit.model import Place, Rejected
from bfaudit.sandbox import Fault, Sandbox
from bfaudit.snapshot import decode, encode
from tests.cli.harness import ROOT, bfaudit, entry, environment, key, manifest, redirected, scenario

ONE = entry("KuCoin Spot One", "kucoin", "ONE")
TWO = entry("KuCoin Spot Two", "kucoin", "TWO")
WITHDRAWS = key("TWO", ("General", "Spot", "Transfer"))
DOWN = Fault(kind="maintenance", path="*api-key*")

# Imports once, then forks: a process for each case, without a second of imports for each.
DRIVER = """\
import gc, importlib, json, os, sys
import jsonschema
from bfaudit import cli, formats
import bfaudit.cli.gating, bfaudit.cli.reporting, bfaudit.evaluate, bfaudit.policy.read, bfaudit.snapshot
for name in cli.commands():
    importlib.import_module("bfaudit.cli." + name.replace("-", "_"))
assert all(formats.FORMATS.values())
gc.freeze()
quiet = os.open(os.devnull, os.O_RDWR)
def code_of(words):
    child = os.fork()
    if not child:
        for number in (0, 1, 2):
            os.dup2(quiet, number)
        code = 99
        try:
            if words[0] == "broken":
                from bfaudit.cli import group
                import click
                words = words[1:]
                command = group().get_command(click.Context(group()), words[0])
                for word in words[1:]:
                    command = command.commands[word]
                def broken(*_, **__):
                    raise RuntimeError("a bug")
                command.callback = broken
                for option in command.params:
                    option.required = False
            cli.run(words)
        except SystemExit as ended:
            code = ended.code
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
for line in sys.stdin:
    folder, cases = json.loads(line)
    os.chdir(folder)
    print(json.dumps([code_of(words) for words in cases]), flush=True)
"""


@cache
def driver():
    """The process that forks; it ends with this one."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process


def codes_of(cases, cwd):
    """How each command line ends; nothing where they take five minutes together."""
    words = [[str(word) for word in words] for words in cases]
    print(json.dumps([str(cwd), words]), file=driver().stdin, flush=True)
    late = Timer(300, driver().kill)
    late.start()
    try:
        return json.loads(driver().stdout.readline())
    finally:
        late.cancel()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A snapshot for each code, an empty manifest, and files that are altered or missing."""
    folder = tmp_path_factory.mktemp("codes")
    for name, played, entries, code in (
        ("clean", scenario(key("ONE")), [ONE], 0),
        ("findings", scenario(WITHDRAWS), [TWO], 0),
        ("unknown", scenario(key("ONE"), faults=(DOWN,)), [ONE], 4),
    ):
        with Sandbox(played) as box:
            line = ["scan", manifest(folder, *entries), "-o", folder / f"{name}.json"]
            assert code == bfaudit(*line, *redirected(box), **box.environment).code
    found = {
        name: decode((folder / f"{name}.json").read_bytes(), name)
        for name in ("clean", "findings", "unknown")
    }
    both = replace(found["findings"], connections=found["findings"].connections + found["unknown"].connections)  # fmt: skip
    rejected = (Rejected("Bad", Place("fleet.yaml", 1, 1), "wrong"),)
    for name, made in {
        "empty": replace(found["clean"], connections=()),
        "interrupted": replace(found["clean"], interrupted=True),
        "interrupted-rejected": replace(both, interrupted=True, rejected=rejected),
        "rejected": replace(found["clean"], rejected=rejected),
        "rejected-findings": replace(both, rejected=rejected),
        "rejected-empty": replace(found["clean"], connections=(), rejected=rejected),
        "both": both,
    }.items():
        (folder / f"{name}.json").write_bytes(encode(made))
    text = (folder / "clean.json").read_text("utf-8").replace("granted", "denied")
    (folder / "altered.json").write_text(text, "utf-8")
    manifest(folder, name="empty.yaml")
    manifest(folder, ONE, name="fleet.yaml")
    (folder / "wrong.yaml").write_text("apiVersion: bfaudit/v1\nkind: Policy\n", "utf-8")
    return folder


EACH_CODE = {
    0: ["clean.json"],
    1: ["findings.json"],
    2: ["clean.json", "--policy", "nope"],
    3: ["empty.json"],
    4: ["unknown.json", "--fail-on", "critical"],
    5: ["altered.json"],
    130: ["interrupted.json"],
}


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format(folder, form):
    """The same codes whatever is written, and --exit-zero turns 1 and 4 into 0, nothing else."""
    out = ["--format", form, "--output", f"out.{form}"]
    cases = [["check", *words, *out] for words in EACH_CODE.values()]
    found = codes_of([*cases, *([*words, "--exit-zero"] for words in cases)], folder)

    assert [*EACH_CODE, *(0 if code in (1, 4) else code for code in EACH_CODE)] == found


def test_every_code_is_in_the_table():
    """70 is for every command, below."""

    assert {*EACH_CODE, 70} == set(CODES)


PRECEDING = [
    (130, ["check", "interrupted-rejected.json"]),
    (5, ["check", "altered.json", "--policy", "nope"]),
    (5, ["check", "altered.json", "--policy", "wrong.yaml"]),
    (5, ["check", "altered.json", "--format", "nope"]),
    (5, ["check", "altered.json", "--baseline", "nowhere.json"]),
    (5, ["check", "altered.json", "--previous", "nowhere.json"]),
    (5, ["check", "nowhere.json", "--previous", "altered.json"]),
    (5, ["check", "empty.json", "--previous", "altered.json"]),
    (5, ["report", "altered.json", "--policy", "nope"]),
    (5, ["merge", "nowhere.json", "altered.json"]),
    (5, ["diff", "nowhere.json", "altered.json"]),
    (5, ["audit", "nowhere.yaml", "--previous", "altered.json"]),
    (5, ["audit", "empty.yaml", "--previous", "altered.json", "--policy", "nope"]),
    (5, ["baseline", "create", "altered.json", "-o", "x.json", "--policy", "nope"]),
    (2, ["check", "rejected-findings.json"]),
    (2, ["check", "rejected-empty.json"]),
    (2, ["check", "empty.json", "--policy", "nope"]),
    (2, ["check", "empty.json", "--policy", "wrong.yaml"]),
    (2, ["audit", "empty.yaml", "--policy", "nope"]),
    (2, ["audit", "empty.yaml", "--format", "nope"]),
    (2, ["audit", "empty.yaml", "--fail-on", "nope"]),
    (2, ["watch", "empty.yaml", "--rounds", "1", "--policy", "nope"]),
    (2, ["validate", "empty.yaml", "--policy", "wrong.yaml"]),
    (3, ["check", "both.json", "--only", "nobody"]),
    (3, ["check", "unknown.json", "--only", "nobody", "--max-age", "0s"]),
    (1, ["check", "both.json"]),
    (1, ["check", "findings.json", "--max-age", "0s"]),
]  # fmt: skip


def test_precedence(folder):
    """Where several apply, the first of the order wins."""
    found = codes_of([words for _, words in PRECEDING], folder)

    assert PRECEDING == [(code, words) for code, (_, words) in zip(found, PRECEDING, strict=True)]
    assert {code for code, _ in PRECEDING} == {*PRECEDENCE} - {70, 4}


EVERY_COMMAND = [
    (3, ["audit", "empty.yaml"]),
    (3, ["scan", "empty.yaml"]),
    (3, ["plan", "empty.yaml"]),
    (3, ["validate", "empty.yaml"]),
    (3, ["watch", "empty.yaml", "--rounds", "1"]),
    (3, ["watch", "empty.yaml"]),
    (3, ["scan", "empty.yaml", "--watch", "1h", "-o", "x.json"]),
    (3, ["report", "empty.json"]),
    (3, ["merge", "empty.json"]),
    (0, ["report", "clean.json"]),
    (1, ["report", "findings.json"]),
    (4, ["report", "unknown.json", "--fail-on", "critical"]),
    (5, ["diff", "altered.json", "clean.json"]),
    (5, ["merge", "clean.json", "altered.json"]),
    (5, ["report", "altered.json"]),
    (5, ["audit", "fleet.yaml", "--previous", "altered.json"]),
    (5, ["watch", "fleet.yaml", "--rounds", "1", "--previous", "altered.json"]),
    (5, ["baseline", "create", "altered.json", "-o", "x.json"]),
    (130, ["report", "interrupted.json"]),
    (130, ["merge", "interrupted.json", "-o", "x.json"]),
    (130, ["diff", "clean.json", "interrupted.json"]),
    (2, ["merge", "rejected.json", "-o", "x.json"]),
    (4, ["merge", "unknown.json", "-o", "x.json"]),
    (0, ["merge", "findings.json", "-o", "x.json"]),
    (0, ["diff", "clean.json", "clean.json"]),
]  # fmt: skip


def test_what_the_commands_answer(folder):
    """The same meaning for all of them."""
    found = codes_of([words for _, words in EVERY_COMMAND], folder)

    assert EVERY_COMMAND == [
        (code, words) for code, (_, words) in zip(found, EVERY_COMMAND, strict=True)
    ]


def _leaves():
    """Every command, those of groups by two words."""
    import click

    from bfaudit.cli import group

    root = group()
    for name in commands():
        command = root.get_command(click.Context(root), name)
        several = getattr(command, "commands", None)
        yield from ([name, each] for each in several) if several else [[name]]


def test_every_command_refuses_what_it_does_not_know(folder):
    """2, for all of them."""
    leaves = [*_leaves(), ["nope"]]
    found = codes_of([[*words, "--nope"] for words in leaves], folder)

    assert [2] * len(leaves) == found


def test_a_bug_in_any_command(folder):
    """70, for all of them."""
    leaves = list(_leaves())
    found = codes_of([["broken", *words] for words in leaves], folder)

    assert dict.fromkeys(map(" ".join, leaves), 70) == dict(
        zip(map(" ".join, leaves), found, strict=True)
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["audit", "scan"])
def test_a_signal_is_130(tmp_path, command, number):
    """What was scanned is there, and a finding in it does not make it 1."""
    slow = Fault(kind="slow", path="*api-key*", key="one", seconds=30)
    option = "--snapshot-out" if command == "audit" else "--output"
    place = tmp_path / "snapshot.json"
    with Sandbox(scenario(key("ONE"), WITHDRAWS, faults=(slow,))) as box:
        line = [command, manifest(tmp_path, ONE, TWO), option, place, "--timeout", "60"]
        process = subprocess.Popen(
            [sys.executable, "-m", "bfaudit", *map(str, line), *redirected(box)],
            env=environment(**box.environment),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while not {"one", "two"} <= {request.key for request in box.requests}:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(number)
        out, errors = process.communicate(timeout=60)
    saved = json.loads(place.read_text("utf-8"))

    assert 130 == process.returncode, errors
    assert ["KuCoin Spot Two"] == [row["name"] for row in saved["connections"]]
    assert "interrupted: 1 of 2 connections were scanned" in errors
    assert ("no-withdraw" in out) is (command == "audit")
