"""A wrong value fails with one sentence that names it and the fix, before Node starts."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from constructs_lib.architecture import check_architecture
from constructs_lib.delivery.policy import (
    BuildLimits,
    DockerHubLogin,
    GitHubSource,
    PullThroughCache,
    Sbom,
    check_project_name,
    check_source_path,
)

CONNECTION = "arn:aws:codeconnections:eu-west-1:111122223333:connection/84941bd4-6795-4871-99f6-e2e4697138da"
TOKEN = "${Token[AWS.Region.4]}"


def source(**changes: Any) -> GitHubSource:
    return GitHubSource(**{"owner": "example", "repository": "shop", **changes})


def test_a_source_needs_an_owner_and_a_repository_only() -> None:
    assert source() == GitHubSource(owner="example", repository="shop", branch="main", connection_arn=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": "a"},
        {"owner": "example-2"},
        {"repository": "shop.web_1-x"},
        {"branch": "release/1.0"},
        {"branch": "_x"},
        {"branch": "fix.locks"},
        {"connection_arn": CONNECTION},
        {"connection_arn": CONNECTION.replace("codeconnections", "codestar-connections")},
        {"connection_arn": CONNECTION.replace("arn:aws:", "arn:aws-us-gov:")},
    ],
)
def test_a_source_takes_what_github_and_aws_allow(changes: dict[str, str]) -> None:
    source(**changes)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"owner": ""}, "owner"),
        ({"owner": "-a"}, "owner"),
        ({"owner": "a--b"}, "owner"),
        ({"owner": "a" * 40}, "owner"),
        ({"owner": "a/b"}, "owner"),
        ({"owner": TOKEN}, "owner"),
        ({"repository": "shop.git"}, "repository"),
        ({"repository": ".."}, "repository"),
        ({"repository": "a/b"}, "repository"),
        ({"repository": TOKEN}, "repository"),
        ({"branch": ""}, "branch"),
        ({"branch": "refs/heads/main"}, "branch"),
        ({"branch": "release/*"}, "branch"),
        ({"branch": "a..b"}, "branch"),
        ({"branch": "a//b"}, "branch"),
        ({"branch": "a/"}, "branch"),
        ({"branch": "a."}, "branch"),
        ({"branch": "a/.b"}, "branch"),
        ({"branch": "a.lock"}, "branch"),
        ({"branch": "-x"}, "branch"),
        ({"branch": "a b"}, "branch"),
        ({"branch": TOKEN}, "branch"),
        ({"connection_arn": ""}, "connection_arn"),
        ({"connection_arn": TOKEN}, "connection_arn"),
        ({"connection_arn": CONNECTION + "/*"}, "connection_arn"),
        ({"connection_arn": CONNECTION.replace(":connection/", ":host/")}, "connection_arn"),
        ({"connection_arn": "arn:aws:codeconnections:eu-west-1:111122223333:connection/*"}, "connection_arn"),
    ],
)
def test_a_source_refuses_what_cannot_be_built(changes: dict[str, str], what: str) -> None:
    with pytest.raises(ValueError, match=rf"^{what} must be .*, got .*; .+"):
        source(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"build_minutes": 4},
        {"build_minutes": 2161},
        {"build_minutes": 5.5},
        {"build_minutes": True},
        {"build_minutes": -1.888e289},
        {"queued_minutes": 4},
        {"queued_minutes": 481},
        {"compute": "huge"},
        {"retention_days": 91},
    ],
)
def test_limits_refuse_what_codebuild_refuses(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=rf"^{next(iter(changes))} must be .*, got .*; .+"):
        BuildLimits(**changes)


def test_limits_take_the_ends_of_their_ranges() -> None:
    BuildLimits(build_minutes=5, queued_minutes=5)
    BuildLimits(build_minutes=2160, queued_minutes=480, compute="large", retention_days=3653)


@pytest.mark.parametrize("name", ["docker-hub", "shop/docker_hub.reader+1=2@x", "a" * 512])
def test_a_login_takes_the_name_of_a_secret(name: str) -> None:
    """All that Secrets Manager takes."""
    assert DockerHubLogin(secret_name=name).secret_name == name


@pytest.mark.parametrize(
    "name", ["", "a:b", "arn:aws:secretsmanager:eu-west-1:1:secret:a-123456", "a b", "a*", "a?", "a" * 513, TOKEN]
)
def test_a_login_takes_nothing_else(name: str) -> None:
    """A colon would name another key to CodeBuild, and a wildcard another secret to IAM."""
    with pytest.raises(ValueError, match=r"^secret_name must be .*, got .*; .+"):
        DockerHubLogin(secret_name=name)


@pytest.mark.parametrize("prefix", ["docker-hub", "ab", "team/docker.hub", "a__b", "a--b", "a" * 30])
def test_a_cache_takes_a_prefix_that_ecr_takes(prefix: str) -> None:
    """``PullThroughCacheRuleRepositoryPrefix`` in ECR's API model."""
    assert PullThroughCache(prefix=prefix).prefix == prefix


