/**
 * What the page of forecasts makes of its answers: what is asked for, the figures, the chart. No calls.
 */
import { chance, count, instant, isFigure, NONE, number, readable, riskTone } from "./format.js";

/**
 * @typedef {import("./charts.js").XY} XY
 * @typedef {{timestamp: string, predicted_power_kw: number, confidence_interval_lower: number | null, confidence_interval_upper: number | null,
 *   lower_80_kw: number | null, upper_80_kw: number | null, energy_kwh: number | null}} Prediction
 * @typedef {{timestamp: string, power_kw: number | null}} Measured
 * @typedef {{predictions: Prediction[], peak_demand_predicted: {timestamp: string, power_kw: number} | null, step_minutes: number,
 *   forecast_generated_at: string, timezone: string, notes: string[], state: string, age_minutes: number | null, model: any, backtest: any,
 *   coverage: any, regressors_used: string[], regressors_left_out: {name: string, reason: string}[]}} Demand Of `forecast/demand`.
 * @typedef {{timestamp: string, power_kw: number, interval_80: [number, number] | null, interval_95: [number, number] | null,
 *   limit_kw: number | null, limit_source: string | null, probability_over_limit: number | null,
 *   peak_so_far_this_month_kw: number | null}} Peak Of `forecast/peak`.
 * @typedef {"good" | "warning" | "critical" | null} Tone
 * @typedef {{id: string, value: string, tone?: Tone, notes: string[]}} Tile
 */

const MINUTE_MS = 60_000;
/** What proved best: a model's name in addresses, in questions and in the backtest. */
export const SELECTED = "selected";
/** A horizon's name in words, its steps, what its errors are held against, and the client's own model that is kept for it. */
export const HORIZONS = new Map(Object.entries({
  "1h": { text: "the next hour", step: "quarter of an hour", season: "the day before", own: "arima", hasPeak: false },
  "24h": { text: "the next 24 hours", step: "hour", season: "the day before", own: "prophet", hasPeak: true },
  "7d": { text: "the next 7 days", step: "day", season: "the week before", own: "prophet", hasPeak: true },
}));
const MODELS = new Map(Object.entries({ arima: "ARIMA", prophet: "Prophet" }));
// What stands in the address for the month's peak as the limit.
export const MONTHS_PEAK = "month";

/* What is asked for */

/**
 * What the URL asks for.
 * @param {URLSearchParams} asked
 */
export function wantedOf(asked) {
  const text = (/** @type {string} */ name) => asked.get(name) ?? "";
  const horizon = HORIZONS.has(text("horizon")) ? text("horizon") : "24h";
  const limit = text("limit");
  return {
    horizon,
    model: text("model") === HORIZONS.get(horizon)?.own ? text("model") : SELECTED,
    machine: asked.get("machine") || null,
    limit: limit === MONTHS_PEAK || Number(limit) > 0 ? limit : null,
  };
}

/** @typedef {ReturnType<typeof wantedOf>} Wanted */

/**
 * The limit that the peak is held against; null leaves it to the service, which takes the month's peak so far.
 * @param {Pick<Wanted, "limit">} wanted
 * @param {number | null} contractKw What the factory has a contract for; null of a machine.
 */
export function limitOf({ limit }, contractKw) {
  if (limit === MONTHS_PEAK) return null;
  return limit ? Number(limit) : contractKw;
}

/**
 * @param {string} model
 */
export function modelText(model) {
  return MODELS.get(model) ?? "What proved best";
}

/* Figures */

/**
 * @param {Demand} demand
 * @param {Peak | null} peak Null where the horizon has none of its own, or it failed.
 * @param {{zone: string, horizon: string, contractKw: number | null}} context
 * @returns {Tile[]}
 */
export function tilesOf(demand, peak, context) {
  return [peakTile(demand, peak, context), limitTile(peak, context), energyTile(demand, context)];
}

/**
 * @param {Demand} demand
 * @param {Peak | null} peak
 * @param {{zone: string}} context
 * @returns {Tile}
 */
function peakTile({ peak_demand_predicted: predicted }, peak, { zone }) {
  const { timestamp: at, power_kw: power } = peak ?? predicted ?? { timestamp: null, power_kw: null };
  const [low, high] = peak?.interval_80 ?? [];
  return {
    id: "peak",
    value: number(power, "kW"),
    notes: [
      at ? `Quarter hour of ${instant(at, zone, "moment")}` : "No peak is told.",
      ...(isFigure(low) && isFigure(high) ? [`four times in five ${number(low)} to ${number(high, "kW")}`] : []),
    ],
  };
}

/**
 * @param {Peak | null} peak
 * @param {{contractKw: number | null}} context
 * @returns {Tile}
 */
