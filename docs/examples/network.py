"""A VPC whose endpoints follow from what your services use, with an alarm on the ports of its NAT gateway."""

from aws_cdk import App, Stack
from aws_cdk import aws_sns as sns

from constructs_lib.network.policy import Endpoints, NatGateways, NetworkPolicy
from constructs_lib.network.vpc import ServiceNetwork
from constructs_lib.observability.alarms import Alarms

app = App()
stack = Stack(app, "MyStack")
policy = NetworkPolicy(nat_gateways=NatGateways.ONE, endpoints=Endpoints.PRIVATE)
network = ServiceNetwork(stack, "Network", features=["images", "logs", "secrets"], policy=policy)
topic = sns.Topic(stack, "MyTopic")
Alarms(stack, "Alarms", application="shop", environment="staging", specs=network.alarms, topic=topic)
app.synth()
