"""The function that compares sockets. It is shipped as it is: relative imports, boto3 only."""
