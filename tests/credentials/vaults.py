"""A Vault on loopback: the documented paths of https://developer.hashicorp.com/vault/api-docs, over real HTTP."""

import json
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

MOUNTS = {
    "secret": {"type": "kv", "options": {"version": "2"}},
    "team/kv": {"type": "kv", "options": {"version": "2"}},
    "old": {"type": "kv", "options": {"version": "1"}},
    "older": {"type": "generic", "options": None},
    "database": {"type": "database", "options": None},
}


class Vault:
    """What a Vault holds, and what was asked of it."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, Any]] = {}
        """The fields of each path, mount included."""
        self.tokens: dict[str, float] = {}
        """Each token, and until when it is good by the monotonic clock."""
        self.namespace: str | None = None
        self.tells_mounts = True
        self.denied: set[str] = set()
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """What is answered instead, by the start of the path."""
        self.slow = 0.0
        self.lease = 3600
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.address = ""

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        """What Vault would say."""
        if path.startswith("auth/") and path.endswith("/login") and method == "POST":
            return self._login(path.split("/")[1], json.loads(body))
        if self.namespace and headers.get("X-Vault-Namespace") != self.namespace:
            return 403, {"errors": ["permission denied"]}
        token = headers.get("X-Vault-Token", "")
        if self.tokens.get(token, 0) < time.monotonic():
            return 403, {"errors": [f"permission denied: bad token {token}"]}
        if method != "GET":
            return 405, {"errors": ["unsupported operation"]}
        if path.startswith("sys/internal/ui/mounts/"):
            return self._mount(path.removeprefix("sys/internal/ui/mounts/"))
        return self._secret(path)

    def _login(self, mount: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.bodies.append({"mount": mount, **body})
        if body not in (
            {"role_id": "the-role", "secret_id": "the-secret-id"},
            {"role": "the-role", "jwt": "the-jwt"},
        ):
            return 400, {"errors": [f"invalid role or secret ID {body}"]}
        token = f"hvs.login{len(self.tokens)}"
        self.tokens[token] = time.monotonic() + self.lease
        return 200, {"auth": {"client_token": token, "lease_duration": self.lease}}

    def _mount(self, path: str) -> tuple[int, Any]:
        if not self.tells_mounts:
            return 403, {"errors": ["preflight capability check returned 403"]}
        for mount, told in MOUNTS.items():
            if path.startswith(f"{mount}/"):
                return 200, {"data": {"path": f"{mount}/", **told}}
        return 403, {"errors": ["preflight capability check returned 403"]}

    def _secret(self, path: str) -> tuple[int, Any]:
        mount = next((each for each in MOUNTS if path.startswith(f"{each}/")), "")
        rest = path.removeprefix(f"{mount}/")
        options = MOUNTS[mount]["options"] if mount else None
        if isinstance(options, dict) and options["version"] == "2":
            if not rest.startswith("data/"):
                return 404, {"errors": [], "warnings": ["Invalid path for a versioned K/V engine"]}
            rest = rest.removeprefix("data/")
        name = f"{mount}/{rest}"
        if name in self.denied:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        if name not in self.secrets:
            return 404, {"errors": []}
        fields = self.secrets[name]
        if isinstance(options, dict) and options["version"] == "2":
            return 200, {"data": {"data": fields, "metadata": {"version": 3}}}
        return 200, {"data": fields, "lease_duration": 2764800}


@contextmanager
def serving(vault: Vault, tls: ssl.SSLContext | None = None) -> Iterator[Vault]:
    """Serve it on a free port of loopback; with TLS as localhost."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(self.path).removeprefix("/v1/")
            vault.asked[path] += 1
            time.sleep(vault.slow)
            instead = [told for start, told in vault.answers.items() if path.startswith(start)]
            if instead:
                status, headers, data = instead[0]
            else:
                status, told = vault.answer(self.command, path, self.headers, body)
                data, headers = json.dumps(told).encode(), {"Content-Type": "application/json"}
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve  # noqa: N815 - the standard library's names

        def handle(self) -> None:
            with suppress(OSError):  # a client that hangs up, or does not trust us
                super().handle()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)  # fmt: skip
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    vault.address = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_port}"
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
