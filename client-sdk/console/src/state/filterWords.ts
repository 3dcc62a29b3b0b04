import { day } from '$ui/format/time';
import { placeNames } from '$ui/state/placeNames.svelte';
import { wording, type CodeListName } from '$ui/state/wording.svelte';
import { t } from '../i18n';
import { directory } from './directory.svelte';
import { DAYS, SWITCHES, type VisitFilter } from './filter';

/** Conditions whose values are codes, and of which list. */
export const CODED: Partial<Record<keyof VisitFilter, CodeListName>> = {
  type: 'visit_type',
  outcome: 'outcome',
  concern: 'concern',
};

/** The value of a condition, as a reader calls it. */
export function valueWords(name: keyof VisitFilter, value: string): string {
  const list = CODED[name];
  if (list) return wording.label(list, value);
  if (name === 'beat') return directory.beatName(value);
  if (name === 'place') return placeNames.of(value) ?? t('place.unnamed');
  if (DAYS.has(name)) return day(value);
  if (SWITCHES.has(name)) return t(value === 'true' ? 'value.yes' : 'value.no');
  if (name === 'status') return t(value === 'withdrawn' ? 'status.withdrawn' : 'status.active');
  return value;
}
