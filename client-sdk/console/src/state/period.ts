import { addDays, isDay, today } from '$ui/format/calendar';

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

export function isPeriod({ from, to }: Period): boolean {
  return from <= to;
}

/** As the server is asked, and as addresses of this console say it. */
export function asQuery({ from, to, beat }: Period): { from: string; to: string; beat?: string } {
  return { from, to, ...(beat && { beat }) };
}
