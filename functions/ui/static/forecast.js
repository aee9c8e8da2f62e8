/**
 * The load that comes: a machine's or a factory's forecast with its bands, its peak held against a limit.
 *
 * How far to trust it and when to run what can wait come in modules of their own, once someone scrolls there.
 */
import { get, isCancelled, Problem } from "./api.js";
import { Figure } from "./charts.js";
import { accuracyTile, HORIZONS, limitOf, limitText, loadSpec, modelText, MONTHS_PEAK, noticesOf, SELECTED, tilesOf, wantedOf } from "./forecast-faces.js";
import { age, fileName, instant, isFigure, number, readable } from "./format.js";
import { announce, bring, byId, catalogue, element, factory, offerCsv, pause, Region, remember, savePicture, start, state, whenVisible } from "./page.js";

/**
 * @typedef {import("./forecast-faces.js").Demand} Demand
 * @typedef {import("./forecast-faces.js").Peak} Peak
 * @typedef {{subject: {machine_id: string} | {factory_id: string}, name: string, factoryId: string, zone: string, horizon: string,
 *   model: string, contractKw: number | null, limitKw: number | null, machines: import("./page.js").Machine[]}} View What is shown.
 * @typedef {{demand: Demand | null, peak: Peak | null, history: import("./forecast-faces.js").Measured[] | null, accuracy: any,
 *   problem: unknown}} Answers Null where a call failed, or has not been answered.
 * @typedef {(view: View, answers: Answers, isAgain: boolean) => void} Part Draws what lies below the fold.
 */

const REFRESH_MS = 300_000;
const NOTHING = { demand: null, peak: null, history: null, accuracy: null, problem: null };

/** What the browser has; made when the page starts. */
class ForecastPage {
  constructor() {
    this.factory = /** @type {import("./page.js").Factory} */ (factory());
    this.machines = catalogue().machines.filter((each) => each.factory_id === this.factory.id);
    this.outlook = new Region("outlook");
    this.chart = new Region("load");
    this.figure = new Figure(byId("chart-load"));
    this.view = this.viewOf();
    /** @type {Answers} */
    this.answers = NOTHING;
    this.askedAt = Date.now();
    /** Parts that were scrolled to. @type {Part[]} */
    this.parts = [];
  }

  /** @returns {View} */
  viewOf() {
    const { id, name, timezone: zone, contract_demand_kw: contract } = this.factory;
    const wanted = wantedOf(state());
    const machine = this.machines.find((each) => each.id === wanted.machine);
    const contractKw = !machine && Number(contract) > 0 ? Number(contract) : null;
    return {
      subject: machine ? { machine_id: machine.id } : { factory_id: id }, name: machine ? machine.name : name, factoryId: id, zone,
      horizon: wanted.horizon, model: wanted.model, contractKw, limitKw: limitOf(wanted, contractKw), machines: this.machines,
    };
  }

