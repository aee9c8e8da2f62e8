/**
 * Regression by ticking drivers: each tick fits anew and draws anew.
 */
import { addressWith, finished, get, isCancelled, post, Problem } from "./api.js";
import {
  coefficientRows, contributionSpec, cusumSpec, equationOf, fitSpec, FORMS, histogramSpec, residualPredictedSpec,
  residualTimeSpec, resultNodes, resultRows, signatureSpec,
} from "./baseline-results.js";
import { Figure, newFigure } from "./charts.js";
import { calendarDay, fileName, instant, label, localDay, number, percent, readable } from "./format.js";
import {
  announce, badge, byId, catalogue, download, downloadCsv, element, factory, pageAddress, PeriodPicker, Region, remember, start,
  state, table, tone,
} from "./page.js";

/**
 * @typedef {import("./baseline-results.js").Driver} Driver
 * @typedef {import("./baseline-results.js").Analysis} Analysis
 * @typedef {import("./page.js").Machine} Machine
 */

const MOST_MACHINES = 12;

/** @type {{drivers: Region, result: Region, charts: Region, versions: Region, comparison: Region}} */
let regions;
/** @type {Record<string, Figure>} */
let figures;
/** @type {PeriodPicker} */
let period;
/** Drivers of the machine in focus. @type {Driver[]} */
let known = [];
/** By machine, what is on the screen. @type {Map<string, Analysis>} */
let analyses = new Map();
/** Choices before the present one; null is "chosen for me". @type {(string[] | null)[]} */
const former = [];
/** @type {Figure[]} */
let multiples = [];

/** @returns {Machine[]} */
function ofFactory() {
  return catalogue().machines.filter((each) => each.factory_id === factory()?.id);
}

/** The machines that are ticked; the first active one where the URL names none. */
function selected() {
  const wanted = state().get("machine")?.split(",") ?? [];
  const found = wanted.flatMap((id) => ofFactory().find((each) => each.id === id) ?? []);
  return found.length ? found : ofFactory().filter((each) => each.is_active).slice(0, 1);
}

/** The machine whose charts and versions are shown. */
function focus() {
  const machines = selected();
  return machines.find((each) => each.id === state().get("focus")) ?? machines[0];
}

/** The drivers that the URL names; null leaves the choice to the service. */
function choice() {
  const text = state().get("drivers");
  return text === null ? null : text.split(",").filter(Boolean).map(decodeURIComponent);
}

/** @param {string[] | null} names */
function choiceText(names) {
  // A comma alone is "none": an empty value would leave the choice to the service.
  return names && (names.map(encodeURIComponent).join(",") || ",");
}

function asked() {
  const { from, to } = period.days();
  return { start_date: from, end_date: to, interval: state().get("interval") ?? "hour", model: state().get("form") ?? "linear" };
}

function zone() {
  return focus()?.timezone ?? factory()?.timezone ?? "UTC";
}

function begin() {
  regions = {
    drivers: new Region("drivers-region"), result: new Region("result"), charts: new Region("charts"),
    versions: new Region("versions"), comparison: new Region("comparison"),
  };
  const ids = ["fit", "signature", "time", "predicted", "histogram", "contributions", "cusum"];
  figures = Object.fromEntries(ids.map((id) => [id, new Figure(byId(`chart-${id}`))]));
  period = new PeriodPicker(90, zone, load);
  startMachines();
  startChoices();
  startFiles();
  load();
}

/* Machines */

function startMachines() {
  const machines = ofFactory();
  fillSelect("type", "All types", [...new Set(machines.map((each) => each.type))]);
  fillSelect("status", "All states", [...new Set(machines.map((each) => each.status ?? "unknown"))]);
  for (const id of ["search", "type", "status"]) byId(id).addEventListener("input", listMachines);
  listMachines();
}

/**
 * @param {string} id
 * @param {string} all
 * @param {string[]} values
 */
function fillSelect(id, all, values) {
  const options = values.toSorted().map((value) => element("option", { value }, label(value)));
  byId(id).replaceChildren(element("option", { value: "" }, all), ...options);
}

function listMachines() {
  const [search, type, status] = ["search", "type", "status"].map((id) => {
    /** @type {HTMLInputElement} */
    const input = byId(id);
    return input.value.trim().toLowerCase();
  });
  const shown = ofFactory().filter((each) => (
    (!search || each.name.toLowerCase().includes(search)) && (!type || each.type === type)
    && (!status || (each.status ?? "unknown") === status)
  ));
  byId("machines").replaceChildren(...shown.map(machineChoice));
  const { total_count: total, machines } = catalogue();
  const more = total > machines.length ? `, of the first ${number(machines.length, null, 0)}` : "";
  byId("machines-count").textContent = `${shown.length} of ${ofFactory().length}${more}`;
}

