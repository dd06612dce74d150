"""The gate, each run a process of its own: what is selected, what fails, what is incomplete, and which code wins."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bfaudit.sandbox import Fault, Sandbox
from bfaudit.snapshot import decode, encode
from tests.cli.harness import bfaudit, entry, key, manifest, redirected, scenario

ONE = entry("KuCoin Spot One", "kucoin", "ONE")
TWO = entry("KuCoin Spot Two", "kucoin", "TWO", strategy="grid")
OLD = entry("KuCoin Spot Old", "kucoin", "OLD", lifecycle="retired")
WITHDRAWS = key("TWO", ("General", "Spot", "Transfer"))
NAMES = ["KuCoin Spot One", "KuCoin Spot Two"]


def run(tmp_path, played, *entries, options=(), command="audit"):
    """One command against a sandbox; who was asked is the second value."""
    with Sandbox(played) as box:
        path = manifest(tmp_path, *entries)
        ran = bfaudit(command, path, *redirected(box), *options, **box.environment)
        return ran, {request.key for request in box.requests} - {None}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A clean connection and one with findings, scanned once."""
    folder = tmp_path_factory.mktemp("fleet")
    ran, _ = run(
        folder,
        scenario(key("ONE"), WITHDRAWS),
        ONE,
        TWO,
        command="scan",
        options=["-o", folder / "snapshot.json"],
    )

    assert 0 == ran.code, ran.err
    return folder


def check(fleet, *options, name="snapshot.json"):
    return bfaudit("check", fleet / name, *options)


def rows(ran):
    return [row["name"] for row in ran.json["connections"]]


class TestSelection:
    """What a command is about."""

    def test_only_the_selected_are_asked(self, tmp_path):
        """Nothing is sent for the others, and their findings are nobody's business."""
        played = scenario(key("ONE"), WITHDRAWS)
        ran, asked = run(tmp_path, played, ONE, TWO, options=["--only", "* One"])

        assert 0 == ran.code, ran.out + ran.err
        assert {"one"} == asked

    def test_scan_writes_the_selected(self, tmp_path):
        """The snapshot says how many it left out."""
        options = ["--strategy", "grid", "--allow-empty"]
        ran, asked = run(
            tmp_path, scenario(key("ONE"), WITHDRAWS), ONE, TWO, command="scan", options=options
        )

        assert 0 == ran.code
        assert {"two"} == asked
        assert [NAMES[1]] == rows(ran)
        assert 1 == ran.json["unselected"]

    def test_plan_counts_the_selected(self, tmp_path):
        """One connection instead of two."""
        ran = bfaudit("plan", manifest(tmp_path, ONE, TWO), "--only", NAMES[0])

        assert 0 == ran.code
        assert "KuCoin: 1 connection" in ran.out

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["--only", NAMES[0]], 0),
            (["--only", NAMES[1]], 1),
            (["--only", "KuCoin*"], 1),
            (["--strategy", "grid"], 1),
            (["--exchange", "kucoin", "--only", NAMES[0]], 0),
            (["--only", "nobody"], 3),
            (["--environment", "production"], 3),
            (["--only", "nobody", "--exit-zero"], 3),
            (["--only", "nobody", "--allow-empty"], 0),
            (["--only", NAMES[0], "--only", "nobody"], 2),
            (["--only", NAMES[0], "--only", "nobody", "--allow-empty"], 2),
        ],
    )
    def test_check(self, fleet, options, expected):
        """3 where nothing is selected; a part that is misspelt is 2."""
        ran = check(fleet, *options)

        assert expected == ran.code, ran.out + ran.err
        if expected == 3:
            assert "no connection is selected" in ran.err

    def test_a_part_is_judged_within_its_fleet(self, tmp_path):
        """The key that two connections share is seen, whichever of them is selected."""
        shared = replace(key("ONE"), env=("ONE", "TWO"))
        place = tmp_path / "snapshot.json"
        run(tmp_path, scenario(shared), ONE, TWO, command="scan", options=["-o", place])
        ran = bfaudit("check", place, "--only", NAMES[0], "--format", "json")

        assert 1 == ran.code
        assert [NAMES[0]] == rows(ran)
        assert "unique-key-per-strategy" in {
            row["rule"] for row in ran.json["results"] if row["outcome"] == "fail"
        }

    @pytest.mark.parametrize(
        "options", [["--only", "KuCoin*"], ["--exchange", "mexc"], ["--previous"], []]
    )
    def test_a_report_names_the_file_that_was_judged(self, tmp_path, options):
        """Its digest is that of the snapshot on disk, of a part and beside an earlier one too; exchanges are those asked."""
        place = tmp_path / "snapshot.json"
        both = scenario(key("ONE")), [ONE, entry("MEXC Spot Four", "mexc", "FOUR")]
        run(tmp_path, both[0], *both[1], command="scan", options=["-o", place])
        more = [*options, place] if options == ["--previous"] else options
        ran = bfaudit("check", place, *more, "--format", "json")
        audited = {row["exchange"] for row in ran.json["connections"]}

        assert json.loads(place.read_text())["digest"] == ran.json["snapshot"]["digest"]
        assert audited == {each["id"] for each in ran.json["exchanges"]}

    def test_allow_empty(self, tmp_path):
        """An empty manifest is 0 where that is allowed, and a report is written all the same."""
        path = manifest(tmp_path)
        codes = [bfaudit(name, path, "--allow-empty").code for name in ("audit", "scan", "plan")]
        ran = bfaudit("audit", path, "--allow-empty", "--format", "json")

        assert [0, 0, 0] == codes
        assert [] == ran.json["results"]

    def test_a_mistake_wins_over_an_empty_selection(self, tmp_path):
        """2 before 3, whatever is allowed."""
        path = manifest(tmp_path, ONE.replace("requires", "requries"))

        assert 2 == bfaudit("audit", path, "--only", "nobody", "--allow-empty").code


