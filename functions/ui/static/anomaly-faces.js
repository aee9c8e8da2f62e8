/**
 * What the page of anomalies makes of its answers: figures, list, time line, sums. No calls.
 */
import { count, instant, isFigure, label, money, number, percent, signed, timeMarks } from "./format.js";
import { badge, byId, element, tone } from "./page.js";

/**
 * @typedef {{id: string, machine_id: string, machine_name: string, detected_at: string, ended_at: string | null, last_seen_at: string | null,
 *   anomaly_type: string, severity: "normal" | "warning" | "critical", state: string, is_resolved: boolean, metric_name: string | null,
 *   metric_unit: string | null, metric_value: number | null, expected_value: number | null, deviation_percent: number | null,
 *   deviation_std_dev: number | null, confidence_score: number | null, detection_methods: string[], false_alarms_per_week: number | null,
 *   energy_kwh: number | null, cost: number | null, currency: string | null, is_lasting: boolean | null, summary: string | null,
 *   contributions: Contribution[], updated_at: string}} Anomaly
 * @typedef {{feature: string, label: string, share: number, value: number | null, expected_value: number | null,
 *   sigma: number | null, unit: string | null}} Contribution
 * @typedef {{from: number, to: number}} Span Milliseconds since 1970.
 * @typedef {{id: string, text: string, tone: ReturnType<typeof tone>, left: number, width: number}} Bar Places are shares of the span.
 * @typedef {{name: string, bars: Bar[]}} Lane
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
// More lanes than these are no picture any more.
const MOST_LANES = 8;
const MARK_PX = 64;
const STATE_TONES = new Map(Object.entries({ acknowledged: /** @type {const} */ ("warning"), resolved: /** @type {const} */ ("good") }));
export const KINDS = [
  "power_spike", "power_drop", "efficiency_drop", "baseload_increase", "pressure_anomaly", "temperature_spike", "unusual_pattern",
  "sensor_fault", "data_gap",
];

export const SHOWN = new Map([
  ["open", "open now"], ["1", "in the last 24 hours"], ["7", "in the last 7 days"], ["30", "in the last 30 days"],
]);
export const FILTERS = /** @type {const} */ (["machine", "severity", "kind", "state"]);
const PAGE = 100;

/* What is asked for */

/**
 * What the URL asks for.
 * @param {URLSearchParams} asked
 */
export function wantedOf(asked) {
  const [machine, severity, kind, life, id] = ["machine", "severity", "kind", "state", "id"].map((name) => asked.get(name) || null);
  const show = asked.get("show") ?? "";
  const days = show !== "open" && SHOWN.has(show) ? Number(show) : null;
  return {
    show: days ? show : "open", days, machine: machine ?? null, severity: severity ?? null, kind: kind ?? null, state: life ?? null, id: id ?? null,
  };
}

/** @typedef {ReturnType<typeof wantedOf>} Wanted */

/**
 * The call that lists what is wanted.
 * @param {Wanted} wanted
 * @param {string} factoryId
 * @param {number} now Milliseconds since 1970.
 * @returns {[string, Record<string, string | number | null>]}
 */
export function questionOf({ days, machine, severity, kind, state }, factoryId, now) {
  const of = { factory_id: factoryId, machine_id: machine, severity, anomaly_type: kind, state, limit: PAGE };
  if (!days) return ["api/v1/anomaly/active", of];
  return ["api/v1/anomaly/recent", { ...of, since: new Date(now - days * DAY_MS).toISOString() }];
}

/**
 * The call that sums up what began in the period that is wanted.
 * @param {Wanted} wanted
 * @param {string} factoryId
 * @param {number} now Milliseconds since 1970.
 * @returns {[string, Record<string, string | null>]}
 */
export function sumsQuestionOf({ days, machine }, factoryId, now) {
  const of = { factory_id: factoryId, machine_id: machine };
  if (!days) return ["api/v1/anomaly/summary", of];
  return ["api/v1/anomaly/summary", { ...of, start: new Date(now - days * DAY_MS).toISOString(), end: new Date(now).toISOString() }];
}

/**
 * Its period in words; of what is open as much as the service sums up unasked.
 * @param {Wanted} wanted
 */
export function periodText({ days }) {
  return days === 1 ? "the last 24 hours" : `the last ${days ?? 30} days`;
}

/**
 * Fills the page's filters.
 * @param {Wanted} wanted
 * @param {{id: string, name: string}[]} machines
 */
