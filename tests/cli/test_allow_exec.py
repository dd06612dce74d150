"""Who may let `exec:` references run: the command line, and a configuration that no manifest's author can write."""

import subprocess

import pytest

from tests.cli.harness import bfaudit, entry, manifest

CONFIG = "allow-exec = true\n"
NOWHERE = ["--exchange-url", "kucoin=http://127.0.0.1:9", "--timeout", "1", "--deadline", "1"]


@pytest.fixture
def repository(tmp_path):
    """A repository with a manifest, and a folder beside it."""
    made = tmp_path / "repository"
    made.mkdir()
    subprocess.run(["git", "init", "-q", made], check=True)
    (tmp_path / "away").mkdir()
    text = entry("KuCoin Spot One", "kucoin", "ONE").replace(
        "env:ONE_KEY", f'"exec:touch {tmp_path}/ran"'
    )
    manifest(made, text)
    return made


def _config(folder, name="bfaudit.toml", text=CONFIG):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _scan(source, *options, cwd=None, **env):
    given = {"ONE_SECRET": "x", "ONE_PASSPHRASE": "x", **env}
    return bfaudit("scan", source, *NOWHERE, *options, **({"cwd": cwd} if cwd else {}), **given)


def _refused(ran, tmp_path, place):
    assert ran.code == 2, ran.err
    assert "`allow-exec` counts only in a configuration" in " ".join(ran.err.split())
    assert f"{place}:1:1" in ran.err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("how", ["command line", "environment", "named", "in the environment"])
def test_who_may(repository, tmp_path, how):
    """The program ran: the connection is unresolved because `touch` prints nothing."""
    options, env = [], {}
    if how == "command line":
        options = ["--allow-exec"]
    elif how == "environment":
        env = {"BFAUDIT_ALLOW_EXEC": "1"}
    elif how == "named":
        options = ["--config", _config(tmp_path / "away")]
    else:
        env = {"BFAUDIT_CONFIG": str(_config(tmp_path / "away"))}
    ran = _scan(repository / "fleet.yaml", *options, **env)

    assert ran.code == 4, ran.err
    assert "touch printed nothing" in ran.out
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("folder", [".", "connections", "deep/er"])
def test_a_configuration_of_the_repository_may_not(repository, tmp_path, folder):
    """Found or named, wherever it lies in it; the whole run is refused."""
    place = _config(repository / folder)
    source = repository / "fleet.yaml"

    _refused(_scan(source, "--config", place), tmp_path, "bfaudit.toml")
    if folder == ".":
        _refused(_scan(source), tmp_path, "bfaudit.toml")
        _refused(_scan("-", cwd=repository), tmp_path, "bfaudit.toml")
        _refused(bfaudit("validate", source), tmp_path, "bfaudit.toml")


def test_not_by_a_table_of_one_command(repository, tmp_path):
    """Nor in pyproject.toml."""
    source = repository / "fleet.yaml"
    _config(repository, text="[scan]\nallow-exec = true\n")
    ran = _scan(source)
    assert ran.code == 2
    assert "bfaudit.toml:2:1" in ran.err
    (repository / "bfaudit.toml").unlink()
    _config(repository, "pyproject.toml", "[tool.bfaudit]\nallow-exec = true\n")

    assert _scan(source).code == 2
    assert not (tmp_path / "ran").exists()


def test_not_by_links(repository, tmp_path):
    """A link to a configuration elsewhere is in the repository; so is what a link elsewhere leads to."""
    away = _config(tmp_path / "away")
    (repository / "linked.toml").symlink_to(away)
    inside = _config(repository, "inside.toml")
    (tmp_path / "away" / "linked.toml").symlink_to(inside)
    (tmp_path / "away" / "fleet").symlink_to(repository)
    source = repository / "fleet.yaml"

    _refused(_scan(source, "--config", repository / "linked.toml"), tmp_path, "linked.toml")
    _refused(_scan(source, "--config", tmp_path / "away/linked.toml"), tmp_path, "linked.toml")
    through = tmp_path / "away" / "fleet" / "fleet.yaml"
    _refused(_scan(through, "--config", inside), tmp_path, "inside.toml")


def test_not_from_the_repository_around_a_submodule(repository, tmp_path):
    """Whoever changes the outer one chooses the inner one too."""
    inner = repository / "inner"
    inner.mkdir()
    (inner / ".git").write_text("gitdir: elsewhere\n")
    source = manifest(inner, (repository / "fleet.yaml").read_text().split("connections:\n")[1])

    _refused(_scan(source, "--config", _config(repository)), tmp_path, "bfaudit.toml")


@pytest.mark.parametrize("place", ["fleet/bfaudit.toml", "bfaudit.toml", "fleet/sub/x.toml"])
def test_without_a_repository(repository, tmp_path, place):
    """The manifest's folder, what is in it, and those above it where a configuration would be found."""
    source = manifest(_made(tmp_path / "fleet"), (repository / "fleet.yaml").read_text().split("connections:\n")[1])  # fmt: skip
    path = _config((tmp_path / place).parent, (tmp_path / place).name)

    _refused(_scan(source, "--config", path), tmp_path, path.name)
    if path.name == "bfaudit.toml":
        _refused(_scan(source), tmp_path, path.name)


def _made(folder):
    folder.mkdir()
    return folder


def test_the_other_manifests_count_too(repository, tmp_path):
    """One of them beside the configuration is enough."""
    other = _made(tmp_path / "other")
    source = manifest(other, entry("KuCoin Spot Two", "kucoin", "TWO"))
    ran = bfaudit("scan", repository / "fleet.yaml", source, *NOWHERE, "--config", _config(other))

    _refused(ran, tmp_path, "bfaudit.toml")


def test_saying_no_is_always_fine(repository, tmp_path):
    """`allow-exec = false` needs no trust."""
    _config(repository, text="allow-exec = false\n")
    ran = _scan(repository / "fleet.yaml")

    assert ran.code == 4, ran.err
    assert not (tmp_path / "ran").exists()


def test_a_manifest_cannot_say_it(repository):
    """It is no field of one."""
    source = repository / "fleet.yaml"
    source.write_text(source.read_text().replace("servers:", "allow_exec: true\nservers:", 1))

    assert bfaudit("validate", source).code == 2
