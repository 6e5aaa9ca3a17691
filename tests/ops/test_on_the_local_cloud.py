"""The commands as a person types them, in a process of their own, against the emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_cloud import control
from local_cloud.environment import client_environment
from tests.ops.conftest import forget_aws
from tests.ops.support import SHIELD, newest, policy

ROOT = Path(__file__).resolve().parents[2]
NAME = "shop/staging/web"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Cloud:
    """The emulator with a repository of two builds, pinned by nobody."""

    variables: dict[str, str]
    ecr: Any
    digests: list[str]

    def moorings(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "constructs_lib.ops", *map(str, arguments)]
        return subprocess.run(
            command, cwd=ROOT, env=self.variables, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("local-cloud")
    python = Path(os.environ.get("MOORINGS_LOCAL_CLOUD_PYTHON", control.DEFAULT_PYTHON))
    endpoint = control.start(folder, python=python, idle_minutes=10)
    try:
        variables = client_environment(
            endpoint, account="100000000900", region="eu-central-1", base=os.environ, state_dir=folder
        )
        with pytest.MonkeyPatch.context() as monkeypatch:
            forget_aws(monkeypatch)
            ecr = boto3.client(
                "ecr",
                endpoint_url=endpoint.url,
                region_name="eu-central-1",
                aws_access_key_id="100000000900",
                aws_secret_access_key="test",
            )
        ecr.create_repository(
            repositoryName=NAME,
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "pin-*"}],
        )
        ecr.put_lifecycle_policy(repositoryName=NAME, lifecyclePolicyText=policy(SHIELD, newest(10)))
        digests = []
        for number in (1, 2):
            layer = {"digest": f"sha256:{number:064x}", "size": 1, "mediaType": "application/octet-stream"}
            manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer]})
            put = ecr.put_image(
                repositoryName=NAME,
                imageManifest=manifest,
                imageManifestMediaType=MANIFEST,
                imageTag=f"staging-{number}",
            )
            digests.append(put["image"]["imageId"]["imageDigest"])
        yield Cloud(variables, ecr, digests)
    finally:
        assert control.stop(folder)


def test_images_verify_runs_and_says_that_it_proves_nothing(cloud: Cloud) -> None:
    """The canary moves, the previews that the emulator lacks are skipped, and the endpoint is called no AWS."""
    done = cloud.moorings("images", "verify", NAME, "--yes")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "the shield was not tried; 2 of 6 checks could not run" in done.stderr
    assert "is not AWS: what is seen there proves nothing about AWS." in done.stdout.splitlines()[1]
    results = [line.split()[0] for line in done.stdout.splitlines()[2:8]]
    assert results == ["OK", "OK", "SKIP", "OK", "OK", "SKIP"], done.stdout
    details = cloud.ecr.describe_images(repositoryName=NAME)["imageDetails"]
    assert sorted(tag for detail in details for tag in detail.get("imageTags", ())) == [
        "pin-verify-canary",
        "staging-1",
        "staging-2",
    ]
    assert len(details) == 2


def test_list_and_preview_run(cloud: Cloud, tmp_path: Path) -> None:
    """Both read the emulator's ECR, ECS, Scheduler, Step Functions and SSM; nothing is in use, so all is fine."""
    listed = cloud.moorings("images", "list", NAME, "--format", "json")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert {one["digest"] for one in json.loads(listed.stdout)["images"]} == set(cloud.digests)
    path = tmp_path / "policy.json"
    path.write_text(policy(newest(1)))
    previewed = cloud.moorings("images", "preview", NAME, "--policy", path, "--builds", "5")
    assert previewed.returncode == 0, previewed.stdout + previewed.stderr
    assert "of 2 images this policy would take" in previewed.stdout
