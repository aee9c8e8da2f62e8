"""Answers about forecasts as the service gives them, made up: pages are tested against them on any stack."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, Route

BERLIN = ZoneInfo("Europe/Berlin")
HORIZONS = {"1h": (15, 4, 48), "24h": (60, 24, 72), "7d": (1440, 7, 28)}
FACTORY = "2964a27c-88c1-5705-808d-e1df552c7d69"
OF_FACTORY = {"factory_id": FACTORY, "factory_name": "Demo Factory", "energy_type": "electrical"}
PEAK_KW = 231.4
SO_FAR_KW = 218.0


def hour_now() -> datetime:
    """The hour that runs."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _begins(horizon: str) -> datetime:
    if horizon != "7d":
        return hour_now()
    return datetime.now(BERLIN).replace(hour=0, minute=0, second=0, microsecond=0)


def _stepped(horizon: str, count: int) -> list[str]:
    """Starts of steps, from so many before the forecast on if the count is negative."""
    minutes = HORIZONS[horizon][0]
    places = range(count, 0) if count < 0 else range(count)
    # In its own zone a day stays a day over a change of the clock.
    return [(_begins(horizon) + timedelta(minutes=minutes * place)).isoformat() for place in places]


def demand(horizon: str = "24h", **more: Any) -> dict[str, Any]:
    """An answer of `forecast/demand`."""
    minutes, count, _ = HORIZONS[horizon]
    powers = [120 + 60 * math.sin(place / 24 * 6.3) for place in range(count)]
    return {
        **OF_FACTORY, "timezone": "Europe/Berlin", "horizon": horizon, "step_minutes": minutes,
        "forecast_generated_at": (datetime.now(UTC) - timedelta(minutes=12)).isoformat(),
        "predictions": [
            {
                "timestamp": at, "predicted_power_kw": power, "confidence_interval_lower": power - 40,
                "confidence_interval_upper": power + 40, "lower_80_kw": power - 20, "upper_80_kw": power + 20,
                "energy_kwh": power * minutes / 60,
            }
            for at, power in zip(_stepped(horizon, count), powers, strict=True)
        ],
        "peak_demand_predicted": {"timestamp": _stepped(horizon, count)[1], "power_kw": PEAK_KW},
        "model": {
            "id": FACTORY, "version": 3, "choice": "selected", "members": ["MSTL + AR", "boosted trees"],
            "trained_at": "2026-11-22T03:00:00+01:00",
            "reason": "the mean of both had the least error of all that were tried",
        },
        "backtest": {
            "origins": 28, "scale_kw": 14.2,
            "models": [
                _tried("selected", 0.46, is_chosen=True),
                _tried("MSTL + AR", 0.48, is_chosen=True),
                _tried("seasonal naive (week)", 0.74, ratio_to_naive=1.0),
            ],
        },
        "coverage": {"days_of_history": 84.0, "share_of_readings": 0.992},
        "regressors_used": ["outdoor_temp_c"],
        "regressors_left_out": [{"name": "shift plan", "reason": "it is not known for the time to come"}],
        "state": "stored", "age_minutes": 12.0, "notes": [],
    } | more  # fmt: skip


def _tried(name: str, mase: float, *, is_chosen: bool = False, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "mase": mase, "ratio_to_naive": mase / 0.74, "mape_percent": 100 * mase / 5,
        "smape_percent": 100 * mase / 5, "bias_kw": 0.4, "coverage_80": 0.81, "coverage_95": 0.94,
        "width_80_kw": 38.2, "fit_s": 0.4, "predict_s": 0.001, "is_chosen": is_chosen,
    } | more  # fmt: skip


