import { recall, remember } from '$ui/state/kept';
import { readColumns, sameColumns, USUAL, type ColumnName } from './columns.svelte';
import { readFilter, writeFilter } from './filter';

/** A filter of the history that somebody named, with the columns that it is read by. */
export interface View {
  name: string;
  /** The filter as its address says it: empty, or from the question mark on. */
  asked: string;
  columns: readonly ColumnName[];
}

export const MAX_NAME_CHARS = 60;
/** More than anybody finds one among. */
export const MAX_VIEWS = 30;

const NAME = 'views';

/** What a browser kept; anything else than a view is passed over. */
export function readViews(text: string | null): View[] {
  let kept: unknown;
  try {
    kept = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  const views: View[] = [];
  for (const one of Array.isArray(kept) ? (kept as Partial<Record<keyof View, unknown>>[]) : []) {
    const { name, asked, columns } = one ?? {};
    if (typeof name !== 'string' || typeof asked !== 'string' || named(views, name)) continue;
    const given = Array.isArray(columns) ? readColumns(columns.join()) : null;
    views.push({ name, asked: normal(asked), columns: given ?? USUAL });
  }
  return views.slice(0, MAX_VIEWS);
}

/** Whether a reader who sees this sees the view. */
export function isShown(view: View, asked: string, columns: readonly ColumnName[]): boolean {
  return view.asked === normal(asked) && sameColumns(view.columns, columns);
}

function normal(asked: string): string {
  return writeFilter(readFilter(new URLSearchParams(asked)).filter);
}

/** Two views of one name could not be told apart. */
function named(views: readonly View[], name: string): View | undefined {
  return views.find((view) => view.name.toLocaleLowerCase() === name.trim().toLocaleLowerCase());
}

/** The views of this browser, in the order in which they were made. */
class Views {
  all = $state.raw<readonly View[]>(readViews(recall(NAME)));

  constructor() {
    // Another tab of the same browser has saved one.
    globalThis.addEventListener?.('storage', () => (this.all = readViews(recall(NAME))));
  }

  named(name: string): View | undefined {
    return named(this.all, name);
  }

  /** Keeps a view, in the place of one of the same name. */
  save(name: string, asked: string, columns: readonly ColumnName[]): void {
    const view = { name: name.trim(), asked: normal(asked), columns };
    const before = this.named(name);
    this.#keep(before ? this.all.map((one) => (one === before ? view : one)) : [...this.all, view]);
  }

  /** Whether it could be: another view may have the name. */
  rename(view: View, name: string): boolean {
    const other = this.named(name);
    if (name.trim() === '' || (other && other !== view)) return false;
    this.#keep(this.all.map((one) => (one === view ? { ...view, name: name.trim() } : one)));
    return true;
  }

  remove(view: View): void {
    this.#keep(this.all.filter((one) => one !== view));
  }

  #keep(views: readonly View[]): void {
    this.all = views;
    remember(NAME, JSON.stringify(views));
  }
}

export const views = new Views();
