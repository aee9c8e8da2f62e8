/**
 * One anomaly opened: what it is in words and figures, the series around it, its causes, what became of it.
 */
import { lasted, stateBadge } from "./anomaly-faces.js";
import { get, isCancelled, Problem } from "./api.js";
import { Figure, withGaps } from "./charts.js";
import { byChance, instant, isFigure, label, localDay, money, NONE, number, percent, readable, signed } from "./format.js";
import { badge, byId, element, pageAddress, pause, tone, wideTable } from "./page.js";

/**
 * @typedef {import("./anomaly-faces.js").Anomaly} Anomaly
 * @typedef {import("./charts.js").XY} XY
 * @typedef {(number | null)[] | null} Values
 * @typedef {{metric_name: string, unit: string | null, interval_seconds: number, starts_at: string[], values: (number | null)[],
 *   expected: Values, low: Values, high: Values}} Around
 * @typedef {{event: string, actor: string | null, note: string | null, at: string}} Happening
 * @typedef {Anomaly & {series: Around | null, history: Happening[], resolved_at: string | null, resolved_by: string | null}} Detailed
 */

const DAY_MS = 86_400_000;
const WEEKS_A_YEAR = 52.18;
const METHODS = new Map(Object.entries({
  baseline_deviation: "deviation from the baseline",
  cusum: "CUSUM, for slow drift",
  isolation_forest: "isolation forest",
  load_model: "power at the same load",
  power_profile: "the same hours of earlier weeks",
  sensor: "check of the sensors",
  rule: "rules for sensors and gaps",
}));
/** What events are called in the history. */
const EVENTS = new Map(Object.entries({
  opened: "Opened", worsened: "Became critical", extended: "Went on", ended: "Over", acknowledged: "Acknowledged", resolved: "Resolved",
}));

/**
 * How rarely a sound machine looks as odd.
 * @param {number | null} perWeek
 */
export function rarity(perWeek) {
  if (!isFigure(perWeek)) return NONE;
  if (perWeek >= 1.5) return `${number(perWeek, null, 0)} times a week`;
  const weeks = 1 / Math.max(perWeek, 1e-6);
  if (weeks < 1.5) return "once a week";
  if (weeks < 9) return `once in ${number(weeks, null, 0)} weeks`;
  if (weeks < 2 * WEEKS_A_YEAR) return `once in ${number((12 * weeks) / WEEKS_A_YEAR, null, 0)} months`;
  return weeks > 10 * WEEKS_A_YEAR ? "less than once in 10 years" : `once in ${number(weeks / WEEKS_A_YEAR, null, 0)} years`;
}

/**
 * A probability that never reads as certainty.
 * @param {number | null} probability
 */
export function sureness(probability) {
  if (!isFigure(probability)) return NONE;
  return probability > 0.999 ? `over ${percent(0.999, 1)}` : percent(probability, probability > 0.985 ? 1 : 0);
}

/**
 * What is usual; what is next to nothing beside what was measured is nothing.
 * @param {import("./anomaly-faces.js").Contribution} contribution
 */
export function usualValue({ value, expected_value: expected }) {
  return isFigure(value) && isFigure(expected) && Math.abs(expected) < 0.005 * Math.abs(value) ? 0 : expected;
}

/**
 * What happened, with what goes on hour by hour told once, as of the last time.
 * @param {Happening[]} history
 * @returns {(Happening & {times: number})[]}
 */
export function shortened(history) {
  /** @type {(Happening & {times: number})[]} */
  const told = [];
  for (const each of history) {
    const last = told.at(-1);
    const isMore = each.event === "extended" && last?.event === "extended";
    if (isMore) told.pop();
    told.push({ ...each, times: isMore ? last.times + 1 : 1 });
  }
  return told;
}

/**
 * Value beside what was expected: "12.4 kW, 10.1 kW expected (+23 %)".
 * @param {Anomaly} anomaly
 */
export function comparedText({ metric_value: value, metric_unit: unit, expected_value: expected, deviation_percent: percentOff }) {
  if (!isFigure(expected)) return number(value, unit);
  return `${number(value, unit)}, ${number(expected, unit)} expected${isFigure(percentOff) ? ` (${signed(percentOff, "%", 0)})` : ""}`;
}

/**
 * @param {Anomaly} anomaly
 * @param {string} zone
 * @param {number} now Milliseconds since 1970.
 * @returns {[string, string][]}
 */