def peak(limit_kw: float | None = None, **more: Any) -> dict[str, Any]:
    """An answer of `forecast/peak`."""
    at = hour_now() + timedelta(hours=10, minutes=15)
    limit = SO_FAR_KW if limit_kw is None else limit_kw
    return {
        **OF_FACTORY, "timezone": "Europe/Berlin", "horizon": "24h", "timestamp": at.isoformat(),
        "power_kw": PEAK_KW,
        "interval_80": [212.0, 249.0], "interval_95": [201.0, 266.0], "limit_kw": limit,
        "limit_source": "peak_so_far_this_month" if limit_kw is None else "given",
        "probability_over_limit": 0.003 if limit > 300 else 0.78,
        "peak_so_far_this_month_kw": SO_FAR_KW,
        "peak_so_far_this_month_at": hour_now().replace(day=1).isoformat(),
        "forecast_generated_at": hour_now().isoformat(),
        "state": "stored", "age_minutes": 12.0, "notes": [],
    } | more  # fmt: skip


def history(horizon: str = "24h") -> dict[str, Any]:
    """An answer of `forecast/history`, one step of it unknown."""
    minutes, _, count = HORIZONS[horizon]
    powers = [None if place == 5 else 110 + 50 * math.sin(place / 24 * 6.3) for place in range(count)]
    return {
        **OF_FACTORY, "horizon": horizon, "timezone": "Europe/Berlin", "step_minutes": minutes,
        "history": [
            {"timestamp": at, "power_kw": power}
            for at, power in zip(_stepped(horizon, -count), powers, strict=True)
        ],
    }  # fmt: skip


def accuracy(horizon: str = "24h", **more: Any) -> dict[str, Any]:
    """An answer of `forecast/accuracy`."""
    score = {
        "scored": 640, "mase": 0.47, "ratio_to_naive": 0.62, "skill_percent": 38.0, "mape_percent": 9.3,
        "bias_kw": -0.6, "coverage_80": 0.79, "coverage_95": 0.945, "moved_percent": 2.4,
    }  # fmt: skip
    return {
        **OF_FACTORY, "horizon": horizon, "timezone": "Europe/Berlin", "choice": "selected",
        "issues": 672, **score,
        "by_lead": [score | {"lead": lead, "mase": 0.3 + 0.01 * lead} for lead in range(1, 25)],
        "by_week": [score | {"week": f"2026-11-{day:02}"} for day in (2, 9, 16, 23)],
        "in_words": "last 4 weeks: 38 % better than the same hour last week", "is_degraded": False,
        "notes": [],
    } | more  # fmt: skip


def bands(start: datetime, hours: int) -> list[dict[str, Any]]:
    """A tariff's times of one price each."""
    named = []
    for place in range(hours):
        at = start + timedelta(hours=place)
        name, rate = ("Day", 0.28) if 6 <= at.astimezone(BERLIN).hour < 22 else ("Night", 0.14)
        if named and named[-1]["name"] == name:
            named[-1]["end"] = (at + timedelta(hours=1)).isoformat()
        else:
            end = (at + timedelta(hours=1)).isoformat()
            named.append({"start": at.isoformat(), "end": end, "name": name, "rate_per_kwh": rate})
    return named


