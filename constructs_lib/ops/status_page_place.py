"""Finds the status page that a person means, in whatever region it stands."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from constructs_lib.command_line import CouldNotRun
from constructs_lib.observability.runtime.status.aws import S3Client, config
from constructs_lib.observability.runtime.status.objects import Objects
from constructs_lib.observability.runtime.status.store import StateStore
from constructs_lib.ops.outside import Outside

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_ssm import SSMClient

_WORD: Final = "[a-z0-9-]+"
_NAME: Final = re.compile(f"/moorings/({_WORD}/{_WORD})/status-page")
"""The names that :func:`constructs_lib.naming.status_page_parameter_name` gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a status page is (lesson T5).

    Args:
        environment: application and environment, such as ``shop/production``.
        address: where visitors read it.
        store: its state.
    """

    environment: str
    address: str
    store: StateStore


def find(options: Namespace, outside: Outside) -> Place:
    """The page of ENV.

    The services' region says where the page is, if that is another one. When it cannot be asked, ``--region`` names
    the page's own: nothing else is needed there.

    Raises:
        CouldNotRun: there is none, or more than one.
    """
    try:
        session = outside.session(options.region, options.profile)
        ssm = session.client("ssm", config=config())
    except ValueError as error:  # botocore's, for an endpoint that is none
        raise CouldNotRun(f"AWS cannot be asked: {error}; look at --region and AWS_ENDPOINT_URL") from error
    name = _name(ssm, options.env)
    text = _read(ssm, name)
    if "page_region" in text:
        region = text["page_region"]
        text = _read(session.client("ssm", region_name=region, config=config()), name)
    return _place(text, session, outside)


def _place(text: dict[str, str], session: Session, outside: Outside) -> Place:
    try:
        region, bucket, account = text["region"], text["bucket"], text["account"]
        environment, address = f"{text['application']}/{text['environment']}", text["address"]
    except KeyError as error:
        raise CouldNotRun(f"the parameter of the status page lacks {error}; deploy its stack again") from error
    client = session.client("s3", region_name=region, config=config())
    objects = Objects(s3=cast(S3Client, client), bucket=bucket, account=account, sleep=outside.sleep)
    return Place(environment=environment, address=address, store=StateStore(objects=objects))


def _name(ssm: SSMClient, env: str) -> str:
    """The parameter of ENV; a whole name needs no permission to list."""
    if "/" in env:
        return f"/moorings/{env}/status-page"
    pages = ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[{"Key": "Name", "Option": "Contains", "Values": ["/status-page"]}],
        PaginationConfig={"PageSize": 50},
    )
    names = sorted(one["Name"] for page in pages for one in page["Parameters"])
    found = {match[1]: name for name in names if (match := _NAME.fullmatch(name))}
    meant = [name for place, name in found.items() if place.endswith(f"/{env}")]
    if len(meant) == 1:
        return meant[0]
    there = ", ".join(found)
    if meant:
        raise CouldNotRun(f"ENV must name one environment, got {env!r}; say which: {there}")
    fix = f"there are: {there}" if there else "look at --region and --profile, or give the environment a status_page"
    raise CouldNotRun(f"ENV must name an environment with a status page in {ssm.meta.region_name}, got {env!r}; {fix}")


def _read(ssm: SSMClient, name: str) -> dict[str, str]:
    found = ssm.get_parameters(Names=[name])["Parameters"]
    if not found:
        fix = "look at ENV, --region and --profile; when the services' region is lost, --region is the page's own"
        raise CouldNotRun(f"there must be a parameter {name} in {ssm.meta.region_name}, got none; {fix}")
    try:
        text = json.loads(found[0]["Value"])
        return {key: str(value) for key, value in text.items()}
    except (ValueError, AttributeError) as error:
        raise CouldNotRun(f"the parameter {name} cannot be read: {error}; deploy the status page again") from error
