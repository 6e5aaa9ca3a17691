"""The lessons as rules over anybody's CloudFormation templates."""
