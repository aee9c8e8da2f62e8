/** What the page of forecasts makes of the API's answers. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { accuracyTile, chosenOf, limitOf, limitText, loadSpec, noticesOf, tilesOf, wantedOf } from "../../functions/ui/static/forecast-faces.js";
import { coverageTone, factsOf, leadSpec, maseText, verdictOf } from "../../functions/ui/static/forecast-proof.js";
import { chance, riskTone } from "../../functions/ui/static/format.js";
import { monthsPeak, nextPeakFace, peakFace } from "../../functions/ui/static/overview-faces.js";

const BERLIN = "Europe/Berlin";
const HOUR = 3_600_000;

/** @param {string | undefined} text */
const plain = (text) => (text ?? "").replaceAll("\u00a0", " ");
/** @param {string} query */
const wanted = (query) => wantedOf(new URLSearchParams(query));

/**
 * @param {string} timestamp
 * @param {number} power
 */
const step = (timestamp, power) => ({
  timestamp, predicted_power_kw: power, confidence_interval_lower: power - 4, confidence_interval_upper: power + 4, lower_80_kw: power - 2,
  upper_80_kw: power + 2, energy_kwh: power,
});

/**
 * @param {Record<string, any>} [more]
 * @returns {any}
 */
const demand = (more = {}) => ({
  predictions: [step("2026-11-24T12:00:00+01:00", 100), step("2026-11-24T13:00:00+01:00", 120)],
  peak_demand_predicted: { timestamp: "2026-11-24T13:15:00+01:00", power_kw: 140 }, step_minutes: 60,
  forecast_generated_at: "2026-11-24T12:02:00+01:00", timezone: BERLIN, notes: [], state: "stored", age_minutes: 2,
  model: { version: 3, choice: "selected", members: ["MSTL + AR", "seasonal naive (week)", "persistence"], trained_at: "2026-11-22T03:00:00+01:00", reason: "the mean of the best" },
  backtest: { origins: 28, scale_kw: 14.2, models: [{ name: "a", is_chosen: true, ratio_to_naive: 0.9 }, { name: "selected", is_chosen: true, ratio_to_naive: 0.62 }] },
  coverage: { days_of_history: 84, share_of_readings: 0.99 }, regressors_used: [], regressors_left_out: [], ...more,
});

/**
 * @param {Record<string, any>} [more]
 * @returns {any}
 */
const peak = (more = {}) => ({
  timestamp: "2026-11-24T13:15:00+01:00", power_kw: 140, interval_80: [130, 152], interval_95: [125, 160], limit_kw: 400, limit_source: "given",
  probability_over_limit: 0.003, peak_so_far_this_month_kw: 218, peak_so_far_this_month_at: "2026-11-18T08:30:00+01:00", ...more,
});

/** @type {any} */
const context = { zone: BERLIN, horizon: "24h", contractKw: 400, limit: 400, limitName: "400 kW, the demand in the contract", peak: peak() };

test("the address tells what is shown, and what means nothing is as nothing", () => {
  assert.deepEqual(wanted(""), { horizon: "24h", model: "selected", machine: null, limit: null });
  assert.deepEqual(wanted("horizon=7d&model=prophet&machine=m&limit=350"), { horizon: "7d", model: "prophet", machine: "m", limit: "350" });
  // ARIMA is kept for the next hour alone.
  assert.deepEqual(["horizon=1h&model=arima", "model=arima", "model=x"].map((query) => wanted(query).model), ["arima", "selected", "selected"]);
  assert.deepEqual([wanted("horizon=2h").horizon, wanted("limit=-3").limit, wanted("limit=month").limit], ["24h", null, "month"]);
});

test("the limit is the one given, else the contract's, else the service's", () => {
  assert.deepEqual([wanted("limit=350"), wanted(""), wanted("limit=month")].map((each) => limitOf(each, 400)), [350, 400, null]);
  assert.equal(limitOf(wanted(""), null), null);
  assert.deepEqual([limitText(400, "given", 400), limitText(350, "given", 400), limitText(218, "peak_so_far_this_month", 400)], [
    "the demand in the contract", "the limit given", "this month's peak so far",
  ]);
});

