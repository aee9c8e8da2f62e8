/**
 * The factory in the morning: what is wrong, what it cost, whether its machines are better than their baselines.
 */
import { address, get, isCancelled, Problem } from "./api.js";
import { addDays, age, calendarDay, instant, localDay, unlikeExpected } from "./format.js";
import {
  anomaliesFace, carbonFace, cardOf, costFace, dataFace, deviationFace, isTooEarly, latestElsewhere, monthsPeak, nextPeakFace, ordered, peakFace,
  serviceFace,
} from "./overview-faces.js";
import { announce, badge, byId, catalogue, element, factory, pageAddress, PeriodPicker, Region, start, state } from "./page.js";

/**
 * @typedef {import("./page.js").Factory} Factory
 * @typedef {import("./page.js").Machine} Machine
 * @typedef {import("./overview-faces.js").Face} Face
 * @typedef {import("./overview-faces.js").Query} Query
 * @typedef {import("./overview-faces.js").Context} Context
 * @typedef {{id: string, source: string, face: (answer: any, context: Context) => Face,
 *   href: (context: Context) => string | null}} Tile
 */

const REFRESH_MS = 60_000;
const MOST_MACHINES = 100;
const MOST_ANOMALIES = 20;

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
    /** @type {any} What the page tells of the service; asked for anew when it is looked at again. */
    this.health = JSON.parse(byId("health").textContent ?? "null");
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
    const of = { factory_id: this.factory.id };
    return new Map(Object.entries({
      overview: () => this.overview(),
      kpis: () => get("kpis", "api/v1/kpi/all", { ...of, start: from, end: to }),
      peak: () => this.peaks(),
      anomalies: () => get("anomalies", "api/v1/anomaly/active", { ...of, limit: MOST_ANOMALIES }),
      service: async () => {
        const known = this.health;
        this.health = null;
        const [scheduler, health] = await Promise.all([get("scheduler", "scheduler/status"), known ?? get("health", "health")]);
        return { scheduler, health };
      },
    }));
  }

  /** The next peak and the month's, which one call tells; of a factory that nothing is foretold of the month's alone. */
  async peaks() {
    const { today, contractKw } = this.context();
    const of = { factory_id: this.factory.id };
    try {
      const next = await get("next-peak", "api/v1/forecast/peak", { ...of, horizon: "24h", limit_kw: contractKw });
      return { next, month: monthsPeak(next) };
    } catch (error) {
      if (isCancelled(error)) throw error;
      const reason = error instanceof Problem ? error.message : "It could not be foretold.";
      return { next: { reason }, month: await get("peak", "api/v1/kpi/peak-demand", { ...of, start: firstOfMonth(today), end: today }) };
    }
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
 * What stands above the machines; a group that comes later adds its tiles here and in the template.
 * @type {Tile[]}
 */
const TILES = [
  { id: "deviation", source: "overview", face: deviationFace, href: ({ pageOf }) => pageOf("baseline", {}) },
  { id: "cost", source: "kpis", face: costFace, href: ({ period, pageOf }) => pageOf("kpi", period) },
  { id: "carbon", source: "kpis", face: carbonFace, href: ({ period, pageOf }) => pageOf("kpi", period) },
  { id: "peak", source: "peak", face: ({ month }, context) => peakFace(month, context), href: ({ today, pageOf }) => pageOf("kpi", { from: firstOfMonth(today), to: today }) },
  { id: "next-peak", source: "peak", face: ({ next }, context) => nextPeakFace(next, context), href: ({ pageOf }) => pageOf("forecast", {}) },
  { id: "anomalies", source: "anomalies", face: anomaliesFace, href: ({ pageOf }) => pageOf("anomaly", {}) },
  { id: "data", source: "overview", face: dataFace, href: () => null },
  { id: "service", source: "service", face: serviceFace, href: () => `${address("docs")}#/jobs` },
];

/** @param {string} day */
function firstOfMonth(day) {
  return `${day.slice(0, 8)}01`;
}

if (typeof document !== "undefined") start(() => new Overview().begin());
