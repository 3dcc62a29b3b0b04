import { Resource } from '$ui/state/resource.svelte';
import type { Outline, Stop } from '../../../wasm/src/types.ts';
import { device, phone } from './phone.svelte';

/** The round as it was read last, and whose it is. Whoever comes back to it sees that at once. */
export const round = new Resource(async () => {
  const [stops, outlines] = await Promise.all([device.round(), device.outlines()]);
  return { person: phone.status?.person?.id, stops, outlines };
});

/** What had changed when it was read. */
let read = -1;

/** Reads it, unless nothing has changed since. */
export function refreshRound(): void {
  if (read === phone.changes && !round.problem) return;
  read = phone.changes;
  void round.load();
}

/** Nothing, where it was somebody else's. */
export function knownRound(): { stops: Stop[]; outlines: Outline[] } | null {
  return round.data && round.data.person === phone.status?.person?.id ? round.data : null;
}
