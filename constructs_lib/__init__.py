"""Moorings: AWS CDK constructs that keep what three public post-mortems taught.

Nothing is imported here, so that one construct does not pay for the others:

``images``         keep what is running: repository, retention, the guard of images in use
``delivery``       one environment, one build, one role: build pipeline, release parameter
``services``       never stall silently: Fargate web service, health checks, logs
``network``        keep traffic off the NAT gateway: VPC, endpoints, their prices
``observability``  see it first: alarms and where they go
``ops``            the command line
``incidents``      which lesson is served by which construct, rule and test
``naming``         names that other stacks and accounts can compute
"""
