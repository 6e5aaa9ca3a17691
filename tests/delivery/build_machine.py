"""A machine that runs ``build.sh`` for real, as CodeBuild runs it; ``aws``, ``docker`` and ``date`` are stubs.

They record their calls, arguments and environment. The stub ``aws`` evaluates the real ``--query`` page by page, as the
AWS CLI does with text output.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from constructs_lib.delivery.buildspec import buildspec

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
URI = f"{HOST}/shop/staging/web"
NOW = datetime(2026, 4, 1, 10, 15, tzinfo=UTC)
TAG = f"staging-20260401T101500Z-{COMMIT[:12]}"
DIGEST, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
BASH = shutil.which("bash") or "bash"

AWS = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
import jmespath

state = json.loads(Path(os.environ["STATE"]).read_text())
args = sys.argv[1:]
with Path(os.environ["CALLS"]).open("a") as calls:
    calls.write("aws " + " ".join(args) + "\\n")
with Path(os.environ["SEEN"]).open("a") as seen:
    seen.write(json.dumps([sys.argv, dict(os.environ)]) + "\\n")
if args[:2] == ["s3", "cp"]:
    if state["bucket_fails"]:
        sys.exit("upload failed: An error occurred (AccessDenied)")
    Path(os.environ["WORK"], "stored").write_text(json.dumps([args[-1], Path(args[-2]).read_text()]))
    sys.exit()
if args[:2] == ["ecr", "get-login-password"]:
    if state["login_fails"]:
        sys.exit("AccessDeniedException")
    print("secret-token")
    sys.exit()
asked = "pushed" if "--image-ids" in args else "listing"
if state[asked + "_fails"]:
    sys.exit("An error occurred (AccessDeniedException) when calling the DescribeImages operation")
for page in state[asked]:
    result = jmespath.search(args[args.index("--query") + 1], {{"imageDetails": page}})
    for row in result if asked == "listing" else [result]:
        print("\\t".join("None" if cell is None else str(cell) for cell in row))
"""
DOCKER = f"""#!{sys.executable} -IS
import json, os, sys
from pathlib import Path

work, args = Path(os.environ["WORK"]), sys.argv[1:]
with (work / "calls").open("a") as calls:
    calls.write("docker " + " ".join(args) + "\\n")
with (work / "seen").open("a") as seen:
    seen.write(json.dumps([sys.argv, dict(os.environ)]) + "\\n")

def end(name):
    said, code = json.loads((work / "state").read_text())["docker"].get(name, ["", 0])
    (sys.stderr if code else sys.stdout).write(said)
    sys.exit(code)

if args[0] == "login":
    with (work / "calls").open("a") as calls:
        calls.write("on stdin: " + sys.stdin.read() + "\\n")
    end("login" if args[-1] != "--password-stdin" else "hub_login")
if args[:2] == ["build", "--help"]:
    sys.stdout.write((work / "build_help").read_text())
elif args[0] == "inspect":
    sys.stdout.write((work / "repo_digests").read_text())
elif args[0] == "create":
    print("c0ffee")
    end("create")
elif args[0] == "export":
    import io, tarfile
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as image:
        etc = tarfile.TarInfo("etc/os-release")
        etc.size = 4
        image.addfile(etc, io.BytesIO(b"test"))
    end("export")
elif args[0] == "run":
    mounts = dict(reversed(word.split(":")[:2]) for word in args if word.startswith("/") and ":" in word)
    given = dict(word.split("=", 1) for word in args if word.startswith("BUILDKIT"))
    source = Path(mounts[given["BUILDKIT_SCAN_SOURCE"]])
    name = Path(given["BUILDKIT_SCAN_SOURCE"]).name
    result = Path(mounts[given["BUILDKIT_SCAN_DESTINATION"]], name + ".spdx.json")
    if not json.loads((work / "state").read_text())["generator_is_silent"]:
        result.write_text("packages of " + (source / "etc/os-release").read_text())
    end("run")
else:
    end(args[0])
"""
# What CodeBuild does with a phase: one shell, one command after the other, stop at the first that fails.
CODEBUILD = """
for command in "$@"; do eval "$command"; code=$?; if [[ $code != 0 ]]; then exit "$code"; fi; done
printf 'exported %s %s\\n' "$BUILD_TAG" "$IMAGE_DIGEST"
"""


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    calls: list[str]
    seen: str
    """The arguments and the environment of every program that was started."""

    @property
    def exported(self) -> list[tuple[str, str]]:
        return [(m[1], m[2]) for m in re.finditer(r"^exported (\S+) (\S+)$", self.out, re.MULTILINE)]

    @property
    def programs(self) -> list[str]:
        return [" ".join(call.split()[: 3 if call.startswith("aws") else 2]) for call in self.calls]


