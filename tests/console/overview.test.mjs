/** What the overview makes of the API's answers. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  anomaliesFace, carbonFace, cardFace, costFace, dataFace, deviationFace, isTooEarly, latestElsewhere, ordered, pathOf, peakFace, serviceFace,
} from "../../functions/ui/static/overview-faces.js";

const BERLIN = "Europe/Berlin";
const NOW = Date.parse("2026-11-24T14:30:00Z");
const CONTEXT = {
  zone: BERLIN, now: NOW, today: "2026-11-24", contractKw: /** @type {number | null} */ (400), machines: new Map(), period: { days: "1" },
  pageOf: (/** @type {string} */ path) => `/ui/${path}`,
};

/** @param {string} text */
const plain = (text) => text.replaceAll("\u00a0", " ");

/**
 * @param {string} id
 * @param {Record<string, any>} [more]
 */
const machine = (id, more = {}) => ({
  machine_id: id, machine_name: id, model_id: "m", deviation_severity: "normal", deviation_sigma: 0.5, deviation_percent: 1.2,
  actual_kwh: 101.2, predicted_kwh: 100, last_reading_at: "2026-11-24T14:29:00Z", reason: null, ...more,
});

/**
 * @param {string} id
 * @param {string} code
 * @param {Record<string, any>} [more]
 */
const unjudged = (id, code, more = {}) => machine(id, {
  deviation_severity: null, deviation_sigma: null, reason: { code, text: "None of 24 hours: outdoor_temp_c is unknown since 2026-11-24T14:00:00Z." }, ...more,
});

const TOTAL = {
  deviation_kwh: 412.3, deviation_percent: 12.2, deviation_severity: "critical", deviation_sigma: 4.4, judged_machines: 5, machines: 8,
};
const OVERVIEW = { total: TOTAL, time_period: { start: "2026-11-22T23:00:00Z" }, machines: [] };

test("the factory's deviation is told in energy, percent and words", () => {
  const face = deviationFace(OVERVIEW, CONTEXT);
  assert.deepEqual([plain(face.value), face.tone, face.badge], ["+412 kWh", "critical", "Critical"]);
  assert.deepEqual(face.notes.map(String).map(plain), ["12 % more than expected", "5 of 8 machines judged"]);
});

test("yesterday in place of a day that has just begun is named", () => {
  const { notes } = deviationFace({ ...OVERVIEW, is_fallback: true }, CONTEXT);
  assert.match(String(notes[0]), /^Of yesterday, .*23.*: nothing of today is over yet$/);
});

test("a factory of which nothing could be judged has no figure and no severity", () => {
  const total = { ...TOTAL, deviation_kwh: null, deviation_severity: null, judged_machines: 0, machines: 1 };
  assert.deepEqual(deviationFace({ ...OVERVIEW, total }, CONTEXT), { value: "–", notes: ["0 of 1 machine judged"] });
});

test("cost and emissions tell their rates, and how much is missing", () => {
  const answer = {
    kpis: { energy_cost: { value: 613.06, unit: "EUR", avg_rate_per_kwh: 0.1968 }, carbon_intensity: { value: 1121.6, emission_factor: 0.36, region: "DE" } },
    total_energy_kwh: 3115.4, coverage: 0.82, reasons: {},
  };
  assert.equal(costFace(answer).value, "€613.06");
  assert.deepEqual(costFace(answer).notes.map(String).map(plain), [
    "for 3,115 kWh", "0.197 EUR/kWh on average", "of 82 % of the time: readings are missing",
  ]);
  assert.deepEqual(carbonFace({ ...answer, coverage: 1 }).notes.map(String).map(plain), ["0.360 kg/kWh, region DE"]);
});

test("a figure that can't be told gives way to its reason", () => {
  const kpis = { energy_cost: { value: null, unit: null }, carbon_intensity: { value: null } };
  const reasons = { energy_cost: { code: "no_price", text: "No price is known." }, carbon: { code: "no_readings", text: "…" } };
  assert.deepEqual(costFace({ kpis, reasons, coverage: 0 }), { value: "–", notes: ["No price is known."] });
  assert.deepEqual(carbonFace({ kpis, reasons, coverage: 0 }), { value: "–", notes: ["There are no readings."] });
});

