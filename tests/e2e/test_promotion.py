"""Promotion on the local cloud, as a person types it: between two repositories, and between two accounts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest

from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.settings import DeliverySettings, Upstream
from constructs_lib.naming import build_tag, delivery_settings_name, reader_role_name, release_path, repository_name
from demo.cloud import LocalCloud
from tests.fake_aws.ecr_layers import CONFIG, described, digest_of

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
BEGAN = datetime(2026, 4, 1, 12, tzinfo=UTC)
TAG = build_tag("staging", BEGAN, "0123456789abcdef")
WITHOUT_RICH = "import sys; sys.modules['rich'] = None; from constructs_lib.ops.cli import main; sys.exit(main())"

_accounts = count(500000000001)


@dataclass(frozen=True)
class Place:
    """An environment's repository in one account."""

    account: str
    environment: str

    @property
    def repository(self) -> str:
        return repository_name("shop", self.environment, "web")

    def client(self, name: str) -> Any:
        """A client with the account's key."""
        make: Any = boto3.client
        return make(name, region_name=REGION, aws_access_key_id=self.account, aws_secret_access_key="test")

    def upload(self, content: bytes) -> None:
        """Stores a layer that is not there."""
        ecr, named = self.client("ecr"), {"repositoryName": self.repository}
        (found,) = ecr.batch_check_layer_availability(**named, layerDigests=[digest_of(content)])["layers"]
        if found["layerAvailability"] == "AVAILABLE":
            return
        upload = ecr.initiate_layer_upload(**named)["uploadId"]
        ecr.upload_layer_part(
            **named, uploadId=upload, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content
        )
        ecr.complete_layer_upload(**named, uploadId=upload, layerDigests=[digest_of(content)])

    def push(self, *layers: bytes, tag: str | None) -> str:
        """Stores an image of these layers."""
        config = json.dumps({"os": "linux", "architecture": "arm64", "of": [digest_of(one) for one in layers]}).encode()
        for content in (config, *layers):
            self.upload(content)
        body = {"schemaVersion": 2, "config": described(config, CONFIG), "layers": [described(one) for one in layers]}
        return self.put(json.dumps(body, indent=1), MANIFEST, tag)

    def put(self, manifest: str, media_type: str, tag: str | None) -> str:
        """Stores a manifest."""
        named = {"imageTag": tag} if tag else {}
        self.client("ecr").put_image(
            repositoryName=self.repository, imageManifest=manifest, imageManifestMediaType=media_type, **named
        )
        return digest_of(manifest)

    def tags(self) -> dict[str, list[str]]:
        """The tags of each image."""
        details = self.client("ecr").describe_images(repositoryName=self.repository)["imageDetails"]
        return {detail["imageDigest"]: sorted(detail.get("imageTags", [])) for detail in details}

    def manifest(self, digest: str) -> str:
        """An image's manifest as ECR gives it."""
        found = self.client("ecr").batch_get_image(
            repositoryName=self.repository, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=[MANIFEST, INDEX]
        )
        text: str = found["images"][0]["imageManifest"]
        return text

    def layer(self, digest: str) -> bytes:
        """A layer's bytes, as a task would pull them."""
        ecr = self.client("ecr")
        url = ecr.get_download_url_for_layer(repositoryName=self.repository, layerDigest=digest)["downloadUrl"]
        with urlopen(url, timeout=20) as answer:  # noqa: S310  (the local cloud's)
            content: bytes = answer.read()
        return content


