"""What ECS needs to shift requests from one target group to another (lesson T4)."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from constructs import Construct


def both_groups(
    target_group: elbv2.ApplicationTargetGroup, alternate: elbv2.ApplicationTargetGroup
) -> elbv2.ListenerAction:
    """The action of the rule that ECS changes: all requests to the first group, none to the second.

    Both must be in it from the beginning, or ECS rolls the deployment back
    (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html).
    """
    return elbv2.ListenerAction.weighted_forward(
        [
            elbv2.WeightedTargetGroup(target_group=target_group, weight=1),
            elbv2.WeightedTargetGroup(target_group=alternate, weight=0),
        ]
    )


def shift_traffic(
    scope: Construct,
    service: ecs.FargateService,
    *,
    container: str,
    target_group: elbv2.ApplicationTargetGroup,
    alternate: elbv2.ApplicationTargetGroup,
    rule: elbv2.ApplicationListenerRule,
) -> iam.Role:
    """Registers a service in two target groups, and lets ECS shift the requests by the rule; the role that ECS uses.

    The role is narrower than AWS's managed policy ``AmazonECSInfrastructureRolePolicyForLoadBalancers``: it changes
    this rule and the targets of these two groups. It changes no listener, which ECS does for a listener's default rule.
    On ``*`` are four ``Describe`` actions of Elastic Load Balancing, which take no resource
    (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html).

    Args:
        service: a Fargate service; make its ``DeploymentConfiguration`` with ``apply_deployment``.
        container: the container that listens; its first port is taken.
        target_group: where its tasks are at first.
        alternate: a second group with the same settings.
        rule: the listener rule that leads to both, with :func:`both_groups` as its action.
    """
    groups = [target_group.target_group_arn, alternate.target_group_arn]
    role = iam.Role(
        scope,
        "TrafficShift",
        assumed_by=iam.ServicePrincipal("ecs.amazonaws.com"),
        description="Deployments: ECS shifts requests between two target groups (lesson T4)",
        inline_policies={
            "Shift": iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(
                        actions=[
                            "elasticloadbalancing:DescribeListeners",
                            "elasticloadbalancing:DescribeRules",
                            "elasticloadbalancing:DescribeTargetGroups",
                            "elasticloadbalancing:DescribeTargetHealth",
                        ],
                        resources=["*"],
                    ),
                    iam.PolicyStatement(
                        actions=["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
                        resources=groups,
                    ),
                    iam.PolicyStatement(
                        actions=["elasticloadbalancing:ModifyRule"], resources=[rule.listener_rule_arn]
                    ),
                ]
            )
        },
    )
    target_group.add_target(
        service.load_balancer_target(
            container_name=container,
            alternate_target=ecs.AlternateTarget(
                "Alternate",
                alternate_target_group=alternate,
                production_listener=ecs.ListenerRuleConfiguration.application_listener_rule(rule),
                role=role,
            ),
        )
    )
    return role
