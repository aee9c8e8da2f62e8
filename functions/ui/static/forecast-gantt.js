/**
 * Jobs over the bands of the tariff, to be moved by pointer and by keyboard.
 */
import { allowedPlace, endOf, lengthOf, placeOf, QUARTER_MS } from "./forecast-jobs.js";
import { instant, number, timeMarks } from "./format.js";
import { element } from "./page.js";

/**
 * @typedef {import("./forecast-jobs.js").Job} Job
 * @typedef {import("./forecast-jobs.js").Plan} Plan
 * @typedef {{start: string, end: string, name: string, rate_per_kwh: number}} Band A time of one price.
 * @typedef {{from: number, to: number}} Piece Milliseconds since 1970.
 * @typedef {{job: Job, pieces: Piece[], ghost: Piece | null, text: string}} Lane A job, where it runs, and where it would have.
 * @typedef {{move: (job: Job, at: number) => void, open: (job: Job) => void, free: (job: Job) => void}} Acts What someone does with a job.
 */

const HOUR_MS = 3_600_000;
/** Milliseconds that a key moves a job by. */
const STEPS = new Map([
  ["ArrowLeft", -QUARTER_MS], ["ArrowDown", -QUARTER_MS], ["ArrowRight", QUARTER_MS], ["ArrowUp", QUARTER_MS], ["PageDown", -HOUR_MS],
  ["PageUp", HOUR_MS],
]);
// Nearer than this to where it was pressed a pointer has opened the job, not moved it.
const SLACK_PX = 4;
const LABEL_PX = 76;

/**
 * Where jobs run by a schedule, what is joined told as one.
 * @param {{job_id: string, start: string, end: string}[]} schedule
 * @returns {Map<string, Piece[]>}
 */
export function piecesOf(schedule) {
  /** @type {Map<string, Piece[]>} */
  const pieces = new Map();
  const inTime = schedule.map(({ job_id: id, start, end }) => ({ id, from: Date.parse(start), to: Date.parse(end) })).sort((a, b) => a.from - b.from);
  for (const { id, from, to } of inTime) {
    const own = pieces.get(id) ?? [];
    const last = own.at(-1);
    if (last && last.to >= from) last.to = Math.max(last.to, to);
    else own.push({ from, to });
    pieces.set(id, own);
  }
  return pieces;
}

/**
 * @param {Plan} plan
 * @param {Map<string, Piece[]>} solved Where jobs run by the answer; those that were moved since are not in it.
 * @param {string} zone
 * @returns {Lane[]}
 */
export function lanesOf(plan, solved, zone) {
  return plan.jobs.map((job) => {
    const place = { from: placeOf(job), to: placeOf(job) + lengthOf(job) };
    const pieces = solved.get(job.id) ?? [place];
    const before = { from: job.planned, to: job.planned + lengthOf(job) };
    const isMoved = pieces[0]?.from !== before.from || pieces.length > 1;
    return { job, pieces, ghost: isMoved ? before : null, text: laneText(job, pieces, zone) };
  });
}

/**
 * @param {Job} job
 * @param {Piece[]} pieces
 * @param {string} zone
 */
function laneText({ powersKw, pinned }, pieces, zone) {
  const times = pieces.map(({ from, to }) => `${instant(from, zone, "moment")} to ${instant(to, zone, "clock")}`).join(", then ");
  return `${times}, ${number(Math.max(...powersKw), "kW")}${pinned === null ? "" : ", fixed"}`;
}

/**
 * Bands with the share that their price has between the lowest and the highest.
 * @param {Band[]} bands
 * @returns {(Band & {share: number})[]}
 */
export function shadedBands(bands) {
  const rates = bands.map(({ rate_per_kwh: rate }) => rate);
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  return bands.map((band) => ({ ...band, share: high > low ? (band.rate_per_kwh - low) / (high - low) : 0 }));
}

