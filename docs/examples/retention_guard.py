"""A guard for a repository that you have already: it keeps a pin on every image that something could start."""

from aws_cdk import App, Stack
from aws_cdk import aws_ecr as ecr

from constructs_lib.images.guarded_repository import GuardedRepository
from constructs_lib.images.retention_guard import RetentionGuard
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics

app = App()
stack = Stack(app, "MyStack")
mine = GuardedRepository(repository=ecr.Repository.from_repository_name(stack, "Mine", "my/own-repository"))
guard = RetentionGuard(stack, "Guard", application="shop", environment="staging", repositories=[mine])
topics = NotificationTopics(stack, "Topics")
Alarms(stack, "Alarms", application="shop", environment="staging", specs=guard.alarms, topics=topics)
app.synth()
