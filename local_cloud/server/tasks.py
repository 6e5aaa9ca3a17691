"""Our model of how ECS on Fargate starts, stops and replaces tasks. It is a claim of ours, no proof about AWS.

MiniStack calls every task RUNNING at once. Here a task's images are looked up in our ECR first. A task whose image
is missing or archived ends STOPPED, and the service tries again later, ever more slowly. A task behind a load balancer
counts for its deployment once its target is healthy. Changes of tasks and of deployments go to EventBridge.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

from local_cloud.server.emulator import Properties, Response, answer, ecr, ecs, refusal, responses, wrap
from local_cloud.server.events import emit
from local_cloud.server.health import (
    EXITS,
    FAULT_GRACE_SECONDS,
    GRACE_SECONDS,
    HEALTHY_SECONDS,
    UNHEALTHY,
    behaviour,
    target_groups,
)
from local_cloud.server.images import is_active
from local_cloud.server.zones import zone_of

FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 1.0, 60.0
ONE_OFF_SECONDS = 2.0

_PRIVATE_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)
_lock = threading.RLock()
_thread = threading.local()
# By account, region and service: when to try again, the delay before it, and the deployment that it is for.
_retries: dict[tuple[str, str, str], tuple[float, float, str]] = {}
# By account, region and task: when the load balancer knows whether its target is healthy.
_judged: dict[tuple[str, str, str], float] = {}
_addresses = itertools.count(10 * 2**24 + 1)
# By account, region and service: all tasks fail their health check, whatever their image says.
_failing: set[tuple[str, str, str]] = set()


class CannotPullError(Exception):
    """The image of a container is missing, or not active."""


def install() -> None:
    """Wrap MiniStack's task and service functions, and start the thread that tries again."""
    wrap(ecs, "_get_docker", lambda _inner: None)
    stop_for_user = ecs._stop_task
    wrap(ecs, "_stop_task", _stop_for_scheduler)
    ecs._ACTION_MAP["StopTask"] = lambda data: _stop_for_user(stop_for_user, data)
    wrap(ecs, "_run_task", _run_task)
    wrap(ecs, "_mark_task_stopped", _mark_task_stopped)
    wrap(ecs, "_make_deployment", _make_deployment)
    wrap(ecs, "_reconcile_service_tasks", _reconcile)
    wrap(ecs, "_create_service", _refuse_unknown_definition)
    wrap(ecs, "_update_service", _refuse_unknown_definition)
    wrap(ecs, "_describe_task_definition", _describe_newest_active)
    threading.Thread(target=_retry_services, daemon=True, name="moorings_retry_services").start()


def resolve(image: str) -> tuple[str | None, str]:
    """Return the digest that a pull would give now, and how the image behaves.

    There is no digest for an image that is not in a private ECR registry.
    """
    match = _PRIVATE_IMAGE.fullmatch(image)
    if match is None:
        return None, ""
    wanted = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"] or "latest"}
    with responses.request_scope(match["account"], match["region"]):
        found = ecr._find_image(match["repository"], wanted)
        behaves = behaviour(match["repository"], found or {})
    if found is None or not is_active(found):
        raise CannotPullError(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
            f"failed to resolve ref {image}: {image}: not found"
        )
    found["lastRecordedPullTime"] = int(time.time())
    return str(found["imageDigest"]), behaves


def fail_health_checks(key: str, failing: bool) -> None:
    """From now on the tasks of a service fail their health check, those that run and those to come; or no longer."""
    scope = (responses.get_account_id(), responses.get_region(), key)
    (_failing.add if failing else _failing.discard)(scope)
    for task in list(ecs._tasks.values()):
        owner = _service_of(task)
        if owner and "/".join(owner) == key and task["lastStatus"] == "RUNNING" and "_behaviour" in task:
            task["_behaviour"] = UNHEALTHY if failing else ""
            _judged[_of_account(task)] = time.monotonic() + (FAULT_GRACE_SECONDS if failing else HEALTHY_SECONDS)
    if not failing and scope in _retries:
        _retries[scope] = (time.monotonic(), FIRST_RETRY_SECONDS, _retries[scope][2])


def _service_of(task: Properties) -> tuple[str, str] | None:
    """Return the names of a task's cluster and service."""
    group = task.get("group", "")
    return (task["clusterArn"].rsplit("/", 1)[1], group[8:]) if group.startswith("service:") else None


def _run_task(inner: Callable[..., Response], data: Properties) -> Response:
    """Start tasks as MiniStack does, then let those that cannot pull fail."""
    if data.get("_deploymentId"):
        data = {**data, "startedBy": data["_deploymentId"]}
    response = inner(data)
    if response[0] >= 400:
        return response
    body = json.loads(response[2])
    tasks = [ecs._tasks[view["taskArn"]] for view in body["tasks"]]
    for task in tasks:
        _pull(task)
    return answer({**body, "tasks": [ecs._sanitize(task) for task in tasks]})


