/**
 * When power is drawn, and how much of the time: the heat map and the load duration curve.
 */
import { get } from "./api.js";
import { Figure } from "./charts.js";
import { fullQuarters } from "./figures.js";
import { calendarDay, isFigure, number, percent } from "./format.js";
import { fileParts } from "./kpi.js";
import { byId, element, offerCsv } from "./page.js";

/**
 * @typedef {import("./kpi.js").View} View
 * @typedef {import("./page.js").Region} Region
 * @typedef {{weekday: number, hour: number, mean_power_kw: number, hours: number}} Cell
 * @typedef {{low: number, high: number, rows: {weekday: number, cells: ((Cell & {share: number}) | null)[]}[]}} HeatMap
 */

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
// A day of the calendar that was a Sunday: names of weekdays come from it.
const SUNDAY = 4;
/** Rows down and cells to the right. @type {Map<string, [number, number]>} */
const STEPS = new Map([["ArrowLeft", [0, -1]], ["ArrowRight", [0, 1]], ["ArrowUp", [-1, 0]], ["ArrowDown", [1, 0]]]);

/**
 * @param {Region} heat
 * @param {Region} duration
 * @returns {(view: View) => void}
 */
export function begin(heat, duration) {
  const figure = new Figure(byId("chart-duration"));
  return (view) => {
    loadHeat(heat, view);
    loadDuration(duration, figure, view);
  };
}

/**
 * @param {Region} region
 * @param {View} view
 */
async function loadHeat(region, view) {
  region.loading();
  try {
    const { profile } = await get("profile", "api/v1/kpi/profile", { ...view.subject, ...fullQuarters(view) });
    offerCsv("export-profile", fileParts("load-by-hour-and-weekday", view), profile);
    if (profile.length) drawHeat(heatMap(profile, firstWeekday()));
    if (profile.length) region.ready();
    else region.empty("No readings lie in these days.");
  } catch (error) {
    region.failed(error, () => loadHeat(region, view));
  }
}

/** The weekday that a week begins with in the browser's language; Monday where it doesn't tell. */
function firstWeekday() {
  /** @type {any} */
  const locale = new Intl.Locale(navigator.language);
  const day = locale.getWeekInfo?.().firstDay ?? 1;
  return day % 7;
}

/**
 * Mean power as a table of weekdays and hours.
 * @param {Cell[]} cells Not empty.
 * @param {number} first The weekday of the first row; 0 is Sunday.
 * @returns {HeatMap}
 */
export function heatMap(cells, first) {
  const powers = cells.map((cell) => cell.mean_power_kw);
  const [low, high] = [Math.min(...powers), Math.max(...powers)];
  const shareOf = (/** @type {number} */ power) => (high > low ? (power - low) / (high - low) : 0.5);
  const known = new Map(cells.map((cell) => [24 * cell.weekday + cell.hour, { ...cell, share: shareOf(cell.mean_power_kw) }]));
  const rows = Array.from({ length: 7 }, (_, row) => {
    const weekday = (first + row) % 7;
    return { weekday, cells: HOURS.map((hour) => known.get(24 * weekday + hour) ?? null) };
  });
  return { low, high, rows };
}

/** @param {number} weekday 0 is Sunday. */
export function weekdayName(weekday) {
  return calendarDay(`2026-01-${String(SUNDAY + weekday).padStart(2, "0")}`, "weekday");
}

/** @param {HeatMap} map */
function drawHeat({ low, high, rows }) {
  const head = element("tr", null, element("td", { class: "corner" }), ...HOURS.map((hour) => element("th", { scope: "col" }, hour)));
  const body = rows.map(({ weekday, cells }) => element("tr", null, element("th", { scope: "row" }, weekdayName(weekday)),
    ...cells.map((cell, hour) => heatCell(cell, weekday, hour))));
  const map = element("table", { class: "heat", role: "grid", "aria-labelledby": "heat-title" }, element("thead", null, head),
    element("tbody", null, ...body));
  map.querySelector("tbody td")?.setAttribute("tabindex", "0");
  map.addEventListener("keydown", moveFocus);
  for (const event of ["focusin", "mouseover"]) map.addEventListener(event, tellCell);
  byId("heat-map").replaceChildren(map);
  byId("heat-low").textContent = number(low, "kW");
  byId("heat-high").textContent = number(high, "kW");
  byId("heat-cell").textContent = `Highest: ${highestText(rows)}`;
}

