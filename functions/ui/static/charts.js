/**
 * Every chart of the console: one look, one way to be updated, a table behind each.
 *
 * Chart.js draws on a canvas, so colours are read from the theme and all charts are drawn anew when it changes.
 */
import { instant, label as labelOf, number, timeMarks } from "./format.js";
import { element, onTheme, table } from "./page.js";

/**
 * @typedef {[number, number | null]} XY
 * @typedef {{label: string, colour: string, points: XY[], dash?: boolean, fill?: boolean, stepped?: boolean,
 *   kind?: "line" | "bar" | "points" | "marks" | "band", shape?: "triangle" | "rectRot", axis?: "y" | "y2",
 *   colours?: string[]}} Series
 *   Marks stand out on lines that have a point at the same place. A band is filled to the series before it.
 * @typedef {{title: string, unit?: string | null, from?: number, zero?: boolean, decimals?: number}} Axis
 * @typedef {{series: Series[], x: Axis & {zone?: string, days?: boolean, categories?: string[]}, y: Axis, y2?: Axis, summary: string,
 *   hint?: string, legend?: boolean, horizontal?: boolean, level?: {value: number, text: string},
 *   columns?: import("./page.js").Column[], rows?: () => any[]}} Spec
 */

/** @type {Figure[]} */
const figures = [];
onTheme(() => figures.forEach((figure) => figure.redraw()));

/**
 * A colour of the theme as the canvas takes it.
 * @param {string} name
 * @param {number} [opacity]
 */
export function colour(name, opacity = 1) {
  const probe = element("span", { hidden: true });
  document.body.append(probe);
  probe.style.color = `var(--${name})`;
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return opacity < 1 ? resolved.replace(/^rgb\((.+)\)$/, `rgba($1, ${opacity})`) : resolved;
}

/**
 * A chart in its `<figure>` (the macro `chart`): drawn once, then updated in place.
 */
export class Figure {
  /** @param {Element} root */
  constructor(root) {
    this.root = root;
    this.canvas = /** @type {HTMLCanvasElement} */ (root.querySelector("canvas"));
    this.details = root.querySelector("details");
    /** @type {Spec | null} */
    this.spec = null;
    /** @type {any} */
    this.chart = null;
    this.details?.addEventListener("toggle", () => this.fillTable());
    figures.push(this);
  }

  /** @param {Spec} spec */
  draw(spec) {
    const shape = (/** @type {Spec | null} */ each) => JSON.stringify(each && [
      each.series.map((one) => [one.kind, one.axis]), Boolean(each.y2), each.horizontal, each.x.categories?.length, each.x.zone]);
    const isSame = shape(spec) === shape(this.spec);
    this.spec = spec;
    this.canvas.setAttribute("aria-label", spec.summary);
    const hint = this.root.querySelector("figcaption .hint");
    if (hint && spec.hint !== undefined) hint.textContent = spec.hint;
    if (this.chart && isSame) this.update();
    else this.redraw();
    this.fillTable();
  }

  update() {
    const { data, options } = configuration(/** @type {Spec} */ (this.spec));
    this.chart.data = data;
    this.chart.options = options;
    this.chart.update("none");
  }

  redraw() {
    if (!this.spec) return;
    this.chart?.destroy();
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    this.chart = new Chart(this.canvas, configuration(this.spec));
  }

  /** Takes it off the page: small multiples come and go. */
  remove() {
    this.chart?.destroy();
    figures.splice(figures.indexOf(this), 1);
    this.root.remove();
  }

  /** The figures behind the picture, made when someone opens them. */
  fillTable() {
    if (!this.details?.open || !this.spec) return;
    const [columns, rows] = tableOf(this.spec);
    this.details.querySelector(".table-wrap")?.replaceChildren(table(columns, rows));
  }
}

/**
 * A new figure, for charts whose number follows from the data.
 * @param {string} title
 * @param {{size?: string, href?: string}} [how]
 */
export function newFigure(title, { size = "", href } = {}) {
  const heading = element("h3", null, href ? element("a", { href }, title) : title);
  return new Figure(element("figure", { class: "chart" },
    element("figcaption", null, heading, element("span", { class: "hint" }, "\u00a0")),
    element("div", { class: `plot ${size}` }, element("canvas", { role: "img", "aria-label": title })),
    element("details", { class: "no-print" }, element("summary", null, "Figures as a table"),
      element("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": `${title}: figures` })),
  ));
}

/**
 * @param {Spec} spec
 * @returns {[import("./page.js").Column[], any[]]}
 */