test("tiles tell the peak of the paths, its chance and the energy to come", () => {
  const [top, limit, energy] = tilesOf(demand(), peak(), context);
  assert.equal(plain(top?.value), "140 kW");
  assert.match(plain(top?.notes.join("; ")), /Tue.*24.*13:15; four times in five 130 to 152 kW/);
  assert.deepEqual([plain(limit?.value), limit?.tone, ...(limit?.notes ?? []).map(plain)], ["under 1 %", "good", "over 400 kW", "the demand in the contract"]);
  assert.deepEqual([plain(energy?.value), ...(energy?.notes ?? []).map(plain)], ["220 kWh", "in the next 24 hours", "110 kW on average"]);
});

test("without a peak of its own a horizon shows the demand's, and no chance", () => {
  const [top, limit] = tilesOf(demand(), null, { ...context, horizon: "1h" });
  assert.deepEqual([plain(top?.value), top?.notes.length, limit?.value], ["140 kW", 1, "–"]);
  assert.equal(tilesOf(demand(), peak({ limit_kw: null, probability_over_limit: null }), context)[1]?.notes[0], "There is nothing to hold the peak against yet.");
});

test("a chance is never certainty, and its tone tells when to act", () => {
  assert.deepEqual([0, 0.004, 0.2, 0.5, 0.995].map((each) => plain(chance(each))), ["under 1 %", "under 1 %", "20 %", "50 %", "over 99 %"]);
  assert.deepEqual([0.05, 0.1, 0.5].map(riskTone), ["good", "warning", "critical"]);
});

test("accuracy is told in words, until something is scored by the backtest of what serves", () => {
  const scored = accuracyTile({ skill_percent: 38, in_words: "last 4 weeks: 38 % better than the same hour last week", scored: 640 }, demand());
  assert.deepEqual([plain(scored.value), scored.tone, scored.notes[0]], ["38 % better", "good", "last 4 weeks: 38 % better than the same hour last week"]);
  assert.deepEqual([plain(accuracyTile({ skill_percent: -4.2 }, demand()).value), plain(accuracyTile({ skill_percent: 0.2 }, demand()).value)], ["4 % worse", "as good"]);
  const untold = accuracyTile({ skill_percent: null, scored: 0 }, demand());
  assert.deepEqual([plain(untold.value), untold.notes.at(-1)], ["38 % better", "in the backtest; none has been scored yet"]);
  assert.equal(accuracyTile(null, demand({ backtest: { origins: 0, scale_kw: null, models: [] } })).value, "–");
  assert.deepEqual([chosenOf(demand().backtest).name, chosenOf({ models: [{ name: "prophet" }, { name: "selected" }] }, "prophet").name, chosenOf({ models: [{ name: "a", is_chosen: true }] }).name, chosenOf(null)], ["selected", "prophet", "a", null]);
});

test("a forecast that is old says so; one that was brought up to date does not", () => {
  assert.deepEqual(noticesOf(demand(), BERLIN), []);
  assert.match(noticesOf(demand({ age_minutes: 500 }), BERLIN)[0] ?? "", /^This forecast was made on Tue.*12:02/);
  assert.deepEqual(noticesOf(demand({ age_minutes: 500, state: "updated", notes: ["Short history."] }), BERLIN), ["Short history."]);
});

test("the measured line runs into the forecast, both bands out of its last point", () => {
  const history = [[9, 90], [11, 96]].map(([hour, power]) => ({ timestamp: `2026-11-24T${String(hour).padStart(2, "0")}:00:00+01:00`, power_kw: power ?? null }));
  // The forecast's first hour has been measured meanwhile: the forecast stays.
  const spec = loadSpec(demand(), [...history, { timestamp: "2026-11-24T12:00:00+01:00", power_kw: 99 }], context);
  const of = Object.fromEntries(spec.series.map((each) => [each.label, each.points.map(([, value]) => value)]));
  assert.deepEqual(of.Measured, [90, null, 96, null, null]);
  assert.deepEqual(of.Forecast, [null, null, 96, 100, 120]);
  assert.deepEqual([of["80 % from"], of["95 % to"]], [[null, null, 96, 98, 118], [null, null, 96, 104, 124]]);
  // All lines have the same places: a tooltip finds them by their number.
  assert.equal(new Set(spec.series.map(({ points }) => points.length)).size, 1);
  assert.equal(spec.level?.value, 400);
  assert.equal(spec.rows?.().length, 4);
});

