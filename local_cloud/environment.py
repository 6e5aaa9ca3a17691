"""The environment for clients of the emulator: nothing in it can reach AWS."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local_cloud.control import Endpoint

# Whatever could name another account, another endpoint, or a way around the loopback interface.
_DROPPED = re.compile(
    r"AWS_.*|AMAZON_.*|CDK_.*|BOTO_.*|.*_PROXY|NPM_CONFIG_(HTTPS?_?)?PROXY|NODE_USE_ENV_PROXY|LOCALSTACK_.*"
    r"|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|NO_PROXY"
)


def client_environment(
    endpoint: Endpoint, *, account: str, region: str, base: Mapping[str, str], state_dir: Path
) -> dict[str, str]:
    """Return `base` without every way to AWS, and with what the CDK CLI, boto3 and others need for the emulator."""
    parts = urlsplit(endpoint.url)
    if parts.scheme != "http" or not _is_loopback(parts.hostname):
        raise ValueError(f"endpoint must be http on a loopback address such as 127.0.0.1, got {endpoint.url}")
    if not re.fullmatch(r"\d{12}", account):
        raise ValueError(f"account must be 12 digits, got {account!r}")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise ValueError(f"region must look like eu-central-1, got {region!r}")
    private = state_dir.resolve() / "client"
    (private / "cdk").mkdir(parents=True, exist_ok=True)
    empty = private / "empty"
    empty.write_text("")
    kept = {name: value for name, value in base.items() if not _DROPPED.fullmatch(name.upper())}
    return kept | {
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ENDPOINT_URL_S3": endpoint.url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_HOME": str(private / "cdk"),
        "CDK_DISABLE_CLI_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def _is_loopback(host: str | None) -> bool:
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
