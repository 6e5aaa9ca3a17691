"""What a synthesis costs, beside a plain CDK app that makes the same resources. Not part of the library."""
