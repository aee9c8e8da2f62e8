"""Baselines of real buildings and plants, beside what others published of them or reach with standard tools.

The files lie beside the checkout; where they don't, the rows say so.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.servers import CHECKOUT
from benchmarks.table import Figure
from enms.science.baseline.names import Model
from enms_local.evaluate.evaluation import Evaluation, evaluate
from enms_local.evaluate.question import Question

ROW = "baseline-data"
DATA = CHECKOUT.parent / "shared" / "data"
BUILDING_SAVED_KWH = 408_142
_FORMS: tuple[Model, ...] = ("linear", "change_point", "time_of_week_temperature")
_PLANT_DRIVERS = ("temp_c", "vacuum_cmhg", "pressure_mbar", "humidity_pct")


def rows() -> Iterator[Figure]:
    """Each set's figures against the published ones."""
    if not DATA.is_dir():
        yield Figure(ROW, "real data", "-", f"{DATA.parent.name}/{DATA.name} isn't beside the checkout", None)
        return
    yield from _building(DATA / "nmecr_commercial" / "commercial_daily.csv")
    yield from _plant(DATA / "ccpp_hourly" / "ccpp.csv")
    yield _city(DATA / "tetuan_10min" / "tetuan.csv")
    yield from _steel_works(DATA / "steel_15min" / "steel.csv")


def _building(path: Path) -> Iterator[Figure]:
    def by(model: Model) -> Evaluation:
        return evaluate(
            Question(
                path,
                "energy_kwh",
                "date",
                temperature_column="temp_f",
                temperature_unit="F",
                model=model,
                train=("2012-03-01", "2013-02-28"),
                test=("2014-03-01", "2015-02-28"),
            )
        )

    found = {model: by(model) for model in (*_FORMS, "auto")}
    for model, r_squared, cv in (("linear", 0.6909, 11.44), ("change_point", 0.7197, 10.91)):
        fit = found[model].built.fit.goodness
        met = abs(fit.r_squared - r_squared) <= 0.002 and abs(fit.cv_rmse_percent - cv) <= 0.05
        yield _figure(
            f"nmecr commercial, {_name(model)}: R², CV(RMSE)",
            f"{r_squared} ± 0.002, {cv} ± 0.05 %",
            f"{fit.r_squared:.4f}, {fit.cv_rmse_percent:.2f} %",
            met=met,
        )
    segments = found["time_of_week_temperature"]
    fit, savings = segments.built.fit.goodness, segments.savings
    assert savings
    yield _figure(
        "the same, time of week and temperature: R², CV(RMSE); savings",
        f"≥ 0.893, ≤ 6.85 %; {BUILDING_SAVED_KWH} kWh ± 2 %",
        f"{fit.r_squared:.4f}, {fit.cv_rmse_percent:.2f} %; "
        f"{savings.kwh:.0f} ± {savings.uncertainty_kwh:.0f} kWh",
        met=fit.r_squared >= 0.893
        and fit.cv_rmse_percent <= 6.85
        and abs(savings.kwh / BUILDING_SAVED_KWH - 1) <= 0.02,
    )
    errors = {model: found[model].test.cv_rmse_percent for model in _FORMS}
    chosen = found["auto"].built.form
    yield _figure(
        "the same, auto: CV(RMSE) in the test year",
        f"the least of {', '.join(f'{error:.2f}' for error in errors.values())} %",
        f"{found['auto'].test.cv_rmse_percent:.2f} % ({_name(chosen)})",
        met=errors[chosen] == min(errors.values()),
    )


def _plant(path: Path) -> Iterator[Figure]:
    plain = evaluate(Question(path, "power_mw", drivers=_PLANT_DRIVERS, folds=10)).test
    yield _figure(
        "ccpp, 10 folds, four drivers: R², RMSE",
        "0.9286, 4.56",
        f"{plain.r_squared:.4f}, {plain.rmse:.2f}",
        met=(round(plain.r_squared, 4), round(plain.rmse, 2)) == (0.9286, 4.56),
    )
    chosen = evaluate(
        Question(
            path,
            "power_mw",
            is_auto=True,
            candidates=_PLANT_DRIVERS[1:],
            temperature_column="temp_c",
            folds=10,
        )
    )
    yield _figure(
        "the same, auto",
        f"RMSE < {plain.rmse:.2f}",
        f"{chosen.test.r_squared:.4f}, {chosen.test.rmse:.2f} ({_name(chosen.built.form)})",
        met=chosen.test.rmse < plain.rmse,
    )


def _city(path: Path) -> Figure:
    found = evaluate(
        Question(
            path,
            "zone1_kw",
            "timestamp",
            temperature_column="temp_c",
            model="time_of_week_temperature",
            train=("2017-01-01", "2017-09-30"),
            test=("2017-10-01", "2017-12-31"),
        )
    )
    fit, test = found.built.fit.goodness, found.test
    return _figure(
        "tetuan zone 1, hourly: R² in training, CV(RMSE) in the test",
        "≥ 0.852, ≤ 11.5 %",
        f"{fit.r_squared:.4f}, {test.cv_rmse_percent:.2f} %",
        met=fit.r_squared >= 0.852 and test.cv_rmse_percent <= 11.5,
    )


def _steel_works(path: Path) -> Iterator[Figure]:
    for driver, most in (("weekday", 34.6), ("load_type", 29.5)):
        found = evaluate(
            Question(
                path,
                "usage_kwh",
                "timestamp",
                drivers=(driver,),
                interval="day",
                train=("2018-01-01", "2018-09-30"),
                test=("2018-10-01", "2018-12-31"),
            )
        )
        cv, status = found.test.cv_rmse_percent, found.built.verdict.status
        yield _figure(
            f"steel, daily, {_name(driver)}: CV(RMSE) in the test, verdict",
            f"≤ {most} %, not valid",
            f"{cv:.1f} %, {status}",
            met=round(cv, 1) <= most and status != "valid",
        )


def _name(word: str) -> str:
    return word.replace("_", " ")


def _figure(what: str, to_reach: str, reached: str, *, met: bool) -> Figure:
    return Figure(ROW, what, to_reach, reached, met)
