/**
 * Jobs that can wait: what the planner wrote, how a link holds them, and what the service is asked. No page.
 */
import { count, number } from "./format.js";

/**
 * @typedef {{id: string, machineId: string | null, powersKw: number[], minutes: number, earliest: number, deadline: number,
 *   planned: number, pinned: number | null, isInterruptible: boolean, minRunMinutes: number | null, hours: [number, number] | null,
 *   after: string[]}} Job
 *   Times in milliseconds since 1970; of the powers one is the whole job's, several are those of its quarter hours. Planned is where it
 *   would run unmoved, pinned where someone put it for good.
 * @typedef {{start: number, hours: number, siteLimitKw: number | null, carbonPrice: number | null, maxParallel: number | null,
 *   isInForecast: boolean, jobs: Job[]}} Plan Whether the load that is forecast holds the jobs already.
 */

export const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
export const MOST_JOBS = 200;
// Of more a link would be longer than servers and mail programs take.
const MOST_LINK = 4000;
const FIELDS = 11;
const SEPARATOR = "*";

/** @param {Plan} plan */
export function endOf({ start, hours }) {
  return start + hours * HOUR_MS;
}

/**
 * When a plan begins that nobody has given a time: with the next whole hour.
 * @param {number} now Milliseconds since 1970.
 */
export function nextHour(now) {
  return Math.ceil((now + MINUTE_MS) / HOUR_MS) * HOUR_MS;
}

/**
 * How long a job occupies the time line where it is not interrupted.
 * @param {Pick<Job, "minutes">} job
 */
export function lengthOf({ minutes }) {
  return minutes * MINUTE_MS;
}

/**
 * Where the job runs as far as its planner has a say.
 * @param {Job} job
 */
export function placeOf({ pinned, planned }) {
  return pinned ?? planned;
}

/**
 * The nearest place at which a job may begin: whole quarter hours within its own time.
 * @param {Job} job
 * @param {number} at
 */
export function allowedPlace(job, at) {
  const rounded = Math.round(at / QUARTER_MS) * QUARTER_MS;
  return Math.max(job.earliest, Math.min(rounded, job.deadline - lengthOf(job)));
}

/**
 * What is wrong with a job, in words; null where nothing is.
 * @param {Job} job
 * @param {Plan} plan With the other jobs.
 */
export function faultOf(job, plan) {
  const { id, powersKw, minutes, earliest, deadline, hours, minRunMinutes } = job;
  const [start, end] = [plan.start, endOf(plan)];
  const quarters = Math.ceil(minutes / 15);
  const checks = /** @type {[boolean, string][]} */ ([
    [!id, "The job needs a name."],
    [plan.jobs.some((each) => each !== job && each.id === id), `There is a job ${id} already.`],
    [!powersKw.some((power) => power > 0) || powersKw.some((power) => !(power >= 0)), "The power has to be above 0 kW."],
    [!(minutes > 0), "It has to last longer than 0 minutes."],
    [powersKw.length > 1 && powersKw.length !== quarters,
      `A profile has one power for each quarter hour: ${count(quarters, "power")} for ${number(minutes)} minutes.`],
    [earliest < start || deadline > end, "It lies outside the time that is planned."],
    [deadline - earliest < lengthOf(job), `It lasts ${number(minutes)} minutes; between its times lie ${number((deadline - earliest) / MINUTE_MS, null, 0)}.`],
    [hours !== null && hours[0] === hours[1], "Between these hours lies no time."],
    [minRunMinutes !== null && minRunMinutes > minutes, "It can't run at least for longer than it lasts."],
  ]);
  return checks.find(([isWrong]) => isWrong)?.[1] ?? null;
}

/**
 * The plan with a job written, changed or removed; others that wait for it go on doing so under its new name.
 * @param {Plan} plan
 * @param {Job | null} former Null: there was none.
 * @param {Job | null} job Null: it is no more.
 * @returns {Plan}
 */
export function withJob(plan, former, job) {
  const jobs = former ? plan.jobs.flatMap((each) => (each === former ? job ?? [] : each)) : [...plan.jobs, ...(job ? [job] : [])];
  const known = new Set(jobs.map(({ id }) => id));
  const renamed = (/** @type {string} */ id) => (former && job && id === former.id ? job.id : id);
  return { ...plan, jobs: jobs.map((each) => ({ ...each, after: each.after.map(renamed).filter((id) => known.has(id) && id !== each.id) })) };
}

/* What the service is asked */

/**
 * @param {Plan} plan
 * @param {string} factoryId
 */
export function bodyOf(plan, factoryId) {
  const { start, siteLimitKw, carbonPrice, maxParallel, isInForecast, jobs } = plan;
  return withoutNulls({
    factory_id: factoryId, start: iso(start), end: iso(endOf(plan)), site_limit_kw: siteLimitKw, carbon_price_per_kg: carbonPrice,
    max_parallel: maxParallel, jobs_are_in_base: isInForecast || null, jobs: jobs.map(jobBody),
  });
}

/** @param {Job} job */
function jobBody(job) {
  const { id, machineId, powersKw, minutes, planned, pinned, isInterruptible, minRunMinutes, hours, after } = job;
  const [earliest, deadline] = pinned === null ? [job.earliest, job.deadline] : [pinned, pinned + lengthOf(job)];
  return withoutNulls({
    id, machine_id: machineId,
    ...(powersKw.length > 1 ? { profile_kw: powersKw } : { power_kw: powersKw[0] ?? 0 }),
    duration_minutes: minutes, earliest_start: iso(earliest), deadline: iso(deadline), planned_start: iso(planned),
    // What stands for good is in one piece.
    interruptible: isInterruptible && pinned === null, min_run_minutes: minRunMinutes,
    allowed_hours: hours && pinned === null ? hours : null, after: after.length ? after : null,
  });
}

