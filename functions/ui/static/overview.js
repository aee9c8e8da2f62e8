/**
 * The factory in the morning: what is wrong, what it cost, whether its machines are better than their baselines.
 */
import { address, get, isCancelled, Problem } from "./api.js";
import { sparkline } from "./charts.js";
import {
  addDays, age, byChance, calendarDay, count, dayStart, instant, isFigure, isStale, label, localDay, money, namesIn, NONE, number, percent,
  readable, signed, unlikeExpected,
} from "./format.js";
import {
  announce, badge, byId, catalogue, element, factory, pageAddress, PeriodPicker, Region, start, state, statusBadge, tone,
} from "./page.js";

/**
 * @typedef {import("./page.js").Factory} Factory
 * @typedef {import("./page.js").Machine} Machine
 * @typedef {{text: string, href: string}} Note
 * @typedef {{value: string, tone?: ReturnType<typeof tone>, badge?: string, notes: (string | Note)[]}} Face What a tile shows.
 * @typedef {Record<string, string | null>} Query
 * @typedef {{zone: string, now: number, today: string, contractKw: number | null, machines: Map<string, Machine>,
 *   period: Query, pageOf: (path: string, more: Query) => string}} Context What answers don't tell.
 * @typedef {{id: string, source: string, face: (answer: any, context: Context) => Face,
 *   href: (context: Context) => string | null}} Tile
 */

const REFRESH_MS = 60_000;
// Until then no reading of the day's first whole hour may be here.
const EARLY_MS = 3 * 3_600_000;
const MOST_NAMES = 3;
const MOST_MACHINES = 100;
const RANKS = ["critical", "warning", "normal"];
const JOBS = new Map(Object.entries({
  "daily-kpis": "Daily key figures", retrain: "Retraining of baselines", "train-baseline": "Training of a baseline",
}));

/**
 * The factory's energy beside the sum of its baselines.
 * @param {any} overview
 * @param {Context} context
 * @returns {Face}
 */
export function deviationFace({ total, time_period: { start: from }, is_fallback: isFallback }, { zone }) {
  const judged = `${total.judged_machines} of ${count(total.machines, "machine")} judged`;
  if (!total.judged_machines) return { value: NONE, notes: [judged] };
  const severity = total.deviation_severity;
  return {
    value: signed(total.deviation_kwh, "kWh"),
    tone: tone(severity),
    badge: label(severity),
    notes: [
      ...(isFallback ? [`Of yesterday, ${instant(from, zone, "shortDay")}: nothing of today is over yet`] : []),
      unlikeExpected(total.deviation_percent),
      judged,
    ],
  };
}

/**
 * @param {any} kpis
 * @returns {Face}
 */
export function costFace({ kpis: { energy_cost: cost }, total_energy_kwh: energyKwh, coverage, reasons }) {
  if (!isFigure(cost.value)) return { value: NONE, notes: [whyNot(reasons.energy_cost)] };
  return {
    value: money(cost.value, cost.unit),
    notes: [
      `for ${number(energyKwh, "kWh")}`,
      `${number(cost.avg_rate_per_kwh, `${cost.unit}/kWh`)} on average`,
      ...partly(coverage),
    ],
  };
}

/**
 * @param {any} kpis
 * @returns {Face}
 */
export function carbonFace({ kpis: { carbon_intensity: carbon }, coverage, reasons }) {
  if (!isFigure(carbon.value)) return { value: NONE, notes: [whyNot(reasons.carbon)] };
  const region = carbon.region === "default" || !carbon.region ? "no region's own factor" : `region ${carbon.region}`;
  return {
    value: number(carbon.value, "kg"),
    notes: [...(isFigure(carbon.emission_factor) ? [`${number(carbon.emission_factor, "kg/kWh")}, ${region}`] : []), ...partly(coverage)],
  };
}

