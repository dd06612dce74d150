"""Files that somebody else wrote: what they can reach, how much they can cost, and what messages tell of them."""

import json
import os
import resource
import time
from pathlib import Path

import pytest

from bfaudit import documents, roots
from bfaudit.credentials import ResolveContext, resolve
from bfaudit.documents.limits import MAX_PROBLEMS
from bfaudit.errors import CredentialError, InvalidInput, UsageError
from bfaudit.manifest.reader import collect
from bfaudit.policy.read import read as read_policies
from tests.cli.harness import bfaudit, entry, manifest
from tests.manifest.fleets import load

SECRET = "the line that nobody may see: x"
POLICY = "apiVersion: bfaudit/v1\nkind: Policy\nid: ours\ntitle: Ours\nextends: [{}]\n"


@pytest.fixture(autouse=True)
def usual_terms():
    """What one test allows, no other one has."""
    roots.allow(())
    roots.confine(strict=False)
    yield
    roots.allow(())
    roots.confine(strict=False)


@pytest.fixture
def repository(tmp_path):
    """A repository with a manifest, and a secret file beside it."""
    made = tmp_path / "repository"
    (made / ".git").mkdir(parents=True)
    (made / "fleet").mkdir()
    manifest(made / "fleet", entry("A", "mexc", "A"), name="a.yaml")
    (tmp_path / "secret.yaml").write_text(f"{SECRET}\n: [")
    return made


def refused(ran, *, told="lies outside"):
    """Ended with 2, said so with place and hint, and nothing of the secret."""
    assert ran.code == 2, ran.out + ran.err
    assert told in " ".join(ran.err.split()), ran.err
    assert "nobody may see" not in ran.out + ran.err
    assert "Traceback" not in ran.err


LINKS = {
    "file in a folder": ("fleet/evil.yaml", "../../secret.yaml", "fleet"),
    "named file": ("evil.yaml", "../secret.yaml", "evil.yaml"),
    "absolute": ("fleet/evil.yaml", "{}/secret.yaml", "fleet"),
    "folder": ("linked", "..", "linked/secret.yaml"),
    "pattern": ("fleet/evil.yaml", "../../secret.yaml", "fleet/*.yaml"),
    "pattern through a folder": ("linked", "..", "linke?/secret.yaml"),
    "chain": ("fleet/evil.yaml", "other.yaml", "fleet"),
}


@pytest.mark.parametrize("how", LINKS)
def test_a_link_out_of_the_repository_is_not_read(repository, tmp_path, how):
    """Whatever the user names, a link that a pull request brings leads nowhere else."""
    link, target, named = LINKS[how]
    if how == "chain":
        (repository / "fleet" / "other.yaml").symlink_to(tmp_path / "secret.yaml")
    (repository / link).symlink_to(target.format(tmp_path))

    refused(bfaudit("validate", named, cwd=repository))


def test_the_message_has_file_line_and_hint(repository):
    """As every other one."""
    (repository / "fleet" / "evil.yaml").symlink_to("../../secret.yaml")
    _, (problem,) = collect([str(repository / "fleet")], lambda: b"")

    assert (str(repository / "fleet" / "evil.yaml"), 1, 1) == (
        problem.place.file, problem.place.line, problem.place.column,
    )  # fmt: skip
    assert "--root" in problem.hint


def test_whether_the_target_is_there_is_not_told(repository, tmp_path):
    """The same words for a file that is there and for one that is not."""
    told = []
    for target in (tmp_path / "secret.yaml", tmp_path / "nothing.yaml"):
        ours = repository / "ours.yaml"
        ours.write_text(POLICY.format(f"../{target.name}"))
        with pytest.raises(InvalidInput) as caught:
            read_policies([str(ours)])
        told.append(str(caught.value.problems[0].message).replace(target.name, "X"))

    assert 1 == len(set(told))


def test_a_link_within_the_repository_is_followed(repository):
    """Nothing that a pull request could not bring as a file."""
    (repository / "more").mkdir()
    (repository / "more" / "b.yaml").symlink_to("../fleet/a.yaml")
    sources, problems = collect([str(repository / "more")], lambda: b"")

    assert ([], 1) == (problems, len(sources))


