/**
 * What the overview makes of the answers: the faces of its tiles, the order and the cards of its machines. No calls.
 */
import {
  age, byChance, chance, count, dayStart, instant, isFigure, isStale, label, money, moneyOf, namesIn, NONE, number, percent, readable, riskTone, signed, unlikeExpected,
} from "./format.js";
import { badge, element, statusBadge, tone } from "./page.js";

/**
 * @typedef {import("./page.js").Machine} Machine
 * @typedef {{text: string, href: string}} Note
 * @typedef {{value: string, tone?: ReturnType<typeof tone>, badge?: string, notes: (string | Note)[]}} Face What a tile shows.
 * @typedef {Record<string, string | null>} Query
 * @typedef {{zone: string, now: number, today: string, contractKw: number | null, machines: Map<string, Machine>,
 *   period: Query, pageOf: (path: string, more: Query) => string}} Context What answers don't tell.
 */

// Until then no reading of the day's first whole hour may be here.
const EARLY_MS = 3 * 3_600_000;
const MOST_NAMES = 3;
const RANKS = ["critical", "warning", "normal"];
const JOBS = new Map(Object.entries({
  "daily-kpis": "Daily key figures", retrain: "Retraining of baselines", "train-baseline": "Training of a baseline", "detect-anomalies": "Detection of anomalies",
  "forecast-1h": "Forecasts of the hour", "forecast-24h": "Forecasts of the day", "forecast-7d": "Forecasts of the week", "train-forecasts": "Training of forecasts",
}));
const SVG = "http://www.w3.org/2000/svg";

/* Tiles */

/**
 * The factory's energy beside the sum of its baselines.
 * @param {any} overview
 * @param {Context} context
 * @returns {Face}
 */
export function deviationFace({ total, time_period: { start: from }, is_fallback: isFallback }, { zone }) {
  const judged = `${total.judged_machines} of ${count(total.machines, "machine")} judged`;
  if (!total.judged_machines) return { value: NONE, notes: [judged] };
  const severity = total.deviation_severity;
  return {
    value: signed(total.deviation_kwh, "kWh", Math.abs(total.deviation_kwh) < 10 ? 1 : 0),
    tone: tone(severity),
    badge: label(severity),
    notes: [
      ...(isFallback ? [`Of yesterday, ${instant(from, zone, "shortDay")}: nothing of today is over yet`] : []),
      unlikeExpected(total.deviation_percent),
      judged,
    ],
  };
}

/**
 * @param {any} kpis
 * @returns {Face}
 */
export function costFace({ kpis: { energy_cost: cost }, total_energy_kwh: energyKwh, coverage, reasons }) {
  if (!isFigure(cost.value)) return { value: NONE, notes: [whyNot(reasons.energy_cost)] };
  return {
    value: money(cost.value, cost.unit),
    notes: [
      `for ${number(energyKwh, "kWh")}`,
      `${number(cost.avg_rate_per_kwh, `${cost.unit}/kWh`)} on average`,
      ...partly(coverage),
    ],
  };
}

/**
 * @param {any} kpis
 * @returns {Face}
 */
export function carbonFace({ kpis: { carbon_intensity: carbon }, coverage, reasons }) {
  if (!isFigure(carbon.value)) return { value: NONE, notes: [whyNot(reasons.carbon)] };
  const region = carbon.region === "default" || !carbon.region ? "no region's own factor" : `region ${carbon.region}`;
  return {
    value: number(carbon.value, "kg"),
    notes: [...(isFigure(carbon.emission_factor) ? [`${number(carbon.emission_factor, "kg/kWh")}, ${region}`] : []), ...partly(coverage)],
  };
}

/** @param {{code: string, text: string} | null | undefined} reason */
function whyNot(reason) {
  return !reason || reason.code === "no_readings" ? "There are no readings." : reason.text;
}

/** @param {number} coverage */
function partly(coverage) {
  return coverage < 0.9 ? [`of ${percent(coverage)} of the time: readings are missing`] : [];
}

/**
 * The month's largest quarter of an hour, which suppliers bill, beside what the contract allows.
 * @param {any} peak
 * @param {Context} context
 * @returns {Face}
 */