/** @param {{code: string, text: string} | null | undefined} reason */
function whyNot(reason) {
  return !reason || reason.code === "no_readings" ? "There are no readings." : reason.text;
}

/** @param {number} coverage */
function partly(coverage) {
  return coverage < 0.9 ? [`of ${percent(coverage)} of the time: readings are missing`] : [];
}

/**
 * The month's largest quarter of an hour, which suppliers bill, beside what the contract allows.
 * @param {any} peak
 * @param {Context} context
 * @returns {Face}
 */
export function peakFace({ billing_peak_kw: peakKw, billing_peak_time: at, reason }, { zone, contractKw }) {
  if (!isFigure(peakKw)) return { value: NONE, notes: [whyNot(reason)] };
  const share = contractKw ? peakKw / contractKw : null;
  return {
    value: number(peakKw, "kW"),
    tone: share === null || share < 0.9 ? null : share < 1 ? "warning" : "critical",
    notes: [
      `Quarter hour of ${instant(at, zone, "moment")}`,
      ...(contractKw ? [`${percent(share)} of the ${number(contractKw, "kW")} in the contract`] : []),
    ],
  };
}

/**
 * Which machines still send readings.
 * @param {any} overview
 * @param {Context} context
 * @returns {Face}
 */
export function dataFace({ machines }, { now, machines: known, period, pageOf }) {
  if (!machines.length) return { value: NONE, notes: ["The factory has no active machine."] };
  const stale = machines.filter((/** @type {any} */ { machine_id: id, last_reading_at: at }) => (
    isStale(at, known.get(id)?.data_interval_seconds, now)
  ));
  const more = stale.length - MOST_NAMES;
  return {
    value: `${machines.length - stale.length} of ${machines.length} fresh`,
    tone: stale.length ? "warning" : "good",
    notes: stale.length === 0 ? ["Every machine sends its readings."] : [
      ...stale.slice(0, MOST_NAMES).map((/** @type {any} */ each) => ({
        text: `${each.machine_name}: ${each.last_reading_at ? `latest ${age(each.last_reading_at, now)}` : "no reading yet"}`,
        href: pageOf(`machine/${each.machine_id}`, period),
      })),
      ...(more > 0 ? [`and ${more} more`] : []),
    ],
  };
}

/**
 * @param {{scheduler: any, health: any}} answers
 * @param {Context} context
 * @returns {Face}
 */
export function serviceFace({ scheduler, health }, context) {
  const [text, mood] = jobsState(scheduler);
  const isWell = health.status === "healthy";
  return {
    value: isWell ? text : label(health.status),
    tone: isWell ? mood : "critical",
    notes: [
      ...scheduler.jobs.map((/** @type {any} */ job) => jobNote(job, context)),
      `Service ${health.version}: ${health.status}, database ${health.database}, ${health.models_loaded} active baselines`,
    ],
  };
}

/**
 * @param {any} scheduler
 * @returns {[string, ReturnType<typeof tone>]}
 */
function jobsState({ enabled, jobs }) {
  const ended = (/** @type {string} */ wanted) => jobs.filter((/** @type {any} */ job) => job.last_run?.state === wanted).length;
  if (ended("failed")) return ["A job failed", "critical"];
  if (ended("partial")) return ["A job failed in part", "warning"];
  return enabled ? ["In order", "good"] : ["Jobs are switched off", "warning"];
}

/**
 * @param {any} job
 * @param {Context} context
 */
function jobNote({ job, last_run: last, next_run_at: next, enabled }, { zone, now }) {
  const name = JOBS.get(job) ?? label(job.replaceAll("-", " "));
  const was = last ? `${label(last.state).toLowerCase()} ${age(last.ended_at ?? last.created_at, now)}` : "not run yet";
  const coming = next && enabled ? `, next ${instant(next, zone, "moment")}` : "";
  return `${name}: ${was}${coming}`;
}

/**
 * What a machine's card says.
 * @param {any} machine
 * @param {string} zone
 * @returns {{headline: string, details: string[]}}
 */
