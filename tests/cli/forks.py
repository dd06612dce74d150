"""Interpreters that have imported what others wrote, and fork for each command line: a process of its own, sooner."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from tempfile import TemporaryFile

SECONDS = 120
PACKAGES = (
    "asyncio",
    "cel_expr_python",
    "certifi",
    "click",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "jinja2",
    "jsonschema",
    "jsonschema_rs",
    "msgspec",
    "rich.console",
    "rich.table",
    "yaml",
    "yarl",
)
"""Nothing of bfaudit's own: each process imports that anew, and runs it as `python -m bfaudit` does.

Nor ccxt, aiohttp and requests, whose import bfaudit has a hand in. What takes longest is jsonschema: 2 s, where a
package of ours for development (cyclonedx-python-lib) brings rfc3987-syntax.
"""

# What is frozen is not looked through by a child, and so not copied for it either.
SERVER = """\
import gc, importlib, json, os, runpy, socket, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
gc.freeze()
line = socket.socket(fileno=int(sys.argv[1]))
while True:
    message, files, _, _ = socket.recv_fds(line, 64, 4)
    if not message:
        os._exit(0)
    child = os.fork()
    if not child:
        break
    for file in files:
        os.close(file)
    line.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())
line.close()
with os.fdopen(files.pop()) as told:
    words, folder, environ = json.load(told)
for number, file in enumerate(files):
    os.dup2(file, number)
    os.close(file)
os.environ.clear()
os.environ.update(environ)
os.chdir(folder)
sys.argv = ["bfaudit", *words]
runpy.run_module("bfaudit", run_name="__main__", alter_sys=True)
"""


class Server:
    """One interpreter that forks, for as long as this process lasts."""

    def __init__(self, environ: dict[str, str], cwd: str) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVER, str(theirs.fileno()), *PACKAGES],
                cwd=cwd,
                env=environ,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self.close)

    def run(self, words: list[str], cwd: str, stdin: str, environ: dict[str, str]) -> tuple[int, str, str]:  # fmt: skip
        """Exit code, output and error output of one command line."""
        with ExitStack() as stack:
            files = [stack.enter_context(TemporaryFile("w+")) for _ in range(4)]
            files[0].write(stdin)
            files[0].seek(0)
            json.dump(
                [words, cwd, environ], files[3]
            )  # an environment may be too long for a message
            files[3].seek(0)
            socket.send_fds(self._line, [b"run"], [file.fileno() for file in files])
            try:
                code = int(self._line.recv(64))
            except TimeoutError:
                os.killpg(self._process.pid, signal.SIGKILL)
                raise
            out, err = (file.seek(0) or file.read() for file in files[1:3])
        return code, out, err

    def close(self) -> None:
        """It ends when nobody holds the other end of its line."""
        self._line.close()
        self._process.wait(SECONDS)
