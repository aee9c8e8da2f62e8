/** What a machine's page makes of the API's answers. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { tilesOf } from "../../functions/ui/static/figures.js";
import { outsideReadings } from "../../functions/ui/static/machine.js";
import { changeText, deviationTexts, judgedOf } from "../../functions/ui/static/machine-deviation.js";
import { metricLabel, seriesInterval } from "../../functions/ui/static/machine-readings.js";

const BERLIN = "Europe/Berlin";

/** @param {string} text */
const plain = (text) => text.replaceAll("\u00a0", " ");

test("a period is drawn in some hundred points, whatever its length", () => {
  assert.deepEqual([1, 2, 7, 8, 31, 90, 124, 125, 400].map(seriesInterval), ["5min", "15min", "15min", "1h", "1h", "3h", "3h", "1d", "1d"]);
  for (const [days, minutes] of [[1, 5], [7, 15], [31, 60], [124, 180], [400, 1440]]) {
    assert.ok((1440 * (days ?? 0)) / (minutes ?? 1) <= 1000);
  }
});

test("an own field of the metadata is told from the column of that name", () => {
  assert.equal(metricLabel("outdoor_temp_c"), "Outdoor temperature");
  assert.equal(metricLabel("production.material_moisture_percent"), "Material moisture (own field of production)");
});

test("hours begin at their instant, days at the factory's midnight", () => {
  assert.equal(judgedOf({ hourly_deviations: [{ hour: "2026-10-25T01:00:00Z" }] }, BERLIN)[0]?.at, Date.parse("2026-10-25T01:00:00Z"));
  const days = judgedOf({ daily_deviations: [{ day: "2026-10-25" }, { day: "2026-10-26" }] }, BERLIN);
  assert.deepEqual(days.map(({ at }) => at), [Date.parse("2026-10-24T22:00:00Z"), Date.parse("2026-10-25T23:00:00Z")]);
});

const DEVIATION = {
  total_actual_kwh: 5130.1, total_predicted_kwh: 5175.4, deviation_kwh: -45.3, deviation_sigma: -1.1157, judged_intervals: 165, model_interval: "hour",
  baseline_model_version: 2, extrapolated: { intervals: 0, drivers: [] }, unjudged: [], hourly_deviations: [],
};
const hour = (/** @type {string} */ severity) => ({
  at: 0, actual_kwh: 1, predicted_kwh: 1, deviation_kwh: 0, deviation_percent: 0, sigma: 0, severity,
});

test("the deviation is told in sentences", () => {
  const texts = deviationTexts(DEVIATION, [hour("normal"), hour("warning"), hour("critical")]).map(plain);
  assert.deepEqual(texts, [
    "5,130 kWh used, 5,175 kWh expected: -45.3 kWh. 1.1 σ: within the usual scatter.",
    "165 hours judged by version 2; 2 hours stand out.",
  ]);
  assert.match(deviationTexts(DEVIATION, [hour("warning")])[1] ?? "", /1 hour stands out\.$/);
  assert.match(deviationTexts({ ...DEVIATION, hourly_deviations: undefined, judged_intervals: 1 }, [hour("normal")])[1] ?? "", /^1 hour judged.*no day stands out\.$/);
});

test("what could not be judged, and what had to be guessed, is told too", () => {
  const texts = deviationTexts({
    ...DEVIATION,
    extrapolated: { intervals: 3, drivers: [{ driver: "outdoor_temp_c" }, { driver: "pressure_bar" }] },
    unjudged: [{ count: 1, text: "outdoor_temp_c is unknown" }, { count: 4, text: "more than 25% of it was maintenance" }],
  }, []);
  assert.deepEqual(texts.slice(2), [
    "In 3 hours a driver lay outside what the baseline was trained on: Outdoor temperature, Pressure.",
    "1 hour not judged: Outdoor temperature is unknown.",
    "4 hours not judged: more than 25% of it was maintenance.",
  ]);
});

test("a lasting change has its day, size, direction and chance", () => {
  const text = plain(changeText({ began_on: "2017-10-25", size_kwh_per_day: -65076.7, p_value: 0.008 }));
  assert.match(text, /^Since .*25.* it uses 65,077 kWh a day less than before, which no driver explains \(p = 0\.0080\)\.$/);
  assert.match(changeText({ began_on: "2017-10-25", size_kwh_per_day: 12, p_value: 1e-9 }), /more than before.*\(p < 0\.0001\)/);
  assert.equal(changeText(null), "No lasting change was found in these days.");
});

test("key figures are written with what they rest on", () => {
  const answer = {
    kpis: {
      sec: { value: 0.3336 }, peak_demand: { value: 52.71, timestamp: "2026-11-19T15:39:00Z" }, load_factor: { value: 0.579 },
      energy_cost: { value: 975.83, unit: "EUR", avg_rate_per_kwh: 0.1902 }, carbon_intensity: { value: 1847, emission_factor: 0.36, region: "DE" },
    },
    reasons: {}, total_energy_kwh: 5130, avg_power_kw: 30.5, total_production_units: 15378,
  };
  const tiles = tilesOf(answer, BERLIN);
  assert.deepEqual(tiles.map(({ id, value, unit }) => plain(`${id}: ${value} ${unit}`.trim())), [
    "energy: 5,130 kWh", "sec: 0.334 kWh/unit", "peak: 52.7 kW", "load-factor: 57.9 %", "cost: €975.83", "carbon: 1,847 kg",
  ]);
  assert.deepEqual(tiles.map(({ note }) => plain(note)).filter((_, index) => index !== 2), [
    "30.5 kW on average", "15,378 units produced", "Average power over the peak", "0.190 EUR/kWh on average", "0.360 kg/kWh, region DE",
  ]);
  assert.match(tiles[2]?.note ?? "", /19.*16:39/);
});

test("a figure that can't be told gives way to its reason", () => {
  const kpis = { sec: { value: null }, peak_demand: { value: null }, load_factor: { value: null }, energy_cost: { value: null, unit: null }, carbon_intensity: { value: null } };
  const reasons = { sec: { code: "no_production", text: "Nothing was produced." }, peak_demand: { code: "no_readings", text: "…" } };
  const tiles = tilesOf({ kpis, reasons, total_energy_kwh: null, avg_power_kw: null, total_production_units: 0 }, BERLIN);
  assert.deepEqual(tiles.map(({ value }) => value), Array(6).fill("–"));
  assert.deepEqual([tiles[1]?.note, tiles[2]?.note, tiles[4]?.note], ["Nothing was produced.", "No readings", ""]);
});

test("a period beside all readings leads to as many days that have some", () => {
  const machine = { first_reading_at: "2017-01-01T00:00:00Z", last_reading_at: "2017-12-30T23:50:00Z" };
  const after = outsideReadings(machine, { from: "2026-11-17", to: "2026-11-23" }, "UTC");
  assert.equal(after?.lastDay, "2017-12-30");
  assert.match(after?.text ?? "", /the latest is from .*30.*2017.*23:50/);
  const before = outsideReadings(machine, { from: "2016-01-01", to: "2016-01-07" }, "UTC");
  assert.deepEqual([before?.lastDay, before?.offer], ["2017-01-07", "Show the first days with readings"]);
  assert.equal(outsideReadings(machine, { from: "2017-12-30", to: "2018-01-05" }, "UTC"), null);
  assert.equal(outsideReadings({ first_reading_at: null, last_reading_at: null }, { from: "2017-01-01", to: "2017-01-01" }, "UTC")?.lastDay, null);
});
