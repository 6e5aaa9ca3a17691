"""What is kept of a build's event: everything but the build's variables and texts (lesson W5). Standard library only.

CodeBuild's event holds the plain environment variables of the build, and in its phases' texts the commands that failed
(https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html). A log that is kept for a
year is no place for them.
"""

from __future__ import annotations

import json
from typing import Final

PATHS: Final = {
    "id": "$.id",
    "kind": "$.detail-type",
    "source": "$.source",
    "account": "$.account",
    "time": "$.time",
    "region": "$.region",
    "status": "$.detail.build-status",
    "project": "$.detail.project-name",
    "build": "$.detail.build-id",
    "phase": "$.detail.current-phase",
    "initiator": "$.detail.additional-information.initiator",
    "loggroup": "$.detail.additional-information.logs.group-name",
    "logstream": "$.detail.additional-information.logs.stream-name",
}
"""What is taken of the event. EventBridge does not escape it, so there are only values that cannot hold a quotation
mark: a branch can be named with one, and is left out."""

_MESSAGE: Final = {
    "version": "0",
    "id": "<id>",
    "detail-type": "<kind>",
    "source": "<source>",
    "account": "<account>",
    "time": "<time>",
    "region": "<region>",
    "detail": {
        "build-status": "<status>",
        "project-name": "<project>",
        "build-id": "<build>",
        "current-phase": "<phase>",
        "additional-information": {
            "initiator": "<initiator>",
            "logs": {"group-name": "<loggroup>", "stream-name": "<logstream>"},
        },
    },
}

TEMPLATE: Final = f'{{"timestamp":<time>,"message":{json.dumps(json.dumps(_MESSAGE))}}}'
"""Of the form that a log group takes: a time and one text
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html). The text is the event again,
with the places of its fields as they were, so that one query reads both."""
