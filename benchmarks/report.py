"""How long each format takes and how much memory it needs, for 10,000 connections by 50 rules, beside orjson of the same data.

Each format runs in a process of its own; its peak is what it needs above the audit that it renders. `orjson` writes the
results alone, as dictionaries that exist already: the floor that no report can reach.
"""

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

import orjson
import yaml
from evaluate import NOW, fleet

from bfaudit import resources
from bfaudit.evaluate import evaluate
from bfaudit.formats import FORMATS, Format, Options
from bfaudit.model import Audit
from bfaudit.pieces import Piece
from bfaudit.policy.load import load

PLAIN = "orjson"


def policies(rules: int) -> list[Any]:
    """So many rules, by copies of the baseline."""
    base = yaml.safe_load((resources.policies() / "baseline.yaml").read_text("utf-8"))
    found: list[Any] = []
    made = 0
    while made < rules:
        number = len(found)
        # Names differ all over a fleet; one rule on them is realistic, five are not.
        some = [one for one in base["rules"] if not number or one["id"] != "name-is-clear"]
        some = [{**one, "id": f"copy{number}-{one['id']}"} for one in some[: rules - made]]
        head = {name: base[name] for name in ("apiVersion", "kind", "title")}
        text = yaml.safe_dump({**head, "id": f"copy{number}", "rules": some}, sort_keys=False)
        found += load([(f"copy{number}.yaml", text)])
        made += len(some)
    return found


def audit(connections: int, rules: int) -> Audit:
    return evaluate(fleet(connections), policies(rules), NOW)


def plain(judged: Audit) -> list[dict[str, Any]]:
    return [
        {
            "rule": one.rule.id,
            "severity": one.rule.severity.word,
            "connection": one.connection,
            "outcome": str(one.outcome),
            "message": one.judgement.message,
            "expected": one.judgement.expected,
            "actual": {seen.field: str(seen.value) for seen in one.judgement.observations},
            "fingerprint": one.fingerprint,
        }
        for one in judged.results
    ]


def written(form: Format, judged: Audit, options: Options) -> Iterable[Piece]:
    """A report as the command line writes it: in pieces, where it may be long."""
    if form.written is not None:
        return form.written(judged, options)
    text = form.render(judged, options)
    return [text.encode() if isinstance(text, str) else text]


def measure(name: str, connections: int, rules: int) -> None:
    judged = audit(connections, rules)
    options = Options(snapshot_digest=f"sha256:{'0' * 64}")
    rows = plain(judged) if name == PLAIN else []
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    pieces = [orjson.dumps(rows)] if name == PLAIN else written(FORMATS[name], judged, options)
    size = sum(len(bytes(piece)) for piece in pieces)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    told = {
        "format": name,
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": peak / 1024,
        "mb": size / 1e6,
    }
    print(json.dumps(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--rules", type=int, default=50)
    parser.add_argument("--format", action="append", help="only this one; may be repeated")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure(args.one, args.connections, args.rules)
        return
    printed = {name for name, made in FORMATS.items() if made.printed}
    size = ["--connections", str(args.connections), "--rules", str(args.rules)]
    print(f"{'format':<18} {'seconds':>8} {'CPU':>8} {'peak MB':>8} {'MB':>8}")
    for name in args.format or [PLAIN, *sorted(set(FORMATS) - printed)]:
        command = [sys.executable, __file__, "--one", name, *size]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row = json.loads(done.stdout)
        print(f"{name:<18} {row['seconds']:>8.2f} {row['cpu']:>8.2f} {row['peak_mb']:>8.0f} {row['mb']:>8.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
