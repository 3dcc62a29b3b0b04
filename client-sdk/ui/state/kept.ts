// What a browser keeps of small things, for good or for as long as the tab. It may forbid it: then they last as long as the page.

const NAMES = 'aralau.';

export type Keeper = 'browser' | 'tab';

export function recall(name: string, keeper: Keeper = 'browser'): string | null {
  try {
    return storage(keeper).getItem(NAMES + name);
  } catch {
    return null;
  }
}

/** Whether it is kept. */
export function remember(name: string, value: string, keeper: Keeper = 'browser'): boolean {
  try {
    storage(keeper).setItem(NAMES + name, value);
    return true;
  } catch {
    return false;
  }
}

/** To name it is forbidden already, where it is. */
function storage(keeper: Keeper): Storage {
  return keeper === 'browser' ? localStorage : sessionStorage;
}