/** The picture, drawn anew with each change. */
export class Gantt {
  /**
   * @param {HTMLElement} root
   * @param {HTMLElement} key The list that tells which price has which shade.
   * @param {string} zone
   * @param {Acts} acts
   */
  constructor(root, key, zone, acts) {
    this.root = root;
    this.key = key;
    this.zone = zone;
    this.acts = acts;
    /** @type {Plan | null} */
    this.plan = null;
    /** Draws what was drawn last. */
    this.redraw = () => {};
    root.addEventListener("pointerdown", (event) => this.grab(event));
    root.addEventListener("keydown", (event) => this.press(event));
  }

  /**
   * @param {Plan} plan
   * @param {Map<string, Piece[]>} solved
   * @param {Band[]} bands
   * @param {string | null} currency
   */
  draw(plan, solved, bands, currency) {
    this.plan = plan;
    this.redraw = () => this.draw(plan, solved, bands, currency);
    const focused = this.root.contains(document.activeElement) ? document.activeElement?.getAttribute("data-job") : null;
    const lanes = lanesOf(plan, solved, this.zone).map((lane) => this.lane(lane));
    const axis = element("div", { class: "track" });
    const backdrop = element("div", { class: "backdrop", "aria-hidden": "true" });
    const picture = element("div", { class: "gantt" }, backdrop, ...lanes, element("div", { class: "lane axis", "aria-hidden": "true" }, element("span"), axis));
    this.root.replaceChildren(picture);
    this.key.replaceChildren(...keyItems(shadedBands(bands), currency));
    this.paint(backdrop, axis, bands);
    /** @type {HTMLElement | null} */
    const same = focused ? this.root.querySelector(`.bar[data-job="${CSS.escape(focused)}"]`) : null;
    same?.focus({ preventScroll: true });
  }

  /**
   * @param {HTMLElement} backdrop
   * @param {HTMLElement} axis
   * @param {Band[]} bands
   */
  paint(backdrop, axis, bands) {
    const [from, to] = this.span();
    backdrop.append(...shadedBands(bands).map((band) => {
      const made = this.placed(element("i", { class: "band", title: band.name }), { from: Date.parse(band.start), to: Date.parse(band.end) });
      made.style.setProperty("--share", String(band.share));
      return made;
    }));
    const most = Math.max(2, Math.min(12, Math.floor(axis.clientWidth / LABEL_PX)));
    axis.append(...timeMarks(from, to, this.zone, most).filter(({ at }) => (to - at) / (to - from) * axis.clientWidth > 0.7 * LABEL_PX)
      .map(({ at, text }) => this.placed(element("span", null, text), { from: at, to: at })));
  }

  /** @param {Lane} lane */
  lane({ job, pieces, ghost, text }) {
    const [first = { from: placeOf(job), to: placeOf(job) }, ...more] = pieces;
    const shown = new Intl.NumberFormat().format(Math.max(...job.powersKw));
    const bar = element("span", {
      class: "bar", role: "slider", tabindex: "0", "data-job": job.id, "data-pinned": job.pinned !== null, title: text, "aria-label": `${job.id}, start`,
      "aria-valuemin": job.earliest / 60_000, "aria-valuemax": (job.deadline - lengthOf(job)) / 60_000, "aria-valuenow": first.from / 60_000, "aria-valuetext": text,
    }, element("span", null, `${shown}\u00a0kW`));
    return element("div", { class: "lane" },
      element("button", { class: "button quiet name", type: "button", title: job.id, onclick: () => this.acts.open(job) }, job.id),
      element("div", { class: "track" },
        this.placed(element("i", { class: "window" }), { from: job.earliest, to: job.deadline }),
        ghost ? this.placed(element("i", { class: "ghost", title: "Before" }), ghost) : null,
        ...more.map((piece) => this.placed(element("i", { class: "bar piece", "aria-hidden": "true" }), piece)),
        this.placed(bar, first)));
  }

