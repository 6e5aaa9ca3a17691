"""A repository in a stack of yours: an image with a pin cannot be expired, whatever else is pushed."""

from aws_cdk import App, CfnOutput, Stack

from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.images.repository import PinnedRepository

app = App()
stack = Stack(app, "MyStack")
images = PinnedRepository(stack, "Images", retention=RetentionPolicy(keep_days=60))
CfnOutput(stack, "Push", value=images.repository.repository_uri)  # a usual ecr.Repository
app.synth()
