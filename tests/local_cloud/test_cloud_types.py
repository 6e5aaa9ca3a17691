"""Every CloudFormation type that our stacks use: created, changed and deleted, with what Ref and GetAtt give."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def policy(action: str, resource: Any = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, "Principal": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


ASSUME = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}],
}
IDENTITY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
LIFECYCLE = json.dumps({"rules": []})


def resources(size: int) -> dict[str, dict[str, Any]]:
    """All types; `size` appears where an update changes something."""
    tags = [{"Key": "size", "Value": str(size)}]
    metric = {"Namespace": "Moorings", "MetricName": "Running"}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16", "Tags": tags}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.1.0.0/24", "AvailabilityZone": "eu-central-1a"},
        },
        "Subnet2": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": ref("Vpc"), "CidrBlock": "10.1.1.0/24", "AvailabilityZone": "eu-central-1b"},
        },
        "Gateway": {"Type": "AWS::EC2::InternetGateway", "Properties": {"Tags": tags}},
        "Attachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")},
        },
        "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc"), "Tags": tags}},
        "Association": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": ref("Subnet"), "RouteTableId": ref("Routes")},
        },
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc", "Tags": tags}},
        "Nat": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {"SubnetId": ref("Subnet"), "AllocationId": att("Address", "AllocationId"), "Tags": tags},
        },
        "Route": {
            "Type": "AWS::EC2::Route",
            "Properties": {
                "RouteTableId": ref("Routes"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": ref("Nat"),
            },
        },
        "Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": ref("Vpc"),
                "ServiceName": "com.amazonaws.eu-central-1.s3",
                "RouteTableIds": [ref("Routes")],
                "VpcEndpointType": "Gateway",
            },
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "web", "VpcId": ref("Vpc"), "Tags": tags},
        },
        "Into": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": att("Group", "GroupId"),
                "IpProtocol": "tcp",
                "FromPort": 8000 + size,
                "ToPort": 8000 + size,
                "SourceSecurityGroupId": att("Vpc", "DefaultSecurityGroup"),
                "Description": "from the default group",
            },
        },
        "OutOf": {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {
                "GroupId": att("Group", "GroupId"),
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "CidrIp": f"10.{size}.0.0/16",
            },
        },
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7 if size == 1 else 30}},
        "FlowLog": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "ResourceId": ref("Vpc"),
                "ResourceType": "VPC",
                "TrafficType": "REJECT",
                "LogGroupName": ref("Logs"),
                "DeliverLogsPermissionArn": att("Role", "Arn"),
                "Tags": tags,
            },
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": ASSUME, "Tags": tags}},
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "inline", "PolicyDocument": IDENTITY, "Roles": [ref("Role")]},
        },
        "Managed": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": IDENTITY, "Roles": [ref("Role")], "Description": "managed"},
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": policy("kms:*"), "Description": str(size), "Tags": tags},
        },
        "KeyAlias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/moorings", "TargetKeyId": ref("Key")},
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "Tags": tags,
                "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": size, "Id": "old"}]},
            },
        },
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": ref("Bucket"), "PolicyDocument": policy("s3:*", att("Bucket", "Arn"))},
        },
        "Repository": {
            "Type": "AWS::ECR::Repository",
            "Properties": {
                "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "ImageTagMutabilityExclusionFilters": [
                    {
                        "ImageTagMutabilityExclusionFilterType": "WILDCARD",
                        "ImageTagMutabilityExclusionFilterValue": f"pin{size}-*",
                    }
                ],
                "EncryptionConfiguration": {"EncryptionType": "KMS", "KmsKey": att("Key", "Arn")},
                "LifecyclePolicy": {"LifecyclePolicyText": LIFECYCLE},
                "ImageScanningConfiguration": {"ScanOnPush": True},
                "Tags": tags,
            },
        },
        "Build": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "ServiceRole": att("Role", "Arn"),
                "Source": {"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"},
                "Artifacts": {"Type": "NO_ARTIFACTS"},
                "Environment": {
                    "Type": "LINUX_CONTAINER",
                    "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/standard:7.0",
                    "PrivilegedMode": True,
                    "EnvironmentVariables": [{"Name": "SIZE", "Value": str(size)}],
                },
            },
        },
        "Cluster": {
            "Type": "AWS::ECS::Cluster",
            "Properties": {"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}], "Tags": tags},
        },
        "Definition": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "web",
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "ExecutionRoleArn": att("Role", "Arn"),
                "RuntimePlatform": {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"},
                "Volumes": [{"Name": "scratch"}],
                "ContainerDefinitions": [
                    {
                        "Name": "web",
                        "Image": "public.ecr.aws/nginx/nginx:1.27",
                        "PortMappings": [{"ContainerPort": 8080, "Protocol": "tcp"}],
                        "Environment": [{"Name": "SIZE", "Value": str(size)}],
                        "Secrets": [{"Name": "TOKEN", "ValueFrom": att("Parameter", "Value")}],
                        "HealthCheck": {"Command": ["CMD", "true"], "Interval": 10, "StartPeriod": 5},
                        "LinuxParameters": {"InitProcessEnabled": True},
                        "DependsOn": [{"ContainerName": "agent", "Condition": "START"}],
                        "SystemControls": [{"Namespace": "net.ipv4.tcp_keepalive_time", "Value": "60"}],
                        "StopTimeout": 60,
                        "MountPoints": [{"SourceVolume": "scratch", "ContainerPath": "/tmp", "ReadOnly": False}],
                        "DockerLabels": {"Team": "web"},
                        "LogConfiguration": {
                            "LogDriver": "awslogs",
                            "Options": {"mode": "non-blocking", "awslogs-group": ref("Logs")},
                        },
                    },
                    {"Name": "agent", "Image": "public.ecr.aws/agent:1", "Essential": False},
                ],
            },
        },
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Subnets": [ref("Subnet"), ref("Subnet2")],
                "SecurityGroups": [att("Group", "GroupId")],
                "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": str(60 + size)}],
                "Tags": tags,
            },
        },
        "Targets": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "VpcId": ref("Vpc"),
                "Port": 8080,
                "Protocol": "HTTP",
                "TargetType": "ip",
                "HealthCheckIntervalSeconds": 10 * size,
                "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
            },
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": ref("Balancer"),
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": ref("Targets")}],
            },
        },
        "Rule": {
            "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
            "Properties": {
                "ListenerArn": ref("Listener"),
                "Priority": size,
                "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
                "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/health"]}}],
            },
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "DependsOn": ["Listener", "Policy"],
            "Properties": {
                "Cluster": ref("Cluster"),
                "TaskDefinition": ref("Definition"),
                "LaunchType": "FARGATE",
                "EnableExecuteCommand": True,
                "PropagateTags": "SERVICE",
                "HealthCheckGracePeriodSeconds": 60,
                "AvailabilityZoneRebalancing": "ENABLED",
                "DeploymentConfiguration": {
                    "MinimumHealthyPercent": 100,
                    "MaximumPercent": 200,
                    "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                },
                "LoadBalancers": [
                    {"ContainerName": "web", "ContainerPort": 8080, "TargetGroupArn": ref("Targets")},
                ],
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "Subnets": [ref("Subnet")],
                        "SecurityGroups": [att("Group", "GroupId")],
                        "AssignPublicIp": "DISABLED",
                    }
                },
                "Tags": tags,
            },
        },
        "Scaling": {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {
                "MinCapacity": size,
                "MaxCapacity": 4,
                "ScalableDimension": "ecs:service:DesiredCount",
                "ServiceNamespace": "ecs",
                "ResourceId": {"Fn::Join": ["/", ["service", ref("Cluster"), att("Service", "Name")]]},
                "RoleARN": att("Role", "Arn"),
            },
        },
        "ScalingPolicy": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {
                "PolicyName": "cpu",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": ref("Scaling"),
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 50 + size,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
                },
            },
        },
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"DisplayName": str(size), "KmsMasterKeyId": att("Key", "Arn"), "Tags": tags},
        },
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {"Topics": [ref("Topic")], "PolicyDocument": policy("sns:Publish", ref("Topic"))},
        },
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"VisibilityTimeout": 30 * size, "SqsManagedSseEnabled": True, "Tags": tags},
        },
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [ref("Queue")], "PolicyDocument": policy("sqs:SendMessage", att("Queue", "Arn"))},
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": ref("Topic"), "Protocol": "sqs", "Endpoint": att("Queue", "Arn")},
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                **metric,
                "ComparisonOperator": "LessThanThreshold",
                "Threshold": size,
                "EvaluationPeriods": 1,
                "Period": 60,
                "Statistic": "Minimum",
                "AlarmActions": [ref("Topic")],
            },
        },
        "MathAlarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "ComparisonOperator": "LessThanThreshold",
                "Threshold": size,
                "EvaluationPeriods": 1,
                "Metrics": [
                    {"Id": "total", "Expression": "a * 2", "ReturnData": True},
                    {
                        "Id": "a",
                        "ReturnData": False,
                        "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Minimum"},
                    },
                ],
                "Tags": tags,
            },
        },
        "Either": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {
                "AlarmRule": {"Fn::Sub": 'ALARM("${Alarm}") OR ALARM("${MathAlarm}")'},
                "AlarmDescription": str(size),
                "AlarmActions": [ref("Topic")],
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": att("Role", "Arn"),
                "Timeout": 10 * size,
                "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": att("Function", "Arn"),
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": att("Event", "Arn"),
            },
        },
        "Event": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.ecs"]},
                "Description": str(size),
                "Targets": [{"Id": "function", "Arn": att("Function", "Arn")}],
            },
        },
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/moorings/size", "Type": "String", "Value": f"v{size}"},
        },
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "example.test."}},
        "Record": {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {
                "HostedZoneId": ref("Zone"),
                "Name": "web.example.test.",
                "Type": "A",
                "AliasTarget": {
                    "DNSName": att("Balancer", "DNSName"),
                    "HostedZoneId": att("Balancer", "CanonicalHostedZoneID"),
                },
            },
        },
        "Wait": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Metadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": f"v2:{size}"}},
    }


ATTRIBUTES = [
    *("Vpc.CidrBlock", "Vpc.DefaultSecurityGroup", "Vpc.VpcId", "Subnet.AvailabilityZone", "Address.AllocationId"),
    *("Nat.NatGatewayId", "Group.GroupId", "Group.VpcId", "Into.Id", "OutOf.Id", "FlowLog.Id", "Logs.Arn", "Role.Arn"),
    *("Role.RoleId", "Key.Arn", "Key.KeyId", "Bucket.Arn", "Bucket.DomainName", "Bucket.RegionalDomainName"),
    *("Repository.Arn", "Repository.RepositoryUri", "Build.Arn", "Cluster.Arn", "Definition.TaskDefinitionArn"),
    *(
        "Balancer.DNSName",
        "Balancer.LoadBalancerFullName",
        "Balancer.CanonicalHostedZoneID",
        "Balancer.LoadBalancerName",
    ),
    *("Balancer.LoadBalancerArn", "Targets.TargetGroupFullName", "Targets.TargetGroupName", "Targets.TargetGroupArn"),
    *("Targets.LoadBalancerArns", "Listener.ListenerArn", "Rule.RuleArn", "Service.Name"),
    *("Service.ServiceArn", "Scaling.Id", "ScalingPolicy.Arn", "Topic.TopicArn", "Topic.TopicName", "Queue.Arn"),
    *("Queue.QueueName", "Queue.QueueUrl", "Alarm.Arn", "MathAlarm.Arn", "Either.Arn", "Function.Arn", "Event.Arn"),
    *("Parameter.Type", "Parameter.Value", "Zone.Id", "Subscription.Arn"),
]


def whole(size: int) -> dict[str, Any]:
    outputs: dict[str, dict[str, Any]] = {f"Ref{name}": {"Value": ref(name)} for name in resources(size)}
    outputs |= {each.replace(".", "X"): {"Value": att(*each.split(".", 1))} for each in ATTRIBUTES}
    outputs["TargetsXLoadBalancerArns"]["Value"] = {"Fn::Join": [",", att("Targets", "LoadBalancerArns")]}
    return {"Resources": resources(size), "Outputs": outputs}


@pytest.fixture(scope="module")
def deployed(new_account: Any) -> Any:
    """The stack of all types after its creation: the account, and the outputs."""
    aws = new_account()
    made = aws.deploy("all", whole(1))
    assert made["StackStatus"] == "CREATE_COMPLETE", aws.reasons("all")
    return aws, made["Outputs"]


def test_every_type_is_created(deployed: Any) -> None:
    """A stack with every type completes, and no Ref or attribute is empty."""
    _, outputs = deployed
    assert [name for name, value in outputs.items() if not value] == []


@pytest.mark.parametrize(
    ("output", "pattern"),
    [
        ("VpcXCidrBlock", r"10\.1\.0\.0/16"),
        ("VpcXDefaultSecurityGroup", r"sg-\w+"),
        ("AddressXAllocationId", r"eipalloc-\w+"),
        ("RefAddress", r"\d+\.\d+\.\d+\.\d+"),
        ("NatXNatGatewayId", r"nat-\w+"),
        ("FlowLogXId", r"fl-\w+"),
        ("IntoXId", r"sgr-\w+"),
        ("LogsXArn", r"arn:aws:logs:eu-central-1:\d{12}:log-group:.+:\*"),
        ("RepositoryXRepositoryUri", r"\d{12}\.dkr\.ecr\.eu-central-1\.amazonaws\.com/[a-z0-9-]+"),
        ("RepositoryXArn", r"arn:aws:ecr:eu-central-1:\d{12}:repository/[a-z0-9-]+"),
        ("ClusterXArn", r"arn:aws:ecs:eu-central-1:\d{12}:cluster/.+"),
        ("RefDefinition", r"arn:aws:ecs:eu-central-1:\d{12}:task-definition/web:1"),
        ("BalancerXLoadBalancerFullName", r"app/[^/]+/\w+"),
        ("TargetsXTargetGroupFullName", r"targetgroup/[^/]+/\w+"),
        ("TargetsXLoadBalancerArns", r"arn:aws:elasticloadbalancing:.+:loadbalancer/app/.+"),
        ("ListenerXListenerArn", r"arn:aws:elasticloadbalancing:.+:listener/app/.+"),
        ("RefScaling", r"service/[^/]+/[^/|]+\|ecs:service:DesiredCount\|ecs"),
        ("EitherXArn", r"arn:aws:cloudwatch:eu-central-1:\d{12}:alarm:.+"),
        ("ParameterXValue", r"v1"),
    ],
)
def test_values_have_the_shape_of_aws(deployed: Any, output: str, pattern: str) -> None:
    """Ref and GetAtt give values of the shape that AWS documents."""
    assert re.fullmatch(pattern, deployed[1][output])


def test_service_arn_is_what_ref_gives(deployed: Any) -> None:
    """Ref of a service is its ARN, which ends in the name that GetAtt Name gives."""
    outputs = deployed[1]
    assert outputs["RefService"] == outputs["ServiceXServiceArn"]
    assert outputs["RefService"].endswith(f"/{outputs['ServiceXName']}")


def test_task_definition_keeps_every_property(deployed: Any) -> None:
    """Nested properties arrive in the API's spelling, and the keys of maps stay as they were."""
    aws, outputs = deployed
    definition = aws("ecs").describe_task_definition(taskDefinition=outputs["RefDefinition"])["taskDefinition"]
    web = definition["containerDefinitions"][0]
    assert definition["runtimePlatform"] == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert (definition["cpu"], definition["memory"], definition["volumes"]) == ("256", "512", [{"name": "scratch"}])
    assert web["secrets"] == [{"name": "TOKEN", "valueFrom": "v1"}]
    assert web["healthCheck"] == {"command": ["CMD", "true"], "interval": 10, "startPeriod": 5}
    assert web["systemControls"] == [{"namespace": "net.ipv4.tcp_keepalive_time", "value": "60"}]
    assert web["dependsOn"] == [{"containerName": "agent", "condition": "START"}]
    assert (web["stopTimeout"], web["linuxParameters"]) == (60, {"initProcessEnabled": True})
    assert web["dockerLabels"] == {"Team": "web"}
    assert web["logConfiguration"]["options"]["mode"] == "non-blocking"


