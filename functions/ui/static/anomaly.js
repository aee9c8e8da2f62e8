/**
 * Anomalies as a list with one opened beside it: what is open by cost, what was, and what people make of it.
 */
import {
  drawLanes, FILTERS, itemOf, lanesOf, newsText, noneText, offerFilters, periodText, questionOf, SHOWN, showTile, spanOf, sumsQuestionOf, summaryTiles, wantedOf,
} from "./anomaly-faces.js";
import { get, getCsv, getPages, isCancelled } from "./api.js";
import { count, fileName, instant, moneyOf, number } from "./format.js";
import { announce, bring, byId, catalogue, download, factory, pageAddress, pause, Region, remember, replaceItems, start, state, walk, whenVisible } from "./page.js";

/** @typedef {import("./anomaly-faces.js").Anomaly} Anomaly */

const REFRESH_MS = 60_000;
// From this width on the list and what is opened stand beside each other.
const BESIDE = "(min-width: 961px)";

/** What the browser has; made when the page starts. */
class AnomalyPage {
  constructor() {
    this.factory = /** @type {import("./page.js").Factory} */ (factory());
    this.zone = this.factory.timezone;
    this.machines = catalogue().machines.filter((each) => each.factory_id === this.factory.id);
    this.summary = new Region("summary");
    this.timeLine = new Region("time-line");
    this.list = new Region("list");
    this.opened = new Region("detail");
    /** What fills it: there once something was opened. */
    this.detail = /** @type {import("./anomaly-detail.js").Detail | null} */ (null);
    /** @type {{anomalies: Anomaly[], total: number, pages: number, at: number, isMore: boolean}} */
    this.seen = { anomalies: [], total: 0, pages: 1, at: Date.now(), isMore: false };
    /** @type {(below: import("./anomaly-below.js").Below) => void} What became of the sums, for the part below the fold. */
    this.tellSums = () => undefined;
    /** The part below the fold: there once someone came near it. */
    this.below = /** @type {import("./anomaly-below.js").Below | null} */ (null);
  }

  wanted() {
    return wantedOf(state());
  }

