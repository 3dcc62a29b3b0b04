import { addDays, today } from '$ui/format/calendar';
import type { Schemas } from '../api/client';
import { visitsHref } from './filter';
import { asQuery, type Period } from './period';

/** What waits for a person: how much, and the list that holds exactly that. */
export interface Waiting {
  n: number;
  /** Absent where no one list holds it: then those of the lines do. */
  href?: string;
  lines?: Line[];
}

/** A part of it, such as a beat's. */
export interface Line {
  key: string;
  n: number;
  href: string;
}

const LOOK_BACK_DAYS = 28;

/** The time that the start page looks back on: four weeks until today. */
export function lately(timeZone: string): Period {
  const to = today(timeZone);
  return { from: addDays(to, 1 - LOOK_BACK_DAYS), to, beat: '' };
}

/** What is held for this goes in by itself, when what it builds on arrives. */
const BY_ITSELF = 'waiting';

/** Held entries that want somebody's decision, and how many do without. */
export function heldWaiting(reasons: readonly Schemas['ReasonCount'][]): Waiting & { byItself: number } {
  const judged = reasons.filter(({ reason, entries }) => reason !== BY_ITSELF && entries > 0);
  const lines = judged.map(({ reason, entries }) => ({
    key: reason,
    n: entries,
    href: `/quarantine?${new URLSearchParams({ reason })}`,
  }));
  const byItself = reasons.find(({ reason }) => reason === BY_ITSELF)?.entries ?? 0;
  const [only, ...others] = lines;
  const href = byItself === 0 ? '/quarantine' : others.length === 0 ? only?.href : undefined;
  return { n: lines.reduce((sum, { n }) => sum + n, 0), lines, byItself, ...(href && { href }) };
}

type Figure = 'overdue_places' | 'commitments_overdue' | 'repeat_problems';

/** A figure of coverage over all beats, and of each in which there is any, by name as the server has them. */
export function beatsWaiting(
  beats: readonly Schemas['BeatFigures'][],
  figure: Figure,
  period: Period,
): Waiting {
  const lines = beats
    .filter((beat) => beat[figure] > 0)
    .map((beat) => ({
      key: beat.beat,
      n: beat[figure],
      href: behind(figure, { ...period, beat: beat.beat }),
    }));
  return { n: lines.reduce((sum, { n }) => sum + n, 0), href: behind(figure, period), lines };
}

function behind(figure: Figure, period: Period): string {
  const { beat, to } = period;
  const query = new URLSearchParams(asQuery(period));
  if (figure === 'overdue_places') return `/places?${query}&standing=overdue`;
  if (figure === 'repeat_problems') return `/repeat-problems?${query}`;
  return visitsHref({ ...(beat && { beat }), due_before: to });
}
