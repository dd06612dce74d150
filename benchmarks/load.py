"""How fast a fleet is read: `bfaudit` beside PyYAML with jsonschema, and beside check-jsonschema where it is installed.

Every case is a process of its own; cases take turns; a figure is the median of its repetitions, imports included for
check-jsonschema only, which is a program. bfaudit does more: it keeps a line and column for every node, refuses what
looks like a secret, resolves servers, and finds names used twice.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = {
    "bfaudit": """
import sys, time
from bfaudit import exchanges
from bfaudit.manifest import load
known = exchanges.credentials_of()
load([sys.argv[2]], known)
started = time.perf_counter()
loaded = load([sys.argv[1]], known)
print(time.perf_counter() - started)
assert len(loaded.connections) == int(sys.argv[3]) and not loaded.problems
""",
    "PyYAML CSafeLoader, jsonschema": """
import json, sys, time, yaml, jsonschema
from pathlib import Path
import bfaudit
schema = json.loads((Path(bfaudit.__file__).parent / "schemas" / "manifest.schema.json").read_text())
validator = jsonschema.Draft202012Validator(schema)
started = time.perf_counter()
with open(sys.argv[1]) as file:
    data = yaml.load(file, yaml.CSafeLoader)
errors = list(validator.iter_errors(data))
print(time.perf_counter() - started)
assert len(data["connections"]) == int(sys.argv[3]) and not errors
""",
}


def fleet(connections: int) -> str:
    """A manifest of a realistic variety."""
    lines = [
        "apiVersion: bfaudit/v1",
        "kind: Manifest",
        "servers:",
        "  frankfurt: [203.0.113.7, 203.0.113.8]",
        "  helsinki: [198.51.100.0/29]",
        "connections:",
    ]
    exchanges = ("mexc", "kucoin", "binance", "okx", "bybit")
    for number in range(connections):
        exchange = exchanges[number % len(exchanges)]
        lines += [
            f"  - name: {exchange} Spot {number}",
            f"    exchange: {exchange}",
            f"    account: client-{number // 3}",
            f"    strategy: grid-{number % 40}",
            f"    requires: [read, trade{', futures' if number % 4 == 0 else ''}]",
            f"    servers: [{'frankfurt' if number % 2 else 'helsinki'}]",
            "    credentials:",
            f"      key: env:KEY_{number}",
            f"      secret: env:SECRET_{number}",
            *([f"      passphrase: env:PASS_{number}"] if exchange in ("kucoin", "okx") else []),
            f"    owner: desk-{number % 12}@example.org",
            "    environment: production",
            f"    tags: [team-{number % 7}, tier-{number % 3}]",
        ]
    return "\n".join(lines) + "\n"


def measured(case: str, path: Path, small: Path, connections: int) -> float:
    command = [sys.executable, "-c", CASES[case], str(path), str(small), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return float(done.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=3)
    args = parser.parse_args()
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder) / "fleet.yaml", Path(folder) / "small.yaml"
        path.write_text(fleet(args.connections), "utf-8")
        small.write_text(fleet(2), "utf-8")
        size = path.stat().st_size / 1e6
        for _ in range(args.repetitions):
            for case in CASES:
                found.setdefault(case, []).append(measured(case, path, small, args.connections))
            if program := shutil.which("check-jsonschema", path=str(Path(sys.executable).parent)):
                found.setdefault("check-jsonschema", []).append(checked(program, path))
    medians = {case: statistics.median(times) for case, times in found.items()}
    print(f"{args.connections:,} connections, {size:.1f} MB of YAML")
    for case, seconds in medians.items():
        print(f"{case:32}{seconds:8.2f} s{seconds / medians['bfaudit']:9.1f} times bfaudit")
    print(json.dumps(medians))
    return 0


def checked(program: str, path: Path) -> float:
    import time

    import bfaudit

    schema = Path(bfaudit.__file__).parent / "schemas" / "manifest.schema.json"
    started = time.perf_counter()
    subprocess.run(
        [program, "--schemafile", str(schema), str(path)],
        check=True,
        capture_output=True,
        timeout=600,
    )
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
