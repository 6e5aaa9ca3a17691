"""A service answers what rules ask about its time-outs, and nothing that they do not ask (T3, Q8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.guardrails.check import check
from constructs_lib.guardrails.cloud_assembly import read_cloud_assembly
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.traffic.ingress import OwnLoadBalancer, SharedListener
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.services.conftest import CERTIFICATE, CHECK, parts
from tests.support import DIGEST, FLAG_SETS, stack, vpc

IDLE = "idle_timeout.timeout_seconds"
BALANCER_ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188"
LISTENER_ARN = f"{BALANCER_ARN.replace('loadbalancer', 'listener')}/f2f7dc8efc522ab2"
ALL_IN_ORDER = TimeoutBudget(idle_seconds=40, drain_seconds=40, stop_seconds=40)

NOT_FOUND = elbv2.ListenerAction.fixed_response(404)

Ingress = Callable[[App, Stack, ec2.IVpc], OwnLoadBalancer | SharedListener]


def shared(load_balancer: elbv2.IApplicationLoadBalancer, listener: elbv2.IApplicationListener) -> SharedListener:
    """A place on a listener."""
    conditions = [elbv2.ListenerCondition.path_patterns(["/web/*"])]
    return SharedListener(load_balancer=load_balancer, listener=listener, priority=1, conditions=conditions)


def own(*_: object) -> OwnLoadBalancer:
    """Its own, internal."""
    return OwnLoadBalancer()


def public(*_: object) -> OwnLoadBalancer:
    """Its own, for the internet."""
    return OwnLoadBalancer(internet_facing=True, certificate_arn=CERTIFICATE)


def on(idle: int | None = None, *, apart: bool = False, by_parameter: bool = False) -> Ingress:
    """A listener that other code of the app has made.

    Args:
        idle: the load balancer's idle timeout; ELB's own by default.
        apart: whether it is in another stack.
        by_parameter: whether a parameter sets it, to 30 seconds by default.
    """

    def make(app: App, scope: Stack, network: ec2.IVpc) -> SharedListener:
        if apart:
            scope = stack(app, f"{scope.stack_name}Owner")
            network = vpc(scope)
        timeout = None if idle is None else Duration.seconds(idle)
        balancer = elbv2.ApplicationLoadBalancer(scope, "Balancer", vpc=network, idle_timeout=timeout)
        if by_parameter:
            balancer.set_attribute(IDLE, CfnParameter(scope, "Idle", default="30").value_as_string)
        return shared(balancer, balancer.add_listener("Http", port=80, open=False, default_action=NOT_FOUND))

    return make


def elsewhere(_: App, scope: Stack, network: ec2.IVpc) -> SharedListener:
    """A listener that no template has."""
    group = ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-0123456789abcdef0")
    found = elbv2.ApplicationListener.from_application_listener_attributes(
        scope, "Found", listener_arn=LISTENER_ARN, security_group=group
    )
    return shared(existing(scope, network), found)


def half(_: App, scope: Stack, network: ec2.IVpc) -> SharedListener:
    """A listener of the app on a load balancer that no template has."""
    balancer = existing(scope, network)
    http = elbv2.ApplicationProtocol.HTTP
    return shared(balancer, balancer.add_listener("Added", port=8080, protocol=http, default_action=NOT_FOUND))


def existing(scope: Stack, network: ec2.IVpc) -> elbv2.IApplicationLoadBalancer:
    """A load balancer that no template has."""
    return elbv2.ApplicationLoadBalancer.from_application_load_balancer_attributes(
        scope, "Existing", load_balancer_arn=BALANCER_ARN, security_group_id="sg-0123456789abcdef1", vpc=network
    )


T3A, T3D = "MOOR-T3a", "MOOR-T3d"
KINDS: Mapping[str, tuple[Ingress, TimeoutBudget, set[str]]] = {
    "Own": (own, TimeoutBudget(), {T3A, T3D}),
    "Public": (public, TimeoutBudget(), {T3A, T3D}),
    "OwnInOrder": (own, ALL_IN_ORDER, set()),
    "OwnLongDrain": (own, TimeoutBudget(drain_seconds=60), {T3D}),
    "OwnLongStop": (own, TimeoutBudget(stop_seconds=45), {T3A}),
    "Shared": (on(), TimeoutBudget(), {T3A, T3D}),
    "SharedApart": (on(apart=True), TimeoutBudget(), {T3A, T3D}),
    "SharedLonger": (on(46), TimeoutBudget(), {T3A, T3D}),
    "SharedShort": (on(45), TimeoutBudget(), {T3D}),
    "SharedInOrder": (on(40), ALL_IN_ORDER, set()),
    "SharedLate": (on(90), ALL_IN_ORDER, {T3A}),
    "SharedByParameter": (on(by_parameter=True), TimeoutBudget(), {T3D}),
    "Elsewhere": (elsewhere, TimeoutBudget(), {T3A, T3D}),
    "ElsewhereInOrder": (elsewhere, ALL_IN_ORDER, {T3A}),
    "HalfElsewhere": (half, ALL_IN_ORDER, {T3A}),
}
"""Each way to be reached, and what is to be accepted there, by AWS's numbers and the budget's."""


@pytest.fixture(scope="module", params=FLAG_SETS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All kinds in one app."""
    app = App(context=request.param, outdir=str(tmp_path_factory.mktemp("kinds") / "cdk.out"))
    for name, (ingress, timeouts, _) in KINDS.items():
        scope = stack(app, name)
        cluster, repository = parts(scope)
        FargateWebService(
            scope, "Web", cluster=cluster, repository=repository, image=FixedDigest(DIGEST), health_check=CHECK,
            timeouts=timeouts, ingress=ingress(app, scope, cluster.vpc),
        )  # fmt: skip
    app.synth()
    return Path(app.outdir)


