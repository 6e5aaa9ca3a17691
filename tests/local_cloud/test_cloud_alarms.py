"""Alarms that are evaluated on a clock, their events, and what they send."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud import control, controls
from tests.local_cloud.conftest import MINUTE, Aws

NAMESPACE = "AWS/ApplicationELB"
"""One of those whose minute is the short one."""

_accounts = itertools.count(700000000001)


@pytest.fixture
def aws(fast: control.Endpoint) -> Aws:
    """The test's own account."""
    return Aws(fast.url, str(next(_accounts)))


def dimension(value: str) -> list[dict[str, str]]:
    """The only dimension of these tests."""
    return [{"Name": "Service", "Value": value}]


def put(aws: Any, value: float, *, of: str = "web", name: str = "Errors", at: float | None = None) -> None:
    """One value of a metric, now or at a time; boto3 sends whole seconds, so now is the emulator's to say."""
    datum: dict[str, Any] = {"MetricName": name, "Dimensions": dimension(of), "Value": value}
    datum |= {"Timestamp": at} if at else {}
    aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def alarm(aws: Any, name: str = "errors", **changed: Any) -> None:
    """An alarm that is red at one error a minute."""
    one = {
        "Namespace": NAMESPACE,
        "MetricName": "Errors",
        "Dimensions": dimension("web"),
        "Statistic": "Sum",
        "Period": 60,
    }
    shared = {
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    aws("cloudwatch").put_metric_alarm(AlarmName=name, **({} if "Metrics" in changed else one) | shared | changed)


def state(aws: Any, name: str = "errors") -> str:
    """An alarm's state."""
    found = aws("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    value: str = (found["MetricAlarms"] + found["CompositeAlarms"])[0]["StateValue"]
    return value


def events(aws: Any, wait_until: Callable[..., Any]) -> Callable[[int], list[dict[str, Any]]]:
    """What a rule for alarms' changes sends; ``events(n)`` waits for n of them."""
    url = aws("sqs").create_queue(QueueName="told")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    aws("events").put_rule(Name="told", EventPattern=json.dumps(pattern))
    aws("events").put_targets(Rule="told", Targets=[{"Id": "queue", "Arn": arn}])
    read: list[dict[str, Any]] = []

    def receive(count: int) -> list[dict[str, Any]]:
        def enough() -> bool:
            for message in aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                read.append(json.loads(message["Body"]))
                aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(read) >= count

        wait_until(enough, f"{count} events")
        return read

    return receive


def test_a_value_of_another_dimension_is_not_counted(aws: Any, wait_until: Callable[..., Any]) -> None:
    """MiniStack alone would add up all that has the metric's name."""
    alarm(aws, "web")
    alarm(aws, "worker", Dimensions=dimension("worker"))
    put(aws, 3, of="worker")
    wait_until(lambda: state(aws, "worker") == "ALARM", "the worker's alarm is red")
    assert state(aws, "web") == "OK"


def test_a_red_alarm_turns_back_without_new_data(aws: Any, wait_until: Callable[..., Any]) -> None:
    """The clock goes on; the last value is looked at for the two extra periods, then it is gone."""
    alarm(aws)
    put(aws, 1)
    wait_until(lambda: state(aws) == "ALARM", "red")
    red = time.monotonic()
    wait_until(lambda: state(aws) == "OK", "green")
    assert time.monotonic() - red > 2 * MINUTE - 0.2


def test_no_data_may_be_a_fault(aws: Any, wait_until: Callable[..., Any]) -> None:
    """Missing data is breaching for one alarm, and says nothing to another."""
    alarm(aws, "silent", TreatMissingData="breaching")
    alarm(aws, "unsaid", TreatMissingData="missing")
    wait_until(lambda: state(aws, "silent") == "ALARM", "red without any data")
    assert state(aws, "unsaid") == "INSUFFICIENT_DATA"


def test_two_of_three_periods_must_be_wrong(aws: Any, wait_until: Callable[..., Any]) -> None:
    """One wrong minute is not enough, two are."""
    alarm(aws, EvaluationPeriods=3, DatapointsToAlarm=2)
    wait_until(lambda: state(aws) == "OK", "evaluated")
    put(aws, 1)
    time.sleep(1.2 * MINUTE)  # the minute of the first value must be over
    assert state(aws) == "OK"
    put(aws, 1)
    wait_until(lambda: state(aws) == "ALARM", "red")


def query(id: str, name: str) -> dict[str, Any]:
    """One metric of an expression."""
    metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimension("web")}
    return {"Id": id, "ReturnData": False, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}


def test_metric_math_is_evaluated(aws: Any, wait_until: Callable[..., Any]) -> None:
    """A share of errors with a floor on the number of requests."""
    expression = {"Id": "total", "Expression": "IF(m0>=2,m0/m1,0)"}
    queries = [query("m0", "Errors"), query("m1", "Requests"), expression]
    alarm(aws, Metrics=queries, Threshold=0.5)
    found = aws("cloudwatch").describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]
    assert [each["Id"] for each in found["Metrics"]] == ["m0", "m1", "total"]
    put(aws, 1, name="Errors")
    put(aws, 1, name="Requests")
    wait_until(lambda: state(aws) == "OK", "one of one request is no share yet")
    put(aws, 3, name="Errors")
    put(aws, 4, name="Requests")
    wait_until(lambda: state(aws) == "ALARM", "three of four requests fail")


