"""One environment's repository and build, deployed to the private machine's cloud, and what can be done with them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from constructs_lib.naming import build_project_name, repository_name

from .machine import REGISTRY, Docker, Machine

REPOSITORY = repository_name("shop", "staging", "web")
PROJECT = build_project_name("shop", "staging", "web")
URI = f"{REGISTRY}/{REPOSITORY}"
FRONT_URI = f"{REGISTRY}:81/{REPOSITORY}"
"""The same repository, by way of front.py."""

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
SINGLE = {DOCKER_MANIFEST, OCI_MANIFEST}
ADDRESS = "127.0.0.1:8080"
DOCKERFILE = f"""
FROM scratch
COPY busybox /bin/busybox
COPY index.html /www/index.html
USER 65534:65534
ENTRYPOINT ["/bin/busybox", "httpd", "-f", "-p", "{ADDRESS}", "-h", "/www"]
"""
# What CodeBuild does with a phase: one shell, one command after the other, stop at the first that fails.
CODEBUILD = """
for command in "$@"; do eval "$command"; code=$?; if [[ $code != 0 ]]; then exit "$code"; fi; done
printf 'exported %s %s\\n' "$BUILD_TAG" "$IMAGE_DIGEST"
"""


def commit(name: str) -> str:
    """A full commit id, another one for each name."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Build:
    """How a build ended, and what it exported."""

    code: int
    said: str
    tag: str
    digest: str


@dataclass(frozen=True)
class Shop:
    """One environment's repository and CodeBuild project, as the cloud has them after the deployment."""

    machine: Machine
    project: dict[str, Any]

    def build(
        self,
        commit: str,
        docker: Docker | None,
        *,
        rebuild: bool = False,
        text: str | None = None,
        variables: Mapping[str, str] | None = None,
        dockerfile: str = DOCKERFILE,
    ) -> Build:
        """Run the project's own buildspec on a commit whose image answers with `text`, by default the commit.

        Without a docker, whoever calls it fails.
        """
        more = {**({"REBUILD": "yes"} if rebuild else {}), **(variables or {})}
        process = self.start(commit, docker, text=text, variables=more, dockerfile=dockerfile)
        said = process.communicate(timeout=120)[0]
        exported = re.search(r"^exported (\S+) (\S+)$", said, re.MULTILINE)
        tag, digest = exported.groups() if exported else ("", "")
        return Build(process.returncode, said, tag, digest)

    def start(
        self,
        commit: str,
        docker: Docker | None,
        *,
        text: str | None = None,
        variables: Mapping[str, str] | None = None,
        dockerfile: str = DOCKERFILE,
    ) -> subprocess.Popen[str]:
        """A build that is under way."""
        source = self.machine.work / "source"
        source.mkdir(exist_ok=True)
        (source / "Dockerfile").write_text(dockerfile)
        (source / "index.html").write_text(text or commit)
        (source / "busybox").write_bytes(Path(self.machine.run("which", "busybox").stdout.strip()).read_bytes())
        (source / "busybox").chmod(0o755)
        declared = self.project["environment"]["environmentVariables"]
        spec = json.loads(self.project["source"]["buildspec"])
        return self.machine.start(
            *("bash", "-c", CODEBUILD, "codebuild", *spec["phases"]["build"]["commands"]),
            env={
                **{variable["name"]: variable["value"] for variable in declared},
                "CODEBUILD_RESOLVED_SOURCE_VERSION": commit,
                "DOCKER_HOST": docker.host if docker else "unix:///nonexistent",
                **(variables or {}),
            },
            cwd=source,
        )

    def kill(self, build: subprocess.Popen[str]) -> None:
        """End a build and all that it started, at once, as a lost machine does."""
        os.killpg(build.pid, signal.SIGKILL)
        build.communicate(timeout=30)

    def images(self) -> dict[str, dict[str, Any]]:
        """All images of the repository by digest."""
        listed = self.machine.aws("ecr", "describe-images", "--repository-name", REPOSITORY)["imageDetails"]
        return {image["imageDigest"]: image for image in listed}

    def manifest(self, digest: str) -> str:
        """The manifest that the registry has under a digest, byte for byte."""
        (image,) = self.machine.aws(
            *("ecr", "batch-get-image", "--repository-name", REPOSITORY, "--image-ids", f"imageDigest={digest}"),
            *("--accepted-media-types", *sorted(SINGLE)),
        )["images"]
        return str(image["imageManifest"])

    def put(self, manifest: dict[str, Any], tag: str | None = None) -> str:
        """Put a manifest into the repository; its digest."""
        answer = self.machine.aws(
            *("ecr", "put-image", "--repository-name", REPOSITORY, "--image-manifest", json.dumps(manifest)),
            *("--image-manifest-media-type", manifest["mediaType"], *(["--image-tag", tag] if tag else [])),
        )
        return str(answer["image"]["imageId"]["imageDigest"])

    def expire(self, digest: str) -> None:
        """Do what a lifecycle policy does to an image that it no longer wants."""
        image = f"imageDigest={digest}"
        self.machine.aws("ecr", "batch-delete-image", "--repository-name", REPOSITORY, "--image-ids", image)
