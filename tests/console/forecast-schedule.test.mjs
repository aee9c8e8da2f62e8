/** Jobs that can wait: how they are written, kept in a link, asked for, and what a solved schedule tells. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { lanesOf, piecesOf, shadedBands } from "../../functions/ui/static/forecast-gantt.js";
import { jobOfForm, newJob, powersOf } from "../../functions/ui/static/forecast-job-form.js";
import { allowedPlace, bodyOf, faultOf, jobOf, linkOf, movedTo, nextHour, planOf, withJob } from "../../functions/ui/static/forecast-jobs.js";
import { componentRows, factsOf, gapText, isSolved, loadsSpec, savingText } from "../../functions/ui/static/forecast-saving.js";

const BERLIN = "Europe/Berlin";
const HOUR = 3_600_000;
const START = Date.parse("2026-11-29T05:00:00Z");
const PRESS = "63c7cae5-2bec-5010-a3ee-749c10f5c478";

/** @param {string} text */
const plain = (text) => text.replaceAll("\u00a0", " ");

/**
 * @param {Record<string, any>} [more]
 * @returns {import("../../functions/ui/static/forecast-jobs.js").Job}
 */
const job = (more = {}) => ({
  id: "Press", machineId: PRESS, powersKw: [40], minutes: 120, earliest: START, deadline: START + 12 * HOUR, planned: START + 3 * HOUR, pinned: null,
  isInterruptible: false, minRunMinutes: null, hours: null, after: [], ...more,
});

/**
 * @param {Record<string, any>} [more]
 * @returns {import("../../functions/ui/static/forecast-jobs.js").Plan}
 */
const plan = (more = {}) => ({ start: START, hours: 24, siteLimitKw: null, carbonPrice: null, maxParallel: null, isInForecast: false, jobs: [job()], ...more });

/**
 * @param {Record<string, any>} [more]
 * @returns {any}
 */
const solved = (more = {}) => ({
  status: "optimal", gap: 0.0031, schedule: [], cost_now: { energy: 812.4, demand: 301, carbon: 0, total: 1113.4 },
  cost_then: { energy: 774.1, demand: 280.5, carbon: 0, total: 1054.6 }, saving: 58.8, kwh_moved: 184, co2_saved_kg: 12.5, peak_now_kw: 231.4,
  peak_then_kw: 215.8, unmoved: [], currency: "EUR", ...more,
});

test("a plan survives its link, also names with signs of the link's own", () => {
  const written = plan({
    siteLimitKw: 350, maxParallel: 2, isInForecast: true, jobs: [
      job({ id: "A & B? 100 %", powersKw: [40.5, 0.5], minutes: 30, hours: [22, 6], isInterruptible: true, minRunMinutes: 15 }),
      job({ id: "Zweite Ümlaut", machineId: null, pinned: START + 5 * HOUR, after: ["A & B? 100 %"] }),
    ],
  });
  const { isWhole, ...link } = linkOf(written);
  const query = new URLSearchParams(/** @type {[string, string][]} */ (Object.entries(link).filter(([, value]) => value !== null)));
  assert.equal(isWhole, true);
  assert.deepEqual(planOf(new URLSearchParams(query.toString()), [{ id: PRESS }], { start: 0, hours: 1 }), written);
});

test("a link without a plan, or with a broken one, gives the usual hours without jobs", () => {
  const usual = { start: START, hours: 24 };
  for (const query of ["", "plan=x&jobs=a*b", "plan=20261399T0000.24"]) {
    assert.deepEqual(planOf(new URLSearchParams(query), [], usual), plan({ jobs: [] }));
  }
});

test("more jobs than a link can hold are left out of it, and it says so", () => {
  const { jobs, isWhole } = linkOf(plan({ jobs: Array.from({ length: 120 }, (_, index) => job({ id: `Job number ${index}` })) }));
  assert.deepEqual([jobs, isWhole], [null, false]);
});

