import { api, body, type Schemas } from '../api/client';
import type { MultiPolygon, Polygon } from 'geojson';
import { SvelteMap } from 'svelte/reactivity';
import { wording } from '$ui/state/wording.svelte';

/** A beat; the server's description of itself nests the positions of its outline one list too deep. */
export type Beat = Omit<Schemas['BeatShown'], 'area'> & { area?: Polygon | MultiPolygon | null };

/** What is read once, as it hardly ever changes: the wording of codes, and the beats. */
class Directory {
  beats = $state.raw<Beat[]>([]);
  /** The addresses met so far, by place. */
  readonly #places = new SvelteMap<string, string>();

  async load(): Promise<void> {
    const [codes, beats] = await Promise.all([body(api.GET('/v1/code-lists')), body(api.GET('/v1/beats'))]);
    wording.learn(codes.lists);
    this.beats = beats.beats as unknown as Beat[];
  }

  beatName(code: string): string {
    return this.beats.find((beat) => beat.code === code)?.name ?? code;
  }

  placeName(id: string): string | undefined {
    return this.#places.get(id);
  }

  learnPlace(id: string, address: string): void {
    this.#places.set(id, address);
  }

  /** Asks for the address of a place that an address bar brought: a visit to it knows. */
  async findPlace(id: string, beat: string | undefined): Promise<void> {
    const params = { path: { id }, query: { limit: 1, ...(beat && { beat }) } };
    const { visits } = await body(api.GET('/v1/places/{id}/visits', { params }));
    const address = visits[0]?.place?.address;
    if (address) this.learnPlace(id, address);
  }
}

export const directory = new Directory();
