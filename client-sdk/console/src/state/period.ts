import { addDays, daysBetween, isDay, today } from '$ui/format/calendar';

const PERIOD_DAYS = 12 * 7;

/** What coverage and what stands behind it are asked of; the address bar holds it. Local days, both inclusive. */
export interface Period {
  from: string;
  to: string;
  /** A beat's code, empty for all of them. */
  beat: string;
}

/** Twelve weeks until today, unless the address says otherwise. */
export function readPeriod(query: URLSearchParams, timeZone: string): Period {
  const given = (name: 'from' | 'to') => {
    const value = query.get(name);
    return value && isDay(value) ? value : null;
  };
  const to = given('to') ?? today(timeZone);
  return { from: given('from') ?? addDays(to, 1 - PERIOD_DAYS), to, beat: query.get('beat') ?? '' };
}

/** As many days, directly before. */
export function before(period: Period): Period {
  const days = daysBetween(period.from, period.to) + 1;
  return { ...period, from: addDays(period.from, -days), to: addDays(period.from, -1) };
}

/** What the server counts at once, at most: so many days where each is told, and so many otherwise. */
export const MOST_DAYS_BY_DAY = 366;
export const MOST_DAYS = 3_660;

/** Why nobody need ask for these days; each of them is empty where it is open. */
export type PeriodFault = 'backwards' | 'too_long' | 'too_long_by_day';

export function periodFault(
  { from, to }: { from?: string; to?: string },
  mostDays = Infinity,
): PeriodFault | null {
  if (!from || !to) return null;
  if (from > to) return 'backwards';
  if (daysBetween(from, to) < mostDays) return null;
  return mostDays === MOST_DAYS_BY_DAY ? 'too_long_by_day' : 'too_long';
}

/** As the server is asked, and as addresses of this console say it. */
export function asQuery({ from, to, beat }: Period): { from: string; to: string; beat?: string } {
  return { from, to, ...(beat && { beat }) };
}
