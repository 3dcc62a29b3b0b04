import { t } from '../i18n';
import { fieldLabel } from '$ui/format/field';
import { wording } from '$ui/state/wording.svelte';
import { directory } from './directory.svelte';
import type { Changes } from './load.svelte';

/** What a plan does of one kind. */
export interface Group {
  title: string;
  count: number;
  lines: string[];
  /** Somebody loses something by it. */
  ends?: boolean;
  /** It is not done. */
  kept?: boolean;
}

interface Listed<T> {
  count: number;
  first: T[];
}

function group<T>(title: string, { count, first }: Listed<T>, line: (one: T) => string): Group {
  return { title, count, lines: first.map(line) };
}

const between = (...parts: (string | null | undefined)[]) => parts.filter(Boolean).join(' · ');

/** What a plan does, kind by kind; kinds of which there is nothing are left out. */
export function groupsOf(changes: Changes): Group[] {
  const right = ({ name, beat }: { name: string; beat: string }) => between(name, beatOf(beat));
  const groups: Group[] = [
    group(t('plan.beats_added'), changes.beats_added, ({ code, name }) => between(code, name)),
    group(t('plan.beats_renamed'), changes.beats_renamed, ({ code, from, to }) =>
      between(code, becomes(from, to)),
    ),
    group(t('plan.outlines_set'), changes.outlines_set, beatOf),
    group(t('plan.people_added'), changes.people_added, ({ name }) => name),
    group(t('plan.grants_added'), changes.grants_added, right),
    { ...group(t('plan.grants_ended'), changes.grants_ended, right), ends: true },
    { ...group(t('plan.grants_kept'), changes.grants_kept, right), kept: true },
    group(t('plan.places_added'), changes.places_added, ({ beat, address, external_code, place_type }) =>
      between(address, beatOf(beat), external_code, place_type && wording.label('place_type', place_type)),
    ),
    ...corrected(changes),
    group(t('plan.places_moved'), changes.places_moved, ({ address, from_beat, to_beat }) =>
      between(address, becomes(beatOf(from_beat), beatOf(to_beat))),
    ),
  ];
  return groups.filter(({ count }) => count > 0);
}

type Corrected = Changes['places_changed']['first'][number];

/** A place that is withdrawn is no correction to whoever reads it. */
function corrected({ places_changed: { count, first } }: Changes): Group[] {
  const isGone = ({ changes }: Corrected) =>
    changes.some(({ field, to }) => field === 'status' && to === 'withdrawn');
  const gone = first.filter(isGone);
  // A load withdraws only where it does nothing else.
  if (gone.length > 0)
    return [
      {
        ...group(t('plan.places_retired'), { count, first: gone }, ({ address, beat }) =>
          between(address, beatOf(beat)),
        ),
        ends: true,
      },
    ];
  return [
    group(t('plan.places_changed'), { count, first }, ({ address, beat, changes }) =>
      between(address, beatOf(beat), changes.map(change).join('; ')),
    ),
  ];
}

function change({ field, from, to }: Corrected['changes'][number]): string {
  const value = (text: string) => {
    if (field === 'place_type') return wording.label('place_type', text);
    return field === 'status' ? t(text === 'active' ? 'status.active' : 'status.withdrawn') : text;
  };
  const label = field === 'coordinates' ? t('place.coordinates') : fieldLabel(field);
  return `${label}: ${becomes(from ? value(from) : '—', value(to))}`;
}

const becomes = (from: string, to: string) => `${from} → ${to}`;

function beatOf(code: string): string {
  return directory.beatName(code);
}
