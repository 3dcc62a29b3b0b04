const DAY_MS = 24 * 60 * 60 * 1000;

/** How far `zone` is ahead of UTC at an instant, in milliseconds. */
function zoneOffset(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant);
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

/** The instant at which a local day begins. */
export function startOfDay(date: string, zone: string): Date {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // The offset at midnight UTC may not be the one at local midnight: a second look is enough.
  const guess = midnight - zoneOffset(midnight, zone);
  return new Date(midnight - zoneOffset(guess, zone));
}

/** The last millisecond of a local day. */
export function endOfDay(date: string, zone: string): Date {
  return new Date(startOfDay(addDays(date, 1), zone).getTime() - 1);
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
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
