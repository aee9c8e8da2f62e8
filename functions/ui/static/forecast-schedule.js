/**
 * When to run what can wait: jobs that someone wrote or the history suggests, solved for the least money.
 */
import { get, isCancelled, post, Problem } from "./api.js";
import { newFigure } from "./charts.js";
import { Gantt, piecesOf } from "./forecast-gantt.js";
import { bodyOf, endOf, jobOf, linkOf, movedTo, nextHour, planOf, QUARTER_MS, withJob } from "./forecast-jobs.js";
import { isSolved, loadsSpec, savingNodes, unmovedNodes, unsolvedNodes } from "./forecast-saving.js";
import { atWallTime, count, instant, readable, wallTime } from "./format.js";
import { announce, bring, byId, element, offerCsv, remember, state } from "./page.js";

/**
 * @typedef {import("./forecast-jobs.js").Job} Job
 * @typedef {import("./forecast-jobs.js").Plan} Plan
 * @typedef {import("./forecast-saving.js").Answer} Answer
 * @typedef {import("./forecast-saving.js").Solved} Solved
 */

const HOURS = new Map([["7d", 168]]);
const USUAL_HOURS = 24;

/**
 * @param {import("./page.js").Region} region
 * @returns {import("./forecast.js").Part}
 */
export function begin(region) {
  /** @type {Schedule | null} */
  let schedule = null;
  let subject = "";
  return (view, _, isAgain) => {
    const asked = JSON.stringify([view.subject, view.horizon]);
    if (isAgain || asked === subject) return;
    subject = asked;
    schedule ??= new Schedule(region, view);
    schedule.look(view);
  };
}

/** The part of the page with its plan. */
class Schedule {
  /**
   * @param {import("./page.js").Region} region
   * @param {import("./forecast.js").View} view
   */
  constructor(region, view) {
    this.region = region;
    this.view = view;
    /** @type {Plan} */
    this.plan = { start: 0, hours: USUAL_HOURS, siteLimitKw: null, carbonPrice: null, maxParallel: null, isInForecast: false, jobs: [] };
    /** @type {Solved | null} */
    this.solved = null;
    /** Where jobs run by the answer, those taken out that were moved since. */
    this.places = /** @type {ReturnType<typeof piecesOf>} */ (new Map());
    this.isStale = false;
    /** Prices of the hours that were solved last. @type {{bands: import("./forecast-gantt.js").Band[], currency: string | null}} */
    this.tariff = { bands: [], currency: null };
    this.figure = newFigure("Load before and after", { size: "small" });
    this.gantt = new Gantt(byId("gantt"), byId("gantt-key"), view.zone, {
      move: (job, at) => this.move(job, at), open: (job) => this.edit(job), free: (job) => this.free(job),
    });
    byId("job-new").addEventListener("click", () => this.edit(null));
    byId("propose").addEventListener("click", () => this.propose());
    byId("solve").addEventListener("click", () => this.solve());
    byId("conditions").addEventListener("change", () => this.readConditions());
    byId("conditions").addEventListener("submit", (event) => {
      event.preventDefault();
      this.solve();
    });
    addEventListener("resize", () => this.gantt.redraw());
  }

  /** @param {import("./forecast.js").View} view */
  look(view) {
    this.view = view;
    const usual = { start: nextHour(Date.now()), hours: HOURS.get(view.horizon) ?? USUAL_HOURS };
    this.plan = planOf(state(), view.machines, usual);
    this.forget();
    this.showConditions();
    if (this.plan.jobs.length) this.solve();
    else this.propose();
  }

  /** The answer holds no more. */
  forget() {
    this.solved = null;
    this.places = new Map();
    this.isStale = false;
  }

  /* Asking */

  async propose() {
    const { subject, horizon } = this.view;
    await this.ask(() => get("schedule", "api/v1/forecast/optimal-schedule", { ...subject, horizon: horizon === "1h" ? "24h" : horizon }), (answer) => {
      const start = Date.parse(answer.start);
      // What the history suggests is no one's plan yet: the address keeps it once someone changes it.
      const hours = Math.round((Date.parse(answer.end) - start) / (4 * QUARTER_MS));
      this.plan = { ...this.plan, start, hours, isInForecast: answer.jobs.length > 0, jobs: answer.jobs.map(jobOf) };
      this.showConditions();
    });
  }

  async solve() {
    if (!this.plan.jobs.length) return this.propose();
    if (this.plan.start < Date.now() - QUARTER_MS) return this.sayPassed();
    await this.ask(() => post("schedule", "api/v1/forecast/optimal-schedule", bodyOf(this.plan, this.view.factoryId)), () => this.keep());
  }

  sayPassed() {
    const later = () => {
      this.plan = movedTo(this.plan, nextHour(Date.now()));
      this.keep();
      this.showConditions();
      this.solve();
    };
    this.region.empty(`These hours began on ${instant(this.plan.start, this.view.zone, "moment")} and have passed.`, { text: "The same from now on", act: later });
  }

