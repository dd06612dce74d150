"""`bfaudit init`: files that work, and nothing lost."""

from bfaudit.sandbox import Sandbox
from tests.cli.harness import bfaudit, key, scenario

ASKED = ("--yes", "--exchange", "kucoin", "--strategy", "spot-one", "--server", "tokyo-1=203.0.113.10")  # fmt: skip


def test_what_it_writes_is_valid_and_is_used(tmp_path):
    """The manifest, the policy, the exceptions and the configuration load, and an audit uses all of them."""
    assert 0 == bfaudit("init", *ASKED, cwd=tmp_path).code
    ran = bfaudit("validate", "connections", "--policy", "policy.yaml", cwd=tmp_path)
    assert 0 == ran.code, ran.err
    with Sandbox(scenario(key("KUCOIN_SPOT_ONE"))) as box:
        url = f"kucoin={box.urls['kucoin']}"
        audit = bfaudit(
            *("audit", "connections", "--exchange-url", url, "--format", "json"),
            cwd=tmp_path,
            **box.environment,
        )

    assert 1 == audit.code, audit.err
    failed = [row["rule"] for row in audit.json["results"] if row["outcome"] == "fail"]
    assert ["two-factor-attested"] == failed


def test_an_editor_finds_the_schemas(tmp_path):
    """Every modeline names a file that is there."""
    bfaudit("init", *ASKED, cwd=tmp_path)
    for name in ("connections/fleet.yaml", "policy.yaml", "exceptions.yaml"):
        path = tmp_path / name
        modeline = path.read_text("utf-8").splitlines()[0]

        assert modeline.startswith("# yaml-language-server: $schema=")
        assert (path.parent / modeline.partition("$schema=")[2]).is_file()


def test_nothing_is_overwritten_without_force(tmp_path):
    """One file that is there stops all of it."""
    (tmp_path / "policy.yaml").write_text("mine")
    ran = bfaudit("init", *ASKED, cwd=tmp_path)

    assert 2 == ran.code
    assert "policy.yaml" in ran.err
    assert "mine" == (tmp_path / "policy.yaml").read_text()
    assert ["policy.yaml"] == [path.name for path in tmp_path.iterdir()]
    assert 0 == bfaudit("init", *ASKED, "--force", cwd=tmp_path).code
    assert "mine" != (tmp_path / "policy.yaml").read_text()


def test_a_script_must_say_everything(tmp_path):
    """Without a terminal and without --yes nothing is asked and nothing is written."""
    assert 2 == bfaudit("init", cwd=tmp_path).code
    assert 2 == bfaudit("init", "--yes", cwd=tmp_path).code
    ran = bfaudit("init", "--yes", "--exchange", "kucion", "--strategy", "a", cwd=tmp_path)
    assert 'did you mean "kucoin"?' in ran.err
    assert [] == list(tmp_path.iterdir())


def test_answers_on_a_terminal(tmp_path):
    """Questions are asked again until the answer is right."""
    answers = "kucion\nkucoin, mexc\nspot-one\n\nnone\n"
    ran = bfaudit("init", cwd=tmp_path, stdin=answers, BFAUDIT_ASK="1")

    assert 0 == ran.code, ran.err
    assert "did you mean" in ran.err
    text = (tmp_path / "connections/fleet.yaml").read_text("utf-8")
    assert "MEXC Spot One" in text
    assert "env:KUCOIN_SPOT_ONE_PASSPHRASE" in text


def test_completion_scripts():
    """Each shell's script is click's own."""
    for shell in ("bash", "zsh", "fish"):
        ran = bfaudit("completion", shell)

        assert 0 == ran.code, ran.err
        assert "_BFAUDIT_COMPLETE" in ran.out
    done = bfaudit(_BFAUDIT_COMPLETE="bash_complete", COMP_WORDS="bfaudit exi", COMP_CWORD="1")
    assert "plain,exit-codes" in done.out
