/**
 * One machine: its key figures, its energy beside what its baseline expects, whatever it measures.
 */
import { address, get, isCancelled, Problem } from "./api.js";
import { Figure } from "./charts.js";
import { tilesOf } from "./figures.js";
import {
  addDays, age, calendarDay, count, daysBetween, instant, isStale, label, localDay, namesIn, NONE, number, percent, readable, unlikeExpected,
} from "./format.js";
import { cusumSpec, deviationTexts, expectedSpec, judgedOf } from "./machine-deviation.js";
import {
  announce, badge, bring, byId, element, machineOfPage, offerCsv, pageAddress, pause, PeriodPicker, Region, start, statusBadge, tone, whenVisible,
} from "./page.js";

/** @typedef {import("./page.js").Action} Action */

// More hours than these blur into a band; then days are shown.
const MOST_HOURLY_DAYS = 14;
// Of fewer days a sum over days tells nothing.
const LEAST_CUSUM_DAYS = 3;
const SHOW_LATEST = "Show the latest days with readings";

/**
 * Why a period shows nothing, seen from all that a machine ever sent; null where it lies within.
 * @param {{first_reading_at: string | null, last_reading_at: string | null}} machine
 * @param {{from: string, to: string}} period
 * @param {string} zone
 * @returns {{text: string, offer: string, lastDay: string | null} | null} With as many days that end with readings.
 */
export function outsideReadings({ first_reading_at: first, last_reading_at: last }, { from, to }, zone) {
  if (!first || !last) return { text: "This machine has sent no reading yet.", offer: "", lastDay: null };
  const [firstDay, lastDay] = [localDay(Date.parse(first), zone), localDay(Date.parse(last), zone)];
  if (from > lastDay) {
    return { text: `No readings lie in these days; the latest is from ${instant(last, zone)}.`, offer: SHOW_LATEST, lastDay };
  }
  if (to >= firstDay) return null;
  return {
    text: `No readings lie in these days; the first is from ${instant(first, zone)}.`,
    offer: "Show the first days with readings",
    lastDay: addDays(firstDay, daysBetween(from, to) - 1),
  };
}

/** What the browser has; made when the page starts. */
class MachinePage {
  /** @param {import("./page.js").Machine} machine */
  constructor(machine) {
    this.machine = machine;
    this.zone = machine.timezone;
    this.picker = new PeriodPicker(7, () => this.zone, () => this.load());
    this.about = new Region("about");
    this.nothing = new Region("nothing");
    this.kpis = new Region("kpis");
    this.deviation = new Region("deviation");
    /** Parts below the fold: there once someone came near them. */
    this.readings = /** @type {import("./machine-readings.js").Readings | null} */ (null);
    this.baseline = /** @type {Region | null} */ (null);
    this.figures = { expected: new Figure(byId("chart-expected")), cusum: new Figure(byId("chart-cusum")) };
    /** @type {any} */
    this.details = null;
  }

  begin() {
    this.load();
    this.loadAbout();
    // Its foot: whose window ends at its header is not looking at readings yet.
    whenVisible(/** @type {Element} */ (byId("chart-series").lastElementChild), () => this.beginReadings());
    whenVisible(byId("baseline"), () => {
      this.baseline = new Region("baseline");
      this.loadBaseline();
    });
  }

  /** What of the period every call takes. */
  period() {
    const { from, to } = this.picker.days();
    return { start: from, end: to };
  }

  load() {
    const { from, to } = this.picker.days();
    byId("subtitle").textContent = `${this.picker.text()}${to === this.today() ? " so far" : ""}. Times in ${this.zone}.`;
    byId("chart-cusum").hidden = daysBetween(from, to) < LEAST_CUSUM_DAYS;
    if (from > this.today()) {
      return this.showNothing("These days lie in the future.", { text: "Show the last 7 days", act: () => this.choose("7") });
    }
    const outside = this.details && outsideReadings(this.details, { from, to }, this.zone);
    if (outside) return this.showNothing(outside.text, this.moveTo(outside.lastDay, outside.offer));
    [byId("nothing").hidden, byId("parts").hidden] = [true, false];
    this.loadKpis();
    this.loadDeviation();
    this.readings?.load();
  }

  today() {
    return localDay(Date.now(), this.zone);
  }

  /** @param {string} days */
  choose(days) {
    this.picker.choose({ days, from: null, to: null });
  }

  /**
   * @param {string | null} lastDay
   * @param {string} text
   * @returns {Action | null}
   */
  moveTo(lastDay, text) {
    return lastDay ? { text, act: () => this.picker.moveTo(lastDay) } : null;
  }