def solved(body: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An answer of `forecast/optimal-schedule`: each job as late as it may be."""
    start = datetime.fromisoformat(body["start"]) if body else hour_now() + timedelta(hours=1)
    end = datetime.fromisoformat(body["end"]) if body else start + timedelta(hours=24)
    asked = body["jobs"] if body else [_proposed("Compressor-1", start, 2), _proposed("Boiler-1", start, 5)]
    jobs = [_understood(job) for job in asked]
    quarters = int((end - start) / timedelta(minutes=15))
    assumed = "An assumption: nobody said that these loads can move."
    return {
        **OF_FACTORY, "timezone": "Europe/Berlin", "currency": "EUR", "start": start.isoformat(),
        "end": end.isoformat(), "step_minutes": 15, "is_assumption": body is None, "status": "optimal",
        "gap": 0.0031, "solve_seconds": 1.2, "schedule": [_late(job) for job in jobs],
        "cost_now": {"energy": 812.4, "demand": 301.0, "carbon": 0.0, "total": 1113.4},
        "cost_then": {"energy": 774.1, "demand": 280.5, "carbon": 0.0, "total": 1054.6},
        "saving": 58.8, "kwh_moved": 184.0, "co2_saved_kg": 12.5, "peak_now_kw": 231.4, "peak_then_kw": 215.8,
        "peak_so_far_this_month_kw": SO_FAR_KW, "site_limit_kw": (body or {}).get("site_limit_kw"),
        "margin": {"kw": 12.0, "cost": 3.2} if (body or {}).get("site_limit_kw") else None,
        "unmoved": [{"job_id": jobs[-1]["id"], "reason": "it has no other time between 06:00 and 08:00"}],
        "clashes": [], "relaxation": None, "relaxations": [], "jobs": jobs,
        "bands": bands(start, int((end - start) / timedelta(hours=1))),
        "load_kw": {"now": [140.0] * quarters, "then": [120.0] * quarters},
        "notes": [] if body else [assumed],
    } | more  # fmt: skip


def unmovable(note: str) -> dict[str, Any]:
    """An answer where the history suggests no job."""
    return solved(jobs=[], schedule=[], unmoved=[], saving=0.0, kwh_moved=0.0, notes=[note])


def infeasible(body: dict[str, Any]) -> dict[str, Any]:
    """An answer where rules can't be kept together."""
    relaxation = {"constraint": "site limit", "amount": 12.0, "unit": "kW", "text": "12 kW more would do"}
    clashes = ("the site limit, less its margin", "the jobs' windows, deadlines and allowed hours")
    nothing = dict.fromkeys(("gap", "cost_then", "saving", "kwh_moved", "co2_saved_kg", "peak_then_kw"))
    load = {"now": [140.0], "then": None}
    return solved(
        body, status="infeasible", schedule=[], unmoved=[], load_kw=load, **nothing,
        clashes=[{"constraint": "rule", "text": text} for text in clashes],
        relaxation=relaxation, relaxations=[relaxation],
    )  # fmt: skip


def _proposed(name: str, start: datetime, at_hour: int) -> dict[str, Any]:
    """A job that the history suggests."""
    return {
        "id": f"{name}, movable", "power_kw": 24.0, "duration_minutes": 120, "interruptible": False,
        "earliest_start": start.isoformat(), "deadline": (start + timedelta(hours=20)).isoformat(),
        "planned_start": (start + timedelta(hours=at_hour)).isoformat(),
        "why": "a run of about 2 h (seen on 18 of 20 such days)",
    }  # fmt: skip


def _understood(job: dict[str, Any]) -> dict[str, Any]:
    names = (
        "name",
        "machine_id",
        "power_kw",
        "profile_kw",
        "min_run_minutes",
        "allowed_hours",
        "after",
        "why",
    )
    return dict.fromkeys(names) | job


def _late(job: dict[str, Any]) -> dict[str, Any]:
    end = datetime.fromisoformat(job["deadline"])
    begins = end - timedelta(minutes=job["duration_minutes"])
    power = job["power_kw"] or max(job["profile_kw"])
    return {"job_id": job["id"], "start": begins.isoformat(), "end": end.isoformat(), "power_kw": power}


def answer_with(page: Page, name: str, answer: Callable[[dict[str, str], Any], dict[str, Any]]) -> None:
    """Answers calls of `forecast/{name}`; the function gets the query and the body."""

    def handle(route: Route) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(route.request.url).query).items()}
        body = route.request.post_data_json if route.request.method == "POST" else None
        route.fulfill(json=answer(query, body))

    page.route(re.compile(rf"/api/v1/forecast/{name}(\?|$)"), handle)


def answer_all(page: Page) -> None:
    """Answers each call of the page of forecasts."""
    answer_with(page, "demand", lambda query, _: demand(query["horizon"]))
    answer_with(
        page, "peak", lambda query, _: peak(float(query["limit_kw"]) if "limit_kw" in query else None)
    )
    answer_with(page, "history", lambda query, _: history(query["horizon"]))
    answer_with(page, "accuracy", lambda query, _: accuracy(query["horizon"]))
    answer_with(page, "optimal-schedule", lambda _, body: solved(body))
