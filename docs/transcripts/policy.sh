#!/usr/bin/env bash
# A policy of one's own, as docs/policy-tutorial.md shows it: scaffold, edit, test, mutate, judge.
# Runs in an empty folder, with SNAPSHOT naming a snapshot to judge.
set -uo pipefail

show() {
  printf '$ %s\n' "$1"
  eval "$1" 2>&1
  local code=$?
  [[ $code -eq 0 ]] || printf '[exit code %s]\n' "$code"
  echo
}

cp "$SNAPSHOT" snapshot.json
show "bfaudit policy new young-keys"
show "sed -i 's/default: 90/default: 30/; s/allowed: 90/allowed: 30/; s/91 days/31 days/' young-keys.yaml young-keys.cases.yaml"
show "sed -i 's/2026-08-24/2026-10-23/; s/2026-08-23/2026-10-22/' young-keys.cases.yaml"
show "sed -i 's/key.age_days <=/key.age_day <=/' young-keys.yaml"
show "bfaudit policy test . --coverage --mutate"
show "sed -i 's/key.age_day <=/key.age_days <=/' young-keys.yaml"
show "bfaudit policy test . --coverage --mutate"
show "bfaudit policy lint young-keys.yaml"
show "bfaudit check snapshot.json --policy young-keys.yaml --format markdown | grep -m 3 young-keys"
