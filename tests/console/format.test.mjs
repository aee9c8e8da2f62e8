/** How figures, instants and names are written. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addDays, age, calendarDay, change, changeInWords, count, csv, csvRows, dayStart, daysBetween, fileName, instant, label, localDay, money, moneyDecimals, NONE, number, percent,
  byChance, isStale, languageOfWords, namesIn, pValue, readable, signed, timeMarks, unlikeExpected, zoneOffset,
} from "../../functions/ui/static/format.js";

const BERLIN = "Europe/Berlin";
const HOUR = 3_600_000;

/** @param {string} text */
const digits = (text) => text.replaceAll("\u00a0", " ");

test("a number has as many decimals as its size bears", () => {
  assert.deepEqual([0.012345, 0.5, 1.2345, 12.345, 123.45, 12345].map((value) => number(value)), ["0.0123", "0.500", "1.23", "12.3", "123", "12,345"]);
  assert.equal(digits(number(7, "kWh", 1)), "7.0 kWh");
});

test("what is no figure is a dash, never NaN or undefined", () => {
  for (const value of [null, undefined, NaN, Infinity]) {
    assert.equal(number(value), NONE);
    assert.equal(signed(value), NONE);
    assert.equal(percent(value), NONE);
    assert.equal(money(value, "EUR"), NONE);
    assert.equal(pValue(value), NONE);
  }
  assert.equal(instant(null, BERLIN), NONE);
  assert.equal(calendarDay(null), NONE);
});

test("a number that rounds to zero has no sign", () => {
  assert.equal(number(-0.004, null, 1), "0.0");
  assert.equal(signed(0.004, null, 1), "0.0");
  assert.deepEqual([signed(2, null, 0), signed(-2, null, 0)], ["+2", "-2"]);
});

test("money has its currency where there is one", () => {
  assert.equal(digits(money(12.5, "EUR")), "€12.50");
  assert.equal(digits(money(1234.56, "EUR")), "€1,235");
  assert.equal(digits(money(3, "points")), "3.00 points");
  assert.equal(money(3, null), "3.00");
});

test("a change means nothing without a before", () => {
  assert.equal(change(110, 100)?.toFixed(3), "0.100");
  assert.deepEqual([change(1, 0), change(1, null), change(null, 1)], [null, null, null]);
});

test("a probability is not written as zero", () => {
  assert.deepEqual([pValue(0), pValue(0.00023), pValue(0.05)], ["< 0.0001", "0.0002", "0.050"]);
});

test("drivers have the names that people have for them", () => {
  assert.equal(label("outdoor_temp_c"), "Outdoor temperature");
  assert.equal(label("outdoor_temp_c segments"), "Outdoor temperature segments");
  assert.equal(label("production.material_moisture_percent"), "Material moisture");
  assert.equal(label("environment.wet_bulb"), "Wet bulb");
  assert.equal(label("injection_molding"), "Injection molding");
});

test("a message of the service becomes readable", () => {
  const text = "Press has no production_count from 2026-03-28T23:00:00Z; production_count_good is there, shift too.";
  assert.equal(
    readable(text, BERLIN, ["production_count", "production_count_good", "shift"]),
    "Press has no Production from 29 Mar 2026, 00:00; Good pieces is there, shift too.".replace("29 Mar 2026, 00:00", instant("2026-03-28T23:00:00Z", BERLIN)),
  );
});

test("figures in a message are written as all others are, versions and names stay", () => {
  assert.equal(readable("CV(RMSE) is 1234.50 %, more than 0.3.", BERLIN), "CV(RMSE) is 1,234.50 %, more than 0.3.");
  assert.equal(readable("Release 1.2.3 of v2.5 and 2,000.5 kWh", BERLIN), "Release 1.2.3 of v2.5 and 2,000.5 kWh");
});

test("a day of the calendar is the same wherever the browser is", () => {
  assert.match(calendarDay("2026-03-29"), /29/);
  assert.equal(localDay(Date.parse("2026-03-28T23:00:00Z"), BERLIN), "2026-03-29");
  assert.equal(localDay(Date.parse("2026-03-28T22:59:59.999Z"), BERLIN), "2026-03-28");
});

test("a local day has 23, 24 or 25 hours", () => {
  const hours = (/** @type {string} */ day) => (dayStart(addDays(day, 1), BERLIN) - dayStart(day, BERLIN)) / HOUR;
  assert.deepEqual(["2026-03-28", "2026-03-29", "2026-10-25", "2026-10-26"].map(hours), [24, 23, 25, 24]);
});

test("a day begins at one where the clock is put forward at midnight", () => {
  const start = dayStart("2026-09-06", "America/Santiago");
  assert.equal(new Date(start).toISOString(), "2026-09-06T04:00:00.000Z");
  assert.equal(localDay(start, "America/Santiago"), "2026-09-06");
  assert.equal(localDay(start - 1, "America/Santiago"), "2026-09-05");
});

test("offsets follow the zone, halves of an hour and the far past included", () => {
  assert.equal(zoneOffset(Date.parse("2026-07-01T00:00:00Z"), BERLIN), 2 * HOUR);
  assert.equal(zoneOffset(Date.parse("2026-01-01T00:00:00Z"), "Asia/Kolkata"), 5.5 * HOUR);
  assert.equal(zoneOffset(-1, "UTC"), 0);
});

test("days are counted with both ends, over a change of clocks too", () => {
  assert.equal(daysBetween("2026-03-28", "2026-03-30"), 3);
  assert.equal(addDays("2026-02-28", 1), "2026-03-01");
  assert.equal(addDays("2026-01-01", -1), "2025-12-31");
});

