import { isDay } from '$ui/format/calendar';

/** Which visits are shown. The address bar holds it; dates are local days, both inclusive. */
export interface VisitFilter {
  beat?: string;
  place?: string;
  author?: string;
  type?: string;
  outcome?: string;
  from?: string;
  to?: string;
  text?: string;
  late?: 'true' | 'false';
  conflict?: 'true' | 'false';
  concern?: string;
  commitment?: 'true' | 'false';
  /** A promise nobody has fulfilled was due before this day. */
  due_before?: string;
  status?: string;
}

export const FILTER_NAMES = [
  'text',
  'beat',
  'type',
  'outcome',
  'from',
  'to',
  'author',
  'place',
  'late',
  'conflict',
  'concern',
  'commitment',
  'due_before',
  'status',
] as const satisfies readonly (keyof VisitFilter)[];

/** Those that hold or do not. */
export const SWITCHES: ReadonlySet<keyof VisitFilter> = new Set(['late', 'conflict', 'commitment']);
/** Those that are a day. */
export const DAYS: ReadonlySet<keyof VisitFilter> = new Set(['from', 'to', 'due_before']);

/** No word is longer, and what is longer would not fit a request. */
const MAX_VALUE_CHARS = 200;

export interface ReadFilter {
  filter: VisitFilter;
  /** Parameters that were left aside: unknown, repeated, or with a value that makes no sense. */
  ignored: number;
}

/** Reads a filter from an address that anybody may have written. */
export function readFilter(query: URLSearchParams): ReadFilter {
  const filter: VisitFilter = {};
  let ignored = 0;
  for (const [name, value] of query) {
    if (value === '') continue;
    if (isName(name) && !(name in filter) && isValue(name, value)) Object.assign(filter, { [name]: value });
    else ignored += 1;
  }
  return { filter, ignored };
}

export function writeFilter(filter: VisitFilter): string {
  const query = new URLSearchParams();
  for (const name of FILTER_NAMES) {
    const value = filter[name];
    if (value) query.set(name, value);
  }
  const text = query.toString();
  return text ? `?${text}` : '';
}

/** The history under a filter. */
export function visitsHref(filter: VisitFilter): string {
  return `/visits${writeFilter(filter)}`;
}

/** What the server is asked. Days go as they are: it knows whose they are. */
export function toRequest(filter: VisitFilter) {
  const { late, conflict, commitment, ...rest } = filter;
  return {
    ...rest,
    ...(late && { late: late === 'true' }),
    ...(conflict && { conflict: conflict === 'true' }),
    ...(commitment && { commitment: commitment === 'true' }),
  };
}

function isName(name: string): name is keyof VisitFilter {
  return (FILTER_NAMES as readonly string[]).includes(name);
}

function isValue(name: keyof VisitFilter, value: string): boolean {
  if (DAYS.has(name)) return isDay(value);
  if (SWITCHES.has(name)) return value === 'true' || value === 'false';
  if (name === 'place') return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
  return value.length <= MAX_VALUE_CHARS;
}
