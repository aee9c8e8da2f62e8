"""From observations to a judged baseline: drivers given or chosen, each form, and `auto`'s margin."""

from dataclasses import replace

import numpy as np
import pytest
from unit.science.samples import hours, well_measured

from enms.science.baseline.build import Built, RefusalRules, Request, build
from enms.science.baseline.names import Model
from enms.science.baseline.observations import Observations
from enms.science.baseline.refusals import Quality
from enms.science.baseline.terms import Hinge, Numeric
from enms.science.baseline.verdict import Limits
from enms.science.problems import UnfitError

BOTH = ("production_count", "outdoor_temp_c")


def _build(
    data: Observations, request: Request, limits: Limits | None = None, quality: Quality | None = None
) -> Built:
    return build(data, quality or well_measured(len(data)), request, limits or Limits(), RefusalRules())


def _bent(strength: float = 2.0) -> Observations:
    """Energy with a bend at 17 °C."""
    data = hours()
    bend = strength * np.maximum(data.drivers["outdoor_temp_c"] - 17, 0)
    return replace(data, energy_kwh=data.energy_kwh + bend)


def test_given_drivers_are_fitted_and_judged() -> None:
    built = _build(hours(), Request(BOTH))
    assert built.form == "linear"
    assert built.selection is None
    assert built.verdict.status == "valid"
    values = {each.name: each for each in built.fit.coefficients}
    for name, truth in (("production_count", 0.5), ("outdoor_temp_c", 0.8)):
        assert values[name].low < truth < values[name].high
    assert built.covariance.shape == (3, 3)
    assert built.errors.observations == 1200
    assert built.judged.usable.all()


def test_chosen_drivers_come_with_how_they_were_chosen() -> None:
    data = hours()
    noise = np.random.default_rng(70).normal(size=1200)
    data = replace(data, drivers={**data.drivers, "environment.noise": noise})
    built = _build(data, Request(None, (*BOTH, "environment.noise", "shift")))
    assert built.selection is not None
    assert set(built.selection.drivers) == {*BOTH}
    assert {each.driver for each in built.selection.dropped} == {"environment.noise", "shift"}
    assert [each.name for each in built.fit.coefficients] == [*built.selection.drivers]


def test_faulty_values_of_candidates_do_not_sway_the_choice() -> None:
    data = hours()
    # Ten hours at -999 °C weigh more than all others together.
    data.drivers["outdoor_temp_c"][600:610] = -999.0
    built = _build(data, Request(None, BOTH))
    assert built.selection is not None
    assert set(built.selection.drivers) == {*BOTH}
    assert [(each.code, each.driver, each.count) for each in built.judged.refusals] == [
        ("impossible_driver", "outdoor_temp_c", 10)
    ]
    assert len(built.data) == 1190


def test_a_driver_that_is_not_asked_for_costs_no_intervals() -> None:
    data = hours()
    data.drivers["outdoor_temp_c"][:600] = np.nan
    assert len(_build(data, Request(("production_count",))).data) == 1200
    assert len(_build(data, Request(BOTH)).data) == 600


def test_refused_intervals_are_not_learned_from() -> None:
    data = hours()
    data.energy_kwh[100:200] = 1e4
    quality = well_measured(1200)
    quality.covered_share[100:200] = 0.5
    built = _build(data, Request(BOTH), quality=quality)
    assert len(built.data) == 1100
    assert built.fit.goodness.rmse == pytest.approx(2, rel=0.1)
    assert built.judged.refusals[0].code == "incomplete"


@pytest.mark.parametrize(
    ("model", "details"),
    [
        ("linear", ["production_count, outdoor_temp_c"]),
        ("change_point", ["three to five parameters"]),
        ("time_of_week_temperature", ["six segments"]),
        ("auto", ["production_count, outdoor_temp_c", "three to five parameters", "six segments"]),
    ],
)
def test_a_form_tries_what_it_is_made_of(model: Model, details: list[str]) -> None:
    data = hours(24 * 75)
    built = _build(data, Request(BOTH, model=model))
    assert [each.detail for each in built.contenders] == details
    assert built.form == ("linear" if model == "auto" else model)
    assert built.fit.goodness.r_squared > 0.98


def test_a_change_point_has_its_bend_where_it_is() -> None:
    built = _build(_bent(), Request(BOTH, model="change_point"))
    knots = [term.knot for term in built.fit.terms if isinstance(term, Hinge)]
    assert knots[0] == pytest.approx(17, abs=0.5)
    slopes = {each.name: each.value for each in built.fit.coefficients}
    assert slopes["outdoor_temp_c_above"] == pytest.approx(2.8, abs=0.1)
    assert slopes["outdoor_temp_c_below"] == pytest.approx(-0.8, abs=0.1)


def test_auto_leaves_the_linear_form_for_a_clear_win_only() -> None:
    assert _build(_bent(), Request(BOTH, model="auto")).form == "change_point"
    assert _build(_bent(0.1), Request(BOTH, model="auto")).form == "linear"


