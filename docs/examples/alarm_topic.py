"""A topic that CloudWatch alarms may publish to, encrypted with a key of its own."""

from aws_cdk import App, Stack

from constructs_lib.observability.alarm_topic import AlarmTopic

app = App()
stack = Stack(app, "MyStack")
AlarmTopic(stack, "Alarms", email="ops@example.com")
app.synth()