test("the month's peak is held against the contract, where one is known", () => {
  const peak = { billing_peak_kw: 310, billing_peak_time: "2026-11-16T05:00:00Z" };
  const { value, tone, notes } = peakFace(peak, CONTEXT);
  assert.deepEqual([plain(value), tone, plain(String(notes[1]))], ["310 kW", null, "78 % of the 400 kW in the contract"]);
  assert.match(String(notes[0]), /16.*06:00/);
  assert.equal(peakFace({ ...peak, billing_peak_kw: 380 }, CONTEXT).tone, "warning");
  assert.equal(peakFace({ ...peak, billing_peak_kw: 401 }, CONTEXT).tone, "critical");
  assert.equal(peakFace(peak, { ...CONTEXT, contractKw: null }).notes.length, 1);
  assert.equal(peakFace({ billing_peak_kw: null, reason: null }, CONTEXT).value, "–");
});

test("open anomalies are told by cost, the dearest of them by name", () => {
  const anomaly = (/** @type {string} */ id, more = {}) => ({ id, machine_name: id, anomaly_type: "power_spike", severity: "warning", cost: 10, currency: "EUR", ...more });
  const anomalies = [anomaly("A", { cost: 48.21, severity: "critical" }), anomaly("B"), anomaly("C", { cost: null }), anomaly("D", { cost: null })];
  const { value, tone, notes } = anomaliesFace({ total_count: 4, anomalies }, CONTEXT);
  assert.deepEqual([value, tone], ["4", "critical"]);
  assert.deepEqual(notes, [
    "€58.21 lost so far", { text: "A: power spike, €48.21", href: "/ui/anomaly" }, { text: "B: power spike, €10.00", href: "/ui/anomaly" },
    { text: "C: power spike", href: "/ui/anomaly" }, "and 1 more",
  ]);
  assert.equal(anomaliesFace({ total_count: 9, anomalies: [anomaly("A")] }, CONTEXT).notes[0], "€10.00 lost so far by the first 1");
  assert.deepEqual(anomaliesFace({ total_count: 0, anomalies: [] }, CONTEXT), { value: "None", tone: "good", notes: ["Nothing stands out."] });
});

test("machines that send nothing are named, the first three of them", () => {
  const late = (/** @type {string} */ id) => machine(id, { last_reading_at: "2026-11-24T09:30:00Z" });
  assert.equal(dataFace({ machines: [machine("A")] }, CONTEXT).value, "1 of 1 fresh");
  const { value, tone, notes } = dataFace({ machines: [machine("A"), late("B"), machine("C", { last_reading_at: null }), late("D"), late("E")] }, CONTEXT);
  assert.deepEqual([value, tone], ["1 of 5 fresh", "warning"]);
  assert.deepEqual(notes.slice(0, 2), [
    { text: "B: latest 5 hours ago", href: "/ui/machine/B" }, { text: "C: no reading yet", href: "/ui/machine/C" },
  ]);
  assert.equal(notes.at(-1), "and 1 more");
});

test("a meter that sends once an hour is not late after half an hour", () => {
  const known = /** @type {any} */ ({ data_interval_seconds: 3600 });
  const answer = { machines: [machine("A", { last_reading_at: "2026-11-24T13:30:00Z" })] };
  assert.equal(dataFace(answer, { ...CONTEXT, machines: new Map([["A", known]]) }).tone, "good");
  assert.equal(dataFace(answer, CONTEXT).tone, "warning");
});

const HEALTH = { status: "healthy", version: "0.1.0", database: "connected", models_loaded: 9 };
const JOB = { job: "retrain", last_run: null, next_run_at: "2026-11-28T00:00:00Z", enabled: true };

test("jobs tell their last and their next run", () => {
  const last = { state: "succeeded", ended_at: "2026-11-24T13:30:00Z", created_at: "2026-11-24T13:29:00Z" };
  const face = serviceFace({ scheduler: { enabled: true, jobs: [{ ...JOB, last_run: last }, { ...JOB, job: "daily-kpis", enabled: false }] }, health: HEALTH }, CONTEXT);
  assert.deepEqual([face.value, face.tone], ["In order", "good"]);
  assert.match(String(face.notes[0]), /^Retraining of baselines: succeeded 60 minutes ago, next .*28.*01:00$/);
  assert.equal(face.notes[1], "Daily key figures: not run yet");
});

