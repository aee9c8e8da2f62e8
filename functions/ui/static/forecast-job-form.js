/**
 * The dialog in which a job is written.
 */
import { faultOf, lengthOf } from "./forecast-jobs.js";
import { atWallTime, isFigure, wallTime } from "./format.js";
import { byId, element } from "./page.js";

/**
 * @typedef {import("./forecast-jobs.js").Job} Job
 * @typedef {import("./forecast-jobs.js").Plan} Plan
 */

/**
 * A job as its form has it.
 * @param {FormData} form
 * @param {string} zone
 * @param {Job} former
 * @returns {Job}
 */
export function jobOfForm(form, zone, former) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
  const figure = (/** @type {string} */ name) => (text(name) === "" ? null : Number(text(name)));
  const [earliest, deadline] = ["earliest", "deadline"].map((name) => Date.parse(atWallTime(text(name), zone)));
  const [from, until] = [figure("from"), figure("until")];
  const powersKw = powersOf(text("power"));
  const job = {
    ...former, id: text("id").replaceAll("*", " ").trim(), machineId: text("machine") || null, powersKw,
    // A profile tells how long it lasts.
    minutes: powersKw.length > 1 ? 15 * powersKw.length : figure("minutes") ?? NaN,
    earliest: earliest ?? NaN, deadline: deadline ?? NaN, isInterruptible: form.has("interruptible"),
    minRunMinutes: form.has("interruptible") ? figure("min_run") : null,
    hours: isFigure(from) && isFigure(until) ? /** @type {[number, number]} */ ([from, until]) : null, after: form.getAll("after").map(String),
  };
  // Where it stood may lie outside its time now.
  const place = (/** @type {number} */ at) => Math.max(job.earliest, Math.min(at, job.deadline - lengthOf(job)));
  return { ...job, planned: place(job.planned), pinned: job.pinned === null ? null : place(job.pinned) };
}

/**
 * One power, or those of a profile's quarter hours; a comma is a decimal point.
 * @param {string} text
 */
export function powersOf(text) {
  return text.split(/[\s;]+/).filter(Boolean).map((each) => Number(each.replace(",", ".")));
}

/**
 * What a new job is offered as.
 * @param {Plan} plan
 * @returns {Job}
 */
export function newJob(plan) {
  const names = new Set(plan.jobs.map(({ id }) => id));
  let place = plan.jobs.length + 1;
  while (names.has(`Job ${place}`)) place += 1;
  return {
    id: `Job ${place}`, machineId: null, powersKw: [], minutes: 60, earliest: plan.start, deadline: plan.start + plan.hours * 3_600_000,
    planned: plan.start, pinned: null, isInterruptible: false, minRunMinutes: null, hours: null, after: [],
  };
}

/**
 * Asks for a job.
 * @param {Job} former
 * @param {Plan} plan
 * @param {{id: string, name: string}[]} machines
 * @param {string} zone
 * @returns {Promise<{job: Job | null} | null>} Null where it was left, a job of null where it was removed.
 */
export function askForJob(former, plan, machines, zone) {
  /** @type {HTMLDialogElement} */
  const dialog = byId("job");
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const problem = /** @type {HTMLElement} */ (dialog.querySelector("[role=alert]"));
  const isNew = !plan.jobs.includes(former);
  fill(former, plan, machines, zone);
  problem.textContent = "";
  byId("job-title").textContent = isNew ? "A new job" : former.id;
  byId("job-remove").hidden = isNew;
  return new Promise((resolve) => {
    /** @type {{job: Job | null} | null} */
    let answer = null;
    form.onsubmit = (event) => {
      event.preventDefault();
      const job = jobOfForm(new FormData(form), zone, former);
      const fault = faultOf(job, { ...plan, jobs: plan.jobs.filter((each) => each !== former) });
      // What was typed stays.
      problem.textContent = fault ?? "";
      if (fault) return;
      answer = { job };
      dialog.close();
    };
    byId("job-remove").onclick = () => {
      answer = { job: null };
      dialog.close();
    };
    /** @type {HTMLButtonElement} */ (dialog.querySelector("[data-close]")).onclick = () => dialog.close();
    dialog.onclose = () => resolve(answer);
    dialog.showModal();
  });
}

/**
 * @param {Job} job
 * @param {Plan} plan
 * @param {{id: string, name: string}[]} machines
 * @param {string} zone
 */
function fill(job, plan, machines, zone) {
  byId("job-machine").replaceChildren(element("option", { value: "" }, "None of them"), ...machines.map(({ id, name }) => element("option", { value: id }, name)));
  const values = {
    id: job.id, machine: job.machineId ?? "", power: job.powersKw.join(" "), minutes: String(job.minutes), earliest: wallTime(job.earliest, zone),
    deadline: wallTime(job.deadline, zone), "min-run": String(job.minRunMinutes ?? ""), from: String(job.hours?.[0] ?? ""), until: String(job.hours?.[1] ?? ""),
  };
  for (const [name, value] of Object.entries(values)) {
    /** @type {HTMLInputElement | HTMLSelectElement} */
    const input = byId(`job-${name}`);
    input.value = value;
  }
  /** @type {HTMLInputElement} */
  const interruptible = byId("job-interruptible");
  interruptible.checked = job.isInterruptible;
  const others = plan.jobs.filter((each) => each !== job);
  byId("job-after").hidden = others.length === 0;
  byId("job-after").querySelector("ul")?.replaceChildren(...others.map(({ id }) => element("li", null, element("label", { class: "choice" },
    element("input", { type: "checkbox", name: "after", value: id, checked: job.after.includes(id) }), element("span", { class: "name" }, id)))));
  byId("job-zone").textContent = `Times in ${zone}.`;
}
