/**
 * Key figures of a factory or a machine over a period, beside the period before.
 *
 * What lies below the fold comes in modules of its own, once someone scrolls there.
 */
import { get, isCancelled, Problem } from "./api.js";
import { Figure } from "./charts.js";
import {
  addDays, age, calendarDay, changeInWords, count, dayStart, daysBetween, instant, isFigure, isStale, localDay, money, moneyDecimals, NONE, number,
  percent,
} from "./format.js";
import {
  badge, byId, catalogue, changeBadge, element, factory, offerCsv, PeriodPicker, Region, remember, start, state, whenVisible, wideTable,
} from "./page.js";

/**
 * @typedef {{subject: {machine_id: string} | {factory_id: string}, name: string, machineId: string | null, factoryId: string,
 *   zone: string, from: string, to: string, now: number, isSoFar: boolean}} View
 *   What is shown: whose figures, first and last day, and whether the last is not over yet.
 * @typedef {{id: string, value: string, unit: string | null, change: import("./format.js").Change | null, notes: string[]}} Card
 * @typedef {{title: string, field: string, unit: string | null, scale?: number, none?: string}} Figured
 *   A figure as `kpi/history` has it; money has its unit in the rows.
 */

// What the service takes for enough to judge by: below it, an answer warns of low coverage.
export const ENOUGH_COVERAGE = 0.9;
const MOST_DAYS = 400;
const QUARTER_MS = 900_000;
// Characters that fit into a tile in large type.
const LONG_VALUE = 8;
const NO_READINGS = "No readings lie in these days.";
/** @type {Map<string, Figured>} */
export const FIGURES = new Map([
  ["energy", { title: "Energy", field: "energy_kwh", unit: "kWh" }],
  ["sec", { title: "Specific energy", field: "sec_kwh_per_unit", unit: "kWh/unit", none: "Nothing was produced in these days, so there is no figure per unit." }],
  ["peak", { title: "Peak demand", field: "peak_demand_kw", unit: "kW" }],
  ["load-factor", { title: "Load factor", field: "load_factor", unit: "%", scale: 100 }],
  ["cost", { title: "Cost of energy", field: "total_cost", unit: null }],
  ["carbon", { title: "CO₂ emissions", field: "total_co2_kg", unit: "kg" }],
]);
const INTERVALS = new Map([["day", "days"], ["week", "weeks"], ["month", "months"]]);

/**
 * The cards: where `kpi/all` has the figure and why it may be missing, how it is written and what stands below it.
 * @type {{id: string, reason: string, value: (answer: any) => number | null, write?: (value: number, answer: any) => string, unit?: string,
 *   isGoodUp?: boolean, inPoints?: boolean, note: (answer: any, cost: any, zone: string) => string}[]}
 */
const CARDS = [
  {
    id: "energy", reason: "load_factor", unit: "kWh", value: (answer) => answer.total_energy_kwh,
    note: ({ avg_power_kw: power }) => `${number(power, "kW")} on average`,
  },
  {
    id: "sec", reason: "sec", unit: "kWh/unit", value: (answer) => answer.kpis.sec.value,
    note: ({ total_production_units: units }) => `${count(units, "unit")} produced`,
  },
  {
    id: "peak", reason: "peak_demand", unit: "kW", value: (answer) => answer.kpis.peak_demand.value,
    note: ({ kpis: { peak_demand: peak } }, _, zone) => `${instant(peak.timestamp, zone, "moment")}; billed ${number(peak.billing_value, "kW")}`,
  },
  {
    id: "load-factor", reason: "load_factor", isGoodUp: true, inPoints: true, value: (answer) => answer.kpis.load_factor.value,
    write: (value) => percent(value, 1), note: () => "Average power over the peak",
  },
  {
    id: "cost", reason: "energy_cost", value: (answer) => answer.kpis.energy_cost.value,
    write: (value, answer) => money(value, answer.kpis.energy_cost.unit), note: (_, cost) => demandChargeText(cost),
  },
  {
    id: "carbon", reason: "carbon", unit: "kg", value: (answer) => answer.kpis.carbon_intensity.value,
    note: ({ kpis: { carbon_intensity: carbon } }) => `${number(carbon.emission_factor, "kg/kWh")}, region ${carbon.region ?? "default"}`,
  },
];

