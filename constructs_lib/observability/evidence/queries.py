"""Ready-made queries of Logs Insights for the log of evidence (lesson W5). Standard library only.

Fields are those of the events as AWS sends them; one whose name has a hyphen stands in backticks
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Guidelines.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query with the question that it answers (lesson W5).

    Args:
        name: what somebody looks for in the list of saved queries.
        text: in the language of Logs Insights.
    """

    name: str
    text: str

    @property
    def id(self) -> str:
        """The name as the id of a construct."""
        return "".join(word.capitalize() for word in self.name.replace("-", " ").split())


def _query(name: str, *stages: str) -> Query:
    return Query(name=name, text="\n| ".join(stages))


_TASKS: Final = 'filter `detail-type` = "ECS Task State Change"'
_NEWEST: Final = "sort @timestamp desc"

QUERIES: Final = (
    _query(
        "Stopped tasks by reason",
        _TASKS,
        "stats count(*) as tasks, latest(@timestamp) as last by detail.stopCode, detail.stoppedReason",
        "sort tasks desc",
    ),
    _query(
        "Tasks that never started",
        "fields @timestamp, detail.group, detail.stoppedReason, detail.taskArn",
        _TASKS,
        'filter detail.stopCode = "TaskFailedToStart"',
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Image pulls that failed",
        "fields @timestamp, detail.group, detail.containers.0.image, detail.stoppedReason",
        _TASKS,
        "filter detail.stoppedReason like /CannotPull/",
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Failing health checks",
        "fields @timestamp, detail.group, detail.availabilityZone, detail.stoppedReason, detail.taskArn",
        _TASKS,
        "filter detail.stoppedReason like /health checks/",
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Processes that ended",
        "fields @timestamp, detail.group, detail.containers.0.name, detail.containers.0.exitCode, "
        "detail.containers.0.reason",
        _TASKS,
        'filter detail.stopCode = "EssentialContainerExited"',
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Deployments",
        "fields @timestamp, detail.eventName, resources.0, detail.deploymentId, detail.reason",
        'filter `detail-type` = "ECS Deployment State Change"',
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Service actions",
        "fields @timestamp, detail.eventType, detail.eventName, resources.0, detail.reason",
        'filter `detail-type` = "ECS Service Action"',
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Deleted images",
        "fields @timestamp, `detail.repository-name`, `detail.image-digest`, `detail.image-tag`",
        'filter `detail-type` = "ECR Image Action"',
        'filter `detail.action-type` = "DELETE"',
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Builds, promotions and releases",
        "fields @timestamp, `detail.project-name`, `detail.build-status`, `detail.additional-information.initiator`, "
        "`detail.build-id`",
        'filter `detail-type` = "CodeBuild Build State Change"',
        _NEWEST,
        "limit 200",
    ),
    _query(
        "AWS Health",
        "fields @timestamp, detail.service, detail.eventTypeCode, detail.statusCode, detail.startTime, "
        "detail.eventDescription.0.latestDescription",
        'filter source = "aws.health"',
        _NEWEST,
        "limit 200",
    ),
    _query(
        "Timeline of one service",
        "# put the service's name in the place of web\n"
        "fields @timestamp, `detail-type`, detail.eventName, detail.stoppedReason, `detail.action-type`, "
        "`detail.build-status`, detail.eventTypeCode, detail.reason",
        'filter @message like /web/ or source = "aws.health"',
        "sort @timestamp asc",
        "limit 1000",
    ),
)
"""In the order in which somebody looks at night."""
