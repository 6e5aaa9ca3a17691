#!/usr/bin/env bash
# Takes an image into this environment: the same command that a person runs in a terminal (lessons Q1, Q7).
#
# Reads   PLACE                set by the project: application/environment/service
#         DIGEST               which image; empty for the one that the environment before runs
#         CODEBUILD_SRC_DIR    set by CodeBuild: the package constructs_lib
# Writes  BUILD_TAG and IMAGE_DIGEST to the file RESULT, as lines that a shell can read
set -euo pipefail

fail() {
  printf 'moorings: %s\n' "$1" >&2
  exit 2
}

for variable in PLACE RESULT CODEBUILD_SRC_DIR; do
  [[ -n "${!variable:-}" ]] || fail "the variable $variable is not set; the PromotionPipeline construct sets it"
done
image='(sha256:)?[0-9a-f]{7,64}|[a-z][a-z0-9-]*-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}'
[[ -z "${DIGEST:-}" || "$DIGEST" =~ ^($image)$ ]] ||
  fail "DIGEST must be a digest, its first 7 digits or more, or a build tag, got '$DIGEST'"

words=("$PLACE")
[[ -z "${DIGEST:-}" ]] || words+=("$DIGEST")

folder="$(mktemp -d)"
ln -s "$CODEBUILD_SRC_DIR" "$folder/constructs_lib"
cd "$folder" # nothing of the source is in the way of Python's own modules
PYTHONPATH="$folder" python3 -m constructs_lib.ops promote "${words[@]}" --json >answer.json
python3 - answer.json >exports <<'PYTHON'
import json, re, sys

answer = json.load(open(sys.argv[1], encoding="utf-8"))
digest, tag = answer["digest"], answer["build_tag"]
if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest) or not re.fullmatch(r"[\w.-]{0,128}", tag):
    sys.exit(f"moorings: the promotion gave no digest and tag, but {digest!r} and {tag!r}")
print(f"export BUILD_TAG={tag}\nexport IMAGE_DIGEST={digest}")
PYTHON
cp exports "$RESULT"
cat exports
