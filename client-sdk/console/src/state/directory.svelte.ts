import { api, body, type Schemas } from '../api/client';
import type { MultiPolygon, Polygon } from 'geojson';
import { placeNames } from '$ui/state/placeNames.svelte';
import { wording } from '$ui/state/wording.svelte';

/** A beat; the server's description of itself nests the positions of its outline one list too deep. */
export type Beat = Omit<Schemas['BeatShown'], 'area'> & { area?: Polygon | MultiPolygon | null };

/** What is read once, as it hardly ever changes: the wording of codes, and the beats. */
class Directory {
  beats = $state.raw<Beat[]>([]);

  async load(): Promise<void> {
    const [codes, beats] = await Promise.all([body(api.GET('/v1/code-lists')), body(api.GET('/v1/beats'))]);
    wording.learn(codes.lists);
    this.beats = beats.beats as unknown as Beat[];
  }

  beatName(code: string): string {
    return this.beats.find((beat) => beat.code === code)?.name ?? code;
  }

  /** Asks for the address of a place that an address bar brought: a visit to it knows. */
  async findPlace(id: string, beat: string | undefined): Promise<void> {
    const params = { path: { id }, query: { limit: 1, ...(beat && { beat }) } };
    const { visits } = await body(api.GET('/v1/places/{id}/visits', { params }));
    placeNames.learn(visits.map((visit) => visit.place));
  }
}

export const directory = new Directory();
