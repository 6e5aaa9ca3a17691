"""A repository whose images in use are kept (lessons Q1, Q2, Q3), beside what plain CDK makes."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kms as kms

from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.images.repository import PinnedRepository
from tests.images.support import aged, expired
from tests.support import FLAG_SETS, ROOT, TOKEN, Template, only, refused, stack, synthesize

REPOSITORY = "AWS::ECR::Repository"

PRODUCTION = aged("what production runs", 40, "staging-20260401T101500Z-0123456789ab", "pin-production-current")
SINCE = [aged(f"build {age}", age, f"staging-20260511T10{age}00Z-0123456789ab") for age in range(15, 35)]
"""Incident Q: builds of staging that were pushed after the image which production runs."""


def rules(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """The lifecycle rules of a repository's template."""
    return list(json.loads(properties["LifecyclePolicy"]["LifecyclePolicyText"])["rules"])


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """One of our repositories, with a rule that other code added to it afterwards."""
    scope = stack(App(context=request.param))
    made = PinnedRepository(
        scope, "Images", repository_name="shop/staging/web", retention=RetentionPolicy(keep_days=20)
    )
    made.repository.add_lifecycle_rule(max_image_count=10)
    return synthesize(scope)


@pytest.fixture(scope="module")
def properties(template: Template) -> dict[str, Any]:
    """The properties of our repository."""
    return only(template, REPOSITORY)


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """A repository as plain CDK makes it, with the usual rule."""
    scope = stack()
    ecr.Repository(scope, "Images", lifecycle_rules=[ecr.LifecycleRule(max_image_count=10)])
    return only(synthesize(scope), REPOSITORY)


def test_before_the_usual_rule_deletes_what_production_runs(plain: dict[str, Any]) -> None:
    """Plain CDK's "keep 10" is a rule on `any`: eleven builds later the running image is gone, pin or not (Q2)."""
    assert [rule["selection"]["tagStatus"] for rule in rules(plain)] == ["any"]
    assert PRODUCTION.digest in expired({"rules": rules(plain)}, [PRODUCTION, *SINCE])


def test_after_what_production_runs_is_kept(properties: dict[str, Any]) -> None:
    """With ours the same history leaves the running image, and forgets old builds all the same (Q2)."""
    gone = expired({"rules": rules(properties)}, [PRODUCTION, *SINCE])
    assert gone == {f"build {age}" for age in range(21, 35)}


def test_a_rule_that_is_added_later_cannot_weaken_ours(properties: dict[str, Any]) -> None:
    """`add_lifecycle_rule(max_image_count=10)` would bring `any` back; the template holds ours alone (Q2)."""
    assert rules(properties) == [json.loads(json.dumps(rule)) for rule in RetentionPolicy(keep_days=20).rules()]


def test_before_a_tag_may_move(plain: dict[str, Any]) -> None:
    """Plain CDK leaves tags mutable, so `latest` means another image each day (Q3)."""
    assert "ImageTagMutability" not in plain


def test_after_only_pins_may_move(properties: dict[str, Any]) -> None:
    """A build tag always means the same image; the one exception is the tag that marks use (Q3)."""
    assert properties["ImageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    (filter_,) = properties["ImageTagMutabilityExclusionFilters"]
    assert filter_ == {
        "ImageTagMutabilityExclusionFilterType": "WILDCARD",
        "ImageTagMutabilityExclusionFilterValue": "pin-*",
    }
    assert fnmatchcase("pin-production-current", filter_["ImageTagMutabilityExclusionFilterValue"])


def test_images_stay_when_the_stack_goes(template: Template) -> None:
    """Neither deleting nor replacing the resource deletes the images."""
    (resource,) = (value for value in template["Resources"].values() if value["Type"] == REPOSITORY)
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert "EmptyOnDelete" not in resource["Properties"]


def test_images_are_scanned_and_encrypted(properties: dict[str, Any]) -> None:
    """Each push is scanned, and images are encrypted with ECR's own KMS key by default."""
    assert properties["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert properties["EncryptionConfiguration"] == {"EncryptionType": "KMS"}


def test_a_repository_has_the_name_it_was_given(properties: dict[str, Any]) -> None:
    """Other stacks find the repository by that name."""
    assert properties["RepositoryName"] == "shop/staging/web"


def test_a_key_of_ones_own_is_used() -> None:
    """A customer's key encrypts the images when one is given, and no name is invented."""
    scope = stack()
    key = kms.Key(scope, "Key")
    PinnedRepository(scope, "Images", encryption_key=key)
    template = synthesize(scope)
    properties = only(template, REPOSITORY)
    (key_id,) = (key for key, value in template["Resources"].items() if value["Type"] == "AWS::KMS::Key")
    assert properties["EncryptionConfiguration"] == {
        "EncryptionType": "KMS",
        "KmsKey": {"Fn::GetAtt": [key_id, "Arn"]},
    }
    assert "RepositoryName" not in properties


@pytest.mark.parametrize("retention", [None, 10, ecr.LifecycleRule(max_image_count=10)])
def test_a_retention_of_another_kind_is_refused(retention: Any) -> None:
    """CDK's own rule would mean `any`, so only our policy is taken, and the sentence says why (Q2)."""
    fix = refused(
        lambda: PinnedRepository(stack(), "Images", retention=retention), "retention", retention, "a RetentionPolicy"
    )
    assert "`any`" in fix


@pytest.mark.parametrize("name", [TOKEN, ""])
def test_a_name_that_is_not_known_is_refused(name: str) -> None:
    """A name that only deployment knows cannot be told apart from another one (Q1)."""
    refused(lambda: PinnedRepository(stack(), "Images", repository_name=name), "repository_name", name, "")


def test_importing_a_repository_does_not_import_ecs() -> None:
    """Who uses one construct does not pay for the others: neither ECS nor ELB nor another slice is loaded."""
    code = (
        "import sys; import constructs_lib.images.repository; "
        "print([name for name in sys.modules if name in ('aws_cdk.aws_ecr', 'aws_cdk.aws_ecs', "
        "'aws_cdk.aws_elasticloadbalancingv2') or name.startswith(('constructs_lib.services', 'constructs_lib.del'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['aws_cdk.aws_ecr']", done.stdout
