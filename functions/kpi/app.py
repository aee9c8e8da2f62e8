"""Endpoint group `kpi`: key figures of a machine or a factory over a period."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from enms.services import kpis
from enms.services.kpis import Interval, KpiRequest
from enms.settings import KpiSettings
from enms.web.access import viewer
from enms.web.app import DatabaseDependency, function_handler
from enms.web.parameters import FactoryQuery, SubjectQuery, documented, query
from enms.web.responses import JsonResponse, answers

router = APIRouter(prefix="/api/v1/kpi", tags=["kpi"], dependencies=[viewer])
Asked = Annotated[SubjectQuery, query(SubjectQuery)]
_ASKED = documented(SubjectQuery)


class HistoryQuery(SubjectQuery):
    """A machine or a factory over a period, in intervals of its calendar."""

    interval: Interval = "day"


class ComparisonQuery(FactoryQuery):
    """A factory's machines beside each other."""

    limit: int = Field(100, ge=1, le=500)


@router.get("/sec", responses=answers("SpecificEnergy"), openapi_extra=_ASKED)
def specific_energy(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """Specific energy consumption: kWh per unit produced."""
    return JsonResponse(kpis.specific_energy(database, _request(asked)))


@router.get("/peak-demand", responses=answers("PeakDemand"), openapi_extra=_ASKED)
def peak_demand(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """Largest average power over any 15 minutes, its start, and the billing interval's peak."""
    return JsonResponse(kpis.peak_demand(database, _request(asked)))


@router.get("/load-factor", responses=answers("LoadFactor"), openapi_extra=_ASKED)
def load_factor(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """Average power over the 15-minute peak."""
    return JsonResponse(kpis.load_factor(database, _request(asked)))


@router.get("/energy-cost", responses=answers("EnergyCost"), openapi_extra=_ASKED)
def energy_cost(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """Cost of the energy by tariff, in the factory's time; the demand charge is apart from it."""
    return JsonResponse(kpis.energy_cost(database, _request(asked)))


@router.get("/carbon", responses=answers("Carbon"), openapi_extra=_ASKED)
def carbon(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """Emissions of the energy, by the factors valid on each day."""
    return JsonResponse(kpis.carbon(database, _request(asked)))


@router.get("/all", responses=answers("AllKpis"), openapi_extra=_ASKED)
def all_kpis(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """All key figures at once; each equals the single call's."""
    return JsonResponse(kpis.all_kpis(database, _request(asked)))


@router.get("/history", responses=answers("History"), openapi_extra=documented(HistoryQuery))
def history(
    asked: Annotated[HistoryQuery, query(HistoryQuery)], database: DatabaseDependency
) -> JsonResponse:
    """Key figures by day, ISO week or month, with those of the interval before."""
    return JsonResponse(kpis.history(database, _request(asked), asked.interval))


@router.get("/comparison", responses=answers("KpiComparison"), openapi_extra=documented(ComparisonQuery))
def comparison(
    asked: Annotated[ComparisonQuery, query(ComparisonQuery)], database: DatabaseDependency
) -> JsonResponse:
    """A factory's active machines beside each other, each with the figures of the period before."""
    return JsonResponse(
        kpis.comparison(
            database, asked.factory_id, asked.start, asked.end, asked.energy_type, asked.limit, asked.offset
        )
    )


@router.get("/profile", responses=answers("Profile"), openapi_extra=_ASKED)
def profile(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """Mean power by hour of the day and weekday, in the factory's time."""
    return JsonResponse(kpis.profile(database, _request(asked)))


@router.get("/duration-curve", responses=answers("DurationCurve"), openapi_extra=_ASKED)
def duration_curve(asked: Asked, database: DatabaseDependency) -> JsonResponse:
    """Load duration curve: the power that is met or exceeded during a share of the time."""
    return JsonResponse(kpis.duration_curve(database, _request(asked)))


def _request(asked: SubjectQuery) -> KpiRequest:
    kind, subject_id = asked.subject()
    return KpiRequest(kind, subject_id, asked.start, asked.end, asked.energy_type)


handler = function_handler(router, KpiSettings)
