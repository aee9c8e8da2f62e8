"""Ordinary least squares beside statsmodels, and what it refuses."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from enms.science.arrays import Values
from enms.science.diagnostics.least_squares import CollinearColumnsError, solve, solve_quickly

CLOSE = {"rtol": 1e-8, "atol": 0}


def _problem(rows: int = 300, columns: int = 4) -> tuple[Values, Values]:
    random = np.random.default_rng(3)
    # Units and offsets as factories have them: counts, bar, and pascal about an atmosphere.
    scales, offsets = np.array([40.0, 0.3, 900.0, 1e-4]), np.array([200.0, 6.5, 101_325.0, 0.02])
    slopes = random.normal(size=(rows, columns)) * scales[:columns] + offsets[:columns]
    design = np.column_stack([np.ones(rows), slopes])
    return design, 50 + slopes @ (1 / scales[:columns]) + random.normal(size=rows)


def test_it_agrees_with_statsmodels() -> None:
    design, target = _problem()
    ours, theirs = solve(design, target), OLS(target, design).fit()
    np.testing.assert_allclose(ours.coefficients, theirs.params, **CLOSE)
    np.testing.assert_allclose(ours.residuals, theirs.resid, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(ours.normal_inverse, theirs.normalized_cov_params, **CLOSE)
    np.testing.assert_allclose(ours.leverages, theirs.get_influence().hat_matrix_diag, **CLOSE)
    assert ours.squared_error == pytest.approx(theirs.ssr, rel=1e-8)
    assert ours.total_squares == pytest.approx(theirs.centered_tss, rel=1e-8)
    assert (ours.observations, ours.parameters, ours.degrees_of_freedom) == (300, 5, 295)


def test_its_root_is_one_of_the_inverse_of_the_normal_matrix() -> None:
    design, target = _problem()
    root = solve(design, target).root
    np.testing.assert_allclose(root.T @ (design.T @ design) @ root, np.eye(5), atol=1e-6)


def test_an_intercept_alone_is_the_mean() -> None:
    target = np.array([1.0, 2.0, 6.0])
    fit = solve(np.ones((3, 1)), target)
    assert fit.coefficients.tolist() == [3.0]
    assert fit.normal_inverse == pytest.approx(np.array([[1 / 3]]))
    assert fit.leverages == pytest.approx(np.full(3, 1 / 3))


def test_a_large_offset_costs_no_digits() -> None:
    random = np.random.default_rng(4)
    small = random.normal(size=200)
    design = np.column_stack([np.ones(200), 1e7 + small])
    target = 3 * small
    assert solve(design, target).coefficients[1] == pytest.approx(3, rel=1e-8)
    assert solve_quickly(design, target)[1] == pytest.approx(3, rel=1e-8)


@pytest.mark.parametrize("value", [0.0, 0.1, 7.1, -1 / 3, 1e9])
def test_a_constant_column_is_named(value: float) -> None:
    design, target = _problem(1728, 2)
    design[:, 2] = value
    with pytest.raises(CollinearColumnsError) as caught:
        solve(design, target)
    assert (caught.value.column, caught.value.others) == (2, [0])


def test_a_combination_names_the_columns_that_it_is_made_of() -> None:
    design, target = _problem()
    design[:, 4] = 5 + 2 * design[:, 1] - 300 * design[:, 2]
    with pytest.raises(CollinearColumnsError) as caught:
        solve(design, target)
    assert (caught.value.column, caught.value.others) == (4, [1, 2])


def test_nearly_the_same_is_not_the_same() -> None:
    design, target = _problem()
    design[:, 2] = design[:, 1] + 1e-4 * design[:, 2]
    np.testing.assert_allclose(
        solve(design, target).coefficients, OLS(target, design).fit().params, rtol=1e-5
    )


def test_the_quick_way_gives_the_same_coefficients() -> None:
    design, target = _problem()
    np.testing.assert_allclose(solve_quickly(design, target), solve(design, target).coefficients, rtol=1e-9)


def test_the_quick_way_shares_out_what_twins_explain() -> None:
    design, target = _problem(columns=1)
    twins = np.column_stack([design, design[:, 1]])
    single = solve(design, target).coefficients
    np.testing.assert_allclose(solve_quickly(twins, target), [single[0], single[1] / 2, single[1] / 2])


@pytest.mark.parametrize("value", [0.1, 7.1, 1 / 3])
def test_the_quick_way_gives_a_constant_nothing(value: float) -> None:
    # Rounding leaves a constant a spread of its own: scaled up it would be a driver made of nothing.
    design, target = _problem(1728, 2)
    design[:, 2] = value
    assert solve_quickly(design, target)[2] == 0
