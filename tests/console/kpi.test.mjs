/** The key figures' page: periods, cards, charts, tables and files, without a page. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cardsOf, extremesText, fullQuarters, intervalOf, intervalText, isEmpty, noticesOf, periodBefore, trendSpec,
} from "../../functions/ui/static/figures.js";
import { bandRows, newestOf, refusalOf } from "../../functions/ui/static/kpi.js";
import { cellText, durationSpec, heatMap, weekdayName } from "../../functions/ui/static/kpi-load.js";
import { energyChange, heldAgainst, sorted, sortOf } from "../../functions/ui/static/kpi-machines.js";

const BERLIN = "Europe/Berlin";

/** @param {object} [changes] */
function answer(changes = {}) {
  return {
    kpis: {
      sec: { value: 0.25, unit: "kWh/unit" },
      peak_demand: { value: 300, unit: "kW", timestamp: "2026-11-17T10:10:00Z", billing_value: 299 },
      load_factor: { value: 0.6, percent: 60 },
      energy_cost: { value: 5000, unit: "EUR" },
      carbon_intensity: { value: 9000, unit: "kg CO2", emission_factor: 0.36, region: "DE" },
    },
    total_energy_kwh: 25_000, total_production_units: 100_000, avg_power_kw: 180, readings: 80_640, coverage: 1,
    refused_readings: 0, spread_readings: 0, estimated_readings: 0, spread_kwh: 0, flat_hours: 0, warnings: [], reasons: {}, ...changes,
  };
}

/**
 * @param {any[]} cards
 * @param {string} id
 */
function card(cards, id) {
  return cards.find((each) => each.id === id);
}

const COST = { demand_charge: 3495, demand_charges: [{ currency: "EUR" }] };

test("the period before is as long and ends where this one begins", () => {
  const view = { from: "2026-11-17", to: "2026-11-23", zone: BERLIN, now: Date.parse("2026-11-24T10:00:00Z") };
  assert.deepEqual(periodBefore(view), { start: "2026-11-10", end: "2026-11-16" });
});

test("a period that is not over is held against as much of the one before", () => {
  const view = { from: "2026-11-24", to: "2026-11-24", zone: BERLIN, now: Date.parse("2026-11-24T14:30:00Z") };
  assert.deepEqual(periodBefore(view), { start: "2026-11-23", end: "2026-11-23T14:30:00.000Z" });
});

test("as much of the day before is meant by hours, also when the clock was changed in between", () => {
  // On the 29th of March the day began at 23:00 UTC and had 23 hours.
  const view = { from: "2026-03-30", to: "2026-03-30", zone: BERLIN, now: Date.parse("2026-03-30T08:00:00Z") };
  assert.deepEqual(periodBefore(view), { start: "2026-03-29", end: "2026-03-29T09:00:00.000Z" });
});

test("load is asked for up to the last full quarter of an hour", () => {
  const view = { from: "2026-11-24", to: "2026-11-24", zone: BERLIN, now: Date.parse("2026-11-24T14:44:59Z"), isSoFar: true };
  assert.deepEqual(fullQuarters(view), { start: "2026-11-24", end: "2026-11-24T14:30:00.000Z" });
  assert.deepEqual(fullQuarters({ ...view, isSoFar: false }), { start: "2026-11-24", end: "2026-11-24" });
  assert.equal(fullQuarters({ ...view, now: Date.parse("2026-11-23T23:10:00Z") }).end, "2026-11-24", "the day's first quarter");
});

test("periods that can't be asked for are refused in words", () => {
  const view = { from: "2026-11-17", to: "2026-11-23", zone: BERLIN, now: Date.parse("2026-11-24T10:00:00Z") };
  assert.equal(refusalOf(view), null);
  assert.match(refusalOf({ ...view, from: "2026-11-25", to: "2026-11-26" }) ?? "", /not come yet/);
  assert.match(refusalOf({ ...view, from: "2025-10-01" }) ?? "", /up to 400 days/);
});

