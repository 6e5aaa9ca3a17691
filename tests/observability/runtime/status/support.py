"""What the tests of the status page's function share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from constructs_lib.observability.runtime.status.objects import Objects
from constructs_lib.observability.runtime.status.settings import StatusSettings
from constructs_lib.observability.runtime.status.values import Text
from tests.observability.runtime.status.bucket import ACCOUNT, BUCKET

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
PAGES = ("page/index.html", "page/ja/index.html", "page/status.json")
STATE = "state/state.json"

SETTINGS = StatusSettings(
    application="shop",
    environment="production",
    account=ACCOUNT,
    source_region="eu-west-1",
    bucket=BUCKET,
    titles=Text(en="Shop status"),
    components=(("web", Text(en="Website", ja="ウェブサイト")), ("worker", Text(en="Orders"))),
)


def objects(s3: Any, **more: Any) -> Objects:
    """The bucket as the function sees it; it does not really wait."""
    return Objects(s3=s3, bucket=BUCKET, account=ACCOUNT, **{"sleep": lambda _seconds: None, **more})


def alarm_event(
    component: str = "web",
    value: str = "ALARM",
    *,
    felt: str = "degraded",
    at: str = "2026-04-01T11:59:58.394+0000",
    **more: Any,
) -> dict[str, Any]:
    """An event of a composite alarm, as AWS's user guide shows one."""
    name = f"shop/production/{component}/{felt}"
    return {
        "version": "0",
        "id": "d3dfc86d-384d-24c8-0345-9f7986db0b80",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": "2026-04-01T11:59:58Z",
        "region": "eu-west-1",
        "resources": [f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:{name}"],
        "detail": {
            "alarmName": name,
            "state": {
                "value": value,
                "reason": f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:shop/production/web/elb-5xx is red",
                "reasonData": "{}",
                "timestamp": at,
            },
            "previousState": {"value": "OK", "timestamp": "2026-04-01T11:00:00.000+0000"},
            "configuration": {"alarmRule": 'ALARM("shop/production/web/elb-5xx")'},
        },
        **more,
    }