  begin() {
    this.offerSubjects();
    this.listen();
    this.load();
    whenVisible(byId("proof-foot"), () => this.beginPart("proof", () => import("./forecast-proof.js")));
    whenVisible(byId("gantt"), () => this.beginPart("schedule", () => import("./forecast-schedule.js")));
    setInterval(() => this.refresh(), REFRESH_MS);
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  offerSubjects() {
    /** @type {HTMLSelectElement} */
    const select = byId("subject");
    select.append(element("option", { value: "" }, `${this.factory.name}, all of it`), element("optgroup", { label: "Machines" },
      ...this.machines.map((each) => element("option", { value: each.id }, each.is_active ? each.name : `${each.name} (out of service)`))));
    const { subject } = this.view;
    select.value = "machine_id" in subject ? subject.machine_id : "";
  }

  listen() {
    this.onChange("subject", (value) => this.choose({ machine: value || null, limit: null }));
    this.onChange("model", (value) => this.choose({ model: value === SELECTED ? null : value }));
    this.onChange("limit", (value) => this.chooseLimit(Number(value) > 0 ? value : null));
    byId("limit-contract").addEventListener("click", () => this.chooseLimit(null));
    byId("limit-month").addEventListener("click", () => this.chooseLimit(MONTHS_PEAK));
    byId("horizon").addEventListener("click", (event) => {
      const horizon = /** @type {Element} */ (event.target).closest("button")?.dataset.horizon;
      if (horizon) this.choose({ horizon: horizon === "24h" ? null : horizon, model: null });
    });
    byId("picture-forecast").addEventListener("click", () => savePicture(this.figure.canvas, `${fileName(...this.fileParts())}.png`));
  }

  /**
   * @param {string} id
   * @param {(value: string) => void} act
   */
  onChange(id, act) {
    byId(id).addEventListener("change", ({ target }) => act(/** @type {HTMLInputElement | HTMLSelectElement} */ (target).value));
  }

  /** @param {Record<string, string | null>} changes */
  choose(changes) {
    remember(changes, { push: true });
    this.load();
  }

  /** @param {string | null} limit */
  async chooseLimit(limit) {
    remember({ limit }, { push: true });
    if (!this.answers.demand) return this.load();
    const view = this.view = this.viewOf();
    this.outlook.loading();
    try {
      const peak = await this.askPeak(view);
      if (view === this.view) this.show({ ...this.answers, peak }, true);
    } catch (error) {
      this.outlook.failed(error, () => this.load());
    }
  }

  load() {
    this.view = this.viewOf();
    this.offerChoices();
    this.showParts(true);
    this.answers = NOTHING;
    for (const region of [this.outlook, this.chart]) region.loading();
    byId("subtitle").textContent = `${this.view.name}, ${HORIZONS.get(this.view.horizon)?.text}. Times in ${this.view.zone}.`;
    for (const part of this.parts) part(this.view, this.answers, false);
    this.ask(false);
  }

  offerChoices() {
    const { horizon, model, contractKw } = this.view;
    for (const button of byId("horizon").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.horizon === horizon));
    /** @type {HTMLSelectElement} */
    const select = byId("model");
    const models = [SELECTED, HORIZONS.get(horizon)?.own ?? ""];
    select.replaceChildren(...models.map((name) => element("option", { value: name }, modelText(name))));
    select.value = model;
    byId("limit-contract").hidden = contractKw === null;
    byId("limits").hidden = !hasPeak(this.view);
  }

  refresh() {
    if (!document.hidden && Date.now() - this.askedAt > REFRESH_MS / 2) this.ask(true);
  }

  /** @param {boolean} isAgain Whether this only brings the page up to date. */
  async ask(isAgain) {
    const { view } = this;
    this.askedAt = Date.now();
    const { subject, horizon, model } = view;
    const [demand, peak, history, accuracy] = await Promise.allSettled([
      get("demand", "api/v1/forecast/demand", { ...subject, horizon, model: model === SELECTED ? null : model }),
      this.askPeak(view),
      get("history", "api/v1/forecast/history", { ...subject, horizon }),
      get("accuracy", "api/v1/forecast/accuracy", { ...subject, horizon, choice: model === SELECTED ? null : model }),
    ]);
    if (view !== this.view) return;
    if (demand.status === "fulfilled") {
      const [peaks, measured, scores] = [peak, history, accuracy].map((each) => (each.status === "fulfilled" ? each.value : null));
      this.show({ demand: demand.value, peak: peaks, history: measured?.history ?? null, accuracy: scores, problem: null }, isAgain);
    } else if (!isAgain || !this.answers.demand) this.fail(demand.reason);
  }

  /**
   * @param {View} view
   * @returns {Promise<Peak | null>}
   */
  async askPeak(view) {
    const { subject, horizon, limitKw } = view;
    return hasPeak(view) ? get("peak", "api/v1/forecast/peak", { ...subject, horizon, limit_kw: limitKw }) : null;
  }

  /** @param {unknown} problem */
  fail(problem) {
    if (isCancelled(problem)) return;
    this.answers = { ...NOTHING, problem };
    if (isNothing(problem)) {
      this.showParts(false);
      const others = this.view.model === SELECTED ? null : { text: "Show what proved best", act: () => this.choose({ model: null }) };
      return this.outlook.empty(readable(problem.message, this.view.zone), others);
    }
    for (const region of [this.outlook, this.chart]) region.failed(problem, () => this.load());
    for (const part of this.parts) part(this.view, this.answers, false);
  }

