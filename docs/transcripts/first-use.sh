#!/usr/bin/env bash
# First use, as docs/first-use.md shows it: runs the commands and prints each before what it says, and how long it took.
# Runs in an empty folder. The installation is left out where bfaudit is installed already (BFAUDIT_INSTALLED=1).
# `make first-use` runs it with the wheel in a new environment, and writes the page.
set -uo pipefail

show() {
  printf '$ %s\n' "$1"
  local began=$EPOCHREALTIME
  eval "$1" 2>&1
  local code=$?
  [[ $code -eq 0 ]] || printf '[exit code %s]\n' "$code"
  took "$began"
}

took() { # since a time in seconds, of which the locale chooses the point
  local tenths=$(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 100000))
  printf '[took %d.%d s]\n\n' $((tenths / 10)) $((tenths % 10))
}

play() { # in the background, until the end of this script
  printf '$ %s &\n' "$1"
  local began=$EPOCHREALTIME
  eval "exec $1" > /dev/null 2>&1 &
  trap 'kill '"$!"' 2> /dev/null' EXIT # the shell keeps SIGINT from what it starts in the background
  for _ in $(seq 100); do
    [[ -s sandbox.env ]] && took "$began" && return
    sleep 0.1
  done
  echo "the sandbox did not start" >&2
  exit 1
}

port="${BFAUDIT_PORT:-8765}"

printf '$ pip install bfaudit\n'
began=$EPOCHREALTIME
if [[ -z "${BFAUDIT_INSTALLED:-}" ]]; then
  pip install --quiet --disable-pip-version-check "${BFAUDIT_SOURCE:-bfaudit}" || exit
fi
took "$began"
play "bfaudit sandbox --port $port --env-file sandbox.env"
show "bfaudit init --yes --ci none --exchange kucoin --strategy futures-conservative --server tokyo-1=203.0.113.10"
show "set -a; . ./sandbox.env; set +a"
show "bfaudit audit connections --quiet --exchange-url kucoin=http://127.0.0.1:$port/kucoin"
