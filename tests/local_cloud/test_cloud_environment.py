"""The environment for clients: nothing in it can reach AWS."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from local_cloud.control import Endpoint
from local_cloud.environment import client_environment

ENDPOINT = Endpoint("http://127.0.0.1:4566", 4566, 1)
HOSTILE = [
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN"),
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_SESSION_NAME", "AWS_CREDENTIAL_EXPIRATION", "AWS_CA_BUNDLE"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    *("AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_CLOUDFORMATION", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_SDK_LOAD_CONFIG", "AWS_STS_REGIONAL_ENDPOINTS"),
    *("AMAZON_REGION", "CDK_DEFAULT_ACCOUNT", "CDK_DEFAULT_REGION", "CDK_DOCKER", "BOTO_CONFIG"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "http_proxy", "https_proxy", "all_proxy", "Https_Proxy"),
    *("npm_config_proxy", "npm_config_https_proxy", "NODE_USE_ENV_PROXY", "GLOBAL_AGENT_HTTP_PROXY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED"),
    *("LOCALSTACK_HOSTNAME", "LOCALSTACK_ENDPOINT"),
]
REPLACED = [
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE"),
    *("AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_EC2_METADATA_DISABLED"),
    *("CDK_HOME", "CDK_DISABLE_CLI_TELEMETRY", "NO_PROXY", "no_proxy"),
]


def environment(tmp_path: Path, base: dict[str, str]) -> dict[str, str]:
    return client_environment(ENDPOINT, account="222222222222", region="eu-west-1", base=base, state_dir=tmp_path)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_variable_is_dropped(tmp_path: Path, name: str) -> None:
    """A variable that could lead to AWS does not survive."""
    assert name not in environment(tmp_path, {name: "hostile"})


@pytest.mark.parametrize("name", REPLACED)
def test_own_variable_wins(tmp_path: Path, name: str) -> None:
    """A variable that we set is ours, whatever the caller had."""
    assert environment(tmp_path, {name: "hostile"})[name] != "hostile"


@pytest.mark.parametrize("name", ["PATH", "HOME", "LANG", "JSII_NODE", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "CI"])
def test_harmless_variable_stays(tmp_path: Path, name: str) -> None:
    """What a program needs to run at all is kept."""
    assert environment(tmp_path, {name: "value"})[name] == "value"


def test_values(tmp_path: Path) -> None:
    """Account, region and endpoint are those asked for, and the files that name credentials are empty."""
    made = environment(tmp_path, {})
    assert (made["AWS_ACCESS_KEY_ID"], made["AWS_SECRET_ACCESS_KEY"]) == ("222222222222", "test")
    assert made["AWS_REGION"] == made["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert made["AWS_ENDPOINT_URL"] == made["AWS_ENDPOINT_URL_S3"] == ENDPOINT.url
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert Path(made[name]).read_text() == ""
    assert Path(made["CDK_HOME"]).is_relative_to(tmp_path)
    assert set(made) == set(REPLACED)


def test_files_are_emptied_again(tmp_path: Path) -> None:
    """Credentials that something wrote into our file between two calls are gone after the second."""
    path = Path(environment(tmp_path, {})["AWS_SHARED_CREDENTIALS_FILE"])
    path.write_text("[default]\naws_access_key_id = real\n")
    environment(tmp_path, {})
    assert path.read_text() == ""


@pytest.mark.parametrize(
    "url",
    [
        *("http://10.0.0.1:4566", "http://169.254.169.254", "http://localhost:4566", "https://127.0.0.1:4566"),
        *("https://ecs.eu-central-1.amazonaws.com", "http://127.0.0.1.example.com:1", "http://127.0.0.1@example.com"),
        *("http://", "127.0.0.1:4566", "ftp://127.0.0.1"),
    ],
)
def test_endpoint_must_be_loopback(tmp_path: Path, url: str) -> None:
    """An endpoint that is not a loopback address is refused, names included: a name can be made to lead anywhere."""
    with pytest.raises(ValueError, match="loopback"):
        client_environment(Endpoint(url, 1, 1), account="2" * 12, region="eu-west-1", base={}, state_dir=tmp_path)


@pytest.mark.parametrize(
    ("account", "region", "message"),
    [
        ("AKIAIOSFODNN7EXAMPLE", "eu-west-1", "12 digits"),
        ("1234", "eu-west-1", "12 digits"),
        ("222222222222", "Frankfurt", "region"),
        ("222222222222", "", "region"),
    ],
)
def test_account_and_region_are_checked(tmp_path: Path, account: str, region: str, message: str) -> None:
    """A wrong account or region is refused with what is allowed."""
    with pytest.raises(ValueError, match=message):
        client_environment(ENDPOINT, account=account, region=region, base={}, state_dir=tmp_path)


def test_boto3_goes_to_the_emulator(tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 without any argument, in a hostile environment that was scrubbed, talks to the emulator."""
    base = {"AWS_PROFILE": "production", "HTTPS_PROXY": "http://10.0.0.1:3128", "HTTP_PROXY": "http://10.0.0.1:3128"}
    made = client_environment(endpoint, account="2" * 12, region="eu-west-1", base=base, state_dir=tmp_path)
    for name in HOSTILE:
        monkeypatch.delenv(name, raising=False)
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    assert session.client("sts").get_caller_identity()["Account"] == "2" * 12
    for service in ("s3", "ecs", "ecr", "cloudformation", "ssm"):
        assert session.client(service).meta.endpoint_url == endpoint.url
