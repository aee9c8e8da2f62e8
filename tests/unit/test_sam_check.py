"""How `make sam-check` compares answers, and what it says where it can't."""

import pytest

from enms.errors import EnmsError, UnavailableError
from enms_local import sam_check


def test_equal_answers_are_counted_field_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"kpis": {"sec": {"value": 1.5, "unit": "kWh/unit"}}, "warnings": ["low_coverage"]}
    sam_check._compare(answer, answer)
    assert "equals the HTTP route's in all 4 fields" in capsys.readouterr().out


def test_difference_names_the_field_and_both_values() -> None:
    with pytest.raises(EnmsError, match=r"kpis\.sec\.value: 1\.5 by the container, 2\.5 by the route"):
        sam_check._compare({"kpis": {"sec": {"value": 1.5}}}, {"kpis": {"sec": {"value": 2.5}}})


def test_missing_field_is_a_difference() -> None:
    with pytest.raises(EnmsError, match="hours"):
        sam_check._compare({"hours": None}, {})


def test_sample_event_is_asked_for_another_machine() -> None:
    query = {"machine_id": "m", "start": "2026-01-01", "end": "2026-01-02"}
    event = sam_check._event(query, "/api/v1/kpi/all")
    assert event["queryStringParameters"]["machine_id"] == "m"
    assert event["multiValueQueryStringParameters"]["end"] == ["2026-01-02"]
    assert event["path"] == "/api/v1/kpi/all"


def test_without_an_engine_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UnavailableError, match="start Docker"):
        sam_check._find_engine()


def test_answer_that_is_no_success_is_shown() -> None:
    with pytest.raises(UnavailableError, match="no such machine"):
        sam_check._body_of('{"statusCode": 404, "body": "no such machine"}')
