/**
 * What an analysed baseline looks like: its figures, its verdict, its charts, its files. No calls, no state.
 */
import { driverAxis } from "./charts.js";
import { instant, isFigure, label, number, percent, pValue, readable, NONE } from "./format.js";
import { badge, element, table, tone } from "./page.js";

/**
 * @typedef {{name: string, kind: string, unit: string | null, coverage: number, correlation: number | null,
 *   levels: string[], is_usable: boolean, is_automatic: boolean, reason: string | null}} Driver
 * @typedef {{answer: any, name: string, zone: string, drivers: Driver[]}} Analysis
 *   An answer of `baseline/analyze` with what is known of its machine.
 */

export const FORMS = new Map([
  ["linear", "Straight lines"],
  ["change_point", "Change point in temperature"],
  ["time_of_week_temperature", "Time of week and temperature"],
]);
const VERDICTS = new Map([
  ["valid", "Valid: every figure keeps to its limit. Use it."],
  ["caution", "Caution: nothing forbids it, but a figure is weak. Use it, and name the weakness beside each result."],
  ["rejected", "Rejected: a figure is beyond what can be used. Change drivers or period before you report with it."],
]);

/** @param {Analysis} analysis */
export function unitsOf({ drivers }) {
  return new Map(drivers.map((each) => [each.name, each.unit]));
}

/** @param {any} answer */
export function perInterval(answer) {
  return answer.interval === "day" ? "day" : "hour";
}

/** @param {any} answer */
export function refusedOf(answer) {
  return answer.refused.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.count, 0);
}

/**
 * The result in words and tables.
 * @param {Analysis} analysis
 */
export function resultNodes(analysis) {
  const { answer } = analysis;
  return [
    verdictBox(analysis),
    tiles(answer),
    equation(analysis),
    coefficients(analysis),
    limits(analysis),
    refusals(answer),
    ...alternatives(analysis),
  ];
}

/** @param {Analysis} analysis */
function verdictBox({ answer, zone, drivers }) {
  const { status, reasons } = answer.verdict;
  const weak = reasons.filter((/** @type {any} */ each) => each.severity !== "valid");
  const texts = weak.map((/** @type {any} */ each) => (
    element("li", null, said(each.text, zone, drivers))
  ));
  return element("div", { class: "verdict", "data-tone": tone(status) },
    element("p", { id: "verdict" }, element("strong", null, VERDICTS.get(status) ?? status)),
    texts.length ? element("ul", { class: "reasons" }, ...texts) : null);
}

/**
 * A limit's sentence in the words of the page: it has no parameters, but a list of forms.
 * @param {string} text
 * @param {string} zone
 * @param {Driver[]} drivers
 */
export function said(text, zone, drivers) {
  return readable(text, zone, drivers.map((each) => each.name)).replaceAll("model=auto", `the form “Best of all”`);
}

/** @param {any} answer */
function tiles(answer) {
  const unit = `kWh per ${perInterval(answer)}`;
  const refused = refusedOf(answer);
  return element("div", { class: "tiles figures" },
    tile("R²", number(answer.r_squared, null, 3), `adjusted ${number(answer.adjusted_r_squared, null, 3)}`),
    tile("CV(RMSE)", number(answer.cv_rmse_percent, "%", 1), `out of time ${number(answer.out_of_time?.cv_rmse_percent, "%", 1)}`),
    tile("RMSE", number(answer.rmse), unit),
    tile("MAE", number(answer.mae), unit),
    tile("Intercept", number(answer.intercept), unit),
    tile("Samples", number(answer.training_samples, null, 0), refused ? `${number(refused, null, 0)} refused` : "none refused"),
  );
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} note
 */
function tile(name, value, note) {
  return element("div", { class: "figure" }, element("span", { class: "label" }, name),
    element("span", { class: "value" }, value), element("span", { class: "note" }, note));
}