  /** @param {boolean} isShown Whether there is anything to see besides one sentence. */
  showParts(isShown) {
    for (const id of ["load", "below"]) byId(id).hidden = !isShown;
  }

  /**
   * @param {Answers} answers
   * @param {boolean} isAgain
   */
  async show(answers, isAgain) {
    this.answers = answers;
    const { view } = this;
    const { demand, peak, accuracy } = answers;
    if (!demand) return;
    [...tilesOf(demand, peak, this.view), accuracyTile(accuracy, demand)].forEach(showTile);
    this.tell(demand);
    this.outlook.ready();
    await pause();
    if (view !== this.view) return;
    this.draw(demand, answers);
    if (!isAgain) announce(`Forecast of ${this.view.name}, ${HORIZONS.get(this.view.horizon)?.text}.`);
    for (const part of this.parts) part(this.view, answers, isAgain);
  }

  /**
   * @param {Demand} demand
   * @param {Answers} answers
   */
  draw(demand, { peak, history }) {
    const { zone, horizon, contractKw } = this.view;
    const limit = peak?.limit_kw ?? null;
    const name = isFigure(limit) ? `${number(limit, "kW")}, ${limitText(limit, peak?.limit_source, contractKw)}` : "";
    showLimit(limit);
    offerCsv("export-forecast", this.fileParts(), demand.predictions);
    byId("picture-forecast").toggleAttribute("disabled", false);
    this.chart.ready([...noticesOf(demand, zone), ...(history ? [] : ["What was measured before could not be had."])]);
    this.figure.draw(loadSpec(demand, history ?? [], { zone, horizon, limit, limitName: name, peak }));
  }

  /** @param {Demand} demand */
  tell({ forecast_generated_at: madeAt }) {
    const { name, horizon, zone } = this.view;
    byId("subtitle").textContent = `${name}, ${HORIZONS.get(horizon)?.text}. Times in ${zone}; made ${age(madeAt, Date.now())}, at ${instant(madeAt, zone, "clock")}.`;
  }

  fileParts() {
    return ["forecast", this.view.name, this.view.horizon];
  }

  /**
   * Brings a part with its module once its place comes near the window.
   * @param {string} id Of its region.
   * @param {() => Promise<{begin: (region: Region, reload: () => void) => Part}>} load
   */
  async beginPart(id, load) {
    const region = new Region(id);
    region.loading();
    try {
      const part = (await bring(load)).begin(region, () => this.load());
      this.parts.push(part);
      part(this.view, this.answers, false);
    } catch (error) {
      region.failed(error, () => location.reload());
    }
  }
}

/**
 * Whether the service tells a peak with its chances: of what proved best, for longer than an hour.
 * @param {View} view
 */
function hasPeak({ horizon, model }) {
  return model === SELECTED && Boolean(HORIZONS.get(horizon)?.hasPeak);
}

/**
 * Whether a machine or factory is one of which nothing can be foretold: it has no readings, or not that model.
 * @param {unknown} problem
 * @returns {problem is Problem}
 */
function isNothing(problem) {
  return problem instanceof Problem && [404, 409, 422].includes(problem.status);
}

/** @param {import("./forecast-faces.js").Tile} tile */
function showTile({ id, value, tone = null, notes }) {
  const tile = byId(`tile-${id}`);
  const figure = /** @type {HTMLElement} */ (tile.querySelector(".value"));
  figure.className = tone ? `value ${tone}` : "value";
  figure.replaceChildren(value);
  tile.querySelector(".note")?.replaceChildren(...notes.map((note) => element("li", null, note)));
}

/**
 * The limit in its field; while someone types there it stays.
 * @param {number | null} limit
 */
function showLimit(limit) {
  /** @type {HTMLInputElement} */
  const input = byId("limit");
  if (document.activeElement !== input) input.value = isFigure(limit) ? String(Math.round(10 * limit) / 10) : "";
}

if (typeof document !== "undefined") start(() => new ForecastPage().begin());