export function factsOf(anomaly, zone, now) {
  const { detected_at: from, ended_at: to, last_seen_at: seen, cost, currency, energy_kwh: energyKwh, deviation_std_dev: sigma } = anomaly;
  return [
    ["Began", instant(from, zone)],
    ["Ended", to ? `${instant(to, zone)}, after ${lasted(Date.parse(to) - Date.parse(from))}` : `goes on, ${lasted(now - Date.parse(from))} by now; last seen ${instant(seen, zone, "moment")}`],
    ["Money lost", isFigure(cost) ? money(cost, currency) : "no price is known"],
    ["Energy lost", isFigure(energyKwh) ? signed(energyKwh, "kWh") : "nothing tells it"],
    [label(anomaly.metric_name ?? "measured"), comparedText(anomaly)],
    ["How unusual", byChance(sigma)],
    ["Confidence", sureness(anomaly.confidence_score)],
    ["As odd by chance", rarity(anomaly.false_alarms_per_week)],
    ["Found by", anomaly.detection_methods.map((name) => METHODS.get(name) ?? label(name)).join(", ") || NONE],
  ];
}

/**
 * The series around it, what was expected with its band, and the part that is the anomaly.
 * @param {Detailed} anomaly
 * @param {string} zone
 * @returns {import("./charts.js").Spec | null}
 */
export function seriesSpec({ series, detected_at: began, ended_at: ended, severity, summary }, zone) {
  if (!series?.starts_at.length) return null;
  const { unit, interval_seconds: seconds, values, expected, low, high } = series;
  const times = series.starts_at.map((at) => Date.parse(at));
  const line = (/** @type {Values} */ of) => withGaps(times.map((at, index) => /** @type {XY} */ ([at, of?.[index] ?? null])), 1000 * seconds);
  const [from, to] = [Date.parse(began), ended ? Date.parse(ended) : Infinity];
  const isOdd = times.map((at) => at >= from && at < to);
  // With the points at both ends, so that it joins on to the rest.
  const odd = values.map((value, index) => (isOdd[index] || isOdd[index - 1] || isOdd[index + 1] ? value : null));
  const rest = values.map((value, index) => (isOdd[index] ? null : value));
  const title = label(series.metric_name);
  return {
    series: [
      ...usual(series, line),
      { label: "Measured", colour: "actual", points: line(rest) },
      { label: "Measured in the anomaly", colour: severity === "critical" ? "critical-mark" : "warning-mark", points: line(odd) },
    ],
    x: { title: "Time", zone },
    y: { title, unit },
    legend: false,
    hint: `${unit ? `${title} in ${unit}` : title}: the anomaly in its colour${expected ? "; shaded and dashed what is usual" : ""}.`,
    summary: `${title} around the anomaly. ${summary ?? ""}`,
    columns: [
      { title: "Time", value: (/** @type {number} */ index) => instant(times[index] ?? null, zone, "moment") },
      { title: "Measured", number: true, value: (index) => number(values[index], unit) },
      { title: "Expected", number: true, value: (index) => number(expected?.[index], unit) },
      { title: "Usual from", number: true, value: (index) => number(low?.[index], unit) },
      { title: "Usual to", number: true, value: (index) => number(high?.[index], unit) },
      { title: "In the anomaly", value: (index) => (isOdd[index] ? "yes" : "") },
    ],
    rows: () => times.map((_, index) => index),
  };
}

/**
 * What was expected, and the band of what is usual, where something tells them.
 * @param {Around} series
 * @param {(values: Values) => XY[]} line
 * @returns {import("./charts.js").Series[]}
 */
function usual({ expected, low, high }, line) {
  const edge = { colour: "expected", kind: /** @type {const} */ ("band") };
  const band = low && high ? [{ label: "Usual, from", points: line(low), ...edge }, { label: "Usual, to", points: line(high), fill: true, ...edge }] : [];
  return expected ? [...band, { label: "Expected", colour: "expected", dash: true, points: line(expected) }] : band;
}

/** The part of the page that shows one. */
export class Detail {
  /**
   * @param {import("./page.js").Region} region
   * @param {string} zone
   */
  constructor(region, zone) {
    this.region = region;
    this.zone = zone;
    this.figure = new Figure(byId("chart-series"));
    /** @type {Anomaly | null} */
    this.anomaly = null;
  }

  /**
   * @param {string} id
   * @param {Anomaly | undefined} listed What the list tells of it: shown until the rest is here.
   */
  async load(id, listed) {
    if (this.anomaly?.id !== id) {
      this.leave();
      if (listed) this.tellOf(listed);
    }
    this.region.loading();
    try {
      await this.show(await get("detail", `api/v1/anomaly/${encodeURIComponent(id)}`));
    } catch (error) {
      if (isCancelled(error)) return;
      this.leave();
      if (error instanceof Problem && [404, 422].includes(error.status)) this.region.empty("There is no such anomaly any more.");
      else this.region.failed(error, () => this.load(id, listed));
    }
  }

