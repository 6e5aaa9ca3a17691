"""Keeps the last good copy of a configuration. It is shipped as it is: relative imports, boto3 only."""
