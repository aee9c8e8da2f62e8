"""Time stamps of files: formats, offsets, and what can't be read."""

from datetime import UTC, datetime

import pytest

from enms.errors import InvalidInputError
from enms_local.evaluate.stamps import Stamps, read_stamps


def read(*texts: str, time_format: str | None = None) -> Stamps:
    return read_stamps(texts, range(2, len(texts) + 2), time_format)


def clock(stamps: Stamps) -> list[str]:
    seconds = (stamps.instants + stamps.offsets).tolist()
    return [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%d %H:%M") for each in seconds]


def test_naive_stamps_are_what_the_clock_showed() -> None:
    stamps = read("2018-03-25 01:30:00", "2018-03-25T02:30", "2018-03-26")
    assert clock(stamps) == ["2018-03-25 01:30", "2018-03-25 02:30", "2018-03-26 00:00"]
    assert not stamps.has_offset
    assert stamps.offsets.tolist() == [0, 0, 0]


def test_offsets_tell_the_passes_of_a_doubled_hour_apart() -> None:
    stamps = read("2018-10-28T02:30+02:00", "2018-10-28T02:30+01:00")
    assert clock(stamps) == ["2018-10-28 02:30"] * 2
    assert stamps.instants.tolist()[1] - stamps.instants.tolist()[0] == 3600


def test_rows_without_a_stamp_are_left_out() -> None:
    assert read("2018-01-01", " ", "2018-01-02").rows.tolist() == [0, 2]
    with pytest.raises(InvalidInputError, match="blank in every row"):
        read("", "")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("1/1/2017 0:00", "1/1/2017 0:10", "13/1/2017 0:20"), "2017-01-13 00:20"),
        (("1/1/2017 0:00", "1/1/2017 0:10", "1/13/2017 0:20"), "2017-01-13 00:20"),
        (("31.12.2017 23:00", "01.01.2018 00:00", "01.01.2018 01:00"), "2018-01-01 01:00"),
        (("2017/02/01 1:00:00", "2017/02/01 2:00:00", "2017/02/01 3:00:00"), "2017-02-01 03:00"),
    ],
)
def test_usual_formats(texts: tuple[str, ...], expected: str) -> None:
    assert clock(read(*texts))[-1] == expected


def test_day_and_month_are_told_apart_by_even_steps() -> None:
    assert clock(read("01/02/2017", "02/02/2017", "03/02/2017"))[0] == "2017-02-01 00:00"
    assert clock(read("02/01/2017", "02/02/2017", "02/03/2017"))[-1] == "2017-02-03 00:00"
    with pytest.raises(InvalidInputError, match=r"may be .* give --time-format"):
        read("01/01/2017", "02/02/2017")


def test_a_format_that_is_given() -> None:
    assert clock(read("01/02/2017", "02/02/2017", time_format="%m/%d/%Y"))[0] == "2017-01-02 00:00"
    with pytest.raises(InvalidInputError, match=r"Line 3: the time '2\.2\.2017' isn't in the format"):
        read("01/02/2017", "2.2.2017", time_format="%m/%d/%Y")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("2018-01-01", "soon"), "Line 3: the time 'soon' isn't ISO 8601"),
        (("soon", "later"), "neither ISO 8601 nor in a usual format"),
        (("2018-01-01T00:00", "2018-01-01T01:00Z"), "Line 3: .* tells an offset"),
        (("2018-01-01T00:00Z", "2018-01-01T01:00"), "Line 3: .* lacks an offset"),
        (("0018-01-01", "0018-01-02"), "isn't in the years 1970 to 2099"),
    ],
)
def test_what_cannot_be_read(texts: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read(*texts)