def test_service_keeps_its_properties(deployed: Any) -> None:
    """What the template says of a service is what DescribeServices answers."""
    aws, outputs = deployed
    service = described(aws, outputs)
    assert service["desiredCount"] == 1
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (service["enableExecuteCommand"], service["healthCheckGracePeriodSeconds"]) == (True, 60)
    assert service["propagateTags"] == "SERVICE"
    assert service["loadBalancers"][0]["targetGroupArn"] == outputs["RefTargets"]
    assert service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"


def test_repository_keeps_its_properties(deployed: Any) -> None:
    """Encryption, exclusion filters and lifecycle policy of a repository reach the API."""
    aws, outputs = deployed
    name = outputs["RefRepository"]
    repository = aws("ecr").describe_repositories(repositoryNames=[name])["repositories"][0]
    assert repository["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": outputs["KeyXArn"]}
    assert repository["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert repository["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "pin1-*"}]
    assert aws("ecr").get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == LIFECYCLE


def test_update_changes_in_place(deployed: Any) -> None:
    """An update of every type completes, keeps what need not be replaced, and reaches the services."""
    aws, before = deployed
    made = aws.deploy("all", whole(2), update=True)
    assert made["StackStatus"] == "UPDATE_COMPLETE", aws.reasons("all")
    after = made["Outputs"]
    replaced = {name for name in after if name.startswith("Ref") and after[name] != before[name]}
    assert replaced == {"RefDefinition", "RefInto", "RefOutOf"}
    assert after["ParameterXValue"] == "v2"
    service = described(aws, after)
    assert service["taskDefinition"] == after["RefDefinition"]
    assert service["desiredCount"] == 2, "the target's minimum raises the service"
    alarms = aws("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert {alarm["Threshold"] for alarm in alarms["MetricAlarms"]} == {2.0}
    assert alarms["CompositeAlarms"][0]["AlarmDescription"] == "2"
    repository = aws("ecr").describe_repositories(repositoryNames=[after["RefRepository"]])["repositories"][0]
    assert repository["imageTagMutabilityExclusionFilters"][0]["filter"] == "pin2-*"
    policy = aws("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 52
    group = aws("ec2").describe_security_groups(GroupIds=[after["GroupXGroupId"]])["SecurityGroups"][0]
    assert [rule["FromPort"] for rule in group["IpPermissions"]] == [8002]
    assert "10.2.0.0/16" in [ip["CidrIp"] for rule in group["IpPermissionsEgress"] for ip in rule["IpRanges"]]


def test_delete_leaves_nothing(deployed: Any) -> None:
    """Deleting the stack deletes what each added type made."""
    aws, _ = deployed
    assert aws.delete("all") == "DELETE_COMPLETE"
    ec2 = aws("ec2")
    assert ec2.describe_addresses()["Addresses"] == []
    assert [nat["State"] for nat in ec2.describe_nat_gateways()["NatGateways"] if nat["State"] != "deleted"] == []
    assert ec2.describe_flow_logs()["FlowLogs"] == []
    alarms = aws("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert alarms["MetricAlarms"] + alarms["CompositeAlarms"] == []
    scaling = aws("application-autoscaling")
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert aws("ecr").describe_repositories()["repositories"] == []
    assert aws("ecs").list_clusters()["clusterArns"] == []


def described(aws: Any, outputs: dict[str, str]) -> dict[str, Any]:
    """What DescribeServices says of the stack's service."""
    answer = aws("ecs").describe_services(cluster=outputs["RefCluster"], services=[outputs["ServiceXName"]])
    service: dict[str, Any] = answer["services"][0]
    return service
