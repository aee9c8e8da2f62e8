"""Terms: from drivers to columns, and into the model's document and back."""

import json

import numpy as np
import pytest

from enms.science.baseline.observations import Category, Observations
from enms.science.baseline.terms import (
    Hinge,
    Indicators,
    Numeric,
    Segments,
    Term,
    column_names,
    column_spans,
    design_matrix,
    hinge,
    needs,
    term_as_dict,
    term_from_dict,
)

TERMS: tuple[Term, ...] = (
    Numeric("production_count"),
    Hinge("heating_degrees", "outdoor_temp_c", 15.0, is_above=False),
    Segments("outdoor_temp_c", (0.0, 10.0, 20.0)),
    Indicators("shift", ("late", "night"), "early"),
)


def _data() -> Observations:
    return Observations(
        "hour",
        np.arange(5),
        np.ones(5),
        {
            "production_count": np.array([0.0, 10.0, 20.0, np.nan, 40.0]),
            "outdoor_temp_c": np.array([-5.0, 5.0, 15.0, 25.0, np.nan]),
        },
        {"shift": Category(("early", "late", "night"), np.array([0, 1, 2, -1, 0]))},
    )


def test_the_design_matrix_has_an_intercept_and_the_columns_of_all_terms() -> None:
    design = design_matrix(TERMS, _data())
    np.testing.assert_array_equal(
        design[:3],
        [[1, 0, 20, -5, 0, 0, 0], [1, 10, 10, 5, 0, 1, 0], [1, 20, 0, 10, 5, 0, 1]],
    )
    assert column_names(TERMS) == (
        "production_count", "heating_degrees", "outdoor_temp_c[0..10]", "outdoor_temp_c[10..20]",
        "shift[late]", "shift[night]",
    )  # fmt: skip


def test_what_is_not_known_makes_rows_unknown() -> None:
    known = np.isfinite(design_matrix(TERMS, _data())).all(axis=1)
    assert known.tolist() == [True, True, True, False, False]
    assert np.isnan(hinge(np.array([np.nan]), 3.0, is_above=True)).all()


def test_segments_are_open_at_both_ends_and_add_up() -> None:
    values = np.array([-5.0, 0.0, 4.0, 10.0, 13.0, 20.0, 27.0])
    data = Observations("hour", np.arange(7), np.ones(7), {"t": values})
    columns = Segments("t", (0.0, 10.0, 20.0)).columns(data)
    np.testing.assert_allclose(columns.sum(axis=1), values)
    np.testing.assert_allclose(columns[:, 0], [-5, 0, 4, 10, 10, 10, 10])


def test_a_single_segment_is_the_driver() -> None:
    values = np.array([-5.0, 4.0, 30.0])
    data = Observations("hour", np.arange(3), np.ones(3), {"t": values})
    np.testing.assert_allclose(Segments("t", (1.0, 9.0)).columns(data)[:, 0], values - 1)


def test_levels_go_by_name_whatever_their_codes() -> None:
    term = Indicators("shift", ("late", "night"), "early")
    other = Category(("night", "extra", "early"), np.array([0, 1, 2, -1]))
    columns = term.columns(Observations("hour", np.arange(4), np.ones(4), {}, {"shift": other}))
    np.testing.assert_array_equal(columns[[0, 2]], [[0, 1], [0, 0]])
    assert np.isnan(columns[[1, 3]]).all()


def test_an_interval_with_several_levels_has_their_hours() -> None:
    term = Indicators("shift", ("late", "night"), "early")
    hours = np.array([[8.0, 8.0, 8.0, 0.0], [16.0, 0.0, 0.0, 8.0], [24.0, 0.0, 0.0, 0.0]])
    shift = Category(("early", "late", "night", "extra"), np.array([0, 0, -1]), hours)
    columns = term.columns(Observations("day", np.arange(3), np.ones(3), {}, {"shift": shift}))
    np.testing.assert_array_equal(columns[0], [8, 8])
    assert np.isnan(columns[1:]).all()


def test_spans_say_where_the_columns_of_a_term_lie() -> None:
    spans = [(needs(term), span.start, span.stop) for term, span in column_spans(TERMS)]
    assert spans == [
        ("production_count", 1, 2), ("outdoor_temp_c", 2, 3), ("outdoor_temp_c", 3, 5), ("shift", 5, 7)
    ]  # fmt: skip


@pytest.mark.parametrize("term", TERMS, ids=lambda term: type(term).__name__)
def test_a_term_comes_back_from_json(term: Term) -> None:
    assert term_from_dict(json.loads(json.dumps(term_as_dict(term)))) == term


@pytest.mark.parametrize("stored", [{"kind": "spline", "driver": "t"}, {"kind": "hinge", "driver": "t"}, {}])
def test_what_is_no_term_is_refused(stored: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no term of kind"):
        term_from_dict(stored)