def test_metric_math_that_is_unknown_is_refused(aws: Any) -> None:
    """The alarm could never be red."""
    with pytest.raises(ClientError, match=r"RATE\(m0\).*not part of this emulator"):
        alarm(aws, Metrics=[query("m0", "Errors"), {"Id": "total", "Expression": "RATE(m0)"}])


def test_few_samples_of_a_percentile_leave_the_alarm_as_it_is(aws: Any, wait_until: Callable[..., Any]) -> None:
    """p99 of fewer than a thousand samples says nothing, if the alarm says so."""
    shared = {"Statistic": "", "ExtendedStatistic": "p99"}
    for name, changed in (("patient", {"EvaluateLowSampleCountPercentile": "ignore"}), ("hasty", {})):
        given = {**shared, **changed}
        del given["Statistic"]
        one = {"Namespace": NAMESPACE, "MetricName": "Errors", "Dimensions": dimension("web"), "Period": 60}
        aws("cloudwatch").put_metric_alarm(
            AlarmName=name,
            **one,
            **given,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
    put(aws, 3)
    wait_until(lambda: state(aws, "hasty") == "ALARM", "the one that judges at once is red")
    assert state(aws, "patient") == "INSUFFICIENT_DATA"


def test_what_others_measure_keeps_its_minute(aws: Any, wait_until: Callable[..., Any]) -> None:
    """A metric of our own from half a minute ago is within the minute still; a load balancer's is long past."""
    before = time.time() - 30
    for namespace in ("Shop", NAMESPACE):
        datum = {"MetricName": "Errors", "Dimensions": dimension("web"), "Value": 1, "Timestamp": before}
        aws("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])
        alarm(aws, namespace, Namespace=namespace)
    wait_until(lambda: state(aws, "Shop") == "ALARM", "red")
    assert state(aws, NAMESPACE) == "OK"


def warm(minutes: int, whole: bool) -> dict[str, Any]:
    """A stack of one alarm that is red without data, after a warm-up; with 0 minutes, without one."""
    settings = {"WarmUpPeriodDurationInMinutes": minutes, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": whole}
    properties = {
        "AlarmName": "late",
        "Namespace": NAMESPACE,
        "MetricName": "Errors",
        "Dimensions": dimension("web"),
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "breaching",
        "AlarmDescription": f"{minutes} {whole}",
    }
    properties |= {"WarmUpConfiguration": settings} if minutes else {}
    return {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}}


def test_an_alarm_that_warms_up_judges_nothing(aws: Any, wait_until: Callable[..., Any]) -> None:
    """Silence is no fault for as long; a change does not restart it; without a warm-up it is a fault at once."""
    aws.deploy("stack", warm(0, False))
    wait_until(lambda: state(aws, "late") == "ALARM", "red at once")
    aws.deploy("stack", warm(6, True), update=True)
    began = time.monotonic()
    wait_until(lambda: state(aws, "late") == "INSUFFICIENT_DATA", "it begins to warm up")
    put(aws, 1)
    aws.deploy("stack", warm(2000, True), update=True)
    wait_until(lambda: state(aws, "late") == "ALARM", "red")
    assert time.monotonic() - began > 5 * MINUTE, "it waits to the end, though there are data"


def test_a_warm_up_may_end_with_the_first_data(aws: Any, wait_until: Callable[..., Any]) -> None:
    """Where the alarm does not ask for the whole of it."""
    aws.deploy("stack", warm(1000, False))
    time.sleep(2 * MINUTE)  # evaluated twice without data
    assert state(aws, "late") == "INSUFFICIENT_DATA"
    put(aws, 1)
    wait_until(lambda: state(aws, "late") == "ALARM", "red")


def test_a_change_is_told_with_aws_s_shape(aws: Any, wait_until: Callable[..., Any]) -> None:
    """A metric alarm's event: names, states before and after with thousandths of seconds, the metric, the ARN."""
    told = events(aws, wait_until)
    alarm(aws, AlarmDescription="too many errors")
    first = told(1)[0]
    assert (first["source"], first["detail-type"]) == ("aws.cloudwatch", "CloudWatch Alarm State Change")
    assert first["resources"] == [f"arn:aws:cloudwatch:eu-central-1:{aws.account}:alarm:errors"]
    put(aws, 2)
    detail = told(2)[1]["detail"]
    assert detail["alarmName"] == "errors"
    assert [detail[key]["value"] for key in ("previousState", "state")] == ["OK", "ALARM"]
    assert detail["previousState"]["timestamp"] == first["detail"]["state"]["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", detail["state"]["timestamp"])
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [2.0]
    (metric,) = detail["configuration"]["metrics"]
    assert metric["metricStat"] == {
        "metric": {"namespace": NAMESPACE, "name": "Errors", "dimensions": {"Service": "web"}},
        "period": 60,
        "stat": "Sum",
    }
    assert detail["configuration"]["description"] == "too many errors"
    shown = aws("cloudwatch").describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["StateUpdatedTimestamp"]
    times = [event["detail"]["state"]["timestamp"] for event in told(3)]  # green again
    assert not all(written.endswith(".000+0000") for written in times), "two changes of one second can be told apart"
    assert abs(shown.timestamp() - time.time()) < 30


def test_a_composite_follows_its_children_and_is_told(aws: Any, wait_until: Callable[..., Any]) -> None:
    """One message and one event of the composite for two red children; a child set by hand counts, too."""
    topic = aws("sns").create_topic(Name="page")["TopicArn"]
    url = aws("sqs").create_queue(QueueName="pager")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    alarm(aws, "one")
    alarm(aws, "other", Dimensions=dimension("other"))
    wait_until(lambda: {state(aws, name) for name in ("one", "other")} == {"OK"}, "both are green")
    told = events(aws, wait_until)
    rule = 'ALARM("one") OR ALARM("other")'
    aws("cloudwatch").put_composite_alarm(AlarmName="degraded", AlarmRule=rule, AlarmActions=[topic])
    assert [event["detail"]["alarmName"] for event in told(1)] == ["degraded"]
    for name in ("one", "other"):
        aws("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="drill")
    composite = next(e for e in told(4) if e["detail"]["alarmName"] == "degraded" and is_red(e))["detail"]
    assert composite["configuration"] == {"alarmRule": rule}
    (trigger,) = json.loads(composite["state"]["reasonData"])["triggeringAlarms"]
    assert trigger["arn"].endswith(":alarm:one")
    wait_until(lambda: state(aws, "degraded") == "OK", "the clock turns the children and so the composite back")
    assert len([e for e in told(7) if e["detail"]["alarmName"] == "degraded"]) == 3
    messages = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(json.loads(one["Body"])["Message"])["AlarmName"] for one in messages] == ["degraded"]


def is_red(event: dict[str, Any]) -> bool:
    """Whether the event tells that an alarm is red."""
    return bool(event["detail"]["state"]["value"] == "ALARM")


def test_a_minute_is_what_was_set(fast: control.Endpoint, endpoint: control.Endpoint) -> None:
    """60 seconds unless somebody said otherwise; never longer."""
    assert (controls.minute(endpoint), controls.minute(fast)) == (60.0, MINUTE)
    with pytest.raises(control.LocalCloudError, match=r"0\.5 to 60 seconds, got 61"):
        controls.set_minute(endpoint, 61)