export function offerFilters(wanted, machines) {
  const states = wanted.days ? ["open", "acknowledged", "resolved", "false_alarm", "expected"] : ["open", "acknowledged"];
  const named = (/** @type {string[]} */ names) => names.map((name) => /** @type {const} */ ([name, label(name)]));
  const offers = {
    machine: machines.map(({ id, name }) => /** @type {const} */ ([id, name])),
    severity: named(["critical", "warning"]),
    kind: named(KINDS),
    state: named(states),
  };
  for (const name of FILTERS) {
    /** @type {HTMLSelectElement} */
    const select = byId(name);
    select.replaceChildren(...[/** @type {const} */ (["", "All"]), ...offers[name]].map(([value, text]) => element("option", { value }, text)));
    select.value = wanted[name] ?? "";
  }
  for (const button of byId("show").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.show === wanted.show));
}

/**
 * What stands in place of an empty list, and what leads on.
 * @param {Wanted} wanted
 * @returns {{text: string, offer: string | null, changes: Record<string, string | null>}}
 */
export function noneText({ show, ...wanted }) {
  if (FILTERS.some((name) => wanted[name])) {
    return { text: `Of these there is none ${SHOWN.get(show)}.`, offer: "Show all", changes: Object.fromEntries(FILTERS.map((name) => [name, null])) };
  }
  const text = show === "open" ? "No anomaly is open." : `There was no anomaly ${SHOWN.get(show)}.`;
  return { text, offer: show === "30" ? null : "Show the last 30 days", changes: { show: "30" } };
}

/* Words */

/**
 * How long something lasted, in the unit that suits it.
 * @param {number} ms
 */
export function lasted(ms) {
  if (ms < HOUR_MS) return count(Math.max(Math.round(ms / 60_000), 1), "minute");
  if (ms < 2 * DAY_MS) return count(Math.round(ms / HOUR_MS), "hour");
  return count(Math.round(ms / DAY_MS), "day");
}

/**
 * When it was, for the list: "since Tue, 24 Nov, 09:15 (5 hours)".
 * @param {Pick<Anomaly, "detected_at" | "ended_at">} anomaly
 * @param {string} zone
 * @param {number} now Milliseconds since 1970.
 */
export function whenText({ detected_at: from, ended_at: to }, zone, now) {
  const span = lasted((to ? Date.parse(to) : now) - Date.parse(from));
  const began = instant(from, zone, "moment");
  return to ? `${began}, for ${span}` : `since ${began}, ${span} by now`;
}

/**
 * The state where it is worth a word: open is what a list begins with.
 * @param {string} state
 */
export function stateBadge(state) {
  return state === "open" ? null : badge(label(state), STATE_TONES.get(state) ?? null);
}

/* Figures */

/**
 * @param {any} summary Of `anomaly/summary`, with the period in words: "the last 30 days".
 * @returns {{id: string, value: string, note: string}[]}
 */
export function summaryTiles({ open, acknowledged, resolved, energy_kwh: energyKwh, cost, currency, false_alarms: wrong, false_alarm_rate: rate, period }) {
  return [
    { id: "count", value: number(open + acknowledged + resolved, null, 0), note: `${number(open, null, 0)} new, ${number(acknowledged, null, 0)} acknowledged, ${number(resolved, null, 0)} resolved` },
    { id: "cost", value: money(cost, currency), note: isFigure(cost) ? `in ${period}` : "There is no price to count with." },
    { id: "energy", value: signed(energyKwh, "kWh"), note: `in ${period}` },
    {
      id: "feedback",
      value: percent(rate),
      note: isFigure(rate) ? `${number(wrong, null, 0)} of ${number(resolved, null, 0)} resolved` : "Nobody has judged one yet.",
    },
  ];
}

/** @param {{id: string, value: string, note: string}} tile */
export function showTile({ id, value, note }) {
  const tile = byId(`tile-${id}`);
  tile.querySelector(".value")?.replaceChildren(value);
  tile.querySelector(".note")?.replaceChildren(note);
}

/* List */

/**
 * An anomaly in the list.
 * @param {Anomaly} anomaly
 * @param {{zone: string, now: number, href: string, isOpened: boolean}} context
 */
export function itemOf(anomaly, { zone, now, href, isOpened }) {
  const { id, machine_name: name, anomaly_type: kind, severity, state, cost, currency, energy_kwh: energyKwh } = anomaly;
  const price = isFigure(cost) ? money(cost, currency) : element("span", { class: "hint" }, "no price");
  return element("li", null, element("a", { class: "anomaly", href, "data-id": id, "data-tone": tone(severity), "aria-current": isOpened ? "true" : null },
    element("span", { class: "ends" }, element("strong", { class: "name" }, name), element("strong", { class: "price" }, price)),
    element("span", { class: "ends" },
      element("span", { class: "words" }, label(kind), badge(label(severity), tone(severity)), stateBadge(state)),
      element("span", { class: "hint" }, isFigure(energyKwh) ? signed(energyKwh, "kWh") : "")),
    element("span", { class: "hint" }, whenText(anomaly, zone, now))));
}

