"""What is watched of a network, as data: NAT gateways without a port, and those that drop packets (lesson W1)."""

from __future__ import annotations

from constructs_lib.naming import alarm_name
from constructs_lib.network.alarms import gateway_alarms
from tests.support import run_without_cdk

GATEWAYS = ("nat-0a", "nat-0b", "nat-0c")
ALL = gateway_alarms(GATEWAYS)
ALARMS = [alarm for alarm in ALL if alarm.metric.name == "ErrorPortAllocation"]
DROPS = [alarm for alarm in ALL if alarm.metric.name == "PacketsDropCount"]


def test_each_gateway_is_watched_by_an_alarm_of_its_own() -> None:
    """One alarm over all would hide which zone is cut off, and CloudWatch has the metric by gateway only (W1)."""
    assert [dict(alarm.metric.dimensions) for alarm in ALARMS] == [{"NatGatewayId": each} for each in GATEWAYS]
    assert {(alarm.metric.namespace, alarm.metric.name) for alarm in ALARMS} == {
        ("AWS/NATGateway", "ErrorPortAllocation")
    }


def test_the_first_port_that_could_not_be_had_pages_within_a_minute() -> None:
    """Each is a connection that failed; it took WebORCA 32 hours to suspect the ports (W1)."""
    for alarm in ALARMS:
        assert (alarm.metric.statistic, alarm.metric.period_seconds) == ("Sum", 60)
        assert (alarm.threshold.value, alarm.threshold.comparison) == (1, "GreaterThanOrEqualToThreshold")
        assert (alarm.threshold.periods, alarm.threshold.out_of) == (1, 1)
        assert (alarm.severity, alarm.acts_if) == ("page", None)


def test_dropped_packets_are_a_notice_by_their_share_of_the_traffic() -> None:
    """0.01 % of the packets, as AWS reckons it, for a quarter of an hour; it wakes nobody, since TCP mends a lost
    packet and what it does to visitors pages by itself (W1)."""
    assert [dict(alarm.metric.dimensions) for alarm in DROPS] == [{"NatGatewayId": each} for each in GATEWAYS]
    for alarm in DROPS:
        metric, threshold = alarm.metric, alarm.threshold
        assert (metric.namespace, metric.statistic, metric.period_seconds) == ("AWS/NATGateway", "Sum", 300)
        assert (metric.plus, metric.per) == ((), ("PacketsInFromSource", "PacketsInFromDestination"))
        assert (threshold.value, threshold.comparison) == (0.0001, "GreaterThanOrEqualToThreshold")
        assert (threshold.periods, threshold.out_of) == (3, 3)
        assert (alarm.severity, alarm.acts_if) == ("notice", None)


def test_a_gateway_has_two_alarms_and_no_more() -> None:
    """Each costs money: 0.10 USD for each metric that it reckons with."""
    assert len(ALL) == len(ALARMS) + len(DROPS) == 6


def test_no_data_is_no_fault() -> None:
    """A gateway that is being replaced has no data, and nobody is woken by that."""
    assert {alarm.threshold.missing for alarm in ALL} == {"notBreaching"}


def test_who_is_paged_reads_where_to_look() -> None:
    """Whole sentences that say what fails, and where to look."""
    for alarm in ALL:
        assert alarm.meaning.endswith(".")
        assert "Look at " in alarm.meaning
    assert all("port" in alarm.meaning for alarm in ALARMS)
    assert all("0.01 %" in alarm.meaning for alarm in DROPS)


def test_alarms_have_names_of_their_own() -> None:
    """Two gateways are told apart by the name that a paged person reads first."""
    names = {alarm_name("shop", "staging", alarm.component, alarm.what) for alarm in ALL}
    start = "shop/staging/network"
    assert names == {f"{start}/{what}-{number}" for what in ("nat-ports", "nat-drops") for number in (1, 2, 3)}


def test_without_gateways_nothing_is_watched() -> None:
    """A closed network has no ports to run out of."""
    assert gateway_alarms(()) == ()


def test_they_are_described_without_cdk() -> None:
    """The module is data, so nothing of CDK is loaded."""
    run_without_cdk("from constructs_lib.network.alarms import gateway_alarms\nraise ValueError(gateway_alarms(['a']))")