export function peakFace({ billing_peak_kw: peakKw, billing_peak_time: at, reason }, { zone, contractKw }) {
  if (!isFigure(peakKw)) return { value: NONE, notes: [whyNot(reason)] };
  const share = contractKw ? peakKw / contractKw : null;
  return {
    value: number(peakKw, "kW"),
    tone: share === null || share < 0.9 ? null : share < 1 ? "warning" : "critical",
    notes: [
      `Quarter hour of ${instant(at, zone, "moment")}`,
      ...(contractKw ? [`${percent(share)} of the ${number(contractKw, "kW")} in the contract`] : []),
    ],
  };
}

/**
 * The month's peak as what foretells the next one knows it.
 * @param {any} peak Of `forecast/peak`.
 */
export function monthsPeak({ peak_so_far_this_month_kw: peakKw, peak_so_far_this_month_at: at }) {
  return { billing_peak_kw: peakKw, billing_peak_time: at, reason: null };
}

/**
 * The quarter hour that will be the highest of the next day, and whether that may cost more than any did.
 * @param {any} peak Of `forecast/peak`; with a `reason` alone where nothing could be foretold.
 * @param {Context} context
 * @returns {Face}
 */
export function nextPeakFace(peak, { zone, contractKw }) {
  if (peak.reason) return { value: NONE, notes: [readable(peak.reason, zone)] };
  const { timestamp: at, power_kw: power, limit_kw: limit, probability_over_limit: probability, peak_so_far_this_month_kw: soFar } = peak;
  const isTold = isFigure(limit) && isFigure(probability);
  return {
    value: number(power, "kW"),
    tone: isTold ? riskTone(probability) : null,
    notes: [
      `Quarter hour of ${instant(at, zone, "moment")}`,
      ...(isTold ? [`${chance(probability)} that it goes over the ${number(limit, "kW")} ${limit === contractKw ? "in the contract" : "of this month"}`] : []),
      ...(isFigure(soFar) && power > soFar ? ["More than this month has had"] : []),
    ],
  };
}

/**
 * What is open, by cost.
 * @param {any} active Of `anomaly/active`.
 * @param {Context} context
 * @returns {Face}
 */
export function anomaliesFace({ total_count: total, anomalies }, { pageOf }) {
  if (!total) return { value: "None", tone: "good", notes: ["Nothing stands out."] };
  const lost = moneyOf(anomalies);
  const more = total - MOST_NAMES;
  return {
    value: number(total, null, 0),
    tone: anomalies.some((/** @type {any} */ { severity }) => severity === "critical") ? "critical" : "warning",
    notes: [
      ...(lost ? [`${lost} lost so far${total > anomalies.length ? ` by the first ${anomalies.length}` : ""}`] : []),
      ...anomalies.slice(0, MOST_NAMES).map((/** @type {any} */ each) => ({
        text: `${each.machine_name}: ${label(each.anomaly_type).toLowerCase()}${isFigure(each.cost) ? `, ${money(each.cost, each.currency)}` : ""}`,
        href: pageOf("anomaly", { id: each.id }),
      })),
      ...(more > 0 ? [`and ${more} more`] : []),
    ],
  };
}

/**
 * Which machines still send readings.
 * @param {any} overview
 * @param {Context} context
 * @returns {Face}
 */
export function dataFace({ machines }, { now, machines: known, period, pageOf }) {
  if (!machines.length) return { value: NONE, notes: ["The factory has no active machine."] };
  const stale = machines.filter((/** @type {any} */ { machine_id: id, last_reading_at: at }) => (
    isStale(at, known.get(id)?.data_interval_seconds, now)
  ));
  const more = stale.length - MOST_NAMES;
  return {
    value: `${machines.length - stale.length} of ${machines.length} fresh`,
    tone: stale.length ? "warning" : "good",
    notes: stale.length === 0 ? ["Every machine sends its readings."] : [
      ...stale.slice(0, MOST_NAMES).map((/** @type {any} */ each) => ({
        text: `${each.machine_name}: ${each.last_reading_at ? `latest ${age(each.last_reading_at, now)}` : "no reading yet"}`,
        href: pageOf(`machine/${each.machine_id}`, period),
      })),
      ...(more > 0 ? [`and ${more} more`] : []),
    ],
  };
}