  /** @returns {[number, number]} */
  span() {
    const plan = /** @type {Plan} */ (this.plan);
    return [plan.start, endOf(plan)];
  }

  /**
   * @template {HTMLElement} T
   * @param {T} target
   * @param {Piece} place
   */
  placed(target, { from, to }) {
    const [start, end] = this.span();
    const share = (/** @type {number} */ at) => Math.min(Math.max((at - start) / (end - start), 0), 1);
    target.style.setProperty("--left", share(from).toFixed(5));
    target.style.setProperty("--width", (share(to) - share(from)).toFixed(5));
    return target;
  }

  /** @param {EventTarget | null} target */
  grabbed(target) {
    const bar = target instanceof Element ? target.closest(".bar[data-job]") : null;
    const job = this.plan?.jobs.find(({ id }) => id === bar?.getAttribute("data-job"));
    return bar instanceof HTMLElement && job ? { bar, job } : null;
  }

  /** @param {PointerEvent} pressed */
  grab(pressed) {
    const grabbed = this.grabbed(pressed.target);
    if (!grabbed || pressed.button !== 0) return;
    const { bar, job } = grabbed;
    const [start, end] = this.span();
    const width = bar.parentElement?.clientWidth ?? 1;
    const began = start + Number(bar.style.getPropertyValue("--left")) * (end - start);
    let at = began;
    const move = (/** @type {PointerEvent} */ event) => {
      at = allowedPlace(job, began + ((event.clientX - pressed.clientX) / width) * (end - start));
      this.placed(bar, { from: at, to: at + lengthOf(job) });
      bar.firstElementChild?.replaceChildren(instant(at, this.zone, "clock"));
    };
    const finish = (/** @type {PointerEvent} */ event) => {
      for (const name of ["pointermove", "pointerup", "pointercancel"]) bar.removeEventListener(name, /** @type {any} */ (name === "pointermove" ? move : finish));
      if (event.type === "pointercancel") this.redraw();
      else if (Math.abs(event.clientX - pressed.clientX) < SLACK_PX) this.acts.open(job);
      else this.acts.move(job, at);
    };
    bar.setPointerCapture(pressed.pointerId);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", finish);
    bar.addEventListener("pointercancel", finish);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    const grabbed = this.grabbed(event.target);
    if (!grabbed) return;
    const act = this.actOf(event.key, grabbed.job, 60_000 * Number(grabbed.bar.getAttribute("aria-valuenow")));
    if (!act) return;
    event.preventDefault();
    act();
  }

  /**
   * @param {string} key
   * @param {Job} job
   * @param {number} at Where it begins now.
   * @returns {(() => void) | null}
   */
  actOf(key, job, at) {
    const step = STEPS.get(key);
    if (step) return () => this.acts.move(job, allowedPlace(job, at + step));
    if (key === "Home") return () => this.acts.move(job, job.earliest);
    if (key === "End") return () => this.acts.move(job, allowedPlace(job, job.deadline));
    if (key === "Enter" || key === " ") return () => this.acts.open(job);
    return key === "Delete" || key === "Backspace" ? () => this.acts.free(job) : null;
  }
}

/**
 * Which price has which shade.
 * @param {(Band & {share: number})[]} bands
 * @param {string | null} currency
 */
function keyItems(bands, currency) {
  const known = new Map(bands.map((band) => [`${band.name} ${band.rate_per_kwh}`, band]));
  const items = [...known.values()].sort((a, b) => a.rate_per_kwh - b.rate_per_kwh).map((band) => {
    const swatch = element("i", { class: "band" });
    swatch.style.setProperty("--share", String(band.share));
    return element("li", null, swatch, `${band.name}, ${number(band.rate_per_kwh, currency ? `${currency}/kWh` : null)}`);
  });
  return [...items, element("li", null, element("i", { class: "ghost" }), "before"), element("li", null, element("i", { class: "window" }), "may run")];
}