test("a card has its figure, the change in words, and what stood before", () => {
  const before = answer({ total_energy_kwh: 24_000 });
  const energy = card(cardsOf(answer(), before, COST, BERLIN), "energy");
  assert.deepEqual([energy.value, energy.unit], ["25,000", "kWh"]);
  assert.deepEqual(energy.change, { arrow: "▲", amount: "4.2\u00a0%", direction: "more", judgement: "worse", tone: "warning" });
  assert.deepEqual(energy.notes, ["before: 24,000\u00a0kWh", "180\u00a0kW on average"]);
});

test("a load factor changes in points, and more of it is better", () => {
  const before = answer({ kpis: { ...answer().kpis, load_factor: { value: 0.575, percent: 57.5 } } });
  const { change } = card(cardsOf(answer(), before, COST, BERLIN), "load-factor");
  assert.deepEqual([change.amount, change.judgement, change.tone], ["2.5 points", "better", "good"]);
});

test("a peak tells its time in the factory's zone, the cost its demand charge", () => {
  const cards = cardsOf(answer(), answer(), COST, BERLIN);
  assert.match(card(cards, "peak").notes[1], /17.*11:10.*; billed 299/);
  assert.match(card(cards, "cost").notes[1], /€3,495 demand charge/);
  assert.equal(card(cardsOf(answer(), answer(), { demand_charge: null, demand_charges: [] }, BERLIN), "cost").notes[1], "No demand charge");
  assert.match(card(cardsOf(answer(), answer(), null, BERLIN), "cost").notes[1], /could not be read/);
});

test("a figure that can't be told says why, and is compared with nothing", () => {
  const reasons = { sec: { code: "no_production", text: "Nothing was produced." } };
  const sec = card(cardsOf(answer({ kpis: { ...answer().kpis, sec: { value: null } }, reasons }), answer(), COST, BERLIN), "sec");
  assert.deepEqual([sec.value, sec.change, sec.notes], ["–", null, ["Nothing was produced."]]);
});

test("periods with missing readings are not compared", () => {
  const first = (/** @type {any} */ now, /** @type {any} */ before) => cardsOf(now, before, COST, BERLIN)[0];
  assert.deepEqual([first(answer(), answer({ coverage: 0.33 }))?.change, first(answer(), answer({ coverage: 0.33 }))?.notes[0]],
    [null, "before: only 33\u00a0% measured"]);
  assert.equal(first(answer(), answer({ coverage: 0 }))?.notes[0], "before: nothing measured");
  assert.equal(first(answer(), null)?.notes[0], "before: could not be read");
  assert.equal(first(answer({ coverage: 0.5 }), answer())?.notes[0], "only 50\u00a0% measured now");
});

test("warnings become sentences with their amount; unknown ones keep the API's words", () => {
  const codes = ["low_coverage", "flat_hours", "spread_readings", "estimated_readings", "refused_readings"];
  const warnings = [...codes.map((code) => ({ code, text: "…" })), { code: "default_factor", text: "The default serves." }];
  const notices = noticesOf(answer({ warnings, coverage: 0.331, flat_hours: 1, spread_kwh: 141, estimated_readings: 2, refused_readings: 3 }), answer());
  assert.match(notices[0] ?? "", /33\.1.%/);
  assert.match(notices[1] ?? "", /in 1 hour every/);
  assert.match(notices[2] ?? "", /141.kWh/);
  assert.match(notices[3] ?? "", /2 readings/);
  assert.match(notices[4] ?? "", /3 readings/);
  assert.equal(notices[5], "The default serves.");
  assert.match(noticesOf(answer(), null)[0] ?? "", /nothing is compared/);
});

test("no readings are not the same as refused ones", () => {
  assert.equal(isEmpty(answer({ readings: 0, total_energy_kwh: null })), true);
  assert.equal(isEmpty(answer({ readings: 5, total_energy_kwh: null })), false);
});

