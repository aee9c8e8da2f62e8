/**
 * What is chosen, kept in the URL: machines, drivers, interval, form. And the lists in which it is ticked.
 */
import { label, number, percent, readable } from "./format.js";
import { announce, byId, catalogue, element, factory, remember, state } from "./page.js";

/**
 * @typedef {import("./baseline-results.js").Driver} Driver
 * @typedef {import("./page.js").Machine} Machine
 */

const MOST_MACHINES = 12;

/** @returns {Machine[]} */
function ofFactory() {
  return catalogue().machines.filter((each) => each.factory_id === factory()?.id);
}

/** The machines that are ticked; the first active one where the URL names none. */
export function selected() {
  const wanted = state().get("machine")?.split(",") ?? [];
  const found = wanted.flatMap((id) => ofFactory().find((each) => each.id === id) ?? []);
  return found.length ? found : ofFactory().filter((each) => each.is_active).slice(0, 1);
}

/** The machine whose result, charts and versions are shown. */
export function focus() {
  const machines = selected();
  return machines.find((each) => each.id === state().get("focus")) ?? machines[0];
}

/** The drivers that the URL names; null leaves the choice to the service. */
export function choice() {
  const text = state().get("drivers");
  return text === null ? null : text.split(",").filter(Boolean).map(decodeURIComponent);
}

/**
 * @param {string[] | null} names Null leaves the choice to the service.
 */
export function rememberChoice(names) {
  // A comma alone is "none": an empty value would leave the choice to the service.
  remember({ drivers: names && (names.map(encodeURIComponent).join(",") || ",") });
}

/** The zone in which days begin and times are told. */
export function zone() {
  return focus()?.timezone ?? factory()?.timezone ?? "UTC";
}

/** Interval and form, as the API calls them. */
export function settings() {
  return { interval: state().get("interval") ?? "hour", model: state().get("form") ?? "linear" };
}

/**
 * @param {(name: "interval" | "form") => void} changed
 */
export function startSettings(changed) {
  for (const id of /** @type {("interval" | "form")[]} */ (["interval", "form"])) {
    /** @type {HTMLSelectElement} */
    const select = byId(id);
    select.value = settings()[id === "form" ? "model" : "interval"];
    select.addEventListener("change", () => {
      remember({ [id]: select.value }, { push: true });
      changed(id);
    });
  }
}

/**
 * Lists the factory's machines with their filters.
 * @param {() => void} changed
 */
export function startMachines(changed) {
  const machines = ofFactory();
  fillSelect("type", "All types", [...new Set(machines.map((each) => each.type))]);
  fillSelect("status", "All states", [...new Set(machines.map((each) => each.status ?? "unknown"))]);
  for (const id of ["search", "type", "status"]) byId(id).addEventListener("input", () => listMachines(changed));
  listMachines(changed);
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

/** @param {() => void} changed */
function listMachines(changed) {
  const [search = "", type = "", status = ""] = ["search", "type", "status"].map((id) => {
    /** @type {HTMLInputElement} */
    const input = byId(id);
    return input.value.trim();
  });
  const shown = filtered(ofFactory(), { search, type, status });
  byId("machines").replaceChildren(...shown.map((each) => machineChoice(each, changed)));
  const { total_count: total, machines } = catalogue();
  const more = total > machines.length ? `, of the first ${number(machines.length, null, 0)}` : "";
  byId("machines-count").textContent = `${shown.length} of ${ofFactory().length}${more}`;
}

/**
 * Machines by a part of their name, type and status; an empty filter lets all through.
 * @param {Machine[]} machines
 * @param {{search: string, type: string, status: string}} filter
 */
export function filtered(machines, { search, type, status }) {
  const text = search.toLocaleLowerCase();
  return machines.filter((each) => (
    each.name.toLocaleLowerCase().includes(text) && (!type || each.type === type)
    && (!status || (each.status ?? "unknown") === status)
  ));
}

/**
 * @param {Machine} machine
 * @param {() => void} changed
 */
function machineChoice(machine, changed) {
  const box = element("input", { type: "checkbox", value: machine.id, onchange: () => {
    if (toggleMachine(machine.id)) changed();
    else listMachines(changed);
  } });
  box.checked = selected().some((each) => each.id === machine.id);
  return element("li", null, element("label", { class: "choice" }, box, element("span", { class: "name" }, machine.name)));
}

/**
 * @param {string} id
 * @returns {boolean} Whether the choice has changed.
 */
function toggleMachine(id) {
  const ids = selected().map((each) => each.id);
  const next = ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id];
  if (!next.length || next.length > MOST_MACHINES) {
    announce(next.length ? `At most ${MOST_MACHINES} machines at a time.` : "One machine has to stay.");
    return false;
  }
  remember({ machine: next.join(","), factory: factory()?.id }, { push: true });
  return true;
}

/**
 * Lists drivers, those that can't be used apart and greyed, each with why.
 * @param {Driver[]} drivers
 * @param {Set<string>} ticked
 * @param {(names: string[]) => void} changed
 */
export function listDrivers(drivers, ticked, changed) {
  // Making the list anew takes the focus away from whoever ticks by keyboard.
  const focused = document.activeElement?.closest("#drivers") ? /** @type {HTMLInputElement} */ (document.activeElement).value : null;
  const names = drivers.map((each) => each.name);
  const unusable = drivers.filter((each) => !each.is_usable);
  byId("drivers").replaceChildren(...drivers.filter((each) => each.is_usable).map((each) => (
    driverChoice(each, names, ticked.has(each.name), () => changed(checked()))
  )));
  byId("unusable").replaceChildren(...unusable.map((each) => driverChoice(each, names, false, null)));
  byId("unusable-title").textContent = `Can't be used: ${unusable.length}`;
  byId("unusable-part").hidden = unusable.length === 0;
  const again = [...byId("drivers").querySelectorAll("input")].find((box) => box.value === focused);
  again?.focus({ preventScroll: true });
}

function checked() {
  return [...byId("drivers").querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value);
}

/**
 * @param {Driver} driver
 * @param {string[]} names Of all drivers, which a reason may name.
 * @param {boolean} isTicked
 * @param {(() => void) | null} changed Null where it can't be used.
 */
function driverChoice(driver, names, isTicked, changed) {
  const box = element("input", { type: "checkbox", value: driver.name, disabled: !changed });
  box.checked = isTicked;
  if (changed) box.addEventListener("change", changed);
  const unit = driver.unit ? ` (${driver.unit})` : "";
  const correlation = driver.correlation === null ? "" : `r ${number(driver.correlation, null, 2)} · `;
  return element("li", null, element("label", { class: "choice", "data-usable": changed ? "yes" : "no" }, box,
    element("span", { class: "name" }, `${label(driver.name)}${unit}`),
    element("span", { class: "aside", title: "Correlation with energy, and share of the period in which it is known" },
      `${correlation}${percent(driver.coverage)}`),
    driver.reason ? element("span", { class: "why" }, readable(driver.reason, zone(), names)) : null));
}
