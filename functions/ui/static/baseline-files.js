/**
 * What of analysed baselines is saved as files: unrounded, in the names of the API.
 */
import { refusedOf, unitsOf } from "./baseline-results.js";
import { fileName } from "./format.js";
import { download, downloadCsv } from "./page.js";

/**
 * @typedef {import("./baseline-results.js").Analysis} Analysis
 */

/**
 * Saves a file.
 * @param {"results" | "coefficients" | "json"} what
 * @param {Analysis[]} analyses
 * @param {{from: string, to: string}} days
 */
export function save(what, analyses, { from, to }) {
  const names = analyses.map((each) => each.name);
  const of = names.length > 1 ? `${names.length}-machines` : names[0] ?? "";
  if (what === "results") downloadCsv(`${fileName("baseline", of, from, to)}.csv`, resultRows(analyses));
  else if (what === "coefficients") downloadCsv(`${fileName("coefficients", of, from, to)}.csv`, coefficientRows(analyses));
  else {
    const text = `${JSON.stringify(analyses.map(equationOf), null, 2)}\n`;
    download(`${fileName("coefficients", of, from, to)}.json`, "application/json", text);
  }
}

const RESULT_COLUMNS = ["machine", "start", "end", "interval", "form", "drivers", "samples", "refused", "r_squared", "adjusted_r_squared",
  "rmse_kwh", "mae_kwh", "cv_rmse_percent", "cv_rmse_out_of_time_percent", "intercept_kwh", "verdict", "weak_limits"];

/**
 * Results as rows of a file, a machine each, unrounded.
 * @param {Analysis[]} analyses
 */
export function resultRows(analyses) {
  return [RESULT_COLUMNS, ...analyses.map(({ answer, name }) => [
    name, answer.training_period.start, answer.training_period.end, answer.interval, answer.model, answer.drivers.join(" "),
    answer.training_samples, refusedOf(answer), answer.r_squared, answer.adjusted_r_squared, answer.rmse, answer.mae, answer.cv_rmse_percent,
    answer.out_of_time?.cv_rmse_percent, answer.intercept, answer.verdict.status,
    answer.verdict.reasons.filter((/** @type {any} */ each) => each.severity !== "valid").map((/** @type {any} */ each) => each.code).join(" "),
  ])];
}

/**
 * Coefficients as rows of a file, unrounded.
 * @param {Analysis[]} analyses
 */
export function coefficientRows(analyses) {
  const head = ["machine", "name", "term", "unit", "value", "std_error", "t_value", "p_value", "low", "high", "vif", "contribution_percent"];
  const rows = analyses.flatMap((analysis) => {
    const units = unitsOf(analysis);
    const { answer, name } = analysis;
    return [
      [name, "intercept", "", "kWh", answer.intercept, answer.intercept_std_error],
      ...answer.coefficient_details.map((/** @type {any} */ each) => [
        name, each.name, each.term, units.get(each.term) ? `kWh/${units.get(each.term)}` : "kWh", each.value, each.std_error, each.t_value,
        each.p_value, each.low, each.high, each.vif, each.contribution_percent]),
    ];
  });
  return [head, ...rows];
}

/**
 * A baseline's equation for programs.
 * @param {Analysis} analysis
 */
export function equationOf({ answer, name }) {
  const { model, interval, energy_type, training_period, training_samples, intercept, coefficients: values, coefficient_details, terms, ranges, verdict } = answer;
  return { machine_id: answer.machine_id, machine_name: name, model, interval, energy_type, unit: `kWh per ${interval}`, training_period, training_samples,
    r_squared: answer.r_squared, intercept, coefficients: values, coefficient_details, terms, ranges, verdict: verdict.status };
}
