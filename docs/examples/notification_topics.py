"""Two topics that CloudWatch alarms may publish to, encrypted with a key of their own, and who is told."""

from aws_cdk import App, Stack

from constructs_lib.observability.notification.targets import EmailTarget, SlackTarget
from constructs_lib.observability.notification.topics import NotificationTopics

app = App()
stack = Stack(app, "MyStack")
NotificationTopics(
    stack,
    "Topics",
    targets=[
        EmailTarget(address="on-call@example.com", severities=("page",)),
        SlackTarget(workspace="T0123456789", channel="C0123456789"),
    ],
)
app.synth()
