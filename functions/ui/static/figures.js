/**
 * The six key figures: where an answer has them, how they are written, what they are held against, and how they are
 * drawn over time. No calls, nothing of a page.
 */
import {
  addDays, calendarDay, changeInWords, count, dayStart, daysBetween, instant, isFigure, localDay, money, NONE, number, percent,
} from "./format.js";

/**
 * @typedef {{id: string, value: string, unit: string, note: string}} Tile
 * @typedef {{id: string, value: string, unit: string, change: import("./format.js").Change | null, notes: string[]}} Card
 * @typedef {{id: string, title: string, unit?: string, field: string, scale?: number, none?: string, reason: string,
 *   value: (answer: any) => number | null, write?: (value: number, answer: any) => string, isGoodUp?: boolean, inPoints?: boolean,
 *   note: (answer: any, zone: string) => string, more?: (answer: any, cost: any, zone: string) => string}} KeyFigure
 *   `field` is its name in `kpi/history`, times `scale`, and `none` what is said where no row has it; `value` finds it in
 *   `kpi/all`, and `reason` why it may be missing. What `write` makes has its unit in it. `note` stands below it, `more` where
 *   it is a page's subject.
 */

// What the service takes for enough to judge by: below it, an answer warns of low coverage.
export const ENOUGH_COVERAGE = 0.9;
const QUARTER_MS = 900_000;
/** What a trend can be drawn by, in plural. */
export const INTERVALS = new Map([["day", "days"], ["week", "weeks"], ["month", "months"]]);

/** @type {KeyFigure[]} */
export const FIGURES = [
  {
    id: "energy", title: "Energy", unit: "kWh", field: "energy_kwh", reason: "load_factor",
    value: (answer) => answer.total_energy_kwh,
    note: ({ avg_power_kw: power }) => `${number(power, "kW")} on average`,
  },
  {
    id: "sec", title: "Specific energy", unit: "kWh/unit", field: "sec_kwh_per_unit", reason: "sec",
    none: "Nothing was produced in these days, so there is no figure per unit.",
    value: (answer) => answer.kpis.sec.value,
    note: ({ total_production_units: units }) => `${count(units, "unit")} produced`,
  },
  {
    id: "peak", title: "Peak demand", unit: "kW", field: "peak_demand_kw", reason: "peak_demand",
    value: (answer) => answer.kpis.peak_demand.value,
    note: ({ kpis: { peak_demand: peak } }, zone) => instant(peak.timestamp, zone, "moment"),
    more: ({ kpis: { peak_demand: peak } }, _, zone) => `${instant(peak.timestamp, zone, "moment")}; billed ${number(peak.billing_value, "kW")}`,
  },
  {
    id: "load-factor", title: "Load factor", unit: "%", field: "load_factor", scale: 100, reason: "load_factor", isGoodUp: true, inPoints: true,
    value: (answer) => answer.kpis.load_factor.value,
    write: (value) => percent(value, 1),
    note: () => "Average power over the peak",
  },
  {
    id: "cost", title: "Cost of energy", field: "total_cost", reason: "energy_cost",
    value: (answer) => answer.kpis.energy_cost.value,
    write: (value, answer) => money(value, answer.kpis.energy_cost.unit),
    note: ({ kpis: { energy_cost: cost } }) => `${number(cost.avg_rate_per_kwh, `${cost.unit}/kWh`)} on average`,
    more: (_, cost) => demandChargeText(cost),
  },
  {
    id: "carbon", title: "CO₂ emissions", unit: "kg", field: "total_co2_kg", reason: "carbon",
    value: (answer) => answer.kpis.carbon_intensity.value,
    note: ({ kpis: { carbon_intensity: carbon } }) => `${number(carbon.emission_factor, "kg/kWh")}, region ${carbon.region ?? "default"}`,
  },
];

/* What they are held against */

/**
 * The period before, as long as this one; where this one is not over, it ends as long into its last day.
 * @param {{from: string, to: string, zone: string, now: number}} view
 * @returns {{start: string, end: string}} As the API takes them.
 */
export function periodBefore({ from, to, zone, now }) {
  const days = daysBetween(from, to);
  const first = addDays(from, -days);
  if (now >= dayStart(addDays(to, 1), zone)) return { start: first, end: addDays(from, -1) };
  const today = localDay(now, zone);
  const end = dayStart(addDays(today, -days), zone) + now - dayStart(today, zone);
  return { start: first, end: new Date(end).toISOString() };
}

/**
 * The period up to the last full quarter of an hour: of the present one some machines have told already, others not.
 * @param {{from: string, to: string, zone: string, now: number, isSoFar: boolean}} view
 * @returns {{start: string, end: string}} As the API takes them.
 */