/**
 * What makes figures partial, with its amount; other warnings are told in the API's own words.
 * @type {Record<string, (answer: any) => string>}
 */
const WARNINGS = {
  low_coverage: ({ coverage }) => `Readings cover only ${percent(coverage, 1)} of the period; nothing is extrapolated.`,
  refused_readings: ({ refused_readings: readings }) => `Refused, counting nothing: ${count(readings, "reading")}, negative, invalid or repeated.`,
  spread_readings: ({ spread_kwh: energy }) => `Estimated: ${number(energy, "kWh")} came late, after a gap, and are spread over it.`,
  estimated_readings: ({ estimated_readings: readings }) => `Flagged as estimated: ${count(readings, "reading")}.`,
  flat_hours: ({ flat_hours: hours }) => `The meter may be stuck: in ${count(hours, "hour")} every reading carries the same value.`,
};

/** @type {{cards: Region, trend: Region, cost: Region}} */
let regions;
/** @type {Figure} */
let trendFigure;
/** @type {PeriodPicker} */
let period;
/** @type {View} */
let shown;
/** The trend's answer, so that another figure of it needs no call. @type {any} */
let history;
/** What draws the parts that were scrolled to. @type {((view: View) => void)[]} */
const parts = [];

function begin() {
  regions = { cards: new Region("cards"), trend: new Region("trend"), cost: new Region("cost") };
  trendFigure = new Figure(byId("chart-trend"));
  startSubject();
  period = new PeriodPicker(7, () => factory()?.timezone ?? "UTC", load);
  startTrend();
  load();
  whenReached("heat-foot", ["heat", "duration"], () => import("./kpi-load.js"));
  whenReached("machines", ["machines"], () => import("./kpi-machines.js"));
}

/**
 * Brings a part with its module once its place comes near the window.
 * @param {string} place
 * @param {string[]} ids Of its regions.
 * @param {() => Promise<{begin: (...regions: Region[]) => (view: View) => void}>} bring
 */
function whenReached(place, ids, bring) {
  whenVisible(byId(place), async () => {
    const own = ids.map((id) => new Region(id));
    own.forEach((region) => region.loading());
    try {
      const part = (await bring()).begin(...own);
      parts.push(part);
      part(shown);
    } catch {
      const problem = new Problem("This part of the page didn't arrive. Check the connection, then load the page again.");
      own.forEach((region) => region.failed(problem, () => location.reload()));
    }
  });
}

/* Whose figures, and when */

function startSubject() {
  /** @type {HTMLSelectElement} */
  const select = byId("subject");
  const machines = catalogue().machines.filter((each) => each.factory_id === factory()?.id);
  select.append(element("option", { value: "" }, `${factory()?.name}, all of it`), element("optgroup", { label: "Machines" },
    ...machines.map((each) => element("option", { value: each.id }, each.is_active ? each.name : `${each.name} (out of service)`))));
  select.value = machine()?.id ?? "";
  select.addEventListener("change", () => {
    remember({ machine: select.value || null }, { push: true });
    load();
  });
}

function machine() {
  return catalogue().machines.find((each) => each.id === state().get("machine") && each.factory_id === factory()?.id);
}

/** @returns {View} */
function view() {
  const { id, name, timezone: zone } = /** @type {import("./page.js").Factory} */ (factory());
  const chosen = machine();
  const { from, to } = period.days();
  const now = Date.now();
  return {
    subject: chosen ? { machine_id: chosen.id } : { factory_id: id },
    name: chosen?.name ?? name, machineId: chosen?.id ?? null, factoryId: id, zone, from, to, now,
    isSoFar: now < dayStart(addDays(to, 1), zone),
  };
}