function tableOf(spec) {
  if (spec.columns && spec.rows) return [spec.columns, spec.rows()];
  const { x, series } = spec;
  /** @type {Map<number, Map<string, number | null>>} */
  const rows = new Map();
  for (const one of series) {
    for (const [at, value] of one.points) rows.set(at, (rows.get(at) ?? new Map()).set(one.label, value));
  }
  const columns = [
    { title: x.title, value: (/** @type {any} */ [at]) => xText(spec, at) },
    ...series.map((one) => ({
      title: one.label,
      number: true,
      value: (/** @type {any} */ [, values]) => number(values.get(one.label), unitOf(spec, one)),
    })),
  ];
  return [columns, [...rows].sort(([a], [b]) => a - b)];
}

/**
 * @param {Spec} spec
 * @param {Series} one
 */
function unitOf(spec, one) {
  return (one.axis === "y2" ? spec.y2 : spec.y)?.unit;
}

/**
 * @param {Spec} spec
 * @param {number} at
 */
function xText({ x }, at) {
  if (x.categories) return x.categories[at] ?? "";
  return x.zone ? instant(at, x.zone, x.days ? "day" : "moment") : number(at, x.unit, x.decimals);
}

/**
 * What Chart.js wants to know.
 * @param {Spec} spec
 * @returns {any}
 */
function configuration(spec) {
  const ink = colour("soft");
  const across = spec.horizontal ? "y" : "x";
  const up = spec.horizontal ? "x" : "y";
  const scales = { [across]: xScale(spec, ink), [up]: yScale(spec.y, ink, spec.horizontal ? undefined : "left") };
  if (spec.y2) scales.y2 = { ...yScale(spec.y2, ink, "right"), grid: { drawOnChartArea: false } };
  return {
    type: "line",
    data: { labels: spec.x.categories, datasets: spec.series.map((one) => dataset(spec, one)).concat(levelLine(spec)) },
    options: {
      animation: false,
      maintainAspectRatio: false,
      responsive: true,
      parsing: false,
      normalized: true,
      indexAxis: across,
      interaction: { mode: isScatter(spec) ? "nearest" : "index", intersect: false, axis: isScatter(spec) ? "xy" : across },
      scales,
      plugins: {
        legend: {
          display: spec.legend ?? spec.series.length > 1,
          labels: {
            color: ink, usePointStyle: true, boxWidth: 24, boxHeight: 6, padding: 10,
            // Without this in the order in which they are drawn.
            sort: (/** @type {any} */ one, /** @type {any} */ other) => one.datasetIndex - other.datasetIndex,
          },
          align: "start",
        },
        tooltip: tooltip(spec),
        decimation: { enabled: !spec.horizontal && !spec.x.categories, algorithm: "min-max", threshold: 1500 },
      },
    },
  };
}

/** @param {Spec} spec */
function isScatter(spec) {
  return spec.series.some((one) => one.kind === "points");
}

/**
 * @param {Spec} spec
 * @param {Series} one
 * @returns {any}
 */
function dataset(spec, one) {
  const at = (/** @type {XY} */ [x, y]) => (spec.horizontal ? { x: y, y: x } : { x, y });
  const scale = spec.horizontal ? { xAxisID: "x" } : { yAxisID: one.axis ?? "y" };
  const drawn = DRAWN[one.kind ?? "line"](one);
  return { label: one.label, data: one.points.map(at), borderColor: colour(one.colour), ...scale, ...drawn };
}

/** @param {Series} one */
function pointsOf(one) {
  return { type: "scatter", clip: 6, pointRadius: 2.4, pointHoverRadius: 5, borderWidth: 0, pointStyle: "circle",
    backgroundColor: colour(one.colour, 0.55), order: 2 };
}

/** @param {Series} one */
function barsOf(one) {
  const colours = one.colours?.map((name) => colour(name)) ?? colour(one.colour);
  return { type: "bar", backgroundColor: colours, borderWidth: 0, maxBarThickness: 46, order: 3 };
}

/** @param {Series} one */
function lineOf(one) {
  return { type: "line", pointStyle: "line", pointRadius: one.points.length === 1 ? 3 : 0, pointHoverRadius: 4, borderWidth: 1.8,
    borderDash: one.dash ? [6, 4] : [], fill: one.fill ? "origin" : false, stepped: one.stepped ?? false,
    backgroundColor: colour(one.colour, one.fill ? 0.14 : 1), spanGaps: false, order: 1 };
}

/** @param {Series} one */
function marksOf(one) {
  return { type: "line", showLine: false, clip: 8, pointStyle: one.shape ?? "triangle", pointRadius: 5, pointHoverRadius: 7,
    borderWidth: 1, backgroundColor: colour(one.colour), order: 0 };
}

