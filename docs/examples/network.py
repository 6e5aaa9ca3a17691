"""A VPC whose endpoints follow from what your services use, with an alarm on the ports of its NAT gateway."""

from aws_cdk import App, Stack

from constructs_lib.network.policy import Endpoints, NatGateways, NetworkPolicy
from constructs_lib.network.vpc import ServiceNetwork
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics

app = App()
stack = Stack(app, "MyStack")
policy = NetworkPolicy(nat_gateways=NatGateways.ONE, endpoints=Endpoints.PRIVATE)
network = ServiceNetwork(stack, "Network", features=["images", "logs", "secrets"], policy=policy)
topics = NotificationTopics(stack, "Topics")
Alarms(stack, "Alarms", application="shop", environment="staging", specs=network.alarms, topics=topics)
app.synth()
