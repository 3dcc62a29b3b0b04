import { recall, remember } from '$ui/state/kept';

/** What a row of the history can say, in the order in which it stands. */
export const COLUMNS = [
  'started',
  'ended',
  'place',
  'beat',
  'type',
  'outcome',
  'author',
  'marks',
  'received',
] as const;
export type ColumnName = (typeof COLUMNS)[number];

/** The row's name and its link: without it nothing opens. */
export const ALWAYS: ColumnName = 'place';
/** Until somebody chooses. The beat stands below the address, unless it has a column of its own. */
export const USUAL: readonly ColumnName[] = COLUMNS.filter((name) => name !== 'ended' && name !== 'beat');

const NAME = 'columns';

/** Those of a text that are columns, in their own order; `null` where it names none. */
export function readColumns(text: string | null): readonly ColumnName[] | null {
  const named = new Set(text?.split(','));
  const found = COLUMNS.filter((name) => named.has(name) || name === ALWAYS);
  return text && found.some((name) => named.has(name)) ? found : null;
}

export function sameColumns(one: readonly ColumnName[], other: readonly ColumnName[]): boolean {
  return one.join() === other.join();
}

/** The columns of the history that a reader chose in this browser. */
class Columns {
  shown = $state.raw<readonly ColumnName[]>(readColumns(recall(NAME)) ?? USUAL);

  choose(names: readonly ColumnName[]): void {
    this.shown = readColumns(names.join()) ?? USUAL;
    remember(NAME, this.shown.join());
  }

  show(name: ColumnName, is: boolean): void {
    this.choose(is ? [...this.shown, name] : this.shown.filter((one) => one !== name));
  }
}

export const columns = new Columns();
