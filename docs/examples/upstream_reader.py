"""Staging lets production, in another account, read its images and what ran; in one account it is not needed."""

from aws_cdk import App, Environment, Stack

from constructs_lib.delivery.upstream_reader import UpstreamReader

app = App()
stack = Stack(app, "MyStagingStack", env=Environment(account="111122223333", region="eu-west-1"))
UpstreamReader(stack, "Reader", application="shop", environment="staging", services=["web"], accounts=["444455556666"])
app.synth()
