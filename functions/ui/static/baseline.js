/**
 * Regression by ticking drivers: each tick fits anew and draws anew.
 *
 * What lies below the window's edge, and what is asked for by a button, has modules that are loaded then.
 */
import { get, isCancelled, post, Problem } from "./api.js";
import { choice, focus, listDrivers, rememberChoice, selected, settings, startMachines, startSettings, zone } from "./baseline-choices.js";
import {
  contributionSpec, cusumSpec, fitSpec, histogramSpec, residualPredictedSpec, residualTimeSpec, resultNodes, signatureSpec,
} from "./baseline-results.js";
import { Figure } from "./charts.js";
import { calendarDay, label, localDay, number } from "./format.js";
import { announce, byId, element, pageAddress, PeriodPicker, Region, remember, start, state, whenVisible } from "./page.js";

/**
 * @typedef {import("./baseline-results.js").Driver} Driver
 * @typedef {import("./baseline-results.js").Analysis} Analysis
 * @typedef {import("./page.js").Machine} Machine
 */

/** @type {{drivers: Region, result: Region, charts: Region, comparison: Region}} */
let regions;
/** The list of versions, once someone has come near it. @type {Region | null} */
let versionsRegion = null;
/** @type {Record<string, Figure>} */
let figures;
/** @type {PeriodPicker} */
let period;
/** Drivers of the machine in focus. @type {Driver[]} */
let known = [];
/** Settled once `known` is what it says. @type {Promise<void>} */
let knowing;
/** By machine, what is on the screen. @type {Map<string, Analysis>} */
let analyses = new Map();
/** Counts analyses: what belongs to a former one is not shown. */
let latest = 0;
/** Choices before the present one; null is "chosen for me". @type {(string[] | null)[]} */
const former = [];

function begin() {
  regions = {
    drivers: new Region("drivers-region"), result: new Region("result"), charts: new Region("charts"),
    comparison: new Region("comparison"),
  };
  const ids = ["fit", "signature", "time", "predicted", "histogram", "contributions", "cusum"];
  figures = Object.fromEntries(ids.map((id) => [id, new Figure(byId(`chart-${id}`))]));
  period = new PeriodPicker(90, zone, load);
  startMachines(load);
  startSettings((name) => (name === "interval" ? load() : analyse()));
  startButtons();
  load();
  whenVisible(byId("versions"), showVersions);
}

/** Everything anew: another machine, period or interval. */
function load() {
  const machine = focus();
  if (!machine) {
    Object.values(regions).forEach((each) => each.empty("This factory has no machine yet."));
    byId("versions").hidden = true;
    return;
  }
  nameMachine(machine);
  byId("comparison").hidden = selected().length < 2;
  knowing = loadDrivers(machine);
  analyse();
  if (versionsRegion) showVersions();
}

/** @param {Machine} machine */
function nameMachine(machine) {
  byId("train").textContent = trainText();
  byId("result-title").textContent = `Result for ${machine.name}`;
  byId("charts-note").textContent = `${period.text()}, times in ${zone()}`;
  byId("more").replaceChildren(element("a", { href: pageAddress(`machine/${machine.id}`) }, `More about ${machine.name}`), ".");
}

function trainText() {
  const count = selected().length;
  return count > 1 ? `Train and keep ${count}` : "Train and keep";
}

/** The request for a fit, but for machine and drivers. */
function asked() {
  const { from, to } = period.days();
  return { start_date: from, end_date: to, ...settings() };
}

/** @param {Machine} machine */
async function loadDrivers(machine) {
  regions.drivers.loading();
  const { start_date: start, end_date: end, interval } = asked();
  try {
    const answer = await get("drivers", "api/v1/baseline/drivers", { machine_id: machine.id, start, end, interval });
    known = answer.drivers;
    showDrivers();
    regions.drivers.ready();
  } catch (error) {
    if (isCancelled(error)) return;
    known = [];
    failOrEmpty(regions.drivers, error, () => loadDrivers(machine));
  }
}

