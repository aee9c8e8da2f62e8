"""What is found is kept once: in whatever windows, however often, however late it is found."""

from uuid import uuid4

import pytest
from integration.anomalies.looks import at, hour_of, odd, span

from enms.database import anomalies


def test_an_episode_is_kept_whole(looks):
    run_id = uuid4()
    anomaly = looks.one(odd(8, 11, is_lasting=True), run_id=run_id)

    assert (anomaly["machine_name"], anomaly["energy_type"]) == ("Press", "electrical")
    assert span(anomaly) == (8, 11, 11)
    assert (anomaly["anomaly_type"], anomaly["severity"], anomaly["state"]) == (
        "efficiency_drop", "warning", "open",
    )  # fmt: skip
    assert (anomaly["is_resolved"], anomaly["is_lasting"]) == (False, True)
    assert (anomaly["metric_name"], anomaly["metric_unit"]) == ("energy_kwh", "kWh")
    assert (anomaly["metric_value"], anomaly["expected_value"], anomaly["deviation_percent"]) == (
        110,
        100,
        10,
    )
    assert (anomaly["deviation_std_dev"], anomaly["confidence_score"]) == (2.5, 0.8)
    assert (anomaly["detection_method"], anomaly["detection_methods"]) == (
        "baseline_deviation", ["baseline_deviation", "cusum"],
    )  # fmt: skip
    assert (anomaly["energy_kwh"], anomaly["cost"], anomaly["currency"]) == (10, 3, "EUR")
    assert anomaly["summary"] == "10 % more than expected."
    # What no number is JSON can't tell.
    assert anomaly["contributions"][0]["expected_value"] is None
    (row,) = looks.stored()
    assert (row["id"], row["origin"], row["run_id"]) == (anomaly["id"], "enms", run_id)
    assert looks.events() == [("history", "opened"), ("outbox", "opened")]


def test_three_times_the_same_changes_nothing_after_the_first(looks):
    found = [odd(8, 11), odd(20, 21, "pressure_anomaly", metric_name="pressure_bar")]
    first = looks.find(*found)
    before, events = looks.stored(), looks.events()

    for _ in range(2):
        assert looks.find(*found, run_id=uuid4()) == first

    assert looks.stored() == before
    assert looks.events() == events
    assert len(before) == 2


def test_hour_by_hour_it_is_one_that_grows(looks):
    first = looks.one(odd(8, 9, goes_on=True), over=(8, 9))
    for hour in range(10, 18):
        grown = looks.one(
            odd(8, hour, goes_on=True, deviation_kwh=10.0 * hour, cost=hour), over=(hour - 1, hour)
        )

    assert grown["id"] == first["id"]
    assert span(grown) == (8, 17, None)
    assert (grown["energy_kwh"], grown["cost"]) == (170, 17)
    assert looks.events() == [("history", "opened"), ("outbox", "opened")]


def test_overlapping_windows_and_hours_out_of_order_make_the_same_one(looks):
    ids = {
        looks.one(found, over=over)["id"]
        for found, over in [
            (odd(10, 12, goes_on=True), (11, 12)),
            (odd(8, 11, goes_on=True), (9, 11)),
            (odd(8, 14), (7, 15)),
            (odd(9, 10), (9, 10)),
            (odd(8, 12, goes_on=True), (11, 12)),
        ]
    }
    assert len(ids) == 1
    (row,) = looks.stored()
    assert span(row) == (8, 14, 14)


def test_an_hour_late_is_as_in_time(looks):
    looks.find(over=(8, 9), watermark=9)
    looks.one(odd(8.5, 10, goes_on=True), over=(9, 10), watermark=10)
    before = looks.stored()

    late = looks.one(odd(8.5, 9, goes_on=True), over=(8, 9), watermark=9)

    assert late["id"] == before[0]["id"]
    assert looks.stored() == before
    assert looks.database.row("SELECT detected_until FROM analytics.anomaly_watermarks") == {
        "detected_until": at(10)
    }