  /**
   * @param {() => Promise<Answer>} ask
   * @param {(answer: Answer) => void} take
   */
  async ask(ask, take) {
    const { view } = this;
    this.region.loading();
    this.busy(true);
    try {
      const answer = await ask();
      if (view !== this.view) return;
      this.tariff = { bands: answer.bands, currency: answer.currency };
      take(answer);
      if (isSolved(answer)) this.show(answer);
      else this.showUnsolved(unsolvedNodes(answer, view.zone));
    } catch (error) {
      this.fail(error);
    } finally {
      this.busy(false);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    if (isCancelled(error)) return;
    if (!(error instanceof Problem) || error.status >= 500 || !error.status) return this.region.failed(error, () => this.solve());
    const text = readable(error.message, this.view.zone);
    // What someone wrote stays in sight: the fault may be in it.
    if (this.plan.jobs.length) this.showUnsolved([element("div", { class: "verdict", "data-tone": "critical", role: "alert" }, text)]);
    else this.region.empty(text);
  }

  /** @param {boolean} isBusy */
  busy(isBusy) {
    for (const id of ["solve", "propose", "job-new"]) byId(id).toggleAttribute("disabled", isBusy);
    byId("solve").textContent = isBusy ? "Solving …" : "Solve";
  }

  /* Showing */

  /** @param {Solved} solved */
  show(solved) {
    const { zone, name } = this.view;
    this.solved = solved;
    this.places = piecesOf(solved.schedule);
    this.isStale = false;
    byId("saving").replaceChildren(...savingNodes(solved, zone));
    byId("reasons").replaceChildren(...(solved.jobs.length ? [this.figure.root] : []), ...unmovedNodes(solved, zone));
    offerCsv("export-schedule", ["schedule", name, wallTime(this.plan.start, zone).slice(0, 10)], solved.schedule);
    this.draw();
    if (solved.jobs.length) this.figure.draw(loadsSpec(solved, zone));
    announce(`Solved: ${byId("saving").querySelector(".sentence")?.textContent ?? ""}`);
  }

  /** @param {HTMLElement[]} why */
  showUnsolved(why) {
    this.forget();
    byId("reasons").replaceChildren();
    offerCsv("export-schedule", [], []);
    this.draw();
    byId("saving").replaceChildren(...why);
  }

  draw() {
    const { start, jobs } = this.plan;
    const [from, to] = [start, endOf(this.plan)].map((at) => instant(at, this.view.zone, "moment"));
    byId("gantt-help").hidden = jobs.length === 0;
    byId("schedule-note").textContent = `${count(jobs.length, "job")}, ${from} to ${to}`;
    const hint = jobs.length ? "Not solved yet." : "There is no job yet: add one, or have some proposed from the history.";
    if (!this.solved) byId("saving").replaceChildren(element("p", { class: "hint" }, hint));
    this.region.ready(this.isStale ? ["Something was changed since: solve again for the figures."] : []);
    this.gantt.draw(this.plan, this.places, this.tariff.bands, this.tariff.currency);
  }

  /* Changing */

  /**
   * Before a solve a job is moved to where it runs today, after it to where it has to be.
   * @param {Job} job
   * @param {number} at
   */
  move(job, at) {
    this.change(job, this.solved ? { ...job, pinned: at } : { ...job, planned: at });
    announce(`${job.id} begins at ${instant(at, this.view.zone, "moment")}.`);
  }

  /** @param {Job} job */
  free(job) {
    if (job.pinned === null) return;
    this.change(job, { ...job, pinned: null });
    announce(`${job.id} may move again.`);
  }

  /** @param {Job | null} job Null is a new one. */
  async edit(job) {
    try {
      const { askForJob, newJob } = await bring(() => import("./forecast-job-form.js"));
      const done = await askForJob(job ?? newJob(this.plan), this.plan, this.view.machines, this.view.zone);
      if (done) this.change(job, done.job);
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * @param {Job | null} former Null: there was none.
   * @param {Job | null} job Null: it is no more.
   */
  change(former, job) {
    this.plan = withJob(this.plan, former, job);
    if (former) this.places.delete(former.id);
    this.isStale = this.solved !== null;
    this.keep();
    this.draw();
  }

  readConditions() {
    const { value } = inputOf("plan-start");
    const start = value ? Date.parse(atWallTime(value, this.view.zone)) : this.plan.start;
    const hours = figureOf("plan-hours") ?? USUAL_HOURS;
    const most = figureOf("max-parallel");
    const isElsewhere = start !== this.plan.start || hours !== this.plan.hours;
    this.plan = {
      ...movedTo(this.plan, start), hours, siteLimitKw: figureOf("site-limit"), carbonPrice: figureOf("carbon-price"),
      maxParallel: most && Math.round(most), isInForecast: isTicked("plan-within"),
    };
    if (isElsewhere) this.forget();
    this.isStale = this.solved !== null;
    this.keep();
    this.draw();
  }

  showConditions() {
    const { start, hours, siteLimitKw, carbonPrice, maxParallel } = this.plan;
    const values = {
      "plan-start": wallTime(start, this.view.zone), "plan-hours": String(hours), "site-limit": siteLimitKw ?? "", "carbon-price": carbonPrice ?? "",
      "max-parallel": maxParallel ?? "",
    };
    const offered = [...byId("plan-hours").querySelectorAll("option")].map(({ value }) => Number(value));
    if (!offered.includes(hours)) byId("plan-hours").append(element("option", { value: hours }, count(hours, "hour")));
    for (const [id, value] of Object.entries(values)) inputOf(id).value = String(value);
    /** @type {HTMLInputElement} */ (inputOf("plan-within")).checked = this.plan.isInForecast;
  }

  /** Keeps the plan in the address. */
  keep() {
    const { isWhole, ...link } = linkOf(this.plan);
    remember(link);
    byId("link-note").hidden = isWhole;
  }
}

/**
 * @param {string} id
 * @returns {HTMLInputElement | HTMLSelectElement}
 */
function inputOf(id) {
  return byId(id);
}

/** @param {string} id */
function isTicked(id) {
  return /** @type {HTMLInputElement} */ (inputOf(id)).checked;
}

/** @param {string} id */
function figureOf(id) {
  const value = Number(inputOf(id).value);
  return value > 0 ? value : null;
}
