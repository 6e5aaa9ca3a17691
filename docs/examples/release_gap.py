"""Tells when production falls behind staging, by builds that wait and by days."""

from aws_cdk import App, Environment, Stack

from constructs_lib.delivery.alarms import GapThreshold
from constructs_lib.delivery.gap_monitor import ReleaseGap, WatchedService
from constructs_lib.delivery.settings import Upstream
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics

app = App()
account, region = "111111111111", "eu-west-1"
stack = Stack(app, "MyStack", env=Environment(account=account, region=region))
staging = Upstream(environment="staging", account=account, region=region, repository="shop/staging/web")
gap = ReleaseGap(
    stack,
    "Gap",
    application="shop",
    environment="production",
    services=[WatchedService(service="web", repository="shop/production/web", upstream=staging)],
    threshold=GapThreshold(builds=20, days=14),
)
topics = NotificationTopics(stack, "Topics")
Alarms(stack, "Alarms", application="shop", environment="production", specs=gap.alarms, topics=topics)
app.synth()
