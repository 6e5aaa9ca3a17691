"""The parameter that a service is released through, made once and never written by CloudFormation again."""

from aws_cdk import App, Stack

from constructs_lib.delivery.release_parameter import ReleaseParameters

app = App()
stack = Stack(app, "MyDeliveryStack")  # deploy it before the stack that reads the parameter
ReleaseParameters(stack, "Release", application="shop", environment="staging", services=["web"])
app.synth()