/**
 * @param {{scheduler: any, health: any}} answers
 * @param {Context} context
 * @returns {Face}
 */
export function serviceFace({ scheduler, health }, context) {
  const [text, mood] = jobsState(scheduler);
  const isWell = health.status === "healthy";
  return {
    value: isWell ? text : label(health.status),
    tone: isWell ? mood : "critical",
    notes: [
      ...scheduler.jobs.map((/** @type {any} */ job) => jobNote(job, context)),
      `Service ${health.version}: ${health.status}, database ${health.database}, ${health.models_loaded} active baselines`,
    ],
  };
}

/**
 * @param {any} scheduler
 * @returns {[string, ReturnType<typeof tone>]}
 */
function jobsState({ enabled, jobs }) {
  const ended = (/** @type {string} */ wanted) => jobs.filter((/** @type {any} */ job) => job.last_run?.state === wanted).length;
  if (ended("failed")) return ["A job failed", "critical"];
  if (ended("partial")) return ["A job failed in part", "warning"];
  return enabled ? ["In order", "good"] : ["Jobs are switched off", "warning"];
}

/**
 * @param {any} job
 * @param {Context} context
 */
function jobNote({ job, last_run: last, next_run_at: next, enabled }, { zone, now }) {
  const name = JOBS.get(job) ?? label(job.replaceAll("-", " "));
  const was = last ? `${label(last.state).toLowerCase()} ${age(last.ended_at ?? last.created_at, now)}` : "not run yet";
  const coming = next && enabled ? `, next ${instant(next, zone, "moment")}` : "";
  return `${name}: ${was}${coming}`;
}

/**
 * Whether it is so early that nothing of today can be judged yet.
 * @param {any} overview
 * @param {{zone: string, now: number, today: string}} context
 * @param {{from: string, to: string}} period
 */
export function isTooEarly({ total, machines }, { zone, now, today }, { from }) {
  const hasModel = machines.some((/** @type {any} */ { model_id: id }) => id);
  return from === today && hasModel && !total.judged_machines && now - dayStart(today, zone) < EARLY_MS;
}

/**
 * The latest reading of a factory without any in the period; null where there is nothing to point to.
 * @param {any} overview
 * @returns {string | null}
 */
export function latestElsewhere({ total, machines }) {
  const isEmpty = !total.judged_machines && machines.some((/** @type {any} */ { reason }) => reason?.code === "no_readings");
  /** @type {string[]} */
  const latest = machines.map((/** @type {any} */ each) => each.last_reading_at).filter(Boolean);
  return isEmpty ? latest.sort().at(-1) ?? null : null;
}

/* Machines */

/**
 * The worst first, those that can't be judged last. While someone looks, machines only move when their state changes.
 * @param {any[]} machines
 * @param {string[]} shown Ids in the order that is on the page.
 */
export function ordered(machines, shown = []) {
  const rank = (/** @type {any} */ { deviation_severity: severity, reason }) => {
    if (severity) return RANKS.indexOf(severity);
    return reason?.code === "no_model" ? RANKS.length + 1 : RANKS.length;
  };
  const place = (/** @type {any} */ { machine_id: id }) => (shown.includes(id) ? shown.indexOf(id) : Infinity);
  const size = (/** @type {any} */ { deviation_sigma: sigma }) => Math.abs(sigma ?? 0);
  const compare = (/** @type {number} */ a, /** @type {number} */ b) => (a === b ? 0 : a - b);
  return [...machines].sort((a, b) => compare(rank(a), rank(b)) || compare(place(a), place(b)) || compare(size(b), size(a)));
}

/**
 * What a machine's card says.
 * @param {any} machine
 * @param {string} zone
 * @returns {{headline: string, details: string[]}}
 */
export function cardFace(machine, zone) {
  if (!machine.deviation_severity) return { headline: unjudged(machine, zone), details: unjudgedDetails(machine.reason, zone) };
  return {
    headline: unlikeExpected(machine.deviation_percent),
    details: [
      `${number(machine.actual_kwh, "kWh")} used, ${number(machine.predicted_kwh, "kWh")} expected`,
      byChance(machine.deviation_sigma),
    ],
  };
}