export function cardFace(machine, zone) {
  if (!machine.deviation_severity) return { headline: unjudged(machine, zone), details: unjudgedDetails(machine.reason, zone) };
  return {
    headline: unlikeExpected(machine.deviation_percent),
    details: [
      `${number(machine.actual_kwh, "kWh")} used, ${number(machine.predicted_kwh, "kWh")} expected`,
      byChance(machine.deviation_sigma),
    ],
  };
}

/**
 * @param {any} machine
 * @param {string} zone
 */
function unjudged({ reason, last_reading_at: last }, zone) {
  if (reason?.code === "no_model") return "No baseline yet";
  if (reason?.code !== "no_readings") return "Could not be judged";
  return last ? `No whole interval in this period; the latest reading is from ${instant(last, zone)}` : "No reading yet";
}

/**
 * @param {{code: string, text: string} | null} reason
 * @param {string} zone
 */
function unjudgedDetails(reason, zone) {
  // What these two mean is said already, and without a server's stamps.
  if (!reason || ["no_model", "no_readings"].includes(reason.code)) return [];
  return [reason.code === "failed" ? "The service's log tells why." : readable(reason.text, zone, namesIn(reason.text))];
}

/**
 * The worst first, those that can't be judged last. While someone looks, machines only move when their state changes.
 * @param {any[]} machines
 * @param {string[]} shown Ids in the order that is on the page.
 */
export function ordered(machines, shown = []) {
  const rank = (/** @type {any} */ { deviation_severity: severity, reason }) => {
    if (severity) return RANKS.indexOf(severity);
    return reason?.code === "no_model" ? RANKS.length + 1 : RANKS.length;
  };
  const place = (/** @type {any} */ { machine_id: id }) => (shown.includes(id) ? shown.indexOf(id) : Infinity);
  const size = (/** @type {any} */ { deviation_sigma: sigma }) => Math.abs(sigma ?? 0);
  const compare = (/** @type {number} */ a, /** @type {number} */ b) => (a === b ? 0 : a - b);
  return [...machines].sort((a, b) => compare(rank(a), rank(b)) || compare(place(a), place(b)) || compare(size(b), size(a)));
}

/**
 * Whether it is so early that nothing of today can be judged yet.
 * @param {any} overview
 * @param {{zone: string, now: number, today: string}} context
 * @param {{from: string, to: string}} period
 */
export function isTooEarly({ total, machines }, { zone, now, today }, { from }) {
  const hasModel = machines.some((/** @type {any} */ { model_id: id }) => id);
  return from === today && hasModel && !total.judged_machines && now - dayStart(today, zone) < EARLY_MS;
}

/**
 * The latest reading of a factory without any in the period; null where there is nothing to point to.
 * @param {any} overview
 * @returns {string | null}
 */
export function latestElsewhere({ total, machines }) {
  const isEmpty = !total.judged_machines && machines.some((/** @type {any} */ { reason }) => reason?.code === "no_readings");
  /** @type {string[]} */
  const latest = machines.map((/** @type {any} */ each) => each.last_reading_at).filter(Boolean);
  return isEmpty ? latest.sort().at(-1) ?? null : null;
}

/** What the browser has; made when the page starts. */
class Overview {
  constructor() {
    this.factory = /** @type {Factory} */ (factory());
    this.picker = new PeriodPicker(1, () => this.factory.timezone, () => this.load());
    this.regions = new Map(TILES.map((tile) => [tile.id, new Region(tile.id)]));
    this.machines = new Region("machines");
    this.known = new Map(catalogue().machines.map((each) => [each.id, each]));
    /** @type {Map<string, {figures: string, card: HTMLElement}>} */
    this.cards = new Map();
    /** @type {{at: number, problem: string | null}} */
    this.seen = { at: Date.now(), problem: null };
  }