@pytest.mark.parametrize("prefix", ["", "a", "ROOT", "Hub", "hub/", "/hub", "hub/*", "a..b", "*", "a" * 31, TOKEN])
def test_a_cache_takes_no_other_prefix(prefix: str) -> None:
    """Not the root of the registry either: the build could then read and make every repository."""
    with pytest.raises(ValueError, match=r"^prefix must be .*, got .*; .+"):
        PullThroughCache(prefix=prefix)


GENERATOR = "docker/buildkit-syft-scanner@sha256:" + "a" * 64


@pytest.mark.parametrize("generator", [GENERATOR, GENERATOR.replace("@", ":stable-1.0@"), GENERATOR.replace("-", "__")])
def test_an_sbom_takes_an_image_of_docker_hub_by_its_digest(generator: str) -> None:
    """With or without a tag before the digest."""
    assert Sbom(generator=generator, bucket_name="sboms").generator == generator


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"generator": ""}, "generator"),
        ({"generator": "docker/buildkit-syft-scanner"}, "generator"),
        ({"generator": "docker/buildkit-syft-scanner:stable-1"}, "generator"),
        ({"generator": GENERATOR[:-1]}, "generator"),
        ({"generator": GENERATOR.split("/")[1]}, "generator"),
        ({"generator": f"docker.io/{GENERATOR}"}, "generator"),
        ({"generator": "ghcr.io/" + GENERATOR.split("/")[1]}, "generator"),
        ({"generator": f"{GENERATOR} --privileged"}, "generator"),
        ({"generator": TOKEN}, "generator"),
        ({"bucket_name": ""}, "bucket_name"),
        ({"bucket_name": "ab"}, "bucket_name"),
        ({"bucket_name": "s3://sboms"}, "bucket_name"),
        ({"bucket_name": "sboms/*"}, "bucket_name"),
        ({"bucket_name": "arn:aws:s3:::sboms"}, "bucket_name"),
        ({"bucket_name": TOKEN}, "bucket_name"),
    ],
)
def test_an_sbom_refuses_what_could_change_or_cannot_be(changes: dict[str, str], what: str) -> None:
    """A generator without a digest could be another one tomorrow."""
    with pytest.raises(ValueError, match=rf"^{what} must be .*, got .*; .+"):
        Sbom(**{"generator": GENERATOR, "bucket_name": "sboms", **changes})


@pytest.mark.parametrize("path", ["Dockerfile", ".", "services/web/Dockerfile", "./docker", ".docker/a_b-c.1", "a..b"])
def test_a_path_inside_the_source_is_taken(path: str) -> None:
    check_source_path("dockerfile", path)


@pytest.mark.parametrize("path", ["", "/etc", "-f", "../x", "a/../b", "a b", "a;b", "$HOME", "a\nb", TOKEN, "a" * 256])
def test_a_path_outside_the_source_or_with_shell_in_it_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="dockerfile must be"):
        check_source_path("dockerfile", path)


@pytest.mark.parametrize("name", ["", "a", "-a", "a/b", "a" * 151, TOKEN])
def test_a_project_name_that_codebuild_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"project_name must be .*build_project_name"):
        check_project_name(name)


@pytest.mark.parametrize("value", ["amd64", "ARM64", "", TOKEN])
def test_an_architecture_that_fargate_does_not_run_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="architecture must be 'arm64' or 'x86_64'"):
        check_architecture(value)


def test_pure_modules_import_no_cdk() -> None:
    """Importing a pure module must not start Node, and the runtime must start without boto3's cost."""
    modules = "policy, buildspec, permissions, build_permissions", "runtime.decision", "runtime.handler"
    code = "; ".join(
        [
            "import sys",
            f"from constructs_lib.delivery import {modules[0]}",
            *(f"import constructs_lib.delivery.{module}" for module in modules[1:]),
            "print({'aws_cdk', 'jsii', 'constructs', 'boto3', 'botocore'} & set(sys.modules))",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")