@dataclass(frozen=True)
class Two:
    """Staging and production, and the command line with production's credentials."""

    cloud: LocalCloud
    staging: Place
    production: Place

    def prepare(self) -> None:
        """Both repositories, and production's delivery settings."""
        for place in (self.staging, self.production):
            place.client("ecr").create_repository(
                repositoryName=place.repository,
                imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
                imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "pin-*"}],
            )
        account, role = self.staging.account, ""
        if account != self.production.account:
            role = f"arn:aws:iam::{account}:role/{reader_role_name('shop', 'staging')}"
        upstream = Upstream(
            environment="staging",
            account=account,
            region=REGION,
            repository=self.staging.repository,
            reader_role=role,
        )
        settings = DeliverySettings(
            application="shop",
            environment="production",
            service="web",
            account=self.production.account,
            region=REGION,
            stack="shop--production--services",
            role="",
            cluster="",
            ecs_service="",
            target_group="",
            repository=self.production.repository,
            platform="linux/arm64",
            upstream=upstream,
        )
        name = delivery_settings_name("shop", "production", "web")
        self.production.client("ssm").put_parameter(Name=name, Value=settings.to_json(), Type="String")

    def released(self, digest: str, number: int = 1) -> None:
        """The image ran in staging."""
        entry = Entry(
            number=number,
            action="release",
            state="successful",
            digest=digest,
            previous="none",
            who="jo",
            began=BEGAN,
            lease=BEGAN,
            ended=BEGAN,
        )
        self.staging.client("ssm").put_parameter(
            Name=f"{release_path('shop', 'staging', 'web')}/{number}", Value=entry.to_json(), Type="String"
        )

    def command(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """``moorings promote production …`` where rich is not installed, and its environment."""
        environment = self.cloud.environment(REGION) | {"AWS_ACCESS_KEY_ID": self.production.account}
        return [sys.executable, "-c", WITHOUT_RICH, "promote", "production", *words], environment

    def promote(self) -> Any:
        """Promotes; the answer for programs."""
        command, environment = self.command("--json")
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(params=[1, 2], ids=["one account", "two accounts"])
def two(request: pytest.FixtureRequest, cloud: LocalCloud) -> Two:
    """Both environments in one account, and each in its own; the accounts are this test's."""
    account = str(next(_accounts))
    other = account if request.param == 1 else str(next(_accounts))
    found = Two(cloud, Place(account, "staging"), Place(other, "production"))
    found.prepare()
    return found


def test_the_same_image_arrives_with_its_build_tag(two: Two) -> None:
    """Digest, manifest and every layer are equal, one larger than a part; pins stay; again changes nothing."""
    layers = [b"base", hashlib.shake_256(b"moorings").digest(11 * 1024 * 1024)]
    digest = two.staging.push(*layers, tag=TAG)
    two.staging.put(two.staging.manifest(digest), MANIFEST, "pin-use-abcdef-web-0")
    newer = two.staging.push(b"base2", tag=build_tag("staging", BEGAN, "fedcba9876543210"))
    two.released(digest)
    done = two.promote()
    assert (done["result"], done["digest"], done["build_tag"]) == ("promoted", digest, TAG)
    assert two.production.tags() == {digest: [TAG]}
    assert newer in two.staging.tags()
    manifest = two.production.manifest(digest)
    assert digest_of(manifest) == digest
    for layer in layers:
        assert two.production.layer(digest_of(layer)) == layer
    again = two.promote()
    assert (again["result"], again["digest"], again["layers_copied"], again["tags_put"]) == (
        "nothing to do",
        digest,
        0,
        [],
    )
    assert two.production.tags() == {digest: [TAG]}


def test_an_index_arrives_with_its_children(two: Two) -> None:
    """The children have no tags; the next build of the same base brings only what is new."""
    children = [two.staging.push(b"common", name, tag=None) for name in (b"arm64", b"amd64")]
    body = {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "digest": child} for child in children]}
    digest = two.staging.put(json.dumps(body), INDEX, TAG)
    two.released(digest)
    done = two.promote()
    assert (done["digest"], done["manifests_put"], done["layers_copied"]) == (digest, 3, 3)
    assert two.production.tags() == {digest: [TAG], children[0]: [], children[1]: []}
    for name in (digest, *children):
        assert two.production.manifest(name) == two.staging.manifest(name)
    assert not two.promote()["manifests_put"]
    next_tag = build_tag("staging", BEGAN, "fedcba9876543210")
    newer = two.staging.push(b"common", b"new", tag=next_tag)
    two.released(newer, 2)
    done = two.promote()
    assert (done["digest"], done["layers_copied"], done["layers_present"]) == (newer, 1, 1)


def test_a_promotion_that_was_killed_is_finished_by_the_next(two: Two) -> None:
    """SIGKILL in the middle of the layers: no image is there; what was copied is not copied again."""
    layers = [str(number).encode() * 1000 for number in range(20)]
    digest = two.staging.push(*layers, tag=TAG)
    two.released(digest)
    command, environment = two.command()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "layer 8 of 20" in line:
                running.kill()
                break
    assert two.production.tags() == {}
    done = two.promote()
    assert done["layers_present"] >= 7
    assert done["layers_copied"] + done["layers_present"] == 20
    assert two.production.tags() == {digest: [TAG]}
    for layer in layers:
        assert two.production.layer(digest_of(layer)) == layer