/** @param {Machine} machine */
function machineChoice(machine) {
  const isChecked = selected().some((each) => each.id === machine.id);
  const box = element("input", { type: "checkbox", value: machine.id, onchange: () => toggleMachine(machine.id) });
  box.checked = isChecked;
  return element("li", null, element("label", { class: "choice" }, box,
    element("span", { class: "name" }, machine.name)));
}

/** @param {string} id */
function toggleMachine(id) {
  const ids = selected().map((each) => each.id);
  const next = ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id];
  if (!next.length || next.length > MOST_MACHINES) {
    announce(next.length ? `At most ${MOST_MACHINES} machines at a time.` : "One machine has to stay.");
    listMachines();
    return;
  }
  remember({ machine: next.join(","), factory: factory()?.id }, { push: true });
  load();
}

/* Loading */

/** Everything anew: another machine, period or interval. */
function load() {
  const machine = focus();
  if (!machine) {
    Object.values(regions).forEach((each) => each.empty("This factory has no machine yet."));
    return;
  }
  const isMany = selected().length > 1;
  byId("train").textContent = isMany ? `Train and keep ${selected().length}` : "Train and keep";
  byId("result-title").textContent = `Result for ${machine.name}`;
  byId("charts-note").textContent = `${period.text()}, times in ${zone()}`;
  byId("comparison").hidden = !isMany;
  byId("comparison-note").textContent = choice() ? "Each by its own fit of these drivers" : "Each with the drivers that suit it";
  loadDrivers(machine);
  analyse();
  loadVersions();
}

