/**
 * One machine: its key figures, its energy beside what its baseline expects, whatever it measures.
 */
import { address, get, isCancelled, Problem } from "./api.js";
import { Figure } from "./charts.js";
import {
  addDays, age, byChance, calendarDay, count, dayStart, daysBetween, instant, isFigure, isStale, label, localDay, money, namesIn, NONE, number,
  percent, pValue, readable, signed, unlikeExpected,
} from "./format.js";
import {
  announce, badge, byId, element, machineOfPage, offerCsv, pageAddress, PeriodPicker, Region, remember, start, state,
  statusBadge, tone, whenVisible,
} from "./page.js";

/**
 * @typedef {import("./charts.js").XY} XY
 * @typedef {import("./page.js").Action} Action
 * @typedef {{at: number, actual_kwh: number, predicted_kwh: number, deviation_kwh: number, deviation_percent: number | null,
 *   sigma: number, severity: string}} Judged An hour or a day; `at` in milliseconds since 1970.
 * @typedef {{id: string, value: string, unit: string, note: string}} Tile
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
// More hours than these blur into a band; then days are shown.
const MOST_HOURLY_DAYS = 14;
// Of fewer days a sum over days tells nothing.
const LEAST_CUSUM_DAYS = 3;
// How wide a point of the readings is, for periods of up to so many days.
const WIDTHS = /** @type {const} */ ([[1, "5min"], [7, "15min"], [31, "1h"], [124, "3h"]]);
const POWER = "power_kw";
const SHOW_LATEST = "Show the latest days with readings";

/**
 * The width of a point that draws a period in some hundred points.
 * @param {number} days
 */
export function seriesInterval(days) {
  return WIDTHS.find(([most]) => days <= most)?.[1] ?? "1d";
}

/**
 * What a picker calls a metric; own fields of the metadata may be named as a column is.
 * @param {string} name
 */
export function metricLabel(name) {
  const [table, field] = name.split(".");
  return field ? `${label(field)} (own field of ${table})` : label(name);
}

/**
 * Points of a line that breaks where there is nothing for longer than a step.
 * @param {XY[]} points In order of time.
 * @param {number} stepMs
 * @returns {XY[]}
 */
export function withGaps(points, stepMs) {
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    // A day may have 25 hours.
    return before && point[0] - before[0] > 1.1 * stepMs ? [[before[0] + stepMs, null], point] : [point];
  });
}

/**
 * The hours or days that an answer lists.
 * @param {any} deviation
 * @param {string} zone
 * @returns {Judged[]}
 */
export function judgedOf({ hourly_deviations: hours, daily_deviations: days }, zone) {
  if (hours) return hours.map((/** @type {any} */ each) => ({ ...each, at: Date.parse(each.hour) }));
  return days.map((/** @type {any} */ each) => ({ ...each, at: dayStart(each.day, zone) }));
}

/**
 * What the deviation's sum means, in sentences.
 * @param {any} deviation
 * @param {Judged[]} judged
 */
export function deviationTexts(deviation, judged) {
  const { total_actual_kwh: actual, total_predicted_kwh: predicted, deviation_kwh: difference, deviation_sigma: sigma } = deviation;
  const unit = deviation.hourly_deviations ? "hour" : "day";
  const odd = judged.filter(({ severity }) => severity !== "normal").length;
  const { intervals: beyond, drivers: outside } = deviation.extrapolated;
  const names = outside.map((/** @type {any} */ { driver }) => label(driver)).join(", ");
  const unjudged = deviation.unjudged.map((/** @type {any} */ each) => (
    `${count(each.count, deviation.model_interval)} not judged: ${readable(each.text, "UTC", namesIn(each.text))}.`
  ));
  return [
    `${number(actual, "kWh")} used, ${number(predicted, "kWh")} expected: ${signed(difference, "kWh")}. ${byChance(sigma)}.`,
    `${count(deviation.judged_intervals, deviation.model_interval)} judged by version ${deviation.baseline_model_version}; `
      + `${odd ? `${count(odd, unit)} stand${odd === 1 ? "s" : ""} out` : `no ${unit} stands out`}.`,
    ...(beyond ? [`In ${count(beyond, deviation.model_interval)} a driver lay outside what the baseline was trained on: ${names}.`] : []),
    ...unjudged,
  ];
}

/**
 * A lasting change in words.
 * @param {{began_on: string, size_kwh_per_day: number, p_value: number} | null} change
 */
