import { daysBetween } from '$ui/format/calendar';
import { finds } from '$ui/format/fold';
import type { Stop } from '../../../wasm/src/types.ts';
import { distance } from './whereabouts.svelte';

export const ORDERS = ['urgent', 'near', 'street'] as const;
export type Order = (typeof ORDERS)[number];

/**
 * How a place stands: something promised is late or near, nobody was met for too long, nobody has been there, or nobody was
 * met yet; or all is well. Overdue is what headquarters counts as overdue.
 */
export type Standing = 'late' | 'soon' | 'overdue' | 'never' | 'attempted' | 'done';

const DAY_MS = 24 * 60 * 60 * 1000;
const SOON_DAYS = 3;
const RANK: Record<Standing, number> = { late: 0, soon: 1, overdue: 2, never: 3, attempted: 4, done: 5 };

export interface Reckoning {
  /** The deployment's day, `2026-11-30`. */
  today: string;
  now: number;
  intervalDays: number;
}

export function standing(stop: Stop, { today, now, intervalDays }: Reckoning): Standing {
  if (stop.due !== null && stop.due < today) return 'late';
  if (stop.due !== null && daysBetween(today, stop.due) <= SOON_DAYS) return 'soon';
  if (stop.contacted_at === null) return stop.visits === 0 ? 'never' : 'attempted';
  return now - stop.contacted_at > intervalDays * DAY_MS ? 'overdue' : 'done';
}

export interface Shown {
  stop: Stop;
  standing: Standing;
  metres: number | null;
}

/** The round as it is shown: what was searched for, in the order that was chosen. The stops come by address. */
export function arrange(
  stops: readonly Stop[],
  typed: string,
  order: Order,
  here: { lat: number; lon: number } | null,
  reckoning: Reckoning,
): Shown[] {
  const found = typed.trim() ? stops.filter((stop) => isMeant(typed, stop)) : stops;
  const shown = found.map((stop) => ({
    stop,
    standing: standing(stop, reckoning),
    metres: here && stop.coordinates ? distance(here, stop.coordinates) : null,
  }));
  const far = ({ metres }: Shown): number => metres ?? Number.POSITIVE_INFINITY;
  // Sorting keeps the order of what is equal: by address.
  if (order === 'near') shown.sort((one, other) => far(one) - far(other) || 0);
  if (order === 'urgent')
    shown.sort(
      (one, other) =>
        RANK[one.standing] - RANK[other.standing] ||
        byDay(one.stop.due ?? '', other.stop.due ?? '') ||
        (here ? far(one) - far(other) || 0 : 0) ||
        (one.stop.contacted_at ?? 0) - (other.stop.contacted_at ?? 0),
    );
  return shown;
}

/** Days as they are written stand in their order: no alphabet need be asked. */
function byDay(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function isMeant(typed: string, { address, external_code }: Stop): boolean {
  return finds(typed, `${address ?? ''} ${external_code ?? ''}`);
}
