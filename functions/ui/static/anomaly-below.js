/**
 * What stands below the anomalies: their sums by machine and kind, and the times in which alerts are held back.
 */
import { get, isCancelled, Problem, withdraw } from "./api.js";
import { instant, label, money, moneyDecimals, number, readable, signed } from "./format.js";
import { announce, badge, byId, element, pageAddress, Region, wideTable } from "./page.js";

/**
 * @typedef {{id: string, machine_id: string, machine_name: string, start: string, end: string, reason: string, actor: string,
 *   withdrawn_at: string | null}} Suppression
 */

/**
 * Those that matter first: what is held back now, what will be, then what is over.
 * @param {Suppression[]} suppressions
 * @param {number} now Milliseconds since 1970.
 * @returns {(Suppression & {when: "now" | "planned" | "over"})[]}
 */
export function inOrder(suppressions, now) {
  const ranks = ["now", "planned", "over"];
  return suppressions.filter((each) => !each.withdrawn_at)
    .map((each) => ({ ...each, when: whenOf(each, now) }))
    .sort((a, b) => ranks.indexOf(a.when) - ranks.indexOf(b.when) || Date.parse(a.start) - Date.parse(b.start));
}

/**
 * @param {Suppression} suppression
 * @param {number} now
 * @returns {"now" | "planned" | "over"}
 */
function whenOf({ start, end }, now) {
  if (Date.parse(end) <= now) return "over";
  return Date.parse(start) <= now ? "now" : "planned";
}

/** What the part below the fold shows. */
export class Below {
  /**
   * @param {{id: string}[]} machines Of the factory.
   * @param {string} zone
   */
  constructor(machines, zone) {
    this.machines = new Set(machines.map(({ id }) => id));
    this.zone = zone;
    this.totals = new Region("totals");
    this.region = new Region("suppressions");
  }

  /** @param {any} summary Of `anomaly/summary`, with the period in words. */
  showTotals(summary) {
    byId("totals-note").textContent = `Of ${summary.period}`;
    if (!summary.by_machine.length) return this.totals.empty(`There was no anomaly in ${summary.period}.`);
    byId("totals-content").replaceChildren(...totalsTables(summary));
    this.totals.ready();
  }

  /** @param {boolean} isAgain Whether this only brings the list up to date. */
  async load(isAgain) {
    if (!isAgain) this.region.loading();
    try {
      const { suppressions } = await get("suppressions", "api/v1/anomaly/suppressions");
      const ours = inOrder(suppressions, Date.now()).filter(({ machine_id: id }) => this.machines.has(id));
      byId("suppressions-content").replaceChildren(ours.length ? this.list(ours)
        : element("p", { class: "hint" }, "No alert is held back. Before a planned stop, say so here: it raises none then."));
      this.region.ready();
    } catch (error) {
      if (!isAgain || this.region.element.dataset.face !== "ready") this.region.failed(error, () => this.load(false));
    }
  }

  /** @param {ReturnType<typeof inOrder>} suppressions */
  list(suppressions) {
    const tones = /** @type {const} */ ({ now: "warning", planned: "good", over: null });
    return wideTable("Held back", [
      { title: "Machine", value: (each) => each.machine_name },
      { title: "State", value: (each) => badge(label(each.when), tones[/** @type {keyof typeof tones} */ (each.when)]) },
      { title: "From", value: (each) => instant(each.start, this.zone) },
      { title: "Until", value: (each) => instant(each.end, this.zone) },
      { title: "Reason", value: (each) => each.reason },
      { title: "By", value: (each) => each.actor },
      { title: "Change", value: (each) => this.button(each) },
    ], suppressions);
  }

  /** @param {ReturnType<typeof inOrder>[number]} suppression */
  button({ id, machine_name: name, when }) {
    if (when === "over") return null;
    const act = () => this.withdraw(id, name);
    return element("button", { class: "button no-print", type: "button", onclick: act }, "Withdraw", element("span", { class: "visually-hidden" }, ` for ${name}`));
  }

  /**
   * @param {string} id
   * @param {string} name Of the machine.
   */
  async withdraw(id, name) {
    try {
      await withdraw(`withdraw ${id}`, `api/v1/anomaly/suppressions/${id}`);
      await this.load(true);
      announce(`Alerts of ${name} are raised again.`);
      byId("suppress-new").focus();
    } catch (error) {
      if (isCancelled(error)) return;
      this.region.ready([error instanceof Problem ? readable(error.message, this.zone) : "The page has a fault: load it again."]);
    }
  }
}

/**
 * Sums by machine and by kind beside each other.
 * @param {any} summary
 */
function totalsTables({ by_machine: machines, by_kind: kinds, currency }) {
  const decimals = moneyDecimals([...machines, ...kinds].map(({ cost }) => cost));
  const sums = [
    { title: "Anomalies", number: true, value: (/** @type {any} */ each) => number(each.count, null, 0) },
    { title: "New", number: true, value: (/** @type {any} */ each) => number(each.open, null, 0) },
    { title: "Energy", number: true, value: (/** @type {any} */ each) => signed(each.energy_kwh, "kWh") },
    { title: "Cost", number: true, value: (/** @type {any} */ each) => money(each.cost, currency, decimals) },
  ];
  const link = (/** @type {any} */ each) => element("a", { href: pageAddress(`machine/${each.machine_id}`) }, each.machine_name);
  const wrong = { title: "False alarms", number: true, value: (/** @type {any} */ each) => number(each.false_alarms, null, 0) };
  return [
    wideTable("By machine", [{ title: "Machine", value: link }, ...sums, wrong], machines),
    wideTable("By kind", [{ title: "Kind", value: (each) => label(each.anomaly_type) }, ...sums], kinds),
  ];
}

