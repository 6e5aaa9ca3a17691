"""A service on your own cluster and VPC, with your own repository and alarm topic."""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import ReleasedDigest, WritablePath
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import HealthCheck

app = App()
stack = Stack(app, "MyStack", env=Environment(region="eu-west-1"))
cluster = ecs.Cluster(stack, "MyCluster", vpc=ec2.Vpc(stack, "MyVpc", max_azs=2))
web = FargateWebService(
    stack,
    "Web",
    cluster=cluster,
    repository=ecr.Repository.from_repository_name(stack, "Mine", "my/own-repository"),
    image=ReleasedDigest("/moorings/shop/staging/web/digest"),
    health_check=HealthCheck.http("/healthz", port=8080, program="curl"),
    settings=ContainerSettings(environment={"LOG_LEVEL": "info"}, writable_paths=[WritablePath(path="/tmp")]),
)
web.task.add_sidecar("proxy", image="public.ecr.aws/docker/library/envoy@sha256:" + "0" * 64)
topics = NotificationTopics(stack, "Topics")
Alarms(stack, "Alarms", application="shop", environment="staging", specs=web.alarms, topics=topics)
app.synth()