function limitTile(peak, { contractKw }) {
  const { probability_over_limit: probability, limit_kw: limit, limit_source: source } = peak ?? {};
  if (!isFigure(limit) || !isFigure(probability)) {
    return { id: "limit", value: NONE, notes: [peak ? "There is nothing to hold the peak against yet." : "Told of what proved best, for 24 hours and for 7 days."] };
  }
  return {
    id: "limit",
    value: chance(probability),
    tone: riskTone(probability),
    notes: [`over ${number(limit, "kW")}`, limitText(limit, source, contractKw)],
  };
}

/**
 * What the limit is.
 * @param {number} limit
 * @param {string | null | undefined} source
 * @param {number | null} contractKw
 */
export function limitText(limit, source, contractKw) {
  if (source === "peak_so_far_this_month") return "this month's peak so far";
  return limit === contractKw ? "the demand in the contract" : "the limit given";
}

/**
 * @param {Demand} demand
 * @param {{horizon: string}} context
 * @returns {Tile}
 */
function energyTile({ predictions }, { horizon }) {
  const powers = predictions.map(({ predicted_power_kw: power }) => power);
  const energies = predictions.map(({ energy_kwh: energy }) => energy ?? NaN);
  const mean = powers.reduce((sum, power) => sum + power, 0) / powers.length;
  return {
    id: "energy",
    value: number(energies.reduce((sum, energy) => sum + energy, 0), "kWh"),
    notes: [`in ${HORIZONS.get(horizon)?.text}`, `${number(mean, "kW")} on average`],
  };
}

/**
 * How well it did, in a word and in the service's own words.
 * @param {any} accuracy Of `forecast/accuracy`; null where it failed.
 * @param {Pick<Demand, "backtest" | "model">} demand Its backtest is told until issues are scored.
 * @returns {Tile}
 */
export function accuracyTile(accuracy, { backtest, model }) {
  const skill = accuracy?.skill_percent;
  if (isFigure(skill)) {
    return { id: "accuracy", ...betterText(skill), notes: [accuracy.in_words, `${count(accuracy.scored, "forecast")} scored`] };
  }
  const ratio = chosenOf(backtest, model.choice)?.ratio_to_naive;
  if (!isFigure(ratio)) return { id: "accuracy", value: NONE, notes: ["No forecast has been scored yet."] };
  return { id: "accuracy", ...betterText(100 * (1 - ratio)), notes: ["in the backtest; none has been scored yet"] };
}

/**
 * @param {number} skill Percent better than the seasonal naive.
 * @returns {{value: string, tone: Tone}}
 */
export function betterText(skill) {
  const size = number(Math.abs(skill), "%", 0);
  if (!/[1-9]/.test(size)) return { value: "as good", tone: null };
  return skill > 0 ? { value: `${size} better`, tone: "good" } : { value: `${size} worse`, tone: "warning" };
}

/**
 * The backtest's row of what serves: of the mean of several the one that was made of them, as it was chosen each time.
 * @param {any} backtest
 * @param {string} [choice] The model that is shown.
 */
export function chosenOf(backtest, choice = SELECTED) {
  const rows = backtest?.models ?? [];
  return rows.find((/** @type {any} */ { name }) => name === choice) ?? rows.find((/** @type {any} */ each) => each.is_chosen) ?? null;
}

/**
 * What makes the answer less than usual: notes of the service, its age.
 * @param {Demand} demand
 * @param {string} zone
 */
export function noticesOf({ notes, state, forecast_generated_at: madeAt, age_minutes: age, step_minutes: step }, zone) {
  const isOld = isFigure(age) && age > 2 * step + 60;
  return [
    ...notes.map((note) => readable(note, zone)),
    ...(isOld && state === "stored" ? [`This forecast was made on ${instant(madeAt, zone, "moment")}: newer readings are not in it.`] : []),
  ];
}

/* Chart */

/**
 * What was measured running into what is forecast, both bands, the peak and the limit.
 * @param {Demand} demand
 * @param {Measured[]} history Before the forecast, in its steps.
 * @param {{zone: string, horizon: string, limit: number | null, limitName: string, peak: Peak | null}} context
 * @returns {import("./charts.js").Spec}
 */
export function loadSpec(demand, history, { zone, horizon, limit, limitName, peak }) {
  const rows = rowsOf(demand, history);
  const line = (/** @type {(row: Row) => number | null | undefined} */ value) => rows.map((row) => /** @type {XY} */ ([row.at, value(row) ?? null]));
  const edge = { colour: "expected", kind: /** @type {const} */ ("band") };
  const top = peak ?? demand.peak_demand_predicted;
  return {
    series: [
      { label: "95 % from", points: line(({ wide }) => wide?.[0]), ...edge },
      { label: "95 % to", points: line(({ wide }) => wide?.[1]), fill: true, ...edge },
      { label: "80 % from", points: line(({ narrow }) => narrow?.[0]), ...edge },
      { label: "80 % to", points: line(({ narrow }) => narrow?.[1]), fill: true, ...edge },
      { label: "Measured", colour: "actual", points: line(({ measured }) => measured) },
      { label: "Forecast", colour: "expected", dash: true, points: line(({ forecast }) => forecast) },
      ...(top ? [{ label: "Peak", colour: "critical-mark", kind: /** @type {const} */ ("marks"), points: peakPoints(rows, top) }] : []),
    ],
    x: { title: "Time", zone, days: horizon === "7d" },
    y: { title: "Power", unit: "kW", zero: true },
    ...(isFigure(limit) ? { level: { value: limit, text: limitName } } : {}),
    legend: false,
    hint: `Mean of every ${HORIZONS.get(horizon)?.step} in kW. Dashed: forecast, with four times in five shaded darker, 19 in 20 lighter. `
      + `${top ? "Triangle: the highest quarter hour. " : ""}${isFigure(limit) ? `Dotted: ${limitName}.` : ""}`,
    summary: summaryOf(demand, top, limit, zone),
    columns: COLUMNS(zone, horizon === "7d"),
    rows: () => rows.filter(({ isJoint }) => !isJoint),
  };
}

