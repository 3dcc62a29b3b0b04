import type { ColumnName } from './columns.svelte';

/** How rows are laid out: each column beside the others, some in pairs one below the other, or each row as a card. */
export type RowLayout = 'wide' | 'stacked' | 'cards';

export interface Laid {
  layout: RowLayout;
  /** The columns that there is room for. */
  columns: readonly ColumnName[];
  /** For `grid-template` of a row. */
  template: string;
}

interface Track {
  leastRem: number;
  size: string;
}

const fixed = (rem: number): Track => ({ leastRem: rem, size: `${rem}rem` });
const growing = (rem: number, share: number): Track => ({
  leastRem: rem,
  size: `minmax(${rem}rem, ${share}fr)`,
});

const WIDE: Record<ColumnName, Track> = {
  started: fixed(9.75),
  ended: fixed(9.75),
  place: growing(16, 2.2),
  beat: growing(8, 1),
  type: growing(8, 1),
  outcome: fixed(10.5),
  author: growing(7, 1),
  marks: fixed(11.5),
  received: fixed(7.5),
};
const STACKED: Record<ColumnName, Track> = {
  ...WIDE,
  started: fixed(6.25),
  ended: fixed(6.25),
  place: growing(15, 1.6),
  beat: growing(7, 0.8),
  outcome: fixed(10.25),
  author: growing(7, 0.8),
  marks: fixed(10.5),
};

const REM_PX = 16;
const PADDING_PX = 32;
const GAP_PX = { wide: 16, stacked: 12 };
/** What is left beyond the least, so that words have room for their ends. */
const ROOM_PX = { wide: 28, stacked: 16 };
/** When the server had it is told where an address keeps this much more. */
const ROOM_FOR_RECEIVED_PX = 96;

/** How rows with these columns fit a frame; columns that fit nowhere beside the others are left out. */
export function lay(columns: readonly ColumnName[], framePx: number): Laid {
  if (framePx >= leastPx(columns, 'wide')) return { layout: 'wide', columns, template: side(columns) };
  const crowded = columns.includes('received');
  if (framePx >= leastPx(columns, 'stacked') + (crowded ? ROOM_FOR_RECEIVED_PX : 0))
    return { layout: 'stacked', columns, template: stack(columns) };
  const fewer = columns.filter((name) => name !== 'received');
  if (framePx >= leastPx(fewer, 'stacked'))
    return { layout: 'stacked', columns: fewer, template: stack(fewer) };
  return { layout: 'cards', columns: fewer, template: card(fewer) };
}

function leastPx(columns: readonly ColumnName[], layout: 'wide' | 'stacked'): number {
  const tracks =
    layout === 'wide' ? columns.map((name) => WIDE[name]) : pairs(columns).map(([top]) => STACKED[top]);
  const rem = tracks.reduce((sum, { leastRem }) => sum + leastRem, 0);
  return rem * REM_PX + (tracks.length - 1) * GAP_PX[layout] + PADDING_PX + ROOM_PX[layout];
}

function side(columns: readonly ColumnName[]): string {
  return `'${columns.join(' ')}' auto / ${columns.map((name) => WIDE[name].size).join(' ')}`;
}

/** What somebody did stands below what came of it. */
function pairs(columns: readonly ColumnName[]): [ColumnName, ColumnName][] {
  const paired = columns.includes('type') && columns.includes('outcome');
  return columns
    .filter((name) => !paired || name !== 'type')
    .map((name) => [name, paired && name === 'outcome' ? 'type' : name]);
}

function stack(columns: readonly ColumnName[]): string {
  const all = pairs(columns);
  const rows = [all.map(([top]) => top), all.map(([, below]) => below)];
  const areas = rows.map((row) => `'${row.join(' ')}' auto`).join(' ');
  return `${areas} / ${all.map(([top]) => STACKED[top].size).join(' ')}`;
}

const LEFT = ['type', 'author', 'beat'] as const;
const RIGHT = ['outcome', 'started', 'ended'] as const;

/** The address above, marks below, and between them what is short, two and two. */
function card(columns: readonly ColumnName[]): string {
  const has = (name: ColumnName) => columns.includes(name);
  const [left, right] = [LEFT.filter(has), RIGHT.filter(has)];
  const rows = Array.from({ length: Math.max(left.length, right.length) }, (_, at) => {
    const [one, other] = [left[at], right[at]];
    return `${one ?? other} ${other ?? one}`;
  });
  const all = ['place place', ...rows, ...(has('marks') ? ['marks marks'] : [])];
  return `${all.map((row) => `'${row}'`).join(' ')} / minmax(0, 1fr) auto`;
}
