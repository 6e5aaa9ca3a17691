"""The one door to MiniStack.

MiniStack has no typed or stable inner interface. We lean on private names, so each of them is named here and
looked for at start. A new MiniStack that lacks one is refused in one sentence, instead of failing somewhere later.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

EXPECTED_VERSION = "1.5.33"


class WrongEmulatorError(RuntimeError):
    """The MiniStack that is installed is not the one that we were written for."""


def _installed() -> None:
    try:
        found = version("ministack")
    except PackageNotFoundError:
        found = "none"
    if found != EXPECTED_VERSION:
        advice = "install local_cloud/requirements.txt"
        raise WrongEmulatorError(f"MiniStack {EXPECTED_VERSION} is expected, found {found}; {advice}")


def _module(name: str, *needed: str) -> ModuleType:
    module = importlib.import_module(f"ministack.{name}")
    missing = [attribute for attribute in needed if not hasattr(module, attribute)]
    if missing:
        raise WrongEmulatorError(f"MiniStack {EXPECTED_VERSION} is expected to have {name}.{missing[0]}: it is missing")
    return module


_installed()
app = _module("app", "app", "SERVICE_HANDLERS")
router = _module("core.router", "SERVICE_PATTERNS")
responses = _module(
    "core.responses", "AccountRegionScopedDict", "request_scope", "json_response", "error_response_json"
)
lambda_runtime = _module("core.lambda_runtime", "reset")
cfn = _module("services.cloudformation.provisioners", "_RESOURCE_HANDLERS", "_physical_name", "_ec2_apply_tags")
cloudformation = _module("services.cloudformation", "_stacks")
handlers = _module("services.cloudformation.handlers", "_ACTION_HANDLERS", "_resolve_stack")
stacks = _module("services.cloudformation.stacks", "_runs_on_worker_thread", "_sends_back_failed_update")
alb = _module("services.alb", "_ACTION_MAP", "_tgs", "_describe_target_health")
ec2 = _module(
    "services.ec2",
    *(
        "_ACTION_MAP",
        "_ensure_defaults_initialized",
        "_addresses",
        "_vpcs",
        "_nat_gateways",
        "_security_groups",
        "_subnets",
    ),
)
ecr = _module(
    "services.ecr",
    *("_repositories", "_images", "_find_image", "_image_digest", "_registry_error", "_repo_shape"),
    *("_create_repository", "_put_image_tag_mutability", "_manifest_blobs"),
    *("_put_image", "_batch_delete_image", "_batch_get_image", "_describe_images", "_list_images", "_v2_put_manifest"),
    *("_initiate_layer_upload", "_upload_layer_part", "_complete_layer_upload", "_batch_check_layer_availability"),
    *("_uploads", "_layer_blobs", "_content_digest"),
)
ecs = _module(
    "services.ecs",
    *("_ACTION_MAP", "_services", "_tasks", "_task_defs", "_get_docker", "_sanitize", "_make_deployment", "_run_task"),
    *("_stop_task", "_mark_task_stopped", "_reconcile_service_tasks", "_primary_deployment", "_deployment_for_task"),
    *("_create_service", "_update_service", "_delete_service", "_resolve_td_key", "_task_ip"),
    *("_record_service_task_failure", "_record_service_task_healthy", "_describe_task_definition"),
)
eventbridge = _module(
    "services.eventbridge",
    *("_put_events", "_invoke_target", "_dispatch_to_event_bus", "_dispatch_event", "_event_buses", "_rule_key"),
    *("_pattern_event_view", "_parse_pattern_text", "_apply_input_transformer", "_event_bus_policies"),
)
cloudwatch = _module(
    "services.cloudwatch",
    *("_put_metric_alarm", "_put_composite_alarm", "_delete_alarms", "_set_alarm_state", "_alarms"),
    *("_composite_alarms", "_metrics", "_metric_bucket", "_dims_key", "_dims_from_list", "_calc_stats", "_stat_value"),
    *("_error", "_evaluate_alarm", "_evaluate_parent_alarms", "_dispatch_alarm_actions", "_record_history"),
)
logs = _module(
    "services.cloudwatch_logs",
    *("_log_groups", "_resource_policies", "_create_log_stream", "_put_log_events", "handle_request"),
)
lambda_service = _module("services.lambda_svc", "_emit_lambda_metrics", "_execute_function_dispatch")
iam = _module("core.iam_evaluator", "pin_request_origin")
cloudfront = _module("services.cloudfront", "_distributions", "handle_viewer_request")

Response = tuple[int, dict[str, str], bytes]
Properties = dict[str, Any]
Created = tuple[str, Properties]


def wrap(module: ModuleType, name: str, outer: Callable[..., Any]) -> None:
    """Replace `module.name` with `outer(inner, *arguments)`, and in the module's table of actions too."""
    inner = getattr(module, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        return outer(inner, *arguments, **named)

    setattr(module, name, wrapped)
    actions: dict[str, Any] = getattr(module, "_ACTION_MAP", {})
    actions.update({action: wrapped for action, handler in actions.items() if handler is inner})


def answer(body: Properties) -> Response:
    """Return a JSON answer."""
    response: Response = responses.json_response(body)
    return response


def refusal(code: str, message: str) -> Response:
    """Return an AWS error as JSON."""
    response: Response = responses.error_response_json(code, message, 400)
    return response


def checked(response: Response) -> Properties:
    """Return the body of an answer; an error fails the CloudFormation resource that asked for it."""
    status, _, raw = response
    body: Properties = json.loads(raw)
    if status >= 400:
        raise ValueError(body.get("message") or body)
    return body


def camel(value: Any) -> Any:
    """Turn CloudFormation's PascalCase keys into the API's camelCase; maps whose keys are data stay as they are."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if isinstance(value, dict):
        data = ("Options", "DockerLabels", "DriverOpts", "Labels")
        return {key[:1].lower() + key[1:]: item if key in data else camel(item) for key, item in value.items()}
    return value


def register(
    kind: str, create: Callable[..., Created], update: Callable[..., Created], delete: Callable[..., None]
) -> None:
    """Make a CloudFormation type known."""
    cfn._RESOURCE_HANDLERS[kind] = {"create": create, "update": update, "delete": delete}


def amend(kind: str, outer: Callable[[Created, Properties], Created]) -> None:
    """Let `outer` mend what a type's create and update return; it gets the result and the new properties."""
    handlers = cfn._RESOURCE_HANDLERS[kind]
    create, update = handlers["create"], handlers.get("update")
    handlers["create"] = lambda logical_id, new, *rest: outer(create(logical_id, new, *rest), new)
    if update:
        handlers["update"] = lambda physical_id, old, new, *rest: outer(update(physical_id, old, new, *rest), new)


def arn(service: str, resource: str) -> str:
    """Return an ARN in the account and region of the request."""
    return f"arn:aws:{service}:{responses.get_region()}:{responses.get_account_id()}:{resource}"
