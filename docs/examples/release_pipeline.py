"""A release button for a service of your own, with the narrow role that it updates your stack with."""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs

from constructs_lib.delivery.delivery_settings import DeliverySettingsParameter
from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.release_pipeline import ReleasePipeline
from constructs_lib.delivery.release_role import ReleaseRole
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import release_role_name
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import ReleasedDigest
from constructs_lib.services.task.health_check import HealthCheck

app = App()
here = Environment(account="111122223333", region="eu-west-1")
stack = Stack(app, "MyStack", env=here)
cluster = ecs.Cluster(stack, "MyCluster", vpc=ec2.Vpc(stack, "MyVpc", max_azs=2))
web = FargateWebService(
    stack,
    "Web",
    cluster=cluster,
    repository=ecr.Repository.from_repository_name(stack, "Mine", "shop/staging/web"),
    image=ReleasedDigest("/moorings/shop/staging/web/digest"),
    health_check=HealthCheck.http("/healthz", port=8080, program="curl"),
)
topics = NotificationTopics(stack, "Topics")
Alarms(stack, "Alarms", application="shop", environment="staging", specs=web.alarms, topics=topics)
ReleaseRole(stack, "ReleaseRole", application="shop", environment="staging", services=[web.service])
settings = DeliverySettings(
    application="shop",
    environment="staging",
    service="web",
    account="111122223333",
    region="eu-west-1",
    stack=stack.stack_name,
    role=f"arn:aws:iam::111122223333:role/{release_role_name('shop', 'staging')}",
    cluster=cluster.cluster_name,
    ecs_service=web.service.service_name,
    target_group=web.target_group.target_group_arn,
    repository="shop/staging/web",
    platform="linux/arm64",
)
DeliverySettingsParameter(stack, "Settings", settings=settings)
buttons = Stack(app, "MyButtons", env=here)  # deployed after the service that it names
ReleasePipeline(buttons, "Release", settings=settings, operations=OperationsAsset(buttons, "Operations"))
app.synth()
