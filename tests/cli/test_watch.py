"""`bfaudit watch`: rounds, what is new and what is resolved, and a clean end."""

import hashlib
import hmac
import json
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bfaudit.cli import notify, watch
from bfaudit.credentials import Secret
from bfaudit.errors import UsageError
from bfaudit.model import Outcome
from bfaudit.sandbox import Sandbox
from tests.cli.harness import ROOT, bfaudit, entry, environment, key, manifest, redirected, scenario

WITHDRAWS = key("ONE", ("General", "Spot", "Transfer"))
ENTRY = entry("KuCoin Spot One", "kucoin", "ONE")

HOOK = """\
import json, os, sys
told = json.load(sys.stdin)
told["environment"] = [name for name in os.environ if name.startswith(("ONE_", "VAULT_"))]
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(told) + "\\n")
"""


def _hook(folder):
    (folder / "hook.py").write_text(HOOK)
    return f"exec:{sys.executable} {folder / 'hook.py'} '{folder / 'told.jsonl'}'"


def _told(folder):
    path = folder / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _rounds(folder, played, *options):
    with Sandbox(played) as box:
        path = manifest(folder, ENTRY)
        vault = {"VAULT_TOKEN": "hvs.c4n4ryt0ken", "VAULT_SECRET_ID": "b1d2c3d4e5f6"}
        return bfaudit("watch", path, "--rounds", 1, *redirected(box), *options, **box.environment, **vault)  # fmt: skip


def test_new_and_resolved_are_told_once(tmp_path):
    """A finding is told when it appears and when it is gone; a round without change tells nothing."""
    options = ("--state", tmp_path / "state.json", "--on-finding", _hook(tmp_path))
    for _ in range(2):
        assert 1 == _rounds(tmp_path, scenario(WITHDRAWS), *options).code
    first = _told(tmp_path)
    assert 0 == _rounds(tmp_path, scenario(key("ONE")), *options).code
    last = _told(tmp_path)[-1]

    assert 1 == len(first)
    assert "no-withdraw" in [one["rule"] for one in first[0]["new"]]
    assert [] == first[0]["environment"]
    assert [] == last["new"]
    assert [one["rule"] for one in first[0]["new"]] == [one["rule"] for one in last["resolved"]]
    assert 0 == last["open"]


def _audit(*rows, scanned=("A",), rejected=()):
    class Any:
        def __init__(self, **fields):
            self.__dict__.update(fields)

    class Severity:
        word = "high"

    def result(name, outcome):
        rule = Any(id="r", severity=Severity, title="t")
        return Any(
            fingerprint=name,
            rule=rule,
            judgement=Any(message="m"),
            connection=name,
            place="f:1:1",
            outcome=outcome,
            exception=None,
        )

    connections = [Any(connection=Any(name=name, exchange="x")) for name in scanned]
    return Any(
        snapshot=Any(connections=connections, rejected=rejected, unselected=0),
        baselined=frozenset(),
        results=[result(*row) for row in rows],
    )


def test_unknown_is_not_resolved():
    """A finding whose evidence is missing stays open, and is not new when it is seen again."""
    known = {}
    new, _ = watch._compare(known, _audit(("A", Outcome.FAIL)))
    assert 1 == len(new)
    assert ([], []) == watch._compare(known, _audit(("A", Outcome.UNKNOWN)))
    assert ([], []) == watch._compare(known, _audit(scanned=(), rejected=("A",)))
    assert ([], []) == watch._compare(known, _audit(("A", Outcome.FAIL)))
    _, resolved = watch._compare(known, _audit(("A", Outcome.PASS)))
    assert 1 == len(resolved)
    assert {} == known


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers[notify.SIGNATURE], body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def receiver():
    server = HTTPServer(("127.0.0.1", 0), _Receiver)
    server.got, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_is_signed(receiver):
    """The receiver can verify who sent it and when; the secret itself is not sent."""
    hook = notify.hook(f"http://127.0.0.1:{receiver.server_port}/x")
    notify.tell([hook], b'{"a": 1}', Secret("the-key"), frozenset())
    signature, body = receiver.got[0]
    at, _, mark = signature.removeprefix("t=").partition(",v1=")
    expected = hmac.new(b"the-key", f"{at}.".encode() + body, hashlib.sha256).hexdigest()

    assert expected == mark
    assert abs(time.time() - int(at)) < 60


