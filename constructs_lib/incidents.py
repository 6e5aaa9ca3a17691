"""Which lesson is served by what, as data. Standard library only.

``python -m constructs_lib.incidents`` prints the README's table; a test keeps the two the same, and checks that every
construct and every test that is named here exists.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What happened to others (lesson Q8).

    Args:
        name: who and when.
        happened: what, in a few clauses.
        url: the public report; empty when its address is not known.
    """

    name: str
    happened: str
    url: str = ""


INCIDENTS: Final = {
    "W": Incident(
        name="WebORCA Cloud, March 2025",
        happened="ports ran out at 50,000 sessions; containers froze because logs could not leave",
    ),
    "T": Incident(
        name="Twilio, February 2021",
        happened="one overloaded inner service, no cached copy, long time-outs, a late status page",
        url="https://www.twilio.com/en-us/blog/february-26-service-disruption-update",
    ),
    "Q": Incident(
        name="A web application on ECS, April 2025",
        happened="the registry had deleted the image that production ran",
        url="https://qiita.com/s-dash/items/91dd1ec9b2f05890a06e",
    ),
}
"""By the letter that a lesson's id begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one incident taught, and what serves it.

    Args:
        id: the incident's letter and a number.
        happened: what went wrong, in one clause.
        served_by: dotted names of the constructs and values that keep it from happening again; none: not yet served.
        tests: where that is shown, as ``path::test``.
        rules: ids of the rules that judge other people's templates.
        missing: what is not there yet; empty when the lesson is served as a whole.
    """

    id: str
    happened: str
    served_by: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    missing: str = ""


_REPOSITORY = "constructs_lib.images.repository.PinnedRepository"
_RETENTION = "constructs_lib.images.policy.RetentionPolicy"
_GUARD = "constructs_lib.images.retention_guard.RetentionGuard"
_PIPELINE = "constructs_lib.delivery.pipeline.BuildPipeline"
_RELEASE = "constructs_lib.delivery.release_parameter.ReleaseParameters"
_PROMOTION = "constructs_lib.delivery.promotion_pipeline.PromotionPipeline"
_RELEASES = "constructs_lib.delivery.release_pipeline.ReleasePipeline"
_ALARMS = "constructs_lib.observability.alarms.Alarms"
_SERVICE = "constructs_lib.services.fargate_service.FargateWebService"
_WORKER = "constructs_lib.services.fargate_worker.FargateWorker"
_CONNECT = "constructs_lib.services.traffic.service_connect.ServiceConnect"
_CHECKS = "constructs_lib.guardrails.validation.GuardrailChecks"