def test_what_is_found_no_more_has_ended_but_stays_open(looks):
    looks.one(odd(8, 10, goes_on=True), over=(9, 10))
    looks.find(over=(10, 11))
    assert looks.stored()[0]["ended_at"] is None

    looks.find(over=(11, 12))

    (row,) = looks.stored()
    assert (span(row), row["state"]) == ((8, 10, 10), "open")
    assert looks.events() == [("history", "opened"), ("history", "ended"), ("outbox", "opened")]


def test_a_look_at_former_hours_ends_nothing(looks):
    looks.one(odd(8, 10, goes_on=True), over=(9, 10))
    looks.find(over=(0, 8))
    looks.find(over=(8, 11))
    assert looks.stored()[0]["ended_at"] is None


def test_it_goes_on_after_a_pause(looks):
    looks.one(odd(8, 10))
    again = looks.one(odd(11.5, 13, goes_on=True, deviation_kwh=6.0, cost=1.5), over=(12, 13))

    assert span(again) == (8, 13, None)
    assert (again["energy_kwh"], again["cost"]) == (16, 4.5)
    assert [event for what, event in looks.events() if what == "history"] == ["opened", "extended"]


def test_after_a_longer_pause_it_is_another_one(looks):
    first = looks.one(odd(8, 10))
    other = looks.one(odd(12.25, 13))
    assert other["id"] != first["id"]


def test_worse_is_told_once_and_better_never(looks):
    looks.one(odd(8, 10, goes_on=True))
    worse = looks.one(odd(8, 11, goes_on=True, severity="critical"))
    better = looks.one(odd(8, 12, severity="warning"))

    assert [worse["severity"], better["severity"]] == ["critical", "critical"]
    assert looks.events() == [
        ("history", "opened"), ("history", "worsened"), ("history", "ended"),
        ("outbox", "opened"), ("outbox", "worsened"),
    ]  # fmt: skip
    worsened = looks.database.row("SELECT * FROM analytics.anomaly_history WHERE event = 'worsened'")
    assert worsened["detail"] == {"from": "warning", "to": "critical"}


def test_a_lasting_change_of_level_is_one_episode_for_weeks(looks):
    first = looks.one(odd(0, 24, goes_on=True, deviation_kwh=24.0), over=(23, 24))
    for hour in range(48, 60 * 24, 24):
        # After two weeks a look doesn't see its beginning any more.
        start = max(0, hour - 14 * 24)
        last = looks.one(
            odd(start, hour, goes_on=True, is_lasting=hour > 96, deviation_kwh=float(hour - start)),
            over=(hour - 1, hour),
        )

    assert (last["id"], last["is_lasting"]) == (first["id"], True)
    assert last["energy_kwh"] == pytest.approx(59 * 24)
    assert len(looks.stored()) == 1
    assert [event for _, event in looks.events()] == ["opened", "extended", "opened"]


def test_a_spike_that_goes_on_becomes_what_it_is(looks):
    spike = looks.one(odd(8, 9, "power_spike", goes_on=True))
    drop = looks.one(odd(8, 12, "efficiency_drop", goes_on=True))
    assert (drop["id"], drop["anomaly_type"]) == (spike["id"], "efficiency_drop")


def test_one_cause_has_one_episode_whatever_shows_it_most_clearly(looks):
    power = looks.one(odd(8, 10, goes_on=True))
    hot = looks.one(odd(8, 11, "temperature_spike", metric_name="machine_temp_c", goes_on=True))
    assert hot["id"] == power["id"]


@pytest.mark.parametrize(
    "other",
    [
        odd(14, 18, "temperature_spike", metric_name="machine_temp_c"),
        odd(8, 18, "data_gap", metric_name="covered_share"),
        odd(8, 18, "sensor_fault", metric_name="pressure_bar"),
        odd(19, 20, "power_drop", percent=-20.0),
    ],
)
def test_what_has_another_cause_is_another_one(looks, other):
    looks.one(odd(8, 18))
    looks.one(other)
    assert len(looks.stored()) == 2


