/**
 * How far a forecast may be trusted: how it did since it serves, how its model was chosen, what it knows.
 */
import { finished, isCancelled, post, Problem } from "./api.js";
import { newFigure } from "./charts.js";
import { chosenOf, HORIZONS, SELECTED } from "./forecast-faces.js";
import { calendarDay, count, instant, isFigure, label, NONE, number, percent, readable, signed } from "./format.js";
import { announce, badge, byId, element, offerCsv, wideTable } from "./page.js";

/**
 * @typedef {import("./forecast.js").View} View
 * @typedef {{name: string, mase: number | null, ratio_to_naive: number | null, mape_percent: number | null, smape_percent: number | null,
 *   bias_kw: number | null, coverage_80: number | null, coverage_95: number | null, width_80_kw: number | null, is_chosen: boolean}} BacktestRow
 * @typedef {{mase: number | null, ratio_to_naive: number | null, mape_percent: number | null, bias_kw: number | null,
 *   coverage_80: number | null, coverage_95: number | null, lead?: number, week?: string, scored?: number}} Score
 */

/** What is near enough to what a band promises, in points. */
const NEAR = 0.06;
/** What stands for an account of the time that it serves which could not be had. */
const UNKNOWN = { by_lead: [], by_week: [], scored: 0, moved_percent: null, notes: ["How it did since it serves could not be had."] };

/**
 * What a MASE means, in words that hold for this very figure.
 * @param {number | null | undefined} mase
 * @param {number | null | undefined} scaleKw
 * @param {string} horizon
 */
export function maseText(mase, scaleKw, horizon) {
  const season = HORIZONS.get(horizon)?.season;
  const scale = isFigure(scaleKw) ? ` (${number(scaleKw, "kW")} here)` : "";
  const basis = `MASE is the mean error divided by that of repeating ${season}${scale}: below 1 is better than that, 0.5 halves it.`;
  if (!isFigure(mase)) return basis;
  const error = isFigure(scaleKw) ? `, by ${number(mase * scaleKw, "kW")} on average` : "";
  return `${basis} What serves has ${number(mase, null, 2)}: it misses by ${percent(mase)} of what ${season} would${error}.`;
}

/**
 * Whether a share within a band is far from what the band promises.
 * @param {number | null | undefined} share
 * @param {number} promised
 */
export function coverageTone(share, promised) {
  return isFigure(share) && Math.abs(share - promised) > NEAR ? "warning" : null;
}

/**
 * The verdict over the time that it serves; over the backtest as long as nothing is scored.
 * @param {any} accuracy
 * @param {any} demand
 * @returns {{tone: "good" | "warning" | null, texts: string[]}}
 */
export function verdictOf(accuracy, demand) {
  const { skill_percent: skill = 0, is_degraded: isDegraded = false, in_words: words = "" } = accuracy ?? {};
  return {
    tone: isDegraded || skill < 0 ? "warning" : skill > 0 ? "good" : null,
    texts: [
      sentence(words || "No forecast has been scored yet: its first truth has to come"),
      ...(isDegraded ? ["It does worse than in its backtest: it is fitted anew."] : []),
      sentence(demand.model.reason),
    ],
  };
}

/** @param {string} text */
function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

/**
 * "A, B and C".
 * @param {string[]} names
 */
function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/**
 * What the model is and what it knows.
 * @param {any} demand
 * @param {string} zone
 * @returns {[string, string][]}
 */
export function factsOf({ model, coverage, regressors_used: used }, zone) {
  const { days_of_history: days, share_of_readings: share } = coverage ?? {};
  return [
    ["Serves", listed(model.members.map(label)) || NONE],
    ["Version", model.version === null ? "none yet" : String(model.version)],
    ["Trained", instant(model.trained_at, zone)],
    ["History", isFigure(days) ? `${count(Math.round(days), "day")}${isFigure(share) ? `, ${percent(share)} of the time measured` : ""}` : NONE],
    ["Knows besides", used.map(label).join(", ") || "nothing but the load"],
  ];
}

