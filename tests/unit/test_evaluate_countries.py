"""Whose holidays hold for a file."""

from pathlib import Path
from zoneinfo import TZPATH

import pytest

from enms.errors import InvalidInputError
from enms_local.evaluate.countries import country_of, holidays_of

HAS_TABLE = any((Path(folder) / "zone.tab").is_file() for folder in TZPATH)


@pytest.mark.skipif(not HAS_TABLE, reason="this system has no table of zones")
@pytest.mark.parametrize(("zone", "country"), [("Asia/Seoul", "KR"), ("US/Eastern", "US"), ("UTC", None)])
def test_a_zone_has_a_country(zone: str, country: str | None) -> None:
    assert country_of(zone) == country
    assert holidays_of(None, zone) == country


def test_what_is_told_counts() -> None:
    assert holidays_of("DE-BY", "Asia/Seoul") == "DE-BY"
    assert holidays_of("none", "Asia/Seoul") is None
    assert holidays_of(None, None) is None
    with pytest.raises(InvalidInputError, match="holidays aren't known"):
        holidays_of("Utopia", None)