  begin() {
    offerFilters(this.wanted(), this.machines);
    this.listen();
    this.load();
    if (this.wanted().id) this.open();
    whenVisible(byId("below"), () => this.beginBelow());
    setInterval(() => this.refresh(), REFRESH_MS);
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  listen() {
    byId("show").addEventListener("click", (event) => {
      const show = /** @type {Element} */ (event.target).closest("button")?.dataset.show;
      if (show) this.choose({ show: show === "open" ? null : show, state: null });
    });
    for (const name of FILTERS) {
      byId(name).addEventListener("change", ({ target }) => this.choose({ [name]: /** @type {HTMLSelectElement} */ (target).value || null }));
    }
    const list = byId("anomalies");
    list.addEventListener("keydown", (event) => walk(list, event));
    for (const place of [list, byId("lanes")]) place.addEventListener("click", (event) => this.clicked(event));
    byId("close").addEventListener("click", () => this.close());
    byId("more").addEventListener("click", () => {
      this.seen.pages += 1;
      this.list.loading();
      this.askList(false);
    });
    byId("export-anomalies").addEventListener("click", () => this.save());
    for (const name of ["acknowledge", "resolve", "suppress", "suppress-new"]) byId(name).addEventListener("click", () => this.act(name));
    addEventListener("resize", () => this.drawTimeLine());
  }

  /** @param {Record<string, string | null>} changes */
  choose(changes) {
    remember({ ...changes, id: null }, { push: true });
    this.seen.pages = 1;
    this.hideDetail();
    offerFilters(this.wanted(), this.machines);
    this.load();
  }

  load() {
    for (const region of [this.summary, this.timeLine, this.list]) region.loading();
    this.ask(false);
  }

  /** Looks again, with what is shown left as it is until something else is known. */
  refresh() {
    if (document.hidden || Date.now() - this.seen.at < REFRESH_MS / 2) return;
    this.ask(true);
    this.below?.load(true);
  }

  /** @param {boolean} isAgain Whether this only brings the page up to date. */
  ask(isAgain) {
    this.seen.at = Date.now();
    return Promise.all([this.askSummary(isAgain), this.askList(isAgain)]);
  }

  /** @param {boolean} isAgain */
  async askSummary(isAgain) {
    const wanted = this.wanted();
    try {
      const sums = { ...await get("summary", ...sumsQuestionOf(wanted, this.factory.id, Date.now())), period: periodText(wanted) };
      summaryTiles(sums).forEach(showTile);
      this.summary.ready();
      this.tellSums = (below) => below.showTotals(sums);
    } catch (error) {
      this.failed(this.summary, error, isAgain);
      this.tellSums = (below) => this.failed(below.totals, error, isAgain);
    }
    if (this.below) this.tellSums(this.below);
  }

  /** @param {boolean} isAgain */
  async askList(isAgain) {
    try {
      const [path, question] = questionOf(this.wanted(), this.factory.id, Date.now());
      const { rows: anomalies, total, isMore } = await getPages("list", path, question, { name: "anomalies", most: this.seen.pages });
      const news = newsText(this.seen.anomalies, anomalies);
      Object.assign(this.seen, { anomalies, total, isMore });
      this.showList();
      if (!isAgain) announce(`${count(total, "anomaly", "anomalies")} ${SHOWN.get(this.wanted().show)}.`);
      else if (news) announce(news);
      this.openSome(isAgain);
    } catch (error) {
      for (const region of [this.timeLine, this.list]) this.failed(region, error, isAgain);
    }
  }

  /**
   * @param {Region} region
   * @param {unknown} error
   * @param {boolean} isAgain
   */
  failed(region, error, isAgain) {
    const isKept = isAgain && region.element.dataset.face === "ready" && !isCancelled(error);
    if (isKept) this.tell(" Not all of it could be brought up to date.");
    else region.failed(error, () => this.load());
  }

  showList() {
    this.tell();
    const { show, id } = this.wanted();
    const { anomalies } = this.seen;
    byId("list-title").textContent = show === "open" ? "Open, the dearest first" : "The latest first";
    byId("more").hidden = !this.seen.isMore;
    byId("export-anomalies").toggleAttribute("disabled", !anomalies.length);
    this.drawTimeLine();
    if (!anomalies.length) return this.showNone();
    const [now, asked] = [Date.now(), Object.fromEntries(state())];
    replaceItems(byId("anomalies"), anomalies.map((each) => (
      itemOf(each, { zone: this.zone, now, href: pageAddress("anomaly", { ...asked, id: each.id }), isOpened: each.id === id })
    )));
    const lost = moneyOf(anomalies);
    byId("list-note").textContent = `${number(anomalies.length, null, 0)}${lost ? `, ${lost} in all` : ""}`;
    this.list.ready(this.seen.isMore ? [`The first ${number(this.seen.anomalies.length, null, 0)} of ${number(this.seen.total, null, 0)}.`] : []);
  }

  showNone() {
    byId("anomalies").replaceChildren();
    byId("list-note").textContent = "";
    const wanted = this.wanted();
    const { text, offer, changes } = noneText(wanted);
    this.list.empty(text, offer ? { text: offer, act: () => this.choose(changes) } : null);
    if (!wanted.id) this.hideDetail();
  }

  drawTimeLine() {
    if (this.list.element.dataset.face === "error") return;
    const span = spanOf(this.seen.anomalies, Date.now(), this.wanted().days);
    drawLanes(byId("lanes"), lanesOf(this.seen.anomalies, this.machines, span, this.zone, this.wanted().machine), span, this.zone, this.wanted().id);
    byId("time-line-note").textContent = `${instant(span.from, this.zone, "day")} to now`;
    this.timeLine.ready();
  }

  /** @param {string} [problem] */
  tell(problem = "") {
    byId("subtitle").textContent = `${this.factory.name}, ${SHOWN.get(this.wanted().show)}. Times in ${this.zone}; as of ${instant(this.seen.at, this.zone, "clock")}.${problem}`;
  }

  async save() {
    try {
      const [path, question] = questionOf(this.wanted(), this.factory.id, Date.now());
      const text = await getCsv("csv", path, question);
      download(`${fileName("anomalies", this.factory.name, this.wanted().show)}.csv`, "text/csv", `\ufeff${text}`);
    } catch (error) {
      this.list.failed(error, () => this.load());
    }
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const target = /** @type {Element} */ (event.target).closest("[data-id]");
    // With a key held a link opens elsewhere, as links do.
    if (!(target instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    remember({ id: target.dataset.id }, { push: true });
    this.open();
    if (event.detail === 0 || !matchMedia(BESIDE).matches) byId("detail-title").focus();
  }

  open() {
    byId("inbox").dataset.opened = "";
    byId("detail").hidden = false;
    this.mark();
    this.showDetail();
  }

  async showDetail() {
    if (!this.wanted().id) return;
    this.opened.loading();
    try {
      const { Detail } = await bring(() => import("./anomaly-detail.js"));
      this.detail ??= new Detail(this.opened, this.zone);
      await pause();
      const { id } = this.wanted();
      if (id) await this.detail.load(id, this.seen.anomalies.find((each) => each.id === id));
    } catch (error) {
      this.opened.failed(error, () => location.reload());
    }
  }

  /** Marks what is opened in the list and on the time line. */
  mark() {
    const { id } = this.wanted();
    for (const link of byId("anomalies").querySelectorAll("a")) {
      if (link.dataset.id === id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const bar of byId("lanes").querySelectorAll("i")) bar.toggleAttribute("data-opened", bar.dataset.id === id);
  }

  /**
   * Where there is room, the first of the list stands opened; one that is opened is brought up to date.
   * @param {boolean} isAgain
   */
  openSome(isAgain) {
    const { id } = this.wanted();
    const [first] = this.seen.anomalies;
    if (id) {
      const listed = this.seen.anomalies.find((each) => each.id === id);
      if (isAgain && listed?.updated_at !== this.detail?.anomaly?.updated_at) this.showDetail();
    } else if (first && !isAgain && matchMedia(BESIDE).matches) {
      remember({ id: first.id });
      this.open();
    }
  }

  close() {
    const { id } = this.wanted();
    remember({ id: null }, { push: true });
    this.hideDetail();
    this.mark();
    /** @type {HTMLElement | null} */
    const link = byId("anomalies").querySelector(`[data-id="${CSS.escape(id ?? "")}"]`);
    (link ?? byId("list-title")).focus();
  }

  hideDetail() {
    delete byId("inbox").dataset.opened;
    byId("detail").hidden = true;
    this.detail?.leave();
  }

  /** @param {string} name What someone wants to do. */
  async act(name) {
    const anomaly = name === "suppress-new" ? null : this.detail?.anomaly ?? null;
    try {
      const { ACTIONS } = await bring(() => import("./anomaly-actions.js"));
      const done = await ACTIONS[name]?.({ anomaly, machines: this.machines, zone: this.zone });
      if (done) await this.showDone(name, done);
    } catch (error) {
      if (!isCancelled(error)) this.detail?.tell(error);
    }
  }

  /** @param {string} name What was done. @param {string} text The same in words. */
  async showDone(name, text) {
    announce(text);
    await this.showDetail();
    await Promise.all([this.ask(true), this.below?.load(true)]);
    if (name === "acknowledge") byId("resolve").focus();
    if (name === "resolve") byId("detail-title").focus();
  }

  async beginBelow() {
    try {
      const { Below } = await bring(() => import("./anomaly-below.js"));
      this.below = new Below(this.machines, this.zone);
      this.tellSums(this.below);
      this.below.load(false);
    } catch (error) {
      for (const id of ["totals", "suppressions"]) new Region(id).failed(error, () => location.reload());
    }
  }
}

if (typeof document !== "undefined") start(() => new AnomalyPage().begin());
