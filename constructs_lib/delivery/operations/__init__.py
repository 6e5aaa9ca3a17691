"""Releases and promotions, as the terminal and CodeBuild run them: boto3, and no CDK."""