@dataclass
class Machine:
    """A build machine with stub programs. Change its fields, then :meth:`run`."""

    work: Path
    listing: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])
    pushed: dict[str, Any] = field(
        default_factory=lambda: {"imageManifestMediaType": OCI, "imageTags": [TAG], "imageStatus": "ACTIVE"}
    )
    login_fails: bool = False
    listing_fails: bool = False
    pushed_fails: bool = False
    bucket_fails: bool = False
    generator_is_silent: bool = False
    docker: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What docker's commands say and end with, where it is not nothing and 0; ``hub_login`` is to Docker Hub."""

    push_log: str = f"1d0c: Pushed\n{TAG}: digest: {DIGEST} size: 528\n"
    build_help: str = "      --provenance string   Shorthand\n"
    repo_digests: str = f"{URI}@{DIGEST}\n"
    date: str = "20260401T101500Z"
    environment: str = "staging"
    dockerfile: str = "FROM scratch\n"
    variables: dict[str, str] = field(default_factory=dict)

    def run(self) -> Outcome:
        programs = {"aws": AWS, "docker": DOCKER, "date": f'#!/bin/sh\n[ "$1" = -u ] && echo {self.date}\n'}
        (self.work / "bin").mkdir(exist_ok=True)
        for name, text in programs.items():
            program = self.work / "bin" / name
            program.write_text(text)
            program.chmod(0o755)
        for name in ("build_help", "repo_digests"):
            (self.work / name).write_text(getattr(self, name))
        names = ("login_fails", "listing", "listing_fails", "pushed_fails", "bucket_fails", "generator_is_silent")
        state = {name: getattr(self, name) for name in names}
        said = {"push": (self.push_log, 0), **self.docker}
        (self.work / "state").write_text(json.dumps({**state, "pushed": [[self.pushed]], "docker": said}))
        for name in ("calls", "seen"):
            (self.work / name).write_text("")
        source = self.work / "source"
        source.mkdir(exist_ok=True)
        (source / "Dockerfile").write_text(self.dockerfile)
        spec: Any = buildspec()
        done = subprocess.run(
            [BASH, "-c", CODEBUILD, "codebuild", *spec["phases"]["build"]["commands"]],
            cwd=source,
            env={
                "PATH": f"{self.work / 'bin'}:/usr/bin:/bin",
                "TMPDIR": str(self.work),
                "WORK": str(self.work),
                "STATE": str(self.work / "state"),
                "CALLS": str(self.work / "calls"),
                "SEEN": str(self.work / "seen"),
                "REPOSITORY_URI": URI,
                "ENVIRONMENT_NAME": self.environment,
                "DOCKERFILE": "Dockerfile",
                "CONTEXT": ".",
                "PLATFORM": "linux/arm64",
                "REBUILD": "no",
                "CODEBUILD_RESOLVED_SOURCE_VERSION": COMMIT,
                **self.variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        calls, seen = (self.work / "calls").read_text(), (self.work / "seen").read_text()
        return Outcome(done.returncode, done.stdout, done.stderr, calls.splitlines(), seen)


def built(tag: str = TAG, **changes: Any) -> dict[str, Any]:
    """An image that ``DescribeImages`` lists."""
    return {"imageDigest": OLD, "imageManifestMediaType": OCI, "imageStatus": "ACTIVE", "imageTags": [tag], **changes}