test("the newest of several machines' readings", () => {
  assert.equal(newestOf([{ last_reading_at: "2026-01-01T00:00:00Z" }, { last_reading_at: null }, { last_reading_at: "2026-02-01T00:00:00Z" }]),
    "2026-02-01T00:00:00Z");
  assert.equal(newestOf([{ last_reading_at: null }]), null);
});

test("a trend's interval follows from its length, unless one is chosen", () => {
  assert.deepEqual([7, 30, 90, 365].map((days) => intervalOf(days, null)), ["day", "day", "week", "month"]);
  assert.equal(intervalOf(7, "month"), "month");
  assert.equal(intervalOf(7, "fortnight"), "day");
});

test("intervals are named by their first day in the factory's zone", () => {
  assert.match(intervalText("2026-11-16T23:00:00Z", "day", BERLIN), /17/);
  assert.match(intervalText("2026-11-16T23:00:00Z", "week", BERLIN), /^from .*17/);
  assert.match(intervalText("2026-10-31T23:00:00Z", "month", BERLIN), /November 2026/);
});

/** @param {number} rows */
function history(rows) {
  return {
    interval: "day", time_period: { timezone: BERLIN },
    history: Array.from({ length: rows }, (_, index) => ({
      interval_start: `2026-11-${16 + index}T23:00:00Z`, local_date: `2026-11-${17 + index}`, energy_kwh: 100 + index, sec_kwh_per_unit: null,
      load_factor: 0.5, total_cost: 20, currency: "EUR", coverage: 1, previous_energy_kwh: null, previous_load_factor: 0.4, previous_total_cost: 10,
    })),
  };
}

test("a trend shows this period beside the one before, gaps as gaps", () => {
  const spec = trendSpec(history(3), "energy", false);
  assert.deepEqual(spec?.series.map((each) => each.points), [[[0, 100], [1, 101], [2, 102]], [[0, null], [1, null], [2, null]]]);
  assert.deepEqual([spec?.y.unit, spec?.y.zero, spec?.level], ["kWh", true, undefined]);
  assert.match(spec?.hint ?? "", /Highest 102.kWh .*, lowest 100.kWh/);
  assert.equal(spec?.rows?.()[0].before, null);
});

test("a trend knows shares, money and a contract", () => {
  assert.deepEqual(trendSpec(history(3), "load-factor", false)?.series[0]?.points[0], [0, 50]);
  assert.equal(trendSpec(history(3), "cost", false)?.y.unit, "EUR");
  assert.equal(trendSpec(history(3), "energy", false, 400)?.level?.value, 400);
});

test("a single interval is drawn as two bars, and is told to be open", () => {
  const spec = trendSpec(history(1), "energy", true);
  assert.deepEqual(spec?.series.map((each) => each.kind), ["bar", "bar"]);
  assert.equal(spec?.hint, "The last day is not over yet.");
});

test("a trend of a figure that no interval has is none", () => {
  assert.equal(trendSpec(history(3), "sec", false), null);
});

test("extremes of one value or none are not told", () => {
  assert.equal(extremesText([["a", 1], ["b", null]], "kWh"), "");
  assert.equal(extremesText([], null), "");
});

test("bands have their shares, the dearest first", () => {
  const rows = bandRows([
    { tariff: "night", rate_per_kwh: 0.1, currency: "EUR", energy_kwh: 100, cost: 10 },
    { tariff: "day", rate_per_kwh: 0.3, currency: "EUR", energy_kwh: 100, cost: 30 },
  ]);
  assert.deepEqual(rows.map(({ tariff, energyShare, share, place }) => [tariff, energyShare, share, place]), [["day", 0.5, 0.75, 0], ["night", 0.5, 0.25, 1]]);
});

test("costs in several currencies have no shares", () => {
  const rows = bandRows([
    { tariff: "a", rate_per_kwh: 0.1, currency: "EUR", energy_kwh: 100, cost: 10 },
    { tariff: "b", rate_per_kwh: 0.1, currency: "CHF", energy_kwh: 300, cost: 30 },
  ]);
  assert.deepEqual(rows.map(({ share, energyShare }) => [share, energyShare]), [[null, 0.75], [null, 0.25]]);
});