export function fullQuarters({ from, to, zone, now, isSoFar }) {
  const end = now - (now % QUARTER_MS);
  return { start: from, end: isSoFar && end > dayStart(from, zone) ? new Date(end).toISOString() : to };
}

/* One answer */

/** @param {any} answer */
export function isEmpty(answer) {
  return answer.readings === 0 && answer.total_energy_kwh === null;
}

/**
 * The figures as tiles.
 * @param {any} answer Of `kpi/all`.
 * @param {string} zone
 * @returns {Tile[]}
 */
export function tilesOf(answer, zone) {
  return FIGURES.map((figure) => {
    const { id, reason, note } = figure;
    const value = figure.value(answer);
    if (isFigure(value)) return { id, ...written(figure, value, answer), note: note(answer, zone) };
    const why = answer.reasons[reason];
    return { id, value: NONE, unit: "", note: why?.code === "no_readings" ? "No readings" : why?.text ?? "" };
  });
}

/**
 * @param {KeyFigure} figure
 * @param {number} value
 * @param {any} answer
 */
function written({ unit = "", write }, value, answer) {
  return write ? { value: write(value, answer), unit: "" } : { value: number(value), unit };
}

/**
 * The figures as cards, beside the period before.
 * @param {any} answer Of `kpi/all`.
 * @param {any} before The same of the period before; null where it could not be read.
 * @param {any} cost Of `kpi/energy-cost`; null likewise.
 * @param {string} zone
 * @returns {Card[]}
 */
export function cardsOf(answer, before, cost, zone) {
  const hindrance = hindranceOf(answer, before);
  return FIGURES.map((figure) => {
    const { id, reason, note, more } = figure;
    const value = figure.value(answer);
    if (!isFigure(value)) {
      return { id, value: NONE, unit: "", change: null, notes: [answer.reasons[reason]?.text ?? "It can't be told for these days."] };
    }
    const changed = hindrance ? null : changeInWords(value, figure.value(before), figure);
    const beside = changed ? `before: ${beforeText(figure, before)}` : hindrance ?? "before: no figure";
    return { id, ...written(figure, value, answer), change: changed, notes: [beside, more?.(answer, cost, zone) ?? note(answer, zone)] };
  });
}

/**
 * @param {KeyFigure} figure
 * @param {any} before
 */
function beforeText({ unit, value: valueOf, write }, before) {
  const value = valueOf(before);
  return write && isFigure(value) ? write(value, before) : number(value, unit);
}

/**
 * What forbids to hold a period against the one before: half the readings would look like half the energy.
 * @param {any} answer
 * @param {any} before
 */
function hindranceOf(answer, before) {
  if (!before) return "before: could not be read";
  if (!before.coverage) return "before: nothing measured";
  if (!isEnough(before)) return `before: only ${percent(before.coverage)} measured`;
  return isEnough(answer) ? null : `only ${percent(answer.coverage)} measured now`;
}

/** @param {any} answer */
export function isEnough({ coverage }) {
  return isFigure(coverage) && coverage >= ENOUGH_COVERAGE;
}

/** @param {any} cost */
function demandChargeText(cost) {
  if (!cost) return "The demand charge could not be read";
  return isFigure(cost.demand_charge) ? `and ${money(cost.demand_charge, cost.demand_charges[0]?.currency)} demand charge` : "No demand charge";
}

/**
 * What makes figures partial, with its amount; other warnings are told in the API's own words.
 * @type {Record<string, (answer: any) => string>}
 */
const WARNINGS = {
  low_coverage: ({ coverage }) => `Readings cover only ${percent(coverage, 1)} of the period; nothing is extrapolated.`,
  refused_readings: ({ refused_readings: readings }) => `Refused, counting nothing: ${count(readings, "reading")}, negative, invalid or repeated.`,
  spread_readings: ({ spread_kwh: energy }) => `Estimated: ${number(energy, "kWh")} came late, after a gap, and are spread over it.`,
  estimated_readings: ({ estimated_readings: readings }) => `Flagged as estimated: ${count(readings, "reading")}.`,
  flat_hours: ({ flat_hours: hours }) => `The meter may be stuck: in ${count(hours, "hour")} every reading carries the same value.`,
};

/**
 * @param {any} answer
 * @param {any} before
 * @returns {string[]}
 */
export function noticesOf(answer, before) {
  const own = answer.warnings.map((/** @type {{code: string, text: string}} */ { code, text }) => WARNINGS[code]?.(answer) ?? text);
  return before ? own : [...own, "The days before could not be read, so nothing is compared. Load the page again to try once more."];
}

/**
 * @param {any} answer
 * @param {boolean} isSoFar
 */
export function coverageText({ readings, coverage }, isSoFar) {
  return `${count(readings, "reading")}, covering ${percent(coverage, coverage < 0.9995 ? 1 : 0)} of the period${isSoFar ? " up to now" : ""}.`;
}

