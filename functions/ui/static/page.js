/**
 * What every page has: its state in the URL, the catalogue, the faces of its regions, tables and files.
 */
import { isCancelled, Problem } from "./api.js";
import { addDays, age, calendarDay, csv, csvRows, daysBetween, fileName, isStale, label, localDay, NONE, readable } from "./format.js";

/**
 * @typedef {{id: string, name: string, timezone: string, machines: number, contract_demand_kw: unknown}} Factory
 * @typedef {{id: string, name: string, type: string, factory_id: string, timezone: string, is_active: boolean,
 *   data_interval_seconds: number | null, status: string | null, status_at: string | null}} Machine
 * @typedef {{factories: Factory[], machines: Machine[], total_count: number}} Catalogue
 * @typedef {{text: string, act?: () => void, href?: string}} Action What a face offers to do, or where to go.
 * @typedef {{title: string, value: (row: any) => any, number?: boolean, tone?: (row: any) => string | null}} Column
 */

/**
 * An element of the page that has to be there.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return /** @type {T} */ (/** @type {unknown} */ (found));
}

/**
 * Makes an element. Texts are set as text: nothing that someone named can become markup.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any> | null} [attributes] Properties whose names begin with `on` are listeners.
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else setAttribute(made, name, value);
  }
  made.append(...children.filter(isThere).map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

/**
 * @param {Element} target
 * @param {string} name
 * @param {any} value True is an attribute without a value; false, null and undefined are none.
 */
function setAttribute(target, name, value) {
  if (isThere(value) && value !== false) target.setAttribute(name, value === true ? "" : String(value));
}

/**
 * @template T
 * @param {T | null | undefined} value
 * @returns {value is T}
 */
function isThere(value) {
  return value !== null && value !== undefined;
}

/** @type {Catalogue | undefined} */
let catalogueOfPage;

/** Factories and machines, as the server put them into the page. */
export function catalogue() {
  catalogueOfPage ??= /** @type {Catalogue} */ (JSON.parse(byId("catalogue").textContent ?? ""));
  return catalogueOfPage;
}

/** The machine that the page itself is about. */
export function machineOfPage() {
  return catalogue().machines.find((each) => each.id === document.documentElement.dataset.machine);
}

/** The factory that the page is about: its machine's, else the URL's, else the first with machines. */
export function factory() {
  const { factories, machines } = catalogue();
  const machine = machines.find((each) => each.id === state().get("machine")?.split(",")[0]);
  const wanted = machineOfPage()?.factory_id ?? state().get("factory") ?? machine?.factory_id;
  return factories.find((each) => each.id === wanted) ?? factories.find((each) => each.machines > 0) ?? factories[0];
}

/** What the URL says. */
export function state() {
  return new URLSearchParams(location.search);
}

/** What the page shows, as the URL says it. */
let shown = typeof location === "undefined" ? "" : location.search;

/**
 * Keeps the page's state in the URL, so that a link opens the same view.
 * @param {Record<string, string | null | undefined>} changes Null takes a part out.
 * @param {{push?: boolean}} [how] Whether the browser's back button leads to the state before.
 */
export function remember(changes, { push = false } = {}) {
  const query = state();
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const url = query.size ? `?${query}` : location.pathname;
  if (url === (location.search || location.pathname)) return;
  if (push) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
  shown = location.search;
  keepLinks();
}

/**
 * The address of another page of the console, with what of the state goes along.
 * @param {string} path Under `ui/`.
 * @param {Record<string, string | null | undefined>} [more]
 */
export function pageAddress(path, more = {}) {
  const query = new URLSearchParams();
  const kept = { factory: state().get("factory"), embed: state().get("embed"), ...more };
  for (const [name, value] of Object.entries(kept)) if (value) query.set(name, value);
  return `${document.documentElement.dataset.prefix}/ui/${path}${query.size ? `?${query}` : ""}`;
}

/** Links of the frame lead to the same factory. */
function keepLinks() {
  for (const link of document.querySelectorAll("a[data-keep]")) {
    if (link instanceof HTMLAnchorElement) {
      link.search = new URL(pageAddress("", { factory: factory()?.id }), location.href).search;
    }
  }
}

/**
 * Tells what a screen reader should say.
 * @param {string} text
 */
export function announce(text) {
  byId("live").textContent = text;
}

/**
 * A part of the page with its faces: loading, ready, empty, failed. Its element has `data-region` and a child
 * `.content`, whose room is kept while it loads.
 */
export class Region {
  /** @param {string} id */
  constructor(id) {
    this.element = byId(id);
    this.face = element("div", { class: "face", hidden: true });
    this.notices = element("ul", { class: "notices", hidden: true });
    const content = this.element.querySelector(":scope > .content");
    content?.before(this.notices, this.face);
    this.element.dataset.face ??= "loading";
    regions.push(this);
  }

