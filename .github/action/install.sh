#!/usr/bin/env bash
# Installs this revision of bfaudit: its dependencies by the hashes of the lock file, itself from this checkout.
# What runs is thus what the revision in `uses: ...@<revision>` says, and nothing newer.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv="${RUNNER_TEMP:?}/bfaudit"

"${PYTHON:-python3}" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$here/requirements.lock"
printf '#!/bin/sh\nPYTHONPATH=%q exec %q -m bfaudit "$@"\n' "$here" "$venv/bin/python" > "$venv/bin/bfaudit"
chmod +x "$venv/bin/bfaudit"
"$venv/bin/bfaudit" --version
