/**
 * Whatever a machine measures, drawn over the period.
 */
import { get } from "./api.js";
import { Figure, withGaps } from "./charts.js";
import { count, daysBetween, isFigure, label } from "./format.js";
import { byId, element, pause, remember, state } from "./page.js";

/**
 * @typedef {{id: string, zone: string, picker: import("./page.js").PeriodPicker}} Subject Whose readings, and when.
 */

// How wide a point of the readings is, for periods of up to so many days.
const WIDTHS = /** @type {const} */ ([[1, "5min"], [7, "15min"], [31, "1h"], [124, "3h"]]);
const POWER = "power_kw";

/**
 * The width of a point that draws a period in some hundred points.
 * @param {number} days
 */
export function seriesInterval(days) {
  return WIDTHS.find(([most]) => days <= most)?.[1] ?? "1d";
}

/**
 * What a picker calls a metric; own fields of the metadata may be named as a column is.
 * @param {string} name
 */
export function metricLabel(name) {
  const [table, field] = name.split(".");
  return field ? `${label(field)} (own field of ${table})` : label(name);
}

/** The chart with its picker of metrics. */
export class Readings {
  /**
   * @param {import("./page.js").Region} region
   * @param {Subject} subject
   */
  constructor(region, subject) {
    this.region = region;
    this.subject = subject;
    this.figure = new Figure(byId("chart-series"));
    byId("metric").addEventListener("change", () => this.choose());
  }

  metric() {
    return state().get("metric") ?? POWER;
  }

  /** @param {string[]} metrics What the machine measures. */
  offer(metrics) {
    /** @type {HTMLSelectElement} */
    const select = byId("metric");
    // A link may name a metric that is measured no more.
    const names = metrics.includes(this.metric()) ? metrics : [this.metric(), ...metrics];
    select.replaceChildren(...names.map((name) => element("option", { value: name }, metricLabel(name))));
    select.value = this.metric();
  }

  choose() {
    /** @type {HTMLSelectElement} */
    const { value } = byId("metric");
    remember({ metric: value === POWER ? null : value }, { push: true });
    this.load();
  }

  async load() {
    const { id, zone, picker } = this.subject;
    this.region.loading();
    const { from, to } = picker.days();
    const asked = { metric: this.metric(), start: from, end: to, interval: seriesInterval(daysBetween(from, to)) };
    try {
      const answer = await get("series", `api/v1/machines/${id}/series`, asked);
      if (!answer.data.time.length) return this.region.empty(`No ${metricLabel(this.metric()).toLowerCase()} was measured in these days.`);
      await pause();
      this.region.ready();
      const { metric, unit } = answer;
      const heading = /** @type {HTMLElement} */ (this.figure.root.querySelector("h3"));
      heading.textContent = unit ? `${metricLabel(metric)} in ${unit}` : metricLabel(metric);
      this.figure.draw(readingsSpec(answer, zone, picker.text()));
    } catch (error) {
      this.region.failed(error, () => this.load());
    }
  }
}

/**
 * @param {any} answer Of `machines/{id}/series`.
 * @param {string} zone
 * @param {string} period In words.
 * @returns {import("./charts.js").Spec}
 */
export function readingsSpec({ data, metric, unit, interval_seconds: seconds }, zone, period) {
  const line = (/** @type {(number | null)[]} */ values) => (
    withGaps(data.time.map((/** @type {string} */ at, /** @type {number} */ index) => [Date.parse(at), values[index] ?? null]), 1000 * seconds)
  );
  const title = metricLabel(metric);
  const width = seconds < 3600 ? count(seconds / 60, "minute") : count(seconds / 3600, "hour");
  const hasBand = data.min.some(isFigure);
  const edge = { colour: "actual", kind: /** @type {const} */ ("band") };
  return {
    series: [
      ...(hasBand ? [{ label: "Smallest", points: line(data.min), ...edge }, { label: "Largest", points: line(data.max), fill: true, ...edge }] : []),
      { label: hasBand ? "Mean" : title, colour: "actual", points: line(data.value) },
    ],
    x: { title: "Time", zone },
    y: { title, unit },
    legend: false,
    hint: hasBand ? `Mean of every ${width}; shaded from the smallest to the largest reading.` : `Sum of every ${width}.`,
    summary: `${title}, ${period}.`,
  };
}
