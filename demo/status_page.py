"""The status page of the demo, as a browser on this machine sees it."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

from constructs_lib.naming import stack_name
from demo.cloud import LocalCloud
from demo.environments import ACCOUNT
from local_cloud import controls
from stacks.config import EnvironmentConfig

_ROW = re.compile(r'<span class="name">.*?</span>.*?\b(operational|degraded|outage|maintenance)\b', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """Where the page is, and what it says now.

    Args:
        environment: whose page it is.
        address: of the page, with a slash at its end; on 127.0.0.1.
    """

    environment: EnvironmentConfig
    address: str

    def feed_state(self, component: str) -> str | None:
        """What ``status.json`` says of a component; None while there is no page."""
        body = self._read("status.json")
        if body is None:
            return None
        states = {str(one["name"]): str(one["state"]) for one in json.loads(body)["components"]}
        return states.get(component)

    def first_row(self, path: str) -> str | None:
        """What the HTML of one language says of the first component; None while there is no page."""
        found = _ROW.search(self._read(path) or "")
        return found[1] if found else None

    def _read(self, path: str) -> str | None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.address + path, timeout=5) as answer:
                body: bytes = answer.read()
        except OSError:
            return None
        return body.decode()


def status_page(cloud: LocalCloud, environments: Iterable[EnvironmentConfig]) -> StatusPage | None:
    """The page of the first environment that has one deployed."""
    for environment in environments:
        distribution = _distribution(environment)
        if distribution is not None:
            address = controls.viewer_address(cloud.endpoint, account=ACCOUNT, distribution=distribution)
            return StatusPage(environment=environment, address=address)
    return None


def page_region(environment: EnvironmentConfig) -> str | None:
    """Where the environment's status page stands; None: it has none."""
    status = environment.status_page
    return None if status is None else status.region or environment.region


def _distribution(environment: EnvironmentConfig) -> str | None:
    region = page_region(environment)
    if region is None:
        return None
    cloudformation = boto3.client("cloudformation", region_name=region)
    try:
        listed = cloudformation.describe_stack_resources(
            StackName=stack_name(environment.application, environment.name, "status")
        )["StackResources"]
    except ClientError:
        return None
    found = (one["PhysicalResourceId"] for one in listed if one["ResourceType"] == "AWS::CloudFront::Distribution")
    return next(found, None)