/** @param {Machine} machine */
async function loadDrivers(machine) {
  regions.drivers.loading();
  const { start_date: start, end_date: end, interval } = asked();
  try {
    const answer = await get("drivers", "api/v1/baseline/drivers", { machine_id: machine.id, start, end, interval });
    known = answer.drivers;
    listDrivers();
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
  if (error instanceof Problem && error.fields.code === "no-readings") {
    const latest = error.fields.latest_reading_at;
    const text = `${focus()?.name} has no readings in these days; `;
    if (!latest) region.empty(`${text}it has none at all yet.`);
    else {
      const day = localDay(Date.parse(latest), zone());
      region.empty(`${text}the latest is from ${calendarDay(day)}.`, { text: "Show it", act: () => period.moveTo(day) });
    }
  } else region.failed(error, retry);
}

/** Fits what is ticked, for each machine, and draws it. */
async function analyse() {
  const machines = selected();
  const drivers = choice();
  byId("undo").toggleAttribute("disabled", former.length === 0);
  if (drivers && !drivers.length) {
    for (const region of [regions.result, regions.charts, regions.comparison]) region.empty("Tick at least one driver.");
    return;
  }
  for (const region of [regions.result, regions.charts, regions.comparison]) region.loading();
  const others = machines.filter((each) => each.id !== focus()?.id);
  try {
    const first = await analysed(/** @type {Machine} */ (focus()), drivers);
    analyses = new Map([[first.answer.machine_id, first]]);
    await show(first);
    if (others.length) await compare(first, others, drivers);
  } catch (error) {
    if (isCancelled(error)) return;
    for (const region of [regions.result, regions.charts, regions.comparison]) failOrEmpty(region, error, analyse);
  }
}

/**
 * @param {Machine} machine
 * @param {string[] | null} drivers
 * @returns {Promise<Analysis>}
 */
async function analysed(machine, drivers) {
  const body = { machine_id: machine.id, ...asked(), drivers: drivers ?? "auto" };
  const answer = await post(`analyze ${machine.id}`, "api/v1/baseline/analyze", body);
  return { answer, name: machine.name, zone: machine.timezone, drivers: known };
}

/** @param {Analysis} analysis */
async function show(analysis) {
  listDrivers();
  // What the period's drivers are called may have come after the fit.
  analysis.drivers = known;
  fillSignatures(analysis.answer);
  const first = [() => figures.fit?.draw(fitSpec(analysis)), () => drawSignature()];
  const later = [
    () => figures.time?.draw(residualTimeSpec(analysis)), () => figures.predicted?.draw(residualPredictedSpec(analysis)),
    () => figures.histogram?.draw(histogramSpec(analysis)), () => figures.contributions?.draw(contributionSpec(analysis)),
    () => figures.cusum?.draw(cusumSpec(analysis)),
  ];
  byId("result-content").replaceChildren(...resultNodes(analysis).filter((each) => each !== null));
  regions.result.ready();
  first.forEach((draw) => draw());
  const { total, starts_at: shown } = analysis.answer.points;
  const thinned = total > shown.length ? `${number(shown.length, null, 0)} of ${number(total, null, 0)} intervals drawn; ` : "";
  byId("charts-note").textContent = `${thinned}${period.text()}, times in ${analysis.zone}`;
  announce(`${analysis.name}: R² ${number(analysis.answer.r_squared, null, 3)}, ${analysis.answer.verdict.status}.`);
  // Each in a task of its own: a click in between is not kept waiting.
  for (const draw of later) {
    await new Promise((resolve) => setTimeout(resolve));
    if (analyses.get(analysis.answer.machine_id) !== analysis) return;
    draw();
  }
  regions.charts.ready();
}

/* Drivers */

/** The names that are ticked: the choice, or what the service chose. */
function ticked() {
  const chosen = choice();
  if (chosen) return new Set(chosen);
  const answer = analyses.get(focus()?.id ?? "")?.answer;
  return new Set(/** @type {string[]} */ (answer?.drivers ?? []));
}

function listDrivers() {
  const chosen = ticked();
  const usable = known.filter((each) => each.is_usable);
  const unusable = known.filter((each) => !each.is_usable);
  const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement.value : null;
  byId("drivers").replaceChildren(...usable.map((each) => driverChoice(each, chosen.has(each.name))));
  byId("unusable").replaceChildren(...unusable.map((each) => driverChoice(each, false)));
  byId("unusable-title").textContent = `Can't be used: ${unusable.length}`;
  byId("unusable-title").parentElement?.toggleAttribute("hidden", unusable.length === 0);
  // Making the list anew takes the focus away from whoever ticks by keyboard.
  if (focused) document.querySelector(`#drivers input[value="${CSS.escape(focused)}"]`)?.dispatchEvent(new Event("restore"));
  for (const id of ["interval", "form"]) {
    /** @type {HTMLSelectElement} */
    const select = byId(id);
    select.value = state().get(id) ?? (id === "form" ? "linear" : "hour");
  }
}

/**
 * @param {Driver} driver
 * @param {boolean} isChecked
 */
function driverChoice(driver, isChecked) {
  const box = element("input", { type: "checkbox", value: driver.name, disabled: !driver.is_usable, onchange: tick });
  box.checked = isChecked;
  box.addEventListener("restore", () => box.focus());
  const unit = driver.unit ? ` (${driver.unit})` : "";
  const correlation = driver.correlation === null ? "" : `r ${number(driver.correlation, null, 2)} · `;
  return element("li", null, element("label", { class: "choice", "data-usable": driver.is_usable ? "yes" : "no" }, box,
    element("span", { class: "name" }, `${label(driver.name)}${unit}`),
    element("span", { class: "aside", title: "Correlation with energy, and share of the period in which it is known" },
      `${correlation}${percent(driver.coverage)}`),
    driver.reason ? element("span", { class: "why" }, readable(driver.reason, zone(), known.map((each) => each.name))) : null));
}

function tick() {
  const boxes = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("#drivers input:checked"));
  choose([...boxes].map((box) => box.value));
}

/** @param {string[] | null} names */
function choose(names) {
  former.push(choice() ?? (names === null ? null : [...ticked()]));
  remember({ drivers: choiceText(names) });
  analyse();
}

function undo() {
  const before = former.pop();
  if (before === undefined) return;
  remember({ drivers: choiceText(before) });
  listDrivers();
  analyse();
}

function startChoices() {
  byId("undo").addEventListener("click", undo);
  byId("choose").addEventListener("click", () => choose(null));
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !isTyping) undo();
  });
  for (const id of ["interval", "form"]) {
    /** @type {HTMLSelectElement} */
    const select = byId(id);
    select.addEventListener("change", () => {
      remember({ [id]: select.value }, { push: true });
      if (id === "interval") load();
      else analyse();
    });
  }
  byId("signature-driver").addEventListener("change", (event) => {
    remember({ over: /** @type {HTMLSelectElement} */ (event.target).value });
    drawSignature();
  });
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

/* Several machines */

/**
 * @param {Analysis} first
 * @param {Machine[]} others
 * @param {string[] | null} drivers
 */
async function compare(first, others, drivers) {
  /** @type {{machine: Machine, analysis?: Analysis, error?: unknown}[]} */
  const rows = [{ machine: /** @type {Machine} */ (focus()), analysis: first }];
  for (const machine of others) {
    try {
      const analysis = await analysed(machine, drivers);
      rows.push({ machine, analysis });
      analyses.set(machine.id, analysis);
    } catch (error) {
      if (isCancelled(error)) return;
      rows.push({ machine, error });
    }
  }
  const order = selected().map((each) => each.id);
  rows.sort((a, b) => order.indexOf(a.machine.id) - order.indexOf(b.machine.id));
  showComparison(rows);
}