/**
 * The error by how far ahead, beside what the naive forecast has.
 * @param {Score[]} leads
 * @param {string} horizon
 * @returns {import("./charts.js").Spec | null}
 */
export function leadSpec(leads, horizon) {
  const known = leads.filter(({ mase }) => isFigure(mase));
  if (known.length < 2) return null;
  const { step, season } = HORIZONS.get(horizon) ?? { step: "step", season: "the season before" };
  return {
    series: [{ label: "MASE", colour: "actual", kind: "bar", points: known.map(({ mase }, index) => [index, mase]) }],
    x: { title: "Ahead", categories: known.map(({ lead }) => String(lead)) },
    y: { title: "MASE", zero: true },
    level: { value: 1, text: `As good as ${season}` },
    legend: false,
    hint: `By ${step} ahead; dotted: as good as repeating ${season}.`,
    summary: `MASE by ${step} ahead, from ${number(known[0]?.mase, null, 2)} to ${number(known.at(-1)?.mase, null, 2)}.`,
  };
}

/** @returns {import("./page.js").Column[]} */
function scoreColumns() {
  return [
    { title: "MASE", number: true, value: (each) => number(each.mase, null, 2) },
    { title: "÷ naive", number: true, value: (each) => number(each.ratio_to_naive, null, 2), tone: (each) => (each.ratio_to_naive > 1 ? "warning" : null) },
    { title: "MAPE", number: true, value: (each) => number(each.mape_percent, "%", 1) },
    { title: "Bias", number: true, value: (each) => signed(each.bias_kw, "kW", Math.abs(each.bias_kw) < 1 ? 2 : 1) },
    { title: "In the 80 % band", number: true, value: (each) => percent(each.coverage_80), tone: (each) => coverageTone(each.coverage_80, 0.8) },
    { title: "In the 95 % band", number: true, value: (each) => percent(each.coverage_95), tone: (each) => coverageTone(each.coverage_95, 0.95) },
  ];
}

/**
 * @param {BacktestRow[]} rows
 * @param {BacktestRow | null} served
 * @param {string} choice The model that is shown.
 */
function backtestTable(rows, served, choice) {
  const ranked = [...rows].sort((a, b) => Number(b === served) - Number(a === served) || (a.mase ?? Infinity) - (b.mase ?? Infinity));
  const isSelected = choice === SELECTED;
  const role = (/** @type {BacktestRow} */ each) => {
    if (each === served) return badge(isSelected ? "serves" : "shown", "good");
    return each.is_chosen && isSelected ? badge("part of it", null) : null;
  };
  const name = (/** @type {BacktestRow} */ each) => (each.name === SELECTED ? "The best at each origin" : label(each.name));
  return wideTable("Backtest", [
    { title: "Model", value: (each) => element("span", { class: "words" }, name(each), role(each)) },
    ...scoreColumns(),
    { title: "Width of the 80 % band", number: true, value: (each) => number(each.width_80_kw, "kW") },
  ], ranked);
}

/** @param {Score[]} weeks */
function weeksTable(weeks) {
  const week = (/** @type {Score} */ { week: name }) => (/^\d{4}-\d{2}-\d{2}/.test(name ?? "") ? `from ${calendarDay(name)}` : name ?? NONE);
  return wideTable("By week", [{ title: "Week", value: week }, ...scoreColumns()], weeks);
}

/**
 * @param {string} title
 * @param {...(Node | null)} nodes
 */
function part(title, ...nodes) {
  return element("section", { class: "stack" }, element("h3", null, title), ...nodes);
}

/** What of the part has a chart, so that it is taken off before the next. @type {import("./charts.js").Figure | null} */
let drawn = null;

/**
 * @param {import("./page.js").Region} region
 * @param {() => void} reload Asks for the forecast anew.
 * @returns {import("./forecast.js").Part}
 */
export function begin(region, reload) {
  /** @type {View} */
  let shown;
  byId("train").addEventListener("click", () => train(region, shown, reload));
  return (view, answers, isAgain) => {
    shown = view;
    if (answers.problem) region.failed(answers.problem, reload);
    else if (!answers.demand) region.loading();
    else if (!isAgain || region.element.dataset.face !== "ready") show(region, view, answers.demand, answers.accuracy);
  };
}