  /** @returns {Context} */
  context() {
    const [now, zone] = [Date.now(), this.factory.timezone];
    const contractKw = Number(this.factory.contract_demand_kw) || null;
    const [from, to] = [state().get("from"), state().get("to")];
    /** @type {Query} */
    const period = from && to ? { from, to } : { days: String(this.picker.chosen()) };
    const pageOf = (/** @type {string} */ path, /** @type {Query} */ more) => (
      pageAddress(path, { factory: this.factory.id, ...more })
    );
    return { zone, now, today: localDay(now, zone), contractKw, machines: this.known, period, pageOf };
  }

  /** Asks for everything anew, after the period was changed. */
  load() {
    for (const region of [...this.regions.values(), this.machines]) region.loading();
    for (const { id, href } of TILES) linkTile(id, href(this.context()));
    this.reserve();
    this.cards.clear();
    this.ask(false);
  }

  /** Keeps the room of as many cards as there will be. */
  reserve() {
    const list = byId("machine-cards");
    if (list.children.length) return;
    const expected = [...this.known.values()].filter((each) => each.factory_id === this.factory.id && each.is_active);
    list.replaceChildren(...expected.slice(0, MOST_MACHINES).map(() => element("li", { class: "card machine" })));
  }

  /** Looks again, with what is shown left as it is until something else is known. */
  refresh() {
    if (document.hidden || Date.now() - this.seen.at < REFRESH_MS / 2) return;
    get("status", "api/v1/machines", { factory_id: this.factory.id, limit: MOST_MACHINES }).then(
      ({ machines }) => machines.forEach((/** @type {Machine} */ each) => this.known.set(each.id, each)),
      () => undefined, // The cards keep the status that they have.
    ).then(() => this.ask(true));
  }

  /** @param {boolean} isAgain Whether this only brings the page up to date. */
  ask(isAgain) {
    const answers = [...this.sources()].map(async ([source, asked]) => {
      try {
        this.show(source, await asked(), isAgain);
        return null;
      } catch (error) {
        return this.failed(source, error, isAgain);
      }
    });
    Promise.all(answers).then((problems) => {
      const problem = problems.find(Boolean) ?? null;
      if (!problem || !isAgain) this.seen.at = Date.now();
      this.seen.problem = problem;
      this.tell();
    });
  }

  /** @returns {Map<string, () => Promise<any>>} */
  sources() {
    const { from, to } = this.picker.days();
    const { today } = this.context();
    const of = { factory_id: this.factory.id };
    return new Map(Object.entries({
      overview: () => this.overview(),
      kpis: () => get("kpis", "api/v1/kpi/all", { ...of, start: from, end: to }),
      peak: () => get("peak", "api/v1/kpi/peak-demand", { ...of, start: firstOfMonth(today), end: today }),
      service: async () => {
        const [scheduler, health] = await Promise.all([get("scheduler", "scheduler/status"), get("health", "health")]);
        return { scheduler, health };
      },
    }));
  }

  /** Of the period; in the first hours of a day of the day before. */
  async overview() {
    const { from, to } = this.picker.days();
    const ask = (/** @type {string} */ start, /** @type {string} */ end) => (
      get("overview", "api/v1/baseline/overview", { factory_id: this.factory.id, start, end, limit: MOST_MACHINES })
    );
    const answer = await ask(from, to);
    const context = this.context();
    if (!isTooEarly(answer, context, { from, to })) return answer;
    const yesterday = addDays(context.today, -1);
    return { ...(await ask(yesterday, yesterday)), is_fallback: true };
  }

  /**
   * @param {string} source
   * @param {any} answer
   * @param {boolean} isAgain
   */
  show(source, answer, isAgain) {
    const context = this.context();
    for (const { id, face } of TILES.filter((tile) => tile.source === source)) {
      showFace(id, face(answer, context));
      this.regions.get(id)?.ready();
    }
    if (source !== "overview") return;
    this.showMachines(answer, context, isAgain);
    if (!isAgain) announce(`${unlikeExpected(answer.total.deviation_percent)}, ${answer.total.judged_machines} machines judged.`);
  }

