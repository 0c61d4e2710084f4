import { decimal } from '../hcl/decimal.ts';
import { FunctionFailure } from '../hcl/limits.ts';
import { isNumber, object, type Value } from '../hcl/value.ts';
import { fixed, type Functions, integer } from './define.ts';

const months = 'January February March April May June July August September October November December'.split(' ');
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** A moment as it is written: the fields of its own zone. */
interface Moment {
  /** Its fields, read as UTC. */
  readonly local: Date;
  /** Minutes east of UTC. */
  readonly offset: number;
}

/** Functions of time; `now` is asked once, so that one definition has one time. */
export function timeFunctions(now: Date): Functions {
  return {
    timestamp: fixed([], () => rfc3339({ local: now, offset: 0 })),
    formatdate: fixed(['string', 'string'], (format, text) => formatMoment(format, parseMoment(text))),
    formattimestamp: fixed(['string', 'any'], (format, value) => {
      const moment = momentOf(value);
      return format === 'X' ? String(Math.floor(instant(moment) / 1000)) : formatMoment(format, moment);
    }),
    timeadd: fixed(['string', 'string'], (text, duration) => {
      const moment = parseMoment(text);
      return rfc3339({ ...moment, local: new Date(moment.local.getTime() + parseDuration(duration)) });
    }),
    unixtimestampparse: fixed(['number'], (seconds) => parts(new Date(integer(seconds, 0) * 1000))),
  };
}

function momentOf(value: Value): Moment {
  if (typeof value === 'string') return parseMoment(value);
  if (isNumber(value)) return { local: valid(new Date(integer(value, 1) * 1000)), offset: 0 };
  throw new FunctionFailure('a text in RFC 3339, or seconds since 1970, is required', 1);
}

function valid(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new FunctionFailure('the time is out of range');
  return date;
}

function instant({ local, offset }: Moment): number {
  return local.getTime() - offset * 60_000;
}

function parseMoment(text: string): Moment {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/.exec(text);
  const local = match === null ? undefined : new Date(`${match[1]}T${match[2]}Z`);
  if (
    match === null ||
    local === undefined ||
    Number.isNaN(local.getTime()) ||
    !local.toISOString().startsWith(match[1] ?? '')
  )
    throw new FunctionFailure(`${JSON.stringify(text)} is not a time in RFC 3339, such as 2026-01-31T12:00:00Z`);
  const offset = Number(match[4] ?? 0) * 60 + Number(match[5] ?? 0);
  return { local, offset: match[3] === '-' ? -offset : offset };
}

function rfc3339({ local, offset }: Moment): string {
  return `${valid(local).toISOString().slice(0, 19)}${offset === 0 ? 'Z' : zone(offset, ':')}`;
}

function zone(offset: number, colon: string): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${colon}${two(minutes % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Letters in a row are one word of the format; quotes keep text as it is, doubled ones are a quote. */
function formatMoment(format: string, moment: Moment): string {
  if ((format.match(/'/g)?.length ?? 0) % 2 === 1)
    throw new FunctionFailure('a quoted part of the format does not end', 0);
  return format.replace(/'(?:[^']|'')*'|([A-Za-z])\1*/g, (word) => {
    if (!word.startsWith("'")) return wordOf(word, moment);
    return word === "''" ? "'" : word.slice(1, -1).replaceAll("''", "'");
  });
}

function wordOf(word: string, moment: Moment): string {
  const { local, offset } = moment;
  const hour = local.getUTCHours();
  const words: Readonly<Record<string, () => string>> = {
    YYYY: () => String(local.getUTCFullYear()).padStart(4, '0'),
    YY: () => two(local.getUTCFullYear() % 100),
    MMMM: () => months[local.getUTCMonth()] ?? '',
    MMM: () => (months[local.getUTCMonth()] ?? '').slice(0, 3),
    MM: () => two(local.getUTCMonth() + 1),
    M: () => String(local.getUTCMonth() + 1),
    DD: () => two(local.getUTCDate()),
    D: () => String(local.getUTCDate()),
    EEEE: () => weekdays[local.getUTCDay()] ?? '',
    EEE: () => (weekdays[local.getUTCDay()] ?? '').slice(0, 3),
    hh: () => two(hour),
    h: () => String(hour),
    HH: () => two(hour % 12 || 12),
    H: () => String(hour % 12 || 12),
    AA: () => (hour < 12 ? 'AM' : 'PM'),
    aa: () => (hour < 12 ? 'am' : 'pm'),
    mm: () => two(local.getUTCMinutes()),
    m: () => String(local.getUTCMinutes()),
    ss: () => two(local.getUTCSeconds()),
    s: () => String(local.getUTCSeconds()),
    ZZZZZ: () => zone(offset, ':'),
    ZZZZ: () => zone(offset, ''),
    ZZZ: () => (offset === 0 ? 'UTC' : zone(offset, '')),
    Z: () => (offset === 0 ? 'Z' : zone(offset, ':')),
  };
  const made = words[word];
  if (made === undefined)
    throw new FunctionFailure(`the format knows no ${JSON.stringify(word)}; quote text that stands for itself`, 0);
  return made();
}

/** `1h30m`, `-10s`. Milliseconds. */
function parseDuration(text: string): number {
  const units: Readonly<Record<string, number>> = {
    h: 3_600_000,
    m: 60_000,
    s: 1000,
    ms: 1,
    us: 0.001,
    µs: 0.001,
    ns: 0.000001,
  };
  const match = /^([+-]?)((?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+|0)$/.exec(text);
  if (match === null) throw new FunctionFailure(`${JSON.stringify(text)} is not a duration, such as 1h30m`, 1);
  let total = 0;
  for (const [, amount = '', unit = ''] of (match[2] ?? '').matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g))
    total += Number(amount) * (units[unit] ?? 0);
  return match[1] === '-' ? -total : total;
}

function parts(date: Date): Value {
  valid(date);
  const year = date.getUTCFullYear();
  const day = 86_400_000;
  const week = isoWeek(date);
  const numbers = {
    year,
    year_day: Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / day) + 1,
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    iso_year: week.year,
    iso_week: week.week,
  };
  return object([
    ...Object.entries(numbers).map(([name, value]) => [name, decimal(value)] as const),
    ['month_name', months[date.getUTCMonth()] ?? ''],
    ['weekday_name', weekdays[date.getUTCDay()] ?? ''],
    ['rfc3339', rfc3339({ local: date, offset: 0 })],
  ]);
}

/** The week of a year that holds its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const day = 86_400_000;
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * day)) + 1 };
}
