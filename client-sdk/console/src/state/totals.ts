import { api, body, type Schemas } from '../api/client';
import type { Pages } from './pages.svelte';
import { asQuery, type Period } from './period';

type Figure = Exclude<keyof Schemas['BeatFigures'], 'beat' | 'name'>;

/** A figure of coverage over all beats of a period. */
export function sumOf(beats: readonly Schemas['BeatFigures'][], figure: Figure): number {
  return beats.reduce((sum, beat) => sum + beat[figure], 0);
}

/** How long the list is that opens behind a figure of coverage: its pages do not say. */
export async function totalOf(figure: Figure, period: Period): Promise<number> {
  const { beats } = await body(api.GET('/v1/coverage', { params: { query: asQuery(period) } }));
  return sumOf(beats, figure);
}

/** What is known of how many rows a list has on all pages: all of them are here, or somebody has counted. */
export function lengthOf<Row>(pages: Pages<Row>, counted: number | null): number | null {
  return pages.ready && pages.next === null ? pages.rows.length : counted;
}