/**
 * Lets models compete anew; until then the one that serves goes on.
 * @param {import("./page.js").Region} region
 * @param {View} view
 * @param {() => void} reload
 */
async function train(region, { subject, horizon }, reload) {
  const button = byId("train");
  button.toggleAttribute("disabled", true);
  button.textContent = "Training …";
  try {
    const { run_id: runId } = await post("train", "api/v1/forecast/train", { ...subject, horizon, wait: false });
    const { state } = await finished("train-run", runId, () => undefined);
    if (state === "failed") region.ready(["The training failed: the former model serves on. The log of the run tells why."]);
    else reload();
    announce(state === "failed" ? "The training failed." : "Trained.");
  } catch (error) {
    if (!isCancelled(error)) region.ready([error instanceof Problem ? error.message : "The page has a fault: load it again."]);
  } finally {
    button.toggleAttribute("disabled", false);
    button.textContent = "Train anew";
  }
}

/**
 * @param {import("./page.js").Region} region
 * @param {View} view
 * @param {import("./forecast-faces.js").Demand} demand
 * @param {any} accuracy Null where it could not be had.
 */
function show(region, { zone, horizon, name }, demand, accuracy) {
  const { by_lead: leads, scored } = accuracy ?? UNKNOWN;
  const spec = leadSpec(leads, horizon);
  drawn?.remove();
  drawn = spec ? newFigure("Error by how far ahead", { size: "small" }) : null;
  byId("proof-note").textContent = scored ? `${count(scored, "forecast")} scored since they serve` : "By the backtest: on days that no model had seen";
  byId("proof-content").replaceChildren(
    ...verdictNodes(demand, accuracy, zone), ...backtestNodes(demand, horizon), ...accuracyNodes(accuracy), ...(drawn ? [drawn.root] : []));
  offerCsv("export-backtest", ["backtest", name, horizon], demand.backtest.models);
  region.ready();
  if (spec) drawn?.draw(spec);
}

/**
 * @param {import("./forecast-faces.js").Demand} demand
 * @param {any} accuracy
 * @param {string} zone
 */
function verdictNodes(demand, accuracy, zone) {
  const { tone, texts } = verdictOf(accuracy, demand);
  const facts = factsOf(demand, zone).flatMap(([term, fact]) => element("div", null, element("dt", null, term), element("dd", null, fact)));
  const left = demand.regressors_left_out.map(({ name, reason }) => element("li", null, `Not used: ${label(name)}. ${readable(sentence(reason), zone)}`));
  return [
    element("div", { class: "verdict", "data-tone": tone }, ...texts.map((text) => element("p", null, readable(text, zone)))),
    element("dl", { class: "facts" }, ...facts),
    ...(left.length ? [element("ul", { class: "reasons hint" }, ...left)] : []),
  ];
}

/**
 * @param {import("./forecast-faces.js").Demand} demand
 * @param {string} horizon
 */
function backtestNodes({ backtest, model }, horizon) {
  if (!backtest.models.length) return [];
  const served = chosenOf(backtest, model.choice);
  return [part(`Backtest from ${count(backtest.origins, "origin")}`, backtestTable(backtest.models, served, model.choice),
    element("p", { class: "hint" }, maseText(served?.mase, backtest.scale_kw, horizon)))];
}

/** @param {any} accuracy */
function accuracyNodes(accuracy) {
  const { by_week: weeks, moved_percent: moved, notes } = accuracy ?? UNKNOWN;
  const scored = weeks.filter((/** @type {Score} */ { mase }) => isFigure(mase));
  return [
    ...notes.map((/** @type {string} */ note) => element("p", { class: "hint" }, note)),
    ...(scored.length ? [part("Week by week, since it serves", weeksTable(scored))] : []),
    ...(isFigure(moved) ? [element("p", { class: "hint" },
      `From one issue to the next the forecast of the same time moved by ${number(moved, "%", 1)} on average.`)] : []),
  ];
}
