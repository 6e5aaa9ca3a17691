"""How images are named: every address that ECR has, and nothing else."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.images.runtime.references import ImageReference, RepositoryId, is_digest, parse

ACCOUNT = "111111111111"
DIGEST = "sha256:" + "0123456789abcdef" * 4

ADDRESSES = [
    (f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
    (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    (f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
    (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
    (f"{ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
    (f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1"),
    (f"{ACCOUNT}.dkr-ecr.us-east-1.on.aws", "us-east-1"),
    (f"{ACCOUNT}.dkr-ecr-fips.us-east-1.on.aws", "us-east-1"),
    (f"{ACCOUNT}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1"),
]
"""https://docs.aws.amazon.com/general/latest/gr/ecr.html and the hosts that AWS's own credential helper knows."""


@pytest.mark.parametrize(("host", "region"), ADDRESSES)
def test_every_address_of_a_private_registry_is_understood(host: str, region: str) -> None:
    """IPv4, both stacks, FIPS, China, GovCloud and the other partitions."""
    expected = RepositoryId(registry=ACCOUNT, region=region, name="shop/web")
    assert parse(f"{host}/shop/web:a") == ImageReference(repository=expected, tag="a")


@pytest.mark.parametrize(
    ("rest", "tag", "digest"),
    [
        ("", "latest", None),
        (":v1.2_3-rc", "v1.2_3-rc", None),
        (f"@{DIGEST}", None, DIGEST),
        (f":v1@{DIGEST}", "v1", DIGEST),
    ],
)
def test_an_image_is_named_by_tag_by_digest_by_both_or_by_neither(
    rest: str, tag: str | None, digest: str | None
) -> None:
    """A bare repository means its tag ``latest``."""
    reference = parse(f"{ADDRESSES[0][0]}/shop/staging/web{rest}")
    assert reference is not None
    assert (reference.repository.name, reference.tag, reference.digest) == ("shop/staging/web", tag, digest)


def test_a_registry_may_have_a_port() -> None:
    """A cloud on this machine has one, and its colon is no tag's."""
    reference = parse(f"{ACCOUNT}.dkr.ecr.eu-west-1.localhost:4566/web")
    assert reference == ImageReference(
        repository=RepositoryId(registry=ACCOUNT, region="eu-west-1", name="web"), tag="latest"
    )


@pytest.mark.parametrize(
    "image",
    [
        "",
        "nginx",
        "nginx:1.27",
        "library/nginx@" + DIGEST,
        "public.ecr.aws/docker/library/nginx:latest",
        "ecr-public.aws.com/docker/library/nginx:latest",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:abc",
        f"{ACCOUNT}0.dkr.ecr.eu-west-1.amazonaws.com/web",
        f"api.ecr.eu-west-1.amazonaws.com/{ACCOUNT}/web",
        "ghcr.io/team/web:latest",
    ],
)
def test_other_images_are_none_of_ours(image: str) -> None:
    """Public registries, and what no registry would understand."""
    assert parse(image) is None


@given(
    host=st.sampled_from(ADDRESSES),
    name=st.lists(st.text(string.ascii_lowercase + string.digits + "-_.", min_size=1), min_size=1).map("/".join),
    tag=st.none() | st.text(string.ascii_letters + string.digits + "-_.", min_size=1),
    digest=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format),
)
def test_what_is_written_is_read(host: tuple[str, str], name: str, tag: str | None, digest: str | None) -> None:
    """Whatever the repository, the tag and the digest are, the reference has them."""
    written = f"{host[0]}/{name}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    assert parse(written) == ImageReference(
        repository=RepositoryId(registry=ACCOUNT, region=host[1], name=name),
        tag=tag or (None if digest else "latest"),
        digest=digest,
    )


def test_a_resolved_reference_has_the_digest_and_keeps_its_tag() -> None:
    """The digest decides from then on; without one nothing changes."""
    reference = parse(f"{ADDRESSES[0][0]}/web:a")
    assert reference is not None
    assert (reference.resolved(DIGEST).digest, reference.resolved(DIGEST).tag) == (DIGEST, "a")
    assert reference.resolved(None) == reference


def test_a_reference_is_written_shortly() -> None:
    """By its digest where it has one."""
    repository = RepositoryId(registry=ACCOUNT, region="eu-west-1", name="web")
    assert str(ImageReference(repository=repository, tag="a")) == "web:a"
    assert str(ImageReference(repository=repository, tag="a", digest=DIGEST)) == f"web@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "expected"), [(DIGEST, True), (DIGEST[:-1], False), (DIGEST.upper(), False), ("", False)]
)
def test_a_digest_is_64_hexadecimal_digits(text: str, expected: bool) -> None:
    """And nothing around them."""
    assert is_digest(text) is expected


def test_a_repository_is_named_by_its_arn() -> None:
    """In every partition, with slashes in its name."""
    arn = f"arn:aws-cn:ecr:cn-north-1:{ACCOUNT}:repository/shop/web"
    assert RepositoryId.from_arn(arn) == RepositoryId(registry=ACCOUNT, region="cn-north-1", name="shop/web")


@pytest.mark.parametrize("arn", ["web", f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/web", f"arn:aws:ecr:a:{ACCOUNT}:web"])
def test_another_arn_is_refused(arn: str) -> None:
    """The error says what an ARN of a repository looks like."""
    with pytest.raises(ValueError, match="must be 'arn:aws:ecr:"):
        RepositoryId.from_arn(arn)
