/**
 * Key figures of a factory or a machine over a period, beside the period before.
 *
 * What lies below the fold comes in modules of its own, once someone scrolls there.
 */
import { get, isCancelled } from "./api.js";
import { Figure } from "./charts.js";
import {
  cardsOf, coverageText, figureOf, FIGURES, INTERVALS, intervalOf, isEmpty, isEnough, noticesOf, periodBefore, trendSpec,
} from "./figures.js";
import {
  addDays, age, calendarDay, dayStart, daysBetween, instant, isFigure, isStale, localDay, money, moneyDecimals, NONE, number, percent,
} from "./format.js";
import {
  badge, bring, byId, catalogue, changeBadge, element, factory, offerCsv, PeriodPicker, Region, remember, start, state, whenVisible, wideTable,
} from "./page.js";

/**
 * @typedef {{subject: {machine_id: string} | {factory_id: string}, name: string, machineId: string | null, factoryId: string,
 *   zone: string, from: string, to: string, now: number, isSoFar: boolean}} View
 *   What is shown: whose figures, first and last day, and whether the last is not over yet.
 */

const MOST_DAYS = 400;
// Characters that fit into a tile in large type.
const LONG_VALUE = 8;
const NO_READINGS = "No readings lie in these days.";
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
 * @param {() => Promise<{begin: (...regions: Region[]) => (view: View) => void}>} load
 */
function whenReached(place, ids, load) {
  whenVisible(byId(place), async () => {
    const own = ids.map((id) => new Region(id));
    own.forEach((region) => region.loading());
    try {
      const part = (await bring(load)).begin(...own);
      parts.push(part);
      part(shown);
    } catch (error) {
      own.forEach((region) => region.failed(error, () => location.reload()));
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

/** @param {import("./figures.js").Card} card */
function cardNodes({ value, unit, change: changed, notes }) {
  const texts = notes.map((text) => element("p", { class: "note" }, text));
  const figure = element("p", { class: value.length > LONG_VALUE ? "value long" : "value" }, value, ...(unit ? [" ", element("small", null, unit)] : []));
  if (value === NONE) return [figure, ...texts];
  return [figure, changed ? changeBadge(changed) : badge("no comparison", null), ...texts];
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
  figure.append(...FIGURES.map(({ id, title }) => element("option", { value: id }, title)));
  figure.value = chosenFigure().id;
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

function chosenFigure() {
  return figureOf(state().get("figure"));
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
  const { id, none = NO_READINGS } = chosenFigure();
  const spec = trendSpec(history, id, shown.isSoFar, contractDemand(id));
  if (!spec) {
    regions.trend.empty(none);
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
