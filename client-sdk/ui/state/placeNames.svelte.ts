import { SvelteMap } from 'svelte/reactivity';

/** A place, as whoever names it tells it. */
export interface NamedPlace {
  id: string;
  address?: string | null | undefined;
  external_code?: string | null | undefined;
}

/** The addresses met so far, by place: fields name a place by its id. */
class PlaceNames {
  readonly #known = new SvelteMap<string, string>();

  learn(places: Iterable<NamedPlace | null | undefined>): void {
    for (const place of places) {
      const name = place?.address ?? place?.external_code;
      if (place && name && this.#known.get(place.id) !== name) this.#known.set(place.id, name);
    }
  }

  of(id: string): string | undefined {
    return this.#known.get(id);
  }
}

export const placeNames = new PlaceNames();