/**
 * Where there is nothing in the period: what there is, and how to see it.
 * @param {Region} region
 * @param {unknown} error
 * @param {() => void} retry
 */
function failOrEmpty(region, error, retry) {
  if (!(error instanceof Problem) || error.fields.code !== "no-readings") {
    region.failed(error, retry);
    return;
  }
  const text = `${focus()?.name} has no readings in these days; `;
  const at = error.fields.latest_reading_at;
  if (at) {
    const day = localDay(Date.parse(at), zone());
    region.empty(`${text}the latest is from ${calendarDay(day)}.`, { text: "Show it", act: () => period.moveTo(day) });
  } else region.empty(`${text}it has none at all yet.`);
}

/** Fits what is ticked, for each machine, and draws it. */
async function analyse() {
  const drivers = choice();
  const fits = [regions.result, regions.charts, regions.comparison];
  const turn = (latest += 1);
  byId("undo").toggleAttribute("disabled", former.length === 0);
  byId("comparison-note").textContent = drivers ? "Each by its own fit of these drivers" : "Each with the drivers that suit it";
  if (drivers && !drivers.length) {
    fits.forEach((each) => each.empty("Tick at least one driver."));
    forget();
    return;
  }
  fits.forEach((each) => each.loading());
  try {
    // One call after the other: beside each other they would start a cold function twice.
    await knowing;
    if (turn !== latest) return;
    const first = await analysed("analyze", /** @type {Machine} */ (focus()), drivers);
    if (turn !== latest) return;
    analyses = new Map([[first.answer.machine_id, first]]);
    await Promise.all([show(first, turn), compare(drivers, turn)]);
  } catch (error) {
    if (turn !== latest || isCancelled(error)) return;
    fits.forEach((each) => failOrEmpty(each, error, analyse));
    forget();
  }
}

/** Nothing is fitted: there is nothing to train or to save. */
function forget() {
  analyses = new Map();
  offer(false);
}

/** @param {boolean} isFitted */
function offer(isFitted) {
  for (const id of ["train", "export-results", "export-coefficients", "export-json"]) byId(id).toggleAttribute("disabled", !isFitted);
}

/**
 * @param {string} slot
 * @param {Machine} machine
 * @param {string[] | null} drivers
 * @returns {Promise<Analysis>}
 */
async function analysed(slot, machine, drivers) {
  const body = { machine_id: machine.id, ...asked(), drivers: drivers ?? "auto" };
  const answer = await post(slot, "api/v1/baseline/analyze", body);
  return { answer, name: machine.name, zone: machine.timezone, drivers: known };
}

/**
 * @param {Analysis} analysis
 * @param {number} turn
 */
async function show(analysis, turn) {
  const { answer } = analysis;
  showDrivers();
  fillSignatures(answer);
  byId("result-content").replaceChildren(...resultNodes(analysis).filter((each) => each !== null));
  figures.fit?.draw(fitSpec(analysis));
  drawSignature();
  regions.result.ready();
  offer(true);
  byId("charts-note").textContent = `${thinned(answer.points)}${period.text()}, times in ${analysis.zone}`;
  announce(`${analysis.name}: R² ${number(answer.r_squared, null, 3)}, ${answer.verdict.status}.`);
  const later = [
    () => figures.time?.draw(residualTimeSpec(analysis)), () => figures.predicted?.draw(residualPredictedSpec(analysis)),
    () => figures.histogram?.draw(histogramSpec(analysis)), () => figures.contributions?.draw(contributionSpec(analysis)),
    () => figures.cusum?.draw(cusumSpec(analysis)),
  ];
  // Each in a task of its own: a click in between is not kept waiting.
  for (const draw of later) {
    await new Promise((resolve) => setTimeout(resolve));
    if (turn !== latest) return;
    draw();
  }
  regions.charts.ready();
}

/** @param {{total: number, starts_at: number[]}} points */
function thinned({ total, starts_at: shown }) {
  return total > shown.length ? `${number(shown.length, null, 0)} of ${number(total, null, 0)} intervals drawn; ` : "";
}

/* Drivers */

