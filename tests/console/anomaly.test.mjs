/** What the page of anomalies makes of the API's answers. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { offeredTime } from "../../functions/ui/static/anomaly-actions.js";
import { inOrder } from "../../functions/ui/static/anomaly-below.js";
import { comparedText, factsOf, rarity, seriesSpec, shortened, sureness, usualValue } from "../../functions/ui/static/anomaly-detail.js";
import { lanesOf, lasted, newsText, noneText, periodText, questionOf, spanOf, sumsQuestionOf, summaryTiles, wantedOf, whenText } from "../../functions/ui/static/anomaly-faces.js";
import { atWallTime, moneyOf, wallTime } from "../../functions/ui/static/format.js";

const BERLIN = "Europe/Berlin";
const NOW = Date.parse("2026-11-24T18:00:00Z");
const HOUR = 3_600_000;

/** @param {string} text */
const plain = (text) => text.replaceAll("\u00a0", " ");
/** @param {string} query */
const wanted = (query) => wantedOf(new URLSearchParams(query));

/**
 * @param {Record<string, any>} [more]
 * @returns {any}
 */
const anomaly = (more = {}) => ({
  id: "a", machine_id: "m", machine_name: "Compressor-1", detected_at: "2026-11-24T09:00:00Z", ended_at: null, last_seen_at: "2026-11-24T17:45:00Z",
  anomaly_type: "power_spike", severity: "critical", state: "open", is_resolved: false, metric_name: "energy_kwh", metric_unit: "kWh",
  metric_value: 636, expected_value: 400, deviation_percent: 59, deviation_std_dev: 4.13, confidence_score: 0.934,
  detection_methods: ["cusum", "other"], false_alarms_per_week: 0.0021, energy_kwh: 236, cost: 48.21, currency: "EUR", is_lasting: false,
  summary: "It used more.", contributions: [], history: [], series: null, ...more,
});

test("the address tells what is shown, and what means nothing is as nothing", () => {
  assert.deepEqual(wanted(""), { show: "open", days: null, machine: null, severity: null, kind: null, state: null, id: null });
  const { show, days, machine, id } = wanted("show=7&machine=m&severity=&id=a");
  assert.deepEqual([show, days, machine, id], ["7", 7, "m", "a"]);
  assert.deepEqual([wanted("show=9").show, wanted("show=9").days], ["open", null]);
});

test("open ones are asked for by cost, others by their time", () => {
  const of = { factory_id: "f", machine_id: "m", severity: null, anomaly_type: "data_gap", state: null, limit: 100 };
  assert.deepEqual(questionOf(wanted("machine=m&kind=data_gap"), "f", NOW), ["api/v1/anomaly/active", of]);
  assert.deepEqual(questionOf(wanted("machine=m&kind=data_gap&show=1"), "f", NOW), ["api/v1/anomaly/recent", { ...of, since: "2026-11-23T18:00:00.000Z" }]);
});

test("sums are of the same time as the list, of what is open of the last 30 days", () => {
  assert.deepEqual(sumsQuestionOf(wanted("machine=m"), "f", NOW), ["api/v1/anomaly/summary", { factory_id: "f", machine_id: "m" }]);
  const { start, end } = sumsQuestionOf(wanted("show=1"), "f", NOW)[1];
  assert.deepEqual([start, end], ["2026-11-23T18:00:00.000Z", "2026-11-24T18:00:00.000Z"]);
  assert.deepEqual(["", "show=1", "show=7"].map((query) => periodText(wanted(query))), ["the last 30 days", "the last 24 hours", "the last 7 days"]);
});

test("an empty list says whether filters are why, and leads on", () => {
  assert.deepEqual(noneText(wanted("")), { text: "No anomaly is open.", offer: "Show the last 30 days", changes: { show: "30" } });
  assert.equal(noneText(wanted("show=30")).offer, null);
  const { text, changes } = noneText(wanted("show=7&severity=critical"));
  assert.equal(text, "Of these there is none in the last 7 days.");
  assert.deepEqual(changes, { machine: null, severity: null, kind: null, state: null });
});

test("times are as long as they are worth telling", () => {
  assert.deepEqual([20_000, 45 * 60_000, HOUR, 9.4 * HOUR, 72 * HOUR].map(lasted), ["1 minute", "45 minutes", "1 hour", "9 hours", "3 days"]);
  assert.match(whenText(anomaly(), BERLIN, NOW), /^since .*24.*10:00, 9 hours by now$/);
  assert.match(whenText(anomaly({ ended_at: "2026-11-24T11:00:00Z" }), BERLIN, NOW), /24.*10:00, for 2 hours$/);
});