LESSONS: Final = (
    Lesson(
        id="W1",
        happened="ephemeral ports ran out in the morning, after a change at night",
        served_by=(
            "constructs_lib.services.ports.port_budget.PortBudget",
            "constructs_lib.services.ports.kernel_settings.KernelSettings",
            "constructs_lib.services.sockets.socket_metrics.SocketMetrics",
            "constructs_lib.services.sockets.socket_comparison.SocketComparison",
            _SERVICE,
            "constructs_lib.network.vpc.ServiceNetwork",
        ),
        tests=(
            "tests/services/ports/test_port_budget.py::test_before_an_update_that_opens_twice_the_connections_the_ports_run_out",
            "tests/services/ports/test_port_budget.py::test_after_the_wide_range_holds_the_same_update",
            "tests/services/ports/test_kernel_rendering.py::test_after_the_application_asks_for_the_task",
            "tests/services/ports/test_peak_budget.py::test_before_nothing_is_said_and_after_the_arithmetic_is",
            "tests/services/sockets/test_watch_sockets.py::test_after_the_agent_counts_them_under_the_names_of_the_service",
            "tests/proof/test_ports.py::test_the_kernel_refuses_where_the_budget_says",
            "tests/incidents/test_ports_replay.py::test_after_a_page_comes_at_night_and_names_the_way_back",
            "tests/incidents/test_ports_replay.py::test_after_the_ports_hold_when_nobody_acts",
            "tests/network/test_vpc.py::test_after_endpoints_follow_the_features",
            "tests/network/test_vpc.py::test_after_every_gateway_pages_when_it_has_no_port_left",
        ),
        rules=("MOOR-W1a", "MOOR-W1b", "MOOR-W1c", "MOOR-W1d"),
    ),
    Lesson(
        id="W2",
        happened="containers in blocking log mode froze when logs could not be delivered",
        served_by=(
            "constructs_lib.services.task.log_delivery.LogDelivery",
            "constructs_lib.services.task.non_blocking_logs.NonBlockingLogs",
            _SERVICE,
            _WORKER,
            _CHECKS,
        ),
        tests=(
            "tests/services/test_fargate_service.py::test_after_no_container_waits_for_its_logs",
            "tests/services/task/test_log_aspect.py::test_after_the_aspect_the_pattern_does_not_wait",
            "tests/services/task/test_log_aspect.py::test_no_task_of_ours_waits_for_its_logs",
            "tests/services/task/test_sidecars.py::test_all_buffers_together_fit_the_task",
            "tests/stacks/test_guardrails.py::test_a_container_of_other_code_without_logs_stops_the_synthesis",
            "tests/services/traffic/test_service_connect_rendering.py::"
            "test_before_plain_cdk_sets_no_time_out_and_logs_that_may_block",
        ),
        rules=("MOOR-W2a", "MOOR-W2b", "MOOR-W2c", "MOOR-W2d", "MOOR-W2e"),
    ),
    Lesson(
        id="W3",
        happened="customers noticed before monitoring did",
        served_by=(
            _ALARMS,
            _SERVICE,
            "constructs_lib.observability.detection.detection_budget.DetectionBudget",
            "constructs_lib.observability.notification.topics.NotificationTopics",
            "constructs_lib.observability.dashboard.dashboard.EnvironmentDashboard",
        ),
        tests=(
            "tests/services/traffic/test_partial_failure.py::test_before_a_plain_service_sees_nothing",
            "tests/services/traffic/test_partial_failure.py::test_after_what_only_some_meet_is_seen",
            "tests/observability/test_component_alarms.py::test_before_each_alarm_of_one_cause_pages_by_itself",
            "tests/observability/test_component_alarms.py::test_after_one_cause_pages_once",
            "tests/observability/detection/test_plain_cdk.py::test_after_it_comes_within_six_minutes_and_says_what_tells_sooner",
            "tests/e2e/test_see_it_first.py::test_one_fault_pages_once_and_the_page_tells_of_it",
            "tests/observability/notification/test_topics.py::test_before_a_topic_with_snss_own_key_takes_no_alarm",
            "tests/observability/dashboard/test_dashboard.py::test_after_the_body_is_what_aws_documents",
            "tests/services/test_alarms.py::test_an_alarm_pages_within_two_minutes_and_tells_what_to_look_at",
            "tests/observability/test_alarms.py::test_an_alarm_is_not_red_before_it_acts",
            "tests/services/test_alarms.py::test_targets_that_refuse_connections_page_unless_one_just_left",
            "tests/services/test_alarms.py::test_one_visitor_who_is_turned_away_is_enough",
        ),
        rules=("MOOR-W3a", "MOOR-W3b"),
    ),
    Lesson(
        id="W4",
        happened="rolling back took hours",
        served_by=(_RELEASES, _RELEASE, _GUARD),
        tests=(
            "tests/e2e/test_delivery.py::test_a_rollback_takes_one_command",
            "tests/e2e/test_delivery.py::test_a_bad_release_goes_back_by_itself",
            "tests/delivery/operations/test_release_killed.py::test_the_next_command_mends_what_a_kill_left",
            "tests/incidents/test_replay.py::test_after_every_replacement_can_pull",
        ),
    ),
    Lesson(
        id="W5",
        happened="evidence was gone when the cause was looked for",
        served_by=(
            "constructs_lib.observability.evidence.evidence_log.EvidenceLog",
            "constructs_lib.observability.evidence.event_messages.EventMessages",
            "constructs_lib.services.traffic.ingress.AccessLogsBucket",
        ),
        tests=(
            "tests/observability/evidence/test_evidence_log.py::test_before_nothing_is_left_of_a_stopped_task_after_an_hour",
            "tests/observability/evidence/test_evidence_log.py::test_after_it_can_still_be_looked_up",
            "tests/stacks/test_evidence.py::test_staging_keeps_its_own_events_once",
            "tests/observability/evidence/test_event_messages.py::test_before_a_plain_rule_mails_what_needs_nobody",
            "tests/observability/runtime/messages/test_message.py::test_after_the_mail_begins_with_what_is_wrong",
            "tests/observability/runtime/messages/test_handler.py::test_a_worker_that_fails_again_and_again_pages_once",
            "tests/e2e/test_see_it_first.py::test_an_image_that_is_gone_is_evidence_and_one_message",
            "tests/services/traffic/test_ingress.py::test_access_logs_are_kept",
        ),
        rules=("MOOR-W5a",),
    ),
    Lesson(
        id="W6",
        happened="changes waited for a window, and maintenance was announced by hand",
        served_by=(
            "constructs_lib.delivery.window.MaintenanceWindow",
            _RELEASES,
            "constructs_lib.observability.runtime.status.changes.Announce",
        ),
        tests=(
            "tests/ops/test_status_page.py::test_a_maintenance_is_announced_in_any_zone",
            "tests/observability/runtime/status/test_status_handler.py::test_a_maintenance_begins_and_ends_by_the_clock",
            "tests/delivery/test_window.py::test_w6_a_window_holds_noon_back_and_lets_the_night_through",
            "tests/e2e/test_delivery.py::test_outside_the_window_a_release_is_refused_and_a_rollback_is_not",
        ),
        missing="an announcement that a release makes by itself",
    ),
    Lesson(
        id="T1",
        happened="scaling was too weak for the load",
        served_by=("constructs_lib.services.scaling.capacity.Capacity", _SERVICE),
        tests=(
            "tests/services/scaling/test_capacity.py::test_after_the_peak_is_served_with_a_zone_lost_before_scaling_does_anything",
            "tests/services/scaling/test_capacity.py::test_the_minimum_is_the_smallest_that_bears_the_loss_of_a_zone",
            "tests/services/scaling/test_scaling.py::test_no_schedule_starts_a_task_before_the_first_release",
            "tests/services/deployments/test_release_switch.py::test_scaling_follows_cpu",
            "tests/services/deployments/test_release_switch.py::test_two_alarms_watch_the_service_that_is_scaled",
            "tests/e2e/test_every_property.py::test_a_changed_property_leaves_the_tasks_that_run",
        ),
        rules=("MOOR-T1a", "MOOR-T1b"),
    ),
    Lesson(
        id="T2",
        happened="dependents had no cached copy to run on",
        served_by=(
            "constructs_lib.services.configuration.fail_static_config.FailStaticConfig",
            "constructs_lib.services.configuration.last_good_copy.LastGoodCopy",
            _CONNECT,
        ),
        tests=(
            "tests/services/configuration/test_fail_static_config.py::test_before_plain_cdk_has_no_copy_to_go_on_with",
            "tests/services/configuration/test_fail_static_config.py::test_after_the_agent_is_beside_the_application",
            "tests/services/configuration/runtime/test_outage.py::"
            "test_after_four_hours_without_appconfig_a_new_task_has_the_last_good_copy",
            "tests/services/configuration/runtime/test_copies.py::test_no_order_of_events_leaves_what_was_not_good",
            "tests/examples/test_fail_static_steps.py::test_after_a_new_task_in_the_middle_of_the_outage_serves",
            "tests/examples/test_fail_static_steps.py::test_after_a_new_task_serves_with_s3_down_too",
        ),
        missing="load shedding and retry budgets, which Service Connect does not have",
        rules=("MOOR-T2a", "MOOR-T2b", "MOOR-T2c"),
    ),
    Lesson(
        id="T3",
        happened="long time-outs let waiting pile up",
        served_by=("constructs_lib.services.traffic.timeouts.TimeoutBudget", _CONNECT),
        tests=(
            "tests/services/traffic/test_service_connect.py::test_two_services_with_the_same_defaults_are_out_of_order",
            "tests/services/traffic/test_service_connect.py::test_a_call_that_is_accepted_ends_before_its_caller_gives_up",
            "tests/stacks/test_calls.py::test_exactly_these_pairs_may_connect",
            "tests/services/traffic/test_timeouts.py::test_a_budget_that_exists_is_ordered",
            "tests/services/traffic/test_timeouts.py::test_after_load_balancer_ecs_and_application_have_one_budget",
        ),
        rules=("MOOR-T3a", "MOOR-T3b", "MOOR-T3c", "MOOR-T3d", "MOOR-T3e"),
    ),
    Lesson(
        id="T4",
        happened="fail-over took too long",
        served_by=(
            _SERVICE,
            _WORKER,
            "constructs_lib.services.task.health_check.HealthCheck",
            "constructs_lib.services.deployments.deployment_policy.DeploymentPolicy",
        ),
        tests=(
            "tests/services/test_fargate_service.py::test_after_a_deployment_keeps_all_tasks_and_goes_back_by_itself",
            "tests/services/test_fargate_refusals.py::test_a_new_vpc_of_one_zone_is_refused",
            "tests/services/task/test_health_check.py::test_no_dead_task_stays_in_rotation_for_longer",
            "tests/services/deployments/test_deployment.py::test_after_a_rolling_deployment_goes_back_after_three_failures",
            "tests/services/deployments/test_deployment_alarms.py::test_after_the_idle_group_neither_pages_nor_hides",
        ),
        rules=("MOOR-T4a", "MOOR-T4b", "MOOR-T4c", "MOOR-T4d", "MOOR-T4e", "MOOR-T4f"),
    ),
    Lesson(
        id="T5",
        happened="the status page followed 25 minutes late",
        served_by=(
            "constructs_lib.observability.status_page.status_page.StatusPage",
            "constructs_lib.observability.status_page.status_source.StatusSource",
            _ALARMS,
        ),
        tests=(
            "tests/observability/status_page/test_status_page.py::test_before_a_page_beside_the_services_falls_with_them",
            "tests/observability/status_page/test_status_page.py::test_after_nothing_of_the_page_is_of_what_serves_visitors",
            "tests/observability/runtime/status/test_by_machine.py::test_t5_a_red_alarm_is_on_the_page_and_a_green_one_takes_it_back",
            "tests/observability/runtime/status/test_changes_properties.py::test_what_people_say_does_not_depend_on_alarms",
            "tests/observability/runtime/status/test_interleavings.py::test_every_interleaving_of_two_publishers_ends_right",
            "tests/e2e/test_see_it_first.py::test_the_page_stands_in_another_region",
            "tests/proof/test_status_page.py::test_t5_before_the_usual_page_fails_each_of_these",
            "tests/incidents/test_told_replay.py::test_users_of_twilio_learn_within_180_s_when_requests_fail_at_once",
        ),
    ),
    Lesson(
        id="Q1",
        happened="one build pushed to staging and production",
        served_by=(_PIPELINE, _REPOSITORY),
        tests=(
            "tests/delivery/test_pipeline.py::test_a_role_can_push_to_exactly_one_repository",
            "tests/stacks/test_iam.py::test_each_role_can_push_to_one_repository_of_its_own_environment",
        ),
        rules=("MOOR-Q1a", "MOOR-Q1b"),
    ),
    Lesson(
        id="Q2",
        happened='"keep the last 10" deleted the image that production ran',
        served_by=(_GUARD, _REPOSITORY, _RETENTION, "constructs_lib.images.lifecycle.endangers"),
        tests=(
            "tests/incidents/test_replay.py::test_before_eleven_builds_of_staging_stop_production",
            "tests/incidents/test_replay.py::test_after_every_replacement_can_pull",
            "tests/images/runtime/test_decision.py::test_an_image_in_use_is_never_planned_for_expiry",
            "tests/images/test_lifecycle_hazards.py::test_our_own_policy_is_proved_safe_for_pinned_images",
            "tests/proof/test_incident_q.py::test_after_the_next_task_serves",
        ),
        rules=("MOOR-Q2a", "MOOR-Q2b", "MOOR-Q2c", "MOOR-Q2d"),
    ),
    Lesson(
        id="Q3",
        happened="images had no tags of their own",
        served_by=(_PIPELINE, _REPOSITORY, _SERVICE),
        tests=(
            "tests/delivery/test_build_script.py::test_the_tag_is_the_one_that_naming_gives",
            "tests/images/test_repository.py::test_after_only_pins_may_move",
            "tests/services/test_fargate_service.py::test_after_the_image_is_by_digest_only",
        ),
        rules=("MOOR-Q3a", "MOOR-Q3b", "MOOR-Q3c"),
    ),
    Lesson(
        id="Q4",
        happened="the missing image was found days later, when a task was replaced",
        served_by=(_GUARD, "constructs_lib.services.traffic.unavailable_page_distribution.UnavailablePageDistribution"),
        tests=(
            "tests/e2e/test_guard.py::test_a_deleted_image_is_told_before_a_task_needs_it",
            "tests/services/traffic/test_unavailable_page_distribution.py::test_after_visitors_see_a_page",
        ),
        rules=("MOOR-Q4a",),
    ),
    Lesson(
        id="Q5",
        happened="releases were clicks, and nobody saw how far production was behind",
        served_by=(
            _RELEASES,
            "constructs_lib.services.one_off_task.FargateOneOffTask",
            "constructs_lib.delivery.gap_monitor.ReleaseGap",
        ),
        tests=(
            "tests/e2e/test_delivery.py::test_the_same_digest_goes_through_all_environments",
            "tests/delivery/test_gap_monitor.py::test_after_every_hour_somebody_looks_and_is_told",
            "tests/e2e/test_before_release.py::test_one_that_fails_releases_nothing",
        ),
    ),
    Lesson(
        id="Q6",
        happened="a pull limit may have been why the builds were joined",
        served_by=(
            "constructs_lib.delivery.policy.DockerHubLogin",
            "constructs_lib.delivery.policy.PullThroughCache",
            _PROMOTION,
        ),
        tests=(
            "tests/delivery/test_build_inputs.py::test_the_password_goes_to_docker_by_stdin_and_nowhere_else",
            "tests/delivery/test_build_inputs.py::test_the_dockerfile_is_told_where_the_cache_is",
            "tests/proof/test_promotion.py::test_a_promoted_image_runs_by_the_same_digest_on_a_fresh_machine",
        ),
        rules=("MOOR-Q6a", "MOOR-Q6b"),
    ),
    Lesson(
        id="Q7",
        happened="the builds may have been joined to keep the environments the same",
        served_by=(_PROMOTION, _RELEASES),
        tests=(
            "tests/delivery/operations/test_copy.py::test_an_image_is_copied_byte_for_byte",
            "tests/e2e/test_delivery.py::test_an_image_that_staging_never_ran_is_refused",
        ),
    ),
    Lesson(
        id="Q8",
        happened="nobody knew why it was built that way",
        served_by=("constructs_lib.incidents.LESSONS",),
        tests=(
            "tests/test_incidents.py::test_what_serves_a_lesson_exists",
            "tests/services/test_reasons.py::test_every_service_of_ours_is_explained",
        ),
        missing="the why in the metadata of other resources than services",
    ),
)
"""Every lesson of the three incidents, in order."""


def table() -> str:
    """The lessons as a Markdown table."""
    rows = ["| lesson | what happened | what serves it here | rules for any template |", "|---|---|---|---|"]
    for lesson in LESSONS:
        names = ", ".join(f"`{name.rsplit('.', 1)[1]}`" for name in lesson.served_by)
        served = f"{names}; still missing: {lesson.missing}" if lesson.missing else names
        if not names:
            served = "not yet served, but for its rules" if lesson.rules else "not yet served"
        rules = ", ".join(f"`{name}`" for name in lesson.rules)
        rows.append(f"| {lesson.id} | {lesson.happened} | {served} | {rules} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
