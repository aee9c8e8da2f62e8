"""Whose public holidays hold where a file's clock is."""

from pathlib import Path
from zoneinfo import TZPATH

from enms.errors import InvalidInputError

NO_COUNTRY = "none"


def country_of(zone: str) -> str | None:
    """The country of an IANA zone, two letters; None where the system's table of zones doesn't tell."""
    for folder in map(Path, TZPATH):
        table = folder / "zone.tab"
        if not table.is_file():
            continue
        # An alias such as US/Eastern is a link to the zone that the table knows.
        path = (folder / zone).resolve()
        for line in table.read_text(encoding="utf-8").splitlines():
            fields = line.split("\t")
            if len(fields) > 2 and path == (folder / fields[2]).resolve():
                return fields[0]
    return None


def holidays_of(country: str | None, zone: str | None) -> str | None:
    """The country whose holidays count: the one that is told, else that of the zone.

    Args:
        country: As `holidays` knows it, with a subdivision or not (`DE`, `DE-BY`); `none` for no holidays.
        zone: IANA zone; None where none was told.

    Raises:
        InvalidInputError: Nobody knows the holidays of the country that is told.
    """
    if country is None:
        return country_of(zone) if zone else None
    if country.lower() == NO_COUNTRY:
        return None
    import holidays

    if country.partition("-")[0] not in holidays.list_supported_countries():
        raise InvalidInputError(
            f"--country is '{country}', whose holidays aren't known: give two letters such as DE, or none."
        )
    return country
