"""The table of a backtest."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from enms.science.arrays import Values
from enms.science.forecasting.forecast import Bands
from enms.science.forecasting.metrics import bias_kw, coverage, mape_percent, smape_percent


@dataclass(frozen=True)
class BacktestRow:
    """How a candidate fared at the origins of the backtest; None where nothing tells.

    Attributes:
        name: Of the candidate, or `selected`: what serves.
        mase: Mean absolute scaled error.
        ratio_to_naive: That by the better seasonal naive's at the same steps.
        mape_percent: Mean absolute percentage error, of loads above a tenth of rated power where it is known.
        smape_percent: Its symmetric kin, 0 to 200.
        bias_kw: Mean of forecast less truth.
        coverage_80: Share of the truth inside the 80 % band.
        coverage_95: The same for 95 %.
        width_80_kw: Mean width of the 80 % band.
        fit_s: Seconds that a fit took.
        predict_s: Seconds that a forecast took.
        is_chosen: Whether it serves, or is a member of what does.
    """

    name: str
    mase: float | None
    ratio_to_naive: float | None
    mape_percent: float | None
    smape_percent: float | None
    bias_kw: float | None
    coverage_80: float | None
    coverage_95: float | None
    width_80_kw: float | None
    fit_s: float | None
    predict_s: float | None
    is_chosen: bool

    def as_dict(self) -> dict[str, Any]:
        """For a document."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Of a document."""
        return cls(**document)


@dataclass(frozen=True)
class Fared:
    """A candidate's forecasts beside what came, of k origins.

    Attributes:
        name: As the table shows it.
        actual_kw: What came, shape (k, h).
        forecast_kw: What was foretold, shape (k, h).
        scale_kw: By origin, shape (k,).
        bands: By origin, None where there were too few errors before it to make one.
        fit_s: Mean time of a fit; None: it has none of its own.
        predict_s: The same of a forecast.
    """

    name: str
    actual_kw: Values
    forecast_kw: Values
    scale_kw: Values
    bands: tuple[Bands | None, ...]
    fit_s: float | None
    predict_s: float | None

    @property
    def scaled(self) -> Values:
        """Absolute errors by the scale of their origin, NaN where there is none, shape (k, h)."""
        scale_kw = np.where(self.scale_kw > 0, self.scale_kw, np.nan)
        scaled: Values = np.abs(self.forecast_kw - self.actual_kw) / scale_kw[:, None]
        return scaled

    def row(self, naive: Values, least_kw: float, is_chosen: bool) -> BacktestRow:
        """Its line of the table.

        Args:
            naive: Scaled errors of the better seasonal naive, shape (k, h).
            least_kw: Percentage errors are of loads above this.
            is_chosen: Whether it serves.
        """
        scaled = self.scaled
        # At the same steps: where this candidate could not be fitted yet, the naive isn't judged either.
        beside = _mean(np.where(np.isnan(scaled), np.nan, naive))
        banded = [(row, each) for row, each in enumerate(self.bands) if each is not None]
        came = self.actual_kw[[row for row, _ in banded]]
        bands = [each for _, each in banded]
        return BacktestRow(
            name=self.name,
            mase=_figure(_mean(scaled)),
            ratio_to_naive=_figure(_mean(scaled) / beside) if beside > 0 else None,
            mape_percent=_figure(mape_percent(self.actual_kw, self.forecast_kw, least_kw)),
            smape_percent=_figure(smape_percent(self.actual_kw, self.forecast_kw)),
            bias_kw=_figure(bias_kw(self.actual_kw, self.forecast_kw)),
            coverage_80=_covered(came, [(each.lower_80_kw, each.upper_80_kw) for each in bands]),
            coverage_95=_covered(came, [(each.lower_95_kw, each.upper_95_kw) for each in bands]),
            width_80_kw=_figure(_mean(np.array([each.upper_80_kw - each.lower_80_kw for each in bands]))),
            fit_s=_figure(self.fit_s),
            predict_s=_figure(self.predict_s),
            is_chosen=is_chosen,
        )


def _covered(came: Values, ends: list[tuple[Values, Values]]) -> float | None:
    if not ends:
        return None
    return _figure(coverage(came, np.array([low for low, _ in ends]), np.array([high for _, high in ends])))


def _mean(values: Values) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def _figure(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.4g}")