  /** Shows that something comes; what was there before stays, paler. */
  loading() {
    this.element.setAttribute("aria-busy", "true");
    if (this.element.dataset.face !== "ready") this.show("loading");
    settle();
  }

  /**
   * Shows the content.
   * @param {(string | Node)[]} [notices] What makes it partial or old.
   */
  ready(notices = []) {
    this.show("ready");
    this.notices.replaceChildren(...notices.map((each) => element("li", null, each)));
    this.notices.hidden = notices.length === 0;
    settle();
  }

  /**
   * Says why there is nothing, and offers what to do.
   * @param {string} text
   * @param {Action | null} [action]
   */
  empty(text, action = null) {
    this.say("empty", element("p", { class: "what" }, text), action);
  }

  /**
   * Says what went wrong and how to go on. A call that was superseded is nothing that went wrong.
   * @param {unknown} error
   * @param {() => void} retry
   */
  failed(error, retry) {
    if (isCancelled(error)) return;
    const problem = error instanceof Problem ? error : new Problem("The page has a fault: load it again.");
    if (!(error instanceof Problem)) console.error(error);
    const text = readable(problem.message, factory()?.timezone ?? "UTC");
    const what = element("div", { role: "alert" }, element("p", { class: "what" }, text));
    if (problem.requestId) {
      what.append(element("p", null, "The log has it under ", element("code", null, problem.requestId), "."));
    }
    this.say("error", what, { text: "Try again", act: retry });
  }

  /**
   * @param {"empty" | "error"} face
   * @param {Node} what
   * @param {Action | null} action
   */
  say(face, what, action) {
    this.face.replaceChildren(what, ...(action ? [offered(action)] : []));
    this.notices.hidden = true;
    this.show(face);
    settle();
  }

  /** @param {"loading" | "ready" | "empty" | "error"} face */
  show(face) {
    this.element.dataset.face = face;
    if (face !== "loading") this.element.removeAttribute("aria-busy");
    this.face.hidden = face === "loading" || face === "ready";
  }
}

/** @param {Action} action */
function offered({ text, act, href }) {
  if (href) return element("a", { class: "button", href }, text);
  return element("button", { class: "button", type: "button", onclick: act }, text);
}

/** @type {Region[]} */
const regions = [];

/** The page's own state follows from its regions': scripts that look at the page wait for it. */
function settle() {
  const faces = regions.filter((each) => !each.element.closest("[hidden]")).map((each) => each.element.dataset.face);
  const busy = regions.some((each) => each.element.hasAttribute("aria-busy") && !each.element.closest("[hidden]"));
  const partial = regions.some((each) => !each.notices.hidden);
  let now = "ready";
  if (busy || faces.includes("loading")) now = "loading";
  else if (faces.includes("error")) now = "error";
  else if (faces.includes("empty")) now = "empty";
  else if (partial) now = "partial";
  document.documentElement.dataset.state = now;
}

/**
 * Calls something once an element comes near the window.
 * @param {Element} target
 * @param {() => void} act
 */
export function whenVisible(target, act) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    act();
  }, { rootMargin: "120px" });
  observer.observe(target);
}

/**
 * Loads a module once something needs it.
 * @template T
 * @param {() => Promise<T>} load
 * @returns {Promise<T>}
 */
export function bring(load) {
  return load().catch(() => {
    throw new Problem("This part of the page didn't arrive. Check the connection, then load the page again.");
  });
}

/** What follows is a task of its own: the page answers to its user in between. */
export function pause() {
  return new Promise((resolve) => setTimeout(resolve));
}

/**
 * A table of rows.
 * @param {Column[]} columns The first names the row.
 * @param {any[]} rows
 * @param {string} [caption]
 */
export function table(columns, rows, caption) {
  const head = element("tr", null, ...columns.map((column) => (
    element("th", { scope: "col", class: column.number ? "number" : null }, column.title)
  )));
  const body = rows.map((row) => element("tr", null, ...columns.map((column, index) => {
    const classes = [column.number ? "number" : "", column.tone?.(row) ?? ""].filter(Boolean).join(" ") || null;
    return element(index ? "td" : "th", { scope: index ? null : "row", class: classes }, column.value(row) ?? NONE);
  })));
  return element("table", null, caption ? element("caption", null, caption) : null,
    element("thead", null, head), element("tbody", null, ...body));
}

/**
 * A table that can be pushed sideways, with the keyboard too.
 * @param {string} title
 * @param {Column[]} columns
 * @param {any[]} rows
 */
