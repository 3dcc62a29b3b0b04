const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_DAYS = 7;

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Made once for each zone: on a phone that takes as long as a screen of rows. */
function clock(timeZone: string): Intl.DateTimeFormat {
  let found = clocks.get(timeZone);
  if (!found) {
    found = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    clocks.set(timeZone, found);
  }
  return found;
}

/** How far `zone` is ahead of UTC at an instant, in milliseconds. */
function zoneOffset(instant: number, zone: string): number {
  const parts = clock(zone).formatToParts(instant);
  const read = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(
    read('year'),
    read('month') - 1,
    read('day'),
    read('hour'),
    read('minute'),
    read('second'),
  );
  return local - instant;
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Days from one to the other. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

/** The same day of another month, or that month's last one. */
export function addMonths(date: string, months: number): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, last))).toISOString().slice(0, 10);
}

/** The day of the week, from 0 for Monday. */
export function weekday(date: string): number {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + WEEK_DAYS - 1) % WEEK_DAYS;
}

/** The weeks, from Monday to Sunday, that a month is shown by. */
export function weeksOf(month: string): string[][] {
  const first = `${month}-01`;
  const begin = addDays(first, -weekday(first));
  const end = addMonths(first, 1);
  const weeks: string[][] = [];
  for (let monday = begin; monday < end; monday = addDays(monday, WEEK_DAYS))
    weeks.push(Array.from({ length: WEEK_DAYS }, (_, at) => addDays(monday, at)));
  return weeks;
}

/** The local day it is. */
export function today(zone: string, now = Date.now()): string {
  return new Date(now + zoneOffset(now - (now % 1000), zone)).toISOString().slice(0, 10);
}

/** `2026-11-01`, and on the calendar. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** The day that somebody typed: day, month and year in this order (31.05.2026, 31/5/26), or as 2026-05-31. */
export function readDay(text: string): string | null {
  const [first = '', month = '', last = '', ...rest] = text.trim().split(/[\s./,-]+/);
  if (rest.length > 0 || ![first, month, last].every((part) => /^\d{1,4}$/.test(part))) return null;
  const [year, day] = first.length === 4 ? [first, last] : [last.length === 2 ? `20${last}` : last, first];
  const read = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return isDay(read) ? read : null;
}

export const RANGES = ['today', 'yesterday', 'week', 'month', 'quarter', 'year'] as const;
export type Range = (typeof RANGES)[number];

/** The days that a range is of, seen from a day: what is under way ends with that day. */
export function daysOf(range: Range, now: string): { from: string; to: string } {
  const month = Number(now.slice(5, 7));
  const quarter = String(month - ((month - 1) % 3)).padStart(2, '0');
  const yesterday = addDays(now, -1);
  return {
    today: { from: now, to: now },
    yesterday: { from: yesterday, to: yesterday },
    week: { from: addDays(now, -weekday(now)), to: now },
    month: { from: `${now.slice(0, 7)}-01`, to: now },
    quarter: { from: `${now.slice(0, 4)}-${quarter}-01`, to: now },
    year: { from: `${now.slice(0, 4)}-01-01`, to: now },
  }[range];
}