function load() {
  shown = view();
  const open = shown.isSoFar ? ` so far, until ${instant(shown.now, shown.zone, "clock")}` : "";
  byId("subtitle").textContent = `${shown.name}, ${period.text()}${open}. Times are those of ${shown.zone}.`;
  const refusal = refusalOf(shown);
  if (refusal) {
    nothing(refusal, { text: "Show the last 7 days", act: () => period.choose({ days: "7", from: null, to: null }) });
    return;
  }
  loadFigures(shown);
  loadTrend(shown);
  for (const part of parts) part(shown);
}

/**
 * Why a period can't be asked for.
 * @param {{from: string, to: string, zone: string, now: number}} view
 */
export function refusalOf({ from, to, zone, now }) {
  if (from > localDay(now, zone)) return "These days have not come yet.";
  return daysBetween(from, to) > MOST_DAYS ? `A period may last up to ${MOST_DAYS} days; these are ${number(daysBetween(from, to))}.` : null;
}

/**
 * The period before, as long as this one; where this one is not over, it ends as long into its last day.
 * @param {{from: string, to: string, zone: string, now: number}} view
 * @returns {{start: string, end: string}} As the API takes them.
 */
export function periodBefore({ from, to, zone, now }) {
  const days = daysBetween(from, to);
  const first = addDays(from, -days);
  if (now >= dayStart(addDays(to, 1), zone)) return { start: first, end: addDays(from, -1) };
  const today = localDay(now, zone);
  const end = dayStart(addDays(today, -days), zone) + now - dayStart(today, zone);
  return { start: first, end: new Date(end).toISOString() };
}

/**
 * The period up to the last full quarter of an hour: of the present one some machines have told already, others not.
 * @param {{from: string, to: string, zone: string, now: number, isSoFar: boolean}} view
 * @returns {{start: string, end: string}} As the API takes them.
 */
export function fullQuarters({ from, to, zone, now, isSoFar }) {
  const end = now - (now % QUARTER_MS);
  return { start: from, end: isSoFar && end > dayStart(from, zone) ? new Date(end).toISOString() : to };
}

/**
 * What a file of the view is called after.
 * @param {string} what
 * @param {View} view
 */
export function fileParts(what, { name, from, to }) {
  return [what, name, from, to];
}

/* Cards */

/** @param {View} view */
async function loadFigures(view) {
  regions.cards.loading();
  regions.cost.loading();
  const asked = { ...view.subject, start: view.from, end: view.to };
  const [all, before, cost] = await Promise.allSettled([
    get("all", "api/v1/kpi/all", asked),
    get("before", "api/v1/kpi/all", { ...view.subject, ...periodBefore(view) }),
    get("cost", "api/v1/kpi/energy-cost", asked),
  ]);
  if (view !== shown) return;
  if (all.status === "fulfilled" && isEmpty(all.value)) {
    sayEmpty(view);
    return;
  }
  byId("below").hidden = false;
  if (cost.status === "rejected") regions.cost.failed(cost.reason, load);
  else showCost(view, cost.value);
  if (all.status === "rejected") regions.cards.failed(all.reason, load);
  else showCards(view, all.value, answered(before), answered(cost));
}

/**
 * What a call answered; null where it failed.
 * @param {PromiseSettledResult<any>} result
 */
function answered(result) {
  return result.status === "fulfilled" ? result.value : null;
}

/** @param {any} answer */
export function isEmpty(answer) {
  return answer.readings === 0 && answer.total_energy_kwh === null;
}

/**
 * @param {View} view
 * @param {any} answer
 * @param {any} before
 * @param {any} cost
 */
function showCards(view, answer, before, cost) {
  for (const card of cardsOf(answer, before, cost, view.zone)) {
    const tile = byId(`card-${card.id}`);
    tile.replaceChildren(/** @type {Element} */ (tile.querySelector("h3")), ...cardNodes(card));
  }
  byId("coverage").textContent = coverageText(answer, view.isSoFar);
  const notices = noticesOf(answer, before);
  regions.cards.ready(notices);
  if (view.isSoFar && !isEnough(answer)) tellAge(view, notices);
}

