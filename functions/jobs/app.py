"""Endpoint group `jobs`: what runs by itself, when, and how it went."""

from fastapi import APIRouter

from enms.settings import JobsSettings
from enms.web.app import function_handler

router = APIRouter(tags=["jobs"])

handler = function_handler(router, JobsSettings)