/** @param {Analysis} analysis */
function equation({ answer }) {
  const details = answer.coefficient_details;
  if (details.length > 8) return null;
  const parts = details.map((/** @type {any} */ each) => (
    `${each.value < 0 ? " − " : " + "}${number(Math.abs(each.value))} × ${columnName(each.name)}`
  ));
  return element("p", { class: "equation" }, `Energy per ${perInterval(answer)} in kWh = ${number(answer.intercept)}${parts.join("")}`);
}

/**
 * A column of the design: `weekday[monday]` is "Weekday: monday".
 * @param {string} name
 */
function columnName(name) {
  const [, driver, level] = name.match(/^([^[\]=:]+)[[=:](.+?)\]?$/) ?? [];
  return driver && level ? `${label(driver)}: ${level}` : label(name);
}

/** @param {Analysis} analysis */
function coefficients(analysis) {
  const { answer } = analysis;
  const units = unitsOf(analysis);
  const unit = (/** @type {any} */ each) => (units.get(each.term) ? `kWh/${units.get(each.term)}` : "kWh");
  const shown = table([
    { title: "Driver", value: (each) => columnName(each.name) },
    { title: "Coefficient", number: true, value: (each) => number(each.value, unit(each)) },
    { title: "95 % interval", number: true, value: (each) => intervalText(each) },
    { title: "p", number: true, value: (each) => pValue(each.p_value), tone: (each) => (each.p_value >= 0.05 ? "warning" : null) },
    { title: "t", number: true, value: (each) => number(each.t_value, null, 1) },
    { title: "VIF", number: true, value: (each) => number(each.vif, null, 1) },
    { title: "Contribution", number: true, value: (each) => (isFigure(each.contribution_percent) ? number(each.contribution_percent, "%", 1) : NONE) },
  ], answer.coefficient_details, `Coefficients per ${perInterval(answer)}; p and intervals by Newey and West`);
  return element("div", { class: "table-wrap scroll", tabindex: "0", role: "region", "aria-label": "Coefficients" }, shown);
}

/** @param {any} each */
function intervalText(each) {
  return isFigure(each.low) && isFigure(each.high) ? `${number(each.low)} to ${number(each.high)}` : NONE;
}

/** @param {Analysis} analysis */
function limits({ answer, zone, drivers }) {
  const { reasons } = answer.verdict;
  const kept = reasons.filter((/** @type {any} */ each) => each.severity === "valid").length;
  const rows = table([
    { title: "Limit", value: (each) => limitName(each.code) },
    { title: "Verdict", value: (each) => badge(each.severity, tone(each.severity)) },
    { title: "Measured", number: true, value: (each) => measured(each.measured) },
    { title: "Limit", number: true, value: (each) => measured(each.limit) },
    { title: "In words", value: (each) => said(each.text, zone, drivers) },
  ], reasons);
  return element("details", { class: "more", id: "limits" },
    element("summary", null, `Each limit: ${kept} of ${reasons.length} kept`),
    element("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Limits" }, rows));
}

/** @param {number | null} value */
function measured(value) {
  if (!isFigure(value)) return NONE;
  return Math.abs(value) < 1e-4 && value !== 0 ? number(0, null, 3) : number(value);
}

/** @param {string} code */
function limitName(code) {
  const [name = code, driver] = code.split(":");
  const said = name.replace("_percent", "").replaceAll("_", " ");
  const known = new Map([["r squared", "R²"], ["cv rmse", "CV(RMSE)"], ["nmbe", "NMBE"], ["p value", "p"]]);
  const text = known.get(said) ?? said.charAt(0).toUpperCase() + said.slice(1);
  return driver ? `${text}: ${label(driver)}` : text;
}

/** @param {any} answer */
function refusals(answer) {
  if (!answer.refused.length) return null;
  const texts = answer.refused.map((/** @type {any} */ each) => {
    const driver = each.driver ? `${label(each.driver)}: ` : "";
    return element("li", null, `${number(each.count, null, 0)} × ${driver}${each.text}`);
  });
  return element("details", { class: "more" },
    element("summary", null, `${number(refusedOf(answer), null, 0)} ${perInterval(answer)}s were left out`),
    element("ul", { class: "reasons" }, ...texts));
}