class TestChangedSince:
    """What a pull request is about."""

    @pytest.fixture
    def repository(self, tmp_path):
        """Two connections, committed."""
        manifest(tmp_path, ONE, TWO)
        git(tmp_path, "init", "-q")
        git(tmp_path, "add", ".")
        commit(tmp_path)
        return tmp_path

    def scan(self, folder, *options, played=None, command="scan"):
        with Sandbox(played or scenario(key("ONE"), key("TWO"))) as box:
            line = [command, "fleet.yaml", *redirected(box), *options]
            return bfaudit(*line, cwd=folder, **box.environment)

    def test_nothing_changed(self, repository):
        """3, or 0 where that is allowed."""
        options = ["--changed-since", "HEAD"]

        assert 3 == bfaudit("plan", "fleet.yaml", *options, cwd=repository).code
        assert 0 == bfaudit("plan", "fleet.yaml", *options, "--allow-empty", cwd=repository).code

    def test_the_changed_one_is_scanned(self, repository):
        """A line of one connection, and not where the others stand."""
        text = (repository / "fleet.yaml").read_text("utf-8")
        changed = text.replace("strategy: grid", "strategy: hedge")
        (repository / "fleet.yaml").write_text(f"# a comment more\n{changed}", "utf-8")
        ran = self.scan(repository, "--changed-since", "HEAD")

        assert 0 == ran.code, ran.err
        assert [NAMES[1]] == rows(ran)

    def test_a_new_one_is_scanned(self, repository):
        """What was not there has changed."""
        other = entry("KuCoin Spot New", "kucoin", "NEW")
        manifest(repository, ONE, TWO, other)
        ran = self.scan(repository, "--changed-since", "HEAD", played=scenario(key("NEW")))

        assert ["KuCoin Spot New"] == rows(ran)

    def test_a_server_changes_all_that_name_it(self, repository):
        """What a connection inherits is a part of it."""
        path = repository / "fleet.yaml"
        path.write_text(path.read_text("utf-8").replace("203.0.113.10", "203.0.113.11"), "utf-8")

        assert NAMES == rows(self.scan(repository, "--changed-since", "HEAD"))

    def test_a_renamed_file_changes_nothing(self, repository):
        """Git tells where it was."""
        git(repository, "mv", "fleet.yaml", "moved.yaml")
        ran = bfaudit("plan", "moved.yaml", "--changed-since", "HEAD", cwd=repository)

        assert 3 == ran.code, ran.out + ran.err

    def test_check_is_about_what_changed(self, repository):
        """A snapshot that was made before the change, or without it, is incomplete."""
        self.scan(repository, "-o", "before.json")
        path = repository / "fleet.yaml"
        path.write_text(path.read_text("utf-8").replace("strategy: grid", "strategy: hedge"))
        self.scan(repository, "-o", "after.json")
        options = ["--changed-since", "HEAD", "--format", "json"]
        late = bfaudit("check", "after.json", *options, cwd=repository)
        early = bfaudit("check", "before.json", *options, cwd=repository)
        manifest(repository, ONE, TWO, entry("KuCoin Spot New", "kucoin", "NEW"))
        missing = bfaudit("check", "before.json", *options, cwd=repository)

        assert (0, [NAMES[1]]) == (late.code, rows(late))
        assert (4, [NAMES[1]]) == (early.code, rows(early))
        assert "has changed since it was scanned" in early.err
        assert 4 == missing.code
        assert "KuCoin Spot New has changed, and the snapshot does not hold it" in missing.err

    @pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:fleet.yaml"])
    def test_no_revision(self, repository, revision):
        """2, and nothing is taken for an option of git."""
        ran = bfaudit("plan", "fleet.yaml", f"--changed-since={revision}", cwd=repository)

        assert 2 == ran.code
        assert "is no revision" in ran.err

    def test_no_repository(self, tmp_path):
        """2, and it says so."""
        manifest(tmp_path, ONE)
        ran = bfaudit("plan", "fleet.yaml", "--changed-since", "HEAD", cwd=tmp_path)

        assert 2 == ran.code
        assert "no git repository" in ran.err


