/**
 * A factory's machines beside each other, sorted by any of their figures.
 */
import { get } from "./api.js";
import { ENOUGH_COVERAGE, periodBefore } from "./figures.js";
import { change, changeInWords, isFigure, label, money, moneyDecimals, number, percent } from "./format.js";
import { fileParts } from "./kpi.js";
import { announce, byId, changeBadge, element, offerCsv, pageAddress, remember, state, table } from "./page.js";

/**
 * @typedef {import("./kpi.js").View} View
 * @typedef {import("./page.js").Region} Region
 * @typedef {{id: string, title: string, value: (row: any) => string | number | null, show: (row: any, rows: any[]) => any, isText?: boolean}} Sortable
 */

// What one answer holds at most.
const MOST_MACHINES = 500;

/** @type {Sortable[]} */
const COLUMNS = [
  { id: "name", title: "Machine", isText: true, value: (row) => row.machine_name, show: machineLink },
  { id: "type", title: "Type", isText: true, value: (row) => label(row.type), show: (row) => label(row.type) },
  { id: "energy", title: "Energy", value: (row) => row.energy_kwh, show: (row) => number(row.energy_kwh, "kWh") },
  { id: "share", title: "Share", value: (row) => row.share_of_energy, show: shareBar },
  { id: "change", title: "Change of energy", value: energyChange, show: changeShown },
  { id: "sec", title: "kWh/unit", value: (row) => row.sec_kwh_per_unit, show: (row) => number(row.sec_kwh_per_unit) },
  { id: "peak", title: "Peak", value: (row) => row.peak_demand_kw, show: (row) => number(row.peak_demand_kw, "kW") },
  { id: "load-factor", title: "Load factor", value: (row) => row.load_factor, show: (row) => percent(row.load_factor, 1) },
  { id: "cost", title: "Cost", value: (row) => row.total_cost, show: costShown },
  { id: "carbon", title: "CO₂", value: (row) => row.total_co2_kg, show: (row) => number(row.total_co2_kg, "kg") },
  { id: "coverage", title: "Readings", value: (row) => row.coverage, show: (row) => percent(row.coverage) },
];

/**
 * @param {Region} region
 * @returns {(view: View) => void}
 */
export function begin(region) {
  return (view) => load(region, view);
}

/**
 * @param {Region} region
 * @param {View} view
 */
async function load(region, view) {
  region.loading();
  try {
    const [answer, before] = await Promise.all([
      comparison("comparison", view, { start: view.from, end: view.to }),
      // The answer has the period before too, but whole where this one is not over, and not how far its readings cover it.
      comparison("comparison-before", view, periodBefore(view)),
    ]);
    const rows = heldAgainst(answer.machines, before.machines);
    offerCsv("export-comparison", fileParts("machines", view), rows);
    if (!rows.length) {
      region.empty("No machine of this factory is in service.");
      return;
    }
    draw(rows, view.machineId);
    const more = answer.total_count - rows.length;
    region.ready(more > 0 ? [`These are the first ${number(rows.length, null, 0)} machines by name; ${number(more, null, 0)} more are left out.`] : []);
  } catch (error) {
    region.failed(error, () => load(region, view));
  }
}

/**
 * @param {string} slot
 * @param {View} view
 * @param {{start: string, end: string}} when
 */
function comparison(slot, { factoryId }, when) {
  return get(slot, "api/v1/kpi/comparison", { factory_id: factoryId, limit: MOST_MACHINES, ...when });
}

/**
 * Rows whose `previous_` figures are those of other rows, with their coverage.
 * @param {any[]} rows
 * @param {any[]} before
 * @returns {any[]}
 */
export function heldAgainst(rows, before) {
  const known = new Map(before.map((each) => [each.machine_id, each]));
  return rows.map((row) => {
    const other = known.get(row.machine_id);
    const names = Object.keys(row).filter((name) => name.startsWith("previous_"));
    const held = names.map((name) => [name, other?.[name.replace("previous_", "")] ?? null]);
    return { ...row, ...Object.fromEntries(held), previous_coverage: other?.coverage ?? null };
  });
}

/**
 * @param {any[]} rows
 * @param {string | null} machineId The machine that the page is about.
 */