def _pull(task: Properties) -> None:
    owner = _service_of(task)
    service = ecs._services.get("/".join(owner)) if owner else None
    deployment = ecs._deployment_for_task(service, task) if service else None
    # ECS keeps the digest that a tag had when the deployment began, and uses it for every later task.
    digests = deployment.setdefault("_digests", {}) if deployment else {}
    if task.get("launchType") == "FARGATE":
        task.pop("containerInstanceArn", None)
    task["availabilityZone"] = zone_of(service, task)
    if task["_network_mode"] == "awsvpc":
        address = {"name": "privateIPv4Address", "value": str(IPv4Address(next(_addresses)))}
        task["attachments"] = [{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": [address]}]
    behaviours = set()
    for container, essential in zip(task["containers"], task["_container_essentials"], strict=True):
        image = container["image"]
        try:
            known = digests.get(image)
            digest, behaves = resolve(f"{_without_reference(image)}@{known}" if known else image)
        except CannotPullError as error:
            container["reason"] = str(error)
            task.update(startedAt=None, pullStoppedAt=None)
            ecs._mark_task_stopped(task["taskArn"], task, str(error), "TaskFailedToStart")
            return
        if digest:
            container["imageDigest"] = digests[image] = digest
        behaviours |= {behaves} if essential else set()
    _announce_task(task)
    if EXITS in behaviours:
        reason = "Essential container in task exited"
        ecs._mark_task_stopped(task["taskArn"], task, reason, "EssentialContainerExited", 1)
    elif not owner:
        _judged[_of_account(task)] = time.monotonic() + ONE_OFF_SECONDS
    elif target_groups(service) or _has_check(task):
        fault = owner is not None and (*_of_account(task)[:2], "/".join(owner)) in _failing
        unhealthy = fault or UNHEALTHY in behaviours
        task.update(_startup_stable=False, _behaviour=UNHEALTHY if unhealthy else "")
        grace = FAULT_GRACE_SECONDS if fault else GRACE_SECONDS
        _judged[_of_account(task)] = time.monotonic() + (grace if unhealthy else HEALTHY_SECONDS)


def _of_account(task: Properties) -> tuple[str, str, str]:
    return responses.get_account_id(), responses.get_region(), task["taskArn"]


def _judge(task: Properties | None) -> None:
    """A healthy target lets its task count for the deployment; ECS stops the task of one that is not. Without a load
    balancer the container check says so.

    The program of a task that no service owns has come to its end by now.
    """
    owner = _service_of(task) if task else None
    if task is None or task["lastStatus"] != "RUNNING":
        return
    if owner is None:
        reason = "Essential container in task exited"
        ecs._mark_task_stopped(task["taskArn"], task, reason, "EssentialContainerExited", 0)
        return
    key = "/".join(owner)
    if task["_behaviour"] == UNHEALTHY:
        groups = ", ".join(target_groups(ecs._services.get(key)))
        failed = f"ELB health checks in (target-group {groups})" if groups else "container health checks"
        reason = f"Task failed {failed}"
        _show_health(task, "UNHEALTHY")
        ecs._mark_task_stopped(task["taskArn"], task, reason, "ServiceSchedulerInitiated")
        ecs._record_service_task_failure(task)
    else:
        _show_health(task, "HEALTHY")
        ecs._record_service_task_healthy(key, task)
        ecs._reconcile_service_tasks(owner[0], key)


def _has_check(task: Properties) -> bool:
    """Whether an essential container has a health check."""
    definition = ecs._task_defs.get(task["taskDefinitionArn"].rsplit("/", 1)[1], {"containerDefinitions": []})
    return any("healthCheck" in one and one.get("essential", True) for one in definition["containerDefinitions"])


def _show_health(task: Properties, status: str) -> None:
    """What DescribeTasks says of a task whose containers are checked."""
    if _has_check(task):
        for one in (task, *task["containers"]):
            one["healthStatus"] = status


def _without_reference(image: str) -> str:
    repository = image.split("@", 1)[0]
    return repository.rsplit(":", 1)[0] if ":" in repository.rsplit("/", 1)[-1] else repository


def _mark_task_stopped(
    inner: Callable[..., bool], task_arn: str, task: Properties, reason: str, code: str, exit_code: int | None = None
) -> bool:
    if getattr(_thread, "scheduler_stops", False) and code == "UserInitiated":
        code = "ServiceSchedulerInitiated"
    stopped = inner(task_arn, task, reason, code, exit_code)
    if stopped:
        _announce_task(task)
    return stopped


def _stop_for_scheduler(inner: Callable[..., Response], data: Properties) -> Response:
    _thread.scheduler_stops = True
    try:
        return inner(data)
    finally:
        _thread.scheduler_stops = False


def _stop_for_user(inner: Callable[..., Response], data: Properties) -> Response:
    """StopTask: the service of the task replaces it."""
    response = inner(data)
    owner = _service_of(json.loads(response[2])["task"]) if response[0] < 400 else None
    if owner:
        ecs._reconcile_service_tasks(owner[0], "/".join(owner))
    return response


def _make_deployment(inner: Callable[..., Properties], *arguments: Any, **named: Any) -> Properties:
    """MiniStack calls a service's first deployment complete before a task has started; it is in progress."""
    return inner(*arguments, **named) | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": ""}


def _refuse_unknown_definition(inner: Callable[..., Response], data: Properties) -> Response:
    wanted = data.get("taskDefinition")
    if wanted and ecs._resolve_td_key(wanted) not in ecs._task_defs:
        return refusal("ClientException", f"Unable to find task definition: {wanted}")
    return inner(data)


def _describe_newest_active(inner: Callable[..., Response], data: Properties) -> Response:
    """A family's name means its newest ACTIVE revision; to MiniStack the newest of all."""
    family = data.get("taskDefinition", "")
    active = [one for one in ecs._task_defs.values() if (one["family"], one["status"]) == (family, "ACTIVE")]
    if active:
        data = {**data, "taskDefinition": max(active, key=lambda one: int(one["revision"]))["taskDefinitionArn"]}
    return inner(data)


def _reconcile(inner: Callable[..., None], cluster: str, key: str) -> None:
    """Bring a service to its desired count once; a failed start does not start the next one from within."""
    if getattr(_thread, "reconciles", False):
        return
    _thread.reconciles = True
    try:
        with _lock:
            service = ecs._services.get(key)
            inner(cluster, key)
            if service:
                _announce_deployments(service)
                _forget_failed(service)
                _plan_retry(key, service)
    finally:
        _thread.reconciles = False


def _forget_failed(service: Properties) -> None:
    """MiniStack lists a failed deployment for ever; then no waiter would call a service stable after a rollback."""
    primary = ecs._primary_deployment(service) or {"rolloutState": ""}
    if primary["rolloutState"] == "COMPLETED":
        service["deployments"] = [d for d in service["deployments"] if d is primary or d["runningCount"]]


def _plan_retry(key: str, service: Properties) -> None:
    scope = (responses.get_account_id(), responses.get_region(), key)
    primary = ecs._primary_deployment(service) or {"id": "", "rolloutState": "FAILED", "runningCount": 0}
    given_up = service["status"] != "ACTIVE" or primary["rolloutState"] == "FAILED"
    _, last, deployment = _retries.pop(scope, (0.0, 0.0, ""))
    if not given_up and primary["runningCount"] < service["desiredCount"]:
        same = deployment == primary["id"]
        delay = min(last * 2, LAST_RETRY_SECONDS) if same else FIRST_RETRY_SECONDS
        _retries[scope] = (time.monotonic() + delay, delay, primary["id"])


def _retry_services() -> None:
    while True:
        time.sleep(FIRST_RETRY_SECONDS / 4)
        for (account, region, arn), due in list(_judged.items()):
            if due <= time.monotonic():
                del _judged[account, region, arn]
                with responses.request_scope(account, region):
                    _judge(ecs._tasks.get(arn))
        for (account, region, key), (due, *_) in list(_retries.items()):
            if due <= time.monotonic():
                with responses.request_scope(account, region):
                    ecs._reconcile_service_tasks(key.split("/", 1)[0], key)


def _announce_task(task: Properties) -> None:
    shown = {key: value for key, value in ecs._sanitize(task).items() if value != ""}
    emit("aws.ecs", "ECS Task State Change", task["taskArn"], {**shown, "updatedAt": _now()})


def _announce_deployments(service: Properties) -> None:
    for deployment in reversed(service["deployments"]):
        told, state = deployment.setdefault("_told", []), deployment["rolloutState"]
        for news in [state] if told or state == "IN_PROGRESS" else ["IN_PROGRESS", state]:
            if news not in told[-1:]:
                told.append(news)
                detail = {
                    "eventType": "ERROR" if news == "FAILED" else "INFO",
                    "eventName": f"SERVICE_DEPLOYMENT_{news}",
                    "deploymentId": deployment["id"],
                    "updatedAt": _now(),
                    "reason": deployment.get("rolloutStateReason") or f"ECS deployment {deployment['id']} in progress.",
                }
                emit("aws.ecs", "ECS Deployment State Change", service["serviceArn"], detail)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