/** @param {{machine: Machine, analysis?: Analysis, error?: unknown}[]} rows */
function showComparison(rows) {
  const answer = (/** @type {any} */ row) => row.analysis?.answer;
  const failure = (/** @type {any} */ row) => (row.error instanceof Problem ? row.error.message : null);
  byId("comparison-table").replaceChildren(table([
    { title: "Machine", value: (row) => element("button", { class: "button quiet", type: "button", onclick: () => lookAt(row.machine.id) }, row.machine.name) },
    { title: "Verdict", value: (row) => (answer(row) ? badge(answer(row).verdict.status, tone(answer(row).verdict.status)) : failure(row)) },
    { title: "R²", number: true, value: (row) => number(answer(row)?.r_squared, null, 3) },
    { title: "CV(RMSE)", number: true, value: (row) => number(answer(row)?.cv_rmse_percent, "%", 1) },
    { title: "RMSE", number: true, value: (row) => number(answer(row)?.rmse, "kWh") },
    { title: "Samples", number: true, value: (row) => number(answer(row)?.training_samples, null, 0) },
    { title: "Drivers", value: (row) => answer(row)?.drivers.map(label).join(", ") },
  ], rows));
  multiples.forEach((each) => each.remove());
  multiples = rows.flatMap(({ machine, analysis }) => {
    if (!analysis) return [];
    const figure = newFigure(machine.name);
    byId("multiples").append(figure.root);
    figure.draw({ ...fitSpec(analysis), legend: false, hint: `Actual against predicted, R² ${number(analysis.answer.r_squared, null, 3)}` });
    return [figure];
  });
  regions.comparison.ready();
}

/** @param {string} id */
function lookAt(id) {
  remember({ focus: id }, { push: true });
  load();
}

/* Training and versions */

async function train() {
  const machines = selected();
  /** @type {HTMLButtonElement} */
  const button = byId("train");
  button.disabled = true;
  /** @type {(string | Node)[]} */
  const notes = [];
  for (const [index, machine] of machines.entries()) {
    button.textContent = machines.length > 1 ? `Training ${index + 1} of ${machines.length} …` : "Training …";
    const drivers = choice() ?? analyses.get(machine.id)?.answer.drivers.filter((/** @type {string} */ name) => known.some((each) => each.name === name));
    notes.push(await trained(machine, drivers ?? null).catch((error) => failure(machine, error)));
  }
  button.disabled = false;
  button.textContent = machines.length > 1 ? `Train and keep ${machines.length}` : "Train and keep";
  regions.result.ready(notes);
  announce(notes.map((each) => (typeof each === "string" ? each : each.textContent)).join(" "));
  loadVersions();
}

/**
 * @param {Machine} machine
 * @param {string[] | null} drivers
 * @returns {Promise<string | Node>}
 */
async function trained(machine, drivers) {
  const body = { machine_id: machine.id, ...asked(), drivers: drivers?.length ? drivers : "auto" };
  const answer = await post(`train ${machine.id}`, "api/v1/baseline/train", body);
  if (answer.run_id) {
    const run = await finished(`run ${machine.id}`, answer.run_id, (now) => announce(`${machine.name}: the training is ${now.state}.`));
    return `${machine.name}: the training ${run.state === "succeeded" ? "is done; its version is below." : `ended as ${run.state}: ${run.error ?? ""}`}`;
  }
  const made = answer.created ? `version ${answer.model_version} was trained` : `version ${answer.model_version} is the same and was there already`;
  const active = answer.is_active ? "It is active now" : "It is not active";
  return element("span", null, `${machine.name}: ${made}, verdict ${answer.verdict.status}. ${active}: ${answer.activation} `,
    element("a", { href: reportAddress(answer.model_id), target: "_blank", rel: "noopener" }, "Auditor's dossier"));
}

/**
 * @param {Machine} machine
 * @param {unknown} error
 */
function failure(machine, error) {
  return `${machine.name}: not trained. ${error instanceof Error ? error.message : error}`;
}

/** @param {string} modelId */
function reportAddress(modelId) {
  return addressWith(`api/v1/baseline/model/${modelId}/report`);
}

