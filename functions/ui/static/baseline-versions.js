/**
 * The life of baselines: training, the versions there are, and which of them is the active one.
 */
import { addressWith, finished, get, post } from "./api.js";
import { FORMS } from "./baseline-results.js";
import { instant, label, number } from "./format.js";
import { announce, badge, byId, element, table, tone } from "./page.js";

/**
 * @typedef {import("./page.js").Machine} Machine
 * @typedef {import("./page.js").Region} Region
 */

/**
 * Trains machines one after the other, each with what is asked for.
 * @param {{machine: Machine, body: object}[]} wanted
 * @param {(index: number) => void} begun
 * @returns {Promise<Node[]>} What became of each, in words.
 */
export async function train(wanted, begun) {
  const notes = [];
  for (const [index, { machine, body }] of wanted.entries()) {
    begun(index);
    notes.push(await trained(machine, body).catch((error) => (
      element("span", null, `${machine.name}: not trained. ${error instanceof Error ? error.message : error}`)
    )));
  }
  return notes;
}

/**
 * @param {Machine} machine
 * @param {object} body
 * @returns {Promise<Node>}
 */
async function trained(machine, body) {
  const answer = await post(`train ${machine.id}`, "api/v1/baseline/train", body);
  if (answer.run_id) return element("span", null, await trainedLater(machine, answer.run_id));
  const made = answer.created ? `version ${answer.model_version} was trained` : `version ${answer.model_version} is the same and was there already`;
  const active = answer.is_active ? "It is active now" : "It is not active";
  return element("span", null, `${machine.name}: ${made}, verdict ${answer.verdict.status}. ${active}: ${answer.activation} `,
    element("a", { href: reportAddress(answer.model_id), target: "_blank", rel: "noopener" }, "Auditor's dossier"));
}

/**
 * A training that outlasts its request goes on as a run.
 * @param {Machine} machine
 * @param {string} runId
 */
async function trainedLater(machine, runId) {
  const run = await finished(`run ${machine.id}`, runId, (now) => announce(`${machine.name}: the training is ${now.state}.`));
  if (run.state === "succeeded") return `${machine.name}: the training is done; its version is below.`;
  const reasons = (run.items ?? []).flatMap((/** @type {any} */ each) => each.reason ?? each.error ?? []);
  return `${machine.name}: the training ended as ${run.state}. ${run.error ?? reasons.join(" ")}`;
}

/** @param {string} modelId */
function reportAddress(modelId) {
  return addressWith(`api/v1/baseline/model/${modelId}/report`);
}

/**
 * Lists a machine's versions.
 * @param {Region} region
 * @param {Machine} machine
 */
export async function listVersions(region, machine) {
  region.loading();
  try {
    const answer = await get("versions", "api/v1/baseline/models", { machine_id: machine.id, limit: 50 });
    if (!answer.models.length) {
      region.empty(`${machine.name} has no baseline yet. Tick its drivers, then train.`);
      return;
    }
    byId("versions-table").replaceChildren(versionsTable(region, machine, answer.models));
    const shown = answer.models.length;
    region.ready(answer.total_count > shown ? [`The latest ${shown} of ${answer.total_count} versions.`] : []);
  } catch (error) {
    region.failed(error, () => listVersions(region, machine));
  }
}

/**
 * @param {Region} region
 * @param {Machine} machine
 * @param {any[]} models
 */
function versionsTable(region, machine, models) {
  const day = (/** @type {string | number} */ at) => instant(at, machine.timezone, "day");
  const made = table([
    { title: "Version", value: (each) => String(each.model_version) },
    { title: "Verdict", value: (each) => (each.verdict ? badge(each.verdict, tone(each.verdict)) : "not judged") },
    { title: "State", value: (each) => activation(region, machine, each) },
    { title: "R²", number: true, value: (each) => number(each.r_squared, null, 3) },
    { title: "Form and drivers", value: (each) => `${FORMS.get(each.model) ?? each.model}: ${each.drivers.map(label).join(", ")}` },
    { title: "Trained on", value: ({ training_period: on }) => `${day(on.start)} to ${day(Date.parse(on.end) - 1)}` },
    { title: "Trained", value: (each) => instant(each.trained_at, machine.timezone) },
    { title: "Files", value: files },
  ], models);
  models.forEach((each, index) => {
    if (each.is_active) made.tBodies[0]?.rows[index]?.setAttribute("aria-current", "true");
  });
  return made;
}

/**
 * @param {Region} region
 * @param {Machine} machine
 * @param {any} model
 */
function activation(region, machine, model) {
  if (model.is_active) return badge("active", "good");
  if (!model.is_usable) return "kept by another program";
  const ask = () => askAndActivate(region, machine, model);
  return element("button", { class: "button", type: "button", onclick: ask }, "Make active");
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

/**
 * @param {Region} region
 * @param {Machine} machine
 * @param {any} model
 */
function askAndActivate(region, machine, model) {
  /** @type {HTMLDialogElement} */
  const dialog = byId("ask");
  /** @type {HTMLTextAreaElement} */
  const reason = byId("ask-reason");
  const isRejected = model.verdict === "rejected";
  byId("ask-title").textContent = `Make version ${model.model_version} of ${machine.name} active?`;
  byId("ask-text").textContent = isRejected
    ? "It was rejected: say why it is used all the same."
    : "Deviation and savings will be held against it from now on.";
  reason.required = isRejected;
  reason.value = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "yes") activate(region, machine, model, reason.value.trim());
  };
  dialog.returnValue = "";
  dialog.showModal();
}

/**
 * @param {Region} region
 * @param {Machine} machine
 * @param {any} model
 * @param {string} reason
 */
async function activate(region, machine, model, reason) {
  try {
    const answer = await post("activate", `api/v1/baseline/model/${model.model_id}/activate`, reason ? { reason } : {});
    await listVersions(region, machine);
    announce(`Version ${answer.model_version} of ${machine.name} is active.`);
  } catch (error) {
    region.failed(error, () => listVersions(region, machine));
  }
}
