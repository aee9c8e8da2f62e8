"""The demo's behaviour is known, and the same whatever stretch of it is made."""

import struct
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from enms.errors import InvalidInputError
from enms_local.demo.faults import KINDS, Fault
from enms_local.demo.model import Simulation, simulate
from enms_local.demo.packing import packed
from enms_local.demo.plant import COOLING_BASE_C, HEATING_BASE_C, MACHINES, DemoMachine

SEED = 7
END_AT = datetime(2026, 11, 2, tzinfo=UTC)
DAY = 1440


def minute(at: datetime) -> int:
    return int(at.timestamp() // 60)


def hourly(run: Simulation) -> dict[str, np.ndarray]:
    def mean(values: np.ndarray) -> np.ndarray:
        return values.reshape(-1, 60).mean(axis=1)

    temperature = mean(run.outdoor_temp_c)
    return {
        "energy_kwh": 60 * mean(run.energy_kwh),
        "operating_hours": mean(run.mode == 1),
        "production_count": 60 * mean(run.production_count),
        "pressure_bar": mean(run.pressure_bar),
        "outdoor_temp_c": temperature,
        "material_moisture_percent": mean(run.moisture_percent),
        "cooling_degrees": (temperature - COOLING_BASE_C).clip(0),
        "heating_degrees": (HEATING_BASE_C - temperature).clip(0),
    }


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_energy_follows_the_true_coefficients(machine: DemoMachine) -> None:
    data = hourly(simulate(machine, minute(END_AT) - 90 * DAY, minute(END_AT), [], SEED))
    drivers = np.column_stack([np.ones(90 * 24), *(data[name] for name in machine.coefficients)])
    fitted, squares, _, _ = np.linalg.lstsq(drivers, data["energy_kwh"], rcond=None)
    variance = squares[0] / (len(drivers) - drivers.shape[1])
    standard_errors = np.sqrt(np.diag(np.linalg.inv(drivers.T @ drivers)) * variance)
    true = np.array([machine.intercept_kwh, *machine.coefficients.values()])

    assert np.all(np.abs(fitted - true) < 4 * standard_errors)
    assert np.sqrt(variance) == pytest.approx(machine.noise_kwh, rel=0.1)
    assert 1 - squares[0] / np.var(data["energy_kwh"]) / len(drivers) > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_any_stretch_gives_the_same_rows(kind: str) -> None:
    first = minute(END_AT) - 2 * DAY
    fault = Fault(kind, END_AT - timedelta(hours=30, minutes=7), END_AT - timedelta(hours=26))
    whole = simulate(MACHINES[0], first, minute(END_AT), [fault], SEED)
    # Cuts inside the fault, at its end, and elsewhere, none of them on the hour.
    for begin, end in ((1111, 1300), (1320, 1321), (2000, 2077)):
        part = simulate(MACHINES[0], first + begin, first + end, [fault], SEED)
        for name in Simulation.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[begin:end], err_msg=name)


def test_an_outage_ends_with_all_the_energy_that_was_missed() -> None:
    first = minute(END_AT) - DAY
    fault = Fault("outage", END_AT - timedelta(hours=10), END_AT - timedelta(hours=6))
    sound = simulate(MACHINES[0], first, minute(END_AT), [], SEED)
    broken = simulate(MACHINES[0], first, minute(END_AT), [fault], SEED)

    assert (~broken.has_reading).sum() == 4 * 60
    assert broken.energy_kwh[broken.has_reading].sum() == pytest.approx(sound.energy_kwh.sum())
    assert broken.energy_kwh.max() > 20 * sound.energy_kwh.max()


def test_faults_change_the_load_by_their_size() -> None:
    first = minute(END_AT) - DAY
    hours = {"start_at": END_AT - timedelta(hours=10), "end_at": END_AT - timedelta(hours=6)}
    sound = simulate(MACHINES[0], first, minute(END_AT), [], SEED).power_kw
    leak = simulate(MACHINES[0], first, minute(END_AT), [Fault("leak", **hours, size=0.25)], SEED).power_kw
    changed = np.flatnonzero(leak != sound)

    assert (changed[0], changed[-1]) == (14 * 60, 18 * 60 - 1)
    assert np.ptp((leak - sound)[changed]) == pytest.approx(0, abs=2e-3)


def test_work_keeps_to_local_shifts_through_the_change_of_clocks() -> None:
    sunday_night = datetime(2026, 10, 25, tzinfo=UTC)
    before = simulate(MACHINES[1], minute(sunday_night) - 3 * DAY, minute(sunday_night) - 2 * DAY, [], SEED)
    after = simulate(MACHINES[1], minute(sunday_night) + DAY, minute(sunday_night) + 2 * DAY, [], SEED)
    first_hour_of_work = [int(np.flatnonzero(run.production_count)[0]) // 60 for run in (before, after)]

    assert first_hour_of_work == [4, 5]


@pytest.mark.parametrize(
    ("kind", "hours", "size", "said"),
    [
        ("gremlin", 1, 0.2, "choose one of leak"),
        ("leak", 0, 0.2, "at least a minute"),
        ("leak", 1, 9, "share of the load"),
    ],
)  # fmt: skip
def test_impossible_faults_are_refused(kind: str, hours: float, size: float, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Fault(kind, END_AT, END_AT + timedelta(hours=hours), size)


def test_packing_is_the_binary_format_of_copy() -> None:
    minutes = np.array([minute(datetime(2000, 1, 1, 0, 1, tzinfo=UTC))], dtype=np.int64)
    data = packed(minutes, [np.array([1.5]), np.array([7])])

    assert data[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    assert struct.unpack(">hiqidiq", data[19:-2]) == (3, 8, 60_000_000, 8, 1.5, 8, 7)
    assert data[-2:] == b"\xff\xff"