/** @param {Card} card */
function cardNodes({ value, unit, change: changed, notes }) {
  const texts = notes.map((text) => element("p", { class: "note" }, text));
  const figure = element("p", { class: value.length > LONG_VALUE ? "value long" : "value" }, value, ...(unit ? [" ", element("small", null, unit)] : []));
  if (value === NONE) return [figure, ...texts];
  return [figure, changed ? changeBadge(changed) : badge("no comparison", null), ...texts];
}

/**
 * @param {any} answer Of `kpi/all`.
 * @param {any} before The same of the period before; null where it could not be read.
 * @param {any} cost Of `kpi/energy-cost`; null likewise.
 * @param {string} zone
 * @returns {Card[]}
 */
export function cardsOf(answer, before, cost, zone) {
  const hindrance = hindranceOf(answer, before);
  return CARDS.map((card) => {
    const { id, reason, unit = null, value: valueOf, write = (value) => number(value), note } = card;
    const value = valueOf(answer);
    if (!isFigure(value)) {
      return { id, value: NONE, unit: null, change: null, notes: [answer.reasons[reason]?.text ?? "It can't be told for these days."] };
    }
    const changed = hindrance ? null : changeInWords(value, valueOf(before), card);
    const beside = changed ? `before: ${beforeText(card, before)}` : hindrance ?? "before: no figure";
    return { id, value: write(value, answer), unit, change: changed, notes: [beside, note(answer, cost, zone)] };
  });
}

/**
 * @param {typeof CARDS[number]} card
 * @param {any} before
 */
function beforeText({ unit, value: valueOf, write }, before) {
  const value = valueOf(before);
  return write && isFigure(value) ? write(value, before) : number(value, unit);
}

/**
 * What forbids to hold a period against the one before: half the readings would look like half the energy.
 * @param {any} answer
 * @param {any} before
 */
function hindranceOf(answer, before) {
  if (!before) return "before: could not be read";
  if (!before.coverage) return "before: nothing measured";
  if (!isEnough(before)) return `before: only ${percent(before.coverage)} measured`;
  return isEnough(answer) ? null : `only ${percent(answer.coverage)} measured now`;
}

/** @param {any} answer */
function isEnough({ coverage }) {
  return isFigure(coverage) && coverage >= ENOUGH_COVERAGE;
}

/** @param {any} cost */
function demandChargeText(cost) {
  if (!cost) return "The demand charge could not be read";
  return isFigure(cost.demand_charge) ? `and ${money(cost.demand_charge, cost.demand_charges[0]?.currency)} demand charge` : "No demand charge";
}

/**
 * @param {any} answer
 * @param {any} before
 * @returns {string[]}
 */
export function noticesOf(answer, before) {
  const own = answer.warnings.map((/** @type {{code: string, text: string}} */ { code, text }) => WARNINGS[code]?.(answer) ?? text);
  return before ? own : [...own, "The days before could not be read, so nothing is compared. Load the page again to try once more."];
}

/**
 * @param {any} answer
 * @param {boolean} isSoFar
 */
function coverageText({ readings, coverage }, isSoFar) {
  return `${count(readings, "reading")}, covering ${percent(coverage, coverage < 0.9995 ? 1 : 0)} of the period${isSoFar ? " up to now" : ""}.`;
}

/* No readings, or old ones */

/** @param {View} view */
async function sayEmpty(view) {
  try {
    const at = await latestReading(view);
    if (view !== shown) return;
    if (!at) nothing(`${view.name} has no readings of electricity at all.`, null);
    else {
      const day = localDay(Date.parse(at), view.zone);
      nothing(`${view.name} has no readings in these days; the latest is from ${instant(at, view.zone)}.`,
        day < view.from || day > view.to ? { text: "Show it", act: () => period.moveTo(day) } : null);
    }
  } catch (error) {
    if (view === shown) regions.cards.failed(error, load);
  }
}

/**
 * @param {string} text
 * @param {{text: string, act: () => void} | null} action
 */
function nothing(text, action) {
  byId("below").hidden = true;
  regions.cards.empty(text, action);
}

/**
 * The newest reading of the machine, or of the factory's machines.
 * @param {View} view
 * @returns {Promise<string | null>}
 */
