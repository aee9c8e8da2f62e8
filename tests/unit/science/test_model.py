"""A model's document: there and back, the same bytes for the same data, and other ones for other data."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from unit.science.samples import HOUR, MONDAY, hours, well_measured

from enms.science.baseline.build import Built, RefusalRules, Request, build
from enms.science.baseline.model import Baseline, data_hash, document, from_bytes, statistics, to_bytes
from enms.science.baseline.names import Model
from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.verdict import Limits

DRIVERS = ("production_count", "shift", "cooling_degrees")
MODELS: tuple[Model, ...] = ("linear", "change_point", "time_of_week_temperature")


def _bent() -> Observations:
    data = hours(24 * 80)
    bend = 3 * np.maximum(data.drivers["outdoor_temp_c"] - 17, 0)
    return replace(data, energy_kwh=data.energy_kwh + bend)


@cache
def _built(model: Model = "linear", *, auto: bool = False) -> Built:
    data = _bent()
    noise = np.random.default_rng(95).normal(size=len(data))
    data = replace(data, drivers={**data.drivers, "environment.noise": noise})
    # What is refused makes gaps.
    data.energy_kwh[30:35] = np.nan
    request = Request(None if auto else DRIVERS, (*DRIVERS, "environment.noise"), model)
    return build(data, well_measured(len(data)), request, Limits(), RefusalRules())


def _document(built: Built) -> dict[str, Any]:
    return document(
        built,
        energy_type="electrical",
        machine={"id": "7", "name": "Pump-1", "timezone": "Europe/Berlin", "country": "DE"},
        period={"start": "2026-01-05T00:00:00Z", "end": "2026-03-26T00:00:00Z"},
        starts_at=built.data.positions * HOUR,
        settings={"model": built.form, "limits": {"least_r_squared": 0.8}},
        code_version="1.2.3",
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_model_predicts_the_same_after_it_was_stored(model: Model) -> None:
    built = _built(model)
    stored = Baseline.from_document(from_bytes(to_bytes(_document(built))))
    fresh = Baseline.of(built)
    later = hours(200, seed=9)
    np.testing.assert_allclose(stored.predict_kwh(later), fresh.predict_kwh(later), rtol=1e-9)
    np.testing.assert_allclose(stored.covariance, fresh.covariance, rtol=1e-9)
    np.testing.assert_allclose(stored.errors.phi, fresh.errors.phi, rtol=1e-9)
    assert [each.column_names for each in stored.terms] == [each.column_names for each in fresh.terms]
    assert stored.interval == "hour"
    assert stored.needed == fresh.needed
    assert stored.ranges.keys() == fresh.ranges.keys()


def test_predictions_of_the_training_are_actual_less_residuals() -> None:
    built = _built()
    predicted = Baseline.of(built).predict_kwh(built.data)
    np.testing.assert_allclose(predicted, built.data.energy_kwh - built.fit.solution.residuals, rtol=1e-9)


def test_what_a_model_needs_is_named_once() -> None:
    assert Baseline.of(_built()).needed == ("production_count", "shift", "outdoor_temp_c")
    both = Baseline.of(_built("change_point"))
    assert both.needed.count("outdoor_temp_c") == 1


def test_what_is_not_known_is_not_predicted() -> None:
    later = hours(50)
    later.drivers["production_count"][3] = np.nan
    later.categories["shift"].codes[5] = -1
    unknown = np.isnan(Baseline.of(_built()).predict_kwh(later))
    assert np.flatnonzero(unknown).tolist() == [3, 5]


def test_the_distance_from_the_range_in_training_has_a_sign() -> None:
    baseline = replace(Baseline.of(_built()), ranges={"production_count": (10.0, 100.0)})
    values = np.array([10.0, 100.0, 130.0, 4.0])
    later = Observations("hour", np.arange(4), np.ones(4), {"production_count": values})
    assert baseline.beyond_range(later)["production_count"].tolist() == [0, 0, 30, -6]


@pytest.mark.parametrize("auto", [False, True])
def test_the_same_data_and_settings_give_the_same_bytes(*, auto: bool) -> None:
    one = to_bytes(_document(_built(auto=auto)))
    _built.cache_clear()
    assert to_bytes(_document(_built(auto=auto))) == one


def test_bytes_are_canonical_json() -> None:
    content = to_bytes(_document(_built()))
    read = json.loads(content)
    assert content == json.dumps(read, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert b"NaN" not in content
    assert b"Infinity" not in content


def test_floats_have_twelve_digits_and_zeros_no_sign() -> None:
    read = from_bytes(to_bytes(_document(_built())))

    def floats(value: Any) -> list[float]:
        if isinstance(value, dict):
            return [each for one in value.values() for each in floats(one)]
        if isinstance(value, list):
            return [each for one in value for each in floats(one)]
        return [value] if isinstance(value, float) else []

    residuals = read.pop("residuals")
    assert len(floats(read)) > 100
    assert all(each == float(f"{each:.12g}") for each in floats(read))
    assert all(each == round(each, 6) for each in floats(residuals))
    assert all(str(each) != "-0.0" for each in floats(read) + floats(residuals))


def test_what_is_not_finite_is_null_and_a_negative_zero_is_none() -> None:
    built = _built()
    first = replace(built.fit.coefficients[0], t_value=np.inf, p_value=np.nan, low=-0.0)
    fit = replace(built.fit, coefficients=(first, *built.fit.coefficients[1:]))
    stored = _document(replace(built, fit=fit))["coefficients"][0]
    assert (stored["t_value"], stored["p_value"]) == (None, None)
    assert str(stored["low"]) == "0.0"


def test_the_document_tells_what_was_used_and_refused() -> None:
    content = _document(_built())
    training = content["training"]
    assert (training["intervals"], training["samples"]) == (1920, 1915)
    assert [each["code"] for each in training["refused"]] == ["no_energy"]
    assert training["start"] == "2026-01-05T00:00:00Z"
    assert content["kind"] == "linear"
    assert content["selection"] is None
    assert len(content["residuals"]["starts_at"]) == 1915
    assert content["residuals"]["starts_at"][0] == MONDAY
    assert content["versions"]["enms"] == "1.2.3"
    assert {"version", "trained_at"}.isdisjoint(content)


def test_a_choice_is_told_with_what_was_dropped() -> None:
    selection = _document(_built(auto=True))["selection"]
    assert "production_count" in selection["drivers"]
    assert "environment.noise" in [each["driver"] for each in selection["dropped"]]
    assert selection["ranked"][0]["cv_rmse_percent"] > 0


def test_contenders_are_told_with_their_error_or_why_there_is_none() -> None:
    data = _bent().take(np.arange(1000))
    request = Request(("production_count",), model="auto")
    built = build(data, well_measured(1000), request, Limits(), RefusalRules())
    told = _document(built)["contenders"]
    assert [each["form"] for each in told] == ["linear", "change_point", "time_of_week_temperature"]
    assert all((each["cv_rmse_percent"] is None) is (each["text"] is not None) for each in told)
    assert "need" in told[-1]["text"]


def test_influential_intervals_have_their_time() -> None:
    built = _built()
    starts_at = built.data.positions * HOUR
    found = statistics(built.fit, starts_at)["influential"]
    assert len(found) == 5
    assert all(each["starts_at"] == starts_at[each["row"]] for each in found)


@pytest.mark.parametrize("content", [b'{"format":2}', b"{}"])
def test_a_document_of_another_format_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="1 is known here"):
        from_bytes(content)


def test_the_hash_follows_the_data() -> None:
    data = hours(50)
    assert data_hash(data) == data_hash(hours(50))
    moved = replace(data, positions=data.positions + 1)
    energy = data.energy_kwh.copy()
    energy[7] += 1e-9
    fewer = replace(data, drivers={"production_count": data.drivers["production_count"]})
    shift = data.categories["shift"]
    renamed = replace(data, categories={**data.categories, "shift": Category(("a", "b", "c"), shift.codes)})
    timed = replace(
        data, categories={**data.categories, "shift": replace(shift, hours=np.eye(3)[shift.codes])}
    )
    others = [moved, replace(data, energy_kwh=energy), fewer, renamed, timed, data.take(np.arange(49))]
    assert len({data_hash(each) for each in (data, *others)}) == 7


def test_the_hash_does_not_follow_the_order_of_series() -> None:
    data = hours(50)
    turned = replace(
        data,
        drivers=dict(reversed(data.drivers.items())),
        categories=dict(reversed(data.categories.items())),
    )
    assert data_hash(turned) == data_hash(data)
