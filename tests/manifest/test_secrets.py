"""A secret in a manifest is refused, and never shown."""

import pytest

from bfaudit.cli.problems import render
from bfaudit.errors import InvalidInput
from tests.manifest.fleets import CREDENTIALS, canaries, connection, load, manifest

SHORT = "hunter2hunter2"

PLACES = {
    "a credential": "name: A\nexchange: mexc\ncredentials: {key: env:A, secret: CANARY}",
    "a quoted credential": 'name: A\nexchange: mexc\ncredentials:\n  key: "CANARY"\n  secret: env:B',
    "a block": "name: A\nexchange: mexc\ncredentials:\n  key: env:A\n  secret: |\n    CANARY\n    CANARY",
    "a folded block": "name: A\nexchange: mexc\ncredentials:\n  key: env:A\n  secret: >-\n    CANARY\n    x",
    "a misspelt role": "name: A\nexchange: mexc\ncredentials: {key: env:A, secrt: CANARY}",
    "another misspelt role": "name: A\nexchange: mexc\ncredentials:\n  kee: CANARY\n  secret: env:B",
    "an unknown scheme": "name: A\nexchange: mexc\ncredentials: {key: 'foo:CANARY', secret: env:B}",
    "a near scheme": "name: A\nexchange: mexc\ncredentials: {key: 'enf:CANARY', secret: env:B}",
    "a list": "name: A\nexchange: mexc\ncredentials: {key: [CANARY], secret: env:B}",
    "twice": "name: A\nexchange: mexc\ncredentials:\n  key: CANARY\n  key: CANARY\n  secret: env:B",
    "a passphrase": "name: A\nexchange: mexc\ncredentials: {key: env:A, secret: env:B, passphrase: CANARY}",
    "beside a mistake": "{name: A, exchange: mexcc, nmae: x, credentials: {key: CANARY}}",
    "no mapping": "name: A\nexchange: mexc\ncredentials: CANARY",
}
ANYWHERE = {
    "notes": connection("notes: use CANARY for now"),
    "a comment": connection("owner: a # CANARY"),
    "a tag": connection("tags: [CANARY]"),
    "a name": f"name: CANARY\nexchange: mexc\n{CREDENTIALS}",
    "an exchange": f"name: A\nexchange: CANARY\n{CREDENTIALS}",
    "an unknown field": connection("CANARY: 1"),
    "a field given twice": connection("CANARY: 1\nCANARY: 2"),
    "a permission": connection("requires: [CANARY]"),
    "a server": connection("servers: [CANARY]"),
    "a date": connection("created: CANARY"),
    "a lifecycle": connection("lifecycle: CANARY"),
    "an attestation": connection("attestations: {CANARY: {by: a, on: 2026-01-01}}"),
    "broken YAML": connection("notes: [CANARY"),
    "more broken YAML": connection("notes: CANARY: x"),
    "an alias": connection("notes: *CANARY"),
    "a tag of YAML": connection("notes: !CANARY x"),
}


def _rendered(*texts: str) -> str:
    loaded = load(*texts)
    assert loaded.problems
    assert [] == list(loaded.connections)
    return "\n".join(
        [
            render(InvalidInput(loaded.problems)),
            *(f"{problem!r}{problem.hint}{problem.expected}" for problem in loaded.problems),
            *(f"{row.name}{row.error}" for row in loaded.rejected),
        ]
    )


@pytest.mark.parametrize("secret", [*canaries().values(), SHORT], ids=[*canaries(), "short"])
@pytest.mark.parametrize("where", PLACES)
def test_a_literal_credential_is_refused_and_not_shown(where: str, secret: str) -> None:
    """Whatever a credential is written as, its text is in no message, excerpt or rejected row."""
    assert secret not in _rendered(manifest(PLACES[where].replace("CANARY", secret)))


@pytest.mark.parametrize(
    "shape", [name for name in canaries() if "pem" not in name and "pkcs" not in name]
)
@pytest.mark.parametrize("where", ANYWHERE)
def test_a_secret_anywhere_is_refused_and_not_shown(where: str, shape: str) -> None:
    """A secret has no place in a manifest, be it a comment, a name or a mistake."""
    secret = canaries()[shape]
    if where in ("an alias", "a tag of YAML") and not secret.isalnum():
        pytest.skip("not a name in YAML")

    assert secret not in _rendered(manifest(ANYWHERE[where].replace("CANARY", secret)))


@pytest.mark.parametrize(
    "written",
    [
        "".join(f"\\x{ord(each):02x}" for each in canaries()["32 hex"]),
        "".join(f"\\u{ord(each):04x}" for each in canaries()["32 hex"]),
        "\\\n      ".join([canaries()["32 hex"][:16], canaries()["32 hex"][16:]]),
    ],
    ids=["x", "u", "lines"],
)
@pytest.mark.parametrize("field", ['label: "CANARY"', '{"CANARY": x, nmae: y}', '"CANARY": x'])
def test_a_secret_in_escapes_is_refused_and_not_shown(field: str, written: str) -> None:
    """What a text holds counts, however it is written."""
    if "\n" in written and "label" not in field:
        pytest.skip("a name is written in one line in YAML")
    text = manifest(connection(f"attestations: {field}" if field[0] == "{" else field))
    shown = _rendered(text.replace("CANARY", written))

    assert "key or secret" in shown
    assert written not in shown
    assert canaries()["32 hex"][:16] not in shown


def test_the_same_name_twice_does_not_show_it() -> None:
    """Two connections named by a secret are told without it."""
    secret = canaries()["64 hex"]
    text = manifest(connection(name=secret))

    assert secret not in _rendered(text, text)


@pytest.mark.parametrize(
    ("value", "message", "advice"),
    [
        (
            SHORT,
            "not a credential reference but perhaps a secret",
            "put the secret into a variable",
        ),
        ("evn:NAME", "scheme is not known", 'did you mean "env"?'),
        ("'env:'", "not a complete `env:` reference", "env:NAME"),
        ("'env:A B'", "not a complete `env:` reference", "env:NAME"),
        ("'file:x#'", "not a complete `file:` reference", "file:PATH#KEY"),
        ("s3:bucket/x", "not a credential reference", "env:NAME, exec:PROGRAM"),
    ],
)
def test_what_is_wrong_with_a_reference(value: str, message: str, advice: str) -> None:
    """The place of the value, what was expected, and one problem only."""
    text = manifest(f"name: A\nexchange: mexc\ncredentials:\n  key: {value}\n  secret: env:B")

    (problem,) = load(text).problems
    assert "a.yaml:7:12" == str(problem.place)
    assert message in problem.message
    assert advice in f"{problem.expected} {problem.hint}"
    assert problem.excerpt == ""