async function latestReading({ machineId, factoryId, from, to }) {
  if (machineId) return (await get("latest", `api/v1/machines/${machineId}`)).last_reading_at;
  const asked = { factory_id: factoryId, start: from, end: to, limit: 100 };
  return newestOf((await get("latest", "api/v1/baseline/overview", asked)).machines);
}

/** @param {{last_reading_at: string | null}[]} machines */
export function newestOf(machines) {
  return machines.flatMap(({ last_reading_at: at }) => at ?? []).reduce((newest, at) => (at > newest ? at : newest), "") || null;
}

/**
 * Says how old the newest reading is, where readings are missing and the period is not over.
 * @param {View} view
 * @param {string[]} notices
 */
async function tellAge(view, notices) {
  try {
    const at = await latestReading(view);
    if (view !== shown || !at || !isStale(at, null, view.now)) return;
    regions.cards.ready([...notices, `The newest reading came ${age(at, view.now)}, on ${instant(at, view.zone, "moment")}.`]);
  } catch (error) {
    // The figures stand without it.
    if (!isCancelled(error)) console.warn(error);
  }
}

/* Trend */

function startTrend() {
  /** @type {HTMLSelectElement} */
  const figure = byId("figure");
  figure.append(...[...FIGURES].map(([id, { title }]) => element("option", { value: id }, title)));
  figure.value = figureId();
  figure.addEventListener("change", () => {
    remember({ figure: figure.value }, { push: true });
    if (history) drawTrend();
  });
  /** @type {HTMLSelectElement} */
  const interval = byId("interval");
  interval.append(element("option", { value: "" }, "by length"), ...[...INTERVALS].map(([id, text]) => element("option", { value: id }, `by ${text}`)));
  interval.value = INTERVALS.has(state().get("interval") ?? "") ? state().get("interval") ?? "" : "";
  interval.addEventListener("change", () => {
    remember({ interval: interval.value || null }, { push: true });
    loadTrend(shown);
  });
}

function figureId() {
  const wanted = state().get("figure") ?? "energy";
  return FIGURES.has(wanted) ? wanted : "energy";
}

/**
 * The interval that a trend of so many days is drawn by.
 * @param {number} days
 * @param {string | null} wanted
 */
export function intervalOf(days, wanted) {
  if (INTERVALS.has(wanted ?? "")) return /** @type {string} */ (wanted);
  if (days <= 45) return "day";
  return days <= 200 ? "week" : "month";
}

/** @param {View} view */
async function loadTrend(view) {
  regions.trend.loading();
  try {
    const interval = intervalOf(daysBetween(view.from, view.to), state().get("interval"));
    history = await get("history", "api/v1/kpi/history", { ...view.subject, start: view.from, end: view.to, interval });
    offerCsv("export-history", fileParts(`key-figures-by-${interval}`, view), history.history);
    drawTrend();
  } catch (error) {
    regions.trend.failed(error, () => loadTrend(shown));
  }
}

function drawTrend() {
  const figure = figureId();
  const spec = trendSpec(history, figure, shown.isSoFar, contractDemand(figure));
  if (!spec) {
    regions.trend.empty(FIGURES.get(figure)?.none ?? NO_READINGS);
    return;
  }
  regions.trend.ready();
  trendFigure.draw(spec);
}

/**
 * The demand that the factory has a contract for: its peak is held against it.
 * @param {string} figure
 * @returns {number | null}
 */
function contractDemand(figure) {
  const contract = factory()?.contract_demand_kw;
  return figure === "peak" && !shown.machineId && typeof contract === "number" ? contract : null;
}

/**
 * @param {any} answer Of `kpi/history`.
 * @param {string} name
 * @param {boolean} isSoFar
 * @param {number | null} [contractKw]
 * @returns {import("./charts.js").Spec | null} Null where no interval has the figure.
 */