test("the service is asked in its own words, what stands for good in a time of its own length", () => {
  const body = bodyOf(plan({ carbonPrice: 0.05, jobs: [job({ isInterruptible: true, minRunMinutes: 30, hours: [6, 22] }), job({ id: "Oven", pinned: START + HOUR, hours: [6, 22], after: ["Press"] })] }), "f");
  assert.equal("jobs_are_in_base" in body, false);
  assert.equal(bodyOf(plan({ isInForecast: true }), "f").jobs_are_in_base, true);
  assert.deepEqual([body.factory_id, body.start, body.end, body.carbon_price_per_kg, "site_limit_kw" in body], ["f", "2026-11-29T05:00:00.000Z", "2026-11-30T05:00:00.000Z", 0.05, false]);
  const [free, pinned] = /** @type {any[]} */ (body.jobs);
  assert.deepEqual(free, {
    id: "Press", machine_id: PRESS, power_kw: 40, duration_minutes: 120, earliest_start: "2026-11-29T05:00:00.000Z", deadline: "2026-11-29T17:00:00.000Z",
    planned_start: "2026-11-29T08:00:00.000Z", interruptible: true, min_run_minutes: 30, allowed_hours: [6, 22],
  });
  assert.deepEqual([pinned.earliest_start, pinned.deadline, "allowed_hours" in pinned, pinned.after], ["2026-11-29T06:00:00.000Z", "2026-11-29T08:00:00.000Z", false, ["Press"]]);
  assert.deepEqual(/** @type {any[]} */ (bodyOf(plan({ jobs: [job({ powersKw: [10, 20], minutes: 30 })] }), "f").jobs)[0].profile_kw, [10, 20]);
});

test("a proposed job comes as the planner's own would", () => {
  const { id, minutes, planned, powersKw } = jobOf({ id: "x", profile_kw: [3, 4], earliest_start: "2026-11-29T05:00:00Z", deadline: "2026-11-29T09:00:00Z", planned_start: "2026-11-29T06:00:00Z" });
  assert.deepEqual([id, minutes, planned, powersKw], ["x", 30, START + HOUR, [3, 4]]);
});

test("a job is moved by quarter hours within its own time", () => {
  assert.equal(allowedPlace(job(), START + 3.1 * HOUR), START + 3 * HOUR);
  assert.equal(allowedPlace(job(), START - HOUR), START);
  assert.equal(allowedPlace(job(), START + 20 * HOUR), START + 10 * HOUR);
});

test("what can't be is told in words before the service is asked", () => {
  const fault = (/** @type {Record<string, any>} */ more, /** @type {any[]} */ others = []) => plain(faultOf(job(more), plan({ jobs: others })) ?? "");
  assert.equal(fault({}), "");
  assert.equal(fault({ id: "" }), "The job needs a name.");
  assert.equal(fault({}, [job()]), "There is a job Press already.");
  assert.deepEqual([fault({ powersKw: [0] }), fault({ powersKw: [NaN] }), fault({ powersKw: [] })], Array(3).fill("The power has to be above 0 kW."));
  assert.equal(fault({ powersKw: [0, 5], minutes: 30 }), "");
  assert.equal(fault({ powersKw: [1, 2] }), "A profile has one power for each quarter hour: 8 powers for 120 minutes.");
  assert.equal(fault({ minutes: 0 }), "It has to last longer than 0 minutes.");
  assert.equal(fault({ deadline: START + HOUR }), "It lasts 120 minutes; between its times lie 60.");
  assert.equal(fault({ deadline: START + 25 * HOUR }), "It lies outside the time that is planned.");
  assert.equal(fault({ hours: [6, 6] }), "Between these hours lies no time.");
});

test("who waits for a job that is renamed goes on waiting; for one that is removed no more", () => {
  const [first, second] = [job(), job({ id: "Oven", after: ["Press"] })];
  const whole = plan({ jobs: [first, second] });
  assert.deepEqual(withJob(whole, first, job({ id: "New" })).jobs.map(({ id, after }) => [id, after]), [["New", []], ["Oven", ["New"]]]);
  assert.deepEqual(withJob(whole, first, null).jobs.map(({ id, after }) => [id, after]), [["Oven", []]]);
  assert.deepEqual(withJob(whole, null, job({ id: "Third", after: ["Oven"] })).jobs.map(({ id }) => id), ["Press", "Oven", "Third"]);
});

test("hours that have passed are planned again from the next one on", () => {
  assert.equal(nextHour(START + 1), START + HOUR);
  const { start, jobs } = movedTo(plan({ jobs: [job({ pinned: START + HOUR })] }), START + 24 * HOUR);
  assert.deepEqual([start, jobs[0]?.earliest, jobs[0]?.pinned], [START + 24 * HOUR, START + 24 * HOUR, START + 25 * HOUR]);
});

