/**
 * A machine's energy beside what its baseline expects: what it means in words, and its charts. No calls.
 */
import { withGaps } from "./charts.js";
import { byChance, calendarDay, count, dayStart, instant, label, namesIn, number, pValue, readable, signed, unlikeExpected } from "./format.js";
import { tone } from "./page.js";

/**
 * @typedef {import("./charts.js").Spec} Spec
 * @typedef {import("./charts.js").XY} XY
 * @typedef {{at: number, actual_kwh: number, predicted_kwh: number, deviation_kwh: number, deviation_percent: number | null,
 *   sigma: number, severity: string}} Judged An hour or a day; `at` in milliseconds since 1970.
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * The hours or days that an answer lists.
 * @param {any} deviation
 * @param {string} zone
 * @returns {Judged[]}
 */
export function judgedOf({ hourly_deviations: hours, daily_deviations: days }, zone) {
  if (hours) return hours.map((/** @type {any} */ each) => ({ ...each, at: Date.parse(each.hour) }));
  return days.map((/** @type {any} */ each) => ({ ...each, at: dayStart(each.day, zone) }));
}

/**
 * What the deviation's sum means, in sentences.
 * @param {any} deviation
 * @param {Judged[]} judged
 */
export function deviationTexts(deviation, judged) {
  const { total_actual_kwh: actual, total_predicted_kwh: predicted, deviation_kwh: difference, deviation_sigma: sigma } = deviation;
  const unit = deviation.hourly_deviations ? "hour" : "day";
  const odd = judged.filter(({ severity }) => severity !== "normal").length;
  const { intervals: beyond, drivers: outside } = deviation.extrapolated;
  const names = outside.map((/** @type {any} */ { driver }) => label(driver)).join(", ");
  const unjudged = deviation.unjudged.map((/** @type {any} */ each) => (
    `${count(each.count, deviation.model_interval)} not judged: ${readable(each.text, "UTC", namesIn(each.text))}.`
  ));
  return [
    `${number(actual, "kWh")} used, ${number(predicted, "kWh")} expected: ${signed(difference, "kWh")}. ${byChance(sigma)}.`,
    `${count(deviation.judged_intervals, deviation.model_interval)} judged by version ${deviation.baseline_model_version}; `
      + `${odd ? `${count(odd, unit)} stand${odd === 1 ? "s" : ""} out` : `no ${unit} stands out`}.`,
    ...(beyond ? [`In ${count(beyond, deviation.model_interval)} a driver lay outside what the baseline was trained on: ${names}.`] : []),
    ...unjudged,
  ];
}

/**
 * A lasting change in words.
 * @param {{began_on: string, size_kwh_per_day: number, p_value: number} | null} change
 */
export function changeText(change) {
  if (!change) return "No lasting change was found in these days.";
  const { began_on: day, size_kwh_per_day: size, p_value: p } = change;
  const chance = pValue(p);
  return `Since ${calendarDay(day)} it uses ${number(Math.abs(size), "kWh")} a day ${size > 0 ? "more" : "less"} than before, `
    + `which no driver explains (p ${chance.startsWith("<") ? chance : `= ${chance}`}).`;
}

/**
 * @param {any} answer Of `baseline/deviation`.
 * @param {Judged[]} judged
 * @param {string} zone
 * @param {string} period In words.
 * @returns {Spec}
 */
export function expectedSpec(answer, judged, zone, period) {
  const isHourly = Boolean(answer.hourly_deviations);
  const line = (/** @type {(each: Judged) => number | null} */ value) => (
    withGaps(judged.map((each) => /** @type {XY} */ ([each.at, value(each)])), isHourly ? HOUR_MS : DAY_MS)
  );
  const marks = (/** @type {string} */ severity) => line((each) => (each.severity === severity ? each.actual_kwh : null));
  const marked = (/** @type {string} */ severity) => judged.some((each) => each.severity === severity);
  return {
    series: [
      { label: "Actual", colour: "actual", points: line((each) => each.actual_kwh) },
      { label: "Expected", colour: "expected", dash: true, points: line((each) => each.predicted_kwh) },
      ...(marked("warning") ? [{ label: "Unusual, from 2 σ", colour: "warning", kind: /** @type {const} */ ("marks"), points: marks("warning") }] : []),
      ...(marked("critical") ? [{
        label: "Very unusual, from 3 σ", colour: "critical", kind: /** @type {const} */ ("marks"), shape: /** @type {const} */ ("rectRot"), points: marks("critical"),
      }] : []),
    ],
    x: { title: isHourly ? "Hour" : "Day", zone, days: !isHourly },
    y: { title: "Energy", unit: "kWh", zero: true },
    columns: deviationColumns(isHourly ? "Hour" : "Day", zone),
    rows: () => judged,
    hint: `By ${isHourly ? "hour" : "day"}. What stands out for a single one is marked.`,
    summary: `Actual and expected energy, ${period}: ${unlikeExpected(answer.deviation_percent)}.`,
  };
}

/**
 * Of the table behind the chart.
 * @param {"Hour" | "Day"} title
 * @param {string} zone
 * @returns {import("./page.js").Column[]}
 */
function deviationColumns(title, zone) {
  const style = title === "Hour" ? "moment" : "day";
  return [
    { title, value: (/** @type {Judged} */ { at }) => instant(at, zone, style) },
    { title: "Actual", number: true, value: (/** @type {Judged} */ each) => number(each.actual_kwh, "kWh") },
    { title: "Expected", number: true, value: (/** @type {Judged} */ each) => number(each.predicted_kwh, "kWh") },
    { title: "Deviation", number: true, value: (/** @type {Judged} */ each) => signed(each.deviation_kwh, "kWh") },
    { title: "In σ", number: true, value: (/** @type {Judged} */ each) => signed(each.sigma, null, 1) },
    { title: "Severity", value: (/** @type {Judged} */ each) => label(each.severity), tone: (each) => tone(each.severity) },
  ];
}

/**
 * @param {any} answer Of `baseline/deviation`.
 * @param {string} zone
 * @param {string} period In words.
 * @returns {Spec}
 */
export function cusumSpec({ cusum, lasting_change: change }, zone, period) {
  const text = changeText(change);
  return {
    series: [{
      label: "Deviation so far", colour: "third", fill: true,
      points: cusum.map((/** @type {any} */ { day, cusum_kwh: kwh }) => [dayStart(day, zone), kwh]),
    }],
    x: { title: "Day", zone, days: true },
    y: { title: "Sum", unit: "kWh" },
    hint: text,
    summary: `Deviation summed up by day, ${period}. ${text}`,
  };
}
