/**
 * How figures, instants and names are written. Nothing here knows the page: all of it is tested without one.
 */

/**
 * @typedef {{arrow: string, amount: string, direction: string, judgement: string, tone: "good" | "warning" | null}} Change
 */

/** What stands where there is no figure. */
export const NONE = "–";

const LABELS = new Map(
  Object.entries({
    production_count: "Production",
    production_count_good: "Good pieces",
    production_count_bad: "Rejected pieces",
    throughput_units_per_hour: "Throughput",
    operating_hours: "Operating hours",
    outdoor_temp_c: "Outdoor temperature",
    indoor_temp_c: "Indoor temperature",
    machine_temp_c: "Machine temperature",
    supply_air_temp_c: "Supply air temperature",
    return_air_temp_c: "Return air temperature",
    heating_degrees: "Heating degrees",
    cooling_degrees: "Cooling degrees",
    outdoor_humidity_percent: "Outdoor humidity",
    indoor_humidity_percent: "Indoor humidity",
    material_moisture_percent: "Material moisture",
    pressure_bar: "Pressure",
    pressure_setpoint_bar: "Pressure set point",
    flow_rate_m3h: "Flow rate",
    vibration_mm_s: "Vibration",
    speed_percent: "Speed",
    downtime_seconds: "Downtime",
    cop: "Coefficient of performance",
    power_kw: "Power",
    energy_kwh: "Energy",
    working_day: "Working day",
    weekday: "Weekday",
    shift: "Shift",
    hvac: "HVAC",
  }),
);
// A change that is smaller, half a percent or half a point, is neither better nor worse.
const WORTH_JUDGING = 0.005;
const UP = { arrow: "▲", direction: "more" };
const DOWN = { arrow: "▼", direction: "less" };
const NEITHER = { judgement: "", tone: null };
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const PATIENCE_MS = 900_000;

/**
 * @param {number | null | undefined} value
 * @returns {value is number}
 */