/* Over time */

/**
 * The figure of that name; energy where there is none.
 * @param {string | null} name
 */
export function figureOf(name) {
  return FIGURES.find(({ id }) => id === name) ?? /** @type {KeyFigure} */ (FIGURES[0]);
}

/**
 * The interval that a trend of so many days is drawn by.
 * @param {number} days
 * @param {string | null} wanted
 */
export function intervalOf(days, wanted) {
  if (wanted && INTERVALS.has(wanted)) return wanted;
  if (days <= 45) return "day";
  return days <= 200 ? "week" : "month";
}

/**
 * @param {any} answer Of `kpi/history`.
 * @param {string} name
 * @param {boolean} isSoFar
 * @param {number | null} [contractKw]
 * @returns {import("./charts.js").Spec | null} Null where no interval has the figure.
 */
export function trendSpec(answer, name, isSoFar, contractKw = null) {
  const { history: rows, interval } = answer;
  const figure = figureOf(name);
  const [now, before] = [figure.field, `previous_${figure.field}`].map((field) => pointsOf(rows, field, figure.scale ?? 1));
  if (!now?.some(([, value]) => isFigure(value))) return null;
  const unit = figure.unit ?? currencyOf(rows);
  const texts = rows.map((/** @type {any} */ row) => intervalText(row.interval_start, interval, answer.time_period.timezone));
  return {
    summary: `${figure.title} by ${interval}, this period beside the one before.`,
    hint: trendHint(now, texts, unit, isSoFar ? interval : null),
    x: { title: interval, categories: texts },
    y: { title: figure.title, unit, zero: true },
    series: [
      { label: "This period", colour: "actual", kind: "bar", points: now },
      // A line through one or two points is none.
      { label: "Period before", colour: "expected", ...(rows.length > 2 ? { dash: true } : { kind: "bar" }), points: before ?? [] },
    ],
    ...(contractKw === null ? {} : { level: { value: contractKw, text: "Contract" } }),
    columns: trendColumns(interval, unit),
    rows: () => rows.map((/** @type {any} */ row, /** @type {number} */ index) => ({
      when: interval === "day" ? calendarDay(row.local_date) : texts[index], value: now[index]?.[1], before: before?.[index]?.[1],
      coverage: row.coverage,
    })),
  };
}

/**
 * @param {any[]} rows
 * @param {string} field
 * @param {number} scale
 * @returns {import("./charts.js").XY[]}
 */
function pointsOf(rows, field, scale) {
  return rows.map((row, index) => [index, isFigure(row[field]) ? scale * row[field] : null]);
}

/** @param {any[]} rows */
function currencyOf(rows) {
  return rows.find((row) => row.currency)?.currency ?? null;
}

/**
 * @param {import("./charts.js").XY[]} points
 * @param {string[]} texts
 * @param {string | null} unit
 * @param {string | null} openInterval The interval that is not over yet.
 */
function trendHint(points, texts, unit, openInterval) {
  const extremes = extremesText(points.map(([index, value]) => [texts[index] ?? "", value]), unit);
  return `${extremes} ${openInterval ? `The last ${openInterval} is not over yet.` : ""}`.trim() || "\u00a0";
}

/**
 * When a figure was highest and lowest.
 * @param {[string, number | null][]} values
 * @param {string | null} unit
 */
export function extremesText(values, unit) {
  const known = values.flatMap(([text, value]) => (isFigure(value) ? [{ text, value }] : [])).toSorted((one, other) => other.value - one.value);
  const [highest, lowest] = [known[0], known.at(-1)];
  if (!highest || !lowest || highest === lowest) return "";
  return `Highest ${number(highest.value, unit)} (${highest.text}), lowest ${number(lowest.value, unit)} (${lowest.text}).`;
}

/**
 * @param {string} interval
 * @param {string | null} unit
 * @returns {import("./page.js").Column[]}
 */
function trendColumns(interval, unit) {
  return [
    { title: `${interval.charAt(0).toUpperCase()}${interval.slice(1)}`, value: ({ when }) => when },
    { title: "This period", number: true, value: ({ value }) => number(value, unit) },
    { title: "Period before", number: true, value: ({ before }) => number(before, unit) },
    { title: "Readings cover", number: true, value: ({ coverage }) => percent(coverage) },
  ];
}

/**
 * The name of an interval. The period's first may begin later than its week or month.
 * @param {string} start
 * @param {string} interval
 * @param {string} zone
 */
export function intervalText(start, interval, zone) {
  if (interval === "month") return instant(start, zone, "month");
  return interval === "week" ? `from ${instant(start, zone, "shortDay")}` : instant(start, zone, "shortDay");
}
