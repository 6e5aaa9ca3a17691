"""CloudFormation types that are only written down, and S3's conditional writes."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

CHAT = "AWS::Chatbot::"


def template(fields: str) -> dict[str, Any]:
    """Saved queries, a bus with a policy, and chat channels."""
    account = {"Ref": "AWS::AccountId"}
    channel = {"ConfigurationName": "on-call", "IamRoleArn": "arn:aws:iam::111122223333:role/chat", "SnsTopicArns": []}
    return {
        "Resources": {
            "Query": {
                "Type": "AWS::Logs::QueryDefinition",
                "Properties": {"Name": "shop/stops", "QueryString": f"fields {fields}", "LogGroupNames": ["/shop"]},
            },
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "status"}},
            "Policy": {
                "Type": "AWS::Events::EventBusPolicy",
                "Properties": {
                    "EventBusName": {"Ref": "Bus"},
                    "StatementId": "us",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"AWS": account},
                        "Action": "events:PutEvents",
                        "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
                    },
                },
            },
            "Slack": {
                "Type": f"{CHAT}SlackChannelConfiguration",
                "Properties": {**channel, "SlackChannelId": "C01", "SlackWorkspaceId": "T01"},
            },
            "Teams": {
                "Type": f"{CHAT}MicrosoftTeamsChannelConfiguration",
                "Properties": {**channel, "TeamId": "1", "TeamsChannelId": "2", "TeamsTenantId": "3"},
            },
        },
        "Outputs": {
            "Query": {"Value": {"Ref": "Query"}},
            "Slack": {"Value": {"Ref": "Slack"}},
        },
    }


def test_saved_queries_policies_and_channels_can_be_deployed(aws: Any) -> None:
    """They are made, changed and deleted; the query and the policy can be read again."""
    made = aws.deploy("notes", template("@timestamp"))
    assert made["StackStatus"] == "CREATE_COMPLETE", aws.reasons("notes")
    assert made["Outputs"]["Slack"].startswith(f"arn:aws:chatbot::{aws.account}:")
    policy = json.loads(aws("events").describe_event_bus(Name="status")["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["us"]
    changed = aws.deploy("notes", template("@message"), update=True)
    assert changed["StackStatus"] == "UPDATE_COMPLETE", aws.reasons("notes")
    (query,) = aws("logs").describe_query_definitions(queryDefinitionNamePrefix="shop/")["queryDefinitions"]
    assert (query["queryString"], query["logGroupNames"]) == ("fields @message", ["/shop"])
    assert query["queryDefinitionId"] == made["Outputs"]["Query"]
    assert aws("logs").describe_query_definitions(queryDefinitionNamePrefix="other/")["queryDefinitions"] == []
    assert aws.delete("notes") == "DELETE_COMPLETE"
    assert aws("logs").describe_query_definitions()["queryDefinitions"] == []


def test_of_two_writers_at_once_one_is_refused(aws: Any) -> None:
    """An object that two write with the same ETag takes one of them; with no object there, too."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="page-" + aws.account, CreateBucketConfiguration={"LocationConstraint": aws.region})
    place = {"Bucket": "page-" + aws.account, "Key": "state.json"}
    for number in range(10):
        condition = {"IfMatch": s3.head_object(**place)["ETag"]} if number else {"IfNoneMatch": "*"}
        answers: list[str] = []
        together = threading.Barrier(2)

        def write(body: str, condition: dict[str, str], answers: list[str], together: threading.Barrier) -> None:
            client = aws("s3")
            together.wait(timeout=10)
            try:
                client.put_object(**place, Body=body, **condition)
                answers.append(body)
            except ClientError as error:
                answers.append(error.response["Error"]["Code"])

        writers = [
            threading.Thread(target=write, args=(f"{number}-{name}", condition, answers, together)) for name in "ab"
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(timeout=30)
        assert "PreconditionFailed" in answers
        winner = next(answer for answer in answers if answer != "PreconditionFailed")
        assert s3.get_object(**place)["Body"].read().decode() == winner


def test_an_object_that_is_gone_cannot_be_matched(aws: Any) -> None:
    """As on AWS: 404, and not 412."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="gone-" + aws.account, CreateBucketConfiguration={"LocationConstraint": aws.region})
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="gone-" + aws.account, Key="state.json", Body="x", IfMatch='"abc"')
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
