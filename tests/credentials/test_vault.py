"""`vault:` against a server that speaks Vault's HTTP API."""

import logging
import sys

import pytest

from bfaudit.credentials import ResolveContext, resolve, split, vault
from bfaudit.credentials.cache import Cache
from bfaudit.errors import CredentialError
from tests.credentials.vaults import Vault, serving
from tests.scan.certificates import certificate, server

CANARY = "c4n4ry0f4v4ult"
TOKEN = "hvs.c4n4ryt0ken"


@pytest.fixture
def store():
    """A Vault with one secret in each kind of mount."""
    with serving(Vault()) as made:
        made.tokens[TOKEN] = float("inf")
        made.secrets = {
            "secret/bots/kucoin": {"key": CANARY, "number": 5, "empty": " "},
            "team/kv/kucoin": {"key": CANARY},
            "old/bots/kucoin": {"key": CANARY, "data": {"key": "not this one"}},
            "older/kucoin": {"key": CANARY},
            "secret/with space/é": {"a field": CANARY},
        }
        yield made


def _environ(store, **more):
    return {"VAULT_ADDR": store.address, "VAULT_TOKEN": TOKEN, **more}


def _resolve(reference, environ):
    return resolve(reference, ResolveContext(environ)).reveal()


def _refused(reference, environ, message):
    with pytest.raises(CredentialError, match=message) as caught:
        _resolve(reference, environ)
    told = f"{caught.value!r}{caught.value.hint}"

    assert not [each for each in (CANARY, TOKEN, "the-secret-id", "the-jwt") if each in told]
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize(
    "reference",
    [
        "vault:secret/bots/kucoin#key",
        "vault:team/kv/kucoin#key",
        "vault:old/bots/kucoin#key",
        "vault:older/kucoin#key",
        "vault:secret/with space/é#a field",
    ],
)
@pytest.mark.parametrize("tells_mounts", [True, False])
def test_both_versions(store, reference, tells_mounts):
    """KV 2 and 1, in mounts of any depth where Vault tells the mount; else the first part is the mount."""
    store.tells_mounts = tells_mounts
    if reference.startswith("vault:team/") and not tells_mounts:
        _refused(reference, _environ(store), "Vault has no team/kv/kucoin")
    else:
        assert CANARY == _resolve(reference, _environ(store))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("vault:secret/bots/none#key", "Vault has no secret/bots/none"),
        ("vault:secret/bots/kucoin#none", "has no field none"),
        ("vault:secret/bots/kucoin#number", "number of secret/bots/kucoin in Vault is not a text"),
        ("vault:secret/bots/kucoin#empty", "empty of secret/bots/kucoin in Vault is empty"),
        ("vault:database/creds/x#password", "database in Vault is no key-value store"),
    ],
)
def test_what_is_not_there(store, reference, message):
    """The error names path and field."""
    _refused(reference, _environ(store), message)


@pytest.mark.parametrize(
    "rest",
    [
        "secret",
        "secret#key",
        "secret/x",
        "secret/x#",
        "/x#key",
        "secret//x#key",
        "secret/../sys/x#key",
        "secret/..#key",
        "secret/x?version=1#key",
        "sys/raw/x#key",
        "auth/token/lookup-self#id",
        "cubbyhole/x#key",
    ],
)
def test_what_is_no_path(rest):
    """Only paths of key-value stores: no way to Vault's own tables or to our token."""
    with pytest.raises(CredentialError, match="not a complete `vault:` reference"):
        split(f"vault:{rest}")


def test_a_path_is_read_once_for_its_fields(store):
    """Within a scan; the mount is asked for once as well."""
    store.secrets["secret/one"] = {"key": "k", "secret": "s", "passphrase": "p"}
    store.secrets["secret/two"] = {"key": "k2"}
    context = ResolveContext(_environ(store), once=Cache())
    for field in ("key", "secret", "passphrase"):
        assert field[0] == resolve(f"vault:secret/one#{field}", context).reveal()
    assert "k2" == resolve("vault:secret/two#key", context).reveal()

    assert {
        "sys/internal/ui/mounts/secret/one": 1,
        "secret/data/one": 1,
        "secret/data/two": 1,
    } == store.asked