export function trendSpec(answer, name, isSoFar, contractKw = null) {
  const { history: rows, interval } = answer;
  const figure = /** @type {Figured} */ (FIGURES.get(name));
  const [now, before] = [figure.field, `previous_${figure.field}`].map((field) => pointsOf(rows, field, figure.scale ?? 1));
  if (!now?.some(([, value]) => isFigure(value))) return null;
  const unit = figure.unit ?? currencyOf(rows);
  const texts = rows.map((/** @type {any} */ row) => intervalText(row.interval_start, interval, answer.time_period.timezone));
  return {
    summary: `${figure.title} by ${interval}, this period beside the one before.`,
    hint: trendHint(now, texts, unit, isSoFar ? interval : null),
    x: { title: interval, categories: texts },
    y: { title: figure.title, unit, zero: true },
    series: [
      { label: "This period", colour: "actual", kind: "bar", points: now },
      // A line through one or two points is none.
      { label: "Period before", colour: "expected", ...(rows.length > 2 ? { dash: true } : { kind: "bar" }), points: before ?? [] },
    ],
    ...(contractKw === null ? {} : { level: { value: contractKw, text: "Contract" } }),
    columns: trendColumns(interval, unit),
    rows: () => rows.map((/** @type {any} */ row, /** @type {number} */ index) => ({
      when: interval === "day" ? calendarDay(row.local_date) : texts[index], value: now[index]?.[1], before: before?.[index]?.[1],
      coverage: row.coverage,
    })),
  };
}

/**
 * @param {any[]} rows
 * @param {string} field
 * @param {number} scale
 * @returns {import("./charts.js").XY[]}
 */
function pointsOf(rows, field, scale) {
  return rows.map((row, index) => [index, isFigure(row[field]) ? scale * row[field] : null]);
}

/** @param {any[]} rows */
function currencyOf(rows) {
  return rows.find((row) => row.currency)?.currency ?? null;
}

/**
 * @param {import("./charts.js").XY[]} points
 * @param {string[]} texts
 * @param {string | null} unit
 * @param {string | null} openInterval The interval that is not over yet.
 */
function trendHint(points, texts, unit, openInterval) {
  const extremes = extremesText(points.map(([index, value]) => [texts[index] ?? "", value]), unit);
  return `${extremes} ${openInterval ? `The last ${openInterval} is not over yet.` : ""}`.trim() || "\u00a0";
}

/**
 * When a figure was highest and lowest.
 * @param {[string, number | null][]} values
 * @param {string | null} unit
 */
export function extremesText(values, unit) {
  const known = values.flatMap(([text, value]) => (isFigure(value) ? [{ text, value }] : [])).toSorted((one, other) => other.value - one.value);
  const [highest, lowest] = [known[0], known.at(-1)];
  if (!highest || !lowest || highest === lowest) return "";
  return `Highest ${number(highest.value, unit)} (${highest.text}), lowest ${number(lowest.value, unit)} (${lowest.text}).`;
}

/**
 * @param {string} interval
 * @param {string | null} unit
 * @returns {import("./page.js").Column[]}
 */
function trendColumns(interval, unit) {
  return [
    { title: `${interval.charAt(0).toUpperCase()}${interval.slice(1)}`, value: ({ when }) => when },
    { title: "This period", number: true, value: ({ value }) => number(value, unit) },
    { title: "Period before", number: true, value: ({ before }) => number(before, unit) },
    { title: "Readings cover", number: true, value: ({ coverage }) => percent(coverage) },
  ];
}

/**
 * The name of an interval. The period's first may begin later than its week or month.
 * @param {string} start
 * @param {string} interval
 * @param {string} zone
 */
export function intervalText(start, interval, zone) {
  if (interval === "month") return instant(start, zone, "month");
  return interval === "week" ? `from ${instant(start, zone, "shortDay")}` : instant(start, zone, "shortDay");
}

/* Cost */

/**
 * @param {View} view
 * @param {any} answer Of `kpi/energy-cost`.
 */
