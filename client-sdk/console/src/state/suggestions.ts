import { api, body } from '../api/client';
import type { Suggestion } from '$ui/components/Suggest.svelte';
import { finds } from '$ui/format/fold';
import { placeNames } from '$ui/state/placeNames.svelte';
import { directory } from './directory.svelte';

/** More than anybody looks through. */
const MAX_BEATS = 50;

/** Beats are all here, in their order. */
export function suggestBeats(typed: string): Promise<Suggestion[]> {
  const named = directory.beats.map(({ code, name }) => ({
    value: code,
    text: name,
    ...(name !== code && { detail: code }),
  }));
  const found = named.filter(({ text, value }) => finds(typed, `${text} ${value}`));
  return Promise.resolve(found.slice(0, MAX_BEATS));
}

/** Of people of the same name the list of visits shows those of all. */
export async function suggestPeople(typed: string): Promise<Suggestion[]> {
  const { people } = await body(api.GET('/v1/suggestions/people', { params: { query: { text: typed } } }));
  return [...new Set(people.map(({ name }) => name))].map((name) => ({ value: name, text: name }));
}

export async function suggestPlaces(typed: string, beat: string | undefined): Promise<Suggestion[]> {
  const query = { text: typed, ...(beat && { beat }) };
  const { places } = await body(api.GET('/v1/suggestions/places', { params: { query } }));
  placeNames.learn(places);
  return places.map(({ id, beat, address }) => ({
    value: id,
    text: address,
    ...(beat && { detail: directory.beatName(beat) }),
  }));
}
