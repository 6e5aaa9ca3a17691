"""Python Lambdas run for real: as custom resources and as targets of events."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

HANDLER = """
import json
import os
import urllib.request

import boto3

from .answer import answer


def main(event, context):
    wanted = event["ResourceProperties"]
    data = {
        "Account": boto3.client("sts").get_caller_identity()["Account"],
        "Bucket": boto3.client("s3").list_buckets()["Buckets"][0]["Name"],
        "Region": os.environ["AWS_REGION"],
        "Request": event["RequestType"],
        "Wanted": wanted["Wanted"],
        "Hostile": os.environ.get("HTTPS_PROXY", "none"),
    }
    failed = "the handler refused: " + wanted["Wanted"] if wanted["Wanted"] == "nothing" else None
    boto3.client("ssm").put_parameter(Name="/last", Value=event["RequestType"], Type="String", Overwrite=True)
    answer(event, data, failed)
"""
ANSWER = """
import json
import urllib.request


def answer(event, data, failed):
    same = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body = {"Status": "FAILED" if failed else "SUCCESS", "Reason": failed or "", "PhysicalResourceId": "thing"}
    text = json.dumps({**same, **body, "Data": data}).encode()
    request = urllib.request.Request(event["ResponseURL"], data=text, method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request, timeout=10).close()
"""
KINDS = ["Custom::Thing", "AWS::CloudFormation::CustomResource"]


@pytest.fixture
def code(aws: Any) -> dict[str, str]:
    """An asset: the handler's package as a zip file in S3."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("runtime/__init__.py", "")
        archive.writestr("runtime/handler.py", HANDLER)
        archive.writestr("runtime/answer.py", ANSWER)
    bucket = f"assets-{aws.account}"
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.region})
    aws("s3").put_object(Bucket=bucket, Key="code.zip", Body=content.getvalue())
    return {"S3Bucket": bucket, "S3Key": "code.zip"}


def template(code: dict[str, str], wanted: str, kind: str) -> dict[str, Any]:
    function = {
        "Runtime": "python3.13",
        "Handler": "runtime.handler.main",
        "Role": "arn:aws:iam::111111111111:role/any",
        "Timeout": 30,
        "Code": code,
    }
    thing = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}, "ServiceTimeout": 20, "Wanted": wanted}
    names = ("Account", "Bucket", "Region", "Request", "Wanted", "Hostile")
    return {
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Thing": {"Type": kind, "Properties": thing},
        },
        "Outputs": {name: {"Value": {"Fn::GetAtt": ["Thing", name]}} for name in names},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_custom_resource_lives_its_life(aws: Any, code: dict[str, str], kind: str) -> None:
    """The handler runs for create, update and delete, its data reach GetAtt, its boto3 talks to the emulator."""
    made = aws.deploy("app", template(code, "one", kind))
    assert made["StackStatus"] == "CREATE_COMPLETE", aws.reasons("app")
    assert made["Outputs"] == {
        "Account": aws.account,
        "Bucket": f"assets-{aws.account}",
        "Region": aws.region,
        "Request": "Create",
        "Wanted": "one",
        "Hostile": "none",
    }
    changed = aws.deploy("app", template(code, "two", kind), update=True)["Outputs"]
    assert (changed["Request"], changed["Wanted"]) == ("Update", "two")
    assert aws.delete("app") == "DELETE_COMPLETE"
    assert aws("ssm").get_parameter(Name="/last")["Parameter"]["Value"] == "Delete"


@pytest.mark.parametrize("kind", KINDS)
def test_error_of_the_handler_fails_the_stack(aws: Any, code: dict[str, str], kind: str) -> None:
    """FAILED from the handler fails the stack with the handler's reason."""
    assert aws.deploy("app", template(code, "nothing", kind))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "the handler refused: nothing" in aws.reasons("app")


def test_event_reaches_a_lambda(aws: Any, wait_until: Callable[..., Any]) -> None:
    """A task's event invokes a Lambda through a rule; the Lambda may call ECS back."""
    source = """
import boto3, json
def main(event, context):
    clusters = boto3.client("ecs").list_clusters()["clusterArns"]
    text = json.dumps({"status": event["detail"]["lastStatus"], "clusters": clusters})
    boto3.client("ssm").put_parameter(Name="/event", Value=text, Type="String", Overwrite=True)
"""
    function = {
        "Runtime": "python3.13",
        "Handler": "index.main",
        "Role": "arn:aws:iam::111111111111:role/any",
        "Code": {"ZipFile": source},
    }
    target = {"Id": "function", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}
    pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": {"lastStatus": ["RUNNING"]}}
    made = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": [target]}},
        "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "main"}},
        "Definition": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"Family": "web", "ContainerDefinitions": [{"Name": "web", "Image": "busybox"}]},
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "DependsOn": "Rule",
            "Properties": {"Cluster": {"Ref": "Cluster"}, "TaskDefinition": {"Ref": "Definition"}},
        },
    }
    assert aws.deploy("app", {"Resources": made})["StackStatus"] == "CREATE_COMPLETE"

    def told() -> Any:
        found = aws("ssm").get_parameters(Names=["/event"])["Parameters"]
        return json.loads(found[0]["Value"]) if found else None

    told_by_lambda = wait_until(told, "the Lambda has written its parameter")
    assert told_by_lambda["status"] == "RUNNING"
    assert told_by_lambda["clusters"][0].endswith(":cluster/main")


def test_runs_that_events_start_are_counted(aws: Any, wait_until: Callable[..., Any]) -> None:
    """Each run and each error, once: an alarm on a function sees it."""
    source = "def main(event, context):\n    return event['detail']['missing']\n"
    function = {
        "FunctionName": "fails",
        "Runtime": "python3.13",
        "Handler": "index.main",
        "Role": "arn:aws:iam::111111111111:role/any",
        "Code": {"ZipFile": source},
    }
    target = {"Id": "function", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}
    made = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {"EventPattern": {"source": ["shop"]}, "Targets": [target]},
        },
    }
    assert aws.deploy("app", {"Resources": made})["StackStatus"] == "CREATE_COMPLETE"

    def counted(name: str) -> float:
        now = datetime.now(UTC)
        found = aws("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": "fails"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in found))

    for detail in ("{}", '{"missing": 1}'):
        aws("events").put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": detail}])
    wait_until(lambda: counted("Invocations") == 2, "two runs are counted")
    assert counted("Errors") == 1
    aws("lambda").invoke(FunctionName="fails", Payload=json.dumps({"detail": {"missing": 1}}))
    assert counted("Invocations") == 3
