#!/usr/bin/env bash
# Builds one image, pushes it to one repository, and is sure of its digest (lessons Q1, Q3, Q6).
#
# Reads   REPOSITORY_URI ENVIRONMENT_NAME DOCKERFILE CONTEXT PLATFORM   set by the project
#         REBUILD                                 "yes" builds a commit again that has an image already
#         CODEBUILD_RESOLVED_SOURCE_VERSION       set by CodeBuild: the commit
#         DOCKER_HUB_SECRET DOCKER_HUB_USERNAME DOCKER_HUB_PASSWORD   a login to Docker Hub: the secret's name, its values
#         CACHE_PREFIX                            of ECR's pull-through cache; the Dockerfile gets DOCKER_HUB
#         SBOM_GENERATOR SBOM_BUCKET              an image of Docker Hub that lists what is in ours, and where to keep it
# Writes  BUILD_TAG and IMAGE_DIGEST to the file RESULT, as lines that a shell can read
set -euo pipefail
export AWS_PAGER="" BUILDX_NO_DEFAULT_ATTESTATIONS=1

fail() {
  printf 'moorings: %s\n' "$1" >&2
  exit 1
}

# Prints the sentence that belongs to the first pattern that a program's last words match, or else the last argument.
fault() { # words, then pairs of a pattern and a sentence, then the sentence for anything else
  local words="$1"
  shift
  while (($# > 1)); do
    if grep -q -i -E -e "$1" <<<"$words"; then break; fi
    shift 2
  done
  if (($# > 1)); then shift; fi
  printf '%s' "$1"
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

# The secret goes to docker by its stdin, so no process has it among its arguments: printf is a part of bash.
log_in() { # log user password [host]; without a host: to Docker Hub
  printf '%s' "$3" | docker login --username "$2" --password-stdin "${@:4}" 2>&1 | tee "$1"
}

log_out() { # docker keeps a login in a file, which a machine that is used again would have
  docker logout "$host" >/dev/null 2>&1 || :
  if [[ -n "${DOCKER_HUB_SECRET:-}" ]]; then docker logout >/dev/null 2>&1 || :; fi
}

log_in_to_registry() {
  local token log
  log="$(mktemp)"
  token="$(aws ecr get-login-password)" || fail "no login to $host: the role needs ecr:GetAuthorizationToken"
  log_in "$log" AWS "$token" "$host" || fail "$(fault "$(<"$log")" \
    'cannot connect to the docker daemon' "no docker runs here: the project's privileged mode must be on" \
    "no login to $host: it refused the token that ecr:GetAuthorizationToken gave; see docker's own message above")"
}

log_in_to_docker_hub() {
  local log
  [[ -n "$docker_hub_user" && -n "$docker_hub_password" ]] ||
    fail "the secret $DOCKER_HUB_SECRET gave no user or no password: it needs the keys 'username' and 'password'"
  log="$(mktemp)"
  log_in "$log" "$docker_hub_user" "$docker_hub_password" || fail "$(fault "$(<"$log")" \
    'incorrect username or password|unauthorized|access denied' \
    "Docker Hub refuses the user or the password in the secret $DOCKER_HUB_SECRET: make a new access token" \
    'toomanyrequests|too many requests' "Docker Hub limits logins at the moment: start the build again later" \
    "no login to Docker Hub with the secret $DOCKER_HUB_SECRET: see docker's own message above")"
}

# What the build ended with says why a base image could not be had. Other faults may be said by a program further up.
build_fault() { # log
  local limit denied absent
  limit="Docker Hub's limit for anonymous pulls is reached: set 'docker_hub' of the BuildPipeline"
  denied="a base image may not be pulled: is its name right, and is it public or is there a login for it?"
  absent="a base image does not exist: look at the FROM lines of $DOCKERFILE"
  if [[ -n "${DOCKER_HUB_SECRET:-}" ]]; then
    limit="Docker Hub's limit for the user in the secret $DOCKER_HUB_SECRET is reached: use a PullThroughCache"
    denied="a base image may not be pulled: may the user in the secret $DOCKER_HUB_SECRET pull it?"
  elif [[ -n "${CACHE_PREFIX:-}" ]]; then
    limit="a limit of pulls is reached: does $DOCKERFILE start every image of Docker Hub with \${DOCKER_HUB}/?"
    denied="a base image may not be pulled: is there a pull-through rule with the prefix $CACHE_PREFIX in $host,"
    denied+=" is its secret right, and is the image under it ('library/' for Docker's own)?"
    absent+="; there must be a pull-through rule with the prefix $CACHE_PREFIX in $host"
  fi
  fault "$(tail -n 2 "$1")" \
    'toomanyrequests|too many requests|pull rate limit' "$limit" \
    'no match(ing manifest)? for|does not match the specified platform' "$platform_fault" \
    'pull access denied|insufficient_scope|authorization failed|unauthorized|denied: |403 forbidden' "$denied" \
    'manifest( for)? .*(unknown|not found)|(failed to solve|failed to resolve).*: not found|repository .* does not exist' \
    "$absent" \
    "$(fault "$(<"$1")" \
      'no space left on device' "the disk is full: leave out files with .dockerignore, or set a larger 'compute'" \
      'exec format error' "$platform_fault" \
      "the image could not be built: see docker's own message above")"
}

push_fault() { # log tag
  fault "$(<"$1")" \
    'immutable|cannot be overwritten' \
    "the tag $2 is taken in $repository and tags do not move: start the build again, it gets a new time" \
    'no basic auth credentials|token has expired|unauthorized|authentication required' \
    "the image could not be pushed to $REPOSITORY_URI: the login is missing or over; start the build again" \
    'name unknown|repository .* does not exist' "there is no repository $repository in $host" \
    'denied|not authorized|forbidden' \
    "the image could not be pushed to $REPOSITORY_URI: the registry refuses this role; it may push to its own only" \
    'toomanyrequests|too many requests|rate exceeded' "ECR limits requests at the moment: start the build again" \
    'no space left on device' "the disk is full: set a larger 'compute'" \
    "the image could not be pushed to $REPOSITORY_URI: see docker's own message above"
}

# BuildKit's protocol for generators, with plain docker: an attestation would make the image an index. It comes before
# the push, so no image of this environment is without its list.
keep_sbom() { # image tag
  local work container
  work="$(mktemp -d)"
  mkdir "$work/image" "$work/out"
  container="$(docker create --platform "$PLATFORM" "$1" sbom)" || fail "no container of $1 could be made to list it"
  docker export "$container" | tar -x -C "$work/image" || fail "the files of $1 could not be taken out to list them"
  docker rm "$container" >/dev/null
  docker run --rm --network none --tmpfs /tmp --env BUILDKIT_SCAN_SOURCE=/run/image \
    --env BUILDKIT_SCAN_DESTINATION=/run/out --volume "$work/image:/run/image:ro" --volume "$work/out:/run/out" \
    "$hub/$SBOM_GENERATOR" || fail "$SBOM_GENERATOR could not list what is in the image: see the message above"
  [[ -s "$work/out/image.spdx.json" ]] || fail "$SBOM_GENERATOR wrote no image.spdx.json: is it an SBOM generator?"
  aws s3 cp --only-show-errors "$work/out/image.spdx.json" "s3://$SBOM_BUCKET/$repository/$2.spdx.json" ||
    fail "the SBOM could not be written to $SBOM_BUCKET: the role needs s3:PutObject there, and its key"
  rm -rf "$work"
}

build_and_push() { # tag
  local image="$REPOSITORY_URI:$1" log options=() digest local_digests found media tagged status
  if [[ "$(docker build --help)" == *--provenance* ]]; then # a docker without buildx makes no attestations
    options=(--provenance=false --sbom=false)
  fi
  if [[ -n "${CACHE_PREFIX:-}" ]]; then
    options+=(--build-arg "DOCKER_HUB=$hub")
    grep -q DOCKER_HUB "$DOCKERFILE" ||
      echo "moorings: $DOCKERFILE does not use DOCKER_HUB, so what it takes from Docker Hub comes without the cache"
  fi
  log="$(mktemp)"
  docker build "${options[@]}" --platform "$PLATFORM" --file "$DOCKERFILE" --tag "$image" "$CONTEXT" 2>&1 |
    tee "$log" || fail "$(build_fault "$log")"
  if [[ -n "${SBOM_GENERATOR:-}" ]]; then keep_sbom "$image" "$1"; fi
  docker push "$image" 2>&1 | tee "$log" || fail "$(push_fault "$log" "$1")"
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

docker_hub_user="${DOCKER_HUB_USERNAME:-}" docker_hub_password="${DOCKER_HUB_PASSWORD:-}"
unset DOCKER_HUB_USERNAME DOCKER_HUB_PASSWORD # no program that is started from here on has them

for variable in REPOSITORY_URI ENVIRONMENT_NAME DOCKERFILE CONTEXT PLATFORM RESULT; do
  [[ -n "${!variable:-}" ]] || fail "the variable $variable is not set; the BuildPipeline construct sets it"
done
repository="${REPOSITORY_URI#*/}" # its name: what follows the registry's host
host="${REPOSITORY_URI%%/*}"
hub="${CACHE_PREFIX:+$host/$CACHE_PREFIX}" # where images of Docker Hub come from
hub="${hub:-docker.io}"
platform_fault="something in the image is for another processor than $PLATFORM: take base images that exist for it,"
platform_fault+=" or set the 'architecture' of the build and of the service"

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
  trap log_out EXIT
  log_in_to_registry
  if [[ -n "${DOCKER_HUB_SECRET:-}" ]]; then log_in_to_docker_hub; fi
  at="$(date -u +%Y%m%dT%H%M%SZ)"
  build_and_push "$ENVIRONMENT_NAME-$at-$commit"
fi
