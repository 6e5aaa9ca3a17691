"""A service behind a load balancer that you have already: it adds one rule to one listener."""

from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.ingress import SharedListener

app = App()
stack = Stack(app, "MyStack")
vpc = ec2.Vpc(stack, "MyVpc", max_azs=2)
balancer = elbv2.ApplicationLoadBalancer(stack, "MyLoadBalancer", vpc=vpc)
not_found = elbv2.ListenerAction.fixed_response(404)
listener = balancer.add_listener("Http", port=80, open=False, default_action=not_found)
api = FargateWebService(
    stack,
    "Api",
    cluster=ecs.Cluster(stack, "MyCluster", vpc=vpc),
    repository=ecr.Repository.from_repository_name(stack, "Mine", "my/own-repository"),
    image=FixedDigest("sha256:" + "4" * 64),  # the digest of an image that you pushed
    health_check=HealthCheck.http("/healthz", port=8080, program="curl"),
    ingress=SharedListener(
        load_balancer=balancer,
        listener=listener,
        priority=10,
        conditions=[elbv2.ListenerCondition.path_patterns(["/api/*"])],
    ),
)
topics = NotificationTopics(stack, "Topics")
Alarms(stack, "Alarms", application="shop", environment="staging", specs=api.alarms, topics=topics)
app.synth()
