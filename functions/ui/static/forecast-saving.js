/**
 * What a solved schedule saves, how sure that is, what could not move and why; or why there is none. No calls.
 */
import { count, isFigure, money, moneyDecimals, NONE, number, percent, readable, signed } from "./format.js";
import { element, wideTable } from "./page.js";

/**
 * @typedef {{energy: number, demand: number, carbon: number, total: number}} Cost
 * @typedef {{constraint: string, text: string}} Rule
 * @typedef {{status: "optimal" | "feasible" | "infeasible" | "unknown", gap: number | null, currency: string, start: string, end: string,
 *   step_minutes: number, is_assumption: boolean, schedule: {job_id: string, start: string, end: string, power_kw: number}[],
 *   cost_now: Cost, cost_then: Cost | null, saving: number | null, kwh_moved: number | null, co2_saved_kg: number | null, peak_now_kw: number,
 *   peak_then_kw: number | null, site_limit_kw: number | null, margin: {kw: number, cost: number | null} | null,
 *   unmoved: {job_id: string, reason: string}[], clashes: Rule[], relaxations: Rule[], jobs: any[],
 *   bands: import("./forecast-gantt.js").Band[], load_kw: {now: number[], then: number[] | null}, notes: string[],
 *   factory_name?: string | null, machine_name?: string | null}} Answer
 *   Of `forecast/optimal-schedule`.
 * @typedef {Answer & {cost_then: Cost, saving: number, kwh_moved: number, peak_then_kw: number}} Solved One that has a schedule.
 */

const COMPONENTS = /** @type {const} */ ([["energy", "Energy"], ["demand", "Demand charge"], ["carbon", "CO₂"], ["total", "In all"]]);
// A gap below this is what solvers call none.
const CLOSED = 0.0005;
// More reasons than these are for those who ask.
const MOST_REASONS = 6;

/**
 * How near to the best possible schedule this one is proven to be.
 * @param {Pick<Solved, "status" | "gap">} solved
 */
export function gapText({ status, gap }) {
  if (!isFigure(gap)) return "How near it is to the best schedule is not known.";
  if (gap <= CLOSED) return "Proven: there is no cheaper schedule.";
  const text = percent(gap, gap < 0.0995 ? 1 : 0);
  return status === "optimal" ? `Proven: no schedule is more than ${text} cheaper.` : `The best found in the time there was: up to ${text} may still be saved.`;
}

/**
 * The headline: what is saved, on what.
 * @param {Solved} solved
 * @returns {{tone: "good" | null, text: string}}
 */
export function savingText({ saving, cost_now: now, kwh_moved: moved, peak_now_kw: before, peak_then_kw: then, currency }) {
  const size = money(saving, currency, moneyDecimals([now.total]));
  if (!(saving > 0) || !/[1-9]/.test(size)) return { tone: null, text: "Moving these jobs saves nothing." };
  const share = saving / now.total > 0.0005 ? `, ${percent(saving / now.total, 1)} of ${money(now.total, currency)}` : "";
  const peak = before - then > 0.05 ? `; the peak falls from ${number(before, "kW")} to ${number(then, "kW")}` : "";
  return { tone: "good", text: `${size} saved${share}, by moving ${number(moved, "kWh")}${peak}.` };
}

/**
 * Cost before and after, by component.
 * @param {Solved} solved
 * @returns {{name: string, now: number, then: number, saving: number}[]}
 */
export function componentRows({ cost_now: now, cost_then: then }) {
  return COMPONENTS.filter(([id]) => id === "total" || now[id] !== 0 || then[id] !== 0)
    .map(([id, name]) => ({ name, now: now[id], then: then[id], saving: now[id] - then[id] }));
}

/**
 * @param {Answer} answer
 * @returns {answer is Solved}
 */
export function isSolved(answer) {
  return answer.cost_then !== null;
}

/**
 * @param {Solved} solved
 * @param {string} zone
 */
export function savingNodes(solved, zone) {
  if (!solved.jobs.length) return [element("div", { class: "verdict" }, ...solved.notes.map((note) => element("p", null, readable(note, zone))))];
  const { currency } = solved;
  const { tone, text } = savingText(solved);
  const rows = componentRows(solved);
  const decimals = moneyDecimals(rows.flatMap(({ now, then }) => [now, then]));
  const amount = (/** @type {number} */ value) => money(value, currency, decimals);
  return [
    ...(solved.is_assumption ? [assumption(solved, zone)] : []),
    element("div", { class: "verdict", "data-tone": tone }, element("p", { class: "sentence" }, text), element("p", null, gapText(solved)),
      ...(solved.is_assumption ? [] : solved.notes.map((note) => element("p", { class: "hint" }, readable(note, zone))))),
    element("div", { class: "two-thirds" },
      wideTable("Cost before and after", [
        { title: `The whole load of ${solved.factory_name ?? solved.machine_name}`, value: (row) => row.name },
        { title: "Before", number: true, value: (row) => amount(row.now) },
        { title: "After", number: true, value: (row) => amount(row.then) },
        { title: "Saved", number: true, value: (row) => amount(row.saving), tone: (row) => (row.saving > 0 ? "good" : row.saving < 0 ? "warning" : null) },
      ], rows),
      element("dl", { class: "facts" }, ...factsOf(solved).flatMap(([term, fact]) => (
        element("div", null, element("dt", null, term), element("dd", null, fact)))))),
  ];
}

