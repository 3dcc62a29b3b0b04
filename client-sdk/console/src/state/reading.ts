import { recall, remember } from '$ui/state/kept';

/** Where somebody reads in the history: the filter as its address says it, the visit that is chosen, and how far down it is. */
export interface Reading {
  asked: string;
  chosen: string | null;
  at: number;
}

const NAME = 'reading';

let last: Reading | null | undefined;

/** Where the history was left, also after the page was loaded anew; each tab knows of its own. */
export function lastReading(): Reading | null {
  last ??= kept();
  return last;
}

export function keepReading(reading: Reading): void {
  last = reading;
  remember(NAME, JSON.stringify(reading), 'tab');
}

/** The history as it was left. */
export function historyHref(): string {
  return `/visits${lastReading()?.asked ?? ''}`;
}

function kept(): Reading | null {
  try {
    const read = JSON.parse(recall(NAME, 'tab') ?? 'null') as Partial<Reading> | null;
    if (typeof read?.asked !== 'string' || !/^(\?|$)/.test(read.asked)) return null;
    return { asked: read.asked, chosen: read.chosen ?? null, at: Number(read.at) || 0 };
  } catch {
    return null;
  }
}