def test_approle(store):
    """A role and its secret id, at the usual mount or another."""
    environ = {"VAULT_ADDR": store.address, "VAULT_ROLE_ID": "the-role", "VAULT_SECRET_ID": "the-secret-id"}  # fmt: skip

    assert CANARY == _resolve("vault:secret/bots/kucoin#key", environ)
    assert CANARY == _resolve(
        "vault:secret/bots/kucoin#key", {**environ, "VAULT_AUTH_MOUNT": "bots"}
    )
    assert ["approle", "bots"] == [body["mount"] for body in store.bodies]


def test_kubernetes(store, tmp_path):
    """The service account's token, as it is mounted."""
    (tmp_path / "token").write_text("the-jwt\n")
    environ = {
        "VAULT_ADDR": store.address,
        "VAULT_K8S_ROLE": "the-role",
        "VAULT_K8S_TOKEN_FILE": str(tmp_path / "token"),
    }

    assert CANARY == _resolve("vault:secret/bots/kucoin#key", environ)
    assert "kubernetes" == store.bodies[0]["mount"]
    _refused(
        "vault:secret/x#k",
        {**environ, "VAULT_K8S_TOKEN_FILE": str(tmp_path / "none")},
        "service account's token .* cannot be read",
    )


def test_a_login_is_refused(store):
    """What Vault says is not quoted: it may repeat what we sent."""
    environ = {
        "VAULT_ADDR": store.address,
        "VAULT_ROLE_ID": "the-role",
        "VAULT_SECRET_ID": CANARY,
    }
    error = _refused("vault:secret/bots/kucoin#key", environ, "Vault refuses the login")

    assert "secret id" in error.hint


def test_a_login_that_runs_out_is_made_again(store, monkeypatch):
    """A scan may take longer than a token lives."""
    environ = {"VAULT_ADDR": store.address, "VAULT_ROLE_ID": "the-role", "VAULT_SECRET_ID": "the-secret-id"}  # fmt: skip
    context = ResolveContext(environ, once=Cache())
    store.lease = 100
    resolve("vault:secret/bots/kucoin#key", context)
    resolve("vault:old/bots/kucoin#key", context)

    assert len(store.bodies) == 1
    now = vault.time.monotonic()
    monkeypatch.setattr(vault.time, "monotonic", lambda: now + 95)
    resolve("vault:older/kucoin#key", context)

    assert len(store.bodies) == 2


def test_a_path_that_is_denied(store):
    """The path and what the policy needs are named."""
    store.denied = {"secret/bots/kucoin"}
    error = _refused(
        "vault:secret/bots/kucoin#key",
        _environ(store),
        "Vault refuses to read secret/bots/kucoin",
    )

    assert "MOUNT/data/PATH" in error.hint


def test_a_wrong_token(store):
    """It is not shown, though Vault repeats it."""
    _refused("vault:secret/x#k", _environ(store, VAULT_TOKEN=CANARY), "Vault refuses to read")


def test_a_namespace(store):
    """It goes with every request."""
    store.namespace = "desk/bots"

    assert CANARY == _resolve(
        "vault:secret/bots/kucoin#key", _environ(store, VAULT_NAMESPACE="desk/bots")
    )
    _refused("vault:secret/bots/kucoin#key", _environ(store), "Vault refuses")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((503, {}, b'{"errors":["Vault is sealed"]}'), "sealed or in maintenance"),
        ((429, {}, b"{}"), "limits our rate"),
        ((500, {}, CANARY.encode()), "Vault failed at secret/bots/kucoin"),
        ((418, {"Content-Type": "application/json"}, b"{}"), "Vault failed at"),
        ((200, {}, CANARY.encode()), "is not understood"),
        ((200, {}, b"[]"), "is not understood"),
        ((200, {}, b'{"data": 5}'), "Vault has no secret/bots/kucoin"),
        ((200, {}, b"{}"), "Vault has no secret/bots/kucoin"),
        ((204, {}, b""), "is not understood"),
        ((307, {"Location": "http://127.0.0.1:9/x"}, b""), "is not understood"),
    ],
)
def test_odd_answers(store, answer, message):
    """Each has its error, with nothing of the answer in it."""
    store.answers["secret/data/"] = answer
    _refused("vault:secret/bots/kucoin#key", _environ(store), message)