class TestFrom:
    """Whether the keys admit the server to deploy to."""

    @pytest.mark.parametrize(
        ("hosts", "expected"),
        [
            (["203.0.113.10"], 0),
            (["203.0.113.10", "203.0.113.11"], 1),
            (["203.0.113.0/28"], 1),
            (["tokyo-1"], 2),
        ],
    )
    def test_codes(self, fleet, hosts, expected):
        """Every host must be on the list of every selected key."""
        options = [word for host in hosts for word in ("--from", host)]
        ran = check(fleet, "--only", NAMES[0], *options)

        assert expected == ran.code, ran.out + ran.err
        assert ("egress-allowed" in ran.out) is (expected == 1)

    def test_a_list_that_is_not_told_is_unknown(self, tmp_path):
        """4, and never 0."""
        played = scenario(key("ONE"), faults=(Fault(kind="maintenance", path="*api-key*"),))
        options = ["--from", "203.0.113.10", "--fail-on", "egress-allowed"]
        ran, _ = run(tmp_path, played, ONE, options=options)

        assert 4 == ran.code, ran.out
        assert "egress-allowed" in ran.out

    def test_audit_before_deploying(self, tmp_path):
        """The whole of it in one command."""
        options = ["--only", NAMES[0], "--from", "198.51.100.7", "--format", "json"]
        ran, _ = run(tmp_path, scenario(key("ONE"), WITHDRAWS), ONE, TWO, options=options)
        (found,) = (row for row in ran.json["results"] if row["outcome"] == "fail")

        assert 1 == ran.code
        assert ("egress-allowed", "high", NAMES[0]) == (
            found["rule"],
            found["severity"],
            found["connection"],
        )


class TestFailOn:
    """What counts as a failure."""

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (["no-withdraw"], 1),
            (["online"], 0),
            (["online", "critical"], 1),
            (["online", "no-withdraw"], 1),
            (["info", "critical"], 1),
            (["no-withdrow"], 2),
            (["egress-allowed"], 2),
        ],
    )
    def test_codes(self, fleet, words, expected):
        """Severities and rules; a rule that nobody loaded is a mistake."""
        ran = check(fleet, *(word for each in words for word in ("--fail-on", each)))

        assert expected == ran.code, ran.out + ran.err

    def test_from_the_environment(self, fleet):
        """Several, parted by spaces."""
        ran = bfaudit("check", fleet / "snapshot.json", BFAUDIT_FAIL_ON="online no-withdraw")

        assert 1 == ran.code

    def test_a_mistake_costs_no_request(self, tmp_path):
        """It is found before anything is sent."""
        options = ["--fail-on", "no-withdrow"]
        ran, asked = run(tmp_path, scenario(key("ONE")), ONE, options=options)

        assert 2 == ran.code
        assert "no-withdraw" in ran.err
        assert set() == asked