def test_what_did_not_arrive_is_sent_again(receiver, capsys):
    """A receiver that fails, or sends elsewhere, gets the message with the next one, in order."""
    receiver.answers = [500, 302]
    hook = notify.hook(f"http://127.0.0.1:{receiver.server_port}/x")
    notify.tell([hook], b"1", None, frozenset())
    notify.tell([hook], b"2", None, frozenset())
    notify.tell([hook], None, None, frozenset())

    assert [b"1", b"1", b"1", b"2"] == [body for _, body in receiver.got]
    assert "HTTP 500" in capsys.readouterr().err
    assert [] == hook.pending


def test_what_did_not_arrive_is_sent_by_the_next_start(tmp_path, receiver):
    """A timer starts a process each time: what the last one could not deliver waits in the state, and is sent once."""
    receiver.answers = [500]
    url = f"http://127.0.0.1:{receiver.server_port}/hooks/t0psecretpath"
    options = ("--state", tmp_path / "state.json", "--on-finding", url)
    first, second, third = (_rounds(tmp_path, scenario(WITHDRAWS), *options) for _ in range(3))

    assert "HTTP 500" in first.err
    assert "" == "".join(line for line in second.err.splitlines() if "warning" in line)
    assert 1 == third.code
    bodies = [json.loads(body) for _, body in receiver.got]
    assert 2 == len(bodies)
    assert bodies[0] == bodies[1]
    assert "t0psecretpath" not in (tmp_path / "state.json").read_text()


def test_a_receiver_that_is_not_there_is_told_in_words(capsys):
    """The system's reason, not the name of a class; the URL's path stays hidden."""
    hook = notify.hook("http://127.0.0.1:1/hooks/t0psecretpath")
    notify.tell([hook], b"1", None, frozenset())
    said = capsys.readouterr().err

    assert "warning: 127.0.0.1 was not told: Connection refused; tried again next time\n" == said


def test_a_program_that_is_not_there_ends_it_at_once(tmp_path):
    """It would never be told: that is said before anything is asked."""
    ran = _rounds(tmp_path, scenario(WITHDRAWS), "--on-finding", "exec:./no-such-program x")

    assert 2 == ran.code
    assert "`./no-such-program` is not a program that can be run" in ran.err


def test_a_secret_without_a_webhook_is_refused(tmp_path):
    """Nothing would be signed: the option must not be ignored."""
    ran = _rounds(tmp_path, scenario(WITHDRAWS), "--webhook-secret", "env:ONE_KEY")

    assert 2 == ran.code
    assert "there is no webhook" in ran.err


@pytest.mark.parametrize("text", ["exec:", "exec:'", "http://example.com/x", "ftp://x", "https://a:b@c/", "true"])  # fmt: skip
def test_hooks_that_are_refused(text):
    """Plain http, URLs with a password and words that are neither are usage errors."""
    with pytest.raises(UsageError):
        notify.hook(text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("while_scanning", [False, True])
def test_a_signal_ends_it_cleanly(tmp_path, number, while_scanning):
    """Between rounds or within one: exit 0, the last whole snapshot in place, nothing half-written."""
    place = tmp_path / "snapshot.json"
    played = scenario(key("ONE"))
    with Sandbox(played) as box:
        if while_scanning:
            place.write_text("the last whole one")
        url = "http://127.0.0.1:9/kucoin" if while_scanning else box.urls["kucoin"]
        silent = None
        if while_scanning:
            import socket

            silent = socket.create_server(("127.0.0.1", 0))  # takes connections, never answers
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "bfaudit", "watch", manifest(tmp_path, ENTRY)),
                *("--every", "1h", "--snapshot-out", place, "--exchange-url", f"kucoin={url}"),
            ],
            env=environment(**box.environment),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        if silent is not None:
            silent.settimeout(60)
            held, _ = silent.accept()
        else:
            deadline = time.monotonic() + 60
            while not place.exists() and time.monotonic() < deadline:
                time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        if silent is not None:
            held.close()
            silent.close()

    assert 0 == process.returncode, errors
    assert "stopped" in errors
    assert "Traceback" not in errors
    assert ["fleet.yaml", "snapshot.json"] == sorted(path.name for path in tmp_path.iterdir())
    if while_scanning:
        assert "the last whole one" == place.read_text()
    else:
        assert 0 == bfaudit("check", place).code