function showCost(view, answer) {
  const rows = bandRows(answer.bands);
  offerCsv("export-bands", fileParts("cost-by-tariff", view), answer.bands);
  if (!rows.length) {
    regions.cost.empty(answer.reason?.text ?? NO_READINGS);
    return;
  }
  const ofCost = rows.every(({ share }) => share !== null);
  byId("cost-content").replaceChildren(
    stackedBar("Energy", rows, (row) => row.energyShare),
    ...(ofCost ? [stackedBar("Cost", rows, (row) => row.share)] : []),
    wideTable("Cost by tariff", bandColumns(rows), rows),
    element("p", { class: "hint" }, costText(answer)),
    ...demandNodes(answer, view.zone),
  );
  regions.cost.ready();
}

/**
 * Bands with their shares. Costs in several currencies have none.
 * @param {any[]} bands
 * @returns {{tariff: string, rate: number, currency: string, energy: number, cost: number, energyShare: number, share: number | null, place: number}[]}
 */
export function bandRows(bands) {
  const sum = (/** @type {string} */ name) => bands.reduce((total, band) => total + band[name], 0);
  const [energy, cost] = [sum("energy_kwh"), sum("cost")];
  const isOneCurrency = new Set(bands.map((band) => band.currency)).size === 1;
  return bands.toSorted((one, other) => other.cost - one.cost).map((band, place) => ({
    tariff: band.tariff, rate: band.rate_per_kwh, currency: band.currency, energy: band.energy_kwh, cost: band.cost,
    energyShare: energy > 0 ? band.energy_kwh / energy : 0,
    share: isOneCurrency && cost > 0 ? band.cost / cost : null,
    place,
  }));
}

/**
 * @param {string} title
 * @param {any[]} rows
 * @param {(row: any) => number} share
 */
function stackedBar(title, rows, share) {
  const said = rows.map((row) => `${row.tariff} ${percent(share(row))}`).join(", ");
  const bar = element("div", { class: "stacked", role: "img", "aria-label": `${title}: ${said}` }, ...rows.map((row) => {
    const piece = element("span", { "data-place": row.place % 6 });
    piece.style.setProperty("--share", String(share(row)));
    return piece;
  }));
  return element("div", { class: "stacked-row" }, element("span", { "aria-hidden": "true" }, title), bar);
}

/**
 * @param {any[]} rows
 * @returns {import("./page.js").Column[]}
 */
function bandColumns(rows) {
  const currency = rows[0].currency;
  return [
    { title: "Tariff", value: (row) => element("span", { class: "swatched" }, element("i", { "data-place": row.place % 6 }), row.tariff) },
    { title: `${currency}/kWh`, number: true, value: (row) => number(row.rate) },
    { title: "Energy", number: true, value: (row) => number(row.energy, "kWh") },
    { title: "Cost", number: true, value: (row) => money(row.cost, row.currency, moneyDecimals(rows.map((each) => each.cost))) },
    { title: "Share", number: true, value: (row) => percent(row.share) },
  ];
}

/** @param {any} answer */
function costText({ total_cost: cost, currency, avg_rate_per_kwh: rate, reason }) {
  if (!isFigure(cost)) return reason?.text ?? "The cost can't be told as one sum.";
  return `${money(cost, currency)} in all, ${number(rate, `${currency}/kWh`)} on average.`;
}

/**
 * @param {any} answer
 * @param {string} zone
 */
function demandNodes({ demand_charge: charge, demand_charges: charges }, zone) {
  if (!charges.length) return [element("p", { class: "hint" }, "No tariff of these days has a demand charge.")];
  const columns = [
    { title: "Month", value: (/** @type {any} */ row) => calendarDay(row.month, "month") },
    { title: "Billed peak", number: true, value: (/** @type {any} */ row) => number(row.billing_peak_kw, "kW") },
    { title: "When", value: (/** @type {any} */ row) => instant(row.billing_peak_time, zone, "moment") },
    { title: "Charge", number: true, value: (/** @type {any} */ row) => money(row.cost, row.currency) },
  ];
  const title = `Demand charge beside it${isFigure(charge) ? `: ${money(charge, charges[0].currency)}` : ""}`;
  return [element("h3", null, title), wideTable("Demand charge", columns, charges)];
}

if (typeof document !== "undefined") start(begin);