function draw(rows, machineId) {
  const columns = COLUMNS.map(({ title, show, isText }) => ({ title, value: (/** @type {any} */ row) => show(row, rows), number: !isText }));
  const made = table(columns, rows);
  const shown = [.../** @type {HTMLTableSectionElement} */ (made.tBodies[0]).rows];
  const sort = () => {
    const order = sortOf(state().get("sort"));
    made.tBodies[0]?.append(...sorted(rows, order).flatMap((row) => shown[rows.indexOf(row)] ?? []));
    heads.forEach((head, index) => markSorted(head, COLUMNS[index]?.id === order.id ? order.isFalling : null));
  };
  const heads = [...made.querySelectorAll("thead th")];
  heads.forEach((head, index) => {
    const column = /** @type {Sortable} */ (COLUMNS[index]);
    head.replaceChildren(element("button", { class: "sort", type: "button", onclick: () => turn(column, sort) }, column.title));
  });
  shown.forEach((row, index) => rows[index].machine_id === machineId && row.setAttribute("aria-current", "true"));
  sort();
  byId("machines-table").replaceChildren(made);
}

/**
 * @param {Element} head
 * @param {boolean | null} isFalling Null where the table is sorted by another column.
 */
function markSorted(head, isFalling) {
  if (isFalling === null) head.removeAttribute("aria-sort");
  else head.setAttribute("aria-sort", isFalling ? "descending" : "ascending");
}

/**
 * Sorts by a column, or the other way round where it is sorted by it.
 * @param {Sortable} column
 * @param {() => void} sort
 */
function turn({ id, title, isText = false }, sort) {
  const now = sortOf(state().get("sort"));
  const isFalling = now.id === id ? !now.isFalling : !isText;
  remember({ sort: isFalling ? `-${id}` : id });
  sort();
  announce(`Sorted by ${title}, ${isFalling ? "falling" : "rising"}.`);
}

/**
 * @param {string | null} text As the URL has it: `-energy` falls.
 * @returns {{id: string, isFalling: boolean}}
 */
export function sortOf(text) {
  const id = text?.replace(/^-/, "");
  return id && COLUMNS.some((column) => column.id === id) ? { id, isFalling: text?.startsWith("-") ?? false } : { id: "energy", isFalling: true };
}

/**
 * @param {any[]} rows
 * @param {{id: string, isFalling: boolean}} order What has no figure comes last either way.
 */
export function sorted(rows, { id, isFalling }) {
  const { value } = /** @type {Sortable} */ (COLUMNS.find((column) => column.id === id));
  const sign = isFalling ? -1 : 1;
  return rows.toSorted((one, other) => compare(value(one), value(other), sign));
}

/**
 * @param {string | number | null} one
 * @param {string | number | null} other
 * @param {number} sign
 */
function compare(one, other, sign) {
  if (typeof one === "string" && typeof other === "string") return sign * one.localeCompare(other, undefined, { numeric: true });
  const [a, b] = [one, other].map((each) => (typeof each === "number" ? each : null));
  if (!isFigure(a) || !isFigure(b)) return Number(isFigure(b)) - Number(isFigure(a));
  return sign * (a - b);
}

/**
 * How much more energy than before, as a share of it; null where readings are missing on either side.
 * @param {any} row
 */
export function energyChange({ energy_kwh: energy, previous_energy_kwh: before, coverage, previous_coverage: coverageBefore }) {
  return coverage >= ENOUGH_COVERAGE && coverageBefore >= ENOUGH_COVERAGE ? change(energy, before) : null;
}

/** @param {any} row */
function changeShown(row) {
  const changed = energyChange(row) === null ? null : changeInWords(row.energy_kwh, row.previous_energy_kwh);
  return changed && changeBadge(changed);
}

/**
 * @param {any} row
 * @param {any[]} rows
 */
function costShown({ total_cost: cost, currency }, rows) {
  return money(cost, currency, moneyDecimals(rows.map((each) => each.total_cost)));
}

/** @param {any} row */
function machineLink({ machine_id: id, machine_name: name }) {
  return element("a", { href: pageAddress(`machine/${id}`) }, name);
}

/** @param {any} row */
function shareBar({ share_of_energy: share }) {
  if (!isFigure(share)) return null;
  const bar = element("i", { "aria-hidden": "true" });
  bar.style.setProperty("--share", String(Math.min(Math.max(share, 0), 1)));
  return element("span", { class: "share" }, bar, element("span", null, percent(share, 1)));
}