def test_two_of_one_look_stay_two(looks):
    """One look told them apart: the second isn't taken for the first, neither then nor later."""
    found = odd(8, 12), odd(7, 13, "pressure_anomaly", metric_name="pressure_bar")
    looks.one(found[0])

    first, second = looks.find(*found).anomalies, looks.find(*found).anomalies

    assert first == second
    assert len(looks.stored()) == len(first) == 2
    assert [each["anomaly_type"] for each in first] == ["pressure_anomaly", "efficiency_drop"]


def test_faults_of_two_sensors_are_two(looks):
    looks.find(
        odd(8, 18, "sensor_fault", metric_name="pressure_bar"),
        odd(8, 18, "sensor_fault", metric_name="flow_rate_m3h"),
    )
    assert len(looks.stored()) == 2


def test_what_turns_out_to_be_one_becomes_the_earlier_one(looks):
    first, second = looks.one(odd(8, 10)), looks.one(odd(16, 18, cost=4.0))

    whole = looks.one(odd(8, 18))

    assert whole["id"] == first["id"]
    by_id = {row["id"]: row for row in looks.stored()}
    assert span(by_id[first["id"]]) == (8, 18, 18)
    merged = by_id[second["id"]]
    assert (merged["state"], merged["resolved_by"]) == ("resolved", "enms")
    assert "began earlier" in merged["resolution_notes"]
    before, events = looks.stored(), looks.events()
    assert looks.one(odd(8, 18))["id"] == first["id"]
    assert looks.one(odd(17, 18))["id"] == first["id"]
    assert (looks.stored(), looks.events()) == (before, events)
    assert events.count(("outbox", "resolved")) == 1


def test_carriers_have_episodes_of_their_own(looks):
    looks.one(odd(8, 10))
    looks.one(odd(8, 10), energy_type="natural_gas")
    assert {row["energy_type"] for row in looks.stored()} == {"electrical", "natural_gas"}


def test_figures_beyond_their_columns_are_cut_to_them(looks):
    anomaly = looks.one(
        odd(8, 10, percent=1e12, sigma=-1e9, metric_value=1e12, confidence=1.0, deviation_kwh=float("nan"))
    )
    assert anomaly["deviation_percent"] == pytest.approx(999_999.99)
    assert anomaly["deviation_std_dev"] == pytest.approx(-999_999.99)
    assert anomaly["metric_value"] == pytest.approx(1e9)
    assert (anomaly["confidence_score"], anomaly["energy_kwh"]) == (1, None)
    before = looks.stored()
    looks.one(
        odd(8, 10, percent=1e12, sigma=-1e9, metric_value=1e12, confidence=1.0, deviation_kwh=float("nan"))
    )
    assert looks.stored() == before


def test_a_preview_keeps_nothing(looks):
    (shown,) = looks.find(odd(8, 10), stores=False).anomalies
    assert (shown["id"], shown["state"], hour_of(shown)) == (None, "open", 8)
    assert (looks.stored(), looks.events()) == ([], [])

    kept = looks.one(odd(8, 10, goes_on=True))
    before = looks.stored()
    known, new = looks.find(odd(8, 11), odd(20, 21), stores=False).anomalies

    assert (known["id"], hour_of(known, "last_seen_at"), new["id"]) == (kept["id"], 11, None)
    assert looks.stored() == before


def test_a_failure_on_the_way_leaves_nothing_not_even_the_watermark(looks, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr(anomalies, "note", fail)
    with pytest.raises(RuntimeError, match="cut off"):
        looks.find(odd(8, 10), watermark=10)
    monkeypatch.undo()

    assert (looks.stored(), looks.events()) == ([], [])
    assert looks.database.rows("SELECT * FROM analytics.anomaly_watermarks") == []
    looks.find(odd(8, 10), watermark=10)
    assert len(looks.stored()) == 1