  /**
   * @param {any} answer
   * @param {Context} context
   * @param {boolean} isAgain
   */
  showMachines(answer, context, isAgain) {
    if (!answer.machines.length) return this.machines.empty("The factory has no active machine yet.");
    const list = byId("machine-cards");
    const shown = isAgain ? [...list.children].map((each) => /** @type {HTMLElement} */ (each).dataset.machine ?? "") : [];
    const cards = ordered(answer.machines, shown).map((machine) => this.card(machine, context));
    if (cards.some((card, index) => card !== list.children[index]) || cards.length !== list.children.length) {
      const focused = document.activeElement?.closest("[data-machine]");
      list.replaceChildren(...cards);
      const same = cards.find((card) => focused instanceof HTMLElement && card.dataset.machine === focused.dataset.machine);
      same?.querySelector("a")?.focus({ preventScroll: true });
    }
    this.machines.ready(this.notices(answer, context));
  }

  /**
   * A machine's card; the one that is on the page where it would say the same.
   * @param {any} machine
   * @param {Context} context
   */
  card(machine, context) {
    const known = this.known.get(machine.machine_id);
    const lasting = { ...machine, last_reading_at: null, status: known?.status };
    const figures = JSON.stringify(lasting);
    const former = this.cards.get(machine.machine_id);
    if (former?.figures === figures) return former.card;
    const card = cardOf(machine, known, context);
    this.cards.set(machine.machine_id, { figures, card });
    return card;
  }

  /**
   * @param {any} answer
   * @param {Context} context
   */
  notices(answer, { zone }) {
    const latest = latestElsewhere(answer);
    const day = latest && localDay(Date.parse(latest), zone);
    const notices = [];
    if (answer.is_fallback) notices.push(`No whole hour of today has been measured yet: this is yesterday, ${instant(answer.time_period.start, zone, "day")}.`);
    if (day) {
      const go = element("button", { class: "button quiet", type: "button", onclick: () => this.picker.moveTo(day) }, `Show ${calendarDay(day)}`);
      notices.push(element("span", null, "There is nothing to judge in this period. ", go));
    }
    if (answer.total_count > answer.machines.length) {
      notices.push(`The first ${answer.machines.length} of ${answer.total_count} machines by name; sums and cards are of these.`);
    }
    return notices;
  }

  /**
   * @param {string} source
   * @param {unknown} error
   * @param {boolean} isAgain
   * @returns {string | null} What to tell of figures that stay as they were.
   */
  failed(source, error, isAgain) {
    if (isCancelled(error)) return null;
    const regions = TILES.filter((tile) => tile.source === source).map((tile) => this.regions.get(tile.id));
    for (const region of [...regions, ...(source === "overview" ? [this.machines] : [])]) {
      if (isAgain && region?.element.dataset.face === "ready") continue;
      region?.failed(error, () => this.load());
    }
    return error instanceof Problem ? error.message : "Some figures could not be brought up to date.";
  }

  /** Says what is shown and how old it is. */
  tell() {
    const { zone, now, today } = this.context();
    const { from, to } = this.picker.days();
    const period = `${this.picker.text()}${from === today && to === today ? " so far" : ""}`;
    const { at, problem } = this.seen;
    const late = now - at > 1.5 * REFRESH_MS ? `, ${age(at, now)}` : "";
    byId("subtitle").textContent = `${this.factory.name}, ${period}. Times in ${zone}; as of ${instant(at, zone, "clock")}${late}.`
      + `${problem && late ? ` ${problem}` : ""}`;
  }

  begin() {
    this.tell();
    this.load();
    setInterval(() => this.refresh(), REFRESH_MS);
    setInterval(() => this.tell(), REFRESH_MS / 6);
    document.addEventListener("visibilitychange", () => this.refresh());
  }
}