test("the peak stands in the step that holds it, on the last step at its start", () => {
  const points = loadSpec(demand(), [], context).series.find(({ label }) => label === "Peak")?.points ?? [];
  assert.deepEqual(points, [[Date.parse("2026-11-24T11:00:00Z"), null], [Date.parse("2026-11-24T12:00:00Z"), 140]]);
  const first = loadSpec(demand(), [], { ...context, peak: peak({ timestamp: "2026-11-24T12:45:00+01:00" }) }).series.at(-1)?.points ?? [];
  assert.deepEqual(first[0], [Date.parse("2026-11-24T11:45:00Z"), 140]);
});

test("days of a change of the clock are as long as they are", () => {
  const days = ["2026-10-24T00:00:00+02:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"];
  const spec = loadSpec(demand({ step_minutes: 1440, predictions: [step(days[2] ?? "", 50)] }), days.slice(0, 2).map((timestamp) => ({ timestamp, power_kw: 40 })), { ...context, horizon: "7d" });
  const measured = spec.series.find(({ label }) => label === "Measured")?.points.map(([at]) => at) ?? [];
  // No gap is drawn into the day of 25 hours.
  assert.deepEqual(measured.map((at, index) => (at - (measured[index - 1] ?? at)) / HOUR), [0, 24, 25]);
  assert.equal(spec.series.find(({ label }) => label === "Forecast")?.points[1]?.[1], 40);
});

test("MASE is explained by this very figure", () => {
  assert.match(plain(maseText(0.46, 14.2, "24h")), /repeating the day before \(14.2 kW here\).*What serves has 0.46: it misses by 46 % of what the day before would, by 6.53 kW on average\.$/);
  assert.match(maseText(null, null, "7d"), /repeating the week before: below 1/);
});

test("the verdict says when a model has become worse", () => {
  const good = verdictOf({ skill_percent: 38, in_words: "last 4 weeks: 38 % better", is_degraded: false }, demand());
  assert.deepEqual(good, { tone: "good", texts: ["Last 4 weeks: 38 % better.", "The mean of the best."] });
  assert.equal(verdictOf({ skill_percent: 5, in_words: "x", is_degraded: true }, demand()).tone, "warning");
  assert.equal(verdictOf(null, demand()).tone, null);
});

test("facts list what serves and what it knows", () => {
  const facts = new Map(factsOf(demand({ regressors_used: ["outdoor_temp_c"] }), BERLIN));
  assert.equal(facts.get("Serves"), "MSTL + AR, Seasonal naive (week) and Persistence");
  assert.equal(plain(facts.get("History")), "84 days, 99 % of the time measured");
  assert.equal(facts.get("Knows besides"), "Outdoor temperature");
});

test("a band that does not hold what it promises stands out, and errors by lead are drawn once there are some", () => {
  assert.deepEqual([coverageTone(0.79, 0.8), coverageTone(0.7, 0.8), coverageTone(null, 0.8)], [null, "warning", null]);
  assert.equal(leadSpec([/** @type {any} */ ({ lead: 1, mase: 0.3 }), /** @type {any} */ ({ lead: 2, mase: null })], "24h"), null);
  const spec = leadSpec([1, 2].map((lead) => /** @type {any} */ ({ lead, mase: 0.3 * lead })), "24h");
  assert.deepEqual([spec?.x.categories, spec?.series[0]?.points], [["1", "2"], [[0, 0.3], [1, 0.6]]]);
});

test("the overview tells both peaks from one answer, and why there is none", () => {
  /** @type {any} */
  const of = { zone: BERLIN, contractKw: 400 };
  const next = nextPeakFace(peak({ power_kw: 390, probability_over_limit: 0.4 }), of);
  assert.deepEqual([plain(next.value), next.tone, plain(String(next.notes[1])), next.notes[2]], [
    "390 kW", "warning", "40 % that it goes over the 400 kW in the contract", "More than this month has had",
  ]);
  assert.match(plain(String(nextPeakFace(peak({ limit_kw: 218 }), of).notes[1])), /the 218 kW of this month$/);
  assert.match(plain(String(peakFace(monthsPeak(peak()), of).notes[0])), /Quarter hour of Wed.*18.*08:30/);
  assert.deepEqual(nextPeakFace({ reason: "It takes two days of readings." }, of), { value: "–", notes: ["It takes two days of readings."] });
});
