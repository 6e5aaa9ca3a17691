#!/usr/bin/env bash
# The button of one service: the same command that a person runs in a terminal (lessons Q5, W4).
#
# Reads   PLACE                set by the project: application/environment/service
#         COMMAND              "release", "rollback" or "restart"
#         DIGEST               what to release: a digest, its first digits, or a build tag; empty for the newest build
#         TO                   what to roll back to: the same, or the number of a release; empty for the last good one
#         REASON               why a release shall not wait for the maintenance window; empty when it shall
#         CODEBUILD_SRC_DIR    set by CodeBuild: the package constructs_lib
#
# Whoever starts the build chooses these values. They reach the command as single words, and never as an option or shell.
set -euo pipefail

fail() {
  printf 'moorings: %s\n' "$1" >&2
  exit 2
}

only() { # variable command: it goes with this command and no other
  [[ -z "${!1:-}" || "$COMMAND" == "$2" ]] || fail "$1 goes with COMMAND=$2 only; leave it empty for a $COMMAND"
}

for variable in PLACE COMMAND CODEBUILD_SRC_DIR; do
  [[ -n "${!variable:-}" ]] || fail "the variable $variable is not set; the ReleasePipeline construct sets it"
done
case "$COMMAND" in
release | rollback | restart) ;;
*) fail "COMMAND must be release, rollback or restart, got '$COMMAND'" ;;
esac
only DIGEST release
only REASON release
only TO rollback
image='(sha256:)?[0-9a-f]{7,64}|[a-z][a-z0-9-]*-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}'
[[ -z "${DIGEST:-}" || "$DIGEST" =~ ^($image)$ ]] ||
  fail "DIGEST must be a digest, its first 7 digits or more, or a build tag, got '$DIGEST'"
[[ -z "${TO:-}" || "$TO" =~ ^($image|[1-9][0-9]{0,5})$ ]] ||
  fail "TO must be the number of a release, a digest, its first 7 digits or more, or a build tag, got '$TO'"

words=("$COMMAND" "$PLACE")
[[ -z "${DIGEST:-}" ]] || words+=("$DIGEST")
[[ -z "${TO:-}" ]] || words+=("--to=$TO")
[[ -z "${REASON:-}" ]] || words+=(--now "--reason=$REASON")

folder="$(mktemp -d)"
ln -s "$CODEBUILD_SRC_DIR" "$folder/constructs_lib"
cd "$folder" # nothing of the source is in the way of Python's own modules
PYTHONPATH="$folder" exec python3 -m constructs_lib.ops "${words[@]}"
