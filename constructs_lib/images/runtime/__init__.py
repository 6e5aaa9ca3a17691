"""The guard: keeps a pin on every image in use. It is shipped as it is: relative imports, boto3 only."""
