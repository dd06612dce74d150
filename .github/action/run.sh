#!/usr/bin/env bash
# Runs bfaudit as the inputs of action.yml say: annotations to the log, SARIF to a file, Markdown to the step's summary.
# Inputs come by environment only, one item on each line, so that no input is ever read as code.
set -euo pipefail

bfaudit="${BFAUDIT_BIN:-${RUNNER_TEMP:?}/bfaudit/bin/bfaudit}"
command="${INPUT_COMMAND:-check}"
sarif="${INPUT_SARIF_FILE:-bfaudit.sarif}"
summary_limit=1000000 # GitHub refuses a step's summary beyond 1 MiB

arguments=()
add() { # add OPTION LINES: OPTION before each line; none where OPTION is empty
  local line
  while IFS= read -r line; do
    line="${line%$'\r'}"
    [[ -n "$line" ]] || continue
    [[ -z "$1" ]] || arguments+=("$1")
    arguments+=("$line")
  done <<< "$2"
}

case "$command" in
  check | audit | validate) ;;
  *)
    echo "::error title=bfaudit::command is check, audit or validate"
    exit 2
    ;;
esac

add --policy "${INPUT_POLICY:-}"
[[ -z "${INPUT_FAIL_ON:-}" || "$command" == validate ]] || arguments+=(--fail-on "$INPUT_FAIL_ON")
[[ -z "${INPUT_MAX_UNKNOWN:-}" || "$command" == validate ]] || arguments+=(--max-unknown "$INPUT_MAX_UNKNOWN")
add "" "${INPUT_ARGUMENTS:-}"

summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
if [[ "$command" != validate ]]; then
  arguments+=(--format github --output - --format sarif --output "$sarif" --format markdown --output "$summary")
fi
arguments+=(--)
add "" "${INPUT_PATHS:-}"

rm -f "$sarif" # a run that fails leaves no report of an earlier one
code=0
"$bfaudit" "$command" "${arguments[@]}" || code=$?

if [[ -s "$summary" && -n "${GITHUB_STEP_SUMMARY:-}" ]]; then
  head -c "$summary_limit" "$summary" >> "$GITHUB_STEP_SUMMARY"
  if (($(wc -c < "$summary") > summary_limit)); then
    printf '\n\nThe summary was cut here. The SARIF report holds everything.\n' >> "$GITHUB_STEP_SUMMARY"
  fi
fi
if [[ -n "${GITHUB_OUTPUT:-}" ]]; then
  {
    echo "exit-code=$code"
    [[ ! -s "$sarif" ]] || echo "sarif-file=$sarif"
  } >> "$GITHUB_OUTPUT"
fi
exit "$code"