/**
 * @typedef {{at: number, until: number, measured?: number | null, forecast?: number | null, narrow?: (number | null)[], wide?: (number | null)[],
 *   isJoint?: boolean}} Row A place of the chart: all lines have all of them, so that a tooltip tells them together.
 */

/**
 * @param {Demand} demand
 * @param {Measured[]} history
 * @returns {Row[]}
 */
function rowsOf({ predictions, step_minutes: minutes }, history) {
  const stepMs = minutes * MINUTE_MS;
  const begins = Date.parse(predictions[0]?.timestamp ?? "");
  /** @type {Row[]} */
  const before = [];
  for (const { timestamp, power_kw: measured } of history) {
    const at = Date.parse(timestamp);
    // What the forecast began with may have been measured by now.
    if (at >= begins) break;
    const last = before.at(-1);
    // A day may have 25 hours.
    if (last && at - last.at > 1.1 * stepMs) before.push({ at: last.at + stepMs, until: at, measured: null, isJoint: true });
    before.push({ at, until: at + stepMs, measured });
  }
  const last = before.at(-1);
  if (last && isFigure(last.measured) && begins - last.at <= 1.1 * stepMs) {
    // The forecast runs out of what was measured last.
    const { measured } = last;
    Object.assign(last, { forecast: measured, narrow: [measured, measured], wide: [measured, measured] });
  }
  return [...before, ...predictions.map((each, index) => ({
    at: Date.parse(each.timestamp),
    until: Date.parse(predictions[index + 1]?.timestamp ?? "") || Date.parse(each.timestamp) + 1.1 * stepMs,
    forecast: each.predicted_power_kw,
    narrow: [each.lower_80_kw, each.upper_80_kw],
    wide: [each.confidence_interval_lower, each.confidence_interval_upper],
  }))];
}

/**
 * The peak in the step that holds it, at its own time.
 * @param {Row[]} rows
 * @param {{timestamp: string, power_kw: number}} peak
 * @returns {XY[]}
 */
function peakPoints(rows, { timestamp, power_kw: power }) {
  const at = Date.parse(timestamp);
  // On the last step its end lies outside the picture.
  const most = rows.at(-1)?.at ?? at;
  const place = rows.findIndex((row) => row.forecast !== undefined && row.measured === undefined && at >= row.at && at < row.until);
  return rows.map((row, index) => (index === place ? [Math.min(at, most), power] : [row.at, null]));
}

/**
 * @param {Demand} demand
 * @param {{timestamp: string, power_kw: number} | null} top
 * @param {number | null} limit
 * @param {string} zone
 */
function summaryOf({ predictions }, top, limit, zone) {
  const first = predictions[0]?.timestamp;
  const peak = top ? `the highest quarter hour ${number(top.power_kw, "kW")} on ${instant(top.timestamp, zone, "moment")}` : "no peak told";
  return `Measured power, then its forecast from ${instant(first, zone, "moment")} on: ${peak}${isFigure(limit) ? `, limit ${number(limit, "kW")}` : ""}.`;
}

/**
 * @param {string} zone
 * @param {boolean} isDaily
 * @returns {import("./page.js").Column[]}
 */
function COLUMNS(zone, isDaily) {
  const kw = (/** @type {number | null | undefined} */ value) => number(value, "kW");
  return [
    { title: "Time", value: (row) => instant(row.at, zone, isDaily ? "day" : "moment") },
    { title: "Measured", number: true, value: (row) => kw(row.measured) },
    { title: "Forecast", number: true, value: (row) => (row.measured === undefined ? kw(row.forecast) : NONE) },
    { title: "80 % from", number: true, value: (row) => (row.measured === undefined ? kw(row.narrow[0]) : NONE) },
    { title: "80 % to", number: true, value: (row) => (row.measured === undefined ? kw(row.narrow[1]) : NONE) },
    { title: "95 % from", number: true, value: (row) => (row.measured === undefined ? kw(row.wide[0]) : NONE) },
    { title: "95 % to", number: true, value: (row) => (row.measured === undefined ? kw(row.wide[1]) : NONE) },
  ];
}