  /**
   * One sentence in place of parts that would all say it.
   * @param {string} text
   * @param {Action | null} action
   */
  showNothing(text, action) {
    [byId("nothing").hidden, byId("parts").hidden] = [false, true];
    this.nothing.empty(text, action);
  }

  /** What a part says when the period has readings before and after it, but none within. @param {Region} region */
  showEmpty(region) {
    const last = this.details?.last_reading_at;
    region.empty("No readings lie in these days.", this.moveTo(last ? localDay(Date.parse(last), this.zone) : null, SHOW_LATEST));
  }

  async loadAbout() {
    this.about.loading();
    try {
      this.details = await get("machine", `api/v1/machines/${this.machine.id}`);
    } catch (error) {
      return this.about.failed(error, () => this.loadAbout());
    }
    this.showAbout();
    this.readings?.offer(this.details.metrics);
    const outside = outsideReadings(this.details, this.picker.days(), this.zone);
    if (outside && this.picker.days().from <= this.today()) this.showNothing(outside.text, this.moveTo(outside.lastDay, outside.offer));
  }

  showAbout() {
    const { factory_name: name, type, rated_power_kw: rated, is_active: isActive } = this.details;
    showFacts("facts", [
      ["Factory", element("a", { href: pageAddress("", { factory: this.details.factory_id }) }, name)],
      ["Type", label(type)],
      ["Rated power", number(rated, "kW")],
      ["Status", isActive ? this.status() : badge("Not in use", null)],
      ["Latest reading", this.latest()],
    ]);
    this.about.ready();
  }

  status() {
    const { status, status_at: at } = this.details;
    const now = Date.now();
    const sign = statusBadge(this.details, now);
    if (!sign || !at) return "not reported";
    // A status of long ago has its age in the badge.
    return sign.textContent === label(status) ? element("span", null, sign, ` told ${age(at, now)}`) : sign;
  }

  latest() {
    const { last_reading_at: last, data_interval_seconds: interval } = this.details;
    if (!last) return "none yet";
    const now = Date.now();
    const isLate = isStale(last, interval, now);
    return element("span", null, `${instant(last, this.zone)}, ${age(last, now)} `, badge(isLate ? "Stale" : "Fresh", isLate ? "warning" : "good"));
  }

  async loadKpis() {
    this.kpis.loading();
    try {
      const answer = await get("kpis", "api/v1/kpi/all", { machine_id: this.machine.id, ...this.period() });
      if (answer.readings === 0) return this.showEmpty(this.kpis);
      tilesOf(answer, this.zone).forEach(showTile);
      byId("coverage").replaceChildren(...this.coverage(answer));
      this.kpis.ready();
    } catch (error) {
      this.kpis.failed(error, () => this.loadKpis());
    }
  }

  /**
   * How far the figures can be trusted, and where there is more of them.
   * @param {any} answer
   */
  coverage({ coverage, warnings }) {
    const { from, to } = this.picker.days();
    const more = pageAddress("kpi", { factory: this.machine.factory_id, machine: this.machine.id, from, to });
    const texts = warnings.map((/** @type {any} */ { text }) => ` ${readable(text, this.zone)}`).join("");
    return [`Readings cover ${percent(coverage, coverage < 0.995 ? 1 : 0)} of the time.${texts} `, element("a", { href: more }, "More key figures"), ", ",
      element("a", { href: pageAddress("anomaly", { factory: this.machine.factory_id, machine: this.machine.id, show: "30" }) }, "its anomalies")];
  }

  async loadDeviation() {
    this.deviation.loading();
    const { from, to } = this.picker.days();
    // A model by day can't be asked for hours: without a wish it lists what it predicts.
    const interval = daysBetween(from, to) > MOST_HOURLY_DAYS ? "day" : null;
    try {
      const answer = await get("deviation", "api/v1/baseline/deviation", { machine_id: this.machine.id, ...this.period(), interval });
      await this.showDeviation(answer);
    } catch (error) {
      this.showNoDeviation(error);
    }
  }

  /** @param {any} answer */
  async showDeviation(answer) {
    const judged = judgedOf(answer, this.zone);
    const severity = answer.deviation_severity;
    const headline = unlikeExpected(answer.deviation_percent);
    const verdict = byId("verdict");
    verdict.dataset.tone = tone(severity) ?? "";
    verdict.replaceChildren(element("p", null, element("strong", null, headline), " ", badge(label(severity), tone(severity))),
      ...deviationTexts(answer, judged).map((text) => element("p", null, text)));
    this.deviation.ready();
    offerCsv("export-deviations", [this.machine.name, "deviations", ...Object.values(this.picker.days())], answer.hourly_deviations ?? answer.daily_deviations);
    announce(`${headline}, ${label(severity)}.`);
    // Each in a task of its own: the page answers to its user in between.
    await pause();
    this.figures.expected.draw(expectedSpec(answer, judged, this.zone, this.picker.text()));
    await pause();
    if (!byId("chart-cusum").hidden) this.figures.cusum.draw(cusumSpec(answer, this.zone, this.picker.text()));
  }

