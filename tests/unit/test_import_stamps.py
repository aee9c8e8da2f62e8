"""Stamps of files to UTC starts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from enms.services.import_stamps import EPOCH, NO_INSTANT, Clock, StampParser, usual_step

HOUR = 3600 * 1_000_000
NEW_YORK = ZoneInfo("America/New_York")


def _walls(*texts: str) -> np.ndarray:
    moments = [datetime.fromisoformat(text) for text in texts]
    return np.array([(moment - EPOCH) // timedelta(microseconds=1) for moment in moments], dtype=np.int64)


def _utc(starts: np.ndarray) -> list[str | None]:
    return [
        None if start == NO_INSTANT else f"{EPOCH + timedelta(microseconds=int(start)):%d %H:%M}"
        for start in starts
    ]


def test_hour_ending_stamps_of_a_night_with_a_doubled_hour() -> None:
    clock = Clock(NEW_YORK, HOUR, is_end=True)
    stamps = _walls("2015-11-01 01:00", "2015-11-01 02:00", "2015-11-01 02:00", "2015-11-01 03:00")
    assert _utc(clock.starts_of_wall_clock(stamps)) == ["01 04:00", "01 05:00", "01 06:00", "01 07:00"]
    assert (clock.doubled, len(clock.change_days)) == (1, 1)


def test_true_ends_of_a_night_with_a_doubled_hour() -> None:
    clock = Clock(NEW_YORK, HOUR, is_end=True)
    stamps = _walls("2015-11-01 01:00", "2015-11-01 01:00", "2015-11-01 02:00", "2015-11-01 03:00")
    assert _utc(clock.starts_of_wall_clock(stamps)) == ["01 04:00", "01 05:00", "01 06:00", "01 07:00"]


@pytest.mark.parametrize("labels", [("02:00", "04:00"), ("03:00", "04:00")], ids=["hour ending", "true end"])
def test_both_habits_in_a_night_with_a_missing_hour(labels: tuple[str, str]) -> None:
    clock = Clock(NEW_YORK, HOUR, is_end=True)
    stamps = _walls("2015-03-08 01:00", *(f"2015-03-08 {label}" for label in labels))
    assert _utc(clock.starts_of_wall_clock(stamps)) == ["08 05:00", "08 06:00", "08 07:00"]
    assert clock.missing == 0


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("is_end", [False, True])
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("rows_per_chunk", [7, 10_000])
@pytest.mark.parametrize(
    "zone_name", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Havana"]
)
def test_a_year_of_wall_clock_stamps_comes_back(
    zone_name: str, rows_per_chunk: int, direction: int, is_end: bool, minutes: int
) -> None:
    zone, step = ZoneInfo(zone_name), timedelta(minutes=minutes)
    for day in ("2024-03-09", "2024-03-30", "2024-04-06", "2024-10-05", "2024-10-26", "2024-11-02"):
        first = datetime.fromisoformat(day)
        starts = [first.replace(tzinfo=UTC) + n * step for n in range(int(timedelta(days=2) / step))][
            ::direction
        ]
        shown = [(start + step * is_end).astimezone(zone).replace(tzinfo=None) for start in starts]
        stamps = np.array([(wall - EPOCH) // timedelta(microseconds=1) for wall in shown], dtype=np.int64)
        clock = Clock(zone, minutes * 60_000_000, is_end, direction)
        found = np.concatenate(
            [
                clock.starts_of_wall_clock(stamps[i : i + rows_per_chunk])
                for i in range(0, len(stamps), rows_per_chunk)
            ]
        )
        expected = [(start.replace(tzinfo=None) - EPOCH) // timedelta(microseconds=1) for start in starts]
        assert found.tolist() == expected


def test_a_stamp_in_the_missing_hour_has_no_instant() -> None:
    clock = Clock(ZoneInfo("Europe/Berlin"), HOUR, is_end=False)
    starts = clock.starts_of_wall_clock(_walls("2024-03-31 01:00", "2024-03-31 02:00", "2024-03-31 03:00"))
    assert _utc(starts) == ["31 00:00", None, "31 01:00"]
    assert clock.missing == 1


def test_a_row_sent_again_in_the_doubled_hour_stays_where_it_is() -> None:
    clock = Clock(ZoneInfo("Europe/Berlin"), HOUR // 4, is_end=False)
    night = "2024-10-27 "
    stamps = _walls(*(night + clock for clock in ("02:00", "02:15", "02:15", "02:30", "02:45", "02:00")))
    assert _utc(clock.starts_of_wall_clock(stamps)) == [
        "27 00:00", "27 00:15", "27 00:15", "27 00:30", "27 00:45", "27 01:00"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "time_format"),
    [
        ("2018-01-01T00:15:00Z", None),
        ("2018-01-01 01:15:00+01:00", None),
        ("1514765700", "epoch"),
        ("1514765700000", "epoch-ms"),
        ("01.01.2018 01:15 +0100", "%d.%m.%Y %H:%M %z"),
    ],
)
def test_stamps_that_tell_an_instant(text: str, time_format: str | None) -> None:
    parser, reasons = StampParser(time_format), dict[int, str]()
    assert parser.parse([text], reasons).tolist() == [1_514_765_700_000_000]
    assert parser.has_offset
    assert not reasons


def test_bad_stamps_are_told_and_the_others_read() -> None:
    parser, reasons = StampParser(), dict[int, str]()
    texts = ["2018-01-01", "", "31.12.2018", "2018-01-01T00:00Z", "0900-01-01", " 2018-01-02 "]
    stamps = parser.parse(texts, reasons)
    assert [bool(stamp != NO_INSTANT) for stamp in stamps] == [True, False, False, False, False, True]
    assert sorted(reasons) == [1, 2, 3, 4]
    assert reasons[1] == "the time is missing"
    assert "unlike the file's first" in reasons[3]
    assert "1970 to 2099" in reasons[4]


def test_the_usual_step_ignores_gaps_and_repetitions() -> None:
    assert usual_step(np.array([0, 60, 120, 120, 180, 900, NO_INSTANT, 960])) == 60
    assert usual_step(np.array([5])) is None