def test_the_margin_of_auto_is_a_setting() -> None:
    data, request = _bent(0.5), Request(BOTH, model="auto")
    errors = {
        (each.form, each.detail): each.attempt.tested.goodness.cv_rmse_percent
        for each in _build(data, request).contenders
        if not isinstance(each.attempt, UnfitError)
    }
    linear = next(error for (form, _), error in errors.items() if form == "linear")
    gain = 100 * (1 - min(errors.values()) / linear)
    assert gain > 0
    assert _build(data, request, Limits(challenger_margin_percent=0.9 * gain)).form == "change_point"
    assert _build(data, request, Limits(challenger_margin_percent=1.1 * gain)).form == "linear"


def test_a_form_that_cannot_be_fitted_says_why_and_others_go_on() -> None:
    # 174 parameters of time of week and temperature need 1740 hours.
    built = _build(_bent(), Request(BOTH, model="auto"))
    problem = built.contenders[-1].attempt
    assert isinstance(problem, UnfitError)
    assert problem.code == "too-many-drivers"
    with pytest.raises(UnfitError, match=r"parameters \(intercept included\) need"):
        _build(hours(), Request(BOTH, model="time_of_week_temperature"))


@pytest.mark.parametrize("seed", [71, 72, 73, 74])
def test_a_change_point_needs_no_other_driver_and_no_arm_that_says_nothing(seed: int) -> None:
    data = hours()
    warmth = data.drivers["outdoor_temp_c"]
    energy = 50 + 3 * np.maximum(warmth - 17, 0) + np.random.default_rng(seed).normal(size=1200)
    data = Observations("hour", data.positions, energy, {"outdoor_temp_c": warmth})
    built = _build(data, Request((), model="change_point"))
    assert built.verdict.status == "valid"
    assert [term.name for term in built.fit.terms] == ["outdoor_temp_c_above"]


def test_degrees_have_their_balance_points_found() -> None:
    built = _build(_bent(5.0), Request(("production_count", "outdoor_temp_c", "cooling_degrees")))
    knots = [term.knot for term in built.fit.terms if isinstance(term, Hinge)]
    assert knots == [pytest.approx(17, abs=0.3)]
    assert built.fit.goodness.parameters == 5
    assert built.fit.ranges.keys() == {"production_count", "outdoor_temp_c"}


def test_explicit_drivers_may_be_of_no_use_and_the_verdict_says_so() -> None:
    data = hours()
    noise = np.random.default_rng(72).normal(size=1200)
    data = replace(data, drivers={"environment.noise": noise})
    built = _build(data, Request(("environment.noise",)))
    assert built.verdict.status == "rejected"
    rejected = {reason.code for reason in built.verdict.reasons if reason.severity == "rejected"}
    assert {"r_squared", "p_value:environment.noise"} <= rejected
    assert built.fit.terms == (Numeric("environment.noise"),)


def test_where_nothing_explains_the_energy_there_is_no_baseline() -> None:
    data = hours()
    noise = {f"environment.{i}": np.random.default_rng(80 + i).normal(size=1200) for i in range(4)}
    data = replace(data, drivers=noise)
    with pytest.raises(UnfitError) as caught:
        _build(data, Request(None, tuple(noise)))
    assert caught.value.code == "no-driver"
    assert caught.value.details["given"] == [*noise]


def test_without_a_usable_interval_the_reasons_are_counted() -> None:
    data = hours()
    data.energy_kwh[:1000] = np.nan
    quality = well_measured(1200)
    quality.covered_share[1000:] = 0.1
    with pytest.raises(UnfitError) as caught:
        _build(data, Request(BOTH), quality=quality)
    assert caught.value.code == "no-samples"
    assert "1000 × no energy was read; 200 × less than 90% of it has readings" in caught.value.message


@pytest.mark.parametrize("model", ["change_point", "time_of_week_temperature"])
def test_forms_over_temperature_need_one(model: Model) -> None:
    data = hours()
    data.drivers["outdoor_temp_c"][:] = np.nan
    with pytest.raises(UnfitError, match=f"of the form {model} needs outdoor_temp_c, which isn't recorded"):
        _build(data, Request(("production_count",), model=model))


def test_too_few_samples_say_how_many_are_needed() -> None:
    with pytest.raises(UnfitError, match=r"3 parameters .* need 30 hours, and 20 can be used"):
        _build(hours(20), Request(BOTH))
    with pytest.raises(UnfitError, match="need 20 hours, and 12 can be used"):
        _build(hours(12), Request(None, BOTH))


def test_the_same_request_gives_the_same_baseline() -> None:
    one, other = (_build(_bent(), Request(None, BOTH, "auto")) for _ in range(2))
    assert one.fit.coefficients == other.fit.coefficients
    assert one.verdict == other.verdict
    np.testing.assert_array_equal(one.covariance, other.covariance)