  /** @param {unknown} error */
  showNoDeviation(error) {
    const { status = 0, message = "", fields = {} } = error instanceof Problem ? error : {};
    /** @type {HTMLButtonElement} */
    const button = byId("export-deviations");
    if (!isCancelled(error)) button.disabled = true;
    if (status === 409) {
      byId("baseline").hidden = true;
      const href = pageAddress("baseline", { machine: this.machine.id });
      return this.deviation.empty("No baseline yet: train one, then this machine is held against it.", { text: "Train one", href });
    }
    if (status !== 422) return this.deviation.failed(error, () => this.loadDeviation());
    if (fields.code !== "no-readings") return this.deviation.empty(readable(message, this.zone, namesIn(message)));
    if (this.picker.days().from !== this.today()) return this.showEmpty(this.deviation);
    return this.deviation.empty("No whole hour of today has been measured yet.", this.moveTo(addDays(this.today(), -1), "Show yesterday"));
  }

  async beginReadings() {
    const region = new Region("series");
    region.loading();
    try {
      const { Readings } = await bring(() => import("./machine-readings.js"));
      this.readings = new Readings(region, { id: this.machine.id, zone: this.zone, picker: this.picker });
    } catch (error) {
      return region.failed(error, () => location.reload());
    }
    this.readings.offer(this.details?.metrics ?? []);
    this.readings.load();
  }

  async loadBaseline() {
    const region = this.baseline;
    if (!region) return;
    region.loading();
    try {
      const { models } = await get("models", "api/v1/baseline/models", { machine_id: this.machine.id, active: true, limit: 1 });
      if (!models.length) return region.empty("No version is active.", { text: "Go to its baselines", href: this.baselinePage() });
      this.showBaseline(models[0]);
      region.ready();
    } catch (error) {
      region.failed(error, () => this.loadBaseline());
    }
  }

  baselinePage() {
    return pageAddress("baseline", { machine: this.machine.id });
  }

  /** @param {any} model */
  showBaseline(model) {
    const { start: from, end } = model.training_period;
    const lastDay = localDay(Date.parse(end) - 1, this.zone);
    showFacts("baseline-facts", [
      ["Version", element("span", null, `${model.model_version} `, model.verdict ? badge(label(model.verdict), tone(model.verdict)) : "")],
      ["Form", `${label(model.model)}${model.interval ? `, by ${model.interval}` : ""}`],
      ["Drivers", model.drivers.map(label).join(", ") || "none"],
      ["R²", number(model.r_squared, null, 3)],
      ["Usual error (RMSE)", number(model.rmse, `kWh per ${model.interval ?? "interval"}`)],
      ["Trained", instant(model.trained_at, this.zone)],
      ["Learnt from", `${calendarDay(localDay(Date.parse(from), this.zone))} to ${calendarDay(lastDay)}, ${count(model.training_samples, model.interval ?? "sample")}`],
    ]);
    const dossier = address(`api/v1/baseline/model/${model.model_id}/report`);
    byId("baseline-links").replaceChildren(
      element("a", { class: "button", href: this.baselinePage() }, "All versions"),
      ...(model.is_usable ? [element("a", { class: "button", href: dossier, target: "_blank", rel: "noopener" }, "Dossier",
        element("span", { class: "visually-hidden" }, " (opens in a new tab)"))] : []));
  }
}

/** @param {import("./figures.js").Tile} tile */
function showTile({ id, value, unit, note }) {
  const tile = byId(`tile-${id}`);
  tile.querySelector(".value")?.replaceChildren(value, ...(unit && value !== NONE ? [" ", element("small", null, unit)] : []));
  tile.querySelector(".note")?.replaceChildren(note);
}

/**
 * @param {string} id
 * @param {[string, string | Node][]} facts
 */
function showFacts(id, facts) {
  byId(id).replaceChildren(...facts.map(([term, value]) => (
    element("div", null, element("dt", null, term), element("dd", null, value))
  )));
}

if (typeof document !== "undefined") {
  start(() => {
    const machine = machineOfPage();
    if (machine) new MachinePage(machine).begin();
  });
}