test("an age is told in the unit that suits it", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  assert.equal(age(now - 30_000, now), "30 seconds ago");
  assert.equal(age("2026-11-24T10:00:00Z", now), "2 hours ago");
  assert.equal(age("2026-11-20T12:00:00Z", now), "4 days ago");
  assert.equal(age(now + 5000, now), "0 seconds ago");
  assert.equal(age(now - 3_600_000 * 1.5, now), "2 hours ago");
  assert.equal(age(now - 60_000 * 90 + 1, now), "90 minutes ago");
});

test("months and weekdays are English, in the browser's kind of it", () => {
  assert.deepEqual(["en-US", "en", "de-DE", "enm"].map(languageOfWords), ["en-US", "en", "en-GB", "en-GB"]);
});

test("a day's axis is marked at whole local hours, the night of the change included", () => {
  const marks = timeMarks(dayStart("2026-10-25", BERLIN), dayStart("2026-10-26", BERLIN), BERLIN);
  const hours = marks.map(({ at }) => new Date(at + zoneOffset(at, BERLIN)).getUTCHours());
  assert.ok(hours.every((hour) => hour % 6 === 0), String(hours));
  assert.ok(marks.length <= 9);
});

test("a long axis is marked at local midnights, few enough to be read", () => {
  const [from, to] = [dayStart("2026-03-01", BERLIN), dayStart("2026-05-30", BERLIN)];
  const marks = timeMarks(from, to, BERLIN, 6);
  assert.ok(marks.length >= 3 && marks.length <= 8, String(marks.length));
  assert.ok(marks.every(({ at }) => dayStart(localDay(at, BERLIN), BERLIN) === at && at >= from && at <= to));
});

test("a single instant has an axis too", () => {
  assert.ok(timeMarks(0, 0, "UTC").length <= 1);
});

test("CSV quotes what needs it and lets no cell be a formula", () => {
  assert.equal(csv([["a", 'b "x"', "c,d"], [1.5, null, NaN], ["=1+1", "-x", -2]]), 'a,"b ""x""","c,d"\r\n1.5,,\r\n\'=1+1,\'-x,-2\r\n');
});

test("a file's name holds nothing that a file's name may not", () => {
  assert.equal(fileName("baseline", "Press 1/<b>", "2026-01-01"), "baseline_Press-1-b-_2026-01-01");
});

test("a change says its direction and whether that is good", () => {
  assert.deepEqual(changeInWords(110, 100), { arrow: "▲", direction: "more", judgement: "worse", tone: "warning", amount: "10\u00a0%" });
  assert.deepEqual(changeInWords(97, 100), { arrow: "▼", direction: "less", judgement: "better", tone: "good", amount: "3.0\u00a0%" });
  assert.equal(changeInWords(110, 100, { isGoodUp: true })?.judgement, "better");
  assert.equal(changeInWords(0.575, 0.6, { isGoodUp: true, inPoints: true })?.amount, "2.5 points");
});

test("a small change is not judged, none is called so, and none is made of nothing", () => {
  assert.deepEqual([changeInWords(100.3, 100)?.direction, changeInWords(100.3, 100)?.tone], ["more", null]);
  assert.equal(changeInWords(100, 100)?.amount, "as before");
  for (const [value, before] of [[1, 0], [1, null], [null, 1]]) assert.equal(changeInWords(value ?? null, before ?? null), null);
});

test("things are counted in one or several", () => {
  assert.deepEqual([count(1, "hour"), count(0, "hour"), count(1200, "reading")], ["1 hour", "0 hours", "1,200 readings"]);
});

test("amounts of money below each other have the same decimals", () => {
  assert.deepEqual([moneyDecimals([12.5, 999]), moneyDecimals([12.5, 1000]), moneyDecimals([null])], [2, 0, 2]);
  assert.equal(money(732.49, "EUR", 0), "€732");
});

test("an answer's rows become a file under their own names, unrounded", () => {
  assert.deepEqual(csvRows([{ a: 0.1234567, b: null }, { a: 2, b: "x" }]), [["a", "b"], [0.1234567, null], [2, "x"]]);
  assert.deepEqual(csvRows([]), [[]]);
});

test("a deviation is told in words, and nothing is made of a rounding", () => {
  assert.deepEqual([12.2, -0.84, 0.04, null].map(unlikeExpected).map(digits), [
    "12 % more than expected", "0.8 % less than expected", "As expected", "Nothing to compare",
  ]);
});

test("sigmas become words at the limits of the severities", () => {
  assert.deepEqual([1.9, -2, 3, null].map(byChance).map(digits), [
    "1.9 σ: within the usual scatter", "2.0 σ: rarely by chance", "3.0 σ: hardly by chance", NONE,
  ]);
});

test("readings are overdue after three intervals, and never before a quarter of an hour", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");
  const isLate = (/** @type {number} */ minutes, /** @type {number | null} */ interval) => isStale(new Date(now - minutes * 60_000).toISOString(), interval, now);
  assert.deepEqual([isLate(14, 60), isLate(16, 60), isLate(16, null), isLate(170, 3600), isLate(190, 3600)], [false, true, true, false, true]);
  assert.equal(isStale(null, 60, now), true);
});

test("names of drivers are found in a message", () => {
  assert.deepEqual(namesIn("24 × outdoor_temp_c is unknown; production.units_b too, 25% was maintenance"), ["outdoor_temp_c", "production.units_b"]);
  assert.deepEqual(namesIn("None of the period's 24 hours can be judged."), []);
});