def test_a_root_that_the_user_names_is_allowed(repository, tmp_path):
    """`--root` is for who keeps shared files elsewhere; a configuration in the repository cannot say it."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "b.yaml").write_text((repository / "fleet" / "a.yaml").read_text())
    (repository / "b.yaml").symlink_to("../shared/b.yaml")
    refused(bfaudit("validate", "b.yaml", cwd=repository))
    allowed = bfaudit("validate", "b.yaml", "--root", tmp_path / "shared", cwd=repository)
    (repository / "bfaudit.toml").write_text(f'root = "{tmp_path}/shared"\n')

    assert (0, "") == (allowed.code, allowed.err)
    refused(bfaudit("validate", "b.yaml", cwd=repository), told="unknown setting `root`")


@pytest.mark.parametrize("name", ["../secret.yaml", "{}/secret.yaml", "linked.yaml", "/etc/passwd", "/dev/zero"])  # fmt: skip
def test_a_policy_does_not_extend_what_lies_elsewhere(repository, tmp_path, name):
    """By `..`, by an absolute path, by a link, by a device."""
    (repository / "linked.yaml").symlink_to("../secret.yaml")
    ours = repository / "ours.yaml"
    ours.write_text(POLICY.format(name.format(tmp_path)))
    ran = bfaudit("validate", "fleet", "--policy", "ours.yaml", cwd=repository)

    refused(ran)
    assert "ours.yaml:5:" in ran.err


def test_a_policy_extends_another_of_its_repository(repository):
    """In whatever folder."""
    (repository / "shared").mkdir()
    base = POLICY.replace("id: ours", "id: base").format("baseline")
    (repository / "shared" / "base.yaml").write_text(base)
    (repository / "fleet" / "ours.yaml").write_text(POLICY.format("../shared/base.yaml"))

    assert ["baseline", "base", "ours"] == [
        one.id for one in read_policies([str(repository / "fleet" / "ours.yaml")])
    ]


@pytest.mark.parametrize(
    "kind", ["fifo", "linked fifo", "device", "linked device", "socket folder"]
)
@pytest.mark.parametrize("option", ["manifest", "--policy", "--exceptions"])
def test_what_is_no_file_is_refused_and_not_waited_for(repository, kind, option):
    """A pipe without a writer would wait for ever, a device would never end."""
    odd = repository / "odd.yaml"
    if kind == "fifo":
        os.mkfifo(odd)
    elif kind == "linked fifo":
        os.mkfifo(repository / "pipe")
        odd.symlink_to("pipe")
    elif kind == "socket folder":
        odd.symlink_to("odd.yaml")
    else:
        odd = Path("/dev/zero") if kind == "device" else odd
        if kind == "linked device":
            odd.symlink_to("/dev/zero")
    given = [odd] if option == "manifest" else ["fleet", option, odd]
    started = time.monotonic()
    ran = bfaudit("validate", *given, cwd=repository)

    assert ran.code == 2, ran.out + ran.err
    assert "Traceback" not in ran.err
    assert time.monotonic() - started < 20


def test_a_pattern_does_not_follow_links_in_circles(repository):
    """Two links to the same folder make 2^40 paths for who follows them."""
    for name in "ab":
        (repository / name).symlink_to(".")
    started = time.monotonic()
    sources, problems = collect([f"{repository}/**/*.yaml"], lambda: b"")

    assert ([], 1) == (problems, len(sources))
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("option", ["manifest", "--policy", "--exceptions"])
def test_a_huge_file_is_refused_before_it_is_read(repository, option):
    """100 MB that take no place on the disk."""
    big = repository / "big.yaml"
    with big.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    given = [big] if option == "manifest" else ["fleet", option, big]

    refused(bfaudit("validate", *given, cwd=repository), told="larger than 64 MiB")


def test_many_large_files_are_refused(repository):
    """Each is within the limit of one, all together are not."""
    for number in range(6):
        with (repository / "fleet" / f"{number}.yaml").open("wb") as file:
            file.truncate(63 * 1024 * 1024)
    sources, (problem,) = collect([str(repository / "fleet")], lambda: b"")

    assert [] == sources
    assert "larger than 256 MiB" in problem.message


def test_many_files_are_refused(repository, monkeypatch):
    """A folder without an end."""
    monkeypatch.setattr(roots, "MAX_FILES", 3)
    for number in range(4):
        (repository / "fleet" / f"{number}.yaml").write_text("")
    _, (problem,) = collect([str(repository / "fleet")], lambda: b"")

    assert "more than 3 files" in problem.message


HEAD = "apiVersion: bfaudit/v1\nkind: Manifest\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)  # fmt: skip
HOSTILE = {
    "billion laughs": (BOMB, "aliases repeat more than"),
    "an alias of itself": ("a: &a [*a]", "a part of"),
    "deep lists": ("[" * 100_000, "inside each other"),
    "deep mappings": ("{a: " * 100_000, "inside each other"),
    "deep blocks": ("".join(f"{' ' * n}a:\n" for n in range(1500)), "inside each other"),
    "NUL in a name": (HEAD + "connections: [{name: 'a\0b'}]", "a NUL character"),
    "NUL as an escape": (HEAD + r'connections: [{name: "a\0b"}]', "a NUL character"),
    "bidi in a name": (HEAD + "connections: [{name: 'a\u202eb'}]", "changes the direction"),
    "bidi as an escape": (HEAD + r'connections: [{name: "a\u202Eb"}]', "changes the direction"),
    "many values": ("[" + "1," * 10_000_001, "values"),
    "wrong connections": (HEAD + "connections: [" + "1," * 30_000 + "1]", "the rest is not told"),
    "empty connections": (HEAD + "connections: [" + "{}," * 30_000 + "{}]", "the rest is not told"),
    "unknown fields": (HEAD + "connections: [{" + ", ".join(f"a{n}: 1" for n in range(60_000)) + "}]", "too large to say why"),
    "unknown permissions": (HEAD + "connections: [{requires: [" + ", ".join(f"z{n}" for n in range(30_000)) + "]}]", "the rest is not told"),
    "wrong servers": (HEAD + "servers: {" + ", ".join(f"s{n}: [10.0.0.999]" for n in range(30_000)) + "}\nconnections: []", "the rest is not told"),
    "one name": (HEAD + "connections:\n" + "- {name: a, exchange: mexc}\n" * 10_000, "the rest is not told"),
    "one long line": (HEAD + "connections: [" + ", ".join("{name: a, foo: 1}" for _ in range(10_000)) + "]", "the rest is not told"),
    "secrets in one word": (HEAD + "connections: []\n# " + "a1B2c3D4e5F6g7H8i9@" * 100_000, "looks like a key or secret"),
    "broken tags": ("!!python/object/apply:os.system [id]", "tags are not allowed"),
    "merge keys": ("a: &a {b: 1}\nc: {<<: *a}", "merge keys are not allowed"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_manifest_costs_little_and_is_explained(what):
    """Bounded in time, memory and messages; file, line and column in each."""
    text, told = HOSTILE[what]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    loaded = load(text)
    took = time.process_time() - started

    assert told in " ".join(str(problem) for problem in loaded.problems)
    assert all(problem.place.file == "a.yaml" and problem.place.line >= 1 for problem in loaded.problems)  # fmt: skip
    assert () == loaded.connections
    assert len(loaded.problems) <= MAX_PROBLEMS + 2
    assert sum(len(str(problem)) + len(problem.excerpt) for problem in loaded.problems) < 4_000_000
    assert took < 15
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000


def test_nothing_of_a_file_passes_whose_mistakes_were_not_all_looked_for():
    """The connections after the last mistake that is told may be wrong too."""
    wrong = "".join(f"- {{name: a{n}, exchange: nowhere}}\n" for n in range(MAX_PROBLEMS + 1))
    good = "- {name: good, exchange: mexc, credentials: {key: env:A, secret: env:B}}\n"
    loaded = load(f"{HEAD}connections:\n{wrong}{good}")

    assert () == loaded.connections
    assert "good" in {one.name for one in loaded.rejected}


def test_a_byte_that_is_no_text_on_a_later_line_is_told():
    """Nothing of the file is read, and its place is beyond what is known of it."""
    loaded = load(HEAD.encode() + b"connections: [{name: \x9e}]")

    assert ["a.yaml:3:22: byte 0x9e is not UTF-8"] == [str(problem) for problem in loaded.problems]
    assert 1 == len(loaded.rejected)


def test_a_long_line_is_not_shown():
    """Its problem is told by place alone."""
    document, _ = documents.read(f"a: {'x' * 3000}", "a.yaml")

    assert "" == document.problem("wrong", ("a",)).excerpt


def test_numbers_of_fields_are_those_of_the_mapping_asked_about():
    """What is remembered of one large mapping is not taken for another's."""
    text = json.dumps({name: {f"k{n}": n for n in range(100)} for name in ("a", "b")}, indent=1)
    document, _ = documents.read(text, "a.yaml")
    places = [document.place((name, f"k{n}")).line for n in (0, 50, 99) for name in ("a", "b")]

    assert [3, 105, 53, 155, 102, 204] == places