export function isFigure(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/**
 * A number in the browser's language, with as many decimals as its size bears.
 * @param {number | null | undefined} value
 * @param {string | null} [unit]
 * @param {number} [decimals] Three digits that count where none are given.
 */
export function number(value, unit, decimals) {
  if (!isFigure(value)) return NONE;
  const digits = decimals ?? decimalsOf(value);
  // Without this a small negative number is written as -0.
  const rounded = Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value;
  const text = rounded.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit ? `${text}\u00a0${unit}` : text;
}

/** @param {number} value */
function decimalsOf(value) {
  const size = Math.abs(value);
  if (size === 0 || size >= 100) return 0;
  return Math.min(Math.max(2 - Math.floor(Math.log10(size)), 0), 6);
}

/**
 * A number with its sign, for differences.
 * @param {number | null | undefined} value
 * @param {string | null} [unit]
 * @param {number} [decimals]
 */
export function signed(value, unit, decimals) {
  const text = number(value, unit, decimals);
  return isFigure(value) && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/**
 * A share of one as percent.
 * @param {number | null | undefined} share
 * @param {number} [decimals]
 */
export function percent(share, decimals = 0) {
  return isFigure(share) ? number(100 * share, "%", decimals) : NONE;
}

/**
 * An amount of money.
 * @param {number | null | undefined} amount
 * @param {string | null | undefined} currency ISO 4217, as tariffs have it.
 * @param {number} [decimals]
 */
export function money(amount, currency, decimals = moneyDecimals([amount])) {
  if (!isFigure(amount)) return NONE;
  if (!currency || !/^[A-Z]{3}$/.test(currency)) return number(amount, currency, decimals);
  return amount.toLocaleString(undefined, {
    style: "currency",
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/**
 * How many decimals amounts bear that stand below each other: cents mean nothing beside thousands.
 * @param {(number | null | undefined)[]} amounts
 */
export function moneyDecimals(amounts) {
  return amounts.some((amount) => isFigure(amount) && Math.abs(amount) >= 1000) ? 0 : 2;
}

/**
 * What several cost together.
 * @param {{cost: number | null, currency: string | null}[]} rows
 * @returns {string | null} Null where none has a price, or not all have the same currency.
 */
export function moneyOf(rows) {
  const priced = rows.filter(({ cost }) => isFigure(cost));
  const currencies = new Set(priced.map(({ currency }) => currency));
  if (currencies.size !== 1) return null;
  return money(priced.reduce((sum, { cost }) => sum + (cost ?? 0), 0), priced[0]?.currency);
}

/**
 * A deviation in words: "12 % more than expected".
 * @param {number | null | undefined} percent Of what was expected.
 */
export function unlikeExpected(percent) {
  if (!isFigure(percent)) return "Nothing to compare";
  const size = number(Math.abs(percent), "%", Math.abs(percent) < 9.95 ? 1 : 0);
  if (!/[1-9]/.test(size)) return "As expected";
  return `${size} ${percent > 0 ? "more" : "less"} than expected`;
}

/**
 * How likely a deviation is by chance alone.
 * @param {number | null | undefined} sigma The deviation in its standard errors.
 */
export function byChance(sigma) {
  if (!isFigure(sigma)) return NONE;
  const size = Math.abs(sigma);
  const words = size < 2 ? "within the usual scatter" : size < 3 ? "rarely by chance" : "hardly by chance";
  return `${number(size, "σ", 1)}: ${words}`;
}

/**
 * Whether readings are overdue: one stands for at most three intervals, and some minutes may pass until it is here.
 * @param {string | null | undefined} lastReadingAt
 * @param {number | null | undefined} intervalSeconds
 * @param {number} now Milliseconds since 1970.
 */
export function isStale(lastReadingAt, intervalSeconds, now) {
  if (!lastReadingAt) return true;
  return now - Date.parse(lastReadingAt) > Math.max(3000 * (intervalSeconds ?? 0), PATIENCE_MS);
}

/**
 * A probability of chance.
 * @param {number | null | undefined} p
 */
export function pValue(p) {
  if (!isFigure(p)) return NONE;
  return p < 0.0001 ? `< ${number(0.0001, null, 4)}` : number(p, null, p < 0.01 ? 4 : 3);
}

/**
 * A probability of what comes, which is never told as certainty.
 * @param {number} probability
 */
export function chance(probability) {
  if (probability < 0.01) return `under ${percent(0.01)}`;
  return probability > 0.99 ? `over ${percent(0.99)}` : percent(probability);
}

/**
 * The tone of a probability of something that costs money.
 * @param {number} probability
 */
export function riskTone(probability) {
  if (probability >= 0.5) return "critical";
  return probability >= 0.1 ? "warning" : "good";
}

/**
 * How much more or less than before, as a share of before; null where that means nothing.
 * @param {number | null | undefined} value
 * @param {number | null | undefined} before
 */
export function change(value, before) {
  return isFigure(value) && isFigure(before) && before > 0 ? value / before - 1 : null;
}

/**
 * A change in words: what is paid for should fall, what is worked with should rise.
 * @param {number | null} value
 * @param {number | null} before
 * @param {{isGoodUp?: boolean, inPoints?: boolean}} [how] Shares are held against each other in points, not in percent of percent.
 * @returns {Change | null} Null where there is nothing to compare.
 */
export function changeInWords(value, before, { isGoodUp = false, inPoints = false } = {}) {
  const difference = inPoints ? pointsBetween(value, before) : change(value, before);
  if (difference === null) return null;
  const size = Math.abs(difference);
  // What is written as 0.0 % is no change.
  if (size < 0.0005) return { arrow: "=", amount: "as before", direction: "", ...NEITHER };
  return {
    ...(difference > 0 ? UP : DOWN),
    ...(size < WORTH_JUDGING ? NEITHER : judged(difference > 0 === isGoodUp)),
    amount: sizeText(size, inPoints),
  };
}

/**
 * @param {number | null} value
 * @param {number | null} before
 */
function pointsBetween(value, before) {
  return isFigure(value) && isFigure(before) ? value - before : null;
}

/**
 * @param {boolean} isGood
 * @returns {Pick<Change, "judgement" | "tone">}
 */
function judged(isGood) {
  return isGood ? { judgement: "better", tone: "good" } : { judgement: "worse", tone: "warning" };
}

/**
 * @param {number} size
 * @param {boolean} inPoints
 */
function sizeText(size, inPoints) {
  return inPoints ? `${number(100 * size, null, 1)} points` : percent(size, size < 0.1 ? 1 : 0);
}

/**
 * So many of a thing: "1 hour", "5 hours".
 * @param {number} amount
 * @param {string} thing
 * @param {string} [things]
 */
export function count(amount, thing, things = `${thing}s`) {
  return `${number(amount, null, 0)} ${amount === 1 ? thing : things}`;
}

/**
 * What people call a driver, a type or a code: `outdoor_temp_c` is "Outdoor temperature".
 * @param {string} name
 */
export function label(name) {
  const [first = "", ...more] = name.split(" ");
  const known = LABELS.get(first);
  if (known) return [known, ...more].join(" ");
  const words = name.replace(/^(production|environment)\./, "").replaceAll(/[_\s]+/g, " ").trim();
  return LABELS.get(words.replaceAll(" ", "_")) ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * A time zone's offset at an instant.
 * @param {number} at Milliseconds since 1970.
 * @param {string} zone IANA name.
 */
export function zoneOffset(at, zone) {
  const parts = new Map(zoned(zone).formatToParts(at).map((part) => [part.type, Number(part.value)]));
  const get = (/** @type {Intl.DateTimeFormatPartTypes} */ type) => parts.get(type) ?? 0;
  const wall = Date.UTC(get("year"), get("month") - 1, get("day"), get("hour"), get("minute"), get("second"));
  return wall - Math.floor(at / 1000) * 1000;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const zonedFormats = new Map();

/** @param {string} zone */
function zoned(zone) {
  let format = zonedFormats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit",
      minute: "2-digit", second: "2-digit",
    });
    zonedFormats.set(zone, format);
  }
  return format;
}

/**
 * The local day of an instant, `2026-03-29`.
 * @param {number} at Milliseconds since 1970.
 * @param {string} zone
 */
export function localDay(at, zone) {
  return new Date(at + zoneOffset(at, zone)).toISOString().slice(0, 10);
}

/**
 * The instant at which a local day begins, also where the clock changes at midnight.
 * @param {string} day `2026-03-29`
 * @param {string} zone
 */
export function dayStart(day, zone) {
  const wall = Date.parse(`${day}T00:00:00Z`);
  const guess = wall - zoneOffset(wall, zone);
  const start = wall - zoneOffset(guess, zone);
  // At midnight the clock may be put forward: then the day begins an hour later by the clock.
  return localDay(start, zone) < day ? start + HOUR_MS : start;
}

/**
 * An instant as the factory's clocks show it: `2026-11-24T09:15`.
 * @param {number} at Milliseconds since 1970.
 * @param {string} zone
 */
export function wallTime(at, zone) {
  return new Date(at + zoneOffset(at, zone)).toISOString().slice(0, 16);
}

/**
 * The instant at which the factory's clocks show something, in ISO 8601; of an hour that comes twice the first.
 * @param {string} wall `2026-11-24T09:15`
 * @param {string} zone
 */
export function atWallTime(wall, zone) {
  const shown = Date.parse(`${wall.slice(0, 16)}:00Z`);
  const before = shown - zoneOffset(shown - DAY_MS, zone);
  const after = shown - zoneOffset(shown + DAY_MS, zone);
  const found = [before, after].find((at) => at + zoneOffset(at, zone) === shown) ?? after;
  return new Date(found).toISOString();
}

/**
 * A day so many days later.
 * @param {string} day
 * @param {number} days
 */
export function addDays(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/**
 * How many days a period of whole days has, both ends counted.
 * @param {string} from
 * @param {string} to
 */
export function daysBetween(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
}

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const STYLES = {
  day: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
  shortDay: { day: "numeric", month: "short" },
  month: { month: "long", year: "numeric" },
  moment: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  full: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
  clock: { hour: "2-digit", minute: "2-digit" },
  weekday: { weekday: "short" },
};
/** @type {Map<string, Intl.DateTimeFormat>} */
const styledFormats = new Map();

/**
 * The language of months and weekdays. They stand in English sentences: numbers are written as in the browser's language,
 * words only where that is a kind of English. Else days come before months, which are told by name.
 * @param {string} browsers
 */
export function languageOfWords(browsers) {
  return /^en\b/.test(browsers) ? browsers : "en-GB";
}

const WORDS = languageOfWords(new Intl.DateTimeFormat().resolvedOptions().locale);

/**
 * An instant as people of the factory write it.
 * @param {string | number | null | undefined} at ISO 8601, or milliseconds since 1970.
 * @param {string} zone The factory's.
 * @param {keyof typeof STYLES} [style]
 */
export function instant(at, zone, style = "full") {
  if (at === null || at === undefined || at === "") return NONE;
  const key = `${zone}|${style}`;
  let format = styledFormats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(WORDS, { timeZone: zone, hourCycle: "h23", ...STYLES[style] });
    styledFormats.set(key, format);
  }
  return format.format(typeof at === "number" ? at : Date.parse(at));
}

/**
 * A day of the calendar, which has no zone: `2026-03-29`.
 * @param {string | null | undefined} day
 * @param {keyof typeof STYLES} [style]
 */
export function calendarDay(day, style = "day") {
  return day ? instant(`${day.slice(0, 10)}T00:00:00Z`, "UTC", style) : NONE;
}

/**
 * A message of the API for people: instants in the factory's zone, numbers in the browser's language, drivers by the names that people
 * have for them.
 * @param {string} text
 * @param {string} zone
 * @param {string[]} [names] Drivers that it may name.
 */
export function readable(text, zone, names = []) {
  const figures = text.replaceAll(/\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})/g, (stamp) => instant(stamp, zone))
    .replaceAll(/(?<![\w.,])\d+\.(\d+)(?!\.?\w)/g, (figure, decimals) => number(Number(figure), null, decimals.length));
  // A name such as "shift" is a word of the language too: that one stays.
  return names.filter((name) => /[_.]/.test(name)).reduce((said, name) => said.replaceAll(wholeWord(name), label(name)), figures);
}

/**
 * What in a message without machines' names is the name of a driver.
 * @param {string} text
 */
export function namesIn(text) {
  return text.match(/\b[a-z]+(?:[_.][a-z0-9]+)+\b/g) ?? [];
}

/** @param {string} name */
function wholeWord(name) {
  return new RegExp(`(?<![\\w.])${name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?!\\w)`, "g");
}

/**
 * How long ago an instant was, in the unit that suits it.
 * @param {string | number} at
 * @param {number} now Milliseconds since 1970.
 */
export function age(at, now) {
  const seconds = Math.max(0, (now - (typeof at === "number" ? at : Date.parse(at))) / 1000);
  if (seconds < 90) return `${count(Math.round(seconds), "second")} ago`;
  if (seconds < 5400) return `${count(Math.round(seconds / 60), "minute")} ago`;
  if (seconds < 36 * 3600) return `${count(Math.round(seconds / 3600), "hour")} ago`;
  return `${count(Math.round(seconds / 86_400), "day")} ago`;
}

/**
 * Instants for the marks of a time axis: whole hours, days or months of the factory's calendar.
 * @param {number} from Milliseconds since 1970.
 * @param {number} to
 * @param {string} zone
 * @param {number} [most] How many fit.
 * @returns {{at: number, text: string}[]}
 */
export function timeMarks(from, to, zone, most = 8) {
  const span = to - from;
  const hours = [1, 2, 3, 6, 12].find((step) => span / (step * HOUR_MS) <= most);
  return hours && span <= 2.5 * DAY_MS ? hourMarks(from, to, zone, hours) : dayMarks(from, to, zone, most);
}

/**
 * @param {number} from
 * @param {number} to
 * @param {string} zone
 * @param {number} step
 */
function hourMarks(from, to, zone, step) {
  const marks = [];
  for (let at = Math.ceil(from / HOUR_MS) * HOUR_MS; at <= to; at += HOUR_MS) {
    const hour = new Date(at + zoneOffset(at, zone)).getUTCHours();
    if (hour % step === 0) marks.push({ at, text: instant(at, zone, hour === 0 ? "shortDay" : "clock") });
  }
  return marks;
}

/**
 * @param {number} from
 * @param {number} to
 * @param {string} zone
 * @param {number} most
 */
function dayMarks(from, to, zone, most) {
  const days = (to - from) / DAY_MS;
  const step = [1, 2, 3, 7, 14, 28, 61, 91, 182].find((width) => days / width <= most) ?? 365;
  const marks = [];
  let day = localDay(from, zone);
  if (dayStart(day, zone) < from) day = addDays(day, 1);
  for (let at = dayStart(day, zone); at <= to; at = dayStart(day, zone)) {
    marks.push({ at, text: instant(at, zone, "shortDay") });
    day = addDays(day, step);
  }
  return marks;
}

/**
 * Rows as CSV (RFC 4180); what a spreadsheet would take for a formula is made text.
 * @param {(string | number | null | undefined)[][]} rows
 */
export function csv(rows) {
  return rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}

/**
 * Rows under the names that the API gives them.
 * @param {Record<string, any>[]} rows All of one shape.
 * @returns {(string | number | null)[][]}
 */
export function csvRows(rows) {
  const names = Object.keys(rows[0] ?? {});
  return [names, ...rows.map((row) => names.map((name) => row[name]))];
}

/** @param {string | number | null | undefined} value */
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A name that a file may have.
 * @param {string[]} parts
 */
export function fileName(...parts) {
  return parts.map((part) => part.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-")).join("_");
}
