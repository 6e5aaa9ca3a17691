"""An environment of the local cloud, and the release commands as a person types them, at a time that the test sets."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, TextIO

import boto3

from constructs_lib.delivery.ledger import ENDS, Entry
from constructs_lib.naming import build_tag, release_path
from constructs_lib.ops.cli import main
from constructs_lib.ops.outside import Outside, real
from demo.image import Behaviour, push, web_image
from stacks.config import EnvironmentConfig
from tests.e2e.conftest import Deployed

if TYPE_CHECKING:
    from boto3.session import Session

PAUSE_SECONDS = 0.25
"""How long a pause takes, however long it was meant to be."""


@dataclass
class Clock:
    """The real time, unless a test lets a pause take as long as it says without waiting for it."""

    fast: bool = False
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The time that commands see."""
        return datetime.now(UTC) + self.ahead

    def sleep(self, wanted: float) -> None:
        """A pause that is shorter than it should be."""
        really = min(wanted, PAUSE_SECONDS)
        time.sleep(really)
        self.ahead += timedelta(seconds=wanted - really) if self.fast else timedelta()


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    result: dict[str, Any]
    progress: str

    @property
    def release(self) -> dict[str, Any]:
        """The entry that it wrote."""
        found: dict[str, Any] = self.result["release"]
        return found


@cache
def session(region: str | None, profile: str | None) -> Session:
    """One session for all commands of this process: a new one reads AWS's models again, which costs a second."""
    return real().session(region, profile)


def world(clock: Clock, printed: TextIO, progress: TextIO) -> Outside:
    """The real world, but for the clock and for pauses."""
    return replace(real(), out=printed, err=progress, now=clock.now, sleep=clock.sleep, session=session)


class Place(Deployed):
    """One environment's only service, and its releases."""

    def __init__(self, config: EnvironmentConfig) -> None:
        super().__init__(config)
        self._builds = count()
        self._elbv2 = boto3.client("elbv2", region_name=config.region)
        self.name = f"{config.application}/{config.name}/{config.services[0].name}"
        self.path = release_path(config.application, config.name, config.services[0].name)

    def moorings(self, command: str, *words: str, place: str = "", clock: Clock | None = None) -> Said:
        """Runs ``moorings COMMAND <this place> …`` in this process."""
        printed, progress = io.StringIO(), io.StringIO()
        given = [command, place or self.name, *words, "--json", "--region", self.config.region]
        code = main(given, world(clock or Clock(), printed, progress))
        return Said(code=code, result=json.loads(printed.getvalue() or "{}"), progress=progress.getvalue())

    def build(self, version: str, behaviour: Behaviour = "") -> str:
        """What a build pushes: an image of its own digest, under a build tag; the digest."""
        commit = hashlib.sha256(version.encode()).hexdigest()[:40]
        image = web_image(commit, behaviour=behaviour)
        at = datetime(2026, 4, 1, tzinfo=UTC) + timedelta(seconds=next(self._builds))
        push(self.ecr, self.repository, image, build_tag(self.config.name, at, commit))
        return image.digest

    def history(self) -> list[dict[str, Any]]:
        """The ledger, newest first, as ``moorings history`` tells it."""
        entries: list[dict[str, Any]] = self.moorings("history").result["releases"]
        return entries

    def die_out(self) -> bool:
        """Lets the lease of an open entry end now, as if its minutes had passed; whether there was one."""
        newest = self.history()[0]
        if newest["state"] in ENDS:
            return False
        name = f"{self.path}/{newest['number']}"
        entry = Entry.from_json(self.ssm.get_parameter(Name=name)["Parameter"]["Value"])
        self.ssm.put_parameter(Name=name, Value=replace(entry, lease=datetime.now(UTC)).to_json(), Overwrite=True)
        return True

    def value(self) -> str:
        """The release parameter's value."""
        return self.ssm.get_parameter(Name=self.parameter)["Parameter"]["Value"]

    def pins(self) -> dict[str, str]:
        """Digests by the tags that keep images of releases."""
        details = self.ecr.describe_images(repositoryName=self.repository)["imageDetails"]
        return {
            tag: image["imageDigest"]
            for image in details
            for tag in image.get("imageTags", [])
            if tag.startswith("pin-release-")
        }

    def tags(self, digest: str) -> set[str]:
        """All tags of an image."""
        details = self.ecr.describe_images(repositoryName=self.repository)["imageDetails"]
        return {tag for image in details if image["imageDigest"] == digest for tag in image.get("imageTags", [])}

    def consistent(self) -> str:
        """The one digest that parameter, tasks, targets and pins agree on, with nothing open and nothing changing."""
        digest = self.value()
        assert self.status() in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
        assert self.digests() == {digest}
        assert digest in self.pins().values(), "what runs is pinned"
        desired, running = self.counts()
        assert desired == running > 0
        assert self.healthy() >= desired
        assert {entry["state"] for entry in self.history()} <= set(ENDS)
        return digest

    def task_arns(self) -> set[str]:
        """All running tasks."""
        cluster = self.resource("AWS::ECS::Cluster")
        return set(self.ecs.list_tasks(cluster=cluster, desiredStatus="RUNNING")["taskArns"])

    def healthy(self) -> int:
        """How many healthy targets there are."""
        group = self.resource("AWS::ElasticLoadBalancingV2::TargetGroup")
        targets = self._elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sum(target["TargetHealth"]["State"] == "healthy" for target in targets)


def story(entries: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Action, state and digest of each entry, oldest first."""
    return [(entry["action"], entry["state"], entry["digest"]) for entry in reversed(entries)]