export function wideTable(title, columns, rows) {
  return element("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": `${title}: figures` }, table(columns, rows));
}

/**
 * Puts items into a list where they say something else than those that are there.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} items
 */
export function replaceItems(list, items) {
  const former = [...list.children];
  const kept = items.map((item, index) => (former[index]?.isEqualNode(item) ? former[index] : item));
  if (kept.length === former.length && kept.every((each, index) => each === former[index])) return;
  const id = document.activeElement?.getAttribute("data-id");
  const hadFocus = list.contains(document.activeElement);
  list.replaceChildren(...kept);
  /** @type {HTMLElement | null} */
  const same = hadFocus && id ? list.querySelector(`[data-id="${CSS.escape(id)}"]`) : null;
  same?.focus({ preventScroll: true });
}

/**
 * The arrow keys go from one to the next.
 * @param {HTMLElement} list
 * @param {KeyboardEvent} event
 */
export function walk(list, event) {
  const step = new Map([["ArrowDown", 1], ["ArrowUp", -1]]).get(event.key);
  const links = [...list.querySelectorAll("a")];
  const next = links[links.findIndex((each) => each === document.activeElement) + (step ?? 0)];
  if (!step || !next) return;
  event.preventDefault();
  next.focus();
}

/**
 * @param {string} text
 * @param {"good" | "warning" | "critical" | null} tone
 */
export function badge(text, tone) {
  return element("span", { class: "badge", "data-tone": tone }, text);
}

/**
 * A change with its arrow, and in words for those who don't see it.
 * @param {import("./format.js").Change} change
 */
export function changeBadge({ arrow, amount, direction, judgement, tone }) {
  const sign = badge("", tone);
  sign.append(element("span", { "aria-hidden": "true" }, arrow), ` ${amount}`);
  if (direction) sign.append(element("span", { class: "visually-hidden" }, ` ${direction}`));
  if (judgement) sign.append(`, ${judgement}`);
  return sign;
}

/**
 * The tone of a verdict, a severity or a run's state.
 * @param {string | null | undefined} status
 * @returns {"good" | "warning" | "critical" | null}
 */
export function tone(status) {
  if (["valid", "normal", "good", "succeeded", "running"].includes(status ?? "")) return "good";
  if (["caution", "warning", "partial", "retrain", "maintenance"].includes(status ?? "")) return "warning";
  return ["rejected", "critical", "failed", "fault"].includes(status ?? "") ? "critical" : null;
}

/**
 * What a machine did when it last told; with the age where that is long ago.
 * @param {Pick<Machine, "status" | "status_at" | "data_interval_seconds">} machine
 * @param {number} now Milliseconds since 1970.
 */
export function statusBadge({ status, status_at: at, data_interval_seconds: interval }, now) {
  if (!status) return null;
  if (at && isStale(at, interval, now)) return badge(`${label(status)}, ${age(at, now)}`, null);
  return badge(label(status), tone(status));
}

/**
 * Hands a text to the browser as a file.
 * @param {string} name
 * @param {string} type
 * @param {string} text
 */
export function download(name, type, text) {
  save(name, new Blob([text], { type: `${type};charset=utf-8` }));
}

/**
 * @param {string} name
 * @param {Blob} content
 */
function save(name, content) {
  const url = URL.createObjectURL(content);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  announce(`${name} was saved.`);
}

/**
 * Hands a chart to the browser as a picture, on the ground that it has on the page.
 * @param {HTMLCanvasElement} chart
 * @param {string} name
 */
export function savePicture(chart, name) {
  const picture = element("canvas", { width: chart.width, height: chart.height });
  const pen = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
  pen.fillStyle = getComputedStyle(/** @type {Element} */ (chart.closest(".card"))).backgroundColor;
  pen.fillRect(0, 0, picture.width, picture.height);
  pen.drawImage(chart, 0, 0);
  picture.toBlob((content) => {
    if (content) save(name, content);
  });
}

/**
 * @param {string} name
 * @param {(string | number | null | undefined)[][]} rows
 */
export function downloadCsv(name, rows) {
  // With the byte order mark spreadsheets read names in other scripts right.
  download(name, "text/csv", `\ufeff${csv(rows)}`);
}

/**
 * Offers what an answer holds as a file, its figures unrounded.
 * @param {string} id Of the button.
 * @param {string[]} name Parts of the file's name.
 * @param {Record<string, any>[]} rows All of one shape.
 */
export function offerCsv(id, name, rows) {
  /** @type {HTMLButtonElement} */
  const button = byId(id);
  button.disabled = rows.length === 0;
  button.onclick = () => downloadCsv(`${fileName(...name)}.csv`, csvRows(rows));
}

/**
 * A period of whole local days, chosen by a preset or by two dates (the macro `period`).
 */