async function loadVersions() {
  const machine = focus();
  if (!machine) return;
  regions.versions.loading();
  try {
    const answer = await get("versions", "api/v1/baseline/models", { machine_id: machine.id, limit: 50 });
    if (!answer.models.length) {
      regions.versions.empty(`${machine.name} has no baseline yet. Tick its drivers, then train.`);
      return;
    }
    byId("versions-table").replaceChildren(versionsTable(answer.models));
    regions.versions.ready(answer.total_count > answer.models.length ? [`The latest ${answer.models.length} of ${answer.total_count} versions.`] : []);
  } catch (error) {
    regions.versions.failed(error, loadVersions);
  }
}

/** @param {any[]} models */
function versionsTable(models) {
  const made = table([
    { title: "Version", value: (each) => String(each.model_version) },
    { title: "Verdict", value: (each) => (each.verdict ? badge(each.verdict, tone(each.verdict)) : "not judged") },
    { title: "State", value: activation },
    { title: "R²", number: true, value: (each) => number(each.r_squared, null, 3) },
    { title: "Form and drivers", value: (each) => `${FORMS.get(each.model) ?? each.model}: ${each.drivers.map(label).join(", ")}` },
    { title: "Trained on", value: (each) => `${instant(each.training_period.start, zone(), "day")} to ${instant(Date.parse(each.training_period.end) - 1, zone(), "day")}` },
    { title: "Trained", value: (each) => instant(each.trained_at, zone()) },
    { title: "Files", value: files },
  ], models);
  models.forEach((each, index) => {
    if (each.is_active) made.tBodies[0]?.rows[index]?.setAttribute("aria-current", "true");
  });
  return made;
}

/** @param {any} model */
function activation(model) {
  if (model.is_active) return badge("active", "good");
  if (!model.is_usable) return "kept by another program";
  return element("button", { class: "button", type: "button", onclick: () => askAndActivate(model) }, "Make active");
}

/** @param {any} model */
function files(model) {
  if (!model.is_usable) return null;
  const csv = (/** @type {string} */ what) => addressWith(`api/v1/baseline/model/${model.model_id}/${what}.csv`);
  const version = `of version ${model.model_version}`;
  return element("span", { class: "actions" },
    element("a", { href: reportAddress(model.model_id), target: "_blank", rel: "noopener", "aria-label": `Dossier ${version}` }, "Dossier"),
    element("a", { href: csv("coefficients"), download: "", "aria-label": `Coefficients ${version} as CSV` }, "Coefficients"),
    element("a", { href: csv("residuals"), download: "", "aria-label": `Residuals ${version} as CSV` }, "Residuals"));
}

/** @param {any} model */
function askAndActivate(model) {
  /** @type {HTMLDialogElement} */
  const dialog = byId("ask");
  /** @type {HTMLTextAreaElement} */
  const reason = byId("ask-reason");
  const isRejected = model.verdict === "rejected";
  byId("ask-title").textContent = `Make version ${model.model_version} of ${model.machine_name} active?`;
  byId("ask-text").textContent = isRejected
    ? "It was rejected: say why it is used all the same."
    : "Deviation and savings will be held against it from now on.";
  reason.required = isRejected;
  reason.value = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "yes") activate(model, reason.value.trim());
  };
  dialog.returnValue = "";
  dialog.showModal();
}

/**
 * @param {any} model
 * @param {string} reason
 */
async function activate(model, reason) {
  try {
    const answer = await post("activate", `api/v1/baseline/model/${model.model_id}/activate`, reason ? { reason } : {});
    announce(`Version ${answer.model_version} of ${model.machine_name} is active.`);
    await loadVersions();
  } catch (error) {
    regions.versions.failed(error, loadVersions);
  }
}

/* Files */

function startFiles() {
  const name = (/** @type {string} */ what, /** @type {string} */ end) => {
    const { start_date: from, end_date: to } = asked();
    const names = [...analyses.values()].map((each) => each.name);
    return `${fileName(what, names.length > 1 ? `${names.length}-machines` : names[0] ?? "", from, to)}.${end}`;
  };
  const all = () => [...analyses.values()];
  byId("train").addEventListener("click", train);
  byId("export-results").addEventListener("click", () => downloadCsv(name("baseline", "csv"), resultRows(all())));
  byId("export-coefficients").addEventListener("click", () => downloadCsv(name("coefficients", "csv"), coefficientRows(all())));
  byId("export-json").addEventListener("click", () => {
    download(name("coefficients", "json"), "application/json", `${JSON.stringify(all().map(equationOf), null, 2)}\n`);
  });
  byId("subtitle").append(" ", element("a", { href: pageAddress(`machine/${focus()?.id}`) }, `More about ${focus()?.name}`), ".");
}

if (typeof document !== "undefined") start(begin);
