"""CloudFormation types that are only written down here: saved queries, the policy of a bus, chat channels."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from local_cloud.server.emulator import (
    Created,
    Properties,
    Response,
    answer,
    app,
    arn,
    cfn,
    eventbridge,
    register,
    responses,
)

_CHAT: Final = ("SlackChannelConfiguration", "MicrosoftTeamsChannelConfiguration", "CustomAction")
_queries: Any = responses.AccountRegionScopedDict()


def install() -> None:
    """Register the types; saved queries can be read again through the API."""
    register("AWS::Logs::QueryDefinition", _create_query, _update_query, lambda key, _: _queries.pop(key, None))
    register("AWS::Events::EventBusPolicy", _create_policy, _update_policy, _delete_policy)
    for kind in _CHAT:
        register(f"AWS::Chatbot::{kind}", *_record(kind))
    app.SERVICE_HANDLERS["logs"] = _described(app.SERVICE_HANDLERS["logs"])


def _create_query(logical_id: str, new: Properties, stack: str) -> Created:
    return _update_query(cfn._physical_name(stack, logical_id, max_len=36), {}, new, stack)


def _update_query(physical_id: str, _old: Properties, new: Properties, _stack: str) -> Created:
    _queries[physical_id] = {
        "queryDefinitionId": physical_id,
        "name": new["Name"],
        "queryString": new["QueryString"],
        "logGroupNames": list(new.get("LogGroupNames") or []),
    }
    return physical_id, {"QueryDefinitionId": physical_id}


def _described(inner: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def handle(method: str, path: str, headers: Properties, body: bytes, query: Properties) -> Response:
        if headers.get("x-amz-target", "").endswith(".DescribeQueryDefinitions"):
            prefix = json.loads(body or b"{}").get("queryDefinitionNamePrefix", "")
            found = [one for one in _queries.values() if one["name"].startswith(prefix)]
            return answer({"queryDefinitions": found})
        return await inner(method, path, headers, body, query)

    return handle


def _create_policy(_logical_id: str, new: Properties, stack: str) -> Created:
    return _update_policy("", {}, new, stack)


def _update_policy(_physical_id: str, old: Properties, new: Properties, _stack: str) -> Created:
    if old:
        _delete_policy("", old)
    bus, statement = new.get("EventBusName") or "default", new.get("Statement")
    statement = statement or {"Principal": new.get("Principal"), "Action": new.get("Action"), "Effect": "Allow"}
    policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
    policy["Statement"].append({**statement, "Sid": new["StatementId"]})
    return f"{bus}|{new['StatementId']}", {}


def _delete_policy(_physical_id: str, properties: Properties) -> None:
    policy = eventbridge._event_bus_policies.get(properties.get("EventBusName") or "default")
    if policy:
        policy["Statement"] = [one for one in policy["Statement"] if one.get("Sid") != properties["StatementId"]]


def _record(kind: str) -> tuple[Callable[..., Created], Callable[..., Created], Callable[..., None]]:
    def create(_logical_id: str, new: Properties, _stack: str) -> Created:
        name = new.get("ConfigurationName") or new.get("ActionName")
        made = arn("chatbot", f"chat-configuration/{kind}/{name}").replace(responses.get_region(), "", 1)
        return made, {"Arn": made}

    def update(_physical_id: str, _old: Properties, new: Properties, stack: str) -> Created:
        return create("", new, stack)

    return create, update, lambda _physical_id, _properties: None