/** @param {number} at */
function iso(at) {
  return new Date(at).toISOString();
}

/** @param {Record<string, any>} fields */
function withoutNulls(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/**
 * A job as the service tells it, of a proposal.
 * @param {any} told
 * @returns {Job}
 */
export function jobOf(told) {
  const earliest = Date.parse(told.earliest_start);
  const minutes = told.duration_minutes ?? 15 * (told.profile_kw?.length ?? 1);
  return {
    id: told.id, machineId: told.machine_id ?? null, powersKw: told.profile_kw ?? [told.power_kw], minutes,
    earliest, deadline: Date.parse(told.deadline), planned: Date.parse(told.planned_start ?? told.earliest_start), pinned: null,
    isInterruptible: Boolean(told.interruptible), minRunMinutes: told.min_run_minutes ?? null, hours: told.allowed_hours ?? null,
    after: told.after ?? [],
  };
}

/* What a link holds */

/**
 * A plan as the URL has it: `20261129T0500.24`, limits, and jobs as fields between stars, times in quarter hours from its start.
 * @param {Plan} plan
 */
export function linkOf({ start, hours, siteLimitKw, carbonPrice, maxParallel, isInForecast, jobs }) {
  const quarters = (/** @type {number} */ at) => String(Math.round((at - start) / QUARTER_MS));
  const places = new Map(jobs.map(({ id }, index) => [id, index]));
  const text = jobs.map((job) => [
    job.id.replaceAll(SEPARATOR, " "), job.machineId?.slice(0, 8) ?? "", job.powersKw.join("_"), job.minutes, quarters(job.earliest),
    quarters(job.deadline), quarters(job.planned), job.pinned === null ? "" : quarters(job.pinned),
    job.isInterruptible ? `i${job.minRunMinutes ?? ""}` : "", job.hours?.join("_") ?? "", job.after.flatMap((id) => places.get(id) ?? []).join("_"),
  ].join(SEPARATOR)).join(SEPARATOR);
  const isWhole = text.length <= MOST_LINK;
  return {
    plan: `${iso(start).slice(0, 16).replaceAll(/[-:]/g, "")}.${hours}`,
    jobs: isWhole && text ? text : null,
    site: siteLimitKw === null ? null : String(siteLimitKw), co2: carbonPrice === null ? null : String(carbonPrice),
    most: maxParallel === null ? null : String(maxParallel),
    within: isInForecast ? "1" : null,
    isWhole,
  };
}

/**
 * The plan of a link.
 * @param {URLSearchParams} asked
 * @param {{id: string}[]} machines Of the factory.
 * @param {{start: number, hours: number}} usual Where the link has none.
 * @returns {Plan}
 */
export function planOf(asked, machines, usual) {
  const positive = (/** @type {string} */ name) => (Number(asked.get(name)) > 0 ? Number(asked.get(name)) : null);
  const [, day, clock, hours] = /^(\d{8})T(\d{4})\.(\d{1,3})$/.exec(asked.get("plan") ?? "") ?? [];
  const start = day && clock ? Date.parse(`${day.replace(/(\d{4})(\d\d)(\d\d)/, "$1-$2-$3")}T${clock.slice(0, 2)}:${clock.slice(2)}:00Z`) : NaN;
  const times = Number.isNaN(start) || !(Number(hours) > 0) ? usual : { start, hours: Number(hours) };
  const fields = (asked.get("jobs") ?? "").split(SEPARATOR);
  const jobs = fields.length < FIELDS ? [] : chunks(fields).map((each) => readJob(each, times.start, machines));
  const most = positive("most");
  return {
    ...times, siteLimitKw: positive("site"), carbonPrice: positive("co2"), maxParallel: most === null ? null : Math.round(most),
    isInForecast: asked.get("within") === "1",
    jobs: jobs.map(({ after, ...job }) => ({ ...job, after: after.flatMap((index) => jobs[index]?.id ?? []) })),
  };
}

/** @param {string[]} fields */
function chunks(fields) {
  return Array.from({ length: Math.min(Math.floor(fields.length / FIELDS), MOST_JOBS) }, (_, index) => fields.slice(FIELDS * index, FIELDS * (index + 1)));
}

/**
 * @param {string[]} fields
 * @param {number} start
 * @param {{id: string}[]} machines
 * @returns {Omit<Job, "after"> & {after: number[]}}
 */
function readJob(fields, start, machines) {
  const [id = "", machine = "", powers, minutes, earliest, deadline, planned, pinned, interruptible = "", hours, after] = fields;
  const at = (/** @type {string | undefined} */ quarters) => start + Number(quarters) * QUARTER_MS;
  const list = (/** @type {string | undefined} */ text) => (text ? text.split("_").map(Number) : []);
  const [from, until] = list(hours);
  return {
    id, machineId: machines.find((each) => machine && each.id.startsWith(machine))?.id ?? null, powersKw: list(powers), minutes: Number(minutes),
    earliest: at(earliest), deadline: at(deadline), planned: at(planned), pinned: pinned ? at(pinned) : null,
    isInterruptible: interruptible !== "", minRunMinutes: Number(interruptible.slice(1)) || null,
    hours: from === undefined || until === undefined ? null : [from, until], after: list(after),
  };
}

/**
 * The same plan some time later: for days that have passed.
 * @param {Plan} plan
 * @param {number} start
 * @returns {Plan}
 */
export function movedTo(plan, start) {
  const by = start - plan.start;
  return {
    ...plan, start,
    jobs: plan.jobs.map((job) => ({
      ...job, earliest: job.earliest + by, deadline: job.deadline + by, planned: job.planned + by, pinned: job.pinned === null ? null : job.pinned + by,
    })),
  };
}
