#!/usr/bin/env bash
# First use, as docs/first-use.md shows it: runs the commands and prints each before what it says.
# Runs in an empty folder. The installation is left out where bfaudit is installed already (BFAUDIT_INSTALLED=1).
set -uo pipefail

show() {
  printf '$ %s\n' "$1"
  eval "$1" 2>&1
  local code=$?
  [[ $code -eq 0 ]] || printf '[exit code %s]\n' "$code"
  echo
}

play() { # in the background, until the end of this script
  printf '$ %s &\n\n' "$1"
  eval "exec $1" > /dev/null 2>&1 &
  trap 'kill '"$!"' 2> /dev/null' EXIT # the shell keeps SIGINT from what it starts in the background
  for _ in $(seq 100); do
    [[ -s sandbox.env ]] && return
    sleep 0.1
  done
  echo "the sandbox did not start" >&2
  exit 1
}

port="${BFAUDIT_PORT:-8765}"

printf '$ pip install bfaudit\n\n'
if [[ -z "${BFAUDIT_INSTALLED:-}" ]]; then
  pip install --quiet "${BFAUDIT_SOURCE:-bfaudit}" || exit
fi
play "bfaudit sandbox --port $port --env-file sandbox.env"
show "bfaudit init --yes --ci none --exchange kucoin --strategy futures-conservative --server tokyo-1=203.0.113.10"
show "set -a; . ./sandbox.env; set +a"
show "bfaudit audit connections --quiet --exchange-url kucoin=http://127.0.0.1:$port/kucoin"