/**
 * That jobs were assumed, and what of the history suggests each.
 * @param {Answer} answer
 * @param {string} zone
 */
function assumption({ jobs, notes }, zone) {
  const reasons = jobs.map(({ id, why }) => element("li", null, element("strong", null, id), `: ${readable(why ?? "", zone)}`));
  return element("div", { class: "verdict", "data-tone": "warning" },
    ...notes.map((note) => element("p", null, readable(note, zone))),
    element("p", null, "Change these jobs, or add your own."),
    ...(reasons.length ? [element("details", { class: "more" }, element("summary", null, "Why these"), element("ul", { class: "reasons" }, ...reasons))] : []));
}

/**
 * The whole load before and after.
 * @param {Solved} solved
 * @param {string} zone
 * @returns {import("./charts.js").Spec}
 */
export function loadsSpec({ start, step_minutes: minutes, load_kw: { now, then }, site_limit_kw: limit, peak_now_kw: before, peak_then_kw: after }, zone) {
  const from = Date.parse(start);
  const line = (/** @type {number[]} */ powers) => powers.map((power, index) => /** @type {import("./charts.js").XY} */ ([from + index * minutes * 60_000, power]));
  return {
    series: [
      { label: "Before", colour: "previous", dash: true, stepped: true, points: line(now) },
      { label: "After", colour: "actual", stepped: true, points: line(then ?? []) },
    ],
    x: { title: "Time", zone },
    y: { title: "Power", unit: "kW", zero: true },
    ...(isFigure(limit) ? { level: { value: limit, text: "Site limit" } } : {}),
    hint: "Mean of every quarter of an hour: the load that is forecast, with the jobs.",
    summary: `Load before and after: the peak is ${number(before, "kW")} before, ${number(after, "kW")} after.`,
  };
}

/**
 * @param {Solved} solved
 * @returns {[string, string][]}
 */
export function factsOf({ peak_now_kw: before, peak_then_kw: then, kwh_moved: moved, co2_saved_kg: co2, site_limit_kw: limit, margin, currency }) {
  const cost = isFigure(margin?.cost) && margin.cost > 0 ? `, which costs ${money(margin.cost, currency)}` : "";
  const kept = margin ? `, kept with ${number(margin.kw, "kW")} in hand${cost}` : "";
  return [
    ["Peak", `${number(before, "kW")} before, ${number(then, "kW")} after`],
    ["Moved", number(moved, "kWh")],
    ["CO₂ saved", isFigure(co2) ? signed(co2, "kg") : NONE],
    ...(isFigure(limit) ? [/** @type {[string, string]} */ (["Site limit", `${number(limit, "kW")}${kept}`])] : []),
  ];
}

/**
 * Why jobs stand where they stood.
 * @param {Solved} solved
 * @param {string} zone
 */
export function unmovedNodes({ unmoved }, zone) {
  const title = `${count(unmoved.length, "job")} did not move`;
  const list = element("ul", { class: "reasons" }, ...unmoved.map(({ job_id: id, reason }) => (
    element("li", null, element("strong", null, id), `: ${readable(reason, zone)}`))));
  if (unmoved.length > MOST_REASONS) return [element("details", { class: "more" }, element("summary", null, title), list)];
  return unmoved.length ? [element("h3", null, title), list] : [];
}

/**
 * Why there is no schedule: what can't be kept together, and the least that would have to give.
 * @param {Answer} answer Without a schedule.
 * @param {string} zone
 */
export function unsolvedNodes({ status, clashes, relaxations, notes }, zone) {
  const list = (/** @type {Rule[]} */ rules) => element("ul", { class: "reasons" }, ...rules.map(({ text }) => element("li", null, readable(text, zone))));
  const headline = status === "infeasible" ? "No schedule keeps to all of it." : "No schedule was found in the time there was.";
  return [
    element("div", { class: "verdict", "data-tone": "critical", role: "alert" }, element("p", { class: "sentence" }, headline),
      ...(clashes.length ? [element("p", null, "These can't be kept together:"), list(clashes)] : []),
      ...(relaxations.length ? [element("p", null, "Any of these alone would do:"), list(relaxations)] : []),
      ...notes.map((note) => element("p", null, readable(note, zone)))),
  ];
}