/* Time line */

/**
 * What the time line shows of what is open: from the first day of the eldest on, at least the last day.
 * @param {Pick<Anomaly, "detected_at">[]} anomalies
 * @param {number} now Milliseconds since 1970.
 * @param {number | null} days Null for all that is open.
 * @returns {Span}
 */
export function spanOf(anomalies, now, days) {
  if (days) return { from: now - days * DAY_MS, to: now };
  const first = Math.min(...anomalies.map(({ detected_at: at }) => Date.parse(at)), now - DAY_MS);
  return { from: first - 0.02 * (now - first), to: now };
}

/**
 * A lane a machine: those with anomalies in the order of the list, then quiet ones.
 * @param {Anomaly[]} anomalies
 * @param {Pick<import("./page.js").Machine, "id" | "name" | "is_active">[]} machines Of the factory.
 * @param {Span} span
 * @param {string} zone
 * @param {string | null} machineId Of the only machine that is looked at.
 * @returns {Lane[]}
 */
export function lanesOf(anomalies, machines, span, zone, machineId) {
  /** @type {Map<string, Bar[]>} */
  const lanes = new Map();
  for (const anomaly of anomalies) {
    lanes.set(anomaly.machine_name, [...(lanes.get(anomaly.machine_name) ?? []), barOf(anomaly, span, zone)]);
  }
  const quiet = machines.filter(({ id, is_active: isActive }) => (machineId ? id === machineId : isActive));
  for (const { name } of quiet) if (!lanes.has(name)) lanes.set(name, []);
  // The shortest last: it lies upon longer ones.
  return [...lanes].slice(0, MOST_LANES).map(([name, bars]) => ({ name, bars: bars.sort((a, b) => b.width - a.width) }));
}

/**
 * @param {Anomaly} anomaly
 * @param {Span} span
 * @param {string} zone
 * @returns {Bar}
 */
function barOf(anomaly, { from, to }, zone) {
  const share = (/** @type {number} */ at) => Math.min(Math.max((at - from) / (to - from), 0), 1);
  const left = share(Date.parse(anomaly.detected_at));
  const right = share(anomaly.ended_at ? Date.parse(anomaly.ended_at) : to);
  const text = `${label(anomaly.anomaly_type)}, ${anomaly.severity}, ${whenText(anomaly, zone, to)}`;
  return { id: anomaly.id, text, tone: tone(anomaly.severity), left, width: Math.max(right - left, 0) };
}

/**
 * The picture. Whoever can't see or click it has the list with the same.
 * @param {HTMLElement} root
 * @param {Lane[]} lanes
 * @param {Span} span
 * @param {string} zone
 * @param {string | null} opened Id of the anomaly that is opened.
 */
export function drawLanes(root, lanes, { from, to }, zone, opened) {
  const rows = lanes.map(({ name, bars }) => element("div", { class: "lane" },
    element("span", { class: "name", title: name }, name),
    element("div", { class: "track", role: "img", "aria-label": `${name}: ${bars.map(({ text }) => text).join("; ") || "none"}` },
      ...bars.map((bar) => placed(element("i", { "data-id": bar.id, "data-tone": bar.tone, "data-opened": bar.id === opened, title: bar.text }), bar)))));
  const most = Math.max(2, Math.min(8, Math.floor(root.clientWidth / MARK_PX / 1.6)));
  const marks = timeMarks(from, to, zone, most).map(({ at, text }) => placed(element("span", null, text), { left: (at - from) / (to - from) }));
  const axis = element("div", { class: "track" });
  root.replaceChildren(...rows, element("div", { class: "lane axis", "aria-hidden": "true" }, element("span"), axis));
  // A mark at the very end would be cut off.
  axis.append(...marks.filter((mark) => (1 - Number(mark.style.getPropertyValue("--left"))) * axis.clientWidth > MARK_PX));
}

/**
 * @param {HTMLElement} target
 * @param {{left: number, width?: number}} place
 */
function placed(target, { left, width }) {
  target.style.setProperty("--left", left.toFixed(5));
  if (width !== undefined) target.style.setProperty("--width", width.toFixed(5));
  return target;
}

/**
 * What became new since the page looked last, for those who hear it.
 * @param {Anomaly[]} before
 * @param {Anomaly[]} now
 */
export function newsText(before, now) {
  const known = new Set(before.map(({ id }) => id));
  const fresh = now.filter(({ id }) => !known.has(id));
  const [first] = fresh;
  if (!first) return null;
  return fresh.length === 1 ? `New: ${label(first.anomaly_type)} at ${first.machine_name}.` : `${count(fresh.length, "new anomaly", "new anomalies")}.`;
}
