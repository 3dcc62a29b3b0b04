import type { Wanted } from './load.svelte';
import { table } from './table';

/** A person as a table has them: a row beside each beat. */
export function staff(name: string, beats: readonly string[]): Blob {
  return table(['name', 'beat'], ...beats.map((beat) => [name.trim(), beat]));
}

/** Somebody works these beats from now on, and no others. `before`: those that they work so far. */
export function works(name: string, beats: readonly string[], before: readonly string[]): Wanted {
  // A table of nothing says nothing: whoever has no beat any more is listed beside what ends.
  if (beats.length === 0) return { name: 'staff', file: staff(name, before), retire: true };
  return { name: 'staff', file: staff(name, beats), replaceGrants: true };
}