@pytest.mark.parametrize("body", [b"{}", b'{"auth": null}', b'{"auth": {}}', b"[]", b"x"])
def test_odd_answers_to_a_login(store, body):
    """They are no token."""
    store.answers["auth/"] = (200, {}, body)
    environ = {"VAULT_ADDR": store.address, "VAULT_ROLE_ID": "the-role"}
    _refused("vault:secret/x#k", environ, "answer to the login is not understood")


def test_a_redirect_gets_no_token(store):
    """The token would be sent wherever an answer says."""
    with serving(Vault()) as other:
        store.answers["secret/data/"] = (307, {"Location": f"{other.address}/v1/x"}, b"")
        error = _refused("vault:secret/bots/kucoin#key", _environ(store), "is not understood")

        assert "redirects are not followed" in error.hint
        assert not other.asked


def test_time_runs_out(store, monkeypatch):
    """A Vault that hangs is given up."""
    monkeypatch.setattr(vault, "READ_SECONDS", 0.2)
    store.slow = 1.0
    _refused("vault:secret/bots/kucoin#key", _environ(store), "Vault does not answer in time")


def test_a_vault_that_is_not_there_is_not_asked_for_ever(monkeypatch):
    """After some tries a scan of many connections gives up."""
    context = ResolveContext(
        {"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_TOKEN": TOKEN}, once=Cache()
    )
    said = []
    for number in range(5):
        with pytest.raises(CredentialError) as caught:
            resolve(f"vault:secret/{number}#key", context)
        said.append(caught.value.message)

    assert ["Vault is not reached"] * 3 == said[:3]
    assert ["Vault was not reached 3 times, and is not asked again"] * 2 == said[3:]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "VAULT_ADDR is not set"),
        ({"VAULT_ADDR": "vault.example"}, "VAULT_ADDR is not an address"),
        ({"VAULT_ADDR": "http://vault.example:8200"}, "VAULT_ADDR is not an address"),
        ({"VAULT_ADDR": "http://[::1"}, "VAULT_ADDR is not an address"),
        ({"VAULT_ADDR": f"https://u:{CANARY}@vault.example"}, "VAULT_ADDR is not an address"),
        ({"VAULT_ADDR": "https://127.0.0.1:1"}, "nothing to log in to Vault with"),
        ({"VAULT_ADDR": "https://127.0.0.1:1", "VAULT_CACERT": "nope"}, "there is no file nope"),
    ],
)
def test_settings(environ, message):
    """What is missing or not accepted is named."""
    _refused("vault:secret/x#key", environ, message)


def test_certificates_are_always_checked(tmp_path, monkeypatch):
    """By VAULT_CACERT or the usual authorities; what elsewhere switches it off, or adds one, does nothing here."""
    public, private, _ = certificate(tmp_path, "vault", "localhost")
    with serving(Vault(), server(public, private)) as made:
        made.tokens[TOKEN] = float("inf")
        made.secrets["secret/x"] = {"key": CANARY}
        trusting = _environ(made, VAULT_CACERT=str(public))

        assert CANARY == _resolve("vault:secret/x#key", trusting)
        made.asked.clear()
        for name, value in (
            ("VAULT_SKIP_VERIFY", "1"),
            ("REQUESTS_CA_BUNDLE", str(public)),
            ("CURL_CA_BUNDLE", ""),
        ):
            monkeypatch.setenv(name, value)
            error = _refused(
                "vault:secret/x#key", _environ(made, **{name: value}), "certificate is not trusted"
            )
            assert "VAULT_CACERT" in error.hint
        wrong = {**trusting, "VAULT_ADDR": made.address.replace("localhost", "127.0.0.1")}
        _refused("vault:secret/x#key", wrong, "certificate is not trusted")

        assert not made.asked


def test_nothing_is_said_beside_the_error(store, caplog, capfd):
    """Neither the library nor what is below it logs or prints."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    _resolve("vault:secret/bots/kucoin#key", _environ(store))
    store.tokens.clear()
    _refused("vault:secret/bots/kucoin#key", _environ(store), "Vault refuses")
    said = capfd.readouterr()

    assert not [one for one in (CANARY, TOKEN) if one in caplog.text + said.out + said.err]


def test_without_the_extra(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "hvac", None)
    error = _refused("vault:secret/x#key", {"VAULT_TOKEN": TOKEN}, "needs the package hvac")

    assert "bfaudit[vault]" in error.hint
