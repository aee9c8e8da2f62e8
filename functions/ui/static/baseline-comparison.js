/**
 * Several machines beside each other, each by its own fit: a table and small multiples.
 */
import { Problem } from "./api.js";
import { fitSpec } from "./baseline-results.js";
import { newFigure } from "./charts.js";
import { label, number, readable } from "./format.js";
import { badge, byId, element, table, tone } from "./page.js";

/**
 * @typedef {{machine: import("./page.js").Machine, analysis?: import("./baseline-results.js").Analysis, error?: unknown}} Row
 */

/** @type {import("./charts.js").Figure[]} */
let multiples = [];

/**
 * @param {Row[]} rows
 * @param {(machineId: string) => void} lookAt
 */
export function showComparison(rows, lookAt) {
  byId("comparison-table").replaceChildren(comparisonTable(rows, lookAt));
  multiples.forEach((each) => each.remove());
  multiples = rows.flatMap(({ machine, analysis }) => {
    if (!analysis) return [];
    const figure = newFigure(machine.name);
    byId("multiples").append(figure.root);
    const hint = `Actual against predicted, R² ${number(analysis.answer.r_squared, null, 3)}`;
    figure.draw({ ...fitSpec(analysis), legend: false, hint });
    return [figure];
  });
}

/**
 * @param {Row[]} rows
 * @param {(machineId: string) => void} lookAt
 */
function comparisonTable(rows, lookAt) {
  const answer = (/** @type {Row} */ row) => row.analysis?.answer;
  return table([
    { title: "Machine", value: ({ machine }) => (
      element("button", { class: "button quiet", type: "button", onclick: () => lookAt(machine.id) }, machine.name)) },
    { title: "Verdict", value: verdictOf },
    { title: "R²", number: true, value: (row) => number(answer(row)?.r_squared, null, 3) },
    { title: "CV(RMSE)", number: true, value: (row) => number(answer(row)?.cv_rmse_percent, "%", 1) },
    { title: "RMSE", number: true, value: (row) => number(answer(row)?.rmse, "kWh") },
    { title: "Samples", number: true, value: (row) => number(answer(row)?.training_samples, null, 0) },
    { title: "Drivers", value: (row) => answer(row)?.drivers.map(label).join(", ") },
  ], rows);
}

/** @param {Row} row */
function verdictOf({ machine, analysis, error }) {
  const status = analysis?.answer.verdict.status;
  if (status) return badge(status, tone(status));
  return error instanceof Problem ? readable(error.message, machine.timezone) : "The page has a fault: load it again.";
}
