"""A pipeline is made of buttons, hands on a digest, and can do nothing of its own (lessons Q1, Q5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, aws_codebuild, aws_ecr

from constructs_lib.delivery.code_pipeline import EnvironmentPipeline, PipelineArtifacts
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.pipeline import BuildPipeline
from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.delivery.promotion_pipeline import PromotionPipeline
from constructs_lib.delivery.release_pipeline import ReleasePipeline
from tests.delivery.releases import ACCOUNT, SETTINGS, UPSTREAM, plain, rights
from tests.delivery.support import of_type, only
from tests.support import FLAG_SETS, Template

CONNECTION = "arn:aws:codeconnections:eu-west-1:111122223333:connection/84941bd4-6795-4871-99f6-e2e4697138da"
SOURCE = GitHubSource(owner="example", repository="shop", branch="release/1.x", connection_arn=CONNECTION)


def synthesized(
    folder: Path, flags: dict[str, Any] | None = None, source: Any = SOURCE, promote: bool = False, **changes: Any
) -> Template:
    """A stack with a pipeline that builds, or that promotes."""
    app = App(outdir=str(folder), context=flags or {})
    stack = Stack(app, "Release", env=Environment(account=ACCOUNT, region="eu-west-1"))
    operations = OperationsAsset(stack, "Code")
    images = aws_ecr.Repository.from_repository_name(stack, "Images", "shop/production/web")
    image = (
        PromotionPipeline(
            stack,
            "Image",
            application="shop",
            environment="production",
            service="web",
            repository=images,
            upstream=UPSTREAM,
            operations=operations,
        ).project
        if promote
        else BuildPipeline(stack, "Image", repository=images, environment_name="production", source=SOURCE).project
    )
    arguments: dict[str, Any] = {
        "artifacts": PipelineArtifacts(stack, "Artifacts").bucket,
        "operations": operations,
        "image": image,
        "release": ReleasePipeline(stack, "Button", settings=SETTINGS, operations=operations).project,
        "source": source,
        **changes,
    }
    EnvironmentPipeline(stack, "Pipeline", **arguments)
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    return template


@pytest.fixture(scope="module", params=FLAG_SETS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A pipeline that builds, with all defaults."""
    return synthesized(tmp_path_factory.mktemp("out"), request.param)


def pipeline(template: Template) -> dict[str, Any]:
    """Its properties."""
    return dict(only(template, "AWS::CodePipeline::Pipeline")["Properties"])


def actions(template: Template) -> dict[str, dict[str, Any]]:
    """All actions of all stages, by name, in their order."""
    return {one["Name"]: one for stage in pipeline(template)["Stages"] for one in stage["Actions"]}


def logical_id(template: Template, kind: str, start: str) -> str:
    """The one of a type whose logical id begins so."""
    (key,) = (key for key in of_type(template, kind) if key.startswith(start))
    return key


def test_it_builds_asks_and_releases_in_this_order(built: Template) -> None:
    """Source, image, approval, release; of type V2, and the newest execution overtakes those that wait."""
    properties = pipeline(built)
    assert [stage["Name"] for stage in properties["Stages"]] == ["Source", "Image", "Approval", "Release"]
    assert (properties["PipelineType"], properties["ExecutionMode"]) == ("V2", "SUPERSEDED")
    assert actions(built)["Approval"]["ActionTypeId"]["Category"] == "Approval"


def test_the_digest_of_the_build_is_what_is_released(built: Template) -> None:
    """The button gets the variable that the build exports, and no tag that could move (Q3)."""
    image, release = actions(built)["Image"], actions(built)["Release"]
    assert image["Namespace"] == "image"
    assert json.loads(release["Configuration"]["EnvironmentVariables"]) == [
        {"name": "DIGEST", "value": "#{image.IMAGE_DIGEST}", "type": "PLAINTEXT"}
    ]
    project = logical_id(built, "AWS::CodeBuild::Project", "Image")
    exported = json.loads(built["Resources"][project]["Properties"]["Source"]["BuildSpec"])["env"]["exported-variables"]
    assert "IMAGE_DIGEST" in exported
    assert "#{image.IMAGE_DIGEST}" in actions(built)["Approval"]["Configuration"]["CustomData"]


