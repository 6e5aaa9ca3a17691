"""A build for a repository that you have already: its role may push there and nowhere else."""

from aws_cdk import App, Stack
from aws_cdk import aws_ecr as ecr

from constructs_lib.delivery.pipeline import BuildPipeline
from constructs_lib.delivery.policy import GitHubSource

app = App()
stack = Stack(app, "MyStack")
BuildPipeline(
    stack,
    "Build",
    repository=ecr.Repository.from_repository_name(stack, "Mine", "my/own-repository"),
    environment_name="staging",
    source=GitHubSource(owner="your-organisation", repository="your-application"),
)
app.synth()
