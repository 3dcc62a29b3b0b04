import type { Schemas } from '../api/client';

export type Receipt = Schemas['Proof'];
export type Standing = 'first' | 'same' | 'grown' | 'restored' | 'behind' | 'alarm';

/** What a browser knows of a log: what it saw first, and since then what it has proven to go on from there. */
export interface Known {
  epoch: number;
  size: number;
  /** In hex. */
  root: string;
  /** The key that signed for it, in hex; null until somebody verified. */
  key: string | null;
}

const nameOf = (scope: string) => `aralau.receipt.${scope}`;

/** How a log stands to what this browser knows of it. A log may only grow; that it did is proven by `verify`. */
export function witness(now: Receipt, known: Known | null): Standing {
  if (!known) return 'first';
  if (known.epoch < now.epoch) return 'restored';
  // Or the answer is older than what another tab has proven since: only a new one can tell.
  if (known.epoch > now.epoch || known.size > now.size) return 'behind';
  if (known.size < now.size) return 'grown';
  return known.root === now.root ? 'same' : 'alarm';
}

/** What is remembered of a log; null where nothing is, or something else. */
export function recall(scope: string, storage: Storage): Known | null {
  try {
    const known = JSON.parse(storage.getItem(nameOf(scope)) ?? 'null') as Partial<Known> | null;
    const { epoch, size, root, key = null } = known ?? {};
    if (!Number.isSafeInteger(epoch) || !Number.isSafeInteger(size) || typeof root !== 'string') return null;
    return { epoch, size, root, key } as Known;
  } catch {
    return null;
  }
}

/** Remembers what was seen first, or proven. What contradicts it must not take its place: the alarm would silence itself. */
export function remember(scope: string, { epoch, size, root, key }: Known, storage: Storage): void {
  storage.setItem(nameOf(scope), JSON.stringify({ epoch, size, root, key }));
}
