"""Our rules as a cdk-nag pack, for apps that are checked by such packs. The only module that imports ``cdk_nag``."""

from __future__ import annotations

from datetime import date

from aws_cdk import App, CfnResource, IPolicyValidationContext, PolicyValidationPluginReport, Stage
from cdk_nag import NagPack
from constructs import IConstruct

from constructs_lib.guardrails.acknowledgements import NAMESPACE
from constructs_lib.guardrails.cdk_rows import rows
from constructs_lib.guardrails.check import RULE_IDS
from constructs_lib.guardrails.cloud_assembly import below
from constructs_lib.guardrails.validation import as_report, library_version, said_above, validated


class MooringsChecks(NagPack):
    """The lessons' rules beside cdk-nag's own packs, with the same acknowledgements (lesson Q8).

    It judges whole templates and not one construct after another, so it sees what ``GuardrailChecks`` sees, overrides
    and what hangs together across stacks too. Add one of the two::

        Validations.of(app).add_plugins(AwsSolutionsChecks(app), MooringsChecks(app))

    Args:
        scope: where acknowledgements are written into resources, if they are.
        write_suppressions_to_cloud_formation: whether each resource's ``Metadata`` shows them, as cdk-nag does.
        today: the day that the last days of acknowledgements are compared with; the present one (UTC) by default.
    """

    def __init__(
        self,
        scope: IConstruct | None = None,
        *,
        write_suppressions_to_cloud_formation: bool = False,
        today: date | None = None,
    ) -> None:
        super().__init__(scope, write_suppressions_to_cloud_formation=write_suppressions_to_cloud_formation)
        self._pack_name = "MOOR"
        self._today = today

    @property
    def name(self) -> str:
        """What stands before ``::`` in CDK's ids of our rules."""
        return NAMESPACE

    @property
    def version(self) -> str:
        """The version of this library."""
        return library_version()

    @property
    def rule_ids(self) -> list[str]:
        """The ids of all rules."""
        return sorted(RULE_IDS)

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """Judges the templates; CDK calls it."""
        return validated(context, self._today)

    def validate_scope(self, scope: IConstruct) -> PolicyValidationPluginReport:
        """Judges what a construct becomes; its stage is synthesized for that.

        Args:
            scope: a construct of an app.
        """
        stage = Stage.of(scope)
        app = App.of(scope)
        assert stage is not None
        assert app is not None
        stacks = {stack.hierarchical_id: stack.template_full_path for stack in stage.synth().stacks_recursively}
        found = rows(stacks, said_above(app, stacks), self._today)
        return as_report(row for row in found if not row.accepted and below(row.construct, scope.node.path))

    def _check_resource(self, node: CfnResource) -> None:
        """Never called: no template can be judged resource by resource."""