# References


@pytest.mark.parametrize("reference", ["exec:echo x", "vault:secret/bot#key", "keyring:bot/key"])
def test_an_untrusted_manifest_asks_no_store_and_runs_nothing(reference, monkeypatch):
    """Not even with --allow-exec."""
    roots.confine(strict=True)
    with pytest.raises(CredentialError, match="--untrusted"):
        resolve(reference, ResolveContext(os.environ, allow_exec=True))


def test_an_untrusted_manifest_reads_files_of_named_folders_only(tmp_path):
    """Its own folder is not one of them; whether a file is there is not told."""
    for name in ("named", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").touch(0o600)
        (tmp_path / name / "key").write_text("text")
    (tmp_path / "named" / "link").symlink_to("../other/key")
    roots.allow([str(tmp_path / "named")])
    place = ResolveContext({}, str(tmp_path / "fleet.yaml"))
    outside = [f"file:{tmp_path}/other/key", "file:other/key", f"file:{tmp_path}/named/../other/key",
               f"file:{tmp_path}/named/link", "file:/etc/nothing-there", "file:~/nothing-there"]  # fmt: skip

    assert ["text"] * 6 == [resolve(one, place).reveal() for one in outside[:4] * 2][:6]
    roots.confine(strict=True)

    assert "text" == resolve(f"file:{tmp_path}/named/key", place).reveal()
    for one in outside:
        with pytest.raises(CredentialError, match="--untrusted lets"):
            resolve(one, place)


def test_an_untrusted_run_is_not_redirected(repository):
    """Beyond loopback: the sandbox is no danger."""
    ran = bfaudit("scan", "fleet", "--untrusted", "--exchange-url", "mexc=https://mexc.example", cwd=repository)  # fmt: skip

    refused(ran, told="mexc is redirected, and the run is --untrusted")


# Configuration


@pytest.mark.parametrize("value", ["../out.txt", "{}/out.txt", "linked/out.txt"])
def test_a_found_configuration_names_no_file_out_of_its_repository(repository, tmp_path, value):
    """It would be written, or read, with the rights of whoever runs the audit."""
    (repository / "linked").symlink_to("..")
    (repository / "bfaudit.toml").write_text(f'[scan]\noutput = "{value.format(tmp_path)}"\n')
    ran = bfaudit("scan", "fleet", cwd=repository)

    refused(ran, told="a path out of the repository")
    assert "bfaudit.toml:2:1" in ran.err
    assert not (tmp_path / "out.txt").exists()


def test_an_untrusted_run_takes_no_found_configuration(repository):
    """It could switch the gate off; the default holds."""
    (repository / "bfaudit.toml").write_text("nonsense = true\n")

    assert 2 == bfaudit("validate", "fleet", cwd=repository).code
    assert 0 == bfaudit("validate", "fleet", "--untrusted", cwd=repository).code
    assert 0 == bfaudit("validate", "fleet", cwd=repository, BFAUDIT_UNTRUSTED="1").code


# Snapshots


def test_a_snapshot_that_names_another_file_gets_nothing_quoted_of_it(repository, tmp_path):
    """Whoever made it chose the file and the line."""
    from bfaudit import snapshot as snapshots
    from bfaudit.cli.reporting import sources_of
    from bfaudit.model import Connection, Place, Scanned, Snapshot, Status
    from bfaudit.policy.cases import NOW

    scanned = tuple(
        Scanned(
            connection=Connection(name=name, exchange="mexc", place=Place(file, 1, 1)),
            status=Status.ONLINE,
            scanned_at=NOW,
        )
        for name, file in (
            ("evil", str(tmp_path / "secret.yaml")),
            ("good", str(repository / "fleet" / "a.yaml")),
        )
    )
    made = Snapshot(generated_at=NOW, connections=scanned)
    file = repository / "snapshot.json"
    file.write_bytes(snapshots.encode(made))
    ran = bfaudit("check", file, "--exit-zero", cwd=repository)

    assert [str(repository / "fleet" / "a.yaml")] == list(sources_of(made, str(file)))
    assert "nobody may see" not in ran.out + ran.err


def test_frameworks_come_from_files_only(repository):
    """As policies do."""
    os.mkfifo(repository / "pipe")
    from bfaudit.policy.read import read_framework

    with pytest.raises(UsageError):
        read_framework(str(repository / "pipe"))


def test_manifest_of_the_harness_is_valid(tmp_path):
    """What the other tests of this file start from."""
    assert 0 == bfaudit("validate", manifest(tmp_path, entry("A", "mexc", "A"))).code