test("a failed job, switched-off jobs and an ill service are told first", () => {
  const run = (/** @type {string} */ state) => ({ enabled: true, jobs: [{ ...JOB, last_run: { state, ended_at: null, created_at: "2026-11-24T13:29:00Z" } }] });
  const value = (/** @type {any} */ scheduler, health = HEALTH) => serviceFace({ scheduler, health }, CONTEXT).value;
  assert.equal(value(run("failed")), "A job failed");
  assert.equal(value(run("partial")), "A job failed in part");
  assert.equal(value({ ...run("succeeded"), enabled: false }), "Jobs are switched off");
  assert.equal(value(run("succeeded"), { ...HEALTH, status: "unhealthy" }), "Unhealthy");
});

test("a machine's card has its deviation in words, or why there is none", () => {
  assert.deepEqual(cardFace(machine("A"), BERLIN), {
    headline: "1.2\u00a0% more than expected",
    details: ["101\u00a0kWh used, 100\u00a0kWh expected", "0.5\u00a0σ: within the usual scatter"],
  });
  assert.deepEqual(cardFace(unjudged("A", "no_model"), BERLIN), { headline: "No baseline yet", details: [] });
  assert.match(cardFace(unjudged("A", "no_readings"), BERLIN).headline, /latest reading is from 24 Nov 2026|Nov 24, 2026/);
  assert.equal(cardFace(unjudged("A", "no_readings", { last_reading_at: null }), BERLIN).headline, "No reading yet");
  const [why] = cardFace(unjudged("A", "nothing_judged"), BERLIN).details;
  assert.match(why ?? "", /Outdoor temperature is unknown since .*15:00/);
  assert.deepEqual(cardFace(unjudged("A", "failed"), BERLIN).details, ["The service's log tells why."]);
});

test("the worst come first, those without a baseline last", () => {
  const machines = [
    unjudged("none", "no_model"), machine("calm"), unjudged("silent", "no_readings"), machine("less", { deviation_severity: "warning", deviation_sigma: -2.9 }),
    machine("more", { deviation_severity: "warning", deviation_sigma: 2.2 }), machine("worst", { deviation_severity: "critical", deviation_sigma: 3.1 }),
  ];
  const ids = (/** @type {any[]} */ each) => each.map(({ machine_id: id }) => id);
  assert.deepEqual(ids(ordered(machines)), ["worst", "less", "more", "calm", "silent", "none"]);
  assert.deepEqual(ids(machines).slice(0, 2), ["none", "calm"], "what was given stays as it was");
});

test("while someone looks, a machine moves only when its state changes", () => {
  const shown = ["a", "b", "c"];
  const [a, b, c] = [machine("a", { deviation_sigma: 0.1 }), machine("b", { deviation_sigma: 1.9 }), machine("c", { deviation_severity: "warning", deviation_sigma: 2.1 })];
  assert.deepEqual(ordered([b, a], shown).map(({ machine_id: id }) => id), ["a", "b"]);
  assert.deepEqual(ordered([a, b, c], shown).map(({ machine_id: id }) => id), ["c", "a", "b"]);
});

test("only in a day's first hours does yesterday stand in for today", () => {
  const empty = { total: { ...TOTAL, judged_machines: 0 }, machines: [unjudged("a", "no_readings")] };
  const early = { ...CONTEXT, now: Date.parse("2026-11-23T23:30:00Z") };
  const period = { from: "2026-11-24", to: "2026-11-24" };
  assert.equal(isTooEarly(empty, early, period), true);
  assert.equal(isTooEarly(empty, CONTEXT, period), false, "in the afternoon the reason is another one");
  assert.equal(isTooEarly(empty, early, { from: "2026-11-23", to: "2026-11-23" }), false);
  assert.equal(isTooEarly({ ...empty, total: TOTAL }, early, period), false);
  assert.equal(isTooEarly({ ...empty, machines: [unjudged("a", "no_model", { model_id: null })] }, early, period), false);
});

test("a factory whose readings lie elsewhere is led to the latest", () => {
  const machines = [unjudged("a", "no_readings", { last_reading_at: "2017-12-30T23:50:00Z" }), unjudged("b", "no_readings", { last_reading_at: null })];
  const total = { ...TOTAL, judged_machines: 0 };
  assert.equal(latestElsewhere({ total, machines }), "2017-12-30T23:50:00Z");
  assert.equal(latestElsewhere({ total: TOTAL, machines }), null);
  assert.equal(latestElsewhere({ total, machines: [unjudged("a", "no_model")] }), null);
});

test("a line has gaps where there is no value", () => {
  assert.equal(pathOf([0, 10, null, 5], 10), "M0.00 39.00L33.33 1.00M100.00 20.00");
});

test("a single value is a point on the left", () => {
  assert.equal(pathOf([1], 2), "M0.00 20.00");
});
