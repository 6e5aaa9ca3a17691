"""The project's own copy between repositories, as a program on the private machine.

``python -m tests.proof.copy_steps copy <registry> <region> <source> <target> <digest> <tag>`` copies an image and
prints what it did. With ``break`` in the place of ``copy``, it copies to ``<target>-1``, ``<target>-2`` … instead: each
copy is killed before its first, second … request to ECR and run again, until one ends before it is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import count
from typing import Any

from constructs_lib.delivery.operations.copy import copy_image
from constructs_lib.delivery.operations.registry import RepositoryAccess


def client(region: str) -> Any:
    """A client of the local cloud's ECR."""
    import boto3

    return boto3.client("ecr", region_name=region)


class Copy:
    """One image on its way from one repository to others."""

    def __init__(self, registry: str, region: str, source: str, digest: str, tag: str) -> None:
        self.registry, self.region, self.digest, self.tag = registry, region, digest, tag
        self.source = RepositoryAccess(ecr=client(region), registry=registry, name=source)

    def target(self, name: str) -> RepositoryAccess:
        return RepositoryAccess(ecr=client(self.region), registry=self.registry, name=name)

    def run(self, name: str) -> dict[str, Any]:
        """Copies; what it did."""
        done = copy_image(self.source, self.target(name), digest=self.digest, tags=[self.tag], say=lambda _: None)
        return asdict(done)

    def killed_at(self, name: str, number: int) -> str:
        """Copies in a process that is killed before its n-th request; the request, or nothing if it ended before."""
        read, write = os.pipe()
        if (child := os.fork()) == 0:
            calls = count(1)

            def before(model: Any, **_: Any) -> None:
                if next(calls) == number:
                    os.write(write, model.name.encode())
                    os.kill(os.getpid(), signal.SIGKILL)

            target = self.target(name)
            for ecr in (self.source.ecr, target.ecr):
                ecr.meta.events.register("before-call.ecr", before)
            copy_image(self.source, target, digest=self.digest, tags=[self.tag], say=lambda _: None)
            os._exit(0)
        os.close(write)
        _, status = os.waitpid(child, 0)
        with os.fdopen(read) as answer:
            request = answer.read()
        assert bool(request) == os.WIFSIGNALED(status), (request, status)
        return request

    def manifest(self, where: RepositoryAccess) -> str | None:
        """The manifest that a repository has for the image, by its tag."""
        answer = where.ecr.batch_get_image(repositoryName=where.name, imageIds=[{"imageTag": self.tag}])
        return answer["images"][0]["imageManifest"] if answer["images"] else None

    def complete(self, where: RepositoryAccess) -> bool:
        """Whether a repository has the image with all that belongs to it."""
        text = self.manifest(where)
        if text is None:
            return False
        manifest = json.loads(text)
        digests = [part["digest"] for part in (manifest["config"], *manifest["layers"])]
        answer = where.ecr.batch_check_layer_availability(repositoryName=where.name, layerDigests=digests)
        return [layer["layerAvailability"] for layer in answer["layers"]] == ["AVAILABLE"] * len(digests)

    def broken(self, target: str) -> Iterator[dict[str, Any]]:
        """For each request: what the target had when the copy was killed, and after the next one."""
        for number in count(1):
            where = self.target(f"{target}-{number}")
            where.ecr.create_repository(repositoryName=where.name, imageTagMutability="IMMUTABLE")
            request = self.killed_at(where.name, number)
            had, tagged = self.complete(where), self.manifest(where) is not None
            if not request:
                return
            self.run(where.name)
            same = self.manifest(where) == self.manifest(self.source)
            yield {"request": request, "tagged": tagged, "had": had, "has": self.complete(where), "same": same}


def main(what: str, registry: str, region: str, source: str, target: str, digest: str, tag: str) -> None:
    """Copies, and prints what happened as JSON."""
    copy = Copy(registry, region, source, digest, tag)
    sys.stdout.write(json.dumps(copy.run(target) if what == "copy" else list(copy.broken(target))))


if __name__ == "__main__":
    main(*sys.argv[1:])
