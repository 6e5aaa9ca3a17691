"""Production takes the image that staging runs: the same digest, by a role that may push to one repository."""

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ecr as ecr

from constructs_lib.delivery.operations_asset import OperationsAsset
from constructs_lib.delivery.promotion_pipeline import PromotionPipeline
from constructs_lib.delivery.settings import Upstream

app = App()
stack = Stack(app, "MyStack", env=Environment(account="111122223333", region="eu-west-1"))
PromotionPipeline(
    stack,
    "Promotion",
    application="shop",
    environment="production",
    service="web",
    repository=ecr.Repository.from_repository_name(stack, "Mine", "shop/production/web"),
    upstream=Upstream(environment="staging", account="111122223333", region="eu-west-1", repository="shop/staging/web"),
    operations=OperationsAsset(stack, "Operations"),
)
app.synth()