/** @param {Series} one */
function bandOf(one) {
  return { type: "line", pointRadius: 0, pointHoverRadius: 0, borderWidth: 0, fill: one.fill ? "-1" : false,
    backgroundColor: colour(one.colour, 0.2), order: 4 };
}

const DRAWN = { points: pointsOf, bar: barsOf, marks: marksOf, band: bandOf, line: lineOf };

/**
 * A level that lines are held against, such as a limit.
 * @param {Spec} spec
 * @returns {any[]}
 */
function levelLine({ level, series }) {
  if (!level) return [];
  const xs = series.flatMap((one) => one.points.map(([x]) => x));
  return [{
    type: "line", label: level.text, data: [Math.min(...xs), Math.max(...xs)].map((x) => ({ x, y: level.value })), yAxisID: "y",
    borderColor: colour("soft"), backgroundColor: colour("soft"), borderWidth: 1.2, borderDash: [2, 3], pointStyle: "line", pointRadius: 0, order: 0,
  }];
}

/**
 * @param {Spec} spec
 * @param {string} ink
 * @returns {any}
 */
function xScale({ x, series, horizontal }, ink) {
  const title = { display: Boolean(x.title) && !x.zone && !x.categories, text: axisTitle(x), color: ink };
  const grid = { color: colour("grid"), tickLength: 4 };
  if (x.categories) {
    return { type: "category", labels: x.categories, title, grid: { display: false }, ticks: { color: ink, autoSkip: !horizontal, maxRotation: 0 } };
  }
  if (!x.zone) {
    return { type: "linear", title, grid, ticks: { color: ink, maxTicksLimit: 8, callback: markText } };
  }
  const zone = x.zone;
  const xs = series.flatMap(({ points }) => [points[0], points.at(-1)].flatMap((point) => (point ? [point[0]] : [])));
  const [from, to] = [Math.min(...xs), Math.max(...xs)];
  return {
    type: "linear", title, grid, min: from, max: to,
    afterBuildTicks: (/** @type {any} */ axis) => {
      const marks = timeMarks(axis.min, axis.max, zone, Math.max(2, Math.min(8, Math.floor(axis.width / 78))));
      axis.ticks = marks.map(({ at, text }) => ({ value: at, text }));
    },
    ticks: { color: ink, autoSkip: false, maxRotation: 0, callback: (/** @type {number} */ _, /** @type {number} */ index, /** @type {any[]} */ ticks) => ticks[index].text },
  };
}

/**
 * @param {Axis} axis
 * @param {string} ink
 * @param {"left" | "right" | undefined} position
 * @returns {any}
 */
function yScale(axis, ink, position) {
  return {
    type: "linear", position, beginAtZero: axis.zero ?? false, grace: axis.zero ? 0 : "4%",
    title: { display: Boolean(axis.title), text: axisTitle(axis), color: ink },
    grid: { color: colour("grid"), tickLength: 4 },
    ticks: { color: ink, maxTicksLimit: 6, callback: markText },
  };
}

/**
 * A mark of an axis, with as few decimals as keep the marks apart.
 * @param {number} value
 * @param {number} _
 * @param {{value: number}[]} ticks
 */
function markText(value, _, ticks) {
  const [first, second] = ticks;
  const step = first && second ? Math.abs(second.value - first.value) : 1;
  const decimals = [0, 1, 2, 3, 4].find((count) => Math.abs(step * 10 ** count - Math.round(step * 10 ** count)) < 1e-6);
  return number(value, null, decimals ?? 5);
}

/** @param {Axis} axis */
function axisTitle({ title, unit }) {
  return unit ? `${title} (${unit})` : title;
}

/**
 * @param {Spec} spec
 * @returns {any}
 */
function tooltip(spec) {
  const value = (/** @type {any} */ item) => (spec.horizontal ? item.parsed.x : item.parsed.y);
  return {
    // Marks are only at some of the places.
    filter: (/** @type {any} */ item) => value(item) !== null,
    callbacks: {
      title: (/** @type {any[]} */ items) => (items.length ? xText(spec, spec.horizontal ? items[0].parsed.y : items[0].parsed.x) : ""),
      label: (/** @type {any} */ item) => {
        const one = spec.series[item.datasetIndex];
        return one ? `${one.label}: ${number(value(item), unitOf(spec, one))}` : `${item.dataset.label}: ${number(value(item), spec.y.unit)}`;
      },
    },
  };
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
 * A driver with its unit, as an axis has it.
 * @param {string} name
 * @param {string | null | undefined} unit
 * @returns {Axis}
 */
export function driverAxis(name, unit) {
  return { title: labelOf(name), unit };
}