/** @param {Analysis} analysis */
function alternatives({ answer }) {
  const nodes = [];
  if (answer.contenders.length > 1) {
    nodes.push(element("details", { class: "more" }, element("summary", null, `${answer.contenders.length} forms were tried`),
      element("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Forms" }, table([
        { title: "Form", value: (each) => FORMS.get(each.form) ?? each.form },
        { title: "CV(RMSE) out of time", number: true, value: (each) => number(each.cv_rmse_percent, "%", 2) },
        { title: "Remark", value: (each) => each.text ?? (each.form === answer.model ? "chosen" : NONE) },
      ], answer.contenders))));
  }
  if (answer.selection?.ranked?.length) {
    nodes.push(element("details", { class: "more" }, element("summary", null, "Sets of drivers that were tried, best first"),
      element("div", { class: "table-wrap scroll", tabindex: "0", role: "region", "aria-label": "Sets of drivers" }, table([
        { title: "Drivers", value: (each) => each.drivers.map(label).join(", ") || "none" },
        { title: "CV(RMSE) out of time", number: true, value: (each) => number(each.cv_rmse_percent, "%", 2) },
        { title: "Why not", value: (each) => each.veto ?? NONE },
      ], answer.selection.ranked))));
  }
  return nodes;
}

/**
 * Actual against predicted, with the line on which both are the same.
 * @param {Analysis} analysis
 * @returns {import("./charts.js").Spec}
 */
export function fitSpec({ answer, name, zone }) {
  const { points } = answer;
  const ends = [Math.min(...points.predicted_kwh, ...points.actual_kwh), Math.max(...points.predicted_kwh, ...points.actual_kwh)];
  const unit = "kWh";
  return {
    series: [
      { label: "Each interval", kind: "points", colour: "actual", points: pairs(points.predicted_kwh, points.actual_kwh) },
      { label: "Actual = predicted", colour: "expected", dash: true, points: ends.map((end) => [end, end]) },
    ],
    x: { title: "Predicted", unit },
    y: { title: "Actual", unit },
    summary: `${name}: actual against predicted energy; R² is ${number(answer.r_squared, null, 3)}.`,
    ...tableOfPoints(points, zone),
  };
}

/**
 * @param {any} points
 * @param {string} zone
 */
function tableOfPoints(points, zone) {
  return {
    columns: [
      { title: "Start", value: (/** @type {number} */ row) => instant(1000 * points.starts_at[row], zone, "full") },
      { title: "Actual", number: true, value: (/** @type {number} */ row) => number(points.actual_kwh[row], "kWh") },
      { title: "Predicted", number: true, value: (/** @type {number} */ row) => number(points.predicted_kwh[row], "kWh") },
      { title: "Residual", number: true, value: (/** @type {number} */ row) => number(points.actual_kwh[row] - points.predicted_kwh[row], "kWh") },
    ],
    rows: () => [...points.starts_at.keys()],
  };
}

/**
 * @param {number[]} xs
 * @param {number[]} ys
 * @returns {import("./charts.js").XY[]}
 */
function pairs(xs, ys) {
  return xs.map((x, index) => [x, ys[index] ?? null]);
}

/** @param {any} points */
export function residuals({ actual_kwh: actual, predicted_kwh: predicted }) {
  return actual.map((/** @type {number} */ value, /** @type {number} */ index) => value - predicted[index]);
}

/**
 * Energy against a driver, with the fit drawn in.
 * @param {Analysis} analysis
 * @param {string} driver
 * @returns {import("./charts.js").Spec}
 */
export function signatureSpec(analysis, driver) {
  const { answer, name } = analysis;
  const line = answer.signatures.find((/** @type {any} */ each) => each.driver === driver);
  const axis = driverAxis(driver, unitsOf(analysis).get(driver));
  /** @type {import("./charts.js").Series[]} */
  const series = [{ label: "Each interval", kind: "points", colour: "actual", points: pairs(answer.points.drivers[driver] ?? [], answer.points.actual_kwh) }];
  if (line) series.push({ label: "Fit", colour: "expected", points: pairs(line.x, line.kwh) });
  return {
    series, x: axis, y: { title: "Energy", unit: "kWh" },
    summary: `${name}: energy against ${label(driver).toLowerCase()}, with the fit.`,
  };
}

