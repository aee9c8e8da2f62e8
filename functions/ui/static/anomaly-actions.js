/**
 * What people do with an anomaly: acknowledge it, resolve it, hold further alerts back.
 */
import { isCancelled, post, Problem, put } from "./api.js";
import { atWallTime, instant, readable, wallTime } from "./format.js";
import { byId, element } from "./page.js";

/**
 * @typedef {import("./anomaly-faces.js").Anomaly} Anomaly
 * @typedef {{anomaly: Anomaly | null, machines: {id: string, name: string}[], zone: string}} Context
 */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OUTCOMES = new Map(Object.entries({ fixed: "fixed", false_alarm: "a false alarm", expected: "expected" }));

/**
 * Which time a person is offered to hold back: from the anomaly, else from this hour on, until this hour of tomorrow is over.
 * @param {Pick<Anomaly, "detected_at"> | null} anomaly
 * @param {number} now Milliseconds since 1970.
 */
export function offeredTime(anomaly, now) {
  const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
  return { from: anomaly ? Date.parse(anomaly.detected_at) : hour, to: hour + DAY_MS + HOUR_MS };
}

/**
 * Shows a dialog until it is left, or until what it sends has arrived.
 * @template T
 * @param {string} id
 * @param {string} zone
 * @param {(form: FormData) => Promise<T>} send
 * @returns {Promise<T | null>} Null where it was left.
 */
function askedIn(id, zone, send) {
  /** @type {HTMLDialogElement} */
  const dialog = byId(id);
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const button = /** @type {HTMLButtonElement} */ (dialog.querySelector("[type=submit]"));
  const problem = /** @type {HTMLElement} */ (dialog.querySelector("[role=alert]"));
  problem.textContent = "";
  return new Promise((resolve) => {
    /** @type {T | null} */
    let answer = null;
    form.onsubmit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        answer = await send(new FormData(form));
        dialog.close();
      } catch (error) {
        // What was typed stays.
        if (!isCancelled(error)) problem.textContent = error instanceof Problem ? readable(error.message, zone) : "The page has a fault: load it again.";
      } finally {
        button.disabled = false;
      }
    };
    /** @type {HTMLButtonElement} */ (dialog.querySelector("[data-close]")).onclick = () => dialog.close();
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
  });
}

/** @param {Context} context */
async function acknowledge({ anomaly }) {
  if (!anomaly) return null;
  await put("life", `api/v1/anomaly/${anomaly.id}/acknowledge`, {});
  return "Acknowledged.";
}

/** @param {Context} context */
async function resolve({ anomaly, zone }) {
  if (!anomaly) return null;
  byId("resolving-title").textContent = `Resolve the anomaly at ${anomaly.machine_name}`;
  /** @type {HTMLFormElement} */ (byId("resolving").querySelector("form")).reset();
  const done = await askedIn("resolving", zone, (form) => {
    const [outcome, notes] = [String(form.get("outcome")), String(form.get("notes")).trim()];
    return put("life", `api/v1/anomaly/${anomaly.id}/resolve`, { outcome, notes: notes || null }).then(() => outcome);
  });
  return done && `Resolved as ${OUTCOMES.get(done)}.`;
}

/** @param {Context} context */
async function suppress({ anomaly, machines, zone }) {
  const { from, to } = offeredTime(anomaly, Date.now());
  /** @type {HTMLSelectElement} */
  const select = byId("suppressing-machine");
  select.replaceChildren(...machines.map(({ id, name }) => element("option", { value: id }, name)));
  if (anomaly) select.value = anomaly.machine_id;
  offer("suppressing-start", wallTime(from, zone));
  offer("suppressing-end", wallTime(to, zone));
  offer("suppressing-reason", "");
  byId("suppressing-zone").textContent = `Times in ${zone}. What is stored already stays as it is.`;
  const made = await askedIn("suppressing", zone, (form) => post("suppress", "api/v1/anomaly/suppressions", {
    machine_id: form.get("machine"),
    start: atWallTime(String(form.get("start")), zone),
    end: atWallTime(String(form.get("end")), zone),
    reason: String(form.get("reason")).trim(),
  }));
  return made && `Alerts of ${made.machine_name} are held back until ${instant(made.end, zone)}.`;
}

/**
 * @param {string} id
 * @param {string} value
 */
function offer(id, value) {
  /** @type {HTMLInputElement} */
  const input = byId(id);
  input.value = value;
}

/** By the button that begins them; each gives what to announce, null where nothing was done.
 * @type {Record<string, (context: Context) => Promise<string | null>>}
 */
export const ACTIONS = { acknowledge, resolve, suppress, "suppress-new": suppress };