def test_no_finding_on_time_outs_is_left_and_no_acknowledgement_is_idle(folder: Path) -> None:
    """Whatever the service is behind: neither T3a nor T3d stands, nor is anything said of their acceptance (Q8)."""
    report = check([folder])
    assert report.problems == ()
    left = [(one.rule, one.file, one.message) for one in report.findings if one.rule.startswith((T3A, T3D, "MOOR-Q8"))]
    assert left == []
    assert report.accepted == sum(len(expected) for _, _, expected in KINDS.values())


def test_only_what_rules_ask_is_accepted_where_they_ask_it(folder: Path) -> None:
    """The target group for its drain, the task definition for its stop; nothing else of the service."""
    assembly = read_cloud_assembly(folder)
    assert assembly is not None
    places = {T3A: "Targets", T3D: "Task"}
    assert {(said.construct, said.name.removeprefix("Moorings::")) for said in assembly.said} == {
        (f"{name}/Web/{places[rule]}", rule) for name, (_, _, expected) in KINDS.items() for rule in expected
    }


def test_reasons_name_the_numbers_of_the_budget(folder: Path) -> None:
    """And the idle timeout of the load balancer that it is behind, where that is known (T3)."""
    assembly = read_cloud_assembly(folder)
    assert assembly is not None
    reasons = {(said.construct.split("/")[0], said.name[-8:]): said.reason for said in assembly.said}
    for (name, rule), reason in reasons.items():
        budget = KINDS[name][1]
        assert f"{budget.drain_seconds} s" in reason
        if rule == T3A:
            assert f"{budget.longest_request_seconds} s at most" in reason
        else:
            assert f"stop timeout of {budget.stop_seconds} s" in reason
            assert f"shutdown of {budget.shutdown_seconds} s" in reason
    for name, idle in (("Own", 60), ("Shared", 60), ("SharedLonger", 46), ("SharedLate", 90)):
        assert f"idle timeout of {idle} s" in reasons[name, T3A]
    assert "idle timeout says" in reasons["Elsewhere", T3A]