export function changeText(change) {
  if (!change) return "No lasting change was found in these days.";
  const { began_on: day, size_kwh_per_day: size, p_value: p } = change;
  const chance = pValue(p);
  return `Since ${calendarDay(day)} it uses ${number(Math.abs(size), "kWh")} a day ${size > 0 ? "more" : "less"} than before, `
    + `which no driver explains (p ${chance.startsWith("<") ? chance : `= ${chance}`}).`;
}

/**
 * The key figures as tiles.
 * @param {any} answer
 * @param {string} zone
 * @returns {Tile[]}
 */
export function tilesOf({ kpis, reasons, ...answer }, zone) {
  const { sec, peak_demand: peak, load_factor: factor, energy_cost: cost, carbon_intensity: carbon } = kpis;
  const note = (/** @type {unknown} */ value, /** @type {string} */ reason, /** @type {() => string} */ text) => (
    isFigure(/** @type {any} */ (value)) ? text() : reasons[reason]?.code === "no_readings" ? "No readings" : reasons[reason]?.text ?? ""
  );
  return [
    { id: "energy", value: number(answer.total_energy_kwh), unit: "kWh", note: `${number(answer.avg_power_kw, "kW")} on average` },
    {
      id: "cost", value: money(cost.value, cost.unit), unit: "",
      note: note(cost.value, "energy_cost", () => `${number(cost.avg_rate_per_kwh, `${cost.unit}/kWh`)} on average`),
    },
    {
      id: "carbon", value: number(carbon.value), unit: "kg",
      note: note(carbon.value, "carbon", () => `${number(carbon.emission_factor, "kg/kWh")}, region ${carbon.region ?? "default"}`),
    },
    {
      id: "peak", value: number(peak.value), unit: "kW",
      note: note(peak.value, "peak_demand", () => instant(peak.timestamp, zone, "moment")),
    },
    {
      id: "sec", value: number(sec.value), unit: "kWh/unit",
      note: note(sec.value, "sec", () => `${count(answer.total_production_units, "unit")} produced`),
    },
    {
      id: "load-factor", value: percent(factor.value, 1), unit: "",
      note: note(factor.value, "load_factor", () => "Average power over the peak"),
    },
  ];
}

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
    /** Regions below the fold: there once someone came near them. */
    this.series = /** @type {Region | null} */ (null);
    this.baseline = /** @type {Region | null} */ (null);
    this.figures = {
      expected: new Figure(byId("chart-expected")), cusum: new Figure(byId("chart-cusum")), series: new Figure(byId("chart-series")),
    };
    /** @type {any} */
    this.details = null;
  }

  begin() {
    this.showMetrics([this.metric()]);
    byId("metric").addEventListener("change", () => this.chooseMetric());
    this.load();
    this.loadAbout();
    whenVisible(byId("series"), () => {
      this.series = new Region("series");
      this.loadSeries();
    });
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
    this.loadSeries();
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
    this.showMetrics(this.details.metrics);
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
    return [`Readings cover ${percent(coverage, coverage < 0.995 ? 1 : 0)} of the time.${texts} `, element("a", { href: more }, "More key figures")];
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
    this.drawExpected(answer, judged);
    await pause();
    if (!byId("chart-cusum").hidden) this.drawCusum(answer);
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

  /**
   * @param {any} answer
   * @param {Judged[]} judged
   */
  drawExpected(answer, judged) {
    const stepMs = answer.hourly_deviations ? HOUR_MS : DAY_MS;
    const line = (/** @type {(each: Judged) => number | null} */ value) => (
      withGaps(judged.map((each) => /** @type {XY} */ ([each.at, value(each)])), stepMs)
    );
    const marks = (/** @type {string} */ severity) => line((each) => (each.severity === severity ? each.actual_kwh : null));
    const marked = (/** @type {string} */ severity) => judged.some((each) => each.severity === severity);
    this.figures.expected.draw({
      series: [
        { label: "Actual", colour: "actual", points: line((each) => each.actual_kwh) },
        { label: "Expected", colour: "expected", dash: true, points: line((each) => each.predicted_kwh) },
        ...(marked("warning") ? [{ label: "Unusual, from 2 σ", colour: "warning", kind: /** @type {const} */ ("marks"), points: marks("warning") }] : []),
        ...(marked("critical") ? [{
          label: "Very unusual, from 3 σ", colour: "critical", kind: /** @type {const} */ ("marks"), shape: /** @type {const} */ ("rectRot"), points: marks("critical"),
        }] : []),
      ],
      x: { title: answer.hourly_deviations ? "Hour" : "Day", zone: this.zone, days: !answer.hourly_deviations },
      y: { title: "Energy", unit: "kWh", zero: true },
      columns: this.columns(answer.hourly_deviations ? "Hour" : "Day"),
      rows: () => judged,
      hint: `By ${answer.hourly_deviations ? "hour" : "day"}. What stands out for a single one is marked.`,
      summary: `Actual and expected energy, ${this.picker.text()}: ${unlikeExpected(answer.deviation_percent)}.`,
    });
  }

  /**
   * Of the table behind the chart.
   * @param {"Hour" | "Day"} title
   * @returns {import("./page.js").Column[]}
   */
  columns(title) {
    const style = title === "Hour" ? "moment" : "day";
    return [
      { title, value: (/** @type {Judged} */ { at }) => instant(at, this.zone, style) },
      { title: "Actual", number: true, value: (/** @type {Judged} */ each) => number(each.actual_kwh, "kWh") },
      { title: "Expected", number: true, value: (/** @type {Judged} */ each) => number(each.predicted_kwh, "kWh") },
      { title: "Deviation", number: true, value: (/** @type {Judged} */ each) => signed(each.deviation_kwh, "kWh") },
      { title: "In σ", number: true, value: (/** @type {Judged} */ each) => signed(each.sigma, null, 1) },
      { title: "Severity", value: (/** @type {Judged} */ each) => label(each.severity), tone: (each) => tone(each.severity) },
    ];
  }

  /** @param {any} answer */
  drawCusum({ cusum, lasting_change: change }) {
    const text = changeText(change);
    this.figures.cusum.draw({
      series: [{
        label: "Deviation so far", colour: "third", fill: true,
        points: cusum.map((/** @type {any} */ { day, cusum_kwh: kwh }) => [dayStart(day, this.zone), kwh]),
      }],
      x: { title: "Day", zone: this.zone, days: true },
      y: { title: "Sum", unit: "kWh" },
      hint: text,
      summary: `Deviation summed up by day, ${this.picker.text()}. ${text}`,
    });
  }

  metric() {
    return state().get("metric") ?? POWER;
  }

  /** @param {string[]} metrics */
  showMetrics(metrics) {
    /** @type {HTMLSelectElement} */
    const select = byId("metric");
    // A link may name a metric that is measured no more.
    const names = metrics.includes(this.metric()) ? metrics : [this.metric(), ...metrics];
    select.replaceChildren(...names.map((name) => element("option", { value: name }, metricLabel(name))));
    select.value = this.metric();
  }

  chooseMetric() {
    /** @type {HTMLSelectElement} */
    const { value } = byId("metric");
    remember({ metric: value === POWER ? null : value }, { push: true });
    this.loadSeries();
  }

  async loadSeries() {
    const region = this.series;
    if (!region) return;
    region.loading();
    const { from, to } = this.picker.days();
    const asked = { metric: this.metric(), ...this.period(), interval: seriesInterval(daysBetween(from, to)) };
    try {
      const answer = await get("series", `api/v1/machines/${this.machine.id}/series`, asked);
      if (!answer.data.time.length) return region.empty(`No ${metricLabel(this.metric()).toLowerCase()} was measured in these days.`);
      await pause();
      region.ready();
      this.drawSeries(answer);
    } catch (error) {
      region.failed(error, () => this.loadSeries());
    }
  }

  /** @param {any} answer */
  drawSeries({ data, metric, unit, interval_seconds: seconds }) {
    const line = (/** @type {(number | null)[]} */ values) => (
      withGaps(data.time.map((/** @type {string} */ at, /** @type {number} */ index) => [Date.parse(at), values[index] ?? null]), 1000 * seconds)
    );
    const title = metricLabel(metric);
    const width = seconds < 3600 ? count(seconds / 60, "minute") : count(seconds / 3600, "hour");
    const hasBand = data.min.some(isFigure);
    const heading = /** @type {HTMLElement} */ (this.figures.series.root.querySelector("h3"));
    heading.textContent = unit ? `${title} in ${unit}` : title;
    const edge = { colour: "actual", kind: /** @type {const} */ ("band") };
    this.figures.series.draw({
      series: [
        ...(hasBand ? [{ label: "Smallest", points: line(data.min), ...edge }, { label: "Largest", points: line(data.max), fill: true, ...edge }] : []),
        { label: hasBand ? "Mean" : title, colour: "actual", points: line(data.value) },
      ],
      x: { title: "Time", zone: this.zone },
      y: { title, unit },
      legend: false,
      hint: hasBand ? `Mean of every ${width}; shaded from the smallest to the largest reading.` : `Sum of every ${width}.`,
      summary: `${title}, ${this.picker.text()}.`,
    });
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

function pause() {
  return new Promise((resolve) => setTimeout(resolve));
}

/** @param {Tile} tile */
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