export class PeriodPicker {
  /**
   * @param {number} days The preset where the URL has none.
   * @param {() => string} zone
   * @param {() => void} changed
   */
  constructor(days, zone, changed) {
    this.preset = days;
    this.zone = zone;
    this.changed = changed;
    this.buttons = [...byId("period").querySelectorAll("button")];
    /** @type {{from: HTMLInputElement, to: HTMLInputElement}} */
    this.inputs = { from: byId("from"), to: byId("to") };
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.choose({ days: button.dataset.days ?? null, from: null, to: null }));
    }
    for (const input of Object.values(this.inputs)) input.addEventListener("change", () => this.typed());
    this.show();
  }

  /** First and last day, both within the period. */
  days() {
    const [from, to] = [state().get("from"), state().get("to")];
    if (from && to && isDay(from) && isDay(to) && from <= to) return { from, to };
    const today = localDay(Date.now(), this.zone());
    const days = this.chosen();
    // Today is a preset of its own; all others end with the last whole day.
    if (days === "yesterday") return { from: addDays(today, -1), to: addDays(today, -1) };
    return days === 1 ? { from: today, to: today } : { from: addDays(today, -days), to: addDays(today, -1) };
  }

  /** The preset: so many days, or the day before today, which one day can't name. */
  chosen() {
    const days = state().get("days");
    return days === "yesterday" ? days : Number(days) || this.preset;
  }

  /** In words: "25 Aug 2026 to 22 Nov 2026 (90 days)". */
  text() {
    const { from, to } = this.days();
    if (from === to) return calendarDay(from);
    return `${calendarDay(from)} to ${calendarDay(to)} (${daysBetween(from, to)} days)`;
  }

  /**
   * Takes as many days as now, ending with another day.
   * @param {string} lastDay
   */
  moveTo(lastDay) {
    const { from, to } = this.days();
    this.choose({ days: null, from: addDays(lastDay, 1 - daysBetween(from, to)), to: lastDay });
  }

  typed() {
    const [from, to] = [this.inputs.from.value, this.inputs.to.value];
    const isWrong = Boolean(from && to) && from > to;
    this.inputs.to.setCustomValidity(isWrong ? "The last day lies before the first." : "");
    if (isWrong) this.inputs.to.reportValidity();
    else if (isDay(from) && isDay(to)) this.choose({ days: null, from, to });
  }

  /** @param {Record<string, string | null>} changes */
  choose(changes) {
    remember(changes, { push: true });
    this.show();
    this.changed();
  }

  /** Shows what the URL says. */
  show() {
    const { from, to } = this.days();
    [this.inputs.from.value, this.inputs.to.value] = [from, to];
    const isRange = state().has("from") && state().has("to");
    const days = String(this.chosen());
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(!isRange && button.dataset.days === days));
    }
  }
}

/** @param {string} text */
function isDay(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

/** @type {(() => void)[]} */
const repaints = [];

/**
 * Calls something when the theme has changed: a canvas does not follow by itself.
 * @param {() => void} repaint
 */
export function onTheme(repaint) {
  repaints.push(repaint);
}

function startTheme() {
  const root = document.documentElement;
  const button = byId("theme");
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : preference.matches);
  const show = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    repaints.forEach((repaint) => repaint());
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    // A cookie, so that the server writes the theme into the page: it never flashes in the other one.
    const path = `${root.dataset.prefix}/ui`;
    document.cookie = `enms_theme=${root.dataset.theme}; path=${path}; max-age=31536000; samesite=lax`;
    show();
  });
  preference.addEventListener("change", show);
  show();
}

function startFactories() {
  /** @type {HTMLSelectElement} */
  const select = byId("factory");
  const { factories } = catalogue();
  select.replaceChildren(...factories.map((each) => element("option", { value: each.id }, each.name)));
  select.value = factory()?.id ?? "";
  select.addEventListener("change", () => {
    const path = document.documentElement.dataset.page === "machine" ? pageAddress("") : location.pathname;
    const query = new URLSearchParams({ factory: select.value });
    if (state().has("embed")) query.set("embed", "1");
    location.assign(`${path.split("?")[0]}?${query}`);
  });
}

/**
 * Starts a page: its frame first, then what is its own. Going back and forth in the browser starts it again.
 * @param {() => void} begin
 */
export function start(begin) {
  startFactories();
  startTheme();
  keepLinks();
  addEventListener("popstate", () => {
    // The skip link, too, is a step in the browser's history.
    if (location.search !== shown) location.reload();
  });
  if (catalogue().factories.length) begin();
  else document.documentElement.dataset.state = document.querySelector('main > [data-face="error"]') ? "error" : "empty";
}