/**
 * @param {Analysis} analysis
 * @returns {import("./charts.js").Spec}
 */
export function residualTimeSpec({ answer, name, zone }) {
  const times = answer.points.starts_at.map((/** @type {number} */ at) => 1000 * at);
  return {
    series: [{ label: "Residual", kind: "points", colour: "actual", points: pairs(times, residuals(answer.points)) }],
    x: { title: "Start", zone }, y: { title: "Residual", unit: "kWh" }, level: { value: 0, text: "Actual = predicted" }, legend: false,
    summary: `${name}: residuals over time.`, ...tableOfPoints(answer.points, zone),
  };
}

/**
 * @param {Analysis} analysis
 * @returns {import("./charts.js").Spec}
 */
export function residualPredictedSpec({ answer, name, zone }) {
  return {
    series: [{ label: "Residual", kind: "points", colour: "actual", points: pairs(answer.points.predicted_kwh, residuals(answer.points)) }],
    x: { title: "Predicted", unit: "kWh" }, y: { title: "Residual", unit: "kWh" }, level: { value: 0, text: "Actual = predicted" }, legend: false,
    summary: `${name}: residuals over predicted energy.`, ...tableOfPoints(answer.points, zone),
  };
}

/**
 * @param {Analysis} analysis
 * @returns {import("./charts.js").Spec}
 */
export function histogramSpec({ answer, name }) {
  const { edges_kwh: edges, counts } = answer.points.histogram;
  const step = edges[1] - edges[0] || 1;
  const decimals = Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(step))));
  const middle = (/** @type {number} */ index) => number((edges[index] + edges[index + 1]) / 2, null, decimals);
  return {
    series: [{ label: "Intervals", kind: "bar", colour: "actual", points: counts.map((/** @type {number} */ count, /** @type {number} */ index) => [index, count]) }],
    x: { title: "Residual (kWh)", categories: counts.map((/** @type {number} */ _, /** @type {number} */ index) => middle(index)) },
    y: { title: "Intervals", zero: true }, legend: false,
    summary: `${name}: how often the residual has which size, in bins of ${number(step)} kWh.`,
  };
}

/**
 * @param {Analysis} analysis
 * @returns {import("./charts.js").Spec}
 */
export function contributionSpec({ answer, name }) {
  const shares = contributions(answer);
  return {
    series: [{ label: "Contribution", kind: "bar", colour: "actual", points: shares.map(([, share], index) => [index, share]) }],
    x: { title: "Driver", categories: shares.map(([term]) => label(term)) }, y: { title: "Contribution", unit: "%", zero: true },
    horizontal: true, legend: false,
    summary: `${name}: ${shares.map(([term, share]) => `${label(term)} ${percent(share / 100)}`).join(", ")}.`,
  };
}

/**
 * Each term's share of what is explained, the largest first; the columns of one term are added up.
 * @param {any} answer
 * @returns {[string, number][]}
 */
export function contributions(answer) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { term, contribution_percent: share } of answer.coefficient_details) {
    if (isFigure(share)) sums.set(term, (sums.get(term) ?? 0) + share);
  }
  return [...sums].sort(([, a], [, b]) => b - a).slice(0, 10);
}

/**
 * @param {Analysis} analysis
 * @returns {import("./charts.js").Spec}
 */
export function cusumSpec({ answer, name, zone }) {
  const times = answer.points.starts_at.map((/** @type {number} */ at) => 1000 * at);
  return {
    series: [{ label: "CUSUM", colour: "actual", points: pairs(times, answer.points.cusum_kwh) }],
    x: { title: "Start", zone }, y: { title: "CUSUM", unit: "kWh" }, level: { value: 0, text: "Level" }, legend: false,
    summary: `${name}: cumulative sum of the residuals over the training period.`,
  };
}
