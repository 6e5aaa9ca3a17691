"""Who may import whom, and what every public thing must say of itself."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "constructs_lib"
SLICES = ("images", "delivery", "services", "network", "observability", "guardrails")
SHARED = {
    *("architecture", "checks", "naming", "alarm_spec", "iam_policy", "log_retention", "incidents", "command_line"),
    *("kept_messages", "private_images"),
}
"""Modules beside the slices; all are pure, and every slice may use them."""

SHARED_CDK = {"metric_alarm", "places", "private_bucket", "python_function", "runtime_code"}
"""Modules beside the slices that know CDK; only what may import CDK itself may use them."""

PURE = {
    "images": {
        *("policy", "lifecycle", "lifecycle_evaluation", "lifecycle_hazards", "lifecycle_policy"),
        "lifecycle_words",
        *("alarms", "event_patterns", "permissions"),
    },
    "delivery": {
        *("policy", "buildspec", "permissions", "build_permissions", "release_permissions"),
        *("ledger", "settings", "window", "build_tags", "image_names", "readiness", "neighbours"),
        *("stack_status", "alarms", "before_release", "release_schedules"),
    },
    "services": {
        *("policy", "alarms", "worker_alarms", "reasons"),
        *("task.execute_command", "task.restart_policy", "task.health_check", "task.log_delivery", "task.log_options"),
        *("traffic.timeouts", "traffic.unavailable_page", "traffic.service_connect"),
        *("traffic.balanced", "traffic.request_alarms", "traffic.target_alarms"),
        "deployments.deployment_policy",
        "scaling.capacity",
        *("ports.port_remedies", "ports.peak_budget", "ports.port_path"),
        *(
            "ports.local_ports",
            "ports.port_budget",
            "ports.kernel_settings",
            "sockets.socket_metrics",
            "sockets.agent_config",
            "sockets.alarms",
        ),
        "sockets.comparison_alarms",
        *("configuration.policy", "configuration.alarms"),
        *("schedules.schedule", "schedules.schedule_permissions", "schedules.failed_run_events", "schedules.one_off"),
    },
    "network": {"policy", "alarms"},
    "observability": {
        *("composites", "dead_letters", "runbooks"),
        *("detection.timings", "detection.detection_budget", "detection.table"),
        *(
            "notification.targets",
            "notification.forwarding",
            "dashboard.widgets",
            "dashboard.contents",
            "dashboard.service_graphs",
            "dashboard.sections",
        ),
        *("status_page.policy", "status_page.permissions", "status_page.patterns", "status_page.alarms"),
        *("runtime.status.settings", "runtime.status.alarm_events"),
        *("runtime.status.values", "runtime.status.entries", "runtime.status.state", "runtime.status.state_json"),
        *("runtime.status.changes", "runtime.status.by_machine", "runtime.status.by_person", "runtime.status.upkeep"),
        *("runtime.status.shown", "runtime.status.times", "runtime.status.words", "runtime.status.feed"),
        *("runtime.status.page", "runtime.status.markup", "runtime.status.icons", "runtime.status.style"),
        "runtime.status.palette",
        *("evidence.patterns", "evidence.queries", "evidence.permissions", "evidence.build_events", "evidence.alarms"),
        *("evidence.message_patterns", "evidence.message_permissions"),
        *("runtime.plain_text", "runtime.messages.kinds", "runtime.messages.fields", "runtime.messages.place"),
        *("runtime.messages.tasks", "runtime.messages.classify", "runtime.messages.urgency"),
        *("runtime.messages.summary", "runtime.messages.message", "runtime.messages.settings"),
    },
}
"""Modules that decide without CDK, boto3, clock or network."""

CDK_DOORS = {"validation", "pack"}
"""Modules of the guardrails that know CDK; all others judge templates without it."""

AWS_PLACES = {"runtime", "operations"}
"""Folders that call AWS: a Lambda's code, and what terminal and CodeBuild run. The second may use the first."""

CDK = {"aws_cdk", "constructs", "jsii"}
AWS = {"boto3", "botocore"} | {
    f"types_boto3_{service}"
    for service in (
        *("cloudformation", "cloudwatch", "dynamodb", "ecr", "ecs", "elbv2"),
        *("appconfig", "events", "logs", "s3", "scheduler", "sns", "ssm", "stepfunctions", "sts"),
    )
}