class TestMaxAge:
    """How old a snapshot may be."""

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["--max-age", "24h"], 0),
            (["--max-age", "1d12h"], 0),
            (["--max-age", "0s"], 4),
            (["--max-age", "0s", "--max-unknown", "100%"], 4),
            (["--max-age", "0s", "--exit-zero"], 0),
            (["--max-age", "0s", "--only", "nobody"], 3),
            (["--max-age", "yesterday"], 2),
            (["--max-age", "24"], 2),
        ],
    )
    def test_codes(self, fleet, options, expected):
        """4 and said so, however many unknowns are allowed."""
        selected = [] if "--only" in options else ["--only", NAMES[0]]
        ran = check(fleet, *selected, *options)

        assert expected == ran.code, ran.out + ran.err
        assert ("the snapshot is older than 0s" in ran.err) is ("0s" in options and expected != 3)

    def test_a_finding_wins(self, fleet):
        """1 before 4."""

        assert 1 == check(fleet, "--max-age", "0s").code


def made_at(folder, name, **late):
    """A copy of the fleet's snapshot whose times are so far ahead of this clock."""
    seen = decode((folder / "snapshot.json").read_bytes(), "snapshot.json")
    now = datetime.now(UTC)
    first, *others = seen.connections
    first = replace(first, scanned_at=now + late.get("scanned", timedelta()))
    made = now + late.get("generated", timedelta())
    (folder / name).write_bytes(
        encode(replace(seen, generated_at=made, connections=(first, *others)))
    )
    return folder / name


FUTURE = [
    ({"scanned": timedelta(days=1)}, f"the snapshot is from the future: {NAMES[0]}"),
    ({"generated": timedelta(days=1)}, "the snapshot is from the future: its `generated_at`"),
    ({"scanned": timedelta(minutes=1), "generated": timedelta(minutes=1)}, None),
]


@pytest.mark.parametrize(("late", "said"), FUTURE)
def test_what_is_from_the_future_is_not_fresh(fleet, late, said):
    """`--max-age` calls it incomplete, `merge` refuses it even with --keep-going and names the file; clocks may differ a little."""
    ahead = made_at(fleet, "ahead.json", **late)
    checked = check(fleet, "--max-age", "24h", "--only", NAMES[0], name="ahead.json")
    line = ("merge", fleet / "snapshot.json", ahead, "-o", fleet / "all.json", "--keep-going")
    merged = bfaudit(*line)

    assert (4 if said else 0) == checked.code, checked.err
    assert (2 if said else 0) == merged.code, merged.err
    if said:
        assert said in checked.err
        assert f"{ahead}: {said}" in " ".join(merged.err.split())
        assert "set the clock" in merged.err


