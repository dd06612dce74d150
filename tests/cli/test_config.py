"""Settings: files, environment, command line, and which of them wins."""

import hashlib

import pytest

from bfaudit.cli import settings
from bfaudit.sandbox import Sandbox
from tests.cli.harness import bfaudit, entry, key, manifest, redirected, scenario


def _value(ran, name):
    row = next(row for row in ran.json["settings"] if row["key"] == name)
    return row["value"], row["from"]


def _show(folder, *arguments, **env):
    return bfaudit("config", "show", "--format", "json", *arguments, cwd=folder, **env)


def test_defaults_without_a_file(tmp_path):
    """Without a file every setting has its default, and says so."""
    ran = _show(tmp_path)

    assert 0 == ran.code, ran.err
    assert ran.json["file"] is None
    assert (32, "default") == _value(ran, "workers")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bfaudit.toml", 'fail-on = "low"\n'),
        ("pyproject.toml", '[project]\nname = "x"\n[tool.bfaudit]\nfail-on = "low"\n'),
    ],
)
def test_a_file_is_found_above_the_first_manifest(tmp_path, name, text):
    """The file is looked for upward from the manifest, not from where the command runs."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a" / name).write_text(text)
    path = manifest(tmp_path / "a" / "b")
    line = text.splitlines().index('fail-on = "low"') + 1
    ran = _show(tmp_path / "elsewhere", path)

    assert 0 == ran.code, ran.err
    value, where = _value(ran, "fail-on")
    assert "low" in value
    assert where.endswith(f"{name}:{line}")


def test_the_root_of_a_repository_ends_the_search(tmp_path):
    """A file above the repository is not this repository's."""
    (tmp_path / "bfaudit.toml").write_text('fail-on = "low"\n')
    (tmp_path / "repo" / ".git").mkdir(parents=True)

    assert _show(tmp_path / "repo").json["file"] is None


def test_precedence(tmp_path):
    """Command line, then environment (of the command, of all), then file (of the command, of all), then default."""
    (tmp_path / "bfaudit.toml").write_text("workers = 3\n[audit]\nworkers = 4\n")
    with Sandbox(scenario(key("ONE", ("General", "Spot", "Transfer")))) as box:
        path = manifest(tmp_path, entry("KuCoin Spot One", "kucoin", "ONE"))
        run = ["audit", path, "-q", *redirected(box)]

        def code(*arguments, **env):
            return bfaudit(*run, *arguments, cwd=tmp_path, **box.environment, **env).code

        (tmp_path / "bfaudit.toml").write_text("")
        assert 1 == code()
        (tmp_path / "bfaudit.toml").write_text("exit-zero = true\n")
        assert 0 == code()
        (tmp_path / "bfaudit.toml").write_text("exit-zero = true\n[audit]\nexit-zero = false\n")
        assert 1 == code()
        assert 0 == code(BFAUDIT_EXIT_ZERO="1")
        assert 1 == code(BFAUDIT_EXIT_ZERO="1", BFAUDIT_AUDIT_EXIT_ZERO="0")
        assert 0 == code("--exit-zero", BFAUDIT_AUDIT_EXIT_ZERO="0")


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('fail_on = "low"\n', "bfaudit.toml:1:1", 'did you mean "fail-on"?'),
        ('\n[scan]\nfail-on = "low"\n', "bfaudit.toml:3:1", "stands at the top"),
        ("[scam]\noutput = 1\n", "bfaudit.toml:1:2", 'did you mean "scan"?'),
        ("resume = true\n", "bfaudit.toml:1:1", "write it in [scan]"),
        ('timeout = "soon"\n', "bfaudit.toml:1:1", "soon"),
        ("keep-going = 1\n", "bfaudit.toml:1:1", "expected true or false"),
        ("workers = [1]\n", "bfaudit.toml:1:1", "not a list"),
        ("timeout = true\n", "bfaudit.toml:1:1", "a text or a number"),
        ('ca-file = "x"\n', "bfaudit.toml:1:1", "BFAUDIT_CA_FILE"),
        ('[audit]\nexchange-url = ["a=b"]\n', "bfaudit.toml:2:1", "BFAUDIT_EXCHANGE_URL_<ID>"),
        ('exchange-url = ["a=b"]\n', "bfaudit.toml:1:1", "BFAUDIT_EXCHANGE_URL_<ID>"),
        ("max-unknown = -1\n", "bfaudit.toml:1:1", "-1 is out of range"),
        ("max-unknown = nan\n", "bfaudit.toml:1:1", "nan is out of range"),
        ("max-unknown = 100.5\n", "bfaudit.toml:1:1", "100.5 is out of range"),
        ("root = ['/']\n", "bfaudit.toml:1:1", "root"),
        ("untrusted = false\n", "bfaudit.toml:1:1", "untrusted"),
        ("x = \n", "bfaudit.toml:1:5", "not TOML"),
    ],
)  # fmt: skip
def test_mistakes_have_a_place_and_a_hint(tmp_path, text, place, says):
    """Nothing in a configuration is silently ignored."""
    (tmp_path / "bfaudit.toml").write_text(text)
    ran = bfaudit("validate", manifest(tmp_path), cwd=tmp_path)

    assert 2 == ran.code
    assert place in ran.err
    assert says in ran.err


def test_a_secret_is_refused_and_not_shown(tmp_path):
    """No setting takes a secret; one that stands there is not repeated."""
    canary = hashlib.sha256(b"canary").hexdigest()[:32]
    (tmp_path / "bfaudit.toml").write_text(f'sarif-category = "{canary}"\n')
    ran = _show(tmp_path)

    assert 2 == ran.code
    assert canary not in ran.out + ran.err


def test_paths_start_at_the_file(tmp_path):
    """A policy that the configuration names is found from any folder; a pack's name stays one."""
    (tmp_path / "own.yaml").write_text("x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "bfaudit.toml").write_text('policy = ["baseline", "own.yaml"]\n')
    value, _ = _value(_show(tmp_path / "sub"), "policy")

    assert ["baseline", str(tmp_path / "own.yaml")] == value


def test_a_file_can_be_named_or_left_out(tmp_path):
    """`--config FILE` reads that one, `--config none` none."""
    (tmp_path / "bfaudit.toml").write_text('fail-on = "low"\n')
    (tmp_path / "other.toml").write_text('fail-on = "medium"\n')

    assert "medium" in _value(_show(tmp_path, "--config", "other.toml"), "fail-on")[0]
    assert "high" in _value(_show(tmp_path, "--config", "none"), "fail-on")[0]
    assert "high" in _value(_show(tmp_path, BFAUDIT_CONFIG="none"), "fail-on")[0]
    assert 2 == _show(tmp_path, "--config", "missing.toml").code


def test_a_misspelt_variable_is_told(tmp_path):
    """A variable that is no setting is shown, with what was meant."""
    ran = bfaudit("config", "show", cwd=tmp_path, BFAUDIT_FAILON="low")

    assert 'BFAUDIT_FAILON is set, and is no setting: did you mean "BFAUDIT_FAIL_ON"?' in ran.out


def test_no_two_settings_share_a_key():
    """A key of one command is never that of all commands, so one variable means one thing."""
    options = settings.every()
    general = {settings.variable(one.general) for one in options if one.general}
    specific = [settings.variable(one.specific) for one in options]

    assert set() == general & set(specific)
    assert len(specific) == len(set(specific))
