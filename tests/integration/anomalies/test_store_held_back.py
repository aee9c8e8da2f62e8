"""What isn't raised, and why: false alarms and their like, planned stops; and what is raised all the same."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from integration.anomalies.looks import Looks, at, odd, span

from enms.services import anomaly_life, anomaly_suppressions

DAY, WEEK = 24, 168


@pytest.fixture
def false_alarm(looks):
    """Ten percent more on Monday from 8 to 11."""
    anomaly = looks.one(odd(8, 11))
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", "new product", "false_alarm")
    return anomaly


def resolved_at(works, anomaly, hours):
    """As if it had been resolved then."""
    works.rows("UPDATE anomalies SET resolved_at = %s WHERE id = %s", (at(hours), anomaly["id"]))


def held(looks, found, **how):
    kept = looks.find(found, **how)
    assert kept.anomalies == []
    (item,) = kept.held_back
    return item


def test_a_false_alarm_found_again_is_held_back_and_says_why(looks, false_alarm):
    before, events = looks.stored(), looks.events()

    for start, end in ((8, 11), (8, 10), (8.5, 11)):
        item = held(looks, odd(start, end))
        assert (item["code"], item["anomaly_id"]) == ("false_alarm", false_alarm["id"])
        assert "anna resolved it as a false alarm on" in item["reason"]

    assert (looks.stored(), looks.events()) == (before, events)


@pytest.mark.parametrize(
    "found",
    [
        odd(DAY + 8, DAY + 11),
        odd(3 * DAY + 6.5, 3 * DAY + 11, percent=11.9),
        odd(WEEK + 9.5, WEEK + 10, "power_spike", percent=3.0),
        odd(DAY + 8, DAY + 11, metric_name="power_kw"),
    ],
)
def test_its_like_is_held_back_and_says_within_which_bounds(looks, false_alarm, found):
    item = held(looks, found)

    assert (item["code"], item["anomaly_id"]) == ("like_false_alarm", false_alarm["id"])
    assert "like what anna resolved as a false alarm" in item["reason"]
    assert "up to 12 % more, at most 5 h long, begun from 06:00 to 13:00, on weekdays" in item["reason"]
    assert len(looks.stored()) == 1


@pytest.mark.parametrize(
    "found",
    [
        odd(DAY + 8, DAY + 11, percent=12.5),
        odd(DAY + 8, DAY + 14),
        odd(DAY + 13.5, DAY + 14),
        odd(5 * DAY + 8, 5 * DAY + 11),
        odd(DAY + 8, DAY + 11, feature="vibration_mm_s"),
        odd(DAY + 8, DAY + 11, "power_drop", percent=-10.0),
        odd(DAY + 8, DAY + 11, "temperature_spike", metric_name="machine_temp_c"),
    ],
    ids=["larger", "longer", "later in the day", "on Saturday", "another cause", "less", "another kind"],
)
def test_a_real_new_fault_of_the_same_machine_is_raised(looks, false_alarm, found):
    assert looks.one(found)["id"] != false_alarm["id"]


def test_larger_than_the_false_alarm_in_the_same_hours_is_raised_once(looks, false_alarm):
    anomaly = looks.one(odd(8, 11, percent=30.0))
    assert anomaly["id"] != false_alarm["id"]
    before = looks.stored()
    assert looks.one(odd(8, 11, percent=30.0))["id"] == anomaly["id"]
    assert looks.stored() == before


def test_a_false_alarm_that_becomes_a_fault_is_raised_from_there(looks, false_alarm):
    anomaly = looks.one(odd(8, 14, goes_on=True, percent=25.0, deviation_kwh=60.0, cost=12.0))
    assert span(anomaly) == (11, 14, None)
    assert (anomaly["energy_kwh"], anomaly["cost"]) == (30, 6)

    longer = looks.one(odd(8, 16, percent=25.0))
    assert (longer["id"], span(longer)) == (anomaly["id"], (11, 16, 16))
    assert len(looks.stored()) == 2


def test_sigma_bounds_what_has_no_percent(looks):
    anomaly = looks.one(odd(8, 9, "unusual_pattern", percent=None, sigma=3.0))
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, "false_alarm")

    item = held(looks, odd(DAY + 8, DAY + 9, "unusual_pattern", percent=None, sigma=3.5))
    assert "up to 3.6 σ more" in item["reason"]
    looks.one(odd(DAY + 8, DAY + 9, "unusual_pattern", percent=None, sigma=3.7))


def test_a_day_long_false_alarm_bounds_no_hours_of_the_day(looks):
    anomaly = looks.one(odd(5 * DAY, 6 * DAY))
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, "false_alarm")
    item = held(looks, odd(12 * DAY + 15, 12 * DAY + 20))
    assert "at most 36 h long, on weekends" in item["reason"]


def test_hours_are_those_of_the_factory_whatever_clocks_do(looks, false_alarm):
    """From 29 March on summer time: the shift begins at the same hour by the clock."""
    summer = 5 * WEEK + 8
    assert held(looks, odd(summer - 3, summer))["code"] == "like_false_alarm"
    looks.one(odd(summer - 3.5, summer - 2.5))


def test_what_was_fixed_is_not_opened_again(looks, works):
    anomaly = looks.one(odd(8, 11, goes_on=True))
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", "filter changed", "fixed")
    resolved_at(works, anomaly, 12)
    before, events = looks.stored(), looks.events()

    for end in (11, 13, 20):
        again = looks.one(odd(8, end, goes_on=True, severity="critical"), over=(end - 1, end))
        assert (again["id"], again["state"], again["severity"]) == (anomaly["id"], "resolved", "warning")
    assert (looks.stored(), looks.events()) == (before, events)

    looks.find(over=(20, 30))
    assert span(looks.stored()[0]) == (8, 11, 11)


def test_a_new_fault_after_the_resolution_is_a_new_one(looks, works):
    anomaly = looks.one(odd(8, 11))
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, "fixed")
    resolved_at(works, anomaly, 11.5)
    assert looks.one(odd(11.5, 13))["id"] != anomaly["id"]


def test_what_goes_on_a_day_after_it_was_fixed_is_raised_from_there(looks, works):
    anomaly = looks.one(odd(8, 11, goes_on=True))
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, "fixed")
    resolved_at(works, anomaly, 12)

    new = looks.one(odd(8, 36, goes_on=True), over=(35, 36))
    assert (new["id"] != anomaly["id"], span(new)) == (True, (12, 36, None))
    assert looks.one(odd(8, 40, goes_on=True), over=(39, 40))["id"] == new["id"]
    assert len(looks.stored()) == 2


@pytest.mark.parametrize("outcome", ["expected", "false_alarm"])
def test_what_people_know_of_is_known_for_as_long_as_it_lasts(looks, works, outcome):
    anomaly = looks.one(odd(8, 11, goes_on=True))
    anomaly_life.resolve(looks.database, anomaly["id"], "anna", "new product", outcome)
    resolved_at(works, anomaly, 12)
    events = looks.events()

    for end in range(12, 60 * DAY, DAY):
        # After two weeks a look doesn't see its beginning any more.
        found = odd(max(8, end - 14 * DAY), end, goes_on=True, severity="critical")
        kept = looks.find(found, over=(end - 1, end))
        assert {each["id"] for each in kept.anomalies} <= {anomaly["id"]}
        assert [each["anomaly_id"] for each in kept.held_back] in ([], [anomaly["id"]])

    (row,) = looks.stored()
    assert (row["state"], row["severity"], span(row)) == (outcome, "warning", (8, end, None))
    assert looks.events() == events


def test_a_fault_that_begins_beside_a_false_alarm_is_raised(looks, false_alarm):
    hot = looks.one(odd(10, 20, "temperature_spike", metric_name="machine_temp_c"))
    assert hot["id"] != false_alarm["id"]


def suppress(looks, start, end):
    return anomaly_suppressions.add(
        looks.database, looks.machine_id, at(start), at(end), "belt replaced", "bert"
    )


def test_a_planned_stop_holds_back_and_says_why(looks):
    stop = suppress(looks, 8, 16)

    item = held(looks, odd(9, 17))

    assert (item["code"], item["suppression_id"]) == ("suppressed", stop["id"])
    assert item["reason"] == (
        "7 of its 8 h lie in the planned stop from 2026-03-02 08:00 to 2026-03-02 16:00 (belt replaced),"
        " which bert entered."
    )
    assert looks.stored() == []


def test_what_lasts_after_a_planned_stop_is_raised(looks):
    suppress(looks, 8, 16)
    for end in (12, 16, 19):
        assert held(looks, odd(9, end, goes_on=True))["code"] == "suppressed"
    assert span(looks.one(odd(9, 20, goes_on=True))) == (9, 20, None)


def test_before_and_after_a_planned_stop_and_when_it_was_withdrawn_all_is_raised(looks):
    stop = suppress(looks, 8, 16)
    looks.one(odd(4, 6))
    looks.one(odd(20, 21))
    anomaly_suppressions.withdraw(looks.database, stop["id"], "bert")
    looks.one(odd(10, 11))


def test_overlapping_planned_stops_count_once(looks):
    suppress(looks, 8, 10)
    suppress(looks, 9, 10)
    looks.one(odd(9, 13))


def test_an_open_one_goes_on_in_a_planned_stop_but_gets_no_worse(looks):
    anomaly = looks.one(odd(8, 10, goes_on=True))
    suppress(looks, 9, 20)
    grown = looks.one(odd(8, 12, goes_on=True, severity="critical"))
    assert (grown["id"], grown["severity"], span(grown)) == (anomaly["id"], "warning", (8, 12, None))
    assert looks.one(odd(8, 40, severity="critical"))["severity"] == "critical"


def test_other_machines_and_carriers_learn_nothing_of_it(looks, works, false_alarm):
    other = uuid4()
    works.add_machine(other, "Other")
    Looks(looks.database, other).one(odd(DAY + 8, DAY + 11))
    looks.one(odd(DAY + 8, DAY + 11), energy_type="natural_gas")


def test_what_was_learned_outlives_the_anomaly(looks, works, false_alarm):
    works.rows("DELETE FROM anomalies")
    item = held(looks, odd(DAY + 8, DAY + 11))
    assert (item["code"], item["anomaly_id"]) == ("like_false_alarm", None)


def test_the_resolution_is_dated_by_the_factorys_clock(looks, false_alarm):
    reason = held(looks, odd(8, 11))["reason"]
    today = {f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%d}" for hours in (0, 2)}
    assert any(day in reason for day in today)
