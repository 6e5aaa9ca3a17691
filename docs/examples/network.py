"""A VPC whose endpoints follow from what your services use."""

from aws_cdk import App, Stack

from constructs_lib.network.policy import Endpoints, NatGateways, NetworkPolicy
from constructs_lib.network.vpc import ServiceNetwork

app = App()
stack = Stack(app, "MyStack")
policy = NetworkPolicy(nat_gateways=NatGateways.ONE, endpoints=Endpoints.PRIVATE)
ServiceNetwork(stack, "Network", features=["images", "logs", "secrets"], policy=policy)
app.synth()