test("a heat map begins with the week's first day and knows what is missing", () => {
  const map = heatMap([
    { weekday: 0, hour: 3, mean_power_kw: 10, hours: 1 }, { weekday: 1, hour: 0, mean_power_kw: 30, hours: 2 }, { weekday: 2, hour: 23, mean_power_kw: 20, hours: 1 },
  ], 1);
  assert.deepEqual(map.rows.map((row) => row.weekday), [1, 2, 3, 4, 5, 6, 0]);
  assert.deepEqual([map.low, map.high], [10, 30]);
  assert.deepEqual([map.rows[0]?.cells[0]?.share, map.rows[1]?.cells[23]?.share, map.rows[6]?.cells[3]?.share, map.rows[0]?.cells[1]], [1, 0.5, 0, null]);
});

test("a heat map of one power is of one colour", () => {
  assert.equal(heatMap([{ weekday: 0, hour: 0, mean_power_kw: 10, hours: 1 }], 0).rows[0]?.cells[0]?.share, 0.5);
});

test("a cell of the heat map says what it is", () => {
  assert.equal(cellText({ weekday: 2, hour: 23, mean_power_kw: 203, hours: 4 }, 2, 23), "Tue, 23:00 to 24:00: 203\u00a0kW on average, over 4 hours");
  assert.equal(cellText(null, 0, 0), "Sun, 00:00 to 01:00: no readings");
  assert.equal(weekdayName(6), "Sat");
});

test("a load duration curve tells its marks in words", () => {
  const spec = durationSpec([{ share: 0.01, power_kw: 300 }, { share: 0.05, power_kw: 280 }, { share: 0.5, power_kw: 130 }, { share: 1, power_kw: 72 }]);
  assert.deepEqual(spec?.series[0]?.points.at(-1), [100, 72]);
  assert.equal(spec?.hint, "5\u00a0% of the time at least 280\u00a0kW, half of it 130\u00a0kW, always 72.0\u00a0kW.");
  assert.equal(durationSpec([{ share: null, power_kw: null }]), null);
  assert.equal(durationSpec([]), null);
});

const MACHINES = [
  { machine_id: "a", machine_name: "Pump-10", type: "pump", energy_kwh: 5, sec_kwh_per_unit: null, coverage: 1, previous_energy_kwh: 1 },
  { machine_id: "b", machine_name: "Pump-2", type: "pump", energy_kwh: 9, sec_kwh_per_unit: 2, coverage: 1, previous_energy_kwh: 1 },
  { machine_id: "c", machine_name: "Fan", type: "fan", energy_kwh: null, sec_kwh_per_unit: 1, coverage: 0, previous_energy_kwh: null },
];
const names = (/** @type {any[]} */ rows) => rows.map((row) => row.machine_name);

test("machines are sorted by any column; what has no figure comes last", () => {
  assert.deepEqual(names(sorted(MACHINES, sortOf(null))), ["Pump-2", "Pump-10", "Fan"]);
  assert.deepEqual(names(sorted(MACHINES, sortOf("energy"))), ["Pump-10", "Pump-2", "Fan"]);
  assert.deepEqual(names(sorted(MACHINES, sortOf("sec"))), ["Fan", "Pump-2", "Pump-10"]);
  assert.deepEqual(names(sorted(MACHINES, sortOf("name"))), ["Fan", "Pump-2", "Pump-10"]);
  assert.deepEqual(sortOf("-nonsense"), { id: "energy", isFalling: true });
});

test("machines are held against as much of the period before, with its coverage", () => {
  const rows = heldAgainst(MACHINES, [{ machine_id: "a", energy_kwh: 4, coverage: 0.95 }, { machine_id: "b", energy_kwh: 4, coverage: 0.3 }]);
  assert.deepEqual(rows.map((row) => [row.previous_energy_kwh, row.previous_coverage]), [[4, 0.95], [4, 0.3], [null, null]]);
  assert.deepEqual(rows.map(energyChange), [0.25, null, null]);
});
