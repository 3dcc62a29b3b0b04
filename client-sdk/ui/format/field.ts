import { t, tCode } from '../i18n/index.svelte';
import { wording, type CodeListName } from '../state/wording.svelte';
import { placeNames } from '../state/placeNames.svelte';
import { isDay } from './calendar';
import { metres } from './number';
import { dateTimeSeconds, day } from './time';

/** The fields that hold codes, by name: of the document, or of an item of a collection. */
const CODED: Record<string, CodeListName> = {
  visit_type: 'visit_type',
  outcome: 'outcome',
  place_type: 'place_type',
  category: 'concern',
  agency: 'agency',
  referral_status: 'referral_status',
  sara_stage: 'sara_stage',
};

const INSTANTS = new Set(['started_at', 'ended_at', 'fulfilled_at', 'informed_at', 'consent_at']);
/** A day of somebody's calendar, without a zone. */
const DAYS = new Set(['due']);
/** What names a place. */
const PLACES = new Set(['place', 'joined_into']);
/** Long digits that mean nothing to a reader, or that a line above names: whose visit it is. */
const OPAQUE = new Set(['nonce', 'inspector']);

export interface Key {
  collection: string | null;
  item: string | null;
  name: string;
}

/** Takes a document's key apart: `field`, `collection/<uuid>/field` or `witness/<replica>/field`. */
export function parseKey(key: string): Key {
  const [first = '', item, name] = key.split('/');
  return name === undefined
    ? { collection: null, item: null, name: first }
    : { collection: first, item: item ?? null, name };
}

export function isOpaque(key: string): boolean {
  return OPAQUE.has(parseKey(key).name);
}

/** The fields that mean something to a reader. */
export function readable<Value>(fields: Iterable<readonly [string, Value]>): (readonly [string, Value])[] {
  return [...fields].filter(([key]) => !isOpaque(key));
}

/** A field as a reader calls it. One that this build does not know is shown by its key. */
export function fieldLabel(key: string): string {
  const { collection, name } = parseKey(key);
  const field = tCode('field', name) ?? name;
  if (collection === null || collection === 'witness') return field;
  if (collection === 'notes' && name === 'text') return t('field.note');
  const group = tCode('collection', collection) ?? collection;
  return `${group}: ${field}`;
}

/** A field's value as a reader calls it. One of another type than expected is shown as it stands. */
export function fieldValue(key: string, value: unknown): string {
  const { name } = parseKey(key);
  const list = CODED[name];
  if (list && typeof value === 'string') return wording.label(list, value);
  if (name === 'status' && typeof value === 'string') return tCode('status', value) ?? value;
  if (INSTANTS.has(name) && typeof value === 'number') return dateTimeSeconds(value);
  if (DAYS.has(name) && typeof value === 'string' && isDay(value)) return day(value);
  if (PLACES.has(name) && typeof value === 'string') return placeNames.of(value) ?? t('place.unnamed');
  if (typeof value === 'number' && name.endsWith('_e7')) return `${(value / 1e7).toFixed(6)}°`;
  if (typeof value === 'number' && name === 'accuracy_cm') return metres(value / 100);
  if (typeof value === 'boolean') return t(value ? 'value.yes' : 'value.no');
  if (value === null || value === undefined) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
