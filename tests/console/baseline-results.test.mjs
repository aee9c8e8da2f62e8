/** What becomes of an analysed baseline: charts and files. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { coefficientRows, equationOf, resultRows } from "../../functions/ui/static/baseline-files.js";
import {
  contributions, cusumSpec, fitSpec, histogramSpec, refusedOf, residuals, residualTimeSpec, said, signatureSpec,
} from "../../functions/ui/static/baseline-results.js";

const coefficient = { std_error: 0.1, t_value: 5, p_value: 0.001, low: 0.3, high: 0.7, vif: 1.1 };
/** @type {import("../../functions/ui/static/baseline-results.js").Analysis} */
const ANALYSIS = {
  name: "=Press",
  zone: "Europe/Berlin",
  drivers: [
    { name: "production_count", kind: "numeric", unit: "units", coverage: 1, correlation: 0.9, levels: [], is_usable: true, is_automatic: true, reason: null },
  ],
  answer: {
    machine_id: "m", model: "linear", interval: "hour", energy_type: "electrical", drivers: ["production_count", "weekday"],
    training_period: { start: "2026-03-28T23:00:00Z", end: "2026-03-30T22:00:00Z" }, training_samples: 3,
    r_squared: 0.9123456, adjusted_r_squared: 0.9, rmse: 1.5, mae: 1.1, cv_rmse_percent: 5.5, intercept: 10, intercept_std_error: 0.5,
    out_of_time: { cv_rmse_percent: 6.1 },
    coefficients: { production_count: 0.5 },
    coefficient_details: [
      { ...coefficient, name: "production_count", term: "production_count", value: 0.5, contribution_percent: 60 },
      { ...coefficient, name: "weekday monday", term: "weekday", value: 1, contribution_percent: 15 },
      { ...coefficient, name: "weekday tuesday", term: "weekday", value: 1, contribution_percent: 25 },
    ],
    terms: [], ranges: {}, contenders: [], selection: null,
    refused: [{ code: "maintenance", driver: null, count: 6, text: "…" }, { code: "incomplete", driver: null, count: 2, text: "…" }],
    verdict: { status: "caution", reasons: [{ code: "samples", severity: "caution" }, { code: "r_squared", severity: "valid" }] },
    points: {
      total: 3, starts_at: [0, 3600, 7200], actual_kwh: [10, 12, 11], predicted_kwh: [11, 11, 11], cusum_kwh: [-1, 0, 0],
      drivers: { production_count: [1, 2, 3] }, histogram: { edges_kwh: [-1, 0, 1], counts: [1, 2] },
    },
    signatures: [{ driver: "production_count", x: [0, 4], kwh: [10, 12] }],
  },
};

test("residuals are actual less predicted", () => {
  assert.deepEqual(residuals(ANALYSIS.answer.points), [-1, 1, 0]);
  assert.deepEqual(residualTimeSpec(ANALYSIS).series[0]?.points, [[0, -1], [3_600_000, 1], [7_200_000, 0]]);
});

test("the fit is drawn against the line of equality", () => {
  const [points, line] = fitSpec(ANALYSIS).series;
  assert.deepEqual(points?.points, [[11, 10], [11, 12], [11, 11]]);
  assert.deepEqual(line?.points, [[10, 10], [12, 12]]);
});

test("a signature shows the driver's values with the fit", () => {
  const spec = signatureSpec(ANALYSIS, "production_count");
  assert.deepEqual(spec.series.map((one) => one.points), [[[1, 10], [2, 12], [3, 11]], [[0, 10], [4, 12]]]);
  assert.deepEqual(spec.x, { title: "Production", unit: "units" });
});

test("a driver without values makes an empty signature, not a fault", () => {
  assert.deepEqual(signatureSpec(ANALYSIS, "pressure_bar").series.map((one) => one.points), [[]]);
});

test("the columns of one term are one contribution, the largest first", () => {
  assert.deepEqual(contributions(ANALYSIS.answer), [["production_count", 60], ["weekday", 40]]);
});

test("the histogram's bars are named by their middles", () => {
  const spec = histogramSpec(ANALYSIS);
  assert.deepEqual(spec.x.categories, ["-0.5", "0.5"]);
  assert.deepEqual(spec.series[0]?.points, [[0, 1], [1, 2]]);
});

test("the sum of deviations is the service's, over all intervals", () => {
  assert.deepEqual(cusumSpec(ANALYSIS).series[0]?.points.map(([, value]) => value), [-1, 0, 0]);
});

test("files hold unrounded figures and say how many intervals were refused", () => {
  const [head, row] = resultRows([ANALYSIS]);
  const cell = (/** @type {string} */ name) => row?.[head?.indexOf(name) ?? -1];
  assert.equal(cell("r_squared"), 0.9123456);
  assert.equal(cell("refused"), 8);
  assert.equal(refusedOf(ANALYSIS.answer), 8);
  assert.equal(cell("verdict"), "caution");
  assert.equal(cell("weak_limits"), "samples");
});

test("coefficients have units, the intercept among them", () => {
  const rows = coefficientRows([ANALYSIS]);
  assert.deepEqual(rows.map((row) => [row[1], row[3], row[4]]), [
    ["name", "unit", "value"], ["intercept", "kWh", 10], ["production_count", "kWh/units", 0.5], ["weekday monday", "kWh", 1], ["weekday tuesday", "kWh", 1],
  ]);
});

test("the equation for programs says what it is of", () => {
  const equation = equationOf(ANALYSIS);
  assert.equal(equation.unit, "kWh per hour");
  assert.equal(equation.intercept, 10);
  assert.deepEqual(equation.coefficients, { production_count: 0.5 });
  assert.equal(equation.verdict, "caution");
});

test("a sentence of the verdict speaks of what the page has", () => {
  const text = said("production_count: a bend explains 20%: try model=auto.", "UTC", ANALYSIS.drivers);
  assert.equal(text, "Production: a bend explains 20%: try the form “Best of all”.");
});