test("the form's times are the factory's, also over a change of the clock", () => {
  const form = new FormData();
  for (const [name, value] of Object.entries({ id: " Oven ", power: "12,5", minutes: "90", earliest: "2026-03-29T01:00", deadline: "2026-03-29T04:00", from: "22", until: "6", interruptible: "on", min_run: "30" })) form.set(name, value);
  const read = jobOfForm(form, BERLIN, newJob(plan({ jobs: [] })));
  // Between them lie two hours, not three: at two the clock is put forward.
  assert.deepEqual([read.id, read.powersKw, (read.deadline - read.earliest) / HOUR, read.hours, read.minRunMinutes], ["Oven", [12.5], 2, [22, 6], 30]);
  assert.deepEqual(powersOf("3; 4.5  5"), [3, 4.5, 5]);
  form.set("power", "12 3");
  // A profile tells how long it lasts.
  assert.equal(jobOfForm(form, BERLIN, newJob(plan({ jobs: [] }))).minutes, 30);
  assert.equal(newJob(plan({ jobs: [job({ id: "Job 2" })] })).id, "Job 3");
});

test("pieces that join are one; the place before is shown where a job moved", () => {
  const at = (/** @type {number} */ hour) => new Date(START + hour * HOUR).toISOString();
  const pieces = piecesOf([{ job_id: "Press", start: at(6), end: at(7) }, { job_id: "Press", start: at(5), end: at(6) }, { job_id: "Press", start: at(9), end: at(10) }]);
  assert.deepEqual(pieces.get("Press"), [{ from: START + 5 * HOUR, to: START + 7 * HOUR }, { from: START + 9 * HOUR, to: START + 10 * HOUR }]);
  const [moved] = lanesOf(plan(), pieces, BERLIN);
  assert.deepEqual(moved?.ghost, { from: START + 3 * HOUR, to: START + 5 * HOUR });
  assert.match(plain(moved?.text ?? ""), /11:00 to 13:00, then Sun.*15:00 to 16:00, 40.0 kW$/);
  const [unmoved, pinned] = lanesOf(plan({ jobs: [job(), job({ id: "Oven", pinned: START })] }), new Map(), BERLIN);
  assert.equal(unmoved?.ghost, null);
  assert.match(plain(pinned?.text ?? ""), /06:00 to 08:00, 40.0 kW, fixed$/);
});

test("bands are shaded by their price", () => {
  const band = (/** @type {number} */ rate) => ({ start: "", end: "", name: "", rate_per_kwh: rate });
  assert.deepEqual(shadedBands([band(0.1), band(0.3), band(0.2)]).map(({ share }) => Number(share.toFixed(3))), [0, 1, 0.5]);
  assert.deepEqual(shadedBands([band(0.1)]).map(({ share }) => share), [0]);
});

test("a schedule says what it saves and how sure it is of that", () => {
  assert.equal(plain(savingText(solved()).text), "€59 saved, 5.3 % of €1,113, by moving 184 kWh; the peak falls from 231 kW to 216 kW.");
  assert.equal(savingText(solved({ saving: 0.001 })).tone, null);
  assert.deepEqual([gapText(solved()), gapText(solved({ gap: 0 })), gapText(solved({ status: "feasible", gap: 0.12 })), gapText(solved({ gap: null }))].map(plain), [
    "Proven: no schedule is more than 0.3 % cheaper.", "Proven: there is no cheaper schedule.",
    "The best found in the time there was: up to 12 % may still be saved.", "How near it is to the best schedule is not known.",
  ]);
  assert.deepEqual(componentRows(solved()).map(({ name, saving }) => [name, Math.round(10 * saving) / 10]), [["Energy", 38.3], ["Demand charge", 20.5], ["In all", 58.8]]);
});

test("the margin of a site limit is told with what it costs", () => {
  const facts = new Map(factsOf(solved({ site_limit_kw: 350, margin: { kw: 12, cost: 3.2 } })));
  assert.equal(plain(facts.get("Site limit") ?? ""), "350 kW, kept with 12.0 kW in hand, which costs €3.20");
});

test("an answer without a schedule is none", () => {
  assert.deepEqual([isSolved(solved()), isSolved(solved({ status: "infeasible", cost_then: null }))], [true, false]);
});

test("the load is drawn before and after, in its quarter hours", () => {
  const { series, level } = loadsSpec(solved({ start: "2026-11-29T05:00:00Z", step_minutes: 15, load_kw: { now: [10, 20], then: [15, 15] }, site_limit_kw: 18 }), BERLIN);
  assert.deepEqual(series.map(({ label, points }) => [label, points]), [
    ["Before", [[START, 10], [START + HOUR / 4, 20]]], ["After", [[START, 15], [START + HOUR / 4, 15]]],
  ]);
  assert.equal(level?.value, 18);
});