def test_a_build_gets_the_branch_and_a_button_gets_its_own_code(built: Template) -> None:
    """A pipeline replaces a project's source, so the release must be given the commands and not the application."""
    found = actions(built)
    source = found["Source"]["Configuration"]
    assert (source["ConnectionArn"], source["FullRepositoryId"]) == (CONNECTION, "example/shop")
    assert (source["BranchName"], source["DetectChanges"]) == ("release/1.x", "true")
    assert found["Image"]["InputArtifacts"] == [{"Name": "Source"}]
    assert found["Release"]["InputArtifacts"] == [{"Name": "Operations"}]
    code = found["Operations"]["Configuration"]
    button = built["Resources"][logical_id(built, "AWS::CodeBuild::Project", "Button")]["Properties"]["Source"]
    assert f"{plain(code['S3Bucket'])}/{plain(code['S3ObjectKey'])}" == plain(button["Location"])
    assert code["PollForSourceChanges"] == "false"


def test_a_promotion_has_no_source_but_the_commands(tmp_path: Path) -> None:
    """Nothing is built, so no push starts it: a person does."""
    template = synthesized(tmp_path, source=None, promote=True)
    found = actions(template)
    assert list(found) == ["Operations", "Image", "Approval", "Release"]
    assert found["Image"]["InputArtifacts"] == [{"Name": "Operations"}]
    key = logical_id(template, "AWS::IAM::Role", "PipelineRole")
    assert not [action for action, _ in rights(template, key) if "UseConnection" in action]


def test_the_choices(tmp_path: Path) -> None:
    """No approval, every execution in its turn, and a name."""
    template = synthesized(tmp_path, approval=False, execution_mode="QUEUED", pipeline_name="shop--production--web")
    properties = pipeline(template)
    assert [stage["Name"] for stage in properties["Stages"]] == ["Source", "Image", "Release"]
    assert (properties["ExecutionMode"], properties["Name"]) == ("QUEUED", "shop--production--web")


def test_the_role_starts_two_projects_and_uses_its_bucket(built: Template) -> None:
    """It can neither push an image nor change a service."""
    key = logical_id(built, "AWS::IAM::Role", "PipelineRole")
    bucket = f"<{logical_id(built, 'AWS::S3::Bucket', 'Artifacts')}.Arn>"
    projects = [f"<{logical_id(built, 'AWS::CodeBuild::Project', start)}.Arn>" for start in ("Image", "Button")]
    code = actions(built)["Operations"]["Configuration"]
    assets = f"arn:aws:s3:::{plain(code['S3Bucket'])}"
    of_bucket = ("GetBucketAcl", "GetBucketLocation", "GetBucketVersioning")
    of_code = ("GetObject", "GetObjectVersion", "GetObjectTagging", "GetObjectVersionTagging")
    assert rights(built, key, but=()) == {
        *((f"codebuild:{a}", one) for a in ("BatchGetBuilds", "StartBuild") for one in projects),
        *((f"s3:{a}", f"{bucket}/*") for a in ("GetObject", "GetObjectVersion", "PutObject")),
        *((f"s3:{a}", one) for a in of_bucket for one in (bucket, assets)),
        *((f"s3:{a}", f"{assets}/{plain(code['S3ObjectKey'])}") for a in of_code),
        ("codeconnections:UseConnection", CONNECTION),
    }


def test_the_bucket_is_private_short_lived_and_read_by_two_projects(built: Template) -> None:
    """Sources leave it after 30 days; without TLS nobody reads it."""
    bucket = only(built, "AWS::S3::Bucket")
    properties = bucket["Properties"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 30
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    deny, read = only(built, "AWS::S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert (read["Effect"], sorted(read["Action"])) == ("Allow", ["s3:GetObject", "s3:GetObjectVersion"])
    roles = [f"<{logical_id(built, 'AWS::IAM::Role', start)}.Arn>" for start in ("Image", "Button")]
    assert sorted(plain(one) for one in read["Principal"]["AWS"]) == sorted(roles)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": GitHubSource(owner="a", repository="b")}, "source must be a GitHubSource with a connection_arn"),
        ({"source": "main"}, "source must be a GitHubSource"),
        ({"execution_mode": "PARALLEL"}, "execution_mode must be 'SUPERSEDED' or 'QUEUED'"),
        ({"pipeline_name": "a/b"}, "pipeline_name must be 1 to 100 letters"),
    ],
)
def test_a_wrong_value_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    """One sentence each."""
    with pytest.raises(ValueError, match=message):
        synthesized(tmp_path, **changes)


def test_a_project_of_somebody_else_must_have_a_role(tmp_path: Path) -> None:
    """An imported project tells no role, so its sources could not be admitted."""
    stack = Stack(App(), "Other")
    imported = aws_codebuild.Project.from_project_name(stack, "Imported", "theirs")
    with pytest.raises(ValueError, match="release must be a project with a role"):
        synthesized(tmp_path, release=imported)
