#!/usr/bin/env bash
# Builds one image, pushes it to one repository, and is sure of its digest (lessons Q1, Q3).
#
# Reads   REPOSITORY_URI ENVIRONMENT_NAME DOCKERFILE CONTEXT PLATFORM   set by the project
#         REBUILD                                 "yes" builds a commit again that has an image already
#         CODEBUILD_RESOLVED_SOURCE_VERSION       set by CodeBuild: the commit
# Writes  BUILD_TAG and IMAGE_DIGEST to the file RESULT, as lines that a shell can read
set -euo pipefail
export AWS_PAGER="" BUILDX_NO_DEFAULT_ATTESTATIONS=1

fail() {
  printf 'moorings: %s\n' "$1" >&2
  exit 1
}

finish() { # digest tag
  printf 'export BUILD_TAG=%s\nexport IMAGE_DIGEST=%s\n' "$2" "$1" >"$RESULT"
  printf 'moorings: %s@%s (%s)\n' "$REPOSITORY_URI" "$1" "$2"
}

# A manifest of one image. An index would bring children that nothing pins, and ECR's basic scan refuses it.
is_single_manifest() { # media type
  [[ "$1" == application/vnd.oci.image.manifest.v1+json || "$1" == application/vnd.docker.distribution.manifest.v2+json ]]
}

# Prints "tag digest" of the newest good image of a commit, or nothing. Fails when ECR cannot be asked: that is not "none".
# The CLI follows the pages of the listing. Replies of older CLIs have no imageStatus, and then list ACTIVE images only.
built_before() { # commit
  local listing digest media tags tag best="" best_digest=""
  local query="imageDetails[?not_null(imageStatus, 'ACTIVE') == 'ACTIVE' && imageTags[?ends_with(@, '-$1')]]"
  listing="$(aws ecr describe-images --repository-name "$repository" --filter tagStatus=TAGGED \
    --query "$query.[imageDigest, imageManifestMediaType, join(' ', imageTags)]" --output text)" || return 1
  while read -r digest media tags; do
    is_single_manifest "$media" || continue
    for tag in $tags; do
      if [[ "$tag" =~ ^"$ENVIRONMENT_NAME"-[0-9]{8}T[0-9]{6}Z-"$1"$ && "$tag" > "$best" ]]; then
        best="$tag" best_digest="$digest"
      fi
    done
  done <<<"$listing"
  if [[ -n "$best" ]]; then printf '%s %s\n' "$best" "$best_digest"; fi
}

build_and_push() { # tag
  local image="$REPOSITORY_URI:$1" log options=() digest local_digests found media tagged status
  if [[ "$(docker build --help)" == *--provenance* ]]; then # a docker without buildx makes no attestations
    options=(--provenance=false --sbom=false)
  fi
  docker build "${options[@]}" --platform "$PLATFORM" --file "$DOCKERFILE" --tag "$image" "$CONTEXT" ||
    fail "the image could not be built: see docker's own message above"

  log="$(mktemp)"
  if ! docker push "$image" >"$log" 2>&1; then
    cat "$log" >&2
    if grep -q -i -e 'immutable' -e 'cannot be overwritten' "$log"; then
      fail "the tag $1 is taken in $repository and tags do not move: start the build again, it gets a new time"
    fi
    fail "the image could not be pushed to $REPOSITORY_URI: see docker's own message above"
  fi
  cat "$log"
  digest="$(sed -n 's/^.*digest: \(sha256:[0-9a-f]\{64\}\).*$/\1/p' "$log" | tail -n 1)"
  [[ -n "$digest" ]] || fail "docker push gave no digest, so this build cannot say what it made"

  local_digests="$(docker inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image")"
  found="$(sed -n "s|^$REPOSITORY_URI@||p" <<<"$local_digests")"
  [[ "$found" == "$digest" ]] ||
    fail "docker push said $digest, but the image here is known in $REPOSITORY_URI as '${found//$'\n'/ }'"

  found="$(aws ecr describe-images --repository-name "$repository" --image-ids "imageDigest=$digest" \
    --query "imageDetails[0].[imageManifestMediaType, contains(imageTags, '$1'), not_null(imageStatus, 'ACTIVE')]" \
    --output text)" ||
    fail "the registry does not know $digest, which was just pushed to $repository"
  read -r media tagged status <<<"$found"
  is_single_manifest "$media" ||
    fail "$digest is no single manifest but '$media': its children could expire while it is in use"
  [[ "$tagged" == True ]] || fail "the registry has $digest without the tag $1"
  [[ "$status" == ACTIVE ]] || fail "$digest is $status: restore it with \`aws ecr update-image-storage-class\` and build again"
  finish "$digest" "$1"
}

for variable in REPOSITORY_URI ENVIRONMENT_NAME DOCKERFILE CONTEXT PLATFORM RESULT; do
  [[ -n "${!variable:-}" ]] || fail "the variable $variable is not set; the BuildPipeline construct sets it"
done
repository="${REPOSITORY_URI#*/}" # its name: what follows the registry's host

commit="${CODEBUILD_RESOLVED_SOURCE_VERSION:-}"
[[ "$commit" =~ ^[0-9a-f]{40}([0-9a-f]{24})?$ ]] ||
  fail "'$commit' is no full commit id: start the build from the GitHub source, at a branch or a commit"
commit="${commit:0:12}"

before=""
if [[ "${REBUILD:-no}" != yes ]]; then
  before="$(built_before "$commit")" ||
    fail "the images in $repository could not be listed, so it is not known whether $commit is built already"
fi

if [[ -n "$before" ]]; then
  echo "moorings: $commit is built already and the image is ACTIVE; REBUILD=yes builds it again"
  finish "${before#* }" "${before% *}"
else
  [[ -f "$DOCKERFILE" ]] || fail "there is no file $DOCKERFILE in the source: set the construct's 'dockerfile'"
  [[ -d "$CONTEXT" ]] || fail "there is no folder $CONTEXT in the source: set the construct's 'context'"
  aws ecr get-login-password | docker login --username AWS --password-stdin "${REPOSITORY_URI%%/*}" ||
    fail "no login to ${REPOSITORY_URI%%/*}: the role needs ecr:GetAuthorizationToken"
  at="$(date -u +%Y%m%dT%H%M%SZ)"
  build_and_push "$ENVIRONMENT_NAME-$at-$commit"
fi