/**
 * @param {any} machine
 * @param {string} zone
 */
function unjudged({ reason, last_reading_at: last }, zone) {
  if (reason?.code === "no_model") return "No baseline yet";
  if (reason?.code !== "no_readings") return "Could not be judged";
  return last ? `No whole interval in this period; the latest reading is from ${instant(last, zone)}` : "No reading yet";
}

/**
 * @param {{code: string, text: string} | null} reason
 * @param {string} zone
 */
function unjudgedDetails(reason, zone) {
  // What these two mean is said already, and without a server's stamps.
  if (!reason || ["no_model", "no_readings"].includes(reason.code)) return [];
  return [reason.code === "failed" ? "The service's log tells why." : readable(reason.text, zone, namesIn(reason.text))];
}

/**
 * @param {any} machine
 * @param {Machine | undefined} known
 * @param {Context} context
 */
export function cardOf(machine, known, { zone, now, period, pageOf }) {
  const { headline, details } = cardFace(machine, zone);
  const { deviation_severity: severity, reason } = machine;
  const name = element("a", { class: "cover", href: pageOf(`machine/${machine.machine_id}`, period) }, machine.machine_name);
  const train = pageOf("baseline", { machine: machine.machine_id });
  return element("li", { class: "card machine", "data-machine": machine.machine_id, "data-tone": tone(severity) },
    element("div", { class: "ends" }, element("h3", null, name), severity ? badge(label(severity), tone(severity)) : null),
    element("div", { class: "ends hint" }, element("span", null, label(machine.type)), known ? statusBadge(known, now) : null),
    ...(machine.intervals ? line(machine, zone) : []),
    element("p", { class: "finding" }, headline),
    reason?.code === "no_model" ? element("p", null, element("a", { class: "button", href: train }, "Train one")) : null,
    ...details.map((text) => element("p", { class: "hint" }, text)));
}

/**
 * Actual against expected energy in the small, with the ends of its time.
 * @param {any} machine
 * @param {string} zone
 */
function line({ machine_name: name, intervals }, zone) {
  const { interval, intervals_per_point: width, starts_at: startsAt, actual_kwh: actual, predicted_kwh: expected } = intervals;
  const pointMs = width * (interval === "hour" ? 3_600_000 : 86_400_000);
  const [from, to] = [1000 * startsAt[0], 1000 * startsAt.at(-1) + pointMs];
  const style = to - from > 1.5 * 86_400_000 ? "shortDay" : "clock";
  const ends = [instant(from, zone, style), instant(style === "clock" ? to : to - pointMs, zone, style)];
  return [
    sparkline(actual, expected, `${name}: actual and expected energy, ${ends.join(" to ")}`),
    element("div", { class: "ends hint", "aria-hidden": "true" }, ...ends.map((end) => element("span", null, end))),
  ];
}

/**
 * Actual against expected in the small, without a canvas.
 * @param {(number | null)[]} actual
 * @param {(number | null)[]} expected
 * @param {string} summary
 */
export function sparkline(actual, expected, summary) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ class: "sparkline", viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": summary })) {
    svg.setAttribute(name, value);
  }
  const top = Math.max(...[...actual, ...expected].map((value) => value ?? 0), 1e-9);
  for (const [name, values] of /** @type {[string, (number | null)[]][]} */ ([["expected", expected], ["actual", actual]])) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", pathOf(values, top));
    svg.append(path);
  }
  return svg;
}

/**
 * The path of a line through values, with gaps where there are none, in a box of 100 by 40.
 * @param {(number | null)[]} values
 * @param {number} top
 */
export function pathOf(values, top) {
  const width = Math.max(values.length - 1, 1);
  let isDrawing = false;
  return values.map((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      isDrawing = false;
      return "";
    }
    const step = `${isDrawing ? "L" : "M"}${((100 * index) / width).toFixed(2)} ${(39 - (38 * value) / top).toFixed(2)}`;
    isDrawing = true;
    return step;
  }).join("");
}