/** The names that are ticked: the choice, or what the service chose. */
function ticked() {
  return new Set(choice() ?? /** @type {string[]} */ (analyses.get(focus()?.id ?? "")?.answer.drivers ?? []));
}

function showDrivers() {
  listDrivers(known, ticked(), choose);
}

/** @param {string[] | null} names */
function choose(names) {
  former.push(choice());
  rememberChoice(names);
  analyse();
}

function undo() {
  const before = former.pop();
  if (before === undefined) return;
  rememberChoice(before);
  showDrivers();
  analyse();
}

/* Charts */

/** @param {any} answer */
function fillSignatures(answer) {
  const names = Object.keys(answer.points.drivers);
  /** @type {HTMLSelectElement} */
  const select = byId("signature-driver");
  select.replaceChildren(...names.map((name) => element("option", { value: name }, label(name))));
  const over = state().get("over") ?? "";
  select.value = names.includes(over) ? over : names[0] ?? "";
  select.disabled = names.length < 2;
}

function drawSignature() {
  const analysis = analyses.get(focus()?.id ?? "");
  /** @type {HTMLSelectElement} */
  const select = byId("signature-driver");
  byId("chart-signature").hidden = !select.value;
  if (analysis && select.value) figures.signature?.draw(signatureSpec(analysis, select.value));
}

/**
 * Fits the other machines too, and puts all beside each other.
 * @param {string[] | null} drivers
 * @param {number} turn
 */
async function compare(drivers, turn) {
  const machines = selected();
  if (machines.length < 2) return;
  const { showComparison } = await import("./baseline-comparison.js");
  /** @type {import("./baseline-comparison.js").Row[]} */
  const rows = [];
  for (const machine of machines) {
    const done = analyses.get(machine.id);
    const row = done ? { analysis: done } : await analysed("compare", machine, drivers).then((analysis) => ({ analysis }), (error) => ({ error }));
    if (turn !== latest) return;
    rows.push({ machine, ...row });
    if ("analysis" in row) analyses.set(machine.id, row.analysis);
  }
  showComparison(rows, (id) => {
    remember({ focus: id }, { push: true });
    load();
  });
  regions.comparison.ready();
}

/* Buttons */

function startButtons() {
  byId("undo").addEventListener("click", undo);
  byId("choose").addEventListener("click", () => choose(null));
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !isTyping) undo();
  });
  byId("signature-driver").addEventListener("change", (event) => {
    remember({ over: /** @type {HTMLSelectElement} */ (event.target).value });
    drawSignature();
  });
  byId("train").addEventListener("click", train);
  for (const what of /** @type {("results" | "coefficients" | "json")[]} */ (["results", "coefficients", "json"])) {
    byId(`export-${what}`).addEventListener("click", async () => {
      const { save } = await import("./baseline-files.js");
      save(what, [...analyses.values()], period.days());
    });
  }
}

async function train() {
  /** @type {HTMLButtonElement} */
  const button = byId("train");
  const machines = selected();
  const names = new Set(known.map((each) => each.name));
  const wanted = machines.map((machine) => {
    // A form adds columns of its own, such as the hour of the week: those are no drivers that can be asked for.
    const found = choice() ?? analyses.get(machine.id)?.answer.drivers.filter((/** @type {string} */ name) => names.has(name));
    return { machine, body: { machine_id: machine.id, ...asked(), drivers: found?.length ? found : "auto" } };
  });
  button.disabled = true;
  const versions = await import("./baseline-versions.js");
  const notes = await versions.train(wanted, (index) => {
    button.textContent = machines.length > 1 ? `Training ${index + 1} of ${machines.length} …` : "Training …";
  });
  button.disabled = false;
  button.textContent = trainText();
  regions.result.ready(notes);
  announce(notes.map((each) => each.textContent).join(" "));
  showVersions();
}

async function showVersions() {
  const machine = focus();
  if (!machine) return;
  versionsRegion ??= new Region("versions");
  const { listVersions } = await import("./baseline-versions.js");
  await listVersions(versionsRegion, machine);
}

if (typeof document !== "undefined") start(begin);