test("the line of figures tells feedback only where there is some", () => {
  const sums = { open: 6, acknowledged: 1, resolved: 5, false_alarms: 1, false_alarm_rate: 0.2, energy_kwh: 613.2, cost: 132.77, currency: "EUR", period: "the last 7 days" };
  assert.deepEqual(summaryTiles(sums).map(({ value, note }) => [plain(value), note]), [
    ["12", "6 new, 1 acknowledged, 5 resolved"], ["€132.77", "in the last 7 days"], ["+613 kWh", "in the last 7 days"], ["20 %", "1 of 5 resolved"],
  ]);
  const unknown = summaryTiles({ ...sums, cost: null, energy_kwh: null, false_alarm_rate: null, resolved: 0, false_alarms: 0 });
  assert.deepEqual(unknown.slice(1).map(({ value }) => value), ["–", "–", "–"]);
  assert.equal(unknown[3]?.note, "Nobody has judged one yet.");
});

test("money is summed up in one currency only", () => {
  assert.equal(moneyOf([anomaly(), anomaly({ cost: null }), anomaly({ cost: 1.79 })]), "€50.00");
  assert.equal(moneyOf([anomaly(), anomaly({ currency: "USD" })]), null);
  assert.equal(moneyOf([anomaly({ cost: null })]), null);
});

test("the time line has a lane for each machine, the shortest bar on top, within its span", () => {
  const span = spanOf([anomaly()], NOW, null);
  assert.equal(span.to, NOW);
  assert.ok(span.from < NOW - 24 * HOUR && span.from > NOW - 25 * HOUR, "at least the last day");
  assert.equal(spanOf([anomaly()], NOW, 7).from, NOW - 7 * 24 * HOUR);
  const machines = ["Boiler-1", "Compressor-1", "Press"].map((name) => ({ id: name, name, is_active: name !== "Press" }));
  const short = anomaly({ id: "b", detected_at: "2026-11-24T12:00:00Z", ended_at: "2026-11-24T13:00:00Z", severity: "warning" });
  const old = anomaly({ id: "c", detected_at: "2026-11-01T00:00:00Z" });
  const lanes = lanesOf([short, anomaly(), old], machines, { from: NOW - 24 * HOUR, to: NOW }, BERLIN, null);
  assert.deepEqual(lanes.map(({ name, bars }) => [name, bars.map(({ id }) => id)]), [["Compressor-1", ["c", "a", "b"]], ["Boiler-1", []]]);
  assert.deepEqual([lanes[0]?.bars[0]?.left, lanes[0]?.bars[0]?.width, lanes[0]?.bars[1]?.left], [0, 1, 15 / 24]);
  assert.deepEqual(lanesOf([], machines, span, BERLIN, "Press").map(({ name }) => name), ["Press"]);
});

test("what is new is told, what was there is not", () => {
  assert.equal(newsText([anomaly()], [anomaly()]), null);
  assert.equal(newsText([], [anomaly()]), "New: Power spike at Compressor-1.");
  assert.equal(newsText([], [anomaly(), anomaly({ id: "b" })]), "2 new anomalies.");
});

test("how rare it is by chance is told in the unit that suits it", () => {
  assert.deepEqual([2, 1, 0.5, 0.05, 0.005, 0.0001, null].map(rarity), [
    "2 times a week", "once a week", "once in 2 weeks", "once in 5 months", "once in 4 years", "less than once in 10 years", "–",
  ]);
});

test("nothing is told as certain, and next to nothing is nothing", () => {
  assert.deepEqual([0.71, 0.9973, 1, null].map((each) => plain(sureness(each))), ["71 %", "99.7 %", "over 99.9 %", "–"]);
  const cause = (/** @type {number | null} */ value, /** @type {number | null} */ expected) => usualValue(/** @type {any} */ ({ value, expected_value: expected }));
  assert.deepEqual([cause(7.98, -0.0003), cause(7.98, 0.1), cause(null, 0.1), cause(1, null)], [0, 0.1, 0.1, null]);
});

test("an anomaly's facts have figures, or say why there is none", () => {
  const facts = new Map(factsOf(anomaly(), BERLIN, NOW));
  assert.equal(plain(facts.get("Energy") ?? ""), "636 kWh, 400 kWh expected (+59 %)");
  assert.match(facts.get("Ended") ?? "", /^goes on, 9 hours by now; last seen .*18:45$/);
  assert.deepEqual(["Money lost", "Confidence", "As odd by chance"].map((name) => plain(facts.get(name) ?? "")), ["€48.21", "93 %", "once in 9 years"]);
  assert.equal(facts.get("Found by"), "CUSUM, for slow drift, Other");
  const foreign = new Map(factsOf(anomaly({
    cost: null, energy_kwh: null, metric_name: null, metric_value: null, expected_value: null, deviation_std_dev: null, detection_methods: [],
    confidence_score: null, false_alarms_per_week: null, last_seen_at: null,
  }), BERLIN, NOW));
  assert.deepEqual([foreign.get("Money lost"), foreign.get("Measured"), foreign.get("Found by"), foreign.get("Confidence")], ["no price is known", "–", "–", "–"]);
  assert.equal(plain(comparedText(anomaly({ expected_value: null }))), "636 kWh");
});