/**
 * @param {string} id
 * @param {string | null} href
 */
function linkTile(id, href) {
  const link = byId(id).querySelector("a.cover");
  if (href) link?.setAttribute("href", href);
  else link?.removeAttribute("href");
}

/**
 * @param {string} id
 * @param {Face} face
 */
function showFace(id, { value, tone: mood = null, badge: word, notes }) {
  const tile = byId(id);
  const figure = /** @type {HTMLElement} */ (tile.querySelector(".value"));
  figure.className = mood && mood !== "good" ? `value ${mood}` : "value";
  figure.replaceChildren(value, ...(word ? [" ", badge(word, mood)] : []));
  tile.querySelector(".note")?.replaceChildren(...notes.map((note) => (
    element("li", null, typeof note === "string" ? note : element("a", { href: note.href }, note.text))
  )));
}

/**
 * @param {any} machine
 * @param {Machine | undefined} known
 * @param {Context} context
 */
function cardOf(machine, known, { zone, now, period, pageOf }) {
  const { headline, details } = cardFace(machine, zone);
  const { deviation_severity: severity, reason } = machine;
  const name = element("a", { class: "cover", href: pageOf(`machine/${machine.machine_id}`, period) }, machine.machine_name);
  const train = pageOf("baseline", { machine: machine.machine_id });
  return element("li", { class: "card machine", "data-machine": machine.machine_id, "data-tone": tone(severity) },
    element("div", { class: "ends" }, element("h3", null, name), severity ? badge(label(severity), tone(severity)) : null),
    element("div", { class: "ends hint" }, element("span", null, label(machine.type)), known ? statusBadge(known, now) : null),
    ...(machine.intervals ? line(machine, zone) : []),
    element("p", { class: "finding" }, headline),
    reason?.code === "no_model" ? element("p", null, element("a", { class: "button", href: train }, "Train one")) : null,
    ...details.map((text) => element("p", { class: "hint" }, text)));
}

/**
 * Actual against expected energy in the small, with the ends of its time.
 * @param {any} machine
 * @param {string} zone
 */
function line({ machine_name: name, intervals }, zone) {
  const { interval, intervals_per_point: width, starts_at: startsAt, actual_kwh: actual, predicted_kwh: expected } = intervals;
  const pointMs = width * (interval === "hour" ? 3_600_000 : 86_400_000);
  const [from, to] = [1000 * startsAt[0], 1000 * startsAt.at(-1) + pointMs];
  const style = to - from > 1.5 * 86_400_000 ? "shortDay" : "clock";
  const ends = [instant(from, zone, style), instant(style === "clock" ? to : to - pointMs, zone, style)];
  return [
    sparkline(actual, expected, `${name}: actual and expected energy, ${ends.join(" to ")}`),
    element("div", { class: "ends hint", "aria-hidden": "true" }, ...ends.map((end) => element("span", null, end))),
  ];
}

/**
 * What stands above the machines; a group that comes later adds its tiles here and in the template.
 * @type {Tile[]}
 */
const TILES = [
  { id: "deviation", source: "overview", face: deviationFace, href: ({ pageOf }) => pageOf("baseline", {}) },
  { id: "cost", source: "kpis", face: costFace, href: ({ period, pageOf }) => pageOf("kpi", period) },
  { id: "carbon", source: "kpis", face: carbonFace, href: ({ period, pageOf }) => pageOf("kpi", period) },
  { id: "peak", source: "peak", face: peakFace, href: ({ today, pageOf }) => pageOf("kpi", { from: firstOfMonth(today), to: today }) },
  { id: "data", source: "overview", face: dataFace, href: () => null },
  { id: "service", source: "service", face: serviceFace, href: () => `${address("docs")}#/jobs` },
];

/** @param {string} day */
function firstOfMonth(day) {
  return `${day.slice(0, 8)}01`;
}

if (typeof document !== "undefined") start(() => new Overview().begin());