/**
 * @param {(Cell & {share: number}) | null} cell
 * @param {number} weekday
 * @param {number} hour
 */
function heatCell(cell, weekday, hour) {
  const made = element("td", { tabindex: "-1", "data-none": cell === null, "data-told": cellText(cell, weekday, hour) },
    element("span", null, cell ? number(cell.mean_power_kw, "kW") : "no readings"));
  if (cell) made.style.setProperty("--share", String(cell.share));
  return made;
}

/**
 * @param {Cell | null} cell
 * @param {number} weekday
 * @param {number} hour
 */
export function cellText(cell, weekday, hour) {
  const clock = (/** @type {number} */ at) => `${String(at).padStart(2, "0")}:00`;
  const when = `${weekdayName(weekday)}, ${clock(hour)} to ${clock(hour + 1)}`;
  if (!cell) return `${when}: no readings`;
  const hours = number(cell.hours, null, cell.hours % 1 ? 1 : 0);
  return `${when}: ${number(cell.mean_power_kw, "kW")} on average, over ${hours} ${cell.hours === 1 ? "hour" : "hours"}`;
}

/** @param {HeatMap["rows"]} rows */
function highestText(rows) {
  const cell = rows.flatMap(({ cells }) => cells).find((each) => each !== null && each.share === 1) ?? rows.flatMap(({ cells }) => cells).find(Boolean);
  return cell ? cellText(cell, cell.weekday, cell.hour) : "";
}

/** @param {Event} event */
function tellCell({ target }) {
  const cell = target instanceof Element ? target.closest("td[data-told]") : null;
  if (cell instanceof HTMLElement) byId("heat-cell").textContent = cell.dataset.told ?? "";
}

/**
 * One cell is in the order of the Tab key, the others are reached with the arrow keys.
 * @param {KeyboardEvent} event
 */
function moveFocus(event) {
  const from = event.target;
  const step = STEPS.get(event.key);
  if (!(from instanceof HTMLTableCellElement) || !step) return;
  const to = neighbour(from, step);
  if (!to) return;
  event.preventDefault();
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

/**
 * @param {HTMLTableCellElement} from
 * @param {[number, number]} step Rows down, cells to the right.
 */
function neighbour(from, [down, right]) {
  const row = /** @type {HTMLTableRowElement} */ (from.parentElement);
  const to = from.closest("tbody")?.rows[row.sectionRowIndex + down]?.cells[from.cellIndex + right];
  return to?.dataset.told === undefined ? null : to;
}

/**
 * @param {Region} region
 * @param {Figure} figure
 * @param {View} view
 */
async function loadDuration(region, figure, view) {
  region.loading();
  try {
    const answer = await get("duration", "api/v1/kpi/duration-curve", { ...view.subject, ...fullQuarters(view) });
    const spec = durationSpec(answer.duration_curve);
    offerCsv("export-duration", fileParts("load-duration-curve", view), spec ? answer.duration_curve : []);
    if (!spec) {
      region.empty("No readings lie in these days.");
      return;
    }
    region.ready();
    figure.draw(spec);
  } catch (error) {
    region.failed(error, () => loadDuration(region, figure, view));
  }
}

/**
 * @param {{share: number | null, power_kw: number | null}[]} curve Falling.
 * @returns {import("./charts.js").Spec | null} Null where nothing was metered.
 */
export function durationSpec(curve) {
  /** @type {[number, number][]} */
  const points = curve.flatMap(({ share, power_kw: power }) => (isFigure(share) && isFigure(power) ? [[100 * share, power]] : []));
  const [highest, lowest] = [points[0], points.at(-1)];
  if (!highest || !lowest) return null;
  const atLeast = (/** @type {number} */ share) => number((points.find(([at]) => at >= share) ?? lowest)[1], "kW");
  const text = `${percent(0.05)} of the time at least ${atLeast(5)}, half of it ${atLeast(50)}, always ${number(lowest[1], "kW")}.`;
  return {
    summary: `Load duration curve: highest ${number(highest[1], "kW")}; ${text}`,
    hint: text,
    legend: false,
    x: { title: "Share of the time", unit: "%" },
    y: { title: "Power", unit: "kW", zero: true },
    series: [{ label: "Power", colour: "actual", fill: true, points }],
  };
}
