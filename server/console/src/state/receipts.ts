import type { Schemas } from '../api/client';

export type Receipt = Schemas['Proof'];
export type Standing = 'first' | 'seen' | 'alarm';

type Remembered = Pick<Receipt, 'epoch' | 'size' | 'root'>;

/**
 * Compares a log with what this browser saw of it before, and remembers it. A log may only grow: fewer rows in the same
 * epoch, or another root over as many, means that somebody has rewritten it. (Each phone checks far more: every row.)
 */
export function witness(receipt: Receipt, storage: Storage): Standing {
  const key = `aralau.receipt.${receipt.scope}`;
  const before = recall(storage, key);
  const standing = compare(before, receipt);
  // What is remembered of a log that does not continue stays: the alarm must not silence itself.
  if (standing !== 'alarm') {
    const { epoch, size, root } = receipt;
    storage.setItem(key, JSON.stringify({ epoch, size, root }));
  }
  return standing;
}

function compare(before: Remembered | null, now: Remembered): Standing {
  if (!before || before.epoch < now.epoch) return 'first';
  if (before.epoch > now.epoch || before.size > now.size) return 'alarm';
  return before.size === now.size && before.root !== now.root ? 'alarm' : 'seen';
}

function recall(storage: Storage, key: string): Remembered | null {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null') as Remembered | null;
  } catch {
    return null;
  }
}