test("what went on hour by hour is told once", () => {
  const happened = (/** @type {string} */ event, /** @type {number} */ hour) => ({ event, actor: "schedule", note: null, at: `2026-11-24T${hour}:05:00Z` });
  const history = [happened("opened", 10), happened("extended", 11), happened("extended", 12), happened("worsened", 12), happened("extended", 13), happened("ended", 14)];
  assert.deepEqual(shortened(history).map(({ event, at, times }) => [event, at.slice(11, 13), times]), [
    ["opened", "10", 1], ["extended", "12", 2], ["worsened", "12", 1], ["extended", "13", 1], ["ended", "14", 1],
  ]);
});

test("the chart marks the anomaly and joins it on to the rest", () => {
  const starts = [7, 8, 9, 10, 11].map((hour) => `2026-11-24T${String(hour).padStart(2, "0")}:00:00Z`);
  const series = { metric_name: "power_kw", unit: "kW", interval_seconds: 3600, starts_at: starts, values: [1, 2, 9, 8, 2], expected: [1, 2, 2, 2, 2], low: [0, 1, 1, 1, 1], high: [2, 3, 3, 3, 3] };
  const spec = seriesSpec(anomaly({ series, ended_at: "2026-11-24T11:00:00Z" }), BERLIN);
  const points = (/** @type {string} */ name) => spec?.series.find((each) => each.label === name)?.points.map(([, value]) => value);
  assert.deepEqual(points("Measured"), [1, 2, null, null, 2]);
  assert.deepEqual(points("Measured in the anomaly"), [null, 2, 9, 8, 2]);
  assert.deepEqual(points("Expected"), series.expected);
  assert.deepEqual(spec?.columns?.map(({ value }) => plain(value(2))).slice(1), ["9.00 kW", "2.00 kW", "1.00 kW", "3.00 kW", "yes"]);
  const bare = seriesSpec(anomaly({ series: { ...series, expected: null, low: null, high: null } }), BERLIN);
  assert.deepEqual(bare?.series.map(({ label }) => label), ["Measured", "Measured in the anomaly"]);
  assert.equal(seriesSpec(anomaly(), BERLIN), null);
  assert.equal(seriesSpec(anomaly({ series: { ...series, starts_at: [], values: [] } }), BERLIN), null);
});

test("times are typed as the factory's clocks show them, also around the nights when they are changed", () => {
  assert.equal(wallTime(NOW, BERLIN), "2026-11-24T19:00");
  assert.equal(atWallTime("2026-11-24T19:00", BERLIN), "2026-11-24T18:00:00.000Z");
  assert.equal(atWallTime("2026-07-01T19:00:30", BERLIN), "2026-07-01T17:00:00.000Z");
  assert.equal(atWallTime("2026-10-25T02:30", BERLIN), "2026-10-25T00:30:00.000Z", "of an hour that comes twice the first");
  assert.equal(atWallTime("2026-10-25T03:00", BERLIN), "2026-10-25T02:00:00.000Z");
  assert.equal(atWallTime("2026-03-29T03:30", BERLIN), "2026-03-29T01:30:00.000Z");
});

test("from the anomaly on until this hour of tomorrow is over is offered", () => {
  assert.deepEqual(offeredTime(null, NOW + 60_000), { from: NOW, to: NOW + 25 * HOUR });
  assert.equal(offeredTime(anomaly(), NOW).from, Date.parse("2026-11-24T09:00:00Z"));
});

test("what is held back now stands before what will be, what is over last, what was withdrawn not at all", () => {
  const stop = (/** @type {string} */ id, /** @type {number} */ from, /** @type {number} */ to, /** @type {string | null} */ withdrawn = null) => ({
    id, machine_id: "m", machine_name: "M", reason: "Works", actor: "local", withdrawn_at: withdrawn,
    start: new Date(NOW + from * HOUR).toISOString(), end: new Date(NOW + to * HOUR).toISOString(),
  });
  const found = inOrder([stop("over", -5, 0), stop("later", 9, 10), stop("soon", 1, 2), stop("now", -1, 1), stop("gone", -1, 1, "2026-11-24T17:00:00Z")], NOW);
  assert.deepEqual(found.map(({ id, when }) => [id, when]), [["now", "now"], ["soon", "planned"], ["later", "planned"], ["over", "over"]]);
});
