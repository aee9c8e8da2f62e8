"""Endpoint group `kpi`: key figures of a machine or a factory over a period."""

from fastapi import APIRouter

from enms.settings import KpiSettings
from enms.web.app import function_handler

router = APIRouter(prefix="/api/v1/kpi", tags=["kpi"])

handler = function_handler(router, KpiSettings)
