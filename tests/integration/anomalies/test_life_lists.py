"""Pages of lists, a single one, and figures of a period."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from integration.anomalies.looks import MONDAY, Looks, at, hour_of, odd
from integration.baselines.works import FACTORY

from enms.database.anomaly_lists import AnomalyFilter
from enms.errors import InvalidInputError, NotFoundError
from enms.services import anomaly_life, anomaly_lists, anomaly_suppressions, cursors

EVERYTHING = AnomalyFilter(since=MONDAY)
OTHER_FACTORY = uuid4()


@pytest.fixture
def other(works, looks):
    """A machine of another factory."""
    machine_id = uuid4()
    works.add_machine(machine_id, "Other", factory_id=OTHER_FACTORY, zone="UTC")
    return Looks(looks.database, machine_id)


def pages(ask, limit):
    """All rows of a list, page by page."""
    found, cursor = [], None
    while True:
        page = ask(limit, cursor)
        assert len(page["anomalies"]) <= limit
        found += page["anomalies"]
        cursor = page["next_cursor"]
        if cursor is None:
            assert page["total_count"] == len(found)
            return found


def test_pages_of_the_newest_miss_and_repeat_nothing(looks, other):
    for hours in range(0, 70, 10):
        looks.one(odd(hours, hours + 1))
        other.one(odd(hours, hours + 1))

    found = pages(lambda *page: anomaly_lists.recent(looks.database, EVERYTHING, *page), 3)

    keys = [(each["detected_at"], each["id"]) for each in found]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == 14


def test_what_is_added_meanwhile_shifts_no_page(looks):
    for hours in (0, 10, 20):
        looks.one(odd(hours, hours + 1))
    first = anomaly_lists.recent(looks.database, EVERYTHING, 2, None)
    looks.one(odd(30, 31))
    second = anomaly_lists.recent(looks.database, EVERYTHING, 2, first["next_cursor"])
    assert [hour_of(each) for each in (*first["anomalies"], *second["anomalies"])] == [20, 10, 0]


def test_pages_of_the_dearest_come_by_cost_then_severity_then_time(looks):
    costs = (3.0, None, 7.5, 3.0, None, -1.0, None)
    severities = ("warning", "critical", "warning", "critical", "warning", "warning", "critical")
    for n, (cost, severity) in enumerate(zip(costs, severities, strict=True)):
        looks.one(odd(10 * n, 10 * n + 1, cost=cost, severity=severity))
    done = looks.one(odd(100, 101, cost=99.0))
    anomaly_life.resolve(looks.database, done["id"], "anna", None, "fixed")

    found = pages(lambda *page: anomaly_lists.active(looks.database, AnomalyFilter(), *page), 2)

    assert [hour_of(each) for each in found] == [20, 30, 0, 50, 60, 10, 40]


def test_lists_are_narrowed_by_what_is_asked_for(looks, other):
    looks.one(odd(8, 9, "data_gap", severity="critical"))
    other.one(odd(20, 21))
    seen = looks.one(odd(40, 41))
    anomaly_life.acknowledge(looks.database, seen["id"], "anna", None)

    def hours(**wanted):
        page = anomaly_lists.recent(looks.database, AnomalyFilter(**({"since": MONDAY} | wanted)), 50, None)
        assert page["total_count"] == len(page["anomalies"])
        return [hour_of(each) for each in page["anomalies"]]

    assert hours() == [40, 20, 8]
    assert hours(machine_id=looks.machine_id) == [40, 8]
    assert hours(factory_id=OTHER_FACTORY) == [20]
    assert hours(severity="critical") == [8]
    assert hours(anomaly_type="efficiency_drop") == [40, 20]
    assert hours(state="acknowledged") == [40]
    assert hours(since=at(20), until=at(40)) == [20]
    assert hours(machine_id=uuid4()) == []
    active = anomaly_lists.active(looks.database, AnomalyFilter(factory_id=FACTORY), 50, None)
    assert active["total_count"] == 2


def test_the_last_day_is_meant_unless_another_time_is_given(looks):
    since_monday = (datetime.now(UTC) - MONDAY) / timedelta(hours=1)
    looks.one(odd(since_monday - 30, since_monday - 29))
    looks.one(odd(since_monday - 3, since_monday - 2))
    assert anomaly_lists.recent(looks.database, AnomalyFilter(), 50, None)["total_count"] == 1
    before = AnomalyFilter(until=datetime.now(UTC) - timedelta(hours=24))
    assert anomaly_lists.recent(looks.database, before, 50, None)["total_count"] == 1


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "bnVsbA", "WyJyZWNlbnQiLDEsMl0", "WyJhY3RpdmUiLDEsInRlcnJpYmxlIiwiYSIsImIiXQ"]
)
def test_a_cursor_that_is_none_is_refused(looks, cursor):
    if not cursor:
        cursor = cursors.encode("other", [1, 2])
    for ask in (anomaly_lists.recent, anomaly_lists.active):
        with pytest.raises(InvalidInputError, match="cursor"):
            ask(looks.database, AnomalyFilter(), 10, cursor)


def test_a_cursor_of_another_list_is_refused(looks):
    for hours in (0, 10):
        looks.one(odd(hours, hours + 1))
    cursor = anomaly_lists.active(looks.database, AnomalyFilter(), 1, None)["next_cursor"]
    with pytest.raises(InvalidInputError, match="cursor"):
        anomaly_lists.recent(looks.database, EVERYTHING, 1, cursor)


def test_one_comes_with_its_history(looks):
    anomaly = looks.one(odd(8, 9))
    shown = anomaly_lists.one(looks.database, anomaly["id"])
    assert [line["event"] for line in shown.pop("history")] == ["opened"]
    assert shown == anomaly


def test_the_summary_counts_by_kind_and_machine(looks, other):
    for n, outcome in enumerate(["fixed", "fixed", "expected", "false_alarm"]):
        anomaly = looks.one(odd(24 * n, 24 * n + 1))
        anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, outcome)
    looks.one(odd(100, 101, "data_gap", cost=None, deviation_kwh=None))
    seen = other.one(odd(8, 9, cost=50.0))
    anomaly_life.acknowledge(looks.database, seen["id"], "anna", None)
    other.one(odd(400, 401))

    summary = anomaly_lists.summary(looks.database, None, None, at(0), at(300))

    assert (summary["count"], summary["open"], summary["acknowledged"], summary["resolved"]) == (6, 1, 1, 4)
    assert (summary["false_alarms"], summary["false_alarm_rate"]) == (1, 0.25)
    assert (summary["energy_kwh"], summary["cost"], summary["currency"]) == (50, 62, "EUR")
    assert summary["time_period"] == {"start": at(0), "end": at(300), "hours": 300.0, "timezone": "UTC"}
    assert [(row["anomaly_type"], row["count"], row["cost"]) for row in summary["by_kind"]] == [
        ("efficiency_drop", 5, 62), ("data_gap", 1, None),
    ]  # fmt: skip
    of_machines = [
        (row["machine_name"], row["count"], row["cost"], row["false_alarms"]) for row in summary["by_machine"]
    ]
    assert of_machines == [("Other", 1, 50, 0), ("Press", 5, 12, 1)]
    of_factory = anomaly_lists.summary(looks.database, None, OTHER_FACTORY, at(0), at(300))
    assert (of_factory["count"], of_factory["false_alarm_rate"]) == (1, None)


def test_a_summary_of_a_machine_takes_days_of_its_factory(looks):
    looks.one(odd(23.5, 24))
    looks.one(odd(50, 51))
    monday = date(2026, 3, 2)
    summary = anomaly_lists.summary(looks.database, looks.machine_id, None, monday, monday)
    assert (summary["time_period"]["start"], summary["time_period"]["timezone"]) == (at(0), "Europe/Berlin")
    assert (summary["time_period"]["hours"], summary["count"]) == (24, 1)
    of_all = anomaly_lists.summary(looks.database, None, None, monday, date(2026, 3, 3))
    assert (of_all["time_period"]["start"], of_all["count"]) == (at(1), 1)


def test_money_of_different_currencies_is_not_added_up(works, looks, other):
    looks.one(odd(8, 9))
    other.one(odd(8, 9))
    works.rows("UPDATE anomalies SET currency = 'USD' WHERE machine_id = %s", (other.machine_id,))
    summary = anomaly_lists.summary(looks.database, None, None, at(0), at(24))
    assert (summary["cost"], summary["currency"], summary["energy_kwh"]) == (None, None, 20)
    assert [row["currency"] for row in summary["by_machine"]] == ["USD", "EUR"]


def test_nothing_sums_up_to_nothing(looks):
    summary = anomaly_lists.summary(looks.database, None, None, None, None)
    assert (summary["count"], summary["false_alarm_rate"], summary["cost"], summary["by_kind"]) == (
        0,
        None,
        None,
        [],
    )
    assert summary["time_period"]["hours"] == 720


def test_a_summary_of_what_means_nothing_is_refused(looks):
    for ends in ((at(2), at(1)), (at(0), at(401 * 24))):
        with pytest.raises(InvalidInputError, match="end"):
            anomaly_lists.summary(looks.database, None, None, *ends)
    with pytest.raises(NotFoundError):
        anomaly_lists.summary(looks.database, uuid4(), None, at(0), at(1))


def test_planned_stops_are_listed_until_they_are_withdrawn(looks, other):
    def add(who, start, end, reason="belt replaced"):
        return anomaly_suppressions.add(looks.database, who.machine_id, at(start), at(end), reason, "bert")

    first, second = add(looks, 8, 16), add(other, 12, 20, "holidays")
    assert (first["machine_name"], first["start"], first["end"]) == ("Press", at(8), at(16))
    assert (first["reason"], first["actor"], first["withdrawn_at"]) == ("belt replaced", "bert", None)

    def ids(machine_id=None, moment=None):
        found = anomaly_suppressions.listed(looks.database, machine_id, moment)
        assert found["total_count"] == len(found["suppressions"])
        return [each["id"] for each in found["suppressions"]]

    assert ids() == [second["id"], first["id"]]
    assert ids(looks.machine_id) == [first["id"]]
    assert [ids(moment=at(hours)) for hours in (7, 8, 16, 20)] == [[], [first["id"]], [second["id"]], []]

    gone = anomaly_suppressions.withdraw(looks.database, first["id"], "carl")
    assert (gone["withdrawn_by"], gone["reason"]) == ("carl", "belt replaced")
    assert anomaly_suppressions.withdraw(looks.database, first["id"], "dora") == gone
    assert ids() == [second["id"]]


def test_a_planned_stop_that_means_nothing_is_refused(looks):
    def add(machine_id, start, end):
        anomaly_suppressions.add(looks.database, machine_id, at(start), at(end), "x", "bert")

    with pytest.raises(InvalidInputError, match="does not lie after"):
        add(looks.machine_id, 8, 8)
    with pytest.raises(InvalidInputError, match="400 days"):
        add(looks.machine_id, 0, 400 * 24 + 1)
    with pytest.raises(NotFoundError):
        add(uuid4(), 8, 9)
    with pytest.raises(NotFoundError):
        anomaly_suppressions.listed(looks.database, uuid4(), None)
    with pytest.raises(NotFoundError):
        anomaly_suppressions.withdraw(looks.database, uuid4(), "bert")
    assert anomaly_suppressions.listed(looks.database, None, None)["suppressions"] == []