def modules() -> list[Path]:
    """All Python files of the library."""
    return sorted(path for path in LIBRARY.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names of everything that a file imports, relative imports resolved."""
    package = list(path.relative_to(ROOT).parent.parts)
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            if prefix in {"constructs_lib", *(f"constructs_lib.{s}" for s in SLICES)} or not node.module:
                names.update(f"{prefix}.{alias.name}" for alias in node.names)
            else:
                names.add(prefix)
    return names


def may_import(path: Path, name: str) -> bool:
    """Whether the rules of this project let a file import a module."""
    top = name.split(".")[0]
    if top in sys.stdlib_module_names:
        return True
    place = path.relative_to(LIBRARY).parts
    in_slice = place[0] if len(place) > 1 else None
    within = ".".join(path.relative_to(LIBRARY).with_suffix("").parts[1:])
    if in_slice == "ops":
        return ops_may_import(name)
    if in_slice == "guardrails":
        return guardrails_may_import(path, name)
    if name.startswith("constructs_lib."):
        target = name.split(".")[1:]
        if target[0] in SHARED:
            return True
        if target[0] in SHARED_CDK:
            return may_import(path, "aws_cdk")
        if in_slice is None or target[0] != in_slice:
            return False
        if ".".join(target[1:]) in PURE[in_slice]:
            return True
        if "runtime" in place:
            own = place[: place.index("runtime") + 1]
            return tuple(target[: len(own)]) == own
        if "operations" in place:
            return bool(AWS_PLACES & set(target))
        return within not in PURE[in_slice] and not AWS_PLACES & set(target)
    if in_slice is None:
        return path.stem in SHARED_CDK and top in CDK
    if within in PURE[in_slice]:
        return False
    return top in (AWS if AWS_PLACES & set(place) else CDK)


def ops_may_import(name: str) -> bool:
    """The command line uses what decides and what reads AWS, of every slice, and never CDK."""
    top, *target = name.split(".")
    if top != "constructs_lib":
        return top in AWS | {"rich", "yaml"}
    if target[0] in SHARED or target[0] == "ops":
        return True
    if target[0] == "guardrails":
        return target[-1] not in CDK_DOORS
    if target[0] not in PURE or len(target) == 1:
        return False
    return ".".join(target[1:]) in PURE[target[0]] or bool(AWS_PLACES & set(target))


def guardrails_may_import(path: Path, name: str) -> bool:
    """Rules use what decides in any slice; two modules know CDK, one of them cdk-nag, and a few read YAML."""
    top, *target = name.split(".")
    if top == "yaml":
        return path.stem in {"documents", "yaml_nodes", "explanation", "buildspecs"}
    if top == "cdk_nag":
        return path.stem == "pack"
    if top != "constructs_lib":
        return top in CDK and path.stem in CDK_DOORS
    if target[0] == "guardrails":
        return path.stem in CDK_DOORS or target[-1] not in CDK_DOORS
    return target[0] in SHARED or (target[0] in PURE and ".".join(target[1:]) in PURE[target[0]])


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_rules(path: Path) -> None:
    """A pure module imports the standard library, a construct CDK and its own slice, a Lambda boto3 and its folder."""
    refused = sorted(name for name in imported(path) if not may_import(path, name))
    assert refused == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("services/policy.py", "aws_cdk"),
        ("services/fargate_service.py", "constructs_lib.images.repository"),
        ("services/fargate_service.py", "boto3"),
        ("services/fargate_service.py", "cdk_nag"),
        ("delivery/runtime/handler.py", "aws_cdk"),
        ("delivery/policy.py", "constructs_lib.delivery.pipeline"),
        ("delivery/readiness.py", "constructs_lib.delivery.operations.facts"),
        ("delivery/readiness.py", "boto3"),
        ("delivery/release_pipeline.py", "constructs_lib.delivery.operations.release"),
        ("delivery/release_pipeline.py", "boto3"),
        ("delivery/operations/release.py", "aws_cdk"),
        ("delivery/operations/release.py", "constructs_lib.delivery.pipeline"),
        ("delivery/operations/release.py", "constructs_lib.images.runtime.pinning"),
        ("delivery/operations/release.py", "rich"),
        ("delivery/runtime/handler.py", "constructs_lib.delivery.operations.release"),
        ("naming.py", "constructs_lib.images.policy"),
        ("naming.py", "aws_cdk"),
        ("delivery/policy.py", "constructs_lib.runtime_code"),
        ("images/runtime/aws.py", "constructs_lib.runtime_code"),
        ("runtime_code.py", "constructs_lib.images.repository"),
        ("runtime_code.py", "boto3"),
        ("ops/cli.py", "aws_cdk"),
        ("ops/cli.py", "constructs_lib.images.repository"),
        ("images/repository.py", "stacks.environments"),
        ("ops/verify.py", "aws_cdk"),
        ("ops/verify.py", "constructs_lib.images.repository"),
        ("ops/verify.py", "constructs_lib.runtime_code"),
        ("images/runtime/aws.py", "constructs_lib.ops.cli"),
        ("guardrails/judge.py", "aws_cdk"),
        ("guardrails/rules/logs.py", "constructs_lib.guardrails.validation"),
        ("guardrails/validation.py", "cdk_nag"),
        ("guardrails/command.py", "cdk_nag"),
        ("guardrails/judge.py", "yaml"),
        ("guardrails/rules/repositories.py", "constructs_lib.images.repository"),
        ("guardrails/command.py", "constructs_lib.ops.cli"),
        ("images/policy.py", "constructs_lib.guardrails.rule"),
        ("ops/cli.py", "constructs_lib.guardrails.pack"),
    ],
)
def test_the_rules_can_refuse(file: str, name: str) -> None:
    """The rules above refuse what they are for."""
    assert not may_import(LIBRARY / file, name)


def test_every_pure_module_exists() -> None:
    """The tables of modules name none that is gone."""
    for name in SHARED | SHARED_CDK:
        assert (LIBRARY / f"{name}.py").exists(), name
    for place, names in PURE.items():
        for name in names:
            assert (LIBRARY / place / f"{name.replace('.', '/')}.py").exists(), f"{place}/{name}"


def test_nothing_in_the_library_or_the_local_cloud_imports_the_app() -> None:
    """``stacks`` and ``demo`` use everything; what users import uses neither."""
    for path in [*modules(), *sorted((ROOT / "local_cloud").rglob("*.py"))]:
        tops = {name.split(".")[0] for name in imported(path)}
        assert not tops & {"stacks", "demo", "tests"}, path


@pytest.mark.parametrize("path", [p for p in modules() if p.name == "__init__.py"], ids=lambda p: p.parent.name)
def test_packages_import_nothing(path: Path) -> None:
    """Importing one construct does not pay for the others."""
    assert imported(path) == set()


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("constructs_lib.images.repository", "aws_cdk.aws_ecs"),
        ("constructs_lib.images.policy", "jsii"),
        ("constructs_lib.images.lifecycle", "jsii"),
        ("constructs_lib.services.policy", "jsii"),
        ("constructs_lib.services.task.health_check", "jsii"),
        ("constructs_lib.delivery.policy", "jsii"),
        ("constructs_lib.delivery.buildspec", "jsii"),
        ("constructs_lib.delivery.operations.release", "jsii"),
        ("constructs_lib.delivery.operations.release", "boto3"),
        ("constructs_lib.delivery.operations.release", "botocore"),
        ("constructs_lib.delivery.operations.release", "constructs_lib.images"),
        ("constructs_lib.network.policy", "jsii"),
        ("constructs_lib.incidents", "jsii"),
        ("constructs_lib.ops.cli", "jsii"),
        ("constructs_lib.ops.cli", "boto3"),
        ("constructs_lib.ops.cli", "rich"),
        ("constructs_lib.ops.cli", "yaml"),
        ("constructs_lib.guardrails.check", "jsii"),
        ("constructs_lib.guardrails.check", "yaml"),
        ("stacks.environments", "jsii"),
    ],
)
def test_an_import_does_not_bring_what_it_does_not_need(module: str, absent: str) -> None:
    """Images do not import ECS, and a pure module does not start Node."""
    program = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


NO_LESSON = {"WritablePath", "Lesson", "Ingress", "Action", "InvalidRequestError"}
"""A read-only file system is common sense, and the others are parts that no user makes."""


RECORDS = {"Entry", "DeliverySettings", "Service"}
"""What is stored as it is or read from AWS as it is; programs make them, and nobody by hand."""


def public_classes() -> list[type]:
    """Every class that a user can import from the library."""
    found = []
    for path in modules():
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        found += [
            value
            for name, value in vars(module).items()
            if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
        ]
    return found


@pytest.mark.parametrize("cls", public_classes(), ids=lambda cls: cls.__name__)
def test_every_public_class_explains_itself(cls: type) -> None:
    """A public class has a docstring that names its lesson and every parameter of its constructor."""
    text = inspect.getdoc(cls)
    assert text, f"{cls.__name__} has no docstring"
    assert bool(re.search(r"lessons? ([WTQ][1-8])", text)) != (cls.__name__ in NO_LESSON)
    if issubclass(cls, tuple) or "__init__" not in vars(cls):
        return
    parameters = inspect.signature(cls).parameters.values()
    keywords = {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    missing = sorted(name for name in keywords if f"{name}:" not in text)
    assert missing == [], f"{cls.__name__} does not say what {missing} are"
    assert len(keywords) <= 12 or cls.__name__ in RECORDS, f"{cls.__name__} has {len(keywords)} keywords"
