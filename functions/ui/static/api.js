/**
 * Calls of the API: one place for addresses, errors and cancellation.
 */

/**
 * An answer that is no success, in words that can be shown.
 */
export class Problem extends Error {
  /**
   * @param {string} detail What was wrong, and what to do.
   * @param {{status?: number, requestId?: string | null, fields?: Record<string, any>}} [more]
   */
  constructor(detail, { status = 0, requestId = null, fields = {} } = {}) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.requestId = requestId;
    /** Further fields of the problem: parameter, given, allowed, latest_reading_at, … */
    this.fields = fields;
  }
}

/** @param {unknown} error */
export function isCancelled(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** @type {Map<string, AbortController>} */
const underWay = new Map();

/**
 * Aborts the former call of a slot and gives the signal of the new one.
 * @param {string} slot What the answer is for: a newer call supersedes the older.
 */
function supersede(slot) {
  underWay.get(slot)?.abort();
  const controller = new AbortController();
  underWay.set(slot, controller);
  return controller.signal;
}

/** @param {string} path */
export function address(path) {
  return `${document.documentElement.dataset.prefix}/${path}`;
}

/**
 * @param {string} path
 * @param {Record<string, string | number | boolean | null | undefined>} [parameters]
 */
export function addressWith(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size ? `${address(path)}?${query}` : address(path);
}

/**
 * Asks for something.
 * @param {string} slot
 * @param {string} path Under the prefix: `api/v1/kpi/all`.
 * @param {Record<string, string | number | boolean | null | undefined>} [parameters]
 * @returns {Promise<any>}
 */
export function get(slot, path, parameters) {
  return call(addressWith(path, parameters), { signal: supersede(slot) });
}

/**
 * Sends something.
 * @param {string} slot
 * @param {string} path
 * @param {object} body
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export function post(slot, path, body, headers = {}) {
  return send("POST", slot, path, body, headers);
}

/**
 * Changes something that is there.
 * @param {string} slot
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
export function put(slot, path, body) {
  return send("PUT", slot, path, body);
}

/**
 * Takes something back.
 * @param {string} slot
 * @param {string} path
 * @returns {Promise<any>}
 */
export function withdraw(slot, path) {
  return call(address(path), { method: "DELETE", signal: supersede(slot) });
}

/**
 * Asks for the first pages of a list, one after the other.
 * @param {string} slot
 * @param {string} path
 * @param {Record<string, string | number | boolean | null | undefined>} parameters
 * @param {{name: string, most: number}} list What the answers call it, and how many pages are wanted.
 * @returns {Promise<{rows: any[], total: number, isMore: boolean}>}
 */
export async function getPages(slot, path, parameters, { name, most }) {
  const rows = [];
  for (let page = 1, cursor = null; ; page += 1) {
    const answer = await get(slot, path, { ...parameters, cursor });
    rows.push(...answer[name]);
    cursor = answer.next_cursor;
    if (!cursor || page >= most) return { rows, total: answer.total_count, isMore: Boolean(cursor) };
  }
}

/**
 * Asks for something as a table, all its pages.
 * @param {string} slot
 * @param {string} path
 * @param {Record<string, string | number | boolean | null | undefined>} [parameters]
 * @returns {Promise<string>} As the service writes it: RFC 4180.
 */
export async function getCsv(slot, path, parameters) {
  const request = { headers: { Accept: "text/csv" }, signal: supersede(slot) };
  /** @type {string | null} */
  let url = addressWith(path, parameters);
  let table = "";
  while (url) {
    const { answer, text } = await answered(url, request);
    if (!answer.ok) throw problemOf(answer, parse(text));
    // The names stand above the first page alone.
    table += table ? text.slice(text.indexOf("\n") + 1) : text;
    const next = /<(\?[^>]*)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
    url = next ? address(path) + next : null;
  }
  return table;
}

/**
 * @param {"POST" | "PUT"} method
 * @param {string} slot
 * @param {string} path
 * @param {object} body
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
function send(method, slot, path, body, headers = {}) {
  return call(address(path), {
    method,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
    signal: supersede(slot),
  });
}

/**
 * @param {string} url
 * @param {RequestInit} request
 */
async function call(url, request) {
  const { answer, text } = await answered(url, request);
  const body = parse(text);
  if (answer.ok && body !== undefined) return body;
  throw problemOf(answer, body);
}

/**
 * @param {string} url
 * @param {RequestInit} request
 */
async function answered(url, request) {
  const answer = await fetch(url, { credentials: "same-origin", ...request }).catch((error) => {
    if (isCancelled(error)) throw error;
    throw new Problem("The service can't be reached. Check the connection, then try again.");
  });
  return { answer, text: await answer.text() };
}

/**
 * @param {Response} answer
 * @param {any} body
 */
function problemOf(answer, body) {
  const requestId = body?.request_id ?? answer.headers.get("x-request-id");
  const detail = body?.detail ?? `The service answered with status ${answer.status}. Try again shortly.`;
  return new Problem(detail, { status: answer.status, requestId, fields: body ?? {} });
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Waits for a run that was answered with 202.
 * @param {string} slot
 * @param {string} runId
 * @param {(run: any) => void} progress
 * @returns {Promise<any>} The run, ended.
 */
export async function finished(slot, runId, progress) {
  for (let wait = 400; ; wait = Math.min(wait * 1.5, 4000)) {
    const run = await get(slot, `api/v1/jobs/runs/${runId}`);
    progress(run);
    if (!["queued", "running"].includes(run.state)) return run;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
