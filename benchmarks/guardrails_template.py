"""A template of any size, such as a team with many services has: ten resources for each service."""

from __future__ import annotations

import json
from typing import Final

Resources = dict[str, dict[str, object]]

PER_SERVICE: Final = 10


def template(resources: int, *, settings: int = 0) -> str:
    """A template in JSON; every second service has the faults that samples have.

    Args:
        resources: how many, in tens.
        settings: environment variables of each container, which make it larger.
    """
    made: Resources = {}
    for number in range(resources // PER_SERVICE):
        made |= _service(f"S{number}", settings, faulty=number % 2 == 1)
    sections = {
        "Parameters": {"Tag": {"Type": "String", "Default": "v1"}, "Env": {"Type": "String", "Default": "dev"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
        "Resources": made,
    }
    return json.dumps(sections, indent=1)


def _service(name: str, settings: int, *, faulty: bool) -> Resources:
    logs: dict[str, object] = {
        "LogDriver": "awslogs",
        "Options": {
            "awslogs-group": {"Ref": f"{name}Logs"},
            "awslogs-region": {"Ref": "AWS::Region"},
            **({} if faulty else {"mode": "non-blocking", "max-buffer-size": "25m"}),
        },
    }
    image = {"Fn::Sub": f"${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.amazonaws.com/{name.lower()}:${{Tag}}"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ecr:PutImage", "ecr:CompleteLayerUpload"],
                "Resource": "*" if faulty else {"Fn::GetAtt": [f"{name}Repository", "Arn"]},
            }
        ],
    }
    container = {
        "Name": "web",
        "Image": image,
        "PortMappings": [{"ContainerPort": 8080}],
        "HealthCheck": {"Command": ["CMD", "/health"]},
        "Environment": [{"Name": f"SETTING_{n}", "Value": {"Fn::Sub": f"${{Env}}-{n}"}} for n in range(settings)],
        "LogConfiguration": logs,
    }
    minimum = 50 if faulty else {"Fn::If": ["IsProd", 100, 100]}
    on_targets = [{"Name": "TargetGroup", "Value": {"Fn::GetAtt": [f"{name}Targets", "TargetGroupFullName"]}}]
    listener = {
        "LoadBalancerArn": {"Ref": f"{name}Balancer"},
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": f"{name}Targets"}}],
    }
    assumed = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    types: dict[str, tuple[str, dict[str, object]]] = {
        "Task": (
            "ECS::TaskDefinition",
            {
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "ContainerDefinitions": [container],
            },
        ),
        "Service": (
            "ECS::Service",
            {
                "TaskDefinition": {"Ref": f"{name}Task"},
                "DesiredCount": 2,
                "LaunchType": "FARGATE",
                "DeploymentConfiguration": {
                    "MinimumHealthyPercent": minimum,
                    "DeploymentCircuitBreaker": {"Enable": True, "Rollback": not faulty},
                },
                "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-0a1b2c3d", "subnet-1a2b3c4d"]}},
                "LoadBalancers": [
                    {"ContainerName": "web", "ContainerPort": 8080, "TargetGroupArn": {"Ref": f"{name}Targets"}}
                ],
            },
        ),
        "Targets": (
            "ElasticLoadBalancingV2::TargetGroup",
            {
                "TargetType": "ip",
                "Port": 8080,
                "Protocol": "HTTP",
                "VpcId": "vpc-0a1b2c3d",
                "HealthCheckIntervalSeconds": 10,
                "UnhealthyThresholdCount": 3,
            },
        ),
        "Balancer": (
            "ElasticLoadBalancingV2::LoadBalancer",
            {"Type": "application", "Subnets": ["subnet-0a1b2c3d", "subnet-1a2b3c4d"]},
        ),
        "Listener": ("ElasticLoadBalancingV2::Listener", listener),
        "Alarm": (
            "CloudWatch::Alarm",
            {
                "Namespace": "AWS/ApplicationELB",
                "MetricName": "UnHealthyHostCount",
                "Dimensions": on_targets,
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 2,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "AlarmActions": ["arn:aws:sns:eu-west-1:111111111111:alarms"],
            },
        ),
        "Repository": ("ECR::Repository", {"ImageTagMutability": "MUTABLE" if faulty else "IMMUTABLE"}),
        "Role": ("IAM::Role", {"AssumeRolePolicyDocument": assumed}),
        "Policy": (
            "IAM::Policy",
            {"PolicyName": f"{name}Push", "PolicyDocument": policy, "Roles": [{"Ref": f"{name}Role"}]},
        ),
        "Logs": ("Logs::LogGroup", {"RetentionInDays": 30}),
    }
    return {
        f"{name}{suffix}": {"Type": f"AWS::{kind}", "Properties": properties}
        for suffix, (kind, properties) in types.items()
    }