  /** Nothing is opened any more, or another one. */
  leave() {
    this.anomaly = null;
    for (const name of ["acknowledge", "resolve", "suppress"]) byId(name).hidden = true;
    byId("detail-title").textContent = "Anomaly";
    byId("problem").textContent = "";
    [byId("chart-series").hidden, byId("no-series").hidden] = [false, true];
    byId("chart-series").toggleAttribute("data-pending", true);
    byId("history").replaceChildren();
  }

  /** @param {Anomaly} anomaly */
  tellOf(anomaly) {
    this.anomaly = anomaly;
    byId("detail-title").textContent = `${label(anomaly.anomaly_type)} at ${anomaly.machine_name}`;
    byId("acknowledge").hidden = anomaly.state !== "open";
    byId("resolve").hidden = anomaly.is_resolved;
    byId("suppress").hidden = false;
    byId("told").dataset.tone = anomaly.is_resolved ? "" : tone(anomaly.severity) ?? "";
    byId("told").replaceChildren(...told(anomaly, this.zone));
    showFacts(factsOf(anomaly, this.zone, Date.now()));
    byId("causes").replaceChildren(causes(anomaly.contributions));
    this.region.ready();
  }

  /** @param {Detailed} anomaly */
  async show(anomaly) {
    byId("history").replaceChildren(...shortened(anomaly.history).map((each) => happening(each, anomaly.summary, this.zone)));
    const spec = seriesSpec(anomaly, this.zone);
    [byId("chart-series").hidden, byId("no-series").hidden] = [!spec, Boolean(spec)];
    byId("chart-series").removeAttribute("data-pending");
    this.tellOf(anomaly);
    // A task of its own: the page answers to its user in between.
    await pause();
    if (spec) this.figure.draw(spec);
  }

  /**
   * What someone wanted to do and could not.
   * @param {unknown} error
   */
  tell(error) {
    byId("problem").textContent = error instanceof Problem ? readable(error.message, this.zone) : "The page has a fault: load it again.";
  }
}

/** @param {[string, string][]} facts */
function showFacts(facts) {
  byId("facts").replaceChildren(...facts.map(([term, value]) => (
    element("div", null, element("dt", null, term), element("dd", null, value))
  )));
}

/**
 * The sentence, and where it leads.
 * @param {Anomaly} anomaly
 * @param {string} zone
 */
function told(anomaly, zone) {
  const { machine_id: machineId, severity, state, anomaly_type: kind, detected_at: from, ended_at: to, last_seen_at: seen, summary, is_lasting: isLasting } = anomaly;
  const day = (/** @type {number} */ at) => localDay(at, zone);
  const days = { from: day(Date.parse(from) - DAY_MS), to: day(Date.parse(to ?? seen ?? from)) };
  return [
    element("p", { class: "words" }, badge(label(severity), tone(severity)), stateBadge(state) ?? badge("Open", null)),
    element("p", { class: "sentence" }, readable(summary ?? `${label(kind)}.`, zone)),
    isLasting ? element("p", null, "The level changed for good. If that is meant to be, ",
      element("a", { href: pageAddress("baseline", { machine: machineId }) }, "train a new baseline"), ".") : "",
    element("p", { class: "no-print" }, element("a", { href: pageAddress(`machine/${machineId}`, days) }, "The machine in these days")),
  ];
}

/** @param {import("./anomaly-faces.js").Contribution[]} contributions */
function causes(contributions) {
  if (!contributions.length) return element("p", { class: "hint" }, "Nothing else stood out with it.");
  return wideTable("What drove it", [
    { title: "What", value: (each) => each.label || label(each.feature) },
    { title: "Share", value: (each) => shareBar(each.share) },
    { title: "Measured", number: true, value: (each) => number(each.value, each.unit) },
    { title: "Usual", number: true, value: (each) => number(usualValue(each), each.unit) },
    { title: "In σ", number: true, value: (each) => signed(each.sigma, null, 1) },
  ], contributions);
}

/** @param {number} share */
function shareBar(share) {
  const bar = element("i");
  bar.style.setProperty("--share", String(Math.min(Math.max(share, 0), 1)));
  return element("span", { class: "share" }, bar, element("span", null, percent(share)));
}

/**
 * @param {Happening & {times: number}} happening
 * @param {string | null} sentence That stands above already.
 * @param {string} zone
 */
function happening({ event, actor, note, at, times }, sentence, zone) {
  return element("li", null,
    element("strong", null, EVENTS.get(event) ?? label(event)),
    element("span", { class: "hint" }, `${times > 1 ? `, ${times} times, at last` : ""} ${instant(at, zone)}${actor ? ` by ${actor}` : ""}`),
    note && note !== sentence ? element("p", null, readable(note, zone)) : null);
}
