"""The function behind ``Custom::MooringsReleaseParameter``. It is shipped as it is: relative imports, boto3 only."""
