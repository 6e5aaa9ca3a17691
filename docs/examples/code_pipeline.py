"""Source, build, approval and release as one CodePipeline, made of projects that are buttons as well."""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecr as ecr

from constructs_lib.delivery.code_pipeline import EnvironmentPipeline, PipelineArtifacts
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.pipeline import BuildPipeline
from constructs_lib.delivery.policy import GitHubSource
from constructs_lib.delivery.release_pipeline import ReleasePipeline
from constructs_lib.delivery.settings import DeliverySettings

app = App()
stack = Stack(app, "MyStack", env=Environment(account="111122223333", region="eu-west-1"))
source = GitHubSource(owner="your-organisation", repository="your-application")
connection = "arn:aws:codeconnections:eu-west-1:111122223333:connection/84941bd4-6795-4871-99f6-e2e4697138da"
build = BuildPipeline(
    stack,
    "Build",
    repository=ecr.Repository.from_repository_name(stack, "Mine", "shop/staging/web"),
    environment_name="staging",
    source=source,
)
operations = OperationsAsset(stack, "Operations")
settings = DeliverySettings(  # of a service that is deployed already: see release_pipeline.py
    application="shop",
    environment="staging",
    service="web",
    account="111122223333",
    region="eu-west-1",
    stack="MyServices",
    role="arn:aws:iam::111122223333:role/shop--staging--release",
    cluster="my-cluster",
    ecs_service="my-service",
    target_group="arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef",
    repository="shop/staging/web",
    platform="linux/arm64",
)
release = ReleasePipeline(stack, "Release", settings=settings, operations=operations)
EnvironmentPipeline(
    stack,
    "Pipeline",
    artifacts=PipelineArtifacts(stack, "Artifacts").bucket,
    operations=operations,
    image=build.project,
    release=release.project,
    source=GitHubSource(owner=source.owner, repository=source.repository, connection_arn=connection),
)
app.synth()
