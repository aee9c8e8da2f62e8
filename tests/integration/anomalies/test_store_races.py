"""The same detection by many at once, and people who resolve meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import uuid4

import pytest
from integration.anomalies.looks import Looks, at, odd, span

from enms.database import anomalies, drivers
from enms.database.connection import Database, rows
from enms.errors import ConflictError
from enms.services import anomaly_life, anomaly_store
from enms.services.anomaly_store import Detection

FOUND = (odd(8, 11), odd(14, 16, "power_drop", percent=-20.0), odd(20, 21, "data_gap"))


def at_once(count, work):
    """Has work(n) done by so many threads that all begin at the same moment."""
    barrier = threading.Barrier(count)

    def begin(n):
        barrier.wait(10)
        return work(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_twelve_at_once_leave_one_of_each(looks):
    kept = at_once(12, lambda _: looks.find(*FOUND, watermark=24))

    assert len({tuple(each["id"] for each in answer.anomalies) for answer in kept}) == 1
    assert len(looks.stored()) == 3
    assert looks.events().count(("outbox", "opened")) == 3


def test_hours_of_one_episode_at_once_in_any_order_leave_one(looks):
    hours = [13, 9, 16, 10, 15, 11, 14, 12]

    def look(n):
        return looks.one(odd(8, hours[n], goes_on=True), over=(hours[n] - 1, hours[n]), watermark=hours[n])[
            "id"
        ]

    assert len(set(at_once(len(hours), look))) == 1
    (row,) = looks.stored()
    assert span(row) == (8, 16, None)
    watermark = looks.database.row("SELECT detected_until FROM analytics.anomaly_watermarks")
    assert watermark == {"detected_until": at(16)}


def test_machines_at_once_do_not_mix(works, looks):
    others = [uuid4() for _ in range(6)]
    for n, machine_id in enumerate(others):
        works.add_machine(machine_id, f"Press {n}")

    at_once(12, lambda n: Looks(looks.database, others[n % 6]).find(*FOUND))

    assert works.rows("SELECT count(*) FROM anomalies GROUP BY machine_id") == [(3,)] * 6


def test_nobody_resolves_between_reading_and_writing(looks):
    """Who resolves in the middle of a detection waits for it: nothing of the two is lost."""
    anomaly = looks.one(odd(8, 10, goes_on=True))
    resolved = threading.Event()

    def resolve():
        anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, "fixed")
        resolved.set()

    machine = drivers.machine_context(looks.database, looks.machine_id, at(10), at(11))
    detection = Detection(
        machine=machine, energy_type="electrical", start=at(10), end=at(11), detector_id=None, actor="job"
    )
    with looks.database.transaction() as connection:
        anomaly_store.keep(connection, detection, [odd(8, 11, goes_on=True, severity="critical")])
        thread = threading.Thread(target=resolve)
        thread.start()
        assert not resolved.wait(0.3)
    thread.join(10)

    (row,) = looks.stored()
    assert (row["state"], row["severity"]) == ("resolved", "critical")
    assert [event for what, event in looks.events() if what == "history"] == [
        "opened",
        "worsened",
        "resolved",
    ]


def test_one_of_ten_resolves_and_the_others_are_told_who(looks):
    anomaly = looks.one(odd(8, 10))

    def resolve(n):
        try:
            anomaly_life.resolve(looks.database, anomaly["id"], f"person {n}", None, "false_alarm")
        except ConflictError as error:
            return error.details["actor"]
        return None

    told = at_once(10, resolve)

    winner = f"person {told.index(None)}"
    assert sorted(told, key=str) == sorted([None, *[winner] * 9], key=str)
    assert looks.events().count(("outbox", "resolved")) == 1
    assert looks.database.row("SELECT count(*) AS n FROM analytics.anomaly_feedback") == {"n": 1}


def test_a_false_alarm_resolved_while_it_is_found_again_never_comes_back(looks):
    anomaly = looks.one(odd(8, 10, goes_on=True))

    def work(n):
        if n == 3:
            anomaly_life.resolve(looks.database, anomaly["id"], "anna", None, "false_alarm")
        else:
            looks.find(odd(8, 10, goes_on=True))

    at_once(8, work)

    (row,) = looks.stored()
    assert (row["id"], row["state"]) == (anomaly["id"], "false_alarm")


def test_who_waits_too_long_is_told_so(looks, database_url):
    impatient = Database(lambda: database_url, pool_size=1)
    with impatient.connection() as connection:
        rows(connection, "SET lock_timeout = '50ms'")
    with looks.database.transaction() as connection:
        anomalies.take_turn(connection, looks.machine_id, "electrical")
        machine = drivers.machine_context(looks.database, looks.machine_id, at(8), at(10))
        detection = Detection(
            machine=machine, energy_type="electrical", start=at(8), end=at(10), detector_id=None, actor="job"
        )
        with (
            pytest.raises(ConflictError, match=r"under way.*try again"),
            impatient.transaction() as other,
        ):
            anomaly_store.keep(other, detection, [])
    impatient.close()


TRUTH = (
    ("efficiency_drop", 5.0, 14.0, {}),
    ("power_drop", 20.0, 21.5, {"percent": -20.0}),
    ("data_gap", 24.0, 30.0, {"metric_name": "covered_share"}),
    ("efficiency_drop", 40.0, 90.0, {}),
    ("temperature_spike", 60.0, 64.0, {"metric_name": "machine_temp_c"}),
    ("sensor_fault", 61.0, 70.0, {"metric_name": "pressure_bar"}),
)


def seen(start, end):
    """What a look over [start, end) finds of it: all that overlaps, from its true start on."""
    return [
        odd(first, min(last, end), kind, goes_on=last >= end, **how)
        for kind, first, last, how in TRUTH
        if first < end and last > start
    ]


@pytest.mark.parametrize("seed", range(4))
def test_windows_of_any_length_in_any_order_at_once_end_in_the_truth(looks, seed):
    random = Random(seed)
    windows = [(hour, hour + 1) for hour in range(100)]
    for _ in range(60):
        start = random.uniform(0, 95)
        windows.append((start, min(start + random.choice([0.25, 1, 6, 24, 48]), 100)))
    windows.append((0, 100))
    random.shuffle(windows)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda window: looks.find(*seen(*window), over=window, watermark=window[1]), windows))

    found = [(row["anomaly_type"], *span(row)[:2]) for row in looks.stored() if row["state"] == "open"]
    assert found == [(kind, first, last) for kind, first, last, _ in TRUTH]
    before, events = looks.stored(), looks.events()
    assert all(row["ended_at"] == row["last_seen_at"] for row in before)
    looks.find(*seen(0, 100), over=(0, 100))
    assert (looks.stored(), looks.events()) == (before, events)
