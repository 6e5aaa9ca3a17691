"""What CloudFormation templates say, understood as far as that is possible without deploying them."""