class TestMerge:
    """Snapshots of several hosts."""

    def scan(self, folder, played, *entries, name):
        ran, _ = run(folder, played, *entries, command="scan", options=["-o", folder / name])
        return ran

    def test_hosts_that_hold_some_of_the_secrets(self, tmp_path):
        """What each could not see the other saw."""
        first = self.scan(tmp_path, scenario(key("ONE")), ONE, TWO, name="a.json")
        second = self.scan(tmp_path, scenario(key("TWO")), ONE, TWO, name="b.json")
        line = ["merge", tmp_path / "a.json", tmp_path / "b.json", "-o", tmp_path / "all.json"]
        merged = bfaudit(*line)
        ran = check(tmp_path, name="all.json")

        assert [4, 4] == [first.code, second.code]
        assert 0 == merged.code, merged.err
        assert 0 == ran.code, ran.out

    def test_conflicts(self, tmp_path):
        """2 and nothing written; the newest wins where that is wanted."""
        self.scan(tmp_path, scenario(key("ONE")), ONE, name="a.json")
        self.scan(tmp_path, scenario(replace(key("ELSE"), env="ONE")), ONE, name="b.json")
        out = tmp_path / "all.json"
        line = ["merge", tmp_path / "a.json", tmp_path / "b.json", "-o", out]
        refused = bfaudit(*line)
        written = out.exists()
        kept = bfaudit(*line, "--keep-going")
        newest = json.loads((tmp_path / "b.json").read_text("utf-8"))["connections"]

        assert (2, False) == (refused.code, written)
        assert f"conflict: {NAMES[0]}" in refused.err
        assert 0 == kept.code
        assert "conflict" in kept.err
        assert newest == json.loads(out.read_text("utf-8"))["connections"]

    def test_another_fingerprint_key(self, tmp_path):
        """One key in two snapshots is not recognised then: said so by merge and diff, and unknown in the audit."""
        shared = scenario(replace(key("ONE"), env=("ONE", "TWO")))
        for name, one, value in (
            ("a.json", ONE, "first"),
            ("b.json", TWO, "second"),
            ("c.json", TWO, "first"),
        ):
            with Sandbox(shared) as box:
                line = ["scan", manifest(tmp_path, one), "-o", tmp_path / name, *redirected(box)]
                env = {**box.environment, "BFAUDIT_FINGERPRINT_KEY": value}
                assert 0 == bfaudit(*line, **env).code
        a, b, c, out = (tmp_path / f"{name}.json" for name in ("a", "b", "c", "all"))
        refused = bfaudit("merge", a, b, "-o", out)
        written = out.exists()
        kept = bfaudit("merge", a, b, "-o", out, "--keep-going")
        unsure = check(tmp_path, "--format", "json", name="all.json")
        bfaudit("merge", a, c, "-o", out)
        sure = check(tmp_path, "--format", "json", name="all.json")
        outcomes = [
            {
                row["outcome"]
                for row in ran.json["results"]
                if row["rule"] == "unique-key-per-strategy"
            }
            for ran in (unsure, sure)
        ]
        diff = bfaudit("diff", b, c, "--fail-on-widened")
        same = bfaudit("diff", c, c, "--fail-on-widened")

        assert (2, False, 0) == (refused.code, written, kept.code)
        assert "incomparable" in refused.err
        assert "first" not in a.read_text("utf-8")
        assert [{"unknown"}, {"fail"}] == outcomes
        assert (4, 1) == (unsure.code, sure.code)
        assert (4, 0) == (diff.code, same.code)
        assert "incomparable" in diff.out
        assert "key-replaced" not in diff.out

    def test_an_altered_snapshot(self, fleet, tmp_path):
        """5, as everywhere."""
        text = (fleet / "snapshot.json").read_text("utf-8").replace("granted", "denied")
        (tmp_path / "edited.json").write_text(text, "utf-8")

        assert 5 == bfaudit("merge", fleet / "snapshot.json", tmp_path / "edited.json").code
        assert 2 == bfaudit("merge", tmp_path / "nowhere.json").code


class TestDeadKey:
    """A retired connection must not authenticate."""

    @pytest.mark.parametrize(
        ("given", "expected"), [({"state": "deleted"}, 4), ({}, 1), ({"wrong_secret": True}, 4)]
    )
    def test_codes(self, tmp_path, given, expected):
        """Unknown at this site, alive, and what shows nothing of the key."""
        ran, _ = run(tmp_path, scenario(key("OLD", **given)), OLD)

        assert expected == ran.code, ran.out + ran.err
        assert "retired-key-is-dead" in ran.out

    def test_a_key_that_lived_at_this_site_is_dead(self, tmp_path):
        """KuCoin says the same of a key of another of its sites; an earlier scan of this one tells which it is."""
        path, earlier = manifest(tmp_path, OLD), tmp_path / "earlier.json"
        with Sandbox(scenario(key("OLD"))) as box:
            port = int(box.url.rpartition(":")[2])
            bfaudit("scan", path, *redirected(box), "-o", earlier, **box.environment)
        with Sandbox(scenario(key("OLD", state="deleted")), port) as box:
            ran = bfaudit("audit", path, *redirected(box), "--previous", earlier, **box.environment)

        assert 0 == ran.code, ran.out + ran.err
        assert "unknown-here" in ran.out


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    git(folder, *who, "commit", "-qm", "a fleet")
